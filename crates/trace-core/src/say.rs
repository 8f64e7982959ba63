//! Words for whoever watches: lines on stderr that nobody has to read.

use std::fmt;
use std::io::{self, Write};

/// Say a line on stderr, formatted as by [`format!`].
///
/// A reader that left or a disk that is full takes nothing from a run but its words: other than
/// [`eprintln!`], which panics then, this goes on.
#[macro_export]
macro_rules! say {
    ($($words:tt)*) => {
        $crate::say::line(::std::format_args!($($words)*))
    };
}

/// What [`say!`](crate::say!) does, in one write where the system allows it, so that lines of
/// several processes stay apart.
pub fn line(words: fmt::Arguments<'_>) {
    let _ = io::stderr().write_all(format!("{words}\n").as_bytes());
}
