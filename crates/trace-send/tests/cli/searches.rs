use crate::harness::{Ran, distinct, good, marks, read_request, requests, send, server};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Run the tool until it was in time at every level: one that the machine kept
/// from running judges no server, and says so. Nothing if it never was.
fn search(flags: &[&str], input: &str) -> Option<Ran> {
    let runs = std::iter::repeat_with(|| send(flags, input)).take(8);
    let found = runs
        .into_iter()
        .find(|ran| !ran.stderr.contains("client-limited"));
    if found.is_none() {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: this machine is too busy to search").unwrap();
    }
    found
}

/// What a server says that has no place.
const FULL: &str = "HTTP/1.1 503 Full\r\ncontent-length: 0\r\n\r\n";

#[test]
fn a_search_finds_where_the_limit_breaks() {
    // It has six places, and refuses at once whoever finds none: how long
    // anything takes does not matter.
    let inside = AtomicUsize::new(0);
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let answer = if inside.fetch_add(1, Ordering::SeqCst) < 6 {
                std::thread::sleep(std::time::Duration::from_millis(50));
                good()
            } else {
                FULL.to_owned()
            };
            inside.fetch_sub(1, Ordering::SeqCst);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--search",
        "concurrency=1..64",
        "--slo",
        "latency_ms=600000",
        "--good-share",
        "0.9",
    ];
    let Some(ran) = search(&flags, &requests(40)) else {
        return;
    };
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let said = ran.stderr.lines().last().unwrap();
    let found = said.split("the highest concurrency that holds is ").nth(1);
    let found: u32 = found
        .and_then(|words| words.split(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("{}", ran.stderr));
    // Of seven one is refused, again and again, unless it comes too late for it.
    assert!((6..=7).contains(&found), "{}", ran.stderr);
    assert!(distinct(marks(&ran, "concurrency")).len() > 3);
    for said in ["the curve:", ", p99 of user_latency_ms "] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let hopeless = [
        "--url",
        &url,
        "--model",
        "m",
        "--search",
        "concurrency=1..2",
        "--slo",
        "latency_ms=1",
    ];
    let ran = send(&hopeless, &requests(3));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
}

#[test]
fn a_search_repeats_a_level_until_it_is_certain() {
    // Every tenth is refused: 90 % are good.
    let count = AtomicUsize::new(0);
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            let is_tenth = count.fetch_add(1, Ordering::SeqCst).is_multiple_of(10);
            let answer = if is_tenth { FULL.to_owned() } else { good() };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let level = |share: &str, rounds: &str| {
        let flags = [
            "--url",
            &url,
            "--model",
            "m",
            "--search",
            "concurrency=1..1",
            "--slo",
            "latency_ms=600000",
            "--good-share",
            share,
            "--rounds",
            rounds,
        ];
        search(&flags, &requests(30))
    };
    let Some(sure) = level("0.5", "9") else {
        return;
    };
    assert_eq!(sure.code, Some(0), "{}", sure.stderr);
    assert!(
        sure.stderr
            .contains("concurrency 1 holds (with 95 % confidence)"),
        "{}",
        sure.stderr
    );
    assert_eq!(sure.stdout.lines().count(), 30, "one round was enough");
    let Some(unsure) = level("0.89", "3") else {
        return;
    };
    assert!(
        unsure.stderr.contains("3 rounds") && unsure.stderr.contains("more --requests or --rounds"),
        "{}",
        unsure.stderr
    );
    assert_eq!(distinct(marks(&unsure, "round")), [1.0, 2.0, 3.0]);
}

#[test]
fn who_waits_to_be_sent_waits_for_the_answer() {
    // One at a time, 50 ms each: of forty in a fifth of a second the last waits for two.
    let address = server(move |_, mut stream| {
        while read_request(&mut stream).is_some() {
            std::thread::sleep(std::time::Duration::from_millis(50));
            if stream.write_all(good().as_bytes()).is_err() {
                return;
            }
        }
    });
    let url = format!("http://{address}");
    let share = |flags: &[&str]| -> f64 {
        let common = "--model m --search rate=200..200 --max-concurrency 1 --slo ttft_ms=500";
        let all = ["--url", &url].into_iter();
        let all: Vec<_> = all
            .chain(common.split(' '))
            .chain(flags.iter().copied())
            .collect();
        let ran = send(&all, &requests(40));
        let said = ran.stderr.split(" % of 40 good").next();
        let share = said.and_then(|words| words.rsplit(' ').next()?.parse().ok());
        share.unwrap_or_else(|| panic!("{}", ran.stderr))
    };
    let seen_by_users = share(&[]);
    assert!(seen_by_users < 40.0, "{seen_by_users}");
    let seen_by_the_server = share(&["--slo-clock", "sent"]);
    assert!(seen_by_the_server > 80.0, "{seen_by_the_server}");
}
