//! What goes into a step, and what comes out of it.

use std::time::Duration;

use super::Engine;
use crate::engine::cost::Load;
use crate::engine::sequence::{Event, Sequence};

impl Engine {
    /// Put a step together and start it, if there is anything to do.
    pub(super) fn begin(&mut self, now: Duration) {
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

    /// Give each running sequence its share of the step, preempting others where blocks run out.
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
                // It may be this one; then the next stands in its place.
                at -= usize::from(self.preempt(budget, load) < at);
                continue;
            }
            let sequence = &mut self.running[at];
            sequence.private += needs;
            sequence.chunk = chunk;
            *budget = budget.saturating_sub(chunk * width);
            *load = load.and(sequence.share());
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
            let needs = |computed| {
                let all = sequence.job.blocks_for(computed, self.limits.block_size);
                all.saturating_sub(hit as u64)
            };
            // All that it has to compute must fit, lest it is admitted only to be preempted.
            let (whole, needs) = (needs(computed + left), needs(computed + chunk));
            if !self.blocks.has_room(whole) || !self.blocks.take(needs) {
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

    /// Send a sequence back to the queue, without what it computed, and what it has in this step:
    /// the one that was admitted last, or by priority the one that would be admitted last. Returns
    /// its place among those that run.
    fn preempt(&mut self, budget: &mut u64, load: &mut Load) -> usize {
        let last = self.running.len() - 1;
        let by_priority = |at: &usize| {
            let sequence = &self.running[*at];
            (sequence.job.priority, sequence.arrival, sequence.number)
        };
        let place = if self.limits.priority {
            (0..=last).max_by_key(by_priority).unwrap_or(last)
        } else {
            last
        };
        let mut sequence = self.running.remove(place);
        let share = sequence.share();
        *load = load.without(share);
        *budget = (*budget + share.tokens()).min(self.limits.tokens);
        self.vacate(&mut sequence);
        sequence.computed = 0;
        sequence.chunk = 0;
        self.preemptions += 1;
        let counts = self.counts.entry(sequence.job.group).or_default();
        counts.preemptions += 1;
        self.waiting.insert(self.place(&sequence), sequence);
        place
    }

    pub(super) fn vacate(&mut self, sequence: &mut Sequence) {
        self.blocks
            .release(&sequence.job.blocks[..sequence.shared], sequence.private);
        (sequence.shared, sequence.private) = (0, 0);
    }

    /// End the step at `now`: what it computed is there, and who has all tokens leaves.
    pub(super) fn finish(&mut self, now: Duration, events: &mut Vec<Event>) {
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
