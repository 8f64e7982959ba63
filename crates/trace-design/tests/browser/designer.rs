//! A `trace-design` that runs, and the page it serves.

use crate::chromium::Browser;
use crate::hand::Hand;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use tempfile::TempDir;

/// The tool, and a folder for its files.
pub(crate) struct Designer {
    process: Child,
    pub(crate) url: String,
    pub(crate) folder: TempDir,
}

impl Designer {
    /// Start the tool on any port with `flags`, in a folder of its own.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_in(TempDir::with_prefix("trace-design-").unwrap(), 0, flags)
    }

    /// Start the tool on `port`, in `folder`.
    pub(crate) fn start_in(folder: TempDir, port: u16, flags: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_trace-design"))
            .args(["--port", &port.to_string()])
            .args(flags)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut first = String::new();
        stderr.read_line(&mut first).unwrap();
        thread::spawn(move || stderr.lines().for_each(drop));
        let url = first.split(' ').find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {first:?}"));
        Self {
            url: url.to_owned(),
            process,
            folder,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Port of its page.
    pub(crate) fn port(&self) -> u16 {
        let port = self.url.trim_end_matches('/').rsplit(':').next();
        port.unwrap().parse().unwrap()
    }

    /// Wait until it ends; its status, and what it wrote on stdout.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        let mut stdout = self.process.stdout.take().unwrap();
        stdout.read_to_string(&mut text).unwrap();
        (self.process.wait().unwrap(), text)
    }

    /// End it as a crash would; the folder is left.
    pub(crate) fn kill(mut self) -> TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }
}

impl Drop for Designer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser that shows the page of a tool.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    pub(crate) designer: Designer,
}

impl Page {
    /// The page of a tool started with `flags`; none where no browser is.
    pub(crate) fn open(flags: &[&str]) -> Option<Self> {
        let browser = Browser::start()?;
        let page = Self {
            browser,
            designer: Designer::start(flags),
        };
        page.load();
        Some(page)
    }

    /// Load the page, anew if it was there.
    pub(crate) fn load(&self) {
        self.browser.go(&self.designer.url);
        self.ready();
    }

    /// Wait until the page is ready to be used.
    pub(crate) fn ready(&self) {
        self.browser
            .wait_for("document.documentElement.dataset.ready");
    }

    /// Drag over the plot with a mouse; places are shares of what is within
    /// the axes, from the lower left corner.
    pub(crate) fn draw(&self, path: &[(f64, f64)]) {
        self.draw_with(Hand::Mouse, path);
    }

    /// [`draw`](Self::draw) with another hand.
    pub(crate) fn draw_with(&self, hand: Hand, path: &[(f64, f64)]) {
        self.browser.drag("#plot", hand, &self.places(path));
    }

    /// Pixels of shares of what is within the axes.
    pub(crate) fn places(&self, shares: &[(f64, f64)]) -> Vec<(f64, f64)> {
        // The margins of the plot: left, right, top, bottom.
        let margin = [62.0, 14.0, 12.0, 44.0];
        let size = self.browser.eval("(() => { const plot = document.querySelector('#plot'); return [plot.clientWidth, plot.clientHeight] })()");
        let size = [0, 1].map(|i| size[i].as_f64().unwrap());
        let (wide, high) = (
            size[0] - margin[0] - margin[1],
            size[1] - margin[2] - margin[3],
        );
        let place = |&(x, y): &(f64, f64)| (margin[0] + x * wide, margin[2] + (1.0 - y) * high);
        shares.iter().map(place).collect()
    }

    /// The design as the server has it, once everything is saved. What was
    /// done before is in it: the page says that it is not saved at once.
    pub(crate) fn design(&self) -> Value {
        self.browser
            .wait_for("document.querySelector('#saved').dataset.state === 'saved'");
        let script = "const token = document.querySelector('meta[name=token]').content;
            return fetch('/api/design', {headers: {'x-trace-design': token}}).then((answer) => answer.json())";
        in_floats(self.browser.run(script, &json!([]))["design"].take())
    }

    /// The points of a model, (milliseconds, requests per second).
    pub(crate) fn points(&self, model: usize) -> Vec<(f64, f64)> {
        let design = self.design();
        let points = design["models"][model]["points"].as_array().unwrap().iter();
        let number = |value: &Value| value.as_f64().unwrap();
        points
            .map(|point| (number(&point["t_ms"]), number(&point["rate"])))
            .collect()
    }

    /// Type `text` into a field and be done with it.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        self.browser.fill(css, text);
    }

    /// A number of the table of totals: that of a model, or `Total`.
    pub(crate) fn total(&self, model: &str, field: &str) -> f64 {
        self.browser.wait_for("document.querySelector('#totals').getAttribute('aria-busy') === 'false' && !document.querySelector('#totals-note.error')");
        let script = "const row = [...document.querySelectorAll('#totals tr')].find((row) => row.dataset.model === arguments[0]);
            return Number(row.querySelector(`[data-field=${arguments[1]}]`).dataset.value)";
        let value = self.browser.run(script, &json!([model, field]));
        value.as_f64().unwrap()
    }

    /// Answer a question that is open by one of its choices.
    pub(crate) fn answer(&self, choice: &str) {
        let css = format!("dialog.question [data-answer=\"{choice}\"]");
        self.browser
            .wait_for(&format!("document.querySelector({})", json!(css)));
        self.browser.click(&css);
        // The page hears of the answer when the question is gone.
        self.browser
            .wait_for(&format!("!document.querySelector({})", json!(css)));
    }

    /// Open a file of this machine as the user would.
    pub(crate) fn open_file(&self, path: &Path) {
        self.browser.click("#open-files");
        self.browser.keys("#file-open", path.to_str().unwrap());
    }

    /// Nothing went wrong in the page that its console knows of.
    pub(crate) fn is_quiet(&self) {
        assert_eq!(self.browser.errors(), Vec::<String>::new());
    }
}

/// `value` with every number as a float, so that 2 and 2.0 are equal.
pub(crate) fn in_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(parts) => parts.into_iter().map(in_floats).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, field)| (name, in_floats(field)))
            .collect(),
        other => other,
    }
}

/// The rate at `t` of straight lines between `points`.
pub(crate) fn rate_at(points: &[(f64, f64)], t: f64) -> f64 {
    let after = points.partition_point(|point| point.0 <= t);
    match (after.checked_sub(1), points.get(after)) {
        (None, None) => 0.0,
        (None, Some(first)) => first.1,
        (Some(last), None) => points[last].1,
        (Some(from), Some(to)) => {
            let from = points[from];
            from.1 + (to.1 - from.1) * (t - from.0) / (to.0 - from.0)
        }
    }
}
