//! The highest rate or concurrency that still keeps the limits.

use super::{Campaign, Verdict};
use crate::leg::{Label, Leg};
use crate::prepare::Source;
use crate::search::{Answer, Level, Search, What};
use std::time::Instant;

/// A search under way.
struct Hunt {
    search: Search,
    /// Every level that was tried, in that order.
    curve: Vec<(Level, Answer)>,
    /// When the first run began.
    first: Option<Instant>,
    /// What the last run was marked with.
    last: Option<Label>,
}

impl Campaign<'_> {
    /// Find it with the requests of `source`, which are the same at every
    /// level.
    ///
    /// # Errors
    /// As a run has them.
    pub(super) async fn search(
        self,
        search: Search,
        mut source: Source,
    ) -> anyhow::Result<Verdict> {
        let what = search.what;
        let mut verdict = Verdict::default();
        let mut hunt = Hunt {
            search,
            curve: Vec::new(),
            first: None,
            last: None,
        };
        while let Some(value) = hunt.search.next() {
            let Some((level, back)) = self.level(&mut hunt, value, source).await? else {
                verdict.interrupted = true;
                return Ok(verdict);
            };
            source = back;
            if self.results.has_failed() {
                return Ok(verdict);
            }
            let answer = level.answer(self.args.judge.good_share);
            trace_core::say!("trace-send: {}", words(what, &level, answer));
            hunt.search.tried(value, answer.holds);
            hunt.curve.push((level, answer));
        }
        self.conclude(hunt, &mut verdict);
        Ok(verdict)
    }

    /// Try `value` until it is certain what it comes to, or all rounds are
    /// over. Nothing if it was interrupted.
    async fn level(
        &self,
        hunt: &mut Hunt,
        value: f64,
        mut source: Source,
    ) -> anyhow::Result<Option<(Level, Source)>> {
        let mut level = Level::new(value);
        for round in 1..=self.args.runs.rounds {
            let leg = Leg::tried(self.args, hunt.search.what, value, round);
            let label = leg.label.clone();
            if let Some(last) = hunt.last.replace(label.clone())
                && !self.between(&last, &label).await?
            {
                return Ok(None);
            }
            let (ended, back) = self.leg(leg, source, hunt.first).await?;
            source = back;
            hunt.first.get_or_insert(ended.began);
            if ended.interrupted {
                return Ok(None);
            }
            level.add(&ended, &self.limits.judged());
            ended.input?;
            let done = level.answer(self.args.judge.good_share).certain;
            if done || level.limited || self.results.has_failed() {
                break;
            }
        }
        Ok(Some((level, source)))
    }

    /// Say what was found, and how sure it is.
    fn conclude(&self, hunt: Hunt, verdict: &mut Verdict) {
        let Hunt {
            search, mut curve, ..
        } = hunt;
        let what = search.what.as_str();
        curve.sort_by(|(a, _), (b, _)| a.value.total_cmp(&b.value));
        trace_core::say!("trace-send: the curve:");
        for (level, answer) in &curve {
            trace_core::say!("trace-send:   {}", words(search.what, level, *answer));
        }
        let at = |value: f64| {
            curve
                .iter()
                .find(|(level, _)| level.value.total_cmp(&value).is_eq())
        };
        let sure = |value: f64| at(value).is_some_and(|(_, answer)| answer.certain);
        let hint = |certain: bool| match certain {
            true => "",
            false => "; more --requests or --rounds would make it certain",
        };
        let (_, broke) = search.found();
        let client = broke.and_then(at).filter(|(level, _)| level.limited);
        match search.found() {
            (Some(held), Some(broke)) => {
                let beyond = match client {
                    Some(_) => format!("{broke} is undecided"),
                    None => format!("{broke} breaks ({})", sureness(sure(broke))),
                };
                trace_core::say!(
                    "trace-send: the highest {what} that holds is {held} ({}); {beyond}{}",
                    sureness(sure(held)),
                    hint(sure(held) && (sure(broke) || client.is_some())),
                );
            }
            (Some(held), None) => trace_core::say!(
                "trace-send: {what} {held} holds ({}); nothing higher was asked for{}",
                sureness(sure(held)),
                hint(sure(held)),
            ),
            (None, _) => {
                trace_core::say!("trace-send: no {what} that was tried holds");
                verdict.no = true;
            }
        }
        if let Some((level, _)) = client {
            trace_core::say!(
                "trace-send: at {} this client was the limit, not the server, which may hold more",
                level.value
            );
            verdict.no |= self.args.judge.strict_clock;
        }
    }
}

fn sureness(certain: bool) -> &'static str {
    match certain {
        true => "with 95 % confidence",
        false => "not certain",
    }
}

/// A level in words.
fn words(what: What, level: &Level, answer: Answer) -> String {
    let answer = match (answer.holds, answer.certain) {
        _ if level.limited => "undecided",
        (true, true) => "holds",
        (true, false) => "holds, not certain",
        (false, true) => "breaks",
        (false, false) => "breaks, not certain",
    };
    format!("{} {}: {level}: {answer}", what.as_str(), level.value)
}
