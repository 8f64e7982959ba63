//! What goes first when a cache is full.

use super::distance::Order;
use super::simulator::{Fifo, LeafFirst, Lfu, Lru, S3Fifo, Simulator};

/// What goes first when a cache is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Policy {
    /// The block used longest ago
    Lru,
    /// The leaf used longest ago; only an unbroken prefix is a hit (the radix
    /// caches of vLLM and SGLang)
    PrefixLru,
    /// The block that came longest ago
    Fifo,
    /// The block used least often since it came
    Lfu,
    /// S3-FIFO: new blocks have to prove themselves in a small queue
    S3Fifo,
    /// The block needed again last, which nobody can know: an upper bound
    Optimum,
}

impl Policy {
    /// Its name on the command line and in the cache object.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lru => "lru",
            Self::PrefixLru => "prefix-lru",
            Self::Fifo => "fifo",
            Self::Lfu => "lfu",
            Self::S3Fifo => "s3-fifo",
            Self::Optimum => "optimum",
        }
    }

    /// The order whose stack distances give it at every capacity, if it has one.
    pub fn order(self) -> Option<Order> {
        match self {
            Self::Lru => Some(Order::Forward),
            Self::PrefixLru => Some(Order::LeafFirst),
            _ => None,
        }
    }

    /// A cache of `capacity` blocks; none for the optimum, which has to know
    /// what comes.
    pub fn simulator(self, capacity: u64) -> Option<Box<dyn Simulator>> {
        Some(match self {
            Self::Lru => Box::new(Lru::new(capacity)),
            Self::PrefixLru => Box::new(LeafFirst::new(capacity)),
            Self::Fifo => Box::new(Fifo::new(capacity)),
            Self::Lfu => Box::new(Lfu::new(capacity)),
            Self::S3Fifo => Box::new(S3Fifo::new(capacity)),
            Self::Optimum => return None,
        })
    }
}
