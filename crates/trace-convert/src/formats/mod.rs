//! The formats that can be read. The first whose `detect` says yes is taken:
//! the particular stand before the general.

mod azure;
mod bailian;
mod burstgpt;
mod mooncake;

use crate::format::Format;

/// Every format.
pub(crate) static ALL: &[&Format] = &[
    &burstgpt::FORMAT,
    &azure::FORMAT,
    &bailian::FORMAT,
    &mooncake::FORMAT,
];
