//! A headless Chromium that a test drives, over the WebDriver protocol.

use crate::driver::{Driver, program};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// When something counts as never to come.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the protocol calls the id of an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own, which ends with the test.
pub(crate) struct Browser {
    driver: Driver,
    session: String,
    profile: TempDir,
}

/// How a pointer presses.
#[derive(Clone, Copy)]
pub(crate) enum Hand {
    Mouse,
    Pen,
    Touch,
}

impl Browser {
    /// A browser, or none where there is none: then the test is skipped
    /// aloud, or fails where a browser is required.
    pub(crate) fn start() -> Option<Self> {
        let found = (
            program(&["chromium", "chromium-browser", "google-chrome"]),
            program(&["chromedriver"]),
        );
        if let (Some(chromium), Some(driver)) = &found {
            return Some(Self::launch(chromium, driver));
        }
        let required = std::env::var_os("TRACE_BROWSER").is_some_and(|how| how == "required");
        assert!(
            !required,
            "TRACE_BROWSER=required, but there is no chromium or no chromedriver in PATH"
        );
        eprintln!("SKIPPED: there is no chromium or no chromedriver in PATH");
        None
    }

    fn launch(chromium: &Path, driver: &Path) -> Self {
        let profile = TempDir::with_prefix("trace-design-browser-").unwrap();
        let mut browser = Self {
            driver: Driver::start(driver),
            session: String::new(),
            profile,
        };
        let flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,720",
        ];
        let user_data = format!("--user-data-dir={}", browser.profile.path().display());
        let flags: Vec<&str> = flags.into_iter().chain([user_data.as_str()]).collect();
        let options = json!({
            "binary": chromium,
            "args": flags,
            "prefs": {"download.default_directory": browser.downloads(), "download.prompt_for_download": false},
        });
        let capabilities = json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let asked = json!({"capabilities": {"alwaysMatch": capabilities}});
        let session = browser.ask("POST", "/session", Some(&asked));
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        browser.resize(1280, 720);
        browser
    }

    /// Where downloads land.
    pub(crate) fn downloads(&self) -> PathBuf {
        self.profile.path().join("downloads")
    }

    /// The file `name` once it is downloaded whole.
    pub(crate) fn downloaded(&self, name: &str) -> Vec<u8> {
        let path = self.downloads().join(name);
        wait(&format!("{name} to be downloaded"), || path.is_file());
        std::fs::read(path).unwrap()
    }

    /// Open `url`.
    pub(crate) fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({"url": url}));
    }

    /// What `script` returns, the page's `arguments` being `arguments`; a
    /// promise is waited for.
    pub(crate) fn run(&self, script: &str, arguments: &Value) -> Value {
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
        wait(&format!("{script}\n{}", self.situation()), || {
            self.eval(&format!("Boolean({script})")) == json!(true)
        });
    }

    /// What is to be seen on the page, for messages.
    fn situation(&self) -> String {
        let errors = "[...document.querySelectorAll('.field-error, .note, #totals-note')].map((e) => e.textContent)";
        format!("messages: {}", self.eval(errors))
    }

    /// The text of an element.
    pub(crate) fn text(&self, css: &str) -> String {
        let text = self.run(
            "return document.querySelector(arguments[0])?.textContent",
            &json!([css]),
        );
        text.as_str()
            .unwrap_or_else(|| panic!("no {css}"))
            .to_owned()
    }

    /// What is typed in a field.
    pub(crate) fn value(&self, css: &str) -> String {
        let value = self.run(
            "return document.querySelector(arguments[0])?.value",
            &json!([css]),
        );
        value
            .as_str()
            .unwrap_or_else(|| panic!("no {css}"))
            .to_owned()
    }

    fn element(&self, css: &str) -> String {
        let found = self.call(
            "POST",
            "/element",
            &json!({"using": "css selector", "value": css}),
        );
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Click on an element, as a mouse would.
    pub(crate) fn click(&self, css: &str) {
        let element = self.element(css);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Send keys to an element; with a file field, the path of a file.
    pub(crate) fn keys(&self, css: &str, text: &str) {
        let element = self.element(css);
        self.call(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": text}),
        );
    }

    /// Replace what is in a field by `text`, and leave the field. Keys that
    /// the driver knows none of (emoji) go through the page's own input.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        let script = "const field = document.querySelector(arguments[0]); field.focus(); field.select();
            document.execCommand(arguments[1] === '' ? 'delete' : 'insertText', false, arguments[1]); field.blur();";
        self.run(script, &json!([css, text]));
    }

    /// Press at the first of `path`, move over the others and lift, all in
    /// pixels from the upper left corner of the element.
    pub(crate) fn drag(&self, css: &str, hand: Hand, path: &[(f64, f64)]) {
        let kind = match hand {
            Hand::Mouse => "mouse",
            Hand::Pen => "pen",
            Hand::Touch => "touch",
        };
        let size = self.run("const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.width, box.height]", &json!([css]));
        let half = |i: usize| size[i].as_f64().unwrap() / 2.0;
        let origin = json!({ELEMENT: self.element(css)});
        let to = |(x, y): (f64, f64)| json!({"type": "pointerMove", "duration": 10, "origin": origin, "x": (x - half(0)).round() as i64, "y": (y - half(1)).round() as i64});
        let mut actions = vec![to(path[0]), json!({"type": "pointerDown", "button": 0})];
        actions.extend(path[1..].iter().map(|&place| to(place)));
        actions.push(json!({"type": "pointerUp", "button": 0}));
        let source = json!({"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions});
        self.call("POST", "/actions", &json!({"actions": [source]}));
        self.call("DELETE", "/actions", &Value::Null);
    }

    /// Press keys together, the last one last, wherever the focus is.
    pub(crate) fn chord(&self, keys: &[&str]) {
        let down = keys
            .iter()
            .map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys
            .iter()
            .rev()
            .map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<Value> = down.chain(up).collect();
        let source = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.call("POST", "/actions", &json!({"actions": [source]}));
    }

    /// Make the page so large, in CSS pixels.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Let the system prefer dark colours, or light ones.
    pub(crate) fn prefer(&self, scheme: &str) {
        let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &feature);
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.call(
            "POST",
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
    }

    /// The page as a PNG in base 64.
    pub(crate) fn screenshot(&self) -> String {
        let picture = self.call("GET", "/screenshot", &Value::Null);
        picture.as_str().unwrap().to_owned()
    }

    /// Open another tab and turn to it; the tabs before it stay open.
    pub(crate) fn new_tab(&self) {
        let tab = self.call("POST", "/window/new", &json!({"type": "tab"}));
        self.call("POST", "/window", &json!({"handle": tab["handle"]}));
        self.resize(1280, 720);
    }

    /// Turn to the tab that was opened as number `index`.
    pub(crate) fn turn_to_tab(&self, index: usize) {
        let tabs = self.call("GET", "/window/handles", &Value::Null);
        self.call("POST", "/window", &json!({"handle": tabs[index]}));
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

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.ask(method, &path, (!body.is_null()).then_some(body))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.driver.exchange(method, path, body);
        let value = answer["value"].clone();
        assert!(
            status == 200,
            "{method} {path} {}: {}: {}",
            body.map_or(String::new(), Value::to_string),
            value["error"],
            value["message"]
        );
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let path = format!("/session/{}", self.session);
            self.driver.exchange("DELETE", &path, None);
        }
    }
}

/// Wait until `happened`, or fail with `what` did not.
pub(crate) fn wait(what: &str, happened: impl Fn() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(25));
    }
}
