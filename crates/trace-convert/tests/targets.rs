//! Every way to write, through the process.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;

fn convert(flags: &[&str], input: &str) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_trace-convert"))
        .args(flags)
        .write_stdin(input)
        .assert()
}

#[test]
fn outcomes_become_the_phase_02_csv() {
    let outcome = r#"{"input_length":7,"seq":0,"ttft_ms":100,"latency_ms":500,"tpot_ms":95,"input_tokens":8,"output_tokens":5,"status":200,"gpu_memory_mb":1}"#;
    let header = "seq,input_tokens,output_tokens,total_tokens,latency,ttft,tpot,throughput_tps,tokens_per_sec,status,gpu_memory_mb\n";
    convert(&["--to", "phase02"], outcome)
        .success()
        .stdout(format!("{header}1,8,5,13,0.5,0.1,0.1,10,26,200,1\n"));
    convert(&["--to", "phase02", "--tpot", "standard"], outcome)
        .success()
        .stdout(format!("{header}1,8,5,13,0.5,0.1,0.095,10,26,200,1\n"));
    convert(&["--to", "phase02"], "{\"input_length\":1}\n").code(2);
}

#[test]
fn aiperf_gets_what_turns_add() {
    let trace = concat!(
        r#"{"timestamp":0,"input_length":600,"output_length":40,"hash_ids":[1,2],"session_id":1}"#,
        "\n",
        r#"{"timestamp":5,"input_length":1500,"output_length":9,"hash_ids":[1,2,3],"session_id":1}"#,
        "\n",
    );
    let expected = concat!(
        r#"{"timestamp":0,"input_length":600,"output_length":40,"hash_ids":[1,2],"session_id":"1"}"#,
        "\n",
        r#"{"timestamp":5,"input_length":860,"output_length":9,"hash_ids":[3],"session_id":"1"}"#,
        "\n",
    );
    let assert = convert(&["--to", "aiperf"], trace)
        .success()
        .stdout(expected);
    let told = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(told.contains("1 later turns, to what they add"), "{told}");
}

#[test]
fn anything_becomes_a_flat_table() {
    let trace = "{\"input_length\":1,\"x\":\"a,b\"}\n{\"input_length\":2}\n";
    convert(&["--to", "csv"], trace)
        .success()
        .stdout("input_length,x\n1,\"a,b\"\n2,\n");
    convert(&["--to", "csv", "--columns", "x"], trace)
        .success()
        .stdout("x\n\"a,b\"\n\n");
}

#[test]
fn requests_of_one_time_become_a_row() {
    let trace = "{\"timestamp\":0,\"text_input\":\"a\"}\n{\"timestamp\":0,\"text_input\":\"b\"}\n";
    convert(&["--to", "aibrix"], trace)
        .success()
        .stdout("{\"timestamp\":0,\"requests\":[{\"prompt\":\"a\"},{\"prompt\":\"b\"}]}\n");
}

#[test]
fn sessions_become_conversations() {
    let trace =
        "{\"session_id\":1,\"text_input\":\"a\"}\n{\"session_id\":1,\"text_input\":\"b\"}\n";
    convert(&["--to", "sharegpt"], trace).success().stdout(
        "{\"id\":\"1\",\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"human\",\"value\":\"b\"}]}\n",
    );
}
