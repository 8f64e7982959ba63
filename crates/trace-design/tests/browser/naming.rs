//! Names that would break a page that trusts them.

use crate::designer::Page;
use serde_json::json;

const NAMES: [&str; 6] = [
    r#"he said "hi" & 'bye'"#,
    "🚀 模型 \u{202e}rtl",
    "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>",
    "__proto__",
    "a\\b${window.broken = 1}",
    " spaces at both ends ",
];

#[test]
fn any_name_is_shown_as_it_is_and_kept() {
    let Some(page) = Page::open(&[]) else { return };
    for name in NAMES {
        page.fill("#models .name", name);
        page.draw(&[(0.2, 0.3), (0.5, 0.5), (0.8, 0.3)]);
        assert_eq!(page.design()["models"][0]["name"], json!(name));
        page.browser.field_becomes("#models .name", name);
        page.browser
            .becomes("document.querySelector('#points-of').textContent", name);
        assert!(page.total(name, "requests") > 0.0);
        page.load();
        page.browser.field_becomes("#models .name", name);
    }
    assert_eq!(page.browser.eval("window.broken ?? null"), json!(null));
    assert_eq!(
        page.browser
            .eval("document.querySelectorAll('body script, body img').length"),
        json!(0)
    );
    page.is_quiet();
}

#[test]
fn a_name_is_neither_empty_nor_taken() {
    let Some(page) = Page::open(&[]) else { return };
    let first = page.browser.value("#models .name");
    page.browser.click("#add-model");
    for bad in ["", "   ", first.as_str()] {
        page.fill("#models li:last-child .name", bad);
        page.browser.speaks("#models .field-error");
    }
    let design = page.design();
    let names: Vec<&str> = design["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [first.as_str(), "model-2"]);
}

#[test]
fn models_are_added_recoloured_and_removed_but_for_the_last() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&[(0.2, 0.3), (0.5, 0.5), (0.8, 0.3)]);
    page.browser.click("#models li.active .copy");
    let design = page.design();
    assert_eq!(design["models"][0]["points"], design["models"][1]["points"]);
    assert_ne!(design["models"][0]["color"], design["models"][1]["color"]);
    page.browser
        .choose("#models li:last-child .color", "#123456");
    assert_eq!(page.design()["models"][1]["color"], "#123456");
    page.browser.click("#models li.active .remove");
    assert_eq!(page.design()["models"].as_array().unwrap().len(), 1);
    page.browser.becomes(
        "document.querySelector('#models li.active .remove').disabled",
        true,
    );
    page.browser.click("#undo");
    assert_eq!(page.design()["models"][1]["color"], "#123456");
}
