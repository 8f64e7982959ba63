//! Tools that an agent calls: how long they take, how often they fail, how
//! much they say.

use rand::Rng;
use trace_core::{Micros, Random, seed};

use crate::length::Length;

/// Most tools called at once.
pub const MAX_TOOLS: u64 = 10_000;

/// How tools are called between a plan and its follow-up.
#[derive(Debug)]
pub struct Tools {
    /// How many are called in parallel; 0 is a turn without a follow-up.
    pub count: (Length, Random),
    /// How long an attempt takes, in milliseconds.
    pub latency: (Length, Random),
    /// Tokens that the result of a tool adds to the prompt.
    pub result: (Length, Random),
    /// Probability that an attempt fails, if another may follow it.
    pub failure: f64,
    /// Attempts at most, beyond the first.
    pub retries: u64,
    /// Decides about failures.
    pub luck: Random,
}

/// What became of the tools that one plan called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Tools called.
    pub tools: u32,
    /// Attempts beyond each tool's first.
    pub retries: u32,
    /// From the end of the plan to the end of the last tool.
    pub duration: Micros,
    /// Tokens of all results.
    pub tokens: u64,
}

impl Tools {
    /// Call the tools of one plan.
    ///
    /// All start together; a tool that failed starts again when it has, until
    /// it succeeds or has no attempt left; the last to end ends the wait.
    pub fn call(&mut self) -> Calls {
        let mut calls = Calls {
            tools: draw(&mut self.count).min(MAX_TOOLS) as u32,
            ..Calls::default()
        };
        for _ in 0..calls.tools {
            let mut duration = self.attempt();
            let mut left = self.retries;
            while left > 0 && seed::unit(&mut self.luck) < self.failure {
                duration += self.attempt();
                calls.retries += 1;
                left -= 1;
            }
            calls.duration = calls.duration.max(duration);
            calls.tokens += draw(&mut self.result);
        }
        calls
    }

    fn attempt(&mut self) -> Micros {
        millis(&mut self.latency)
    }
}

/// One number of a distribution with a stream of its own.
pub fn draw((length, random): &mut (Length, impl Rng)) -> u64 {
    length.draw(random)
}

/// One time of a distribution of milliseconds.
pub fn millis(times: &mut (Length, impl Rng)) -> Micros {
    Micros::from_micros(draw(times) * 1000)
}
