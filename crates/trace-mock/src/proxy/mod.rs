//! A recording proxy: requests go on to a server, and are written down with what happened.
//!
//! Bytes go first. A request and its answer pass as they come; behind their backs other threads
//! look at the answer for the times of its tokens and the server's own counts, and count the
//! prompt. HTTP is spoken only as far as that needs: where messages begin and end, which costs
//! less than half of what two whole implementations of it would.

mod clerk;
mod fields;
mod framing;
mod head;
mod heard;
mod letter;
mod passage;
mod pump;
mod report;
mod tls;
mod tunnel;
mod unread;
mod upstream;
mod vigil;

pub(crate) use tunnel::Tunnel;
pub(crate) use upstream::Upstream;
