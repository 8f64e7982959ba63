//! Times on a partial line, in whole microseconds.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use trace_core::Micros;

pub(crate) fn serialize<S: Serializer>(
    time: &Option<Micros>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(Micros::as_micros).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Micros>, D::Error> {
    let micros = Option::<u64>::deserialize(deserializer)?;
    Ok(micros.map(Micros::from_micros))
}

/// The same for a time that is always there.
pub(crate) mod plain {
    use super::{Deserialize, Deserializer, Micros, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(
        time: &Micros,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.as_micros().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Micros, D::Error> {
        u64::deserialize(deserializer).map(Micros::from_micros)
    }
}
