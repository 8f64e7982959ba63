//! How a conversation goes: its turns, what each adds, and the waits between.

use trace_core::{Micros, Random};

use crate::length::Length;
use crate::tools::{Tools, draw, millis};

/// Most turns of a session.
pub const MAX_TURNS: u64 = 100_000;

/// One request of a conversation, before it has a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Tokens of the prompt beyond the prompt and the response before.
    pub new: u64,
    /// Response tokens.
    pub output: u64,
    /// From the end of the response before.
    pub delay: Micros,
    /// The turn it belongs to, from 0.
    pub turn: u32,
    /// What it is for.
    pub phase: Phase,
}

/// What a request of a conversation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A turn without tools.
    Turn,
    /// An agent says which tools to call.
    Plan,
    /// An agent reads what they said.
    FollowUp {
        /// Tools called.
        tools: u32,
        /// Attempts beyond each tool's first.
        retries: u32,
    },
}

/// How conversations go on after their first prompt.
#[derive(Debug)]
pub struct Script {
    /// Turns of a conversation; less than 1 counts as 1.
    pub turns: (Length, Random),
    /// Between a response and the next turn, milliseconds.
    pub think: (Length, Random),
    /// Tokens that a later turn adds; nothing is as long as first prompts.
    pub added: Option<(Length, Random)>,
    /// Called in every turn.
    pub tools: Option<Tools>,
}

impl Script {
    /// The requests of a conversation whose first prompt has `input` tokens
    /// and whose first response `output`.
    ///
    /// Ends before the one whose prompt and response together would have more
    /// than `most` tokens; the first has its place whatever it takes.
    pub fn steps(
        &mut self,
        (input, output): (u64, u64),
        most: u64,
        mut lengths: impl FnMut() -> (u64, u64),
    ) -> Vec<Step> {
        let turns = draw(&mut self.turns).clamp(1, MAX_TURNS) as u32;
        let mut steps: Vec<Step> = Vec::with_capacity(turns.min(64) as usize);
        let mut context = 0;
        let mut add = |step: Step| {
            context += step.new + step.output;
            let fits = context <= most || steps.is_empty();
            if fits {
                steps.push(step);
            }
            fits
        };
        for turn in 0..turns {
            let (new, output) = match turn {
                0 => (input, output),
                _ => self.later(&mut lengths),
            };
            let delay = match turn {
                0 => Micros::ZERO,
                _ => millis(&mut self.think),
            };
            let calls = self.tools.as_mut().map(Tools::call);
            let phase = calls.map_or(Phase::Turn, |_| Phase::Plan);
            let plan = Step {
                new,
                output,
                delay,
                turn,
                phase,
            };
            if !add(plan) {
                break;
            }
            if let Some(calls) = calls.filter(|calls| calls.tools > 0) {
                let follow_up = Step {
                    new: calls.tokens,
                    output: lengths().1,
                    delay: calls.duration,
                    turn,
                    phase: Phase::FollowUp {
                        tools: calls.tools,
                        retries: calls.retries,
                    },
                };
                if !add(follow_up) {
                    break;
                }
            }
        }
        steps
    }

    fn later(&mut self, lengths: &mut impl FnMut() -> (u64, u64)) -> (u64, u64) {
        let (input, output) = lengths();
        match &mut self.added {
            Some(added) => (draw(added), output),
            None => (input, output),
        }
    }
}

/// One request alone: a conversation that does not go on.
pub fn alone((new, output): (u64, u64)) -> Vec<Step> {
    vec![Step {
        new,
        output,
        delay: Micros::ZERO,
        turn: 0,
        phase: Phase::Turn,
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::length::Shape;
    use trace_core::Streams;

    fn fixed(size: u64) -> (Length, Random) {
        let shape = Shape::Fixed(size);
        let length = Length {
            shape,
            min: 0,
            max: size,
        };
        (length, Streams::new(0).stream("test"))
    }

    fn script(turns: u64, tools: Option<Tools>) -> Script {
        Script {
            turns: fixed(turns),
            think: fixed(2_000),
            added: Some(fixed(30)),
            tools,
        }
    }

    fn lengths(steps: &[Step]) -> Vec<(u64, u64)> {
        steps.iter().map(|step| (step.new, step.output)).collect()
    }

    #[test]
    fn later_turns_add_and_wait() {
        let steps = script(3, None).steps((100, 10), u64::MAX, || (7, 20));
        assert_eq!(lengths(&steps), [(100, 10), (30, 20), (30, 20)]);
        let delays: Vec<u64> = steps.iter().map(|step| step.delay.as_micros()).collect();
        assert_eq!(delays, [0, 2_000_000, 2_000_000]);
        let mut script = script(2, None);
        script.added = None;
        assert_eq!(
            lengths(&script.steps((100, 10), u64::MAX, || (7, 20))),
            [(100, 10), (7, 20)]
        );
    }

    #[test]
    fn a_conversation_ends_before_its_context_is_too_long() {
        for (most, turns) in [(160, 2), (159, 1), (210, 3), (1, 1)] {
            let steps = script(9, None).steps((100, 10), most, || (7, 20));
            assert_eq!(steps.len(), turns, "{most}");
        }
    }

    #[test]
    fn a_follow_up_waits_for_the_slowest_tool_and_reads_all() {
        let tools = Tools {
            count: fixed(3),
            latency: fixed(400),
            result: fixed(5),
            failure: 1.0,
            retries: 2,
            luck: Streams::new(0).stream("luck"),
        };
        let steps = script(1, Some(tools)).steps((100, 10), u64::MAX, || (7, 20));
        assert_eq!(lengths(&steps), [(100, 10), (15, 20)]);
        assert_eq!(
            steps[1].phase,
            Phase::FollowUp {
                tools: 3,
                retries: 6
            }
        );
        assert_eq!(steps[1].delay, Micros::from_micros(1_200_000));
    }

    #[test]
    fn without_tools_to_call_there_is_no_follow_up() {
        let tools = Tools {
            count: fixed(0),
            latency: fixed(400),
            result: fixed(5),
            failure: 0.0,
            retries: 0,
            luck: Streams::new(0).stream("luck"),
        };
        let steps = script(2, Some(tools)).steps((100, 10), u64::MAX, || (7, 20));
        assert!(steps.iter().all(|step| step.phase == Phase::Plan));
        assert_eq!(steps.len(), 2);
    }
}
