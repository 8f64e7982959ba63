//! A recording proxy: requests go on to a server, and are written down with what happened.
//!
//! Bytes go first. A request is read whole and sent on at once; an answer passes as it comes, and
//! is looked at behind its back for the times of its tokens and the server's own counts. Prompts
//! are counted last, on other threads. HTTP is spoken only as far as that needs: where messages
//! begin and end, which costs less than half of what two whole implementations of it would.

mod framing;
mod head;
mod observe;
mod passage;
mod tls;
mod tunnel;
mod upstream;

pub(crate) use tunnel::Tunnel;
pub(crate) use upstream::Upstream;
