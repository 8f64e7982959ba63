//! Pictures of trace-plot with names that its own font lacks letters of: the
//! browser writes them, in the room that was measured for them.

use crate::chromium::Browser;
use clap::Parser as _;
use serde_json::json;

const NAMES: [&str; 3] = ["通义千问-72B-指令微调", "<모델> & 🚀", "मॉडल-7B"];

/// A trace of these names and one that needs no other font.
fn trace() -> String {
    let line = |i: usize| {
        let model = ["llama", NAMES[0], NAMES[1], NAMES[2]][i % 4];
        json!({"timestamp": i * 100, "input_length": 9, "model": model}).to_string() + "\n"
    };
    (0..200).map(line).collect()
}

/// Texts that are wider or narrower than the room that was measured, or lie
/// outside of their picture; and what is said.
const LOOK: &str = "
    const texts = [...document.querySelectorAll('svg text')];
    const wrong = texts.filter((text) => {
        const box = text.getBoundingClientRect();
        const all = text.ownerSVGElement.getBoundingClientRect();
        const room = text.textLength.baseVal.value * all.width / text.ownerSVGElement.viewBox.baseVal.width;
        return Math.abs(box.width - room) > 2 || box.left < all.left || box.right > all.right
            || box.top < all.top || box.bottom > all.bottom;
    });
    // a legend is one row: what comes next begins behind what was before
    const boxes = texts.map((text) => text.getBoundingClientRect());
    const over = boxes.some((one, i) => boxes.some((other, j) => i < j && one.left < other.right
        && other.left < one.right && one.top < other.bottom && other.top < one.bottom));
    return [wrong.map((text) => text.outerHTML), over, [...new Set(texts.map((text) => text.textContent))].sort()];";

#[test]
fn names_in_any_letters_stand_in_pictures_and_pages() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("trace.jsonl");
    std::fs::write(&input, trace()).unwrap();
    let mut names = NAMES;
    names.sort_unstable();
    for (name, flag) in [("rate.svg", "--out"), ("page.html", "--html")] {
        let file = folder.path().join(name);
        let (file, input) = (file.to_str().unwrap(), input.to_str().unwrap());
        let args = trace_plot::Args::parse_from(["trace-plot", "rate", flag, file, input]);
        trace_plot::run(&args).unwrap();
        browser.go(&format!("file://{file}"));
        let seen = browser.run(LOOK, &json!([]));
        assert_eq!(seen, json!([[], false, names]), "{name}");
    }
}
