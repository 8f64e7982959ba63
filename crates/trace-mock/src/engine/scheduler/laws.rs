//! What holds of every engine, whatever is asked of it.

use proptest::prelude::*;

use super::*;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// overhead 5 ms, a = 1 ms, b = 10 ms, c = 1 ms, d = 1 µs.
const COST: Cost = Cost {
    overhead_ms: 5.0,
    prefill_token_ms: 1.0,
    step_ms: 10.0,
    sequence_ms: 1.0,
    context_token_ms: 0.001,
};

fn job(id: u64, input: u64, output: u64) -> Job {
    Job {
        id,
        input,
        output,
        width: 1,
        ..Job::default()
    }
}

/// Run `jobs` by their arrivals to their ends, looking at the engine after each step.
fn run(engine: &mut Engine, jobs: &[(Duration, Job)], mut look: impl FnMut(&Engine)) -> Vec<Event> {
    let mut events = Vec::new();
    let mut jobs = jobs.iter().peekable();
    loop {
        let next = engine.next();
        match jobs.next_if(|(arrival, _)| next.is_none_or(|next| *arrival < next)) {
            Some((arrival, job)) => engine.submit(*arrival, job.clone()),
            None => match next {
                Some(next) => while engine.advance(next, &mut events) {},
                None => return events,
            },
        }
        look(engine);
    }
}

fn alone(limits: Limits, job: Job) -> Vec<Duration> {
    let mut engine = Engine::new(limits, COST, Jitter::None, 0);
    let events = run(&mut engine, &[(Duration::ZERO, job)], |_| ());
    events.iter().map(|event| event.at).collect()
}

#[test]
fn a_lone_request_takes_what_the_formula_says() {
    let times = alone(Limits::default(), job(0, 100, 3));
    let first = ms(5) + ms(100);
    // The prompt is computed by then; each token adds itself to the context.
    let second = first + ms(11) + Duration::from_micros(100);
    let third = second + ms(11) + Duration::from_micros(101);
    assert_eq!(times, [first, second, third]);
}

#[test]
fn a_prompt_in_pieces_takes_as_long_as_in_one() {
    let pieces = Limits {
        tokens: 7,
        ..Limits::default()
    };
    assert_eq!(alone(pieces, job(0, 100, 1)), [ms(105)]);
}

#[test]
fn a_batch_slows_every_token_and_a_prompt_those_beside_it() {
    let mut engine = Engine::new(Limits::default(), COST, Jitter::None, 0);
    let jobs = [(ms(0), job(0, 10, 3)), (ms(16), job(1, 20, 2))];
    let events = run(&mut engine, &jobs, |_| ());
    let at = |id| -> Vec<_> {
        let own = events.iter().filter(|event| event.id == id);
        own.map(|event| event.at.as_micros()).collect()
    };
    // 15: first token of 0. 15 → 26.01: alone; 1 is ready at 21. → 57.021: both, with a prompt of
    // 20. 1 then decodes alone.
    assert_eq!(at(0), [15_000, 26_010, 57_021]);
    assert_eq!(at(1), [57_021, 68_041]);
}

#[test]
fn without_chunks_a_prompt_stops_the_others() {
    let limits = Limits {
        chunked_prefill: false,
        ..Limits::default()
    };
    let mut engine = Engine::new(limits, COST, Jitter::None, 0);
    let jobs = [(ms(0), job(0, 10, 3)), (ms(16), job(1, 20, 2))];
    let events = run(&mut engine, &jobs, |_| ());
    let times: Vec<_> = events
        .iter()
        .map(|event| (event.id, event.at.as_micros()))
        .collect();
    // After the prompt, both decode at once: 10 + 2 + 0.011 + 0.020 ms.
    let both = 46_010 + 12_031;
    assert_eq!(
        times,
        [(0, 15_000), (0, 26_010), (1, 46_010), (0, both), (1, both)]
    );
}

#[test]
fn a_full_batch_makes_the_next_wait() {
    let limits = Limits {
        sequences: 1,
        ..Limits::default()
    };
    let mut engine = Engine::new(limits, COST, Jitter::None, 0);
    let events = run(
        &mut engine,
        &[(ms(0), job(0, 5, 2)), (ms(1), job(1, 5, 1))],
        |_| (),
    );
    assert_eq!(events[1].at, Duration::from_micros(21_005));
    assert_eq!(events[2].at, Duration::from_micros(26_005));
    assert_eq!(events[2].waited, Duration::from_micros(20_005));
}

#[test]
fn a_cached_prompt_comes_sooner_and_its_last_token_is_computed_always() {
    let prompt = |id, input, blocks: u64| Job {
        blocks: (0..blocks).collect(),
        ..job(id, input, 1)
    };
    let mut engine = Engine::new(Limits::default(), COST, Jitter::None, 0);
    let jobs = [
        (ms(0), prompt(0, 40, 2)),
        (ms(1_000), prompt(1, 40, 2)),
        (ms(2_000), prompt(2, 32, 2)),
    ];
    let events = run(&mut engine, &jobs, |_| ());
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.cached, event.at))
        .collect();
    assert_eq!(seen, [(0, ms(45)), (32, ms(1_013)), (16, ms(2_021))]);
    assert_eq!((engine.gauges(0).queries, engine.gauges(0).hits), (112, 48));
    assert!(engine.reset_prefix_cache());
    let events = run(&mut engine, &[(ms(3_000), prompt(3, 40, 2))], |_| ());
    assert_eq!(events[0].cached, 0);
}

#[test]
fn the_next_turn_finds_the_answer_but_for_its_last_token() {
    let turn = |id, input, output, blocks: u64| Job {
        blocks: (0..blocks).collect(),
        ..job(id, input, output)
    };
    let cached = |output_caching| {
        let limits = Limits {
            output_caching,
            ..Limits::default()
        };
        let mut engine = Engine::new(limits, COST, Jitter::None, 0);
        // 20 + 28 tokens are three blocks, but nobody has computed the last; 29 fill the third.
        let jobs = [
            (ms(0), turn(0, 20, 28, 3)),
            (ms(1_000), turn(1, 60, 1, 3)),
            (ms(2_000), turn(2, 20, 29, 3)),
            (ms(3_000), turn(3, 60, 1, 3)),
        ];
        let events = run(&mut engine, &jobs, |_| ());
        let done = events.iter().filter(|event| event.done);
        done.map(|event| event.cached).collect::<Vec<_>>()
    };
    assert_eq!(cached(true), [0, 32, 16, 48]);
    assert_eq!(
        cached(false),
        [0, 16, 16, 48],
        "the second computed all three"
    );
}

#[test]
fn gauges_are_by_group() {
    let mut engine = Engine::new(Limits::default(), COST, Jitter::None, 0);
    let of = |id, group| Job {
        group,
        ..job(id, 32, 5)
    };
    let jobs = [(ms(0), of(0, 0)), (ms(0), of(1, 1)), (ms(0), of(2, 1))];
    let mut most = (0, 0);
    run(&mut engine, &jobs, |engine| {
        let running = |group| engine.gauges(group).running;
        most = (most.0.max(running(0)), most.1.max(running(1)));
    });
    assert_eq!(most, (1, 2));
    assert_eq!(
        (engine.gauges(0).queries, engine.gauges(1).queries),
        (32, 64)
    );
}

#[test]
fn an_urgent_request_goes_first_where_priorities_count() {
    let order = |priority| {
        let limits = Limits {
            sequences: 1,
            priority,
            ..Limits::default()
        };
        let mut engine = Engine::new(limits, COST, Jitter::None, 0);
        let urgent = Job {
            priority: -1,
            ..job(2, 1, 1)
        };
        let jobs = [
            (ms(0), job(0, 50, 1)),
            (ms(1), job(1, 1, 1)),
            (ms(2), urgent),
        ];
        let events = run(&mut engine, &jobs, |_| ());
        events.iter().map(|event| event.id).collect::<Vec<_>>()
    };
    assert_eq!(order(false), [0, 1, 2]);
    assert_eq!(order(true), [0, 2, 1]);
}

#[test]
fn who_runs_out_of_blocks_preempts_the_last_and_all_end() {
    let limits = Limits {
        block_size: 4,
        blocks: 6,
        ..Limits::default()
    };
    let mut engine = Engine::new(limits, COST, Jitter::None, 0);
    let events = run(
        &mut engine,
        &[(ms(0), job(0, 8, 12)), (ms(0), job(1, 8, 12))],
        |_| (),
    );
    assert!(engine.gauges(0).preemptions > 0);
    assert_eq!(events.iter().filter(|event| event.done).count(), 2);
    assert_eq!(events.len(), 24, "no token comes twice");
    assert_eq!(engine.gauges(0).cache_usage, 0.0);
}

#[test]
fn by_priority_who_would_be_admitted_last_is_preempted() {
    let order = |priority| {
        let limits = Limits {
            block_size: 4,
            blocks: 6,
            priority,
            ..Limits::default()
        };
        let mut engine = Engine::new(limits, COST, Jitter::None, 0);
        let low = Job {
            priority: 1,
            ..job(0, 8, 12)
        };
        // The low one is far into its answer when the high one comes.
        let events = run(
            &mut engine,
            &[(ms(0), low), (ms(20), job(1, 8, 12))],
            |_| (),
        );
        assert!(engine.gauges(0).preemptions > 0);
        let done = events.iter().filter(|event| event.done);
        done.map(|event| event.id).collect::<Vec<_>>()
    };
    assert_eq!(order(false), [0, 1]);
    assert_eq!(order(true), [1, 0]);
}

#[test]
fn a_prompt_waits_until_all_of_it_fits_and_not_its_first_piece_alone() {
    let limits = Limits {
        block_size: 4,
        blocks: 6,
        tokens: 8,
        ..Limits::default()
    };
    let mut engine = Engine::new(limits, COST, Jitter::None, 0);
    let jobs = [(ms(0), job(0, 8, 9)), (ms(20), job(1, 16, 1))];
    let events = run(&mut engine, &jobs, |_| ());
    assert_eq!(engine.gauges(0).preemptions, 0);
    let ends: Vec<_> = events.iter().filter(|event| event.done).collect();
    assert_eq!((ends[0].id, ends[1].id), (0, 1));
    assert_eq!(
        ends[1].waited,
        ends[0].at - ms(20),
        "it has no place before"
    );
}

#[test]
fn what_can_never_run_is_said_before() {
    let limits = Limits {
        sequences: 2,
        blocks: 4,
        block_size: 4,
        tokens: 12,
        chunked_prefill: false,
        ..Limits::default()
    };
    let engine = Engine::new(limits, COST, Jitter::None, 0);
    assert!(engine.fits(&job(0, 8, 4)).is_ok());
    assert!(
        engine
            .fits(&job(0, 12, 1))
            .unwrap_err()
            .contains("one step")
    );
    assert!(engine.fits(&job(0, 16, 1)).unwrap_err().contains("blocks"));
    let wide = Job {
        width: 3,
        ..job(0, 1, 1)
    };
    assert!(engine.fits(&wide).unwrap_err().contains("sequences"));
}

#[test]
fn a_cancelled_job_gives_its_place_and_its_blocks_back() {
    let limits = Limits {
        sequences: 1,
        ..Limits::default()
    };
    let mut engine = Engine::new(limits, COST, Jitter::None, 0);
    for id in 0..3 {
        engine.submit(ms(0), job(id, 10, 1_000));
    }
    let mut events = Vec::new();
    engine.advance(ms(40), &mut events);
    engine.submit(ms(40), job(3, 1, 1));
    [1, 3, 0].into_iter().for_each(|id| engine.cancel(id));
    let mut last = Vec::new();
    engine.advance(ms(1_000_000), &mut last);
    assert!(last.iter().all(|event| event.id == 2));
    assert!(last.last().unwrap().done);
    assert_eq!(engine.gauges(0).cache_usage, 0.0);
}

#[test]
fn jittered_times_never_change() {
    let mut engine = Engine::new(Limits::default(), COST, Jitter::Lognormal(0.3), 7);
    let jobs: Vec<_> = (0..20)
        .map(|id| (ms(id * 7), job(id, 10 + id, 5)))
        .collect();
    let sum: u128 = run(&mut engine, &jobs, |_| ())
        .iter()
        .map(|event| event.at.as_nanos())
        .sum();
    assert_eq!(sum, GOLDEN);
}

const GOLDEN: u128 = 47_273_275_911;

fn any_jobs() -> impl Strategy<Value = Vec<(Duration, Job)>> {
    let one = (
        0..200_u64,
        0..80_u64,
        0..20_u64,
        1..3_u64,
        -1..2_i64,
        0..4_u64,
    );
    proptest::collection::vec(one, 1..40).prop_map(|jobs| {
        let mut arrival = Duration::ZERO;
        let jobs = jobs.into_iter().enumerate();
        jobs.map(|(id, (gap, input, output, width, priority, family))| {
            arrival += Duration::from_micros(gap * 500);
            let job = Job {
                group: 0,
                id: id as u64,
                input,
                output,
                width,
                priority,
                // Families share prompts and answers from the start.
                blocks: (0..(input + output) / 4)
                    .map(|block| family * 1_000 + block)
                    .collect(),
            };
            (arrival, job)
        })
        .collect()
    })
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let bounds = (2..8_u64, 1..120_u64, 70..200_u64);
    (bounds, any::<[bool; 4]>()).prop_map(|((sequences, tokens, blocks), flags)| Limits {
        sequences,
        tokens: if flags[0] { tokens } else { tokens.max(100) },
        chunked_prefill: flags[0],
        priority: flags[1],
        prefix_caching: flags[2],
        output_caching: flags[3],
        block_size: 4,
        blocks,
    })
}

proptest! {
    #[test]
    fn every_job_gets_exactly_its_tokens_within_the_limits(
        limits in any_limits(), jobs in any_jobs(), seed in any::<u64>(),
    ) {
        let mut engine = Engine::new(limits, COST, Jitter::Uniform(0.5), seed);
        let jobs: Vec<_> = jobs.into_iter().filter(|(_, job)| engine.fits(job).is_ok()).collect();
        let events = run(&mut engine, &jobs, |engine| {
            let width: u64 = engine.running.iter().map(|sequence| sequence.job.width).sum();
            assert!(width <= limits.sequences);
            let chunks: u64 = engine.running.iter().map(|sequence| sequence.chunk).sum();
            assert!(chunks <= limits.tokens);
            let held: u64 = engine.running.iter().map(|s| s.private).sum();
            assert!(engine.blocks.in_use() <= limits.blocks && held <= engine.blocks.in_use());
        });
        for (arrival, job) in &jobs {
            let own: Vec<_> = events.iter().filter(|event| event.id == job.id).collect();
            let tokens: Vec<_> = own.iter().map(|event| event.tokens).collect();
            let expected: Vec<_> = (1.min(job.output)..=job.output).collect();
            prop_assert_eq!(tokens, expected);
            prop_assert!(own.is_sorted_by_key(|event| event.at) && own[0].at >= *arrival);
            prop_assert!(own.iter().rposition(|event| !event.done).is_none_or(|at| at + 2 == own.len()));
            prop_assert!(own[0].cached < job.input.max(1));
        }
        let end = engine.gauges(0);
        prop_assert_eq!((end.running, end.waiting, end.cache_usage), (0, 0, 0.0));
        prop_assert!(engine.reset_prefix_cache());
    }

    #[test]
    fn nobody_overtakes_in_first_come_first_served(limits in any_limits(), jobs in any_jobs()) {
        let limits = Limits { priority: false, ..limits };
        let mut engine = Engine::new(limits, COST, Jitter::None, 0);
        let jobs: Vec<_> = jobs.into_iter().filter(|(_, job)| engine.fits(job).is_ok()).collect();
        let events = run(&mut engine, &jobs, |_| ());
        let admitted = |id: u64| {
            let own = events.iter().find(|event| event.id == id).unwrap();
            jobs.iter().find(|(_, job)| job.id == id).unwrap().0 + own.waited
        };
        prop_assert!(jobs.is_sorted_by_key(|(_, job)| admitted(job.id)));
    }

    #[test]
    fn times_depend_on_arrivals_and_seed_and_not_on_when_it_is_asked(
        limits in any_limits(), jobs in any_jobs(), seed in any::<u64>(), late in 0..5_000_u64,
    ) {
        let new = || Engine::new(limits, COST, Jitter::Normal(0.4), seed);
        let jobs: Vec<_> = jobs.into_iter().filter(|(_, job)| new().fits(job).is_ok()).collect();
        let prompt = run(&mut new(), &jobs, |_| ());
        let mut lazy = new();
        let mut events = Vec::new();
        for (arrival, job) in &jobs {
            // As a driver would that has not been woken since.
            while lazy.advance(*arrival, &mut events) {}
            lazy.submit(*arrival, job.clone());
        }
        while let Some(next) = lazy.next() {
            lazy.advance(next + Duration::from_micros(late), &mut events);
        }
        prop_assert_eq!(prompt, events);
    }
}
