//! The tool as a process, and small inputs.

use assert_cmd::Command;
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;

/// Exit code, stdout and stderr of a run over `input`.
pub(crate) fn stats(args: &[&str], input: impl Into<Vec<u8>>) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trace-stats"));
    let output = command.args(args).write_stdin(input).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// The JSON report; the run must succeed.
pub(crate) fn report(args: &[&str], input: impl Into<Vec<u8>>) -> Value {
    let mut all = vec!["--format", "json"];
    all.extend(args);
    let (code, stdout, stderr) = stats(&all, input);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// The published conversation trace, which is 3 MB and not ours: where the
/// folder that `TRACE_DATA` names has it.
pub(crate) fn conversation_trace() -> Option<PathBuf> {
    let name = "conversation_trace.jsonl";
    let folder = std::env::var_os("TRACE_DATA");
    if folder.is_none() {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(stderr, "SKIPPED: set TRACE_DATA to the folder of {name}").unwrap();
    }
    folder.map(|folder| PathBuf::from(folder).join(name))
}

/// Blocks of 10 tokens: rows 1 and 2 share two blocks, row 3 is row 2 again,
/// row 4 shares with nobody, row 5 has no ids.
pub(crate) const TRACE: &str = r#"{"timestamp":0,"input_length":25,"output_length":4,"hash_ids":[0,1,2],"session_id":"a"}
{"timestamp":1000,"input_length":28,"output_length":8,"hash_ids":[0,1,3],"session_id":"a","model":"m"}
{"timestamp":1500,"input_length":28,"output_length":8,"hash_ids":[0,1,3],"session_id":7,"model":"m"}
{"timestamp":3000,"input_length":5,"output_length":4,"hash_ids":[4]}
{"timestamp":4000,"input_length":14,"output_length":6}
"#;

/// One success in order, one that ended before it, a failure, one cancelled.
pub(crate) const OUTCOMES: &str = r#"{"input_length":20,"hash_ids":[1,2],"seq":1,"scheduled_ms":100,"due_ms":100,"sent_ms":102,"lateness_ms":2,"queue_ms":0,"ttft_ms":50,"last_token_ms":80,"latency_ms":81,"tpot_ms":10,"itl_ms":[10,20],"input_tokens":20,"cached_tokens":10,"output_tokens":4,"token_source":"usage","chunks":3,"status":200}
{"input_length":10,"hash_ids":[1],"seq":0,"scheduled_ms":0,"due_ms":10,"sent_ms":10,"lateness_ms":0,"queue_ms":10,"ttft_ms":100,"last_token_ms":190,"latency_ms":190,"tpot_ms":30,"itl_ms":[30,30,30],"input_tokens":10,"output_tokens":4,"token_source":"usage","chunks":4,"status":200}
{"input_length":10,"hash_ids":[9],"seq":2,"scheduled_ms":200,"due_ms":200,"sent_ms":200,"lateness_ms":0,"queue_ms":0,"latency_ms":300,"status":500,"error":{"kind":"http","message":"500"}}
{"input_length":10,"seq":3,"scheduled_ms":900,"error":{"kind":"cancelled","message":"^C"}}
"#;
