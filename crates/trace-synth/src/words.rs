//! Prompts of random words, as the generator of Phase 02 makes them.

use rand::Rng;
use trace_core::Random;

use crate::draw::Below;
use crate::length::Length;
use crate::normal::normal_cdf;

/// Makes prompts of random words with a space between.
///
/// As many words as a distribution says; a word has ⌊x⌋ letters from a to z,
/// each alike, with x normal of mean 5 and standard deviation 1.25, and at
/// least one.
#[derive(Debug)]
pub struct Words {
    count: (Length, Random),
    length: Random,
    /// Of 2³² words, so many have at most as many letters as the place says:
    /// 1, 2, and so on.
    shorter: [u32; LONGEST - 1],
    letters: Random,
}

/// Letters of a word: mean and standard deviation.
const LETTERS: (f64, f64) = (5.0, 1.25);

/// More letters than this have one in 10¹⁰ words, fewer than the draws tell
/// apart.
const LONGEST: usize = 12;

/// Letters from one draw.
const AT_ONCE: u32 = 6;

impl Words {
    /// Prompts of so many words; lengths of words and letters have streams of
    /// their own.
    pub fn new(count: (Length, Random), length: Random, letters: Random) -> Self {
        let (mean, sd) = LETTERS;
        let below = |letters: usize| normal_cdf((letters as f64 + 1.0 - mean) / sd);
        Self {
            count,
            length,
            shorter: std::array::from_fn(|place| (below(place + 1) * f64::from(u32::MAX)) as u32),
            letters,
        }
    }

    /// Put a prompt into `text`.
    pub fn write(&mut self, text: &mut String) {
        text.clear();
        let words = self.count.0.draw(&mut self.count.1);
        for word in 0..words {
            if word > 0 {
                text.push(' ');
            }
            let letters = self.letters_of_a_word();
            self.spell(letters, text);
        }
    }

    fn letters_of_a_word(&mut self) -> usize {
        let drawn = self.length.next_u32();
        1 + self.shorter.iter().filter(|&&most| most < drawn).count()
    }

    fn spell(&mut self, letters: usize, text: &mut String) {
        let all = Below::new(26_u64.pow(AT_ONCE));
        let mut left = letters;
        while left > 0 {
            let mut drawn = all.draw(&mut self.letters);
            let mut spelled = [0; AT_ONCE as usize];
            for letter in &mut spelled {
                *letter = b'a' + (drawn % 26) as u8;
                drawn /= 26;
            }
            let here = left.min(spelled.len());
            text.push_str(std::str::from_utf8(&spelled[..here]).expect("letters are text"));
            left -= here;
        }
    }
}
