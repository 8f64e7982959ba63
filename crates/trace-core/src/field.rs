//! The names on a line that tools know.

/// The enum, its names and the way back, from one list.
macro_rules! fields {
    ($($field:ident $name:literal,)*) => {
        /// A top-level field of a request or an outcome.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is the JSON field of its name; see Request and Outcome")]
        pub enum Field {
            $($field,)*
        }

        impl Field {
            /// Every field, request fields first.
            pub const ALL: &'static [Self] = &[$(Self::$field,)*];

            /// The field of that name, if tools know it.
            pub fn from_name(name: &[u8]) -> Option<Self> {
                // A match on text is a jump by length, then one comparison.
                match std::str::from_utf8(name).ok()? {
                    $($name => Some(Self::$field),)*
                    _ => None,
                }
            }

            /// The names as keys are spelled.
            const KEYS: &'static [Key] = &[$(Key::new(concat!("\"", $name, "\"")),)*];

            /// The same between the comma behind the field before and the value.
            const LEADS: &'static [Key] = &[$(Key::new(concat!(",\"", $name, "\":")),)*];

            /// Its name in the JSON.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)*
                }
            }
        }
    };
}

/// Bytes that are compared together: as many as the longest key has, and
/// whole registers.
const KEY_BYTES: usize = 24;

/// A key in its quotes, to be compared in registers: a call for each key of
/// each line costs a tenth of reading it.
struct Key {
    text: &'static str,
    words: [u64; KEY_BYTES / 8],
    /// The bits of the words that are the key's.
    own: [u64; KEY_BYTES / 8],
}

impl Key {
    const fn new(text: &'static str) -> Self {
        let (mut words, mut own) = ([0; KEY_BYTES / 8], [0; KEY_BYTES / 8]);
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            words[at / 8] |= (bytes[at] as u64) << (8 * (at % 8));
            own[at / 8] |= 0xff << (8 * (at % 8));
            at += 1;
        }
        Self { text, words, own }
    }

    /// Whether `rest` begins with it.
    #[inline]
    fn begins(&self, rest: &[u8]) -> bool {
        let Some(head) = rest.first_chunk::<KEY_BYTES>() else {
            return rest.starts_with(self.text.as_bytes());
        };
        let word = |at: usize| {
            let bytes = head[8 * at..].first_chunk().expect("three words of eight");
            (u64::from_le_bytes(*bytes) ^ self.words[at]) & self.own[at]
        };
        word(0) | word(1) | word(2) == 0
    }
}

// Request fields before Seq, outcome fields from there on.
fields! {
    Timestamp "timestamp",
    InputLength "input_length",
    OutputLength "output_length",
    HashIds "hash_ids",
    SessionId "session_id",
    Delay "delay",
    Model "model",
    TextInput "text_input",
    Messages "messages",
    Tools "tools",
    Payload "payload",
    Extra "extra",
    Source "source",
    Seq "seq",
    Round "round",
    Concurrency "concurrency",
    Stage "stage",
    ScheduledMs "scheduled_ms",
    DueMs "due_ms",
    SentMs "sent_ms",
    LatenessMs "lateness_ms",
    QueueMs "queue_ms",
    SentUnixMs "sent_unix_ms",
    ConnectMs "connect_ms",
    TtftMs "ttft_ms",
    FirstContentMs "first_content_ms",
    LastTokenMs "last_token_ms",
    LatencyMs "latency_ms",
    TpotMs "tpot_ms",
    ItlMs "itl_ms",
    InputTokens "input_tokens",
    CachedTokens "cached_tokens",
    OutputTokens "output_tokens",
    ReasoningTokens "reasoning_tokens",
    TokenSource "token_source",
    Chunks "chunks",
    Status "status",
    Error "error",
    Attempts "attempts",
    GpuMemoryMb "gpu_memory_mb",
}

impl Field {
    /// The field whose name, in quotes, `rest` begins with, for the fields of
    /// nearly every line: compared whole, not byte by byte.
    #[inline]
    pub fn usual(rest: &[u8]) -> Option<Self> {
        // Of a known length each, so that they are compared without a call.
        if rest.first_chunk() == Some(b"\"timestamp\"") {
            Some(Self::Timestamp)
        } else if rest.first_chunk() == Some(b"\"input_length\"") {
            Some(Self::InputLength)
        } else if rest.first_chunk() == Some(b"\"output_length\"") {
            Some(Self::OutputLength)
        } else if rest.first_chunk() == Some(b"\"hash_ids\"") {
            Some(Self::HashIds)
        } else if rest.first_chunk() == Some(b"\"session_id\"") {
            Some(Self::SessionId)
        } else {
            None
        }
    }

    /// Whether `rest` begins with its name, in quotes.
    #[inline]
    pub(crate) fn is_named(self, rest: &[u8]) -> bool {
        Self::KEYS[self as usize].begins(rest)
    }

    /// How many bytes `rest` begins with up to its value, if they are a comma and
    /// its name, without white space.
    #[inline]
    pub(crate) fn led(self, rest: &[u8]) -> Option<usize> {
        let lead = &Self::LEADS[self as usize];
        lead.begins(rest).then_some(lead.text.len())
    }

    /// Whether it tells what happened, rather than what to ask.
    pub fn is_outcome(self) -> bool {
        self as usize >= Self::Seq as usize
    }

    /// A bit of its own, to see a field named twice.
    pub(crate) fn bit(self) -> u64 {
        1 << self as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_field() {
        for &field in Field::ALL {
            assert_eq!(Field::from_name(field.name().as_bytes()), Some(field));
            for rest in [":1", ":1,\"input_length\":1234567}"] {
                let line = format!("\"{}\"{rest}", field.name());
                assert!(field.is_named(line.as_bytes()));
                let other = |other: &&Field| other.is_named(line.as_bytes());
                assert_eq!(Field::ALL.iter().filter(other).count(), 1);
                let led = field.led(format!(",{line}").as_bytes());
                assert_eq!(led, Some(field.name().len() + 4));
                assert_eq!(field.led(format!(", {line}").as_bytes()), None);
            }
            assert!(!field.is_named(field.name().as_bytes()));
        }
        assert_eq!(Field::from_name(b"chat_id"), None);
        assert_eq!(Field::from_name(b"\xff"), None);
    }

    #[test]
    fn a_request_ends_where_an_outcome_begins() {
        assert!(!Field::Source.is_outcome());
        assert!(Field::Seq.is_outcome() && Field::GpuMemoryMb.is_outcome());
    }
}
