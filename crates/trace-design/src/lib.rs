//! The traffic of a day as a curve: requests per second over time, by model.
//!
//! ```text
//! trace-design | trace-synth curve - | trace-send --url http://localhost:8000
//! ```
//!
//! A page on this machine on which traffic is drawn. What is drawn is a curve
//! file ([`curve`], shared with `trace-synth curve`), which goes to stdout when
//! it is done. The page is static; all that computes is the library code of
//! the other tools, so that what it shows is what they will do: the preview
//! counts the very requests that `trace-synth curve` makes.
//!
//! ```text
//! connection → guard: who asks → router → design, preview, … → reply
//!                                          └ desk: the one design of all tabs
//!                                Done    → outlet: stdout or --out
//! ```
//!
//! One thread serves and never waits for anything else; what takes time
//! (making a trace, drawing a picture, a slow pipe) runs beside it.

mod app;
mod args;
mod assets;
mod body;
mod browser;
mod check;
mod course;
mod design;
mod desk;
mod done;
mod exchange;
mod files;
mod generate;
mod guard;
mod latest;
mod outlet;
mod pickle;
mod preset;
mod preview;
mod query;
mod reply;
mod router;
mod seed;
mod sending;
mod server;
mod share;
mod shelf;
mod start;
mod trace;
mod underlay;
mod upload;
mod window;

pub use args::Args;
pub use check::check;
pub use trace_synth::curve_file as curve;

use app::{App, End};
use assets::Assets;
use desk::Desk;
use generate::Generator;
use guard::Guard;
use outlet::Outlet;
use sending::Runs;
use shelf::Shelf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use trace_core::cli;

/// Serve the page as `args` say until it is done.
///
/// # Errors
/// A FILE that is no curve, an --out that cannot be written, no port.
pub fn run(args: &Args) -> anyhow::Result<u8> {
    if args.check {
        check(args.file.as_deref(), cli::stdout()?)?;
        return Ok(cli::DONE);
    }
    let (design, generator) = match &args.file {
        None => (design::blank(args.seed.seed), Generator::default()),
        Some(file) => {
            let (curve, generator) = start::read(file)?;
            (start::design(curve, args.seed.seed), generator)
        }
    };
    let shelf = args.dir.as_deref().map(Shelf::open).transpose()?;
    let outlet = Outlet::open(args.out.as_deref())?;
    let listener = server::listen(args.listen, args.port)?;
    let app = Arc::new(App {
        guard: Guard::new(args.listen)?,
        assets: args.assets.clone().map_or(Assets::Embedded, Assets::Folder),
        desk: Desk::new(&design),
        generator,
        previews: Arc::default(),
        shelf,
        runs: Runs::default(),
        outlet: Mutex::new(Some(outlet)),
        end: watch::channel(None).0,
    });
    let address = listener.local_addr()?;
    let end = server::serve(&app, listener, || {
        browser::announce(&app, address, args.open);
    })?;
    let left = app
        .outlet
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(outlet) = left {
        outlet.give_up();
    }
    Ok(match end {
        End::Done => cli::DONE,
        End::Interrupted => cli::INTERRUPTED,
    })
}
