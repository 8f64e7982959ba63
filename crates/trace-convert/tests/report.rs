//! `--report`, held against its schema.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use serde_json::Value;

/// The report of a run, whatever its exit code.
fn report(flags: &[&str], input: &str) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.json");
    Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .args(flags)
        .args(["--report", path.to_str().unwrap()])
        .write_stdin(input)
        .output()
        .unwrap();
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

const TABLE: &str =
    "Timestamp,Model,Request tokens,Response tokens\n0,m,600,5\n1,m,NaN,0\n2,n,7,0\n";
const TRACE: &str = "{\"timestamp\":5,\"input_length\":600,\"hash_ids\":[1]}\n{\"timestamp\":0,\"input_length\":6,\"hash_ids\":[1,2]}\n{\"text_input\":\"x\",\"session_id\":1}\n";

#[test]
fn every_report_is_what_the_schema_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../schemas/convert.schema.json"
    );
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (flags, input) in [
        (&["--skip-invalid", "--model", "m"][..], TABLE),
        (&[], TABLE),
        (&["--repair", "--repeat", "3"], TRACE),
        (&["--repeat", "2", "--to", "sharegpt"], TRACE),
        (&["--to", "prompts"], TRACE),
        (&["--render", "--to", "aiperf"], TRACE),
        (&["--to", "aibrix"], TRACE),
        (&["--to", "csv", "--count"], TRACE),
        (&[], TRACE),
        (&[], ""),
    ] {
        let report = report(flags, input);
        let errors: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{flags:?}: {errors:?}\n{report}");
    }
}

#[test]
fn every_request_is_written_or_dropped() {
    for (flags, written) in [
        (&["--repeat", "2", "--to", "sharegpt"][..], 2),
        (&["--repeat", "2"], 6),
        (&["--to", "prompts"], 1),
        (&["--repair", "--skip", "1"], 2),
    ] {
        let report = report(flags, TRACE);
        let count = |name: &str| report[name].as_u64().unwrap();
        assert_eq!(count("written"), written, "{flags:?}: {report}");
        assert_eq!(
            count("read") + count("copies"),
            count("written") + count("requests_dropped"),
            "{flags:?}: {report}"
        );
    }
}
