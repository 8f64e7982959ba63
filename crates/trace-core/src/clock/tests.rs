//! The laws of the clock, on the alarm of this system and on the portable one.

use std::future::poll_fn;

use tokio::task::LocalSet;

use super::*;

const SHORT: Duration = Duration::from_micros(300);

fn run<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(LocalSet::new().run_until(test))
}

/// Poll once, so that the sleep is written down.
async fn begin(sleep: &mut Sleep) -> Poll<()> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *sleep).poll(cx))).await
}

#[test]
fn a_sleep_never_ends_early() {
    run(async {
        let timer = Timer::new().unwrap();
        for micros in [0, 1, 7, 50, 333, 999, 1_000, 1_001, 2_500] {
            let deadline = Instant::now() + Duration::from_micros(micros);
            timer.sleep_until(deadline).await;
            assert!(Instant::now() >= deadline, "{micros}");
        }
    });
}

#[test]
fn a_deadline_in_the_past_is_ready_at_once() {
    run(async {
        let timer = Timer::new().unwrap();
        let mut sleep = timer.sleep_until(Instant::now());
        assert!(begin(&mut sleep).await.is_ready());
        assert!(begin(&mut sleep).await.is_ready(), "and stays so");
    });
}

/// A waker that writes its name down.
struct Named(u64, Arc<Mutex<Vec<u64>>>);

impl std::task::Wake for Named {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines_then_of_arrival() {
    let start = Instant::now();
    let at = |step: u64| start + Duration::from_micros(step);
    let woken = Arc::new(Mutex::new(Vec::new()));
    let mut sleepers = Sleepers::default();
    for n in 0..1_000 {
        // 389 is coprime to 1000: each of 500 steps twice, out of order.
        let step = n * 389 % 1_000 / 2;
        let waker = Arc::new(Named(n, Arc::clone(&woken))).into();
        sleepers.put(at(step), None, &waker);
    }
    let mut due = Vec::new();
    for step in [0, 99, 100, 498, 600] {
        sleepers.take_due(at(step), &mut due);
        due.drain(..).for_each(Waker::wake);
        let steps = step.min(499) + 1;
        assert_eq!(woken.lock().unwrap().len() as u64, 2 * steps);
    }
    let woken = woken.lock().unwrap();
    assert!(woken.is_sorted_by_key(|n| (n * 389 % 1_000 / 2, *n)));
}

#[test]
fn a_thousand_sleepers_all_wake() {
    run(async {
        let timer = Timer::new().unwrap();
        let start = Instant::now();
        let sleepers: Vec<_> = (0..1_000_u32)
            .map(|n| tokio::spawn(timer.sleep_until(start + n * Duration::from_micros(20))))
            .collect();
        for sleeper in sleepers {
            sleeper.await.unwrap();
        }
    });
}

#[test]
fn an_earlier_sleeper_that_comes_later_is_not_kept_waiting() {
    run(async {
        let timer = Timer::new().unwrap();
        let mut late = timer.sleep(Duration::from_secs(3_600));
        assert!(begin(&mut late).await.is_pending());
        timer.sleep(SHORT).await;
        assert!(begin(&mut late).await.is_pending());
    });
}

#[test]
fn dropped_sleepers_leave_nothing_behind_and_wake_nobody_else() {
    run(async {
        let timer = Timer::new().unwrap();
        let end = Instant::now() + 4 * SHORT;
        let mut kept = timer.sleep_until(end);
        assert!(begin(&mut kept).await.is_pending());
        for _ in 0..100 {
            let mut dropped = timer.sleep(SHORT);
            assert!(begin(&mut dropped).await.is_pending());
        }
        assert_eq!(timer.bell.board.sleepers().wakers.len(), 1);
        kept.await;
        assert!(Instant::now() >= end);
        assert!(timer.bell.board.sleepers().wakers.is_empty());
    });
}

#[test]
fn a_reset_sleep_waits_for_the_new_deadline_only() {
    run(async {
        let timer = Timer::new().unwrap();
        let mut sleep = timer.sleep(Duration::from_secs(3_600));
        assert!(begin(&mut sleep).await.is_pending());
        for _ in 0..3 {
            let deadline = Instant::now() + SHORT;
            sleep.reset(deadline);
            assert_eq!(sleep.deadline(), deadline);
            (&mut sleep).await;
            assert!(Instant::now() >= deadline);
        }
    });
}

#[test]
fn a_sleep_polled_by_another_task_wakes_that_one() {
    run(async {
        let timer = Timer::new().unwrap();
        let mut sleep = timer.sleep(SHORT);
        assert!(begin(&mut sleep).await.is_pending());
        tokio::spawn(sleep).await.unwrap();
    });
}

#[test]
fn sleeps_outlive_the_timer_they_came_from() {
    run(async {
        let sleep = Timer::new().unwrap().sleep(SHORT);
        sleep.await;
    });
}

#[test]
fn a_deadline_centuries_away_can_be_waited_for() {
    run(async {
        let timer = Timer::new().unwrap();
        let mut sleep = timer.sleep(Duration::from_secs(1 << 36));
        assert!(begin(&mut sleep).await.is_pending());
    });
}

#[test]
fn a_loop_over_past_deadlines_lets_other_tasks_run() {
    run(async {
        let timer = Timer::new().unwrap();
        let past = Instant::now();
        let greedy = tokio::task::spawn_local(async move {
            loop {
                timer.sleep_until(past).await;
            }
        });
        tokio::task::yield_now().await;
        greedy.abort();
        assert!(greedy.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn sleepers_on_other_threads_and_runtimes_all_wake() {
    run(async {
        let timer = Timer::new().unwrap();
        let threads: Vec<_> = (0..4_u32)
            .map(|n| {
                let timer = timer.clone();
                let sleeps = async move {
                    let start = Instant::now();
                    for tick in 1..=200 {
                        let deadline = start + tick * Duration::from_micros(20 + u64::from(n));
                        timer.sleep_until(deadline).await;
                        assert!(Instant::now() >= deadline);
                    }
                };
                std::thread::spawn(|| {
                    let mut runtime = tokio::runtime::Builder::new_current_thread();
                    runtime.build().unwrap().block_on(sleeps);
                })
            })
            .collect();
        while !threads.iter().all(std::thread::JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn the_portable_alarm_can_be_set_earlier_and_again() {
    run(async {
        let alarm = portable::Alarm::new().unwrap();
        for _ in 0..2 {
            alarm.set(Instant::now() + Duration::from_secs(3_600));
            let deadline = Instant::now() + Duration::from_millis(2);
            alarm.set(deadline);
            alarm.fired().await.unwrap();
            assert!(Instant::now() >= deadline);
        }
    });
}
