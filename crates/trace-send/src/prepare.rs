//! Requests made ready ahead of their time, on a thread of their own.
//!
//! Reading, decoding, making a prompt of a hundred thousand tokens and
//! serialising it take longer than a deadline allows. So by the time the
//! dispatcher sees a request it is a block of bytes to be written.

use crate::bodies::{Bodies, Length, Room};
use crate::head::Heads;
use crate::order;
use crate::schedule::Timing;
use trace_core::time::Micros;
use trace_core::{Error, Failure, Line, Reader};

/// A request, ready to be written.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Index of its line in the input.
    pub seq: u64,
    /// The request line, which its outcome is added to.
    pub line: Vec<u8>,
    /// Head and body.
    pub wire: Vec<u8>,
    /// Why it cannot be sent.
    pub refused: Option<Failure>,
}

impl Prepared {
    /// Bytes it takes while it waits.
    pub(crate) fn cost(&self) -> usize {
        const BOOKKEEPING: usize = 256;
        self.line.len() + self.wire.len() + BOOKKEEPING
    }
}

/// How lines become requests.
pub(crate) struct Preparer {
    /// Writes their bodies.
    pub bodies: Bodies,
    /// Writes their heads.
    pub heads: Heads,
    /// Times and delays are divided by this.
    pub speed: f64,
    /// Times do not matter.
    pub closed_loop: bool,
    /// The first request leaves at once.
    pub align_first: bool,
    /// Lines to read at most.
    pub limit: Option<u64>,
}

impl Preparer {
    /// Read `input` to its end and give each request to `to`, until that says
    /// false.
    ///
    /// # Errors
    /// As the reader has them; and in open loop, a first line without a
    /// timestamp.
    pub(crate) fn run(
        &self,
        input: &mut Reader<'_>,
        mut to: impl FnMut(Prepared, Timing) -> bool,
    ) -> Result<(), Error> {
        let mut pace = Pace {
            preparer: self,
            first: None,
            previous: Micros::ZERO,
        };
        let mut work = Work::default();
        let limit = self.limit.unwrap_or(u64::MAX);
        let mut line = Line::default();
        let mut seq = 0;
        while seq < limit && input.read(&mut line)? {
            if seq == 0 && line.is_outcome() {
                for line in order::restored(std::mem::take(&mut line), input)? {
                    if seq == limit || !self.give(&line, seq, &mut pace, &mut work, &mut to)? {
                        break;
                    }
                    seq += 1;
                }
                return Ok(());
            }
            if !self.give(&line, seq, &mut pace, &mut work, &mut to)? {
                break;
            }
            seq += 1;
        }
        Ok(())
    }

    fn give(
        &self,
        line: &Line,
        seq: u64,
        pace: &mut Pace<'_>,
        work: &mut Work,
        to: &mut impl FnMut(Prepared, Timing) -> bool,
    ) -> Result<bool, Error> {
        let timing = pace.timing(line, seq)?;
        let Work { room, body } = work;
        body.clear();
        let length = Length {
            tokens: line.request.input_length.unwrap_or_default(),
            by_ids: true,
        };
        let written = self.bodies.write(&line.request, seq, length, room, body);
        let wire = if written.is_ok() {
            self.heads.request(seq, body)
        } else {
            Vec::new()
        };
        Ok(to(
            Prepared {
                seq,
                line: line.request_bytes(),
                wire,
                refused: written.err(),
            },
            timing,
        ))
    }
}

/// Room to make requests in.
#[derive(Default)]
struct Work {
    room: Room,
    body: Vec<u8>,
}

/// From times in the trace to times in the run.
struct Pace<'a> {
    preparer: &'a Preparer,
    /// The first timestamp.
    first: Option<Micros>,
    /// When the line before left, by its own timestamp or its predecessor's.
    previous: Micros,
}

impl Pace<'_> {
    fn timing(&mut self, line: &Line, seq: u64) -> Result<Timing, Error> {
        let request = &line.request;
        let Preparer {
            speed,
            closed_loop,
            align_first,
            ..
        } = *self.preparer;
        let scaled =
            |time: Micros| Micros::from_micros((time.as_micros() as f64 / speed).round() as u64);
        let delay = request.delay.map_or(Micros::ZERO, scaled);
        let session = request.session_id.clone();
        if closed_loop {
            return Ok(Timing {
                seq,
                at: Some(Micros::ZERO),
                after: Micros::ZERO,
                session,
                delay,
            });
        }
        if request.timestamp.is_none() && self.first.is_none() {
            let column = 1;
            let reason = "no timestamp, and no line before it to follow; use --concurrency N for requests without times";
            return Err(line.error(column, reason).into());
        }
        let at = request.timestamp.map(|time| {
            let first = *self.first.get_or_insert(time);
            scaled(if align_first {
                time.saturating_sub(first)
            } else {
                time
            })
        });
        let after = self.previous;
        self.previous = at.unwrap_or(after);
        Ok(Timing {
            seq,
            at,
            after,
            session,
            delay,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bodies::PromptAs;
    use crate::endpoint::Endpoint;
    use crate::members::Members;
    use crate::target::Target;
    use trace_prompt::Prompts;

    fn preparer() -> Preparer {
        let target = Target::parse("http://h", None).unwrap();
        let bodies = Bodies {
            endpoint: Endpoint::Completions,
            model: "m".to_owned(),
            stream: true,
            ignore_eos: false,
            min_tokens: false,
            extra: Members::default(),
            prompts: Prompts::new(0),
            prompt_as: PromptAs::Text,
        };
        let heads = Heads::new(&target, &[], None, "r", false).unwrap();
        Preparer {
            bodies,
            heads,
            speed: 1.0,
            closed_loop: false,
            align_first: false,
            limit: None,
        }
    }

    fn run(preparer: &Preparer, input: &str) -> Result<Vec<(Prepared, Timing)>, Error> {
        let mut all = Vec::new();
        preparer.run(
            &mut Reader::new("t", input.as_bytes()),
            |prepared, timing| {
                all.push((prepared, timing));
                true
            },
        )?;
        Ok(all)
    }

    fn times(preparer: &Preparer, input: &str) -> Vec<Option<u64>> {
        let all = run(preparer, input).unwrap();
        all.iter()
            .map(|(_, timing)| timing.at.map(Micros::as_micros))
            .collect()
    }

    const THREE: &str = "{\"timestamp\":10,\"input_length\":1}\n{\"input_length\":2}\n{\"timestamp\":30.5,\"input_length\":3,\"delay\":7}\n";

    #[test]
    fn a_request_is_ready_to_be_written() {
        let all = run(&preparer(), THREE).unwrap();
        let wire = String::from_utf8(all[2].0.wire.clone()).unwrap();
        assert!(
            wire.starts_with("POST /v1/completions HTTP/1.1\r\n"),
            "{wire}"
        );
        assert!(wire.contains("x-request-id: r-2\r\n"), "{wire}");
        assert_eq!(
            all[2].0.line,
            br#"{"timestamp":30.5,"input_length":3,"delay":7}"#
        );
    }

    #[test]
    fn speed_divides_times_and_delays() {
        let fast = Preparer {
            speed: 4.0,
            ..preparer()
        };
        assert_eq!(times(&fast, THREE), [Some(2_500), None, Some(7_625)]);
        let all = run(&fast, THREE).unwrap();
        assert_eq!(
            all[1].1.after.as_micros(),
            2_500,
            "it follows the line before"
        );
        assert_eq!(all[2].1.delay.as_micros(), 1_750);
    }

    #[test]
    fn the_first_request_can_be_aligned_to_the_start() {
        let aligned = Preparer {
            align_first: true,
            speed: 2.0,
            ..preparer()
        };
        assert_eq!(times(&aligned, THREE), [Some(0), None, Some(10_250)]);
    }

    #[test]
    fn a_first_line_without_time_is_refused_in_open_loop_only() {
        let error = run(&preparer(), "{\"input_length\":1}\n").unwrap_err();
        assert!(
            error.to_string().starts_with("t:1:1: no timestamp"),
            "{error}"
        );
        assert!(error.to_string().contains("--concurrency"), "{error}");
        let closed = Preparer {
            closed_loop: true,
            ..preparer()
        };
        assert_eq!(times(&closed, "{\"input_length\":1}\n"), [Some(0)]);
    }

    #[test]
    fn the_limit_counts_lines() {
        let two = Preparer {
            limit: Some(2),
            ..preparer()
        };
        assert_eq!(run(&two, THREE).unwrap().len(), 2);
    }

    #[test]
    fn a_line_that_cannot_be_asked_is_given_on_with_its_reason() {
        let all = run(
            &preparer(),
            "{\"timestamp\":0,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n",
        )
        .unwrap();
        assert!(all[0].0.refused.is_some() && all[0].0.wire.is_empty());
    }

    #[test]
    fn outcomes_are_sent_again_in_the_order_of_their_requests() {
        let input = "{\"timestamp\":9,\"input_length\":1,\"tag\":\"b\",\"seq\":1,\"ttft_ms\":5}\n{\"timestamp\":3,\"input_length\":1,\"tag\":\"a\",\"seq\":0,\"ttft_ms\":5}\n";
        let all = run(&preparer(), input).unwrap();
        let lines: Vec<_> = all
            .iter()
            .map(|(prepared, _)| std::str::from_utf8(&prepared.line).unwrap())
            .collect();
        assert_eq!(
            lines,
            [
                r#"{"timestamp":3,"input_length":1,"tag":"a"}"#,
                r#"{"timestamp":9,"input_length":1,"tag":"b"}"#
            ]
        );
        assert_eq!(all[1].1.seq, 1);
    }
}
