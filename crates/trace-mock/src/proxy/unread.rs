//! An answer as it came, until it is read.

use std::time::Instant;

use trace_core::answer::{Content, Text, Wanted};

use super::head::Told;

/// Some of an answer that nobody has read, and when it came.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// Its head, if this is the first of it.
    head: Option<Told>,
    bytes: Vec<u8>,
    /// The end of each piece among them.
    pieces: Vec<(usize, Instant)>,
}

impl Unread {
    pub(super) fn begin(&mut self, head: Told) {
        self.head = Some(head);
    }

    pub(super) fn push(&mut self, bytes: &[u8], now: Instant) {
        self.bytes.extend_from_slice(bytes);
        match self.pieces.last_mut() {
            Some((end, moment)) if *moment == now => *end = self.bytes.len(),
            _ => self.pieces.push((self.bytes.len(), now)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Read it into `answer`, whose times count from `sent`.
    pub(super) fn read(&self, answer: &mut Content, sent: Instant) {
        if let Some(head) = &self.head {
            answer.begin(&head.head());
        }
        let mut start = 0;
        for (end, moment) in &self.pieces {
            let since = moment.saturating_duration_since(sent);
            answer.read(&self.bytes[start..*end], since.into());
            start = *end;
        }
    }
}

/// An answer of which nothing has been read.
pub(super) fn untold() -> Content {
    Content::new(Wanted {
        gaps: true,
        text: Text::Counting,
        silent: false,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use trace_core::answer::{Ending, Spoken};
    use trace_core::{Micros, Outcome};

    use super::*;
    use crate::api::{Api, Family};
    use crate::proxy::framing::Body;
    use crate::wire::tests::{bytes, calling, form, whole};

    fn told(media: &str) -> Told {
        Told {
            status: 200,
            media: media.to_owned(),
            encoding: None,
            body: Body::CHUNKED,
            closes: false,
        }
    }

    /// What an answer comes to that comes in pieces of `size` bytes.
    fn read(media: &str, text: &str, size: usize) -> (Outcome, Spoken) {
        let (mut unread, mut answer, now) = (Unread::default(), untold(), Instant::now());
        unread.begin(told(media));
        for (at, piece) in (1..).zip(text.as_bytes().chunks(size)) {
            unread.push(piece, now + Duration::from_millis(at));
        }
        unread.read(&mut answer, now);
        answer.end(Ending::Complete, Micros::ZERO, Micros::ZERO)
    }

    #[test]
    fn pieces_keep_the_moments_at_which_they_came() {
        let event = |text: &str| format!("data: {{\"choices\":[{{\"text\":\"{text}\"}}]}}\n\n");
        let (mut unread, mut answer, sent) = (Unread::default(), untold(), Instant::now());
        let (first, second) = (event("a"), event("b"));
        let (begin, end) = first.split_at(9);
        unread.begin(told("text/event-stream"));
        unread.push(begin.as_bytes(), sent);
        let later = sent + Duration::from_millis(1);
        unread.push(end.as_bytes(), later);
        unread.push(second.as_bytes(), later);
        let length = first.len() + second.len();
        assert_eq!((unread.len(), unread.pieces.len()), (length, 2));
        unread.read(&mut answer, sent);
        let millisecond = Some(Micros::from_micros(1_000));
        assert_eq!((answer.chunks(), answer.last()), (2, millisecond));
        let (outcome, said) = answer.end(Ending::Closed, Micros::ZERO, Micros::ZERO);
        assert_eq!((outcome.ttft_ms, said.text.as_str()), (millisecond, "ab"));
    }

    #[test]
    fn what_the_mock_says_in_any_api_is_understood() {
        for api in [
            Api::Completions,
            Api::Chat,
            Api::Responses,
            Api::Messages,
            Api::OllamaChat,
            Api::OllamaGenerate,
            Api::GenerateStream,
        ] {
            let form = form(api, true, 1, 3);
            for size in [1, 7, 100_000] {
                let (outcome, said) = read(form.stream_type(), &bytes(&form), size);
                assert_eq!(
                    (said.text.as_str(), outcome.chunks),
                    (" the time of", Some(3)),
                    "{api:?}"
                );
                assert_eq!(
                    (outcome.input_tokens, outcome.output_tokens),
                    (Some(5), Some(3)),
                    "{api:?}"
                );
                assert_eq!(outcome.error, None, "{api:?}");
            }
        }
        for api in [
            Api::Completions,
            Api::Chat,
            Api::Responses,
            Api::Messages,
            Api::OllamaChat,
            Api::Generate,
        ] {
            let text = whole(&form(api, false, 1, 3)).to_string();
            let (outcome, said) = read("application/json", &text, 50);
            assert_eq!(said.text, " the time of", "{api:?}");
            assert_eq!(
                (outcome.input_tokens, outcome.output_tokens, outcome.error),
                (Some(5), Some(3), None),
                "{api:?}"
            );
            let tells = matches!(api.family(), Family::OpenAi | Family::Anthropic);
            let cached = tells.then_some(4);
            assert_eq!(outcome.cached_tokens, cached, "{api:?}");
        }
    }

    #[test]
    fn calls_of_tools_are_output_and_no_text() {
        for api in [Api::Chat, Api::Responses, Api::Messages, Api::OllamaChat] {
            let form = calling(api, true, &["a", "b"], None);
            let (outcome, said) = read(form.stream_type(), &bytes(&form), 100);
            assert!(outcome.chunks >= Some(2), "{api:?}");
            assert!(!said.call.is_empty() && said.text.is_empty(), "{api:?}");
            assert_eq!(outcome.error, None, "{api:?}");
        }
    }
}
