//! Which level and round of a sweep an outcome is of.

use serde_json::value::RawValue;
use std::path::{Path, PathBuf};
use trace_core::Outcome;

/// A level of concurrency in one round; in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Level {
    stage: Option<String>,
    /// None of a run whose requests left when the trace said.
    concurrency: Option<u64>,
    /// From 1, which is also the round of a run without rounds.
    round: u64,
}

impl Level {
    pub(super) fn of(outcome: &Outcome) -> Self {
        Self {
            stage: outcome.stage.clone(),
            concurrency: outcome.concurrency,
            round: outcome.round.unwrap_or(1),
        }
    }

    /// `4`, or `open`
    fn concurrency(&self) -> String {
        let number = self.concurrency.map(|number| number.to_string());
        number.unwrap_or_else(|| "open".to_owned())
    }

    /// Its file in `folder`; a stage has a folder of its own.
    pub(super) fn path(&self, folder: &Path) -> PathBuf {
        let file = format!(
            "concurrency_{}_round_{}.json",
            self.concurrency(),
            self.round
        );
        match &self.stage {
            Some(stage) => folder.join(folder_name(stage)).join(file),
            None => folder.join(file),
        }
    }

    /// Its column in the table.
    pub(super) fn column(&self) -> String {
        let stage = self.stage.as_ref();
        let stage = stage.map_or(String::new(), |stage| format!("{stage}-"));
        format!(
            "{stage}Concurrency{}-Round{}",
            self.concurrency(),
            self.round
        )
    }

    /// The identity of a request in it.
    pub(super) fn request_id(&self, seq: u64) -> String {
        format!("round{}_conc{}_{seq}", self.round, self.concurrency())
    }

    pub(super) fn concurrency_and_round(&self) -> (Option<u64>, u64) {
        (self.concurrency, self.round)
    }

    /// Its fields as those of a group.
    pub(super) fn by(&self) -> Vec<(String, Box<RawValue>)> {
        let raw = |value: serde_json::Value| {
            RawValue::from_string(value.to_string()).expect("a value is JSON")
        };
        vec![
            ("stage".to_owned(), raw(self.stage.clone().into())),
            ("concurrency".to_owned(), raw(self.concurrency.into())),
            ("round".to_owned(), raw(self.round.into())),
        ]
    }
}

/// The name of a stage as that of a folder: what a path could be made of is
/// written as %XX, so that no two stages share a folder and none leaves its own.
fn folder_name(stage: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_ ".contains(&byte);
    let bytes = stage.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    let name: String = bytes.collect();
    if name.is_empty() {
        "%".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(stage: Option<&str>, concurrency: Option<u64>, round: Option<u64>) -> Level {
        Level::of(&Outcome {
            stage: stage.map(str::to_owned),
            concurrency,
            round,
            ..Outcome::default()
        })
    }

    #[test]
    fn a_level_is_a_file_and_a_column() {
        let path = |level: Level| level.path(Path::new("r")).display().to_string();
        let four = level(None, Some(4), Some(2));
        assert_eq!(four.column(), "Concurrency4-Round2");
        assert_eq!(four.request_id(7), "round2_conc4_7");
        assert_eq!(path(four), "r/concurrency_4_round_2.json");
        assert_eq!(
            path(level(None, None, None)),
            "r/concurrency_open_round_1.json"
        );
        let warm = level(Some("warm up"), Some(1), None);
        assert_eq!(path(warm), "r/warm up/concurrency_1_round_1.json");
    }

    #[test]
    fn no_stage_leaves_the_folder() {
        assert_eq!(folder_name(".."), "%2E%2E");
        assert_eq!(folder_name("a/../b"), "a%2F%2E%2E%2Fb");
        assert_eq!(folder_name("/etc"), "%2Fetc");
        assert_eq!(folder_name(""), "%");
    }
}
