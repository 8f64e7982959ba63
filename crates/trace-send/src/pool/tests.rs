use super::*;
use std::future::Future;
use tokio::net::{TcpListener, TcpStream};
use trace_core::tcp::Tcp;

const AN_HOUR: Option<Duration> = Some(Duration::from_secs(3_600));

fn ms(ms: u64) -> Micros {
    Micros::from_micros(ms * 1_000)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(test);
}

/// Our end of a connection, and the server's.
async fn pair() -> (Connection, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap());
    let (ours, theirs) = tokio::join!(connecting, listener.accept());
    (
        Connection::Own(Socket::Plain(Tcp::new(ours.unwrap()))),
        theirs.unwrap().0,
    )
}

/// Until the close of the other side has come.
async fn closed(theirs: TcpStream) {
    drop(theirs);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[test]
fn a_server_that_keeps_its_word_is_asked_again_at_once() {
    run(async {
        let mut pool = Pool::default();
        let (ours, _theirs) = pair().await;
        pool.put(ours, ms(1), None);
        assert!(pool.take(ms(1)).is_some());
        assert_eq!(pool.take_died_young(), 0);
    });
}

#[test]
fn where_connections_die_young_they_rest_before_they_are_used_again() {
    run(async {
        let mut pool = Pool::default();
        let (ours, theirs) = pair().await;
        pool.put(ours, ms(0), None);
        closed(theirs).await;
        assert!(pool.take(ms(1)).is_none());
        assert_eq!(pool.take_died_young(), 1);
        for proof in 0..u64::from(PROOFS) {
            let (ours, theirs) = pair().await;
            let now = ms(100 * proof);
            pool.put(ours, now, AN_HOUR);
            assert!(pool.take(now + ms(9)).is_none(), "it rests");
            assert!(pool.take(now + ms(10)).is_some(), "it has rested");
            drop(theirs);
        }
        let (ours, _theirs) = pair().await;
        pool.put(ours, ms(5_000), None);
        assert!(pool.take(ms(5_000)).is_some(), "it is believed again");
    });
}

#[test]
fn a_new_connection_needs_no_rest() {
    run(async {
        let mut pool = Pool::default();
        pool.doubt();
        let (Connection::Own(socket), _theirs) = pair().await else {
            panic!("a connection of its own");
        };
        pool.admit(Opened::Own(socket));
        assert_eq!(pool.missing(1, ms(1)), 0);
        assert!(pool.take(ms(1)).is_some());
    });
}

#[test]
fn a_connection_is_left_alone_when_its_time_is_nearly_over() {
    run(async {
        let mut pool = Pool::default();
        for (now, usable) in [(4_899, true), (4_900, false)] {
            let (ours, _theirs) = pair().await;
            pool.put(ours, ms(0), Some(Duration::from_secs(5)));
            assert_eq!(pool.missing(1, ms(now)), usize::from(!usable), "{now}");
            assert_eq!(pool.take(ms(now)).is_some(), usable, "{now}");
        }
        assert_eq!(pool.take_died_young(), 0, "it was not closed");
    });
}

#[test]
fn one_closed_after_long_idleness_raises_no_doubt() {
    run(async {
        let mut pool = Pool::default();
        let (ours, theirs) = pair().await;
        pool.put(ours, ms(0), None);
        closed(theirs).await;
        pool.sweep(ms(6_000));
        assert!(pool.idle.is_empty());
        assert_eq!((pool.take_died_young(), pool.doubts), (0, 0));
    });
}
