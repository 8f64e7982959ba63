use super::turns::MAX_IDLE_SESSIONS;
use super::*;
use proptest::prelude::*;

fn ms(millis: u64) -> Micros {
    Micros::from_micros(millis * 1_000)
}

fn at(seq: u64, millis: u64) -> Timing {
    Timing {
        seq,
        at: Some(ms(millis)),
        ..Timing::default()
    }
}

fn turn_of(session: i64, mut timing: Timing) -> Timing {
    timing.session = Some(SessionId::Number(session));
    timing
}

fn launched(schedule: &mut Schedule<u64>, now: u64) -> Vec<(u64, u64, u64)> {
    let launches = std::iter::from_fn(|| schedule.launch(ms(now)));
    launches
        .map(|l| {
            (
                l.job,
                l.scheduled.as_micros() / 1_000,
                l.due.as_micros() / 1_000,
            )
        })
        .collect()
}

#[test]
fn open_loop_leaves_in_time_whatever_is_in_flight() {
    let mut schedule = Schedule::open();
    schedule.add(0, at(0, 10));
    schedule.add(1, at(1, 5));
    schedule.add(2, at(2, 10));
    assert_eq!(schedule.next(), Some(ms(5)));
    assert_eq!(launched(&mut schedule, 4), []);
    assert_eq!(
        launched(&mut schedule, 10),
        [(1, 5, 5), (0, 10, 10), (2, 10, 10)]
    );
    assert!(schedule.is_empty());
}

#[test]
fn a_cap_makes_requests_wait_and_says_so() {
    let mut schedule = Schedule::capped(1);
    schedule.add(0, at(0, 0));
    schedule.add(1, at(1, 5));
    assert_eq!(launched(&mut schedule, 6), [(0, 0, 0)]);
    schedule.ended(None, ms(20), ms(20));
    assert_eq!(launched(&mut schedule, 21), [(1, 5, 20)]);
}

#[test]
fn closed_loop_is_scheduled_when_a_slot_is_free() {
    let mut schedule = Schedule::closed(2, Micros::ZERO, Share::WHOLE);
    (0..4).for_each(|seq| schedule.add(seq, at(seq, 0)));
    assert_eq!(launched(&mut schedule, 1), [(0, 0, 0), (1, 0, 0)]);
    schedule.ended(None, ms(7), ms(7));
    schedule.ended(None, ms(8), ms(8));
    assert_eq!(launched(&mut schedule, 9), [(2, 7, 7), (3, 8, 8)]);
    assert_eq!(schedule.next(), None);
    schedule.ended(None, ms(9), ms(9));
}

#[test]
fn a_turn_leaves_at_the_later_of_its_time_and_the_end_before_plus_delay() {
    let mut schedule = Schedule::open();
    let delayed = |timing| Timing {
        delay: ms(10),
        ..timing
    };
    schedule.add(0, turn_of(1, at(0, 0)));
    schedule.add(1, turn_of(1, delayed(at(1, 5))));
    schedule.add(2, turn_of(1, delayed(at(2, 500))));
    schedule.add(
        3,
        turn_of(
            1,
            delayed(Timing {
                seq: 3,
                after: ms(500),
                ..Timing::default()
            }),
        ),
    );
    schedule.add(4, turn_of(2, at(4, 1)));
    assert_eq!(schedule.len(), 5);
    assert_eq!(launched(&mut schedule, 400), [(0, 0, 0), (4, 1, 1)]);
    schedule.ended(Some(SessionId::Number(1)), ms(400), ms(400));
    assert_eq!(launched(&mut schedule, 450), [(1, 410, 410)]);
    schedule.ended(Some(SessionId::Number(1)), ms(450), ms(450));
    assert_eq!(launched(&mut schedule, 600), [(2, 500, 500)]);
    schedule.ended(Some(SessionId::Number(1)), ms(700), ms(700));
    assert_eq!(launched(&mut schedule, 800), [(3, 710, 710)]);
}

#[test]
fn a_turn_that_is_read_after_its_predecessor_ended_still_waits_its_delay() {
    let mut schedule = Schedule::closed(1, Micros::ZERO, Share::WHOLE);
    schedule.add(0, turn_of(1, at(0, 0)));
    assert_eq!(launched(&mut schedule, 0).len(), 1);
    schedule.ended(Some(SessionId::Number(1)), ms(30), ms(30));
    schedule.add(
        1,
        turn_of(
            1,
            Timing {
                delay: ms(10),
                ..at(1, 0)
            },
        ),
    );
    assert_eq!(schedule.next(), Some(ms(40)));
}

#[test]
fn a_turn_counts_from_the_answer_and_a_slot_from_when_it_was_known() {
    let mut schedule = Schedule::capped(1);
    let id = SessionId::Number(1);
    for seq in 0..2 {
        let timing = Timing {
            seq,
            session: Some(id.clone()),
            delay: ms(10),
            ..Timing::default()
        };
        schedule.add(seq, timing);
    }
    schedule.launch(ms(0)).unwrap();
    schedule.ended(Some(id), ms(5), ms(18));
    assert_eq!(schedule.launch(ms(17)), None, "no slot is free");
    let next = schedule.launch(ms(18)).unwrap();
    assert_eq!((next.scheduled, next.due), (ms(15), ms(18)));
}

#[test]
fn sessions_that_ended_long_ago_are_forgotten() {
    let mut schedule = Schedule::open();
    for id in 0..MAX_IDLE_SESSIONS as i64 + 10 {
        schedule.add(0, turn_of(id, at(id as u64, 0)));
        schedule.launch(ms(1)).unwrap();
        schedule.ended(Some(SessionId::Number(id)), ms(1), ms(1));
    }
    assert_eq!(schedule.turns.remembered(), MAX_IDLE_SESSIONS);
}

#[test]
fn what_is_due_soon_can_be_counted() {
    let mut schedule = Schedule::open();
    (0..10).for_each(|seq| schedule.add(seq, at(seq, seq)));
    assert_eq!(schedule.count_by(ms(3), 100), 4);
    assert_eq!(schedule.count_by(ms(30), 6), 6);
    assert_eq!(schedule.next_after(ms(3)), Some(ms(4)));
    assert_eq!(schedule.next_after(ms(9)), None);
}

proptest! {
    #[test]
    fn every_request_leaves_once_and_turns_keep_their_order(
        requests in prop::collection::vec((0..50_u64, prop::option::of(0..4_i64), 0..9_u64), 0..60),
        slots in prop::option::of(1..5_usize),
    ) {
        let mut schedule = slots.map_or_else(Schedule::open, Schedule::capped);
        for (seq, &(time, session, delay)) in requests.iter().enumerate() {
            let timing = Timing { delay: ms(delay), session: session.map(SessionId::Number), ..at(seq as u64, time) };
            schedule.add(seq, timing);
        }
        let mut left = Vec::new();
        let mut now = Micros::ZERO;
        while !schedule.is_empty() {
            let mut flying = Vec::new();
            while let Some(launch) = schedule.launch(now) {
                prop_assert!(launch.scheduled <= launch.due && launch.due <= now);
                flying.push(launch.session);
                left.push(launch.job);
            }
            prop_assert!(slots.is_none_or(|most| flying.len() <= most));
            now += ms(1);
            flying.into_iter().for_each(|session| schedule.ended(session, now, now));
        }
        for id in 0..4 {
            let turns: Vec<_> = left.iter().filter(|&&seq| requests[seq].1 == Some(id)).collect();
            prop_assert!(turns.is_sorted());
        }
        left.sort_unstable();
        prop_assert_eq!(left, (0..requests.len()).collect::<Vec<_>>());
    }
}

#[test]
fn a_closed_loop_may_begin_slowly() {
    let mut schedule = Schedule::closed(4, ms(100), Share::WHOLE);
    (0..9).for_each(|seq| schedule.add(seq, at(seq, 0)));
    assert_eq!(launched(&mut schedule, 10), [(0, 0, 0)]);
    assert_eq!(schedule.next(), Some(ms(25)));
    assert_eq!(launched(&mut schedule, 60), [(1, 25, 25), (2, 50, 50)]);
    schedule.ended(None, ms(61), ms(61));
    assert_eq!(launched(&mut schedule, 99), [(3, 61, 61), (4, 75, 75)]);
}

#[test]
fn only_so_many_sessions_are_under_way() {
    let mut schedule = Schedule::open().sessions(1);
    schedule.add(0, turn_of(1, at(0, 0)));
    schedule.add(1, turn_of(1, at(1, 5)));
    schedule.add(2, turn_of(2, at(2, 1)));
    schedule.add(3, at(3, 1));
    assert_eq!(launched(&mut schedule, 3), [(0, 0, 0), (3, 1, 1)]);
    schedule.ended(Some(SessionId::Number(1)), ms(4), ms(4));
    assert_eq!(launched(&mut schedule, 6), [(1, 5, 5)]);
    schedule.ended(Some(SessionId::Number(1)), ms(9), ms(9));
    assert_eq!(
        launched(&mut schedule, 9),
        [(2, 1, 9)],
        "what it waited is queueing"
    );
    assert!(schedule.is_empty());
}
