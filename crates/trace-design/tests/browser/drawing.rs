//! Curves are drawn, mended and taken back, by every kind of hand.

use crate::designer::{Page, rate_at};
use crate::hand::Hand;
use serde_json::json;

/// From the left to the right in many small moves.
fn sweep(from: (f64, f64), to: (f64, f64)) -> Vec<(f64, f64)> {
    let share = |i: u32| f64::from(i) / 30.0;
    let between = |a: f64, b: f64, i| a + (b - a) * share(i);
    (0..=30)
        .map(|i| (between(from.0, to.0, i), between(from.1, to.1, i)))
        .collect()
}

/// Requests per second that are a pixel or two.
const NEAR: f64 = 1.5;

#[test]
fn a_stroke_becomes_few_points_where_the_hand_was() {
    let Some(page) = Page::open(&[]) else { return };
    let mut bent = sweep((0.1, 0.2), (0.5, 0.8));
    bent.extend(sweep((0.5, 0.8), (0.9, 0.3)));
    page.draw(&bent);
    let points = page.points(0);
    assert!((3..=8).contains(&points.len()), "{points:?}");
    for (share, rate) in [
        (0.1, 20.0),
        (0.3, 50.0),
        (0.5, 80.0),
        (0.7, 55.0),
        (0.9, 30.0),
    ] {
        let drawn = rate_at(&points, share * 60_000.0);
        assert!(
            (drawn - rate).abs() < NEAR,
            "at {share}: {drawn}, not {rate}"
        );
    }
    page.is_quiet();
}

#[test]
fn a_new_stroke_replaces_what_it_covers_and_nothing_else() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&sweep((0.1, 0.2), (0.9, 0.2)));
    page.draw(&sweep((0.4, 0.7), (0.6, 0.7)));
    let points = page.points(0);
    for (share, rate) in [
        (0.2, 20.0),
        (0.39, 20.0),
        (0.42, 70.0),
        (0.58, 70.0),
        (0.61, 20.0),
        (0.8, 20.0),
    ] {
        let drawn = rate_at(&points, share * 60_000.0);
        assert!(
            (drawn - rate).abs() < NEAR,
            "at {share}: {drawn}, not {rate}: {points:?}"
        );
    }
    // Backwards over it again: the newest stroke counts.
    page.draw(&sweep((0.6, 0.4), (0.4, 0.4)));
    let drawn = rate_at(&page.points(0), 30_000.0);
    assert!((drawn - 40.0).abs() < NEAR, "{drawn}");
}

#[test]
fn everything_is_undone_and_done_again() {
    let Some(page) = Page::open(&[]) else { return };
    assert!(page.points(0).is_empty());
    page.draw(&sweep((0.1, 0.2), (0.9, 0.6)));
    let drawn = page.design();
    page.draw(&sweep((0.3, 0.9), (0.6, 0.9)));
    page.browser.click("#add-model");
    page.browser.chord(&["\u{e007}"]);
    page.fill("#models li:last-child .name", "second");
    page.browser.click("input[value=step]");
    let all = page.design();
    for _ in 0..4 {
        page.browser.click("#undo");
    }
    assert_eq!(page.design(), drawn);
    page.browser.chord(&["\u{e009}", "z"]);
    assert!(page.points(0).is_empty());
    page.browser.chord(&["\u{e009}", "y"]);
    assert_eq!(page.design(), drawn);
    for _ in 0..4 {
        page.browser.chord(&["\u{e009}", "\u{e008}", "z"]);
    }
    assert_eq!(page.design(), all);
    page.browser
        .becomes("document.querySelector('#redo').disabled", true);
}

#[test]
fn a_point_is_moved_added_and_deleted_with_the_mouse() {
    let Some(page) = Page::open(&[]) else { return };
    page.browser.click("input[value=line]");
    page.draw(&[(0.25, 0.4), (0.75, 0.4)]);
    assert_eq!(page.points(0).len(), 2);
    page.browser.click("input[value=points]");
    page.draw(&[(0.25, 0.4), (0.3, 0.5), (0.35, 0.7)]);
    let (t, rate) = page.points(0)[0];
    assert!(
        (t - 21_000.0).abs() < 300.0 && (rate - 70.0).abs() < NEAR,
        "{t} {rate}"
    );
    page.draw(&[(0.6, 0.2)]);
    assert_eq!(page.points(0).len(), 3);
    // A point never passes its neighbours.
    page.draw(&[(0.6, 0.2), (0.95, 0.2)]);
    let points = page.points(0);
    assert_eq!(points[1].0, points[2].0);
    page.browser.click("#undo");
    page.browser.click("#points-body tr:nth-child(2) button");
    assert_eq!(page.points(0).len(), 2);
}

#[test]
fn fingers_and_pens_draw_too() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw_with(Hand::Touch, &sweep((0.1, 0.3), (0.5, 0.3)));
    page.draw_with(Hand::Pen, &sweep((0.5, 0.3), (0.9, 0.6)));
    let points = page.points(0);
    assert!((rate_at(&points, 18_000.0) - 30.0).abs() < NEAR);
    assert!((rate_at(&points, 42_000.0) - 45.0).abs() < NEAR);
}

#[test]
fn the_keyboard_alone_draws() {
    let Some(page) = Page::open(&[]) else { return };
    page.browser
        .run("document.querySelector('#plot').focus()", &json!([]));
    let [enter, right, up, delete, shift] =
        ["\u{e007}", "\u{e014}", "\u{e013}", "\u{e017}", "\u{e008}"];
    page.browser.chord(&[enter]);
    assert_eq!(page.points(0), [(30_000.0, 50.0)]);
    page.browser.chord(&[right]);
    page.browser.chord(&[up]);
    page.browser.chord(&[shift, up]);
    assert_eq!(page.points(0), [(30_500.0, 61.0)]);
    page.browser.says("#spoken", "61 requests per second");
    page.browser.chord(&[enter]);
    assert_eq!(page.points(0).len(), 2);
    page.browser.chord(&[delete]);
    assert_eq!(page.points(0).len(), 1);
    for (key, tool) in [("l", "line"), ("p", "points"), ("d", "draw")] {
        page.browser.chord(&[key]);
        page.browser.becomes(
            "document.querySelector('input[name=tool]:checked').value",
            tool,
        );
    }
}

#[test]
fn points_are_typed_exactly() {
    let Some(page) = Page::open(&[]) else { return };
    let add = |time: &str, rate: &str| {
        page.fill("#new-time", time);
        page.fill("#new-rate", rate);
        page.browser.click("#add-point button");
    };
    add("0:30", "90/min");
    add("10.125", "0.25");
    assert_eq!(page.points(0), [(10_125.0, 0.25), (30_000.0, 1.5)]);
    page.fill("#points-body tr:first-child .time", "45s");
    assert_eq!(page.points(0), [(30_000.0, 1.5), (45_000.0, 0.25)]);
    // Above the axis: the axis grows, no other rate changes.
    page.fill("#points-body tr:last-child .rate", "240");
    assert_eq!(page.points(0), [(30_000.0, 1.5), (45_000.0, 240.0)]);
    assert_eq!(page.design()["max_rate"], 250.0);
    for (field, text) in [
        ("time", "61s"),
        ("time", "noon"),
        ("rate", "-3"),
        ("rate", "1e99"),
    ] {
        page.fill(&format!("#points-body tr:first-child .{field}"), text);
        page.browser.speaks("#panel-points .field-error");
        assert_eq!(page.points(0), [(30_000.0, 1.5), (45_000.0, 240.0)]);
        page.fill(
            &format!("#points-body tr:first-child .{field}"),
            if field == "time" { "30" } else { "1.5" },
        );
    }
}

#[test]
fn a_stroke_in_steps_is_level_pieces() {
    let Some(page) = Page::open(&[]) else { return };
    page.browser.click("input[value=step]");
    let mut stairs = sweep((0.0, 0.3), (0.5, 0.3));
    stairs.extend(sweep((0.5, 0.7), (1.0, 0.7)));
    page.draw(&stairs);
    let design = page.design();
    assert_eq!(design["models"][0]["interpolation"], "step");
    let points = page.points(0);
    assert!(points.len() <= 5, "{points:?}");
    let level = |t: f64| points[points.partition_point(|point| point.0 <= t) - 1].1;
    assert!((level(12_000.0) - 30.0).abs() < NEAR && (level(48_000.0) - 70.0).abs() < NEAR);
}

#[test]
fn presets_are_drawn_into_a_part() {
    let Some(page) = Page::open(&[]) else { return };
    page.browser.click("#open-presets");
    page.browser.choose("#preset-kind", "ramp");
    page.fill("#preset-low", "10");
    page.fill("#preset-high", "40");
    page.fill("#preset-from", "15s");
    page.fill("#preset-to", "45s");
    page.browser
        .wait_for("!document.querySelector('#preset-apply').disabled");
    page.browser.click("#preset-apply");
    assert_eq!(page.points(0), [(15_000.0, 10.0), (45_000.0, 40.0)]);
}

#[test]
fn the_patterns_of_aibrix_come_from_the_server() {
    let Some(page) = Page::open(&[]) else { return };
    for kind in [
        "quick_rising",
        "slow_rising",
        "slight_fluctuation",
        "severe_fluctuation",
    ] {
        page.browser.click("#open-presets");
        page.browser.choose("#preset-kind", kind);
        page.browser
            .wait_for("!document.querySelector('#preset-apply').disabled");
        page.browser.click("#preset-apply");
        let points = page.points(0);
        assert!(points.len() > 2, "{kind}: {points:?}");
        let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
        assert!((79.0..=80.0).contains(&highest), "{kind}: {highest}");
    }
}
