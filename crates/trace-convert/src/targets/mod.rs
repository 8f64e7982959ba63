//! The formats that can be written.

mod mooncake;

use crate::format::Target;

/// Every target; the first is the default.
pub(crate) static ALL: &[&Target] = &[&mooncake::TARGET];
