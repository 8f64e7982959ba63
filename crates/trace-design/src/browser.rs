//! How the user gets to the page.

use crate::app::App;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::PoisonError;
use std::thread;

/// Say where the page is, and open it if that is wanted.
pub(crate) fn announce(app: &App, address: SocketAddr, open: bool) {
    let mut url = format!("http://{}/", reachable(address));
    if app.guard.guards_page() {
        url = format!("{url}?token={}", app.guard.token());
    }
    let outlet = app.outlet.lock().unwrap_or_else(PoisonError::into_inner);
    let (name, problem) = match &*outlet {
        Some(outlet) => (outlet.name(), outlet.problem()),
        None => (String::new(), None),
    };
    trace_core::say!(
        "trace-design: open {url} to draw; Done there writes the curve to {name}, ^C writes nothing"
    );
    if let Some(problem) = problem {
        trace_core::say!(
            "trace-design: {problem}: the curve can only be saved in the page; --out FILE writes it to a file"
        );
    }
    if app.guard.guards_page() {
        trace_core::say!(
            "trace-design: {} can be reached from other machines: whoever has this link can draw, save and send",
            address.ip()
        );
    }
    if open && let Err(error) = start(&url) {
        trace_core::say!("trace-design: cannot open a browser: {error}");
    }
}

/// `address`, or where this machine finds it if it is every address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Ask the system to show `url`. Whoever cannot says so later.
///
/// # Errors
/// A system without a command for it.
fn start(url: &str) -> io::Result<()> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let mut child = Command::new(opener)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Some openers are the browser and end with it; nobody else waits for that.
    let waiting = thread::Builder::new().name("browser".into());
    waiting.spawn(move || {
        if let Ok(status) = child.wait()
            && !status.success()
        {
            trace_core::say!("trace-design: cannot open a browser: {opener}: {status}");
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reached_at_this_machines() {
        for (address, known) in [
            ("127.0.0.1:5000", "127.0.0.1:5000"),
            ("0.0.0.0:5000", "127.0.0.1:5000"),
            ("[::]:7", "[::1]:7"),
            ("10.1.2.3:7", "10.1.2.3:7"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(reachable(address).to_string(), known);
        }
    }
}
