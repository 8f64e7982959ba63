//! What all requests share.

use crate::assets::Assets;
use crate::desk::Desk;
use crate::guard::Guard;
use crate::outlet::Outlet;
use std::sync::Mutex;
use tokio::sync::watch;

/// How the tool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The curve is written.
    Done,
    /// ^C, or a TERM signal.
    Interrupted,
}

/// What all requests share.
pub(crate) struct App {
    /// Tells our page from others.
    pub guard: Guard,
    /// The page.
    pub assets: Assets,
    /// The design.
    pub desk: Desk,
    /// Where the curve goes; nothing once it has gone there.
    pub outlet: Mutex<Option<Outlet>>,
    /// Set when it is over.
    pub end: watch::Sender<Option<End>>,
}
