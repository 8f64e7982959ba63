//! Which sequences compute what in each step.
//!
//! Simulated time: [`Engine::advance`] does everything that happens up to a moment, at the moments
//! when it happens, so being called late changes no time that it gives.

use std::collections::BTreeMap;
use std::time::Duration;

use trace_core::{Random, Streams};

use super::blocks::Blocks;
use super::cost::{Cost, Load};
use super::jitter::Jitter;
use super::limits::{Gauges, Limits};
use super::sequence::{Event, Job, Sequence};

#[cfg(test)]
mod laws;

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

    /// Put a step together and start it, if there is anything to do.
    fn begin(&mut self, now: Duration) {
        let mut load = Load::default();
        let mut budget = self.limits.tokens;
        if self.limits.chunked_prefill {
            let preemptions = self.preemptions;
            self.go_on(&mut budget, &mut load);
            // Who gave its place up must not have it back at once.
            if self.preemptions == preemptions {
                self.admit(now, &mut budget, &mut load);
            }
        } else {
            self.admit(now, &mut budget, &mut load);
            if load == Load::default() {
                self.go_on(&mut budget, &mut load);
            }
        }
        if load == Load::default() {
            return;
        }
        let factor = self.jitter.factor(&mut self.steps);
        self.step = Some(now + self.cost.step(load).mul_f64(factor));
    }

    /// Give each running sequence its share of the step, preempting the last where blocks run out.
    fn go_on(&mut self, budget: &mut u64, load: &mut Load) {
        let mut at = 0;
        while at < self.running.len() && *budget > 0 {
            let sequence = &self.running[at];
            let decodes = sequence.decodes();
            let chunk = if decodes {
                1
            } else {
                sequence.left().min(*budget)
            };
            let width = if decodes { sequence.job.width } else { 1 };
            if width > *budget && *load != Load::default() {
                break;
            }
            let needs = self.needs(sequence, chunk);
            if !self.blocks.take(needs) {
                // It may be this one; then it is over with it, since all behind it are gone.
                self.preempt();
                continue;
            }
            let sequence = &mut self.running[at];
            sequence.private += needs;
            sequence.chunk = chunk;
            *budget = budget.saturating_sub(chunk * width);
            if decodes {
                load.sequences += width;
                load.context += width * sequence.computed;
            } else {
                load.prefill_tokens += chunk;
            }
            at += 1;
        }
    }

    /// Take from the queue what fits, in its order, without gaps.
    fn admit(&mut self, now: Duration, budget: &mut u64, load: &mut Load) {
        let mut width: u64 = self.running.iter().map(|sequence| sequence.job.width).sum();
        while *budget > 0
            && let Some(first) = self.waiting.first_entry()
        {
            let sequence = first.get();
            if width + sequence.job.width > self.limits.sequences {
                return;
            }
            let ids = self
                .limits
                .prefix_caching
                .then_some(&sequence.job.blocks[..]);
            let ids = ids.unwrap_or_default();
            // The last token is computed in any case: something must give the next.
            let most = (sequence.left() - 1) / self.limits.block_size;
            let hit = self
                .blocks
                .matching(ids)
                .min(usize::try_from(most).unwrap_or(usize::MAX));
            let computed = hit as u64 * self.limits.block_size;
            let left = sequence.left() - computed;
            if left > *budget && !self.limits.chunked_prefill {
                return;
            }
            let chunk = left.min(*budget);
            self.blocks.hold(&ids[..hit]);
            let all = sequence
                .job
                .blocks_for(computed + chunk, self.limits.block_size);
            let needs = all.saturating_sub(hit as u64);
            if !self.blocks.take(needs) {
                self.blocks.release(&ids[..hit], 0);
                return;
            }
            let mut sequence = first.remove();
            if sequence.admitted.is_none() {
                sequence.admitted = Some(now);
                sequence.cached = computed;
                if self.limits.prefix_caching {
                    let counts = self.counts.entry(sequence.job.group).or_default();
                    counts.queries += sequence.job.input;
                    counts.hits += computed;
                }
            }
            sequence.computed = computed;
            (sequence.shared, sequence.private) = (hit, needs);
            sequence.chunk = chunk;
            *budget -= chunk;
            load.prefill_tokens += chunk;
            width += sequence.job.width;
            self.running.push(sequence);
        }
    }

    /// Blocks `sequence` lacks to compute `chunk` more tokens.
    fn needs(&self, sequence: &Sequence, chunk: u64) -> u64 {
        let all = sequence
            .job
            .blocks_for(sequence.computed + chunk, self.limits.block_size);
        all.saturating_sub(sequence.shared as u64 + sequence.private)
    }

    /// Send the sequence that was admitted last back to the queue, without what it computed.
    fn preempt(&mut self) {
        let mut sequence = self.running.pop().expect("who asks for blocks is running");
        self.vacate(&mut sequence);
        sequence.computed = 0;
        sequence.chunk = 0;
        self.preemptions += 1;
        let counts = self.counts.entry(sequence.job.group).or_default();
        counts.preemptions += 1;
        self.waiting.insert(self.place(&sequence), sequence);
    }

    fn vacate(&mut self, sequence: &mut Sequence) {
        self.blocks
            .release(&sequence.job.blocks[..sequence.shared], sequence.private);
        (sequence.shared, sequence.private) = (0, 0);
    }

    /// End the step at `now`: what it computed is there, and who has all tokens leaves.
    fn finish(&mut self, now: Duration, events: &mut Vec<Event>) {
        let mut running = std::mem::take(&mut self.running);
        running.retain_mut(|sequence| {
            if sequence.chunk == 0 {
                return true;
            }
            sequence.computed += std::mem::take(&mut sequence.chunk);
            self.publish(sequence);
            if sequence.left() > 0 {
                return true;
            }
            sequence.generated = sequence.job.output.min(sequence.generated + 1);
            let event = sequence.event(now);
            if event.done {
                self.vacate(sequence);
            }
            events.push(event);
            !event.done
        });
        self.running = running;
    }

    /// Make the blocks that are full now known to others.
    fn publish(&mut self, sequence: &mut Sequence) {
        if !self.limits.prefix_caching {
            return;
        }
        let reach = if self.limits.output_caching {
            sequence.computed
        } else {
            sequence.computed.min(sequence.job.input)
        };
        let full = reach / self.limits.block_size;
        let full = usize::try_from(full).unwrap_or(usize::MAX);
        let ids = &sequence.job.blocks;
        while sequence.shared < full.min(ids.len()) {
            let parent = sequence.shared.checked_sub(1).map(|before| ids[before]);
            self.blocks.publish(parent, ids[sequence.shared]);
            sequence.shared += 1;
            sequence.private -= 1;
        }
    }
}
