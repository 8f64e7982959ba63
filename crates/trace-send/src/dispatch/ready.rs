//! What is made ready before a run begins: requests, connections, the moment.

use super::Pace;
use crate::connect::Connector;
use crate::engine::Engine;
use crate::feed::{Item, Lane};
use crate::pool::Pool;
use crate::schedule::Share;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};
use tokio::task::spawn_local;
use trace_core::clock::Timer;
use trace_core::time::Micros;

/// How long a run waits for its first requests to be prepared and its first
/// connections to be opened, beyond the very first.
const WARM_UP: Duration = Duration::from_millis(50);

/// How far into the run connections are opened before it begins.
const FIRST_LOOK: Micros = Micros::from_micros(10_000);

/// A moment that passed longer ago than this was missed.
const MISSED: Duration = Duration::from_millis(100);

/// Wait for the moment `at` by the wall clock; not for one that has passed,
/// which is said.
pub(super) async fn until(at: Option<SystemTime>, timer: &Timer) {
    let Some(at) = at else { return };
    match at.duration_since(SystemTime::now()) {
        Ok(left) => timer.sleep_until(Instant::now() + left).await,
        Err(passed) if passed.duration() > MISSED => trace_core::say!(
            "trace-send: --start-at passed {:.1} s ago: the run begins now",
            passed.duration().as_secs_f64()
        ),
        Err(_) => {}
    }
}

/// What is prepared by now for each of `lanes`, and at least one request; the
/// first goes to the first.
pub(super) async fn gather(lanes: &mut [Lane], first: &mut [Vec<Item>]) {
    let deadline = tokio::time::Instant::now() + WARM_UP;
    let Some(item) = lanes[0].items.recv().await else {
        return;
    };
    first[0].push(item);
    for (lane, first) in lanes.iter_mut().zip(first) {
        let mut ended = matches!(first.first(), Some(Item::End(_)));
        while !ended && first.len() < Engine::LOW {
            let Ok(Some(item)) = tokio::time::timeout_at(deadline, lane.items.recv()).await else {
                break;
            };
            ended = matches!(item, Item::End(_));
            first.push(item);
        }
    }
}

/// Say so if nothing will happen for long: times since 1970, perhaps, or the
/// afternoon of a day.
pub(super) fn warn_of_waiting(pace: Pace, first: &[Item]) {
    if let (Pace::Open(_), Some(Item::Request(_, timing))) = (pace, first.first())
        && let Some(at) = timing.at.filter(|at| at.as_secs() > 60.0)
    {
        let seconds = at.as_secs();
        trace_core::say!(
            "trace-send: the first request leaves in {seconds:.0} s; --align-first makes it leave now"
        );
    }
}

/// Connections for the requests that leave first, of one `share` of the run.
pub(super) async fn warm_up(
    connector: &Rc<Connector>,
    pace: Pace,
    share: Share,
    first: &[Item],
) -> Pool {
    let requests = first.iter().filter_map(|item| match item {
        Item::Request(_, timing) => Some(timing),
        Item::End(_) => None,
    });
    let needed = match pace {
        Pace::Closed(concurrency) => requests.take(share.of(concurrency)).count(),
        Pace::Open(cap) => {
            let soon = requests.filter(|timing| timing.at.unwrap_or(timing.after) <= FIRST_LOOK);
            soon.take(cap.map_or(usize::MAX, |cap| share.of(cap)))
                .count()
                .max(1)
        }
    };
    let opening: Vec<_> = (0..needed.div_ceil(connector.streams()))
        .map(|_| {
            let connector = Rc::clone(connector);
            spawn_local(async move {
                let begun = Instant::now();
                let connection = connector.connect().await;
                (connection, begun.elapsed())
            })
        })
        .collect();
    let mut pool = Pool::default();
    let deadline = tokio::time::Instant::now() + WARM_UP * 4;
    for connection in opening {
        if let Ok(Ok((Ok(connection), time))) = tokio::time::timeout_at(deadline, connection).await
        {
            pool.learn(time.into());
            pool.admit(connection);
        }
    }
    pool
}
