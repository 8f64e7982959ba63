//! Prompts of random words, as the generator of Phase 02 makes them.

use trace_core::{Random, seed};

use crate::draw;
use crate::length::Length;

/// Makes prompts of random words with a space between.
///
/// As many words as a distribution says; a word has ⌊x⌋ letters from a to z,
/// each alike, with x normal of mean 5 and standard deviation 1.25, and at
/// least one.
#[derive(Debug)]
pub struct Words {
    /// Words of a prompt.
    pub count: (Length, Random),
    /// Lengths of words.
    pub length: Random,
    /// Letters.
    pub letters: Random,
}

/// Letters of a word: mean and standard deviation.
const LETTERS: (f64, f64) = (5.0, 1.25);

impl Words {
    /// Put a prompt into `text`.
    pub fn write(&mut self, text: &mut String) {
        text.clear();
        let words = self.count.0.draw(&mut self.count.1);
        for word in 0..words {
            if word > 0 {
                text.push(' ');
            }
            let (mean, sd) = LETTERS;
            let letters = (mean + sd * draw::normal(&mut self.length)) as u64;
            for _ in 0..letters.max(1) {
                let letter = seed::below(&mut self.letters, 26) as u8;
                text.push(char::from(b'a' + letter));
            }
        }
    }
}
