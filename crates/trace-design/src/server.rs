//! Connections, from the first to the last.

use crate::app::{App, End};
use crate::router;
use anyhow::Context;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Ports that are tried one after the other.
const TRIED: u16 = 100;

/// Connections at a time; further ones wait.
const MOST_CONNECTIONS: usize = 256;

/// How long a connection may take to ask.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long answers may go on when it is over.
const GRACE: Duration = Duration::from_secs(2);

/// Listen at `port` of `address`, or at the next free one.
///
/// # Errors
/// An address that is not ours, and no free port.
pub(crate) fn listen(address: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let mut taken = None;
    for port in port..=port.saturating_add(TRIED - 1) {
        match TcpListener::bind((address, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => taken = Some(error),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot listen at {address}:{port}"));
            }
        }
    }
    let error = taken.expect("at least one port was tried");
    Err(error).with_context(|| format!("cannot listen at {address}:{port} and above"))
}

/// Answer whoever comes to `listener` until it is over. It is `ready` when
/// signals end it as they should: who reads the address may send one at once.
///
/// # Errors
/// A system without timers or signals.
pub(crate) fn serve(
    app: &Arc<App>,
    listener: TcpListener,
    ready: impl FnOnce(),
) -> anyhow::Result<End> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let end = runtime.block_on(accept(app, listener, ready));
    // What still writes to somebody who does not read is left alone.
    runtime.shutdown_background();
    Ok(end?)
}

async fn accept(app: &Arc<App>, listener: TcpListener, ready: impl FnOnce()) -> io::Result<End> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    ready();
    let mut ended = app.end.subscribe();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    let end = loop {
        tokio::select! {
            biased;
            end = ended.wait_for(Option::is_some) => {
                break end.ok().and_then(|end| *end).unwrap_or(End::Interrupted);
            }
            _ = interrupt.recv() => break End::Interrupted,
            _ = terminate.recv() => break End::Interrupted,
            Some(_) = connections.join_next() => {}
            (permit, stream) = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (permit, listener.accept().await)
            } => match stream {
                Ok((stream, _)) => {
                    let app = Arc::clone(app);
                    connections.spawn(async move {
                        converse(app, stream).await;
                        drop(permit);
                    });
                }
                // Out of file descriptors, or somebody who left already.
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            },
        }
    };
    drop(listener);
    app.end.send_replace(Some(end));
    let last = async { while connections.join_next().await.is_some() {} };
    // Whoever has not read the answer by now will not.
    let _ = tokio::time::timeout(GRACE, last).await;
    let runs = Arc::clone(app);
    let mut finishing = tokio::task::spawn_blocking(move || runs.runs.finish());
    loop {
        tokio::select! {
            _ = &mut finishing => return Ok(end),
            // The second ^C: what is in flight is given up.
            _ = interrupt.recv() => app.runs.stop(),
        }
    }
}

/// Answer the requests of one connection, one after the other.
async fn converse(app: Arc<App>, stream: TcpStream) {
    // Where it fails the connection is gone already.
    let _ = stream.set_nodelay(true);
    let mut ended = app.end.subscribe();
    let service = service_fn(move |request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Infallible>(router::answer(app, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // What went wrong with it is known to the other side.
        _ = connection.as_mut() => return,
        _ = ended.wait_for(Option::is_some) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
