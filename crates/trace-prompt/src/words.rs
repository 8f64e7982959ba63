//! The 512 words prompts are made of.
//!
//! Common English words of three to seven letters. With the space before it
//! each is one token of both embedded vocabularies (tested), and of nearly
//! every other in use. The order is part of the output: changing it changes
//! every prompt.

/// A word with the space before it, padded so that it can be copied whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// Space, letters, then zeros.
    pub(crate) bytes: [u8; 8],
    /// How many of the bytes are the word.
    pub(crate) len: u8,
}

impl Word {
    /// The longest word, with its space.
    pub(crate) const LONGEST: usize = 8;

    /// This text as a word, if it is short enough.
    #[cfg(feature = "huggingface")]
    pub(crate) fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::LONGEST];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Some(Self {
            bytes,
            len: text.len() as u8,
        })
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("words are made of text")
    }
}

/// Bits that choose one word.
pub(crate) const WORD_BITS: u32 = 9;

/// Every word, in the order of the list below.
pub(crate) static WORDS: [Word; 1 << WORD_BITS] = words();

const LIST: &str = "\
about above after again age ago air all almost alone along also among and animal answer any \
apple are area art away baby back bad bag ball bank bar base bear beat bee before began begin \
behind bell below best between big bird bit black blood blow blue board book bottom boy brave \
bread break bridge broad brown burn busy but buy calm came camp can care case catch cause chart \
check choose city claim clean clear climb clock cloth coal color cook cool copy corn corner \
could count court cow create crowd cry dance dark desk did die dig doctor dog done door dream \
dress drink drive drop during ear early earth ease east easy eat edge end energy engine enough \
even ever exact eye face fair fall family father fear feed feet felt few fill fine finger finish \
fire first fish flag flow flower fly follow foot for forest form forward found free fresh friend \
from front fruit full game gave give glass goal goat good got grass gray great green ground \
group hall hand hard hat have head hear heart heat heavy here high hill him hit hole home hope \
horse house how human hurry idea insect inside island its job join joy jump kind king knee knew \
know land law lay lead leaf least left less letter level lie life lift light like line list \
little live look lose lot loud love lunch main make man map market master match may meal mean \
melody men metal middle mile milk mind mine miss money month more morning most mount mouse music \
name nation nature near need news next nice night nine none noon north nose not note nothing now \
number ocean off offer office often oil old one open orange other our out over page paint pair \
paper parent park party pass past path pay peace pen people person picture pig plan plane planet \
plant play please point pond poor post pot press pretty price pull push put quick quiet quite \
race rain raise ran read ready red rest rice rich ride right ring rise river road rock roll roof \
room root rope rose round row rule sad safe same sand sat saw say school seat second see seed \
seem sell send sent set share sharp sheep shell shine ship shirt shop short should sign silver \
sit six skin sky sleep small smell snow soft soil son song sound soup space speak spell spoke \
spot spring square stand star state steel step still stop story strange street strong sugar suit \
summer sun sure swim table take talk tall taste teach team test that the their there thin thing \
think third this those thought three through time tiny tired today tool total toward town trade \
train travel tree trip turn twelve two type uncle until use usual view visit voice wait wall \
want war wash watch water way wear weather week were west what when which while who whole why \
wild will wind window winter wise wish with wonder wood word work worry would write yellow yes \
yet you your";
const fn words() -> [Word; 1 << WORD_BITS] {
    let mut words = [Word {
        bytes: [b' ', 0, 0, 0, 0, 0, 0, 0],
        len: 1,
    }; 1 << WORD_BITS];
    let text = LIST.as_bytes();
    let (mut at, mut word) = (0, 0);
    while at < text.len() {
        if text[at] == b' ' {
            word += 1;
        } else {
            let entry = &mut words[word];
            entry.bytes[entry.len as usize] = text[at];
            entry.len += 1;
        }
        at += 1;
    }
    assert!(
        word + 1 == words.len(),
        "the list has as many words as the index has values"
    );
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_words_are_distinct_and_plain() {
        let distinct: HashSet<_> = WORDS.iter().map(|word| word.bytes).collect();
        assert_eq!(distinct.len(), 512);
        for word in &WORDS {
            let (letters, padding) = word.bytes.split_at(usize::from(word.len));
            assert!(letters.len() >= 4 && letters[0] == b' ', "{word:?}");
            assert!(letters[1..].iter().all(u8::is_ascii_lowercase), "{word:?}");
            assert!(padding.iter().all(|&b| b == 0), "{word:?}");
        }
    }
}
