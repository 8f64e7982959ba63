//! Which sequences compute what in each step.
//!
//! Simulated time: [`Engine::advance`] does everything that happens up to a moment, at the moments
//! when it happens, so being called late changes no time that it gives.

use std::collections::BTreeMap;
use std::time::Duration;

use trace_core::{Random, Streams};

use super::blocks::Blocks;
use super::cost::Cost;
use super::jitter::Jitter;
use super::limits::{Gauges, Limits};
use super::sequence::{Event, Job, Sequence};

#[cfg(test)]
mod laws;
mod step;

/// How many events one call of [`Engine::advance`] gives before it asks to be called again.
const PORTION: usize = 4_096;

type Place = (i64, Duration, u64);

/// An engine: jobs go in, events come out, by simulated time.
#[derive(Debug)]
pub struct Engine {
    limits: Limits,
    cost: Cost,
    jitter: Jitter,
    streams: Streams,
    steps: Random,
    jobs: u64,
    blocks: Blocks,
    /// By when their overhead is over.
    pending: BTreeMap<(Duration, u64), Sequence>,
    waiting: BTreeMap<Place, Sequence>,
    /// In the order of admission.
    running: Vec<Sequence>,
    /// When the running step ends.
    step: Option<Duration>,
    preemptions: u64,
    /// What was counted for each group.
    counts: BTreeMap<u64, Gauges>,
}

impl Engine {
    /// An engine at rest. `seed` and `jitter` say how far its times are from what `cost` says.
    pub fn new(limits: Limits, cost: Cost, jitter: Jitter, seed: u64) -> Engine {
        let streams = Streams::new(seed);
        Engine {
            limits,
            cost,
            jitter,
            streams,
            steps: streams.stream("mock.step"),
            jobs: 0,
            blocks: Blocks::new(limits.blocks),
            pending: BTreeMap::new(),
            waiting: BTreeMap::new(),
            running: Vec::new(),
            step: None,
            preemptions: 0,
            counts: BTreeMap::new(),
        }
    }

    /// Whether `job` can ever run: its batch and its blocks must fit into an empty engine.
    ///
    /// # Errors
    /// What it needs and what there is.
    pub fn fits(&self, job: &Job) -> Result<(), String> {
        if job.width > self.limits.sequences {
            return Err(format!(
                "{} sequences are asked for; at most {} run at once",
                job.width, self.limits.sequences
            ));
        }
        let most = job.prompt().saturating_add(job.output);
        let blocks = job.blocks_for(most, self.limits.block_size);
        if blocks > self.blocks.capacity() {
            return Err(format!(
                "{blocks} blocks of KV cache are needed; there are {}",
                self.blocks.capacity()
            ));
        }
        if !self.limits.chunked_prefill && most > self.limits.tokens {
            return Err(format!(
                "{most} tokens do not fit into one step of {}, and prefill is not chunked",
                self.limits.tokens
            ));
        }
        Ok(())
    }

    /// Take a job that arrives `now`, which must not be before what was [advanced](Self::advance)
    /// to, and which must [fit](Self::fits).
    pub fn submit(&mut self, now: Duration, job: Job) {
        let mut random = self.streams.stream_of("mock.overhead", self.jobs);
        self.jobs += 1;
        let overhead = self
            .cost
            .overhead()
            .mul_f64(self.jitter.factor(&mut random));
        let ready = now + overhead;
        let sequence = Sequence::new(job, self.jobs, now, ready);
        self.pending.insert((ready, self.jobs), sequence);
    }

    /// Forget a job. The running step takes as long as it was to take.
    pub fn cancel(&mut self, id: u64) {
        self.pending.retain(|_, sequence| sequence.job.id != id);
        self.waiting.retain(|_, sequence| sequence.job.id != id);
        if let Some(at) = self
            .running
            .iter()
            .position(|sequence| sequence.job.id == id)
        {
            let mut sequence = self.running.remove(at);
            self.vacate(&mut sequence);
        }
    }

    /// When something happens next; `None` if nothing will without another job.
    pub fn next(&self) -> Option<Duration> {
        let ready = self.pending.first_key_value().map(|((ready, _), _)| *ready);
        self.step.or(ready)
    }

    /// Do what happens until `now`, and append it to `events`. Whether there is more to do by then.
    pub fn advance(&mut self, now: Duration, events: &mut Vec<Event>) -> bool {
        let full = events.len() + PORTION;
        while let Some(next) = self.next().filter(|next| *next <= now) {
            if events.len() >= full {
                return true;
            }
            if self.step.take().is_some() {
                self.finish(next, events);
            }
            self.enqueue(next);
            self.begin(next);
        }
        false
    }

    /// How it stands now for the jobs of `group`; the cache is everybody's.
    pub fn gauges(&self, group: u64) -> Gauges {
        let used = self.blocks.in_use() as f64 / self.blocks.capacity().max(1) as f64;
        let of = |sequence: &&Sequence| sequence.job.group == group;
        let waiting = self.waiting.values().chain(self.pending.values());
        Gauges {
            running: self.running.iter().filter(of).count() as u64,
            waiting: waiting.filter(of).count() as u64,
            cache_usage: used,
            ..self.counts.get(&group).copied().unwrap_or_default()
        }
    }

    /// Forget the prompts that no running sequence holds. Whether those were all.
    pub fn reset_prefix_cache(&mut self) -> bool {
        self.blocks.reset()
    }

    /// Move what has its overhead behind it to the queue.
    fn enqueue(&mut self, now: Duration) {
        while let Some(first) = self.pending.first_entry()
            && first.key().0 <= now
        {
            let sequence = first.remove();
            self.waiting.insert(self.place(&sequence), sequence);
        }
    }

    /// Where in the queue it stands. The number makes it the only one there, and of two that came
    /// at once the first the first.
    fn place(&self, sequence: &Sequence) -> Place {
        let priority = if self.limits.priority {
            sequence.job.priority
        } else {
            0
        };
        (priority, sequence.ready, sequence.number)
    }
}
