//! What the server says of itself while it is asked: samples of its metrics
//! and of the GPUs, on the run's clock, as lines of JSON in a file.
//!
//! | field | meaning |
//! |---|---|
//! | `t_ms` | since the run began, when the answer with the metrics had come |
//! | `unix_ms` | the same by the wall clock |
//! | `source` | the URL that was asked, or `nvml` |
//! | `name` | as the source has it |
//! | `labels` | as the source has them; of a histogram's quantile also `quantile` |
//! | `value` | a level as it is, a counter per second since the sample before, a histogram's quantile of what was counted since the sample before |
//! | `unit` | `""`, `1/s`, `MB`, `%` or `W` |
//!
//! The first sample is of the beginning, with levels alone; then there is one
//! every `--telemetry-interval`, and one at the end, unless less than a tenth of
//! the interval has passed since the one before.
//!
//! A thread of its own does it, so that no request waits for it.

mod gpu;
mod series;

pub(crate) use gpu::Gpus;
use series::Wanted;

use crate::args::Args;
use crate::between::site;
use crate::connect::Connector;
use crate::exposition::{Labels, Page};
use crate::fetch::{Question, fetch};
use crate::secret::shown;
use crate::target::Target;
use anyhow::{Context, anyhow};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use series::Series;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The most bytes of a page.
const MOST: usize = 64 << 20;

/// The longest that a page may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the thread looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// Between two looks at the GPUs, whose peaks are wanted.
const GPU_PERIOD: Duration = Duration::from_millis(100);

/// The part of the period below which a growth is no rate any more.
const SHORTEST: u32 = 10;

/// A number that was sampled.
#[derive(Debug, Serialize)]
struct Reading<'a> {
    /// Since the run began.
    t_ms: f64,
    /// Since 1970.
    unix_ms: f64,
    source: &'a str,
    name: &'a str,
    #[serde(serialize_with = "as_object")]
    labels: Labels,
    value: f64,
    unit: &'static str,
}

fn as_object<S: Serializer>(labels: &Labels, to: S) -> Result<S::Ok, S::Error> {
    let mut object = to.serialize_map(Some(labels.len()))?;
    for (name, value) in labels {
        object.serialize_entry(name, value)?;
    }
    object.end()
}

/// Sampling under way.
pub(crate) struct Telemetry {
    thread: JoinHandle<anyhow::Result<()>>,
    stop: Arc<AtomicBool>,
}

impl Telemetry {
    /// Sample what `args` names from when `began` is set until
    /// [`finish`](Self::finish).
    ///
    /// # Errors
    /// A file that cannot be made, a URL that is none.
    pub(crate) fn start(
        args: &Args,
        began: Arc<OnceLock<Instant>>,
        gpus: Option<Arc<Gpus>>,
    ) -> anyhow::Result<Option<Self>> {
        let file = match &args.watch.telemetry {
            Some(path) => {
                let append = args.watch.telemetry_append;
                let file = File::options()
                    .create(true)
                    .write(true)
                    .append(append)
                    .truncate(!append)
                    .open(path);
                let file = file.with_context(|| format!("--telemetry {}", path.display()))?;
                Some(BufWriter::new(file))
            }
            None if gpus.is_none() => return Ok(None),
            None => None,
        };
        let sites = args.watch.prometheus_url.iter().map(|url| {
            let (target, connector) =
                site(url, args).map_err(|reason| anyhow!("--prometheus-url: {reason}"))?;
            Ok((Arc::from(shown(url)), target, connector))
        });
        let sites = sites.collect::<anyhow::Result<Vec<_>>>()?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut sampler = Sampler {
            file,
            wanted: Wanted::new(&args.watch.prometheus_metrics),
            period: args.watch.telemetry_interval.into(),
            gpus,
            began,
            stop: Arc::clone(&stop),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // The connectors are not for two threads; they are made here and move.
        let sites: Vec<Site> = sites.into_iter().map(Site::new).collect();
        let thread = std::thread::Builder::new()
            .name("telemetry".into())
            .spawn(move || runtime.block_on(sampler.run(sites)))?;
        Ok(Some(Self { thread, stop }))
    }

    /// Sample no more, and write what was sampled.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        match self.thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(anyhow!("the thread that samples metrics panicked")),
        }
    }
}

/// A page that is sampled.
struct Site {
    url: Arc<str>,
    target: Target,
    connector: Connector,
    series: Series,
    /// It has been said that it cannot be read.
    told: bool,
}

impl Site {
    fn new((url, target, connector): (Arc<str>, Target, Connector)) -> Self {
        Self {
            url,
            target,
            connector,
            series: Series::default(),
            told: false,
        }
    }

    /// Begin anew: what was counted so far does not count.
    fn forget(&mut self) {
        self.series = Series::default();
    }

    /// Whether the last sample but the first is younger than `age`.
    fn is_fresh(&self, age: Duration) -> bool {
        let grown = self.series.grown();
        grown.is_some_and(|last| last.elapsed() < age)
    }

    /// The page as it is now.
    async fn page(&self) -> Result<Page, String> {
        let host = format!("host: {}\r\naccept: text/plain\r\n", self.target.authority);
        let question = Question {
            method: "GET",
            path: &self.target.path,
            fields: host.as_bytes(),
            patience: PATIENCE,
            most: MOST,
        };
        let said = fetch(&self.connector, question).await;
        let said = said.map_err(|failure| failure.message)?;
        if said.status != 200 {
            return Err(format!("status {}", said.status));
        }
        let page = Page::parse(&String::from_utf8_lossy(&said.body));
        if page.samples.is_empty() {
            return Err("there is no metric on the page".to_owned());
        }
        Ok(page)
    }
}

/// What the thread has.
struct Sampler {
    file: Option<BufWriter<File>>,
    wanted: Wanted,
    period: Duration,
    gpus: Option<Arc<Gpus>>,
    began: Arc<OnceLock<Instant>>,
    stop: Arc<AtomicBool>,
}

impl Sampler {
    async fn run(&mut self, mut sites: Vec<Site>) -> anyhow::Result<()> {
        let mut next_page = Instant::now();
        let mut next_gpu = Instant::now();
        let mut begun = false;
        loop {
            let last = self.stop.load(Ordering::SeqCst);
            let now = Instant::now();
            // What grew before the run is none of its business, unless the run
            // was over at once.
            let begins = !begun && !last && self.began.get().is_some();
            if begins {
                begun = true;
                sites.iter_mut().for_each(Site::forget);
            }
            if now >= next_page || begins || last {
                next_page = now + self.period;
                for site in &mut sites {
                    self.page(site, last).await?;
                }
            }
            if self.gpus.is_some() && (now >= next_gpu || last) {
                next_gpu = now + GPU_PERIOD;
                self.look_at_gpus()?;
            }
            if last {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        // Of a page that could not be read that was said.
        if !sites.iter().any(|site| site.told) {
            self.tell_unmet();
        }
        match &mut self.file {
            Some(file) => file.flush().context("cannot write telemetry"),
            None => Ok(()),
        }
    }

    fn tell_unmet(&self) {
        for name in self.wanted.unmet() {
            trace_core::say!("trace-send: --prometheus-metrics: no page has {name}");
        }
    }

    /// Sample the page of `site`, at the `last` if there is something to tell.
    async fn page(&mut self, site: &mut Site, last: bool) -> anyhow::Result<()> {
        if last && site.is_fresh(self.period / SHORTEST) {
            return Ok(());
        }
        let begun = self.began.get().is_some();
        let page = match site.page().await {
            Ok(page) => page,
            Err(why) => {
                if !std::mem::replace(&mut site.told, true) {
                    trace_core::say!("trace-send: --prometheus-url {}: {why}; going on", site.url);
                }
                return Ok(());
            }
        };
        let now = Instant::now();
        let values = site.series.update(&page, &mut self.wanted, now);
        // A run that began while the page came has one of its own at once.
        if !begun {
            return Ok(());
        }
        for (name, labels, value, unit) in values {
            self.write(&site.url, &name, labels, value, unit, now)?;
        }
        Ok(())
    }

    fn look_at_gpus(&mut self) -> anyhow::Result<()> {
        let (Some(gpus), Some(&began)) = (self.gpus.clone(), self.began.get()) else {
            return Ok(());
        };
        let now = Instant::now();
        for (name, gpu, value, unit) in gpus.look((now - began).into()) {
            let labels = vec![("gpu".to_owned(), gpu.to_string())];
            self.write("nvml", name, labels, value, unit, now)?;
        }
        Ok(())
    }

    /// Write a line, unless the run has not begun.
    fn write(
        &mut self,
        source: &str,
        name: &str,
        labels: Labels,
        value: f64,
        unit: &'static str,
        now: Instant,
    ) -> anyhow::Result<()> {
        let (Some(file), Some(&began)) = (&mut self.file, self.began.get()) else {
            return Ok(());
        };
        // As long ago as that was, so that both clocks tell one moment.
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .saturating_sub(now.elapsed());
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        let reading = Reading {
            t_ms: ms(now.saturating_duration_since(began)),
            unix_ms: ms(unix),
            source,
            name,
            labels,
            value,
            unit,
        };
        serde_json::to_writer(&mut *file, &reading).context("cannot write telemetry")?;
        file.write_all(b"\n").context("cannot write telemetry")
    }
}
