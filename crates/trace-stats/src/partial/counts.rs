//! Requests of each session on a partial line: pairs, since a session has a
//! number or a text for its name and JSON's keys are texts only.

use crate::workload::Sessions;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use trace_core::SessionId;

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Number(i64),
    Text(String),
}

pub(crate) fn serialize<S: Serializer>(
    sessions: &Sessions,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let pairs = sessions.iter().map(|(session, &count)| match session {
        SessionId::Number(number) => (Name::Number(*number), count),
        SessionId::Text(text) => (Name::Text(text.clone()), count),
    });
    serializer.collect_seq(pairs)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Sessions, D::Error> {
    let pairs = Vec::<(Name, u64)>::deserialize(deserializer)?;
    let pairs = pairs.into_iter().map(|(name, count)| match name {
        Name::Number(number) => (SessionId::Number(number), count),
        Name::Text(text) => (SessionId::Text(text), count),
    });
    Ok(pairs.collect())
}
