//! Which requests are turns of one conversation, by what their prompts share.
//!
//! A turn's prompt begins with the whole of the prompt before it. So a request goes on with a
//! session if it is longer than that session's latest prompt and begins with all of its full
//! blocks, the last of which nobody else had when it came: a system prompt that many share makes
//! no session. The deepest such block decides. A guess, good where turns are longer than a block.

use std::collections::{HashMap, HashSet};

/// The conversations so far, by the last full block of their latest prompt.
///
/// Some 50 bytes for each of them, and 16 for each block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    tips: HashMap<u64, Tip>,
    count: u64,
    seen: HashSet<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Tip {
    session: u64,
    input_tokens: u64,
}

impl Sessions {
    /// The number of the session of a prompt of so many tokens with these full blocks.
    pub(crate) fn of(&mut self, full: &[u64], input_tokens: u64) -> u64 {
        let known = full.iter().rposition(|id| {
            let tip = self.tips.get(id);
            tip.is_some_and(|tip| tip.input_tokens < input_tokens)
        });
        let session = match known.and_then(|at| self.tips.remove(&full[at])) {
            Some(tip) => tip.session,
            None => {
                self.count += 1;
                self.count - 1
            }
        };
        if let Some(&last) = full.last() {
            let own = known == Some(full.len() - 1) || !self.seen.contains(&last);
            if own {
                let tip = Tip {
                    session,
                    input_tokens,
                };
                self.tips.insert(last, tip);
            }
        }
        for id in full.iter().rev() {
            // What is behind a seen block has been seen too.
            if !self.seen.insert(*id) {
                break;
            }
        }
        session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_that_grow_are_one_session() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.of(&[1, 2], 100), 0);
        assert_eq!(sessions.of(&[7], 60), 1);
        assert_eq!(sessions.of(&[1, 2, 3], 150), 0);
        assert_eq!(sessions.of(&[7, 8], 99), 1);
        // Less than a block more.
        assert_eq!(sessions.of(&[1, 2, 3], 160), 0);
        assert_eq!(sessions.of(&[1, 2, 3, 4, 5], 260), 0);
    }

    #[test]
    fn a_prompt_that_many_begin_with_makes_no_session() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.of(&[1, 2], 100), 0);
        assert_eq!(sessions.of(&[1, 3], 100), 1);
        assert_eq!(sessions.of(&[1], 60), 2);
        assert_eq!(sessions.of(&[1, 4], 100), 3);
        assert_eq!(sessions.of(&[1, 3, 5], 150), 1);
        assert_eq!(sessions.of(&[1, 2, 6], 150), 0);
    }

    #[test]
    fn the_same_prompt_again_is_another_session() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.of(&[1, 2], 100), 0);
        assert_eq!(sessions.of(&[1, 2], 100), 1);
    }

    #[test]
    fn prompts_shorter_than_a_block_are_alone() {
        let mut sessions = Sessions::default();
        assert_eq!([sessions.of(&[], 3), sessions.of(&[], 5)], [0, 1]);
    }
}
