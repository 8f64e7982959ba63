//! Anything that takes JSON: the lines bring their bodies along.

use super::{Ask, Dialect, Turns, refuse};
use crate::body::Body;
use trace_core::Failure;

/// The URL's own path.
pub(super) struct Raw;

impl Dialect for Raw {
    fn path(&self) -> &'static str {
        "/"
    }

    fn turns(&self) -> Turns {
        Turns::None
    }

    fn write(&self, _: &Ask<'_>, _: &mut Body<'_>) -> Result<(), Failure> {
        Err(refuse(
            "the line has no payload, and --endpoint-type raw sends nothing else",
        ))
    }
}
