//! A part of the time, looked at and drawn on closely.

use crate::designer::{Page, rate_at};
use serde_json::json;

/// A day.
const DAY_MS: f64 = 86_400_000.0;

/// A page with a day on it, level at 20 req/s.
fn day() -> Option<Page> {
    let page = Page::open(&[])?;
    page.fill("#duration", "24h");
    page.browser.click("input[value=line]");
    page.draw(&[(0.0, 0.2), (1.0, 0.2)]);
    page.browser.click("input[value=draw]");
    page.browser
        .wait_for("document.querySelector('#duration').value === '24h'");
    assert_eq!(page.design()["duration_ms"], DAY_MS);
    Some(page)
}

/// What is shown, in milliseconds.
fn shown(page: &Page) -> (f64, f64) {
    let title = page
        .browser
        .eval("document.querySelector('#zoom-place').dataset.span");
    let (from, to) = title.as_str().unwrap().split_once(' ').unwrap();
    (from.parse().unwrap(), to.parse().unwrap())
}

fn is_near(found: f64, wanted: f64, by: f64) {
    assert!((found - wanted).abs() <= by, "{found}, not {wanted}");
}

#[test]
fn the_wheel_goes_nearer_where_it_is_and_back() {
    let Some(page) = day() else { return };
    let place = page.places(&[(0.25, 0.5)])[0];
    page.browser.wheel("#plot", place, (0, -1500));
    let (from, to) = shown(&page);
    // Ten steps of 1.5 about 6:00.
    is_near(to - from, DAY_MS / 57.665, 60_000.0);
    is_near(from + (to - from) / 4.0, DAY_MS / 4.0, 120_000.0);
    // Sideways it goes on in time.
    page.browser.wheel("#plot", place, (300, 0));
    let (later, _) = shown(&page);
    assert!(later > from);
    page.browser.wheel("#plot", place, (0, 6000));
    assert_eq!(shown(&page), (0.0, DAY_MS));
    page.is_quiet();
}

#[test]
fn what_is_drawn_closely_is_exact_and_the_rest_stays() {
    let Some(page) = day() else { return };
    let place = page.places(&[(0.5, 0.5)])[0];
    page.browser.wheel("#plot", place, (0, -2400));
    let (from, to) = shown(&page);
    let span = to - from;
    assert!(span < 200_000.0, "{span}");
    page.browser.click("input[value=line]");
    page.draw(&[(0.25, 0.7), (0.75, 0.7)]);
    let points = page.points(0);
    for (share, rate) in [(0.2, 20.0), (0.3, 70.0), (0.7, 70.0), (0.8, 20.0)] {
        is_near(rate_at(&points, from + share * span), rate, 1.5);
    }
    is_near(rate_at(&points, 1000.0), 20.0, 1.5);
    is_near(rate_at(&points, DAY_MS - 1000.0), 20.0, 1.5);
    let edge = points.iter().find(|point| point.1 > 60.0).unwrap();
    // To a pixel of the closer look.
    is_near(edge.0, from + span / 4.0, span / 300.0);
    // Whole again, and the totals were those of the day all the time.
    page.browser.click("#zoom-whole");
    assert_eq!(shown(&page), (0.0, DAY_MS));
    assert!(page.total("Total", "requests") > 1_700_000.0);
    page.is_quiet();
}

#[test]
fn keys_alone_show_a_part_and_all_again() {
    let Some(page) = day() else { return };
    page.browser
        .run("document.querySelector('#plot').focus()", &json!([]));
    let [shift, page_up, page_down, enter] = ["\u{e008}", "\u{e00e}", "\u{e00f}", "\u{e007}"];
    page.browser.chord(&["+"]);
    let (from, to) = shown(&page);
    is_near(to - from, DAY_MS / 2.25, 1.0);
    is_near((to + from) / 2.0, DAY_MS / 2.0, 1.0);
    page.browser
        .says("#spoken", "shown: 6:40:00 h to 17:20:00 h");
    page.browser.chord(&[shift, page_down]);
    let (later, _) = shown(&page);
    is_near(later, from + (to - from) / 2.0, 1.0);
    page.browser.chord(&[shift, page_up]);
    is_near(shown(&page).0, from, 1.0);
    // A new point goes to where one looks.
    page.browser.chord(&[enter]);
    assert_eq!(page.points(0)[1].0, DAY_MS / 2.0);
    page.browser.chord(&["+"]);
    page.browser.chord(&["+"]);
    page.browser.chord(&["+"]);
    // A point that is chosen comes into view, as near as before.
    let near = shown(&page).1 - shown(&page).0;
    page.browser.chord(&[page_down]);
    let (from, to) = shown(&page);
    is_near(to, DAY_MS, 1.0);
    is_near(to - from, near, 1.0);
    page.browser.chord(&["-"]);
    assert!(shown(&page).1 - shown(&page).0 > near);
    page.browser.chord(&["0"]);
    assert_eq!(shown(&page), (0.0, DAY_MS));
    page.browser
        .becomes("document.querySelector('#zoom-out').disabled", true);
}

#[test]
fn two_fingers_zoom_and_draw_nothing() {
    let Some(page) = day() else { return };
    let before = page.design();
    let apart = page.places(&[(0.4, 0.5), (0.2, 0.5)]);
    let other = page.places(&[(0.6, 0.5), (0.8, 0.5)]);
    page.browser.pinch("#plot", [&apart, &other]);
    let (from, to) = shown(&page);
    is_near((to - from) / DAY_MS, 1.0 / 3.0, 0.02);
    is_near((to + from) / 2.0 / DAY_MS, 0.5, 0.02);
    assert_eq!(page.design(), before);
    // Both to the left: later.
    let left = page.places(&[(0.4, 0.5), (0.2, 0.5)]);
    let right = page.places(&[(0.7, 0.5), (0.5, 0.5)]);
    page.browser.pinch("#plot", [&left, &right]);
    let (later, end) = shown(&page);
    is_near((later - from) / DAY_MS, 0.2 / 3.0, 0.02);
    is_near(end - later, to - from, DAY_MS * 0.02);
    assert_eq!(page.design(), before);
    // One finger draws as before.
    page.draw_with(
        crate::hand::Hand::Touch,
        &[(0.2, 0.5), (0.5, 0.5), (0.8, 0.5)],
    );
    assert_ne!(page.design(), before);
    page.is_quiet();
}

#[test]
fn bars_and_arrivals_are_those_of_the_part() {
    let Some(page) = Page::open(&[]) else { return };
    page.fill("#duration", "2h");
    page.browser.click("input[value=line]");
    page.draw(&[(0.0, 0.2), (1.0, 0.2)]);
    let all = page.total("Total", "requests");
    for _ in 0..6 {
        page.browser.click("#zoom-in");
    }
    // Of the two hours each was half a minute.
    page.browser.wait_for(
        "/bars count [0-9.]+ ms each/.test(document.querySelector('#totals-note').textContent)",
    );
    assert_eq!(page.total("Total", "requests"), all);
    // Another duration is looked at as a whole.
    page.fill("#duration", "30s");
    page.answer("keep");
    assert_eq!(shown(&page), (0.0, 30_000.0));
}

#[test]
fn ticks_are_named_as_closely_as_they_stand() {
    let Some(page) = Page::open(&[]) else { return };
    let script = "return import('/assets/scale.js').then((m) => arguments[0].map(([from, to]) => {
            const times = m.timeTicks({from, to}, 8);
            return times.map(m.timeNames(to, times[1] - times[0]).name);
        }))";
    let spans = json!([
        [0, 60_000],
        [0, DAY_MS],
        [43_200_000, 43_260_000],
        [43_200_000, 43_200_010],
        [0, 604_800_000],
        [345_600_000, 345_660_000],
        [3_600_000, 3_605_000],
    ]);
    let names = page.browser.run(script, &json!([spans]));
    for (span, (first, last)) in [
        ("0", "60"),
        ("0:00", "24:00"),
        ("12:00:00", "12:01:00"),
        ("12:00:00.000", "12:00:00.010"),
        ("0", "7"),
        ("4 d 0:00:00", "4 d 0:01:00"),
        ("60:00", "60:05"),
    ]
    .into_iter()
    .enumerate()
    {
        let names = names[span].as_array().unwrap();
        assert!((5..=13).contains(&names.len()), "{names:?}");
        assert_eq!(
            (names[0].as_str(), names[names.len() - 1].as_str()),
            (Some(first), Some(last)),
            "{names:?}"
        );
        let mut once = names.clone();
        once.dedup();
        assert_eq!(&once, names);
    }
}
