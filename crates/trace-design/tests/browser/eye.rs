//! What is to be seen on the page, and waiting for it.
//!
//! The page shows a change before the next frame, not at once, and much of
//! what it shows comes from a server: a driver is faster than both. So every
//! look waits until the page has shown what it knows, and what is to come of
//! an action is waited for ([`Browser::becomes`]), on a clock that only ends
//! what never comes.

use crate::chromium::Browser;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// When something counts as never to come.
const PATIENCE: Duration = Duration::from_secs(120);

/// A promise that is kept when what was done before is on the screen: one
/// frame changes the page, the next one paints on canvases. A tab that nobody
/// sees has no frames, so that the wait ends there without one.
const SHOWN: &str = "document.hidden ? Promise.resolve() : new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
    document.addEventListener('visibilitychange', done, {once: true});
})";

impl Browser {
    /// Wait until the page has shown all that it knows.
    pub(crate) fn shown(&self) {
        self.run("", &json!([]));
    }

    /// What `script` returns, the page's `arguments` being `arguments`; a
    /// promise is waited for. It begins when the page has [`shown`](Self::shown)
    /// what was done before.
    pub(crate) fn run(&self, script: &str, arguments: &Value) -> Value {
        let script = format!(
            "const given = arguments; return ({SHOWN}).then(() => (function () {{ {script}\n }}).apply(null, given))"
        );
        self.call(
            "POST",
            "/execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// What the expression `script` is.
    pub(crate) fn eval(&self, script: &str) -> Value {
        self.run(&format!("return {script}"), &json!([]))
    }

    /// Wait until the expression `script` is true.
    pub(crate) fn wait_for(&self, script: &str) {
        let is = || self.eval(&format!("Boolean({script})"));
        wait(
            || (is() == json!(true)).then_some(()),
            || format!("{script}\n{}", self.situation()),
        );
    }

    /// Wait until the expression `script` is `value`.
    pub(crate) fn becomes(&self, script: &str, value: impl Into<Value>) {
        let value = value.into();
        wait(
            || (self.eval(script) == value).then_some(()),
            || {
                let now = self.eval(script);
                format!("{script} to be {value}; it is {now}\n{}", self.situation())
            },
        );
    }

    /// Wait until the text of an element has `part` in it.
    pub(crate) fn says(&self, css: &str, part: &str) {
        self.wait_for(&format!(
            "document.querySelector({})?.textContent.includes({})",
            json!(css),
            json!(part)
        ));
    }

    /// Wait until there is an element that has any text.
    pub(crate) fn speaks(&self, css: &str) {
        self.wait_for(&format!(
            "document.querySelector({})?.textContent.trim()",
            json!(css)
        ));
    }

    /// Wait until `text` is what a field shows.
    pub(crate) fn field_becomes(&self, css: &str, text: &str) {
        let script = format!("document.querySelector({})?.value ?? null", json!(css));
        self.becomes(&script, text);
    }

    /// What is to be seen on the page, for messages.
    fn situation(&self) -> String {
        let errors = "[...document.querySelectorAll('.field-error, .note, #totals-note, #saved')].map((e) => e.textContent)";
        format!(
            "messages: {}; console: {:?}",
            self.eval(errors),
            self.errors()
        )
    }

    /// The text of an element.
    pub(crate) fn text(&self, css: &str) -> String {
        self.property(css, "textContent")
    }

    /// What is typed in a field.
    pub(crate) fn value(&self, css: &str) -> String {
        self.property(css, "value")
    }

    fn property(&self, css: &str, name: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.[arguments[1]]";
        let text = self.run(script, &json!([css, name]));
        text.as_str()
            .unwrap_or_else(|| panic!("no {css}"))
            .to_owned()
    }

    /// The page as a PNG in base 64.
    pub(crate) fn screenshot(&self) -> String {
        self.shown();
        let picture = self.call("GET", "/screenshot", &Value::Null);
        picture.as_str().unwrap().to_owned()
    }

    /// What the page wrote on its console as errors since last asked.
    pub(crate) fn errors(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({"type": "browser"}));
        let lines = log.as_array().unwrap().iter();
        let severe = lines.filter(|line| line["level"] == "SEVERE");
        severe
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Where downloads land.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.profile().join("downloads")
    }

    /// The file `name` once it is downloaded whole.
    pub(crate) fn downloaded(&self, name: &str) -> Vec<u8> {
        let path = self.downloads().join(name);
        let whole = || {
            let mut files = std::fs::read_dir(self.downloads()).ok()?.flatten();
            let comes = files.any(|file| file.path().extension() == Some("crdownload".as_ref()));
            let bytes = std::fs::read(&path).ok()?;
            (!comes && !bytes.is_empty()).then_some(bytes)
        };
        wait(whole, || format!("{name} to be downloaded"))
    }
}

/// What `found` gives once it gives something, or fail with `what` never came.
pub(crate) fn wait<T>(found: impl Fn() -> Option<T>, what: impl Fn() -> String) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {}", what());
        thread::sleep(Duration::from_millis(25));
    }
}
