//! The names on a line that tools know.

/// A top-level field of a request or an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the JSON field of its name; see Request and Outcome"
)]
pub enum Field {
    Timestamp,
    InputLength,
    OutputLength,
    HashIds,
    SessionId,
    Delay,
    Model,
    TextInput,
    Messages,
    Tools,
    Payload,
    Extra,
    Source,
    Seq,
    Round,
    Concurrency,
    Stage,
    ScheduledMs,
    DueMs,
    SentMs,
    LatenessMs,
    QueueMs,
    SentUnixMs,
    ConnectMs,
    TtftMs,
    FirstContentMs,
    LastTokenMs,
    LatencyMs,
    TpotMs,
    ItlMs,
    InputTokens,
    CachedTokens,
    OutputTokens,
    TokenSource,
    Chunks,
    Status,
    Error,
    GpuMemoryMb,
}

/// Every field with its name in the JSON, request fields first.
const NAMES: [(&str, Field); 38] = [
    ("timestamp", Field::Timestamp),
    ("input_length", Field::InputLength),
    ("output_length", Field::OutputLength),
    ("hash_ids", Field::HashIds),
    ("session_id", Field::SessionId),
    ("delay", Field::Delay),
    ("model", Field::Model),
    ("text_input", Field::TextInput),
    ("messages", Field::Messages),
    ("tools", Field::Tools),
    ("payload", Field::Payload),
    ("extra", Field::Extra),
    ("source", Field::Source),
    ("seq", Field::Seq),
    ("round", Field::Round),
    ("concurrency", Field::Concurrency),
    ("stage", Field::Stage),
    ("scheduled_ms", Field::ScheduledMs),
    ("due_ms", Field::DueMs),
    ("sent_ms", Field::SentMs),
    ("lateness_ms", Field::LatenessMs),
    ("queue_ms", Field::QueueMs),
    ("sent_unix_ms", Field::SentUnixMs),
    ("connect_ms", Field::ConnectMs),
    ("ttft_ms", Field::TtftMs),
    ("first_content_ms", Field::FirstContentMs),
    ("last_token_ms", Field::LastTokenMs),
    ("latency_ms", Field::LatencyMs),
    ("tpot_ms", Field::TpotMs),
    ("itl_ms", Field::ItlMs),
    ("input_tokens", Field::InputTokens),
    ("cached_tokens", Field::CachedTokens),
    ("output_tokens", Field::OutputTokens),
    ("token_source", Field::TokenSource),
    ("chunks", Field::Chunks),
    ("status", Field::Status),
    ("error", Field::Error),
    ("gpu_memory_mb", Field::GpuMemoryMb),
];

impl Field {
    /// The field of that name, if tools know it.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        // The four of every line, before the table is searched.
        match name {
            b"timestamp" => return Some(Self::Timestamp),
            b"input_length" => return Some(Self::InputLength),
            b"output_length" => return Some(Self::OutputLength),
            b"hash_ids" => return Some(Self::HashIds),
            _ => {}
        }
        let found = NAMES.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|&(_, field)| field)
    }

    /// Its name in the JSON.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].0
    }

    /// Whether it tells what happened, rather than what to ask.
    pub fn is_outcome(self) -> bool {
        self as usize >= Self::Seq as usize
    }

    /// A bit of its own, to see a field named twice.
    pub(crate) fn bit(self) -> u64 {
        1 << self as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_the_fields() {
        for (i, (name, field)) in NAMES.into_iter().enumerate() {
            assert_eq!(field as usize, i, "{name}");
            assert_eq!(field.name(), name);
            assert_eq!(Field::from_name(name.as_bytes()), Some(field));
        }
        assert_eq!(Field::from_name(b"chat_id"), None);
    }
}
