//! Durations and highest rates change curves only as the user says.

use crate::designer::Page;
use serde_json::json;

/// A page with a line from 20 req/s at a quarter to 60 req/s at three quarters.
fn drawn() -> Option<Page> {
    let page = Page::open(&[])?;
    for (time, rate) in [("15", "20"), ("45", "60")] {
        page.fill("#new-time", time);
        page.fill("#new-rate", rate);
        page.browser.click("#add-point button");
    }
    assert_eq!(page.points(0), [(15_000.0, 20.0), (45_000.0, 60.0)]);
    Some(page)
}

#[test]
fn a_longer_duration_keeps_times_or_stretches() {
    let Some(page) = drawn() else { return };
    page.fill("#duration", "2m");
    page.answer("keep");
    assert_eq!(page.points(0), [(15_000.0, 20.0), (45_000.0, 60.0)]);
    assert_eq!(page.design()["duration_ms"], 120_000.0);
    page.browser.click("#undo");
    page.fill("#duration", "2m");
    page.answer("stretch");
    assert_eq!(page.points(0), [(30_000.0, 20.0), (90_000.0, 60.0)]);
}

#[test]
fn a_shorter_duration_cuts_where_it_ends() {
    let Some(page) = drawn() else { return };
    page.fill("#duration", "30s");
    page.answer("keep");
    assert_eq!(page.points(0), [(15_000.0, 20.0), (30_000.0, 40.0)]);
}

#[test]
fn a_highest_rate_keeps_rates_or_stretches() {
    let Some(page) = drawn() else { return };
    page.fill("#max-rate", "200");
    page.answer("keep");
    assert_eq!(page.points(0), [(15_000.0, 20.0), (45_000.0, 60.0)]);
    assert_eq!(page.design()["max_rate"], 200.0);
    page.fill("#max-rate", "50");
    page.answer("keep");
    assert_eq!(page.points(0), [(15_000.0, 20.0), (45_000.0, 50.0)]);
    page.fill("#max-rate", "100");
    page.answer("stretch");
    assert_eq!(page.points(0), [(15_000.0, 40.0), (45_000.0, 100.0)]);
}

#[test]
fn who_thinks_better_of_it_changes_nothing() {
    let Some(page) = drawn() else { return };
    let before = page.design();
    page.fill("#duration", "10m");
    page.answer("");
    page.browser.field_becomes("#duration", "60s");
    page.fill("#max-rate", "7");
    page.answer("");
    page.browser.field_becomes("#max-rate", "100");
    for (field, bad) in [
        ("#duration", "never"),
        ("#duration", "0"),
        ("#max-rate", "-1"),
        ("#seed", "x"),
    ] {
        page.fill(field, bad);
        page.browser.speaks("header .field-error");
        page.browser.run("const field = document.querySelector(arguments[0]); field.value = field.defaultValue; field.dispatchEvent(new Event('change'))", &json!([field]));
    }
    assert_eq!(page.design(), before);
}
