//! What a run came to, in words.

use super::Tally;
use std::fmt::Write;
use trace_core::ErrorKind;
use trace_core::verdict;

impl Tally {
    /// The lines to say at the end, when so many were never sent.
    pub(crate) fn report(&self, never_sent: u64) -> Vec<String> {
        match (self.ended, never_sent) {
            (0, 0) => return vec!["there are no requests in the input".to_owned()],
            (0, _) => return vec![format!("none of {never_sent} requests was sent")],
            _ => {}
        }
        let mut lines = vec![self.sum(never_sent)];
        let first = self.first_failure();
        lines.extend(first.map(|first| format!("the first failure: {first}")));
        lines.extend(self.connections());
        lines.extend(self.untold());
        lines.extend(self.wall_step.map(|step| {
            format!(
                "the wall clock was set by {step:+.1} s during the run, or the machine slept; sent_unix_ms goes by what it was at the beginning, all other times are of a clock that nobody sets"
            )
        }));
        lines.extend(self.overload.map(|overload| overload.to_string()));
        lines.extend(self.is_client_limited().then(|| self.verdict()));
        lines
    }

    fn sum(&self, never_sent: u64) -> String {
        let (seconds, rate, failed) = (self.last_end.as_secs(), self.rate(), self.failed());
        let mut line = format!(
            "{} requests in {seconds:.2} s ({rate:.1}/s): {} ok, {failed} failed",
            self.ended,
            self.ended - failed
        );
        // Writing into a String cannot fail.
        if failed > 0 {
            let kinds = self.failed.iter();
            let kinds: Vec<_> = kinds
                .map(|(kind, count)| format!("{} {count}", kind.as_str()))
                .collect();
            let _ = write!(line, " ({})", kinds.join(", "));
        }
        if never_sent > 0 {
            let _ = write!(line, ", {never_sent} never sent");
        }
        let (p50, p99, max) = (self.lateness(0.5), self.lateness(0.99), self.lateness.max());
        let _ = write!(line, "; late by p50 {p50} ms, p99 {p99} ms, max {max} ms");
        if let Some(lay) = self.lay.quantile(0.99) {
            let _ = write!(line, "; answers lay p99 {lay} ms before they were read");
        }
        line
    }

    /// What there is to say of connections.
    fn connections(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.retried > 0 {
            lines.push(format!(
                "{} times a request was tried again; its times count from the first attempt",
                self.retried
            ));
        }
        if self.resent > 0 {
            let requests = match self.resent {
                1 => "1 request was".to_owned(),
                more => format!("{more} requests were"),
            };
            lines.push(format!(
                "{requests} sent again because the server had just closed their connection; their times count from the first attempt"
            ));
        }
        if self.died_young > 0 {
            lines.push(format!(
                "the server closed {} of its connections right after an answer without having said so; requests opened others, see connect_ms",
                self.died_young
            ));
        }
        if let Some(count) = self.failed.get(&ErrorKind::Exhausted) {
            lines.push(format!(
                "{count} requests were not sent for want of descriptors or ports on this side: too many were in flight at once; raise the limit (ulimit -n), bound them with --max-concurrency, or end such runs with --stop-on in_flight>N"
            ));
        }
        lines
    }

    /// How many answers are timed by this process's own looks at its clock.
    fn untold(&self) -> Option<String> {
        let Self { heard, untold, .. } = self;
        (*untold > 0).then(|| {
            format!(
                "the kernel told no times for {untold} of {heard} answers (it does over TCP on Linux, and not while the wall clock is set); theirs are when this process learnt of their bytes, too late by as long as it was kept from running"
            )
        })
    }

    fn verdict(&self) -> String {
        if !self.is_late() {
            return self.busy_verdict();
        }
        let why = if self.read_late > 0 {
            format!(
                "{} requests were read only after their time: the input is too slow, unsorted, or ahead of --speed",
                self.read_late
            )
        } else {
            verdict::ADVICE.to_owned()
        };
        verdict::late(self.lateness(0.99), &why)
    }

    fn busy_verdict(&self) -> String {
        let share = 100.0 * self.busy.unwrap_or_default();
        let more = format!("--threads {}", 2 * self.threads.max(1));
        let who = match self.threads {
            0 | 1 => "the thread that sends was".to_owned(),
            threads => format!("one of {threads} threads that send was"),
        };
        format!(
            "client-limited: {who} at work {share:.0} % of the time, so answers waited to be read; send less, use {more} if cores are free, or split the trace with --shard over several machines"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hearing::{Hearing, Known};
    use trace_core::time::Micros;
    use trace_core::{Failure, Outcome};

    fn late(micros: u64, error: Option<ErrorKind>) -> Outcome {
        let failure = |kind| Failure {
            kind,
            message: "why".to_owned(),
        };
        Outcome {
            lateness_ms: Some(Micros::from_micros(micros)),
            error: error.map(failure),
            ..Outcome::default()
        }
    }

    #[test]
    fn a_run_is_told_in_one_line() {
        let mut tally = Tally::default();
        for i in 0..4 {
            tally.add(
                &late(10, (i == 1).then_some(ErrorKind::Http)),
                Micros::from_micros(500_000 * (i + 1)),
            );
        }
        assert_eq!(
            tally.report(2),
            [
                "4 requests in 2.00 s (2.0/s): 3 ok, 1 failed (http 1), 2 never sent; late by p50 0.01 ms, p99 0.01 ms, max 0.01 ms",
                "the first failure: why",
            ]
        );
    }

    #[test]
    fn a_client_without_a_moment_to_spare_is_called_limited() {
        let mut tally = Tally::default();
        tally.add(&late(10, None), Micros::from_micros(1));
        tally.busy = Some(0.5);
        assert!(!tally.is_client_limited());
        tally.busy = Some(0.95);
        let said = &tally.report(0)[1];
        assert!(
            said.contains("the thread that sends was at work 95 %"),
            "{said}"
        );
        assert!(said.contains("use --threads 2 if"), "{said}");
        tally.threads = 4;
        let said = &tally.report(0)[1];
        assert!(
            said.contains("one of 4 threads that send was at work"),
            "{said}"
        );
        assert!(said.contains("use --threads 8 if"), "{said}");
    }

    #[test]
    fn what_happened_to_connections_and_clocks_is_said() {
        let mut tally = Tally::default();
        tally.add(&late(10, None), Micros::from_micros(1));
        (tally.resent, tally.died_young) = (1, 7);
        tally.wall_step = Some(-3_600.04);
        let said = tally.report(0).split_off(1).join("\n");
        for part in [
            "1 request was sent again",
            "closed 7 of its connections right after an answer",
            "the wall clock was set by -3600.0 s",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!tally.is_client_limited());
    }

    #[test]
    fn answers_that_this_process_timed_are_counted() {
        let mut tally = Tally::default();
        tally.add(&late(10, None), Micros::from_micros(1));
        let mut hear = |pieces: &[Option<u64>]| {
            let mut hearing = Hearing::default();
            for told in pieces {
                let known = Known {
                    told: told.map(Micros::from_micros),
                    noted: None,
                    read: Micros::from_micros(9),
                };
                hearing.note(known, Micros::ZERO);
            }
            tally.hear(&hearing);
            tally.report(0).split_off(1)
        };
        assert!(hear(&[]).is_empty(), "there was no answer");
        assert!(hear(&[Some(5), Some(7)]).is_empty());
        let said = hear(&[Some(5), None]).remove(0);
        let expected = "the kernel told no times for 1 of 2 answers";
        assert!(said.starts_with(expected), "{said}");
    }

    #[test]
    fn a_late_client_is_called_limited() {
        let mut tally = Tally::default();
        for _ in 0..2 {
            tally.add(&late(6_000, None), Micros::from_micros(1));
        }
        assert!(!tally.is_client_limited(), "one or two are no verdict");
        tally.add(&late(6_000, None), Micros::from_micros(1));
        assert!(
            tally.report(0)[1].starts_with("client-limited: p99 lateness 6 ms is above 5 ms"),
            "{:?}",
            tally.report(0)
        );
    }
}
