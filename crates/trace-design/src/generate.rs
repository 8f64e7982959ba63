//! From a design to its requests, exactly as `trace-synth curve` makes them.

use crate::reply::Refusal;
use clap::Parser;
use std::collections::HashSet;
use std::path::PathBuf;
use trace_synth::curve_file::Curve;
use trace_synth::drawn;
use trace_synth::{Args, Command, Requests};

/// The files that lengths may be read from: those that the curve named with
/// which the tool was started. A design from the browser opens no others.
#[derive(Debug, Default)]
pub(crate) struct Generator {
    trusted: HashSet<PathBuf>,
}

/// How much of each request is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All of it.
    Whole,
    /// When it comes and how long it is; what prompts share takes the most
    /// time to draw, and moves nothing else.
    Lengths,
}

impl Generator {
    /// One that may read what `curve` names.
    ///
    /// # Errors
    /// What the curve says of a model and cannot be.
    pub(crate) fn trusting(curve: &Curve) -> anyhow::Result<Self> {
        Ok(Self {
            trusted: command().files(curve)?.into_iter().collect(),
        })
    }

    /// The requests of `curve`, in time order.
    ///
    /// # Errors
    /// 400 for what the curve says of a model and cannot be, 403 for a file
    /// that the page may not have read.
    pub(crate) fn requests(
        &self,
        curve: &Curve,
        detail: Detail,
    ) -> Result<Box<dyn Requests>, Refusal> {
        let mut args = command();
        args.trace.no_hash_ids = detail == Detail::Lengths;
        let files = args.files(curve).map_err(|error| refusal(curve, &error))?;
        if let Some(file) = files.iter().find(|file| !self.trusted.contains(*file)) {
            return Err(Refusal::forbidden(format_args!(
                "empirical:{} names a file, which is not opened for the page; start trace-design with a curve file that names it",
                file.display()
            )));
        }
        args.of(curve).map_err(|error| refusal(curve, &error))
    }

    /// See that `trace-synth curve` can make a trace of `curve`, as far as
    /// that can be told without opening files.
    ///
    /// # Errors
    /// 400.
    pub(crate) fn check(&self, curve: &Curve) -> Result<(), Refusal> {
        let files = command().files(curve);
        let files = files.map_err(|error| refusal(curve, &error))?;
        if files.iter().all(|file| self.trusted.contains(file)) {
            self.requests(curve, Detail::Lengths)?;
        }
        Ok(())
    }
}

/// What a model may say of itself.
const FIELDS: [&str; 4] = ["arrival", "input_length", "output_length", "prefixes"];

/// `error`, with the model and the field that it is about, for the page to show
/// it there.
fn refusal(curve: &Curve, error: &anyhow::Error) -> Refusal {
    let said = format!("{error:#}");
    let mut refusal = Refusal::bad(&said);
    let found = curve.models.iter().find_map(|model| {
        let rest = said.strip_prefix(&format!("model {:?}: ", model.name))?;
        let field = FIELDS.into_iter().find(|field| rest.starts_with(field))?;
        Some((&model.name, field))
    });
    if let Some((model, field)) = found {
        refusal.body["model"] = model.as_str().into();
        refusal.body["field"] = field.into();
    }
    refusal
}

/// The seed of `curve`'s trace.
pub(crate) fn seed(curve: &Curve) -> u64 {
    let seed = curve.other.get("seed").and_then(serde_json::Value::as_u64);
    seed.unwrap_or_default()
}

/// `trace-synth curve`, as it is without flags.
fn command() -> drawn::Args {
    let typed = Args::try_parse_from(["trace-synth", "curve"]);
    match typed.map(|args| args.command) {
        Ok(Command::Curve(args)) => args,
        _ => unreachable!("curve needs no flags"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(length: &str) -> Curve {
        let text = format!(
            r#"{{"version":1,"duration_ms":1000,"models":[{{"name":"m","interpolation":"step","points":[],"input_length":"{length}"}}]}}"#
        );
        Curve::parse("c", &text).unwrap()
    }

    #[test]
    fn a_file_is_read_only_for_who_started_the_tool() {
        let named = curve("empirical:/etc/passwd");
        let refused = Generator::default().requests(&named, Detail::Whole);
        let refusal = refused.err().unwrap();
        assert_eq!(refusal.status, 403);
        assert!(
            refusal.body["error"]
                .as_str()
                .unwrap()
                .contains("/etc/passwd")
        );
        // It may be drawn with, and is read by trace-synth later.
        assert!(Generator::default().check(&named).is_ok());
        // A trusted one is opened, and says what is wrong with it.
        let trusting = Generator::trusting(&named).unwrap();
        assert_eq!(
            trusting
                .requests(&named, Detail::Whole)
                .err()
                .unwrap()
                .status,
            400
        );
    }

    #[test]
    fn what_cannot_be_is_said_with_its_model() {
        let refusal = Generator::default().check(&curve("often")).unwrap_err();
        let said = refusal.body["error"].as_str().unwrap();
        assert!(said.starts_with("model \"m\": input_length: "), "{said}");
        assert_eq!(
            (&refusal.body["model"], &refusal.body["field"]),
            (&"m".into(), &"input_length".into())
        );
    }
}
