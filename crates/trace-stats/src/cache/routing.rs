//! Which of several replicas gets a request.

use super::row::Row;
use std::collections::VecDeque;
use trace_core::Micros;

/// How requests are spread over replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Routing {
    /// One after the other
    RoundRobin,
    /// To the one that was given the fewest tokens, prompt and response, within
    /// --load-window
    LeastLoaded,
    /// To the one that holds the longest beginning of the prompt, if that is at
    /// least half of its blocks; else to the least loaded
    PrefixAffinity,
}

impl Routing {
    /// Its name on the command line and in the cache object.
    pub fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastLoaded => "least-loaded",
            Self::PrefixAffinity => "prefix-affinity",
        }
    }

    /// Whether it looks at what the replicas hold, and so depends on their
    /// capacity.
    pub fn looks_inside(self) -> bool {
        self == Self::PrefixAffinity
    }
}

/// Sends requests to replicas, one after the other.
#[derive(Debug, Clone)]
pub struct Router {
    routing: Routing,
    window: Micros,
    now: Micros,
    turn: usize,
    /// Tokens given to each replica within the window.
    load: Vec<u64>,
    /// Tokens given to each replica in all.
    total: Vec<u64>,
    /// When what was given to whom, within the window.
    recent: VecDeque<(Micros, usize, u64)>,
}

/// A request to be routed.
#[derive(Debug, Clone, Copy)]
pub struct Routed<'a> {
    /// Its prompt.
    pub row: Row<'a>,
    /// Tokens it asks for.
    pub output_length: u64,
    /// When it arrives; with the one before it, if it does not say.
    pub arrival: Option<Micros>,
}

impl Router {
    /// A router over `replicas`, at least 1; what a replica was given counts as
    /// its load for `window`.
    pub fn new(routing: Routing, replicas: u32, window: Micros) -> Self {
        Self {
            routing,
            window,
            now: Micros::ZERO,
            turn: 0,
            load: vec![0; replicas as usize],
            total: vec![0; replicas as usize],
            recent: VecDeque::new(),
        }
    }

    /// The replica that gets `request`; `lead` tells how many leading blocks of
    /// it a replica holds.
    pub fn route(&mut self, request: &Routed<'_>, lead: impl Fn(usize) -> usize) -> usize {
        let replica = match self.routing {
            Routing::RoundRobin => {
                self.turn += 1;
                (self.turn - 1) % self.load.len()
            }
            Routing::LeastLoaded => {
                self.pass_time(request.arrival);
                self.least_loaded(0..self.load.len())
            }
            Routing::PrefixAffinity => {
                self.pass_time(request.arrival);
                self.nearest(&request.row, lead)
            }
        };
        let tokens = request.row.tokens.saturating_add(request.output_length);
        self.total[replica] = self.total[replica].saturating_add(tokens);
        if self.routing != Routing::RoundRobin {
            self.load[replica] = self.load[replica].saturating_add(tokens);
            self.recent.push_back((self.now, replica, tokens));
        }
        replica
    }

    /// Tokens given to the replica that got most of them, over the mean; none
    /// if there were no tokens.
    pub fn imbalance(&self) -> Option<f64> {
        let most = *self.total.iter().max()?;
        let sum: u64 = self
            .total
            .iter()
            .fold(0, |sum, &tokens| sum.saturating_add(tokens));
        (sum > 0).then(|| most as f64 * self.total.len() as f64 / sum as f64)
    }

    fn pass_time(&mut self, arrival: Option<Micros>) {
        self.now = self.now.max(arrival.unwrap_or(Micros::ZERO));
        while let Some(&(given, replica, tokens)) = self.recent.front() {
            if self.now.saturating_sub(given) <= self.window {
                break;
            }
            self.recent.pop_front();
            self.load[replica] = self.load[replica].saturating_sub(tokens);
        }
    }

    /// The first of those with the least load.
    fn least_loaded(&self, replicas: impl Iterator<Item = usize>) -> usize {
        replicas
            .min_by_key(|&replica| self.load[replica])
            .unwrap_or(0)
    }

    fn nearest(&self, row: &Row<'_>, lead: impl Fn(usize) -> usize) -> usize {
        let leads: Vec<usize> = (0..self.load.len()).map(lead).collect();
        let longest = leads.iter().copied().max().unwrap_or(0);
        let worth = longest > 0 && 2 * longest >= row.blocks.len();
        let least = if worth { longest } else { 0 };
        self.least_loaded((0..leads.len()).filter(|&replica| leads[replica] >= least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(blocks: &[u32], tokens: u64, second: u64) -> Routed<'_> {
        Routed {
            row: Row {
                blocks,
                tokens,
                block_size: 10,
            },
            output_length: 0,
            arrival: Some(Micros::from_micros(1_000_000 * second)),
        }
    }

    fn router(routing: Routing) -> Router {
        Router::new(routing, 3, Micros::from_micros(60_000_000))
    }

    #[test]
    fn turns_are_taken() {
        let mut router = router(Routing::RoundRobin);
        let turns = (0..5).map(|second| router.route(&request(&[], 1, second), |_| 0));
        assert_eq!(turns.collect::<Vec<_>>(), [0, 1, 2, 0, 1]);
    }

    #[test]
    fn load_is_forgotten_after_the_window() {
        let mut router = router(Routing::LeastLoaded);
        let mut send = |tokens, second| router.route(&request(&[], tokens, second), |_| 0);
        assert_eq!(
            [send(9, 0), send(2, 0), send(5, 1), send(1, 2)],
            [0, 1, 2, 1]
        );
        // After a minute the nine tokens and the two are gone.
        assert_eq!([send(7, 61), send(1, 61), send(1, 61)], [0, 1, 1]);
    }

    #[test]
    fn half_of_the_prompt_is_worth_a_detour() {
        let mut router = router(Routing::PrefixAffinity);
        let blocks = [0, 1, 2, 3];
        let mut send = |leads: [usize; 3]| router.route(&request(&blocks, 40, 0), |at| leads[at]);
        assert_eq!(send([0, 0, 0]), 0);
        assert_eq!(send([2, 1, 0]), 0);
        assert_eq!(send([1, 0, 0]), 1);
        assert_eq!(send([3, 3, 2]), 1);
        assert_eq!(router.imbalance(), Some(1.5));
    }
}
