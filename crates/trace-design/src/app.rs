//! What all requests share.

use crate::assets::Assets;
use crate::desk::Desk;
use crate::generate::Generator;
use crate::guard::Guard;
use crate::latest::Latest;
use crate::outlet::Outlet;
use crate::sending::Runs;
use crate::shelf::Shelf;
use std::sync::{Arc, Mutex};
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
    /// Makes its requests.
    pub generator: Generator,
    /// Questions for a preview.
    pub previews: Arc<Latest>,
    /// Where designs are saved, if they may be.
    pub shelf: Option<Shelf>,
    /// What was sent.
    pub runs: Runs,
    /// Where the curve goes; nothing once it has gone there.
    pub outlet: Mutex<Option<Outlet>>,
    /// Set when it is over.
    pub end: watch::Sender<Option<End>>,
}
