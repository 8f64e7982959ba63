//! Nothing that was drawn is lost: files, reloads, tabs, crashes.

use crate::designer::{Designer, Page, in_floats};
use crate::eye::wait;
use serde_json::{Value, json};
use tempfile::TempDir;

const HILL: [(f64, f64); 3] = [(0.2, 0.3), (0.5, 0.6), (0.8, 0.3)];

#[test]
fn a_reload_finds_everything_and_what_to_undo() {
    let Some(page) = Page::open(&[]) else { return };
    let empty = page.design();
    page.draw(&HILL);
    page.fill("#models .name", "kept");
    let drawn = page.design();
    page.load();
    assert_eq!(page.design(), drawn);
    page.browser.field_becomes("#models .name", "kept");
    page.browser.click("#undo");
    page.browser.click("#undo");
    let design = page.design();
    for field in ["name", "points"] {
        assert_eq!(design["models"][0][field], empty["models"][0][field]);
    }
}

#[test]
fn a_reload_right_after_a_stroke_loses_nothing() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&HILL);
    // Before the server was told.
    page.load();
    assert!(page.points(0).len() >= 3);
}

#[test]
fn a_second_tab_has_the_same_and_follows() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&HILL);
    let first = page.design();
    page.browser.new_tab();
    page.load();
    assert_eq!(page.design(), first);
    page.fill("#models .name", "from the second tab");
    let second = page.design();
    page.browser.turn_to_tab(0);
    page.browser
        .wait_for("document.querySelector('#models .name').value === 'from the second tab'");
    assert_eq!(page.design(), second);
    page.draw(&[(0.4, 0.9), (0.5, 0.9), (0.6, 0.9)]);
    let both = page.design();
    page.browser.turn_to_tab(1);
    page.load();
    assert_eq!(page.design(), both);
}

/// A page whose design was changed behind its back, in the same moment as it
/// was drawn on.
fn changed_twice() -> Option<Page> {
    let page = Page::open(&[])?;
    page.draw(&HILL);
    let mut theirs = page.design();
    theirs["models"][0]["name"] = json!("theirs");
    let script = "const token = document.querySelector('meta[name=token]').content;
        const headers = {'x-trace-design': token, 'content-type': 'application/json'};
        return fetch('/api/design', {headers}).then((answer) => answer.json()).then(({revision}) =>
            fetch('/api/design', {method: 'PUT', headers, body: JSON.stringify({revision, design: arguments[0]})})).then((answer) => answer.status)";
    assert_eq!(page.browser.run(script, &json!([theirs])), json!(200));
    page.fill("#models .name", "mine");
    Some(page)
}

#[test]
fn who_changed_an_old_revision_says_which_stays() {
    let Some(page) = changed_twice() else { return };
    page.answer("mine");
    assert_eq!(page.design()["models"][0]["name"], "mine");
}

#[test]
fn what_was_changed_elsewhere_is_taken_and_undone() {
    let Some(page) = changed_twice() else { return };
    page.answer("theirs");
    assert_eq!(page.design()["models"][0]["name"], "theirs");
    page.browser.click("#undo");
    assert_eq!(page.design()["models"][0]["name"], "mine");
}

#[test]
fn who_changed_it_in_the_same_way_is_asked_nothing() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&HILL);
    let mut theirs = page.design();
    theirs["models"][0]["name"] = json!("both");
    // The page tells the server a little later than this script does.
    let script = "const token = document.querySelector('meta[name=token]').content;
        const headers = {'x-trace-design': token, 'content-type': 'application/json'};
        return fetch('/api/design', {headers}).then((answer) => answer.json()).then(({revision}) => {
            const field = document.querySelector('#models .name');
            field.value = 'both';
            field.dispatchEvent(new Event('change'));
            return fetch('/api/design', {method: 'PUT', headers, body: JSON.stringify({revision, design: arguments[0]})});
        }).then(() => true)";
    page.browser.run(script, &json!([theirs]));
    assert_eq!(page.design(), theirs);
    assert_eq!(
        page.browser
            .eval("document.querySelector('dialog.question')"),
        json!(null)
    );
}

/// A number that another run of the tests beside this one hardly has.
fn port_of_ours() -> u16 {
    u16::try_from(std::process::id() % 10_000).unwrap()
}

#[test]
fn a_crash_of_the_server_loses_nothing() {
    let Some(mut page) = Page::open(&[]) else {
        return;
    };
    // Below those that the system gives to anybody who asks, so that nobody
    // has it while no server does.
    let folder = TempDir::with_prefix("trace-design-").unwrap();
    page.designer = Designer::start_in(folder, 20_000 + port_of_ours(), &[]);
    page.load();
    page.draw(&HILL);
    let drawn = page.design();
    let port = page.designer.port();
    let other = Designer::start(&[]);
    let folder = std::mem::replace(&mut page.designer, other).kill();
    // Drawn while nobody listens.
    page.fill("#models .name", "while it was dead");
    page.browser
        .wait_for("document.querySelector('#saved').dataset.state === 'browser'");
    page.designer = Designer::start_in(folder, port, &[]);
    assert_eq!(page.designer.port(), port, "the port was taken meanwhile");
    page.load();
    page.browser.click("#notes button");
    let back = page.design();
    assert_eq!(back["models"][0]["name"], "while it was dead");
    assert_eq!(back["models"][0]["points"], drawn["models"][0]["points"]);
}

#[test]
fn a_downloaded_curve_is_opened_again() {
    let Some(page) = Page::open(&[]) else { return };
    page.fill("#models .name", "saved \"so\" 🚀");
    page.draw(&HILL);
    page.browser.click("#tab-traffic");
    page.fill("#input-length", "lognormal:900,700,max=8192");
    page.fill("#prefixes", "pool:20,1024");
    let drawn = page.design();
    page.browser.click("#open-files");
    page.browser.click("#save-json");
    let file: Value = serde_json::from_slice(&page.browser.downloaded("curve.json")).unwrap();
    assert_eq!(in_floats(file)["models"], drawn["models"]);
    page.browser.click("#files [data-close]");
    page.browser.click("#tab-points");
    page.browser.click("#clear-points");
    assert!(page.points(0).is_empty());
    page.open_file(&page.browser.downloads().join("curve.json"));
    page.browser
        .wait_for("document.querySelector('#points-body tr')");
    assert_eq!(page.design(), drawn);
}

#[test]
fn a_pickle_goes_out_and_comes_in() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&HILL);
    let drawn = page.points(0);
    page.browser.click("#open-files");
    page.browser.click("#save-pickle");
    let pickle = page.browser.downloaded("traffic_config.pkl");
    assert_eq!(pickle[0], 0x80, "a pickle begins with its protocol");
    page.browser.click("#files [data-close]");
    page.browser.click("#clear-points");
    page.open_file(&page.browser.downloads().join("traffic_config.pkl"));
    page.browser
        .wait_for("document.querySelector('#points-body tr')");
    let back = page.points(0);
    assert_eq!(back.len(), drawn.len());
    for (a, b) in back.iter().zip(&drawn) {
        assert!(
            (a.0 - b.0).abs() < 1e-3 && (a.1 - b.1).abs() < 1e-6,
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn a_file_that_is_no_curve_is_refused_in_words() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&HILL);
    let before = page.design();
    let path = page.designer.path().join("picture.json");
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
    page.open_file(&path);
    page.browser
        .wait_for("document.querySelector('#files .field-error')");
    page.browser.says("#files .field-error", "picture.json");
    assert_eq!(page.design(), before);
}

#[test]
fn files_of_the_folder_are_saved_and_opened() {
    let Some(page) = Page::open(&["--dir", "."]) else {
        return;
    };
    page.draw(&HILL);
    let drawn = page.design();
    page.browser.click("#open-files");
    page.browser
        .wait_for("!document.querySelector('#dir-section').hidden");
    page.fill("#dir-save-name", "monday");
    page.browser.click("#save-in-dir button");
    let path = page.designer.path().join("monday.json");
    wait(|| path.is_file().then_some(()), || "monday.json".to_owned());
    page.browser
        .wait_for("document.querySelector('#dir-files button')?.textContent === 'monday.json'");
    // Anything outside is refused, whatever its name.
    page.fill("#dir-save-name", "../outside.json");
    page.browser.click("#save-in-dir button");
    page.browser
        .wait_for("document.querySelector('#save-in-dir + .field-error, #save-in-dir .field-error, #dir-section .field-error')");
    page.browser.click("#files [data-close]");
    page.browser.click("#clear-points");
    page.browser.click("#open-files");
    page.browser
        .wait_for("document.querySelector('#dir-files button')");
    page.browser.click("#dir-files button");
    page.browser
        .wait_for("document.querySelector('#points-body tr')");
    assert_eq!(page.design(), drawn);
}

#[test]
fn done_writes_the_curve_and_ends() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&HILL);
    let drawn = page.design();
    page.browser.click("#done");
    page.answer("done");
    page.browser.wait_for("document.querySelector('#ended')");
    let Page { browser, designer } = page;
    let (status, text) = designer.ended();
    assert_eq!(status.code(), Some(0));
    let curve: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(in_floats(curve)["models"], drawn["models"]);
    drop(browser);
}
