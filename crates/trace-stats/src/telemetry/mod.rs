//! What the server and the GPUs said during a run, series by series.
//!
//! ```text
//! lines of trace-send --telemetry → Series → table | json
//! ```

mod args;
mod lines;
mod run;
pub mod series;

pub use args::TelemetryArgs;
pub(crate) use lines::each_sample;
pub use run::run;
