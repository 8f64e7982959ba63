use super::*;
use crate::chunk::Drip;
use crate::source::Source;
use proptest::prelude::*;

fn text(lines: usize, width: usize) -> String {
    let line = |i| {
        format!(
            "{{\"input_length\":{i},\"seq\":{i},\"x\":\"{}\"}}\n",
            "x".repeat(width)
        )
    };
    (0..lines).map(line).collect()
}

#[test]
fn every_line_comes_in_order() {
    for (lines, width) in [(0, 0), (1, 0), (128, 0), (1_025, 3), (700, 9_000)] {
        let text = text(lines, width);
        let mut input = Reader::new("t", text.as_bytes());
        let mut met = Vec::new();
        let took = each_line(&mut input, |line, outcome| {
            met.push(line.request.input_length.unwrap());
            assert_eq!(outcome.unwrap().seq, line.request.input_length);
            Ok::<(), Error>(())
        });
        took.unwrap();
        assert_eq!(met, (0..lines as u64).collect::<Vec<_>>());
    }
}

#[test]
fn what_came_before_a_bad_line_is_taken() {
    let text = text(300, 0) + "oops\n" + &text(300, 0);
    let mut input = Reader::new("t", text.as_bytes());
    let mut met = 0;
    let error = each_line(&mut input, |_, _| {
        met += 1;
        Ok::<(), Error>(())
    });
    assert!(error.unwrap_err().to_string().starts_with("t:301:1: "));
    assert_eq!(met, 300);
}

#[test]
fn a_bad_line_is_told_before_the_next_comes() {
    /// Says what it has, then nothing until it hears that it was enough.
    struct Slow<'t>(&'t [u8], Receiver<()>);
    impl std::io::Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                // Half a minute is forever.
                let heard = self.1.recv_timeout(std::time::Duration::from_secs(30));
                assert!(heard.is_ok(), "more was waited for");
            }
            self.0.read(out)
        }
    }
    let (enough, heard) = channel();
    let slow = Slow(b"{\"input_length\":1}\noops\n", heard);
    let mut input = Reader::new("t", std::io::BufReader::new(slow));
    let digest = |lines: &mut Lines<'_>, pairs: &mut Pairs| pairs.fill(lines);
    let done = on_threads(4, &mut input, &digest, |_| Ok::<(), Error>(()));
    enough.send(()).unwrap();
    assert!(done.unwrap_err().to_string().starts_with("t:2:1: "));
}

#[test]
fn an_error_of_the_taker_ends_the_reading() {
    enum Stop {
        Enough,
        Read,
    }
    impl From<Error> for Stop {
        fn from(_: Error) -> Self {
            Self::Read
        }
    }
    let text = text(5_000, 0);
    let mut input = Reader::new("t", text.as_bytes());
    let stopped = each_line(&mut input, |_, _| Err(Stop::Enough));
    assert!(matches!(stopped, Err(Stop::Enough)));
}

/// What came of an input: its lines with what they tell, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Met {
    lines: Vec<(u64, Vec<u8>, Option<Outcome>)>,
    error: Option<String>,
    skipped: (u64, Option<String>),
}

impl Met {
    fn end(mut self, input: &Reader<'_>, done: Result<(), Error>) -> Self {
        self.error = done.err().map(|error| error.to_string());
        let first = input.first_skipped().map(ToString::to_string);
        self.skipped = (input.skipped(), first);
        self
    }

    fn one_by_one(mut input: Reader<'_>) -> Self {
        let (mut met, mut line, mut outcome) = (Self::default(), Line::default(), None);
        let done = loop {
            match input.read_outcome(&mut line, &mut outcome) {
                Ok(true) => {
                    let bytes = line.bytes().to_vec();
                    met.lines.push((line.number(), bytes, outcome.clone()));
                }
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        met.end(&input, done)
    }

    fn together(threads: usize, mut input: Reader<'_>) -> Self {
        let mut met = Self::default();
        let digest = |lines: &mut Lines<'_>, pairs: &mut Pairs| pairs.fill(lines);
        let done = on_threads(threads, &mut input, &digest, |pairs| {
            pairs.drain(|line, outcome| {
                let bytes = line.bytes().to_vec();
                met.lines.push((line.number(), bytes, outcome.cloned()));
                Ok::<(), Error>(())
            })
        });
        met.end(&input, done)
    }
}

/// Lines as they may come, right and wrong ones.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => (0..9_u32).prop_map(|i| format!("{{\"input_length\":{i},\"seq\":{i}}}")),
        1 => Just(String::new()),
        1 => Just(" \r".to_owned()),
        1 => Just("{\"input_length\":1,\"ttft_ms\":\"x\"}".to_owned()),
        1 => "[{}\":a-c]{0,9}",
    ]
}

proptest! {
    #[test]
    fn it_makes_no_difference_how_many_read(
        lines in prop::collection::vec((line(), "\r?\n"), 0..12),
        sizes in prop::collection::vec(1..90_usize, 1..4),
        threads in 1..5_usize,
        skip in any::<bool>(),
        cut in 0..3_usize,
    ) {
        let text: String = lines.iter().flat_map(|(line, end)| [&line[..], end]).collect();
        let text = &text.as_bytes()[..text.len().saturating_sub(cut)];
        let input = || Reader::over([
            Drip::source(text, sizes.clone()),
            Source::stream("u", text).tagged("later"),
        ]).skip_invalid(skip);
        prop_assert_eq!(Met::together(threads, input()), Met::one_by_one(input()));
    }
}

#[test]
fn what_was_cut_off_and_not_read_comes_first() {
    let text = text(5, 0);
    let mut input = Reader::new("t", text.as_bytes());
    assert!(input.read(&mut Line::default()).unwrap());
    let numbers: Vec<_> = Met::together(2, input).lines;
    let numbers: Vec<u64> = numbers.iter().map(|line| line.0).collect();
    assert_eq!(numbers, [2, 3, 4, 5]);
}

#[test]
#[should_panic(expected = "the third")]
fn a_panic_of_a_reader_is_passed_on() {
    let text = text(50, 0);
    let mut input = Reader::over([Drip::source(text.as_bytes(), vec![90])]);
    let digest = |lines: &mut Lines<'_>, _: &mut ()| {
        let mut line = Line::default();
        while lines.read(&mut line)? {
            assert!(line.number() != 3, "the third");
        }
        Ok::<(), Error>(())
    };
    let _: Result<(), Error> = on_threads(2, &mut input, &digest, |()| Ok(()));
}
