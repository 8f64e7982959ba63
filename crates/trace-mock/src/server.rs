//! A running server: its thread, its connections, its end.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use trace_core::clock::Timer;
use trace_core::tcp::{self, Tcp};
use trace_prompt::Tokenizer;

use crate::answer::Cut;
use crate::books::{Books, Tally};
use crate::ear::{Came, Ear};
use crate::journal::{Journal, Writing};
use crate::origin::Origin;
use crate::proxy::Tunnel;
use crate::service::Service;
use crate::settings::Settings;
use crate::turn::{Idle, Turn, Turns};

/// How long streams may run on once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Connections that may wait to be accepted: a burst of clients comes at once.
const BACKLOG: u32 = 16_384;

/// Threads that count long prompts beside the one that serves.
const COUNTING_THREADS: usize = 4;

/// Polls between two looks at the sockets and the clock. Tokio's 61 would let a token wait behind
/// so many streams that happen to be ready.
const EVENT_INTERVAL: u32 = 16;

/// How far the server is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Draining,
    Over,
}

/// A server that runs on a thread of its own. Dropping it ends it at once.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    secure: bool,
    books: Arc<Books>,
    phase: watch::Sender<Phase>,
    /// Ends as the thread does.
    ended: watch::Receiver<()>,
    thread: Option<JoinHandle<()>>,
    writing: Option<Writing>,
}

/// Start a server by `settings` on a thread of its own, and write its records to `records`.
///
/// It listens once this returns. Records are written from another thread within some milliseconds
/// of the end of their request; a writer that fails ends the records, never the answers.
///
/// # Errors
///
/// When there is no such address, it cannot be listened at, the tokenizer cannot be loaded, the
/// settings contradict each other, or the system has no more threads or file descriptors to give.
pub fn start(settings: &Settings, records: Option<Box<dyn Write + Send>>) -> io::Result<Running> {
    // An embedded vocabulary is unpacked with its first text: not while somebody waits for tokens.
    let tokenizer = Tokenizer::load(&settings.tokenizer).map_err(io::Error::other)?;
    tokenizer.count(" a").map_err(io::Error::other)?;
    let mut builder = Builder::new_current_thread();
    // Timers have their own alarm there; tokio's would only be asked at each wake-up.
    #[cfg(not(target_os = "linux"))]
    builder.enable_time();
    let runtime = builder
        .enable_io()
        .max_blocking_threads(COUNTING_THREADS)
        .event_interval(EVENT_INTERVAL)
        .build()?;
    let inside = runtime.enter();
    let listener = listen(settings)?;
    let address = listener.local_addr()?;
    let timer = Timer::new()?;

    let origin = Arc::<Origin>::default();
    let journal = records.map(|records| Journal::start(records, Arc::clone(&origin)));
    let (journal, writing) = journal.transpose()?.unzip();
    let books = Arc::new(Books::new(journal, origin, &settings.models));
    let service = Service::new(settings, tokenizer, Arc::clone(&books), timer);
    let service = service.map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
    let service = Arc::new(service);
    drop(inside);
    let (phase, watched) = watch::channel(Phase::Serving);
    let (ending, ended) = watch::channel(());
    let thread = thread::Builder::new().name("mock".into()).spawn(move || {
        let _ending = ending;
        runtime.block_on(serve(listener, service, watched));
    })?;
    Ok(Running {
        address,
        secure: settings.tls.is_some(),
        books,
        phase,
        ended,
        thread: Some(thread),
        writing,
    })
}

impl Running {
    /// The address it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as the beginning of a URL.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// How many requests have come that were understood.
    pub fn requests_seen(&self) -> u64 {
        self.tally().requests
    }

    /// The requests so far, by how they ended.
    pub fn tally(&self) -> Tally {
        self.books.tally()
    }

    /// Accept no more; let running answers go on to their end, for up to five seconds.
    pub fn drain(&self) {
        self.advance(Phase::Draining);
    }

    /// End running answers where they are.
    pub fn cut(&self) {
        self.advance(Phase::Over);
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let later = *phase < to;
            *phase = to.max(*phase);
            later
        });
    }

    /// Wait until it has ended, after [`drain`](Self::drain) or [`cut`](Self::cut).
    pub async fn ended(&mut self) {
        while self.ended.changed().await.is_ok() {}
    }

    /// Drain, wait for the end, and write the last records.
    ///
    /// # Errors
    ///
    /// When records could not be written, though not because their reader hung up.
    pub fn finish(mut self) -> io::Result<Tally> {
        self.drain();
        self.join()?;
        Ok(self.tally())
    }

    fn join(&mut self) -> io::Result<()> {
        let panicked = self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err());
        self.writing.take().map_or(Ok(()), Writing::close)?;
        if panicked {
            return Err(io::Error::other("the server panicked"));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cut();
        // Who wants to know how it went calls `finish`.
        let _ = self.join();
    }
}

fn listen(settings: &Settings) -> io::Result<TcpListener> {
    let mut failure = None;
    for address in (settings.host.as_str(), settings.port).to_socket_addrs()? {
        match listen_at(address) {
            Ok(listener) => return Ok(listener),
            Err(err) => failure = Some(err),
        }
    }
    Err(failure.unwrap_or_else(|| io::Error::other("the host has no address")))
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restart must not wait for connections of the last run to be forgotten.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    tcp::note_times(&listener);
    Ok(listener)
}

/// Accept connections until `phase` says otherwise, then see them to their ends.
async fn serve(listener: TcpListener, service: Arc<Service>, mut phase: watch::Receiver<Phase>) {
    let watched = phase.clone();
    if let Some(upstream) = service.upstream.clone() {
        let service = Arc::clone(&service);
        // Ends with the runtime.
        tokio::spawn(async move { upstream.watch(&service.timer).await });
    }
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            stream = listener.accept() => match stream {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&service), watched.clone()));
                }
                // Out of file descriptors, or a client that left already.
                Err(_) => service.timer.sleep(Duration::from_millis(5)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = phase.wait_for(|phase| *phase > Phase::Serving) => break,
        }
    }
    drop(listener);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = service.timer.sleep(GRACE) => {}
        _ = phase.wait_for(|phase| *phase == Phase::Over) => {}
    }
    connections.shutdown().await;
    // Prompts of requests that were passed on may still be counted.
    let counting = Instant::now() + GRACE;
    while service.books.open_requests() > 0 && Instant::now() < counting {
        service.timer.sleep(Duration::from_millis(1)).await;
    }
}

/// A connection to a client.
pub(crate) trait Wire: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin + 'static {
    /// Let its end be a reset.
    fn reset(&self);

    /// When the last bytes that were read came, by the kernel if it tells.
    fn came(&self) -> Instant;
}

impl Wire for Tcp {
    fn reset(&self) {
        // Without lingering the system sends one. Where it fails the connection is gone already.
        let _ = self.stream().set_zero_linger();
    }

    fn came(&self) -> Instant {
        self.came().unwrap_or_else(Instant::now)
    }
}

impl Wire for TlsStream<Tcp> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }

    fn came(&self) -> Instant {
        Wire::came(self.get_ref().0)
    }
}

/// Answer the requests of one connection, one after another.
async fn converse(stream: TcpStream, service: Arc<Service>, phase: watch::Receiver<Phase>) {
    let stream = Tcp::new(stream);
    match &service.tls {
        None => speak(stream, service, phase).await,
        // On the heap, as the tunnel below: connections that are neither would carry the room of both.
        Some(tls) => {
            let handshake = TlsAcceptor::from(Arc::clone(tls)).accept(stream);
            Box::pin(async {
                // Who cannot shake hands is told so by TLS.
                if let Ok(stream) = handshake.await {
                    speak(stream, service, phase).await;
                }
            })
            .await;
        }
    }
}

/// Answer here, or pass on.
async fn speak<S: Wire>(stream: S, service: Arc<Service>, mut phase: watch::Receiver<Phase>) {
    if let Some(upstream) = service.upstream.clone() {
        let draining = async {
            // Gone with its server, it will not serve either.
            let _ = phase.wait_for(|phase| *phase > Phase::Serving).await;
        };
        return Box::pin(Tunnel::new(stream, service, upstream).run(draining)).await;
    }
    let turns = Arc::new(Turns::default());
    let keep = service.keep_alive;
    let mut idle = Idle::new(Arc::clone(&turns), service.timer.clone(), keep);
    let came = Came::default();
    let ear = Ear::new(stream, came.clone());
    let answer = service_fn(move |request| {
        let (service, turn) = (Arc::clone(&service), Turn::begin(&turns));
        let arrival = came.last();
        Box::pin(async move {
            let answer = service.answer(arrival, request).await;
            Ok::<_, Cut>(turn.give(answer, keep))
        })
    });
    let mut connection = http1::Builder::new()
        // Heads may take their time: a connection that is idle is watched for without that.
        .header_read_timeout(None)
        // Tokens are short: to copy them costs less than to hand them over in three parts.
        .writev(false)
        .serve_connection(TokioIo::new(ear), answer);
    let mut draining = pin!(phase.wait_for(|phase| *phase > Phase::Serving));
    let mut drained = false;
    let end = poll_fn(|cx| {
        if !drained && draining.as_mut().poll(cx).is_ready() {
            drained = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        let polled = connection.poll_without_shutdown(cx);
        if polled.is_ready() || drained || idle.poll(cx).is_pending() {
            return polled;
        }
        drained = true;
        Pin::new(&mut connection).graceful_shutdown();
        connection.poll_without_shutdown(cx)
    });
    if end.await.is_err_and(|err| err.is_user()) {
        // Only a cut errs on our side.
        connection.into_parts().io.into_inner().into_inner().reset();
    }
}
