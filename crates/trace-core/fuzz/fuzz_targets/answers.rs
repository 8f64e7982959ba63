//! Any bytes in any pieces are one answer, of any type and however it ends;
//! nothing may panic, and an event is the same with its text kept or not.
//!
//! `cd crates/trace-core && cargo +nightly fuzz run answers`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_core::answer::event::Event;
use trace_core::answer::frame::Frames;
use trace_core::answer::{Content, Ending, Head, Spoken, Text, Wanted, error_message};
use trace_core::{ErrorKind, Failure, Micros, Outcome};

/// The answer of type `media` that `bytes` are, `size` at a time.
fn answer(media: &str, bytes: &[u8], size: usize, ending: Ending) -> (Outcome, Spoken) {
    let mut answer = Content::new(Wanted {
        gaps: true,
        text: Text::History,
        silent: false,
    });
    answer.begin(&Head {
        status: 200,
        media,
        ..Head::default()
    });
    for piece in bytes.chunks(size) {
        answer.read(piece, Micros::ZERO);
    }
    answer.end(ending, Micros::ZERO, Micros::ZERO)
}

fn broken() -> Ending {
    Ending::Failed(Failure {
        kind: ErrorKind::Stream,
        message: String::new(),
    })
}

/// What is said of `json` holds whether its text is kept or not.
fn check_event(json: &[u8]) {
    let bare = Event::parse(json, false);
    let kept = Event::parse(json, true).map(|event| {
        assert!(event.content || event.text.is_empty() && event.call.is_empty());
        assert!(event.reasoning || event.thought.is_empty());
        Event {
            text: String::new(),
            thought: String::new(),
            call: String::new(),
            ..event
        }
    });
    assert_eq!(kept.ok(), bare.ok());
    let said = error_message(json);
    assert!(!said.contains(['\n', '\r']), "{said:?}");
}

fuzz_target!(|bytes: &[u8]| {
    for media in ["text/event-stream", "application/x-ndjson", "application/json"] {
        for ending in [|| Ending::Complete, || Ending::Closed, broken] {
            let whole = answer(media, bytes, usize::MAX, ending());
            for size in [1, 2, 7] {
                assert_eq!(answer(media, bytes, size, ending()), whole, "{media} by {size}");
            }
        }
    }
    for mut frames in [Frames::default(), Frames::of_lines()] {
        frames.feed(bytes, |frame| check_event(frame.data)).expect("it is short");
        frames.finish(|frame| check_event(frame.data)).expect("it is short");
    }
});
