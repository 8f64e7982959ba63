//! How the user gets to the page.

use crate::app::App;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::PoisonError;

/// Say where the page is, and open it if that is wanted.
pub(crate) fn announce(app: &App, address: SocketAddr, open: bool) {
    let mut url = format!("http://{address}/");
    if app.guard.guards_page() {
        url = format!("{url}?token={}", app.guard.token());
    }
    let outlet = app.outlet.lock().unwrap_or_else(PoisonError::into_inner);
    let (name, problem) = match &*outlet {
        Some(outlet) => (outlet.name(), outlet.problem()),
        None => (String::new(), None),
    };
    // A closed stderr leaves nobody to tell.
    let mut stderr = io::stderr();
    let _ = writeln!(
        stderr,
        "trace-design: open {url} to draw; Done there writes the curve to {name}, ^C writes nothing"
    );
    if let Some(problem) = problem {
        let _ = writeln!(
            stderr,
            "trace-design: {problem}: the curve can only be saved in the page; --out FILE writes it to a file"
        );
    }
    if app.guard.guards_page() {
        let _ = writeln!(
            stderr,
            "trace-design: {} can be reached from other machines: whoever has this link can draw, save and send",
            address.ip()
        );
    }
    if open && let Err(error) = start(&url) {
        let _ = writeln!(stderr, "trace-design: cannot open a browser: {error}");
    }
}

/// Ask the system to show `url`.
fn start(url: &str) -> io::Result<()> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    // It ends on its own; nobody waits for a browser.
    Command::new(opener)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}
