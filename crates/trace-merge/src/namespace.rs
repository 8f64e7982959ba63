//! Ids and sessions of one input, told apart from those of the others.

use trace_core::digits::{SPELLED_BYTES, spell};
use trace_core::{Line, SessionId, push_string};

/// The largest id that jq and JavaScript can hold.
const LARGEST_ID: u64 = (1 << 53) - 1;

const TOO_LARGE: &str = "a hash id is too large to be kept apart from other inputs; \
    renumber the ids with trace-convert --relabel first, or say --shared-ids";

/// The ids of input `input` of `count`: id becomes id · count + input, which
/// no other input can give, and needs no memory of what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Namespace {
    input: u64,
    count: u64,
}

impl Namespace {
    /// The namespace of an input; none is needed when it is the only one.
    pub(crate) fn new(input: usize, count: usize) -> Option<Self> {
        (count > 1).then_some(Self {
            input: input as u64,
            count: count as u64,
        })
    }

    /// Append `ids`, a valid JSON value of `hash_ids`, moved into the
    /// namespace; `plain` if it is known to be plain, as `Cursor::ids` says.
    ///
    /// # Errors
    /// An id that would become larger than 2^53 - 1.
    pub(crate) fn push_ids(self, ids: &[u8], plain: bool, out: &mut Vec<u8>) -> Result<(), String> {
        if ids == b"null" {
            out.extend_from_slice(ids);
            return Ok(());
        }
        let start = out.len();
        out.push(b'[');
        if !plain || self.push_plain(ids, out).is_none() {
            // A space too many, an integral float, or one that is too large.
            out.truncate(start + 1);
            let spelled = [b"{\"input_length\":0,\"hash_ids\":", ids, b"}"].concat();
            let line = Line::parse("", &String::from_utf8_lossy(&spelled));
            let ids = line.map_err(|error| error.reason)?.request.hash_ids;
            let mut ids = ids.unwrap_or_default().into_iter();
            ids.try_for_each(|id| self.push(id, out)).ok_or(TOO_LARGE)?;
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b']');
        Ok(())
    }

    /// Append the ids of a plain array, each with a comma behind it; `None`
    /// for an id that becomes too large.
    fn push_plain(self, ids: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let inside = ids.strip_prefix(b"[")?.strip_suffix(b"]")?;
        // An id gains no more digits than the number of inputs has, and there
        // is at most one for every two bytes.
        let start = out.len();
        let gained = (self.count.ilog10() as usize + 1) * (inside.len() / 2 + 1);
        out.resize(start + inside.len() + gained + 2 * SPELLED_BYTES, 0);
        let mut at = start;
        let mut rest = inside;
        loop {
            let (id, length) = number(rest);
            at += spell(self.moved(id)?, &mut out[at..]);
            rest = match &rest[length..] {
                [b',', b' ', rest @ ..] | [b',', rest @ ..] => rest,
                _ => break,
            };
        }
        out.truncate(at);
        Some(())
    }

    fn push(self, id: u64, out: &mut Vec<u8>) -> Option<()> {
        let mut room = [0; SPELLED_BYTES];
        let length = spell(self.moved(id)?, &mut room);
        out.extend_from_slice(&room[..length]);
        Some(())
    }

    /// Append `session`, a valid JSON value of `session_id`, moved into the
    /// namespace: a string that begins with the number of the input.
    ///
    /// # Errors
    /// None for a valid value.
    pub(crate) fn push_session(self, session: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let mut digits = itoa::Buffer::new();
        let input = digits.format(self.input).as_bytes();
        match session {
            b"null" => out.extend_from_slice(session),
            [b'"', rest @ ..] => {
                out.push(b'"');
                out.extend_from_slice(input);
                out.push(b':');
                out.extend_from_slice(rest);
            }
            number => {
                let spelled = [b"{\"input_length\":0,\"session_id\":", number, b"}"].concat();
                let line = Line::parse("", &String::from_utf8_lossy(&spelled));
                let id = line.map_err(|error| error.reason)?.request.session_id;
                let id = id.unwrap_or(SessionId::Number(0));
                push_string(out, &format!("{}:{id}", self.input));
            }
        }
        Ok(())
    }

    fn moved(self, id: u64) -> Option<u64> {
        let moved = id.checked_mul(self.count)?.checked_add(self.input)?;
        (moved <= LARGEST_ID).then_some(moved)
    }
}

/// The number that `text` begins with, of at most 14 digits, and how many
/// those are.
///
/// Up to seven digits are read together: pairs, then fours, then eight are
/// added up side by side.
#[inline]
fn number(text: &[u8]) -> (u64, usize) {
    // Digits have this bit; commas and spaces have not.
    const DIGIT: u64 = 0x1010_1010_1010_1010;
    if let Some(&chunk) = text.first_chunk::<8>() {
        let chunk = u64::from_le_bytes(chunk);
        let length = (!chunk & DIGIT).trailing_zeros() / 8;
        if (1..8).contains(&length) {
            let digits = (chunk << (64 - 8 * length)) & 0x0f0f_0f0f_0f0f_0f0f;
            let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
            let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
            let all = (fours * 10_000 + (fours >> 32)) & 0xffff_ffff;
            return (all, length as usize);
        }
    }
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let digits = text.iter().take_while(is_digit);
    digits.fold((0, 0), |(number, length), digit| {
        (number * 10 + u64::from(digit - b'0'), length + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(input: usize, count: usize, text: &str) -> Result<String, String> {
        let mut out = Vec::new();
        let space = Namespace::new(input, count).unwrap();
        let inside = text.trim_matches(['[', ']']);
        let plain = crate::cursor::is_plain(inside.as_bytes());
        space.push_ids(text.as_bytes(), plain, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn session(text: &str) -> String {
        let mut out = Vec::new();
        let space = Namespace::new(1, 2).unwrap();
        space.push_session(text.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ids_are_told_apart() {
        assert_eq!(ids(1, 2, "[0, 4]"), Ok("[1,9]".to_owned()));
        assert_eq!(ids(0, 3, "[ 1.0 ,2e1]"), Ok("[3,60]".to_owned()));
        assert_eq!(ids(0, 3, "[]"), Ok("[]".to_owned()));
        assert_eq!(ids(0, 3, "[ ]"), Ok("[]".to_owned()));
        assert_eq!(ids(0, 3, "null"), Ok("null".to_owned()));
    }

    #[test]
    fn sessions_are_told_apart() {
        assert_eq!(session("7"), "\"1:7\"");
        assert_eq!(session("7.0"), "\"1:7\"");
        assert_eq!(session("-7"), "\"1:-7\"");
        assert_eq!(session(r#""a\"\u00e9""#), r#""1:a\"\u00e9""#);
        assert_eq!(session("null"), "null");
    }

    #[test]
    fn an_id_beyond_what_jq_can_hold_is_refused() {
        for id in ["4503599627370496", "18446744073709551615"] {
            let error = ids(1, 2, &format!("[1,{id}]")).unwrap_err();
            assert!(error.contains("trace-convert --relabel"), "{error}");
        }
        assert_eq!(
            ids(1, 2, "[4503599627370495]"),
            Ok("[9007199254740991]".to_owned())
        );
    }

    proptest! {
        #[test]
        fn ids_are_spelled_as_they_are(ids in proptest::collection::vec(0..1_u64 << 52, 0..20), shift in 0..52, space in "[ ]{0,2}") {
            let ids: Vec<u64> = ids.iter().map(|id| id >> shift).collect();
            let given: Vec<String> = ids.iter().map(u64::to_string).collect();
            let moved: Vec<String> = ids.iter().map(|id| (2 * id + 1).to_string()).collect();
            let given = format!("[{}]", given.join(&format!(",{space}")));
            prop_assert_eq!(self::ids(1, 2, &given), Ok(format!("[{}]", moved.join(","))));
        }

        #[test]
        fn ids_of_many_inputs_have_room(
            ids in proptest::collection::vec(0..1_u64 << 38, 0..40),
            shift in 0..38,
            count in 2..20_000_usize,
        ) {
            let ids: Vec<u64> = ids.iter().map(|id| id >> shift).collect();
            let (input, spread) = (count as u64 - 1, count as u64);
            let given: Vec<String> = ids.iter().map(u64::to_string).collect();
            let moved: Vec<String> = ids.iter().map(|id| (id * spread + input).to_string()).collect();
            let given = format!("[{}]", given.join(","));
            prop_assert_eq!(self::ids(count - 1, count, &given), Ok(format!("[{}]", moved.join(","))));
        }

        #[test]
        fn two_inputs_never_share_an_id(a in 0..1_000_u64, b in 0..1_000_u64, count in 2..50_usize) {
            let (first, last) = (Namespace::new(0, count).unwrap(), Namespace::new(count - 1, count).unwrap());
            prop_assert_ne!(first.moved(a), last.moved(b));
            prop_assert_eq!(first.moved(a) == first.moved(b), a == b);
        }
    }
}
