//! The page at three sizes, light and dark: nothing sticks out, is cut off or
//! covered, and text is to be read.

use crate::designer::Page;
use serde_json::{Value, json};
use std::path::Path;

const SIZES: [(u32, u32); 3] = [(1280, 720), (1920, 1080), (820, 1180)];

/// Buttons, fields and texts that are wider than their place, lie outside of
/// the page, or are covered by another.
const MISPLACED: &str = "
    const seen = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1 && !element.classList.contains('hidden');
    const name = (element) => `${element.tagName}#${element.id}.${element.className} ${element.textContent.slice(0, 30)}`;
    const wrong = [];
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth) wrong.push('the page scrolls sideways');
    for (const element of document.querySelectorAll('button, input, select, h1, h2, label, legend, canvas')) {
        if (!seen(element)) continue;
        const box = element.getBoundingClientRect();
        if (box.left < 0 || box.right > document.documentElement.clientWidth + 0.5) wrong.push(`outside: ${name(element)}`);
        const cut = element.scrollWidth > element.clientWidth + 1 && ['BUTTON', 'H1', 'H2', 'LABEL'].includes(element.tagName);
        if (cut) wrong.push(`cut off: ${name(element)}`);
        if (box.top < 0 || box.bottom > innerHeight || element.type === 'radio' || element.type === 'checkbox') continue;
        const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        const scrolled = element.closest('.scroll, [role=tabpanel], #models');
        if (over && !element.contains(over) && !over.contains(element) && !scrolled) wrong.push(`covered: ${name(element)} by ${name(over)}`);
    }
    return wrong;";

/// Texts whose colour is too near to what is behind them (WCAG: 4.5 to 1).
const FAINT: &str = "
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const behind = (element) => { for (let at = element; at; at = at.parentElement) { const c = channels(getComputedStyle(at).backgroundColor); if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
    const faint = [];
    for (const element of document.querySelectorAll('#app *')) {
        const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!text || !element.checkVisibility() || element.disabled || element.closest('.stale, .hidden')) continue;
        const [a, b] = [light(channels(getComputedStyle(element).color)), light(behind(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) faint.push(`${element.tagName} ${element.textContent.slice(0, 30)}: ${contrast.toFixed(2)}`);
    }
    return faint;";

/// Keep a picture of the page where `TRACE_SHOTS` says.
fn picture(page: &Page, name: &str) {
    let Some(folder) = std::env::var_os("TRACE_SHOTS") else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    let base64 = page.browser.screenshot();
    let script = "return [...atob(arguments[0])].map((byte) => byte.charCodeAt(0))";
    let bytes = page.browser.run(script, &json!([base64]));
    let bytes: Vec<u8> = serde_json::from_value(bytes).unwrap();
    std::fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
}

fn is_in_order(page: &Page, what: &str) {
    let none = json!([]);
    assert_eq!(page.browser.run(MISPLACED, &none), none, "{what}");
    assert_eq!(page.browser.run(FAINT, &none), none, "{what}");
}

#[test]
fn nothing_sticks_out_at_three_sizes_in_both_themes() {
    let Some(page) = Page::open(&["--dir", "."]) else {
        return;
    };
    page.draw(&[
        (0.05, 0.2),
        (0.2, 0.5),
        (0.4, 0.7),
        (0.6, 0.4),
        (0.8, 0.75),
        (0.95, 0.3),
    ]);
    page.browser.click("#add-model");
    page.fill(
        "#models li:last-child .name",
        "a-model-whose-name-is-much-too-long/for-the-column-it-is-in \"🚀\"",
    );
    page.draw(&[(0.05, 0.1), (0.5, 0.35), (0.95, 0.15)]);
    page.browser.click("#models li:first-child .choose");
    page.total("Total", "requests");
    for (width, height) in SIZES {
        for scheme in ["light", "dark"] {
            let what = format!("{width}x{height}-{scheme}");
            page.browser.resize(width, height);
            page.browser.prefer(scheme);
            page.browser.wait_for(&format!(
                "document.documentElement.dataset.theme === '{scheme}' && innerWidth === {width}"
            ));
            page.browser.click("#tab-points");
            is_in_order(&page, &what);
            picture(&page, &what);
            page.browser.click("#tab-traffic");
            is_in_order(&page, &format!("{what}-requests"));
            picture(&page, &format!("{what}-requests"));
            for dialog in ["presets", "underlay", "files", "send", "help"] {
                page.browser.click(&format!("#open-{dialog}"));
                page.browser
                    .wait_for(&format!("document.querySelector('#{dialog}').open"));
                let outside = format!(
                    "(() => {{ const box = document.querySelector('#{dialog}').getBoundingClientRect(); return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight }})()"
                );
                assert_eq!(page.browser.eval(&outside), json!(true), "{what} {dialog}");
                picture(&page, &format!("{what}-{dialog}"));
                page.browser
                    .run("document.querySelector('dialog[open]').close()", &json!([]));
            }
        }
    }
    page.is_quiet();
}

/// A day of twelve models whose names are as long as names get.
fn crowd() -> Value {
    let name = |i: usize| {
        format!(
            "{i:02} organisation/some-model-family-with-a-version-{:x<48}",
            ""
        )
    };
    let models: Vec<Value> = (0..12)
        .map(|i| {
            let point = |hour: usize| json!({"t_ms": hour * 3_600_000, "rate": 40 + (hour * 7 + i * 13) % 90});
            let points: Vec<Value> = (0..=24).map(point).collect();
            json!({"name": name(i), "interpolation": if i % 3 == 0 { "step" } else { "linear" }, "points": points})
        })
        .collect();
    assert!(
        models
            .iter()
            .all(|model| model["name"].as_str().unwrap().len() >= 80)
    );
    json!({"version": 1, "duration_ms": 86_400_000, "max_rate": 150, "models": models})
}

#[test]
fn a_crowd_and_nothing_at_all_have_room() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("crowd.json");
    std::fs::write(&file, crowd().to_string()).unwrap();
    for (name, flags) in [("crowd", vec![file.to_str().unwrap()]), ("empty", vec![])] {
        let Some(page) = Page::open(&flags) else {
            return;
        };
        page.total("Total", "requests");
        for (width, height) in SIZES {
            for scheme in ["light", "dark"] {
                let what = format!("{name}-{width}x{height}-{scheme}");
                page.browser.resize(width, height);
                page.browser.prefer(scheme);
                page.browser.wait_for(&format!(
                    "document.documentElement.dataset.theme === '{scheme}' && innerWidth === {width}"
                ));
                page.browser.click("#tab-points");
                is_in_order(&page, &what);
                picture(&page, &what);
                page.browser.click("#tab-traffic");
                is_in_order(&page, &what);
                // What is drawn on is never pushed away by what is listed.
                let plot = page
                    .browser
                    .eval("document.querySelector('#plot').clientHeight");
                assert!(plot.as_f64().unwrap() >= 220.0, "{what}: {plot}");
            }
        }
        page.is_quiet();
    }
}

#[test]
fn the_theme_is_the_systems_until_the_user_says_otherwise() {
    let Some(page) = Page::open(&[]) else { return };
    let becomes = |theme: &str| {
        page.browser
            .becomes("document.documentElement.dataset.theme", theme);
    };
    for scheme in ["dark", "light"] {
        page.browser.prefer(scheme);
        becomes(scheme);
    }
    page.browser.click("#theme");
    page.browser.click("#theme");
    becomes("dark");
    page.load();
    becomes("dark");
}

#[test]
fn everything_to_press_has_a_name_and_can_be_reached_by_keys() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&[(0.2, 0.3), (0.5, 0.5), (0.8, 0.3)]);
    let nameless = "[...document.querySelectorAll('button, input, select, textarea, canvas, dialog')].filter((element) =>
        !element.getAttribute('aria-label') && !element.getAttribute('aria-labelledby') && !(element.labels?.length) && !element.textContent.trim()).map((element) => element.outerHTML)";
    assert_eq!(page.browser.eval(nameless), json!([]));
    let unreachable = "[...document.querySelectorAll('#app button:not([role=tab]), #app input, #app select, #app canvas')].filter((element) => element.tabIndex < 0).map((element) => element.id)";
    assert_eq!(page.browser.eval(unreachable), json!([]));
}

#[test]
fn the_keyboard_goes_on_after_something_was_deleted() {
    let Some(page) = Page::open(&[]) else { return };
    let focus = "document.activeElement.getAttribute('aria-label')";
    page.browser.click("input[value=line]");
    page.draw(&[(0.2, 0.3), (0.8, 0.3)]);
    let delete = "#points-body tr:last-child button";
    page.browser.run(
        "document.querySelector(arguments[0]).focus()",
        &json!([delete]),
    );
    let enter = "\u{e007}";
    page.browser.chord(&[enter]);
    page.browser.becomes(focus, "Delete point 1");
    page.browser.chord(&[enter]);
    page.browser
        .becomes(focus, "Time of a new point, in seconds");
    assert!(page.points(0).is_empty());
    page.browser.click("#add-model");
    page.browser.click("#models li.active .remove");
    page.browser
        .becomes("document.activeElement.className", "choose");
    page.is_quiet();
}
