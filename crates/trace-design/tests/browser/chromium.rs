//! A headless Chromium that a test drives, over the WebDriver protocol.

use crate::driver::{Driver, program};
use crate::turn::Turn;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What the protocol calls the id of an element.
pub(crate) const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Milliseconds that a script may take, and a page to load: longer than a
/// slow machine makes it wait.
const LONG_MS: u64 = 120_000;

/// When a browser that was ended counts as never to be gone.
const LINGERING: Duration = Duration::from_secs(30);

/// Browsers that are started until one comes up in time.
const TRIES: usize = 3;

/// A browser with a profile of its own, which ends with the test.
pub(crate) struct Browser {
    driver: Driver,
    session: String,
    // Everything that the browser and its driver write, temporary files too.
    profile: Option<TempDir>,
    _turn: Turn,
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
            let launched = (0..TRIES).find_map(|_| Self::launch(chromium, driver));
            return Some(launched.expect("a browser comes up"));
        }
        let required = std::env::var_os("TRACE_BROWSER").is_some_and(|how| how == "required");
        assert!(
            !required,
            "TRACE_BROWSER=required, but there is no chromium or no chromedriver in PATH"
        );
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: there is no chromium or no chromedriver in PATH"
        )
        .unwrap();
        None
    }

    /// A browser with a session; none if it did not come up in the time that
    /// the driver gives it.
    fn launch(chromium: &Path, driver: &Path) -> Option<Self> {
        let turn = Turn::take();
        // A short name: the browser's socket lies below it.
        let profile = TempDir::with_prefix("td-").unwrap();
        let temporary = profile.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let mut browser = Self {
            driver: Driver::start(driver, &temporary),
            session: String::new(),
            profile: Some(profile),
            _turn: turn,
        };
        let asked = json!({"capabilities": {"alwaysMatch": browser.capabilities(chromium)}});
        let (status, answer) = browser.driver.exchange("POST", "/session", Some(&asked));
        if status != 200 {
            eprintln!("no session: {answer}");
            return None;
        }
        browser.session = answer["value"]["sessionId"].as_str().unwrap().to_owned();
        browser.resize(1280, 720);
        Some(browser)
    }

    fn capabilities(&self, chromium: &Path) -> Value {
        let user_data = format!("--user-data-dir={}", self.profile().join("data").display());
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
            &user_data,
        ];
        let options = json!({
            "binary": chromium,
            "args": flags,
            "prefs": {"download.default_directory": self.downloads(), "download.prompt_for_download": false},
        });
        json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "timeouts": {"script": LONG_MS, "pageLoad": LONG_MS},
        })
    }

    /// The folder of all that the browser writes.
    pub(crate) fn profile(&self) -> PathBuf {
        let profile = self.profile.as_ref().expect("it is dropped with us");
        profile.path().to_owned()
    }

    /// Open `url`.
    pub(crate) fn go(&self, url: &str) {
        self.call("POST", "/url", &json!({"url": url}));
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

    /// Send a command to the browser itself.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) {
        self.call(
            "POST",
            "/goog/cdp/execute",
            &json!({"cmd": command, "params": parameters}),
        );
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

    /// What the driver answers to a request of the session.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let given = (!body.is_null()).then_some(body);
        let (status, answer) = self.driver.exchange(method, &path, given);
        let value = answer["value"].clone();
        assert!(
            status == 200,
            "{method} {path} {body}: {}: {}",
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
            let _ = self.driver.try_exchange("DELETE", &path, None);
        }
        self.driver.end();
        let Some(folder) = self.profile.take().map(TempDir::keep) else {
            return;
        };
        // Processes of the browser may outlive it for a moment, and write.
        let end = Instant::now() + LINGERING;
        while std::fs::remove_dir_all(&folder).is_err() && folder.exists() {
            if Instant::now() > end {
                eprintln!("{} cannot be removed", folder.display());
                return;
            }
            thread::sleep(Duration::from_millis(25));
        }
    }
}

#[test]
fn a_browser_leaves_nothing_behind() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = browser.profile();
    assert!(folder.join("data").is_dir());
    drop(browser);
    assert!(!folder.exists(), "{} is left", folder.display());
}
