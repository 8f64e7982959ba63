//! What only a process shows: help, exit codes, pipes, files.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

fn tool() -> Command {
    Command::new(assert_cmd::cargo::cargo_bin!("trace-synth"))
}

fn run(flags: &str) -> Output {
    tool().args(flags.split_whitespace()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `flags` write, which must succeed without a word on stderr.
fn trace(flags: &str) -> String {
    let output = run(flags);
    assert!(output.status.success(), "{flags}: {}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "{flags}");
    text(&output.stdout)
}

/// What `flags` are refused with: exit code 2 and nothing on stdout.
fn refusal(flags: &str) -> String {
    let output = run(flags);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{flags}: {stderr}");
    assert_eq!(text(&output.stdout), "", "{flags}");
    stderr
}

#[test]
fn help_has_examples_and_succeeds() {
    for (flags, shown) in [
        (
            "--help",
            "trace-synth sine --rate 5..50 --period 10m --duration 1h",
        ),
        ("rate --help", "lognormal:mu=MU,sigma=S"),
        ("rate -h", "trace-synth rate --rate 10 --duration 60"),
        ("sine --help", "--isl-osl-ratio-period"),
        ("--version", "trace-synth "),
        ("--man", "trace\\-synth"),
        ("--completions bash", "_trace__synth"),
    ] {
        let help = trace(flags);
        assert!(help.contains(shown), "{flags}: {help}");
    }
}

#[test]
fn the_fields_come_in_the_order_of_the_original() {
    let first = trace("sine --isl2 600 --osl2 7 --isl-osl-ratio-min 0 --isl-osl-ratio-max 0");
    let first = first.lines().next().unwrap();
    assert_eq!(
        first,
        r#"{"timestamp":0,"input_length":600,"output_length":7,"hash_ids":[0,1]}"#
    );
    assert_eq!(
        trace("rate --rate 3 --requests 3 --arrival constant --no-hash-ids --model m"),
        "{\"timestamp\":0,\"input_length\":512,\"output_length\":128,\"model\":\"m\"}\n\
         {\"timestamp\":333.333,\"input_length\":512,\"output_length\":128,\"model\":\"m\"}\n\
         {\"timestamp\":666.666,\"input_length\":512,\"output_length\":128,\"model\":\"m\"}\n"
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for flags in [
        "sine --time-duration 20",
        "rate --rate 50 --duration 10",
        "rate --rate 5+mmpp:1@2s,90@1s --duration 10",
        "pattern --traffic quick_rising",
        "curve tests/data/curve.json",
        "grafana --kind maas --traffic-file tests/data/traffic.csv",
        "servegen tests/data/servegen --clients 0",
    ] {
        let seeded = |seed: u64| trace(&format!("{flags} --seed {seed}"));
        assert_eq!(seeded(1), seeded(1), "{flags}");
        assert_ne!(seeded(1), seeded(2), "{flags}");
        assert_eq!(trace(flags), seeded(0), "{flags}");
    }
}

#[test]
fn a_reader_that_hangs_up_is_a_success_without_a_word() {
    for flags in [
        "sine --duration 1000h",
        "rate --rate 1000 --duration 1000h",
        "rate --rate sine:0..1000,1h --duration 1000h",
        "pattern --traffic constant:1000 --duration 1000h --interval 1h",
        "servegen tests/data/servegen --clients 0 --rate 100000 --start 10m",
    ] {
        let mut child = tool()
            .args(flags.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with("{\"timestamp\":"), "{line}");
        drop(stdout);
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(stderr, "");
    }
}

#[test]
fn a_bad_flag_is_refused_by_name() {
    for (flags, named) in [
        ("", "trace-synth"),
        ("cosine", "cosine"),
        ("rate --duration 5", "--rate"),
        ("rate --rate 5", "--duration"),
        ("rate --rate 0 --requests 1", "--rate"),
        ("rate --rate -5 --requests 1", "--rate"),
        ("rate --rate NaN --requests 1", "--rate"),
        ("rate --rate ramp:1..2 --requests 1", "--rate"),
        ("rate --rate mmpp:0@1,0@2 --requests 1", "--rate"),
        ("rate --rate sine:1..2,3 --requests 1 --cv 2", "--cv"),
        ("rate --rate inf --requests 1", "--rate"),
        ("rate --rate 5 --requests -1", "--requests"),
        ("rate --rate 5 --duration -1", "--duration"),
        ("rate --rate 5 --duration soon", "--duration"),
        ("rate --rate 5 --requests 1 --arrival gamma", "--cv"),
        ("rate --rate 5 --requests 1 --cv 2", "--cv"),
        (
            "rate --rate 5 --requests 1 --arrival weibull --cv 0",
            "--cv",
        ),
        (
            "rate --rate 5 --requests 1 --arrival weibull --cv NaN",
            "--cv",
        ),
        (
            "rate --rate 5 --requests 1 --input-length 0",
            "--input-length",
        ),
        (
            "rate --rate 5 --requests 1 --input-length -3",
            "--input-length",
        ),
        (
            "rate --rate 5 --requests 1 --output-length normal:5,NaN",
            "--output-length",
        ),
        (
            "rate --rate 5 --requests 1 --input-length empirical:gone",
            "--input-length",
        ),
        ("rate --rate 5 --requests 1 --block-size 0", "--block-size"),
        (
            "rate --rate 5 --requests 1 --total-blocks 0",
            "--total-blocks",
        ),
        (
            "rate --rate 5 --requests 1 --total-blocks 9 --no-hash-ids",
            "--total-blocks",
        ),
        ("pattern", "--traffic"),
        ("pattern --traffic nope", "--traffic"),
        ("pattern --traffic constant --qps-scale 0", "--qps-scale"),
        ("pattern --traffic constant --interval 0", "--interval"),
        (
            "pattern --traffic constant --prompt-len constant --input-length 9",
            "--prompt-len",
        ),
        ("curve nope.json", "nope.json"),
        (
            "curve tests/data/curve.json --prompt-len -1",
            "--prompt-len",
        ),
        ("curve tests/data/curve.json --arrival gamma", "--cv"),
        ("grafana --traffic-file tests/data/traffic.csv", "--kind"),
        (
            "grafana --kind cloudide --traffic-file tests/data/traffic.csv",
            "--prompt-len-file",
        ),
        ("servegen", "<DIR>"),
        ("servegen nope", "nope"),
        ("servegen tests/data/servegen --rate 0", "--rate"),
        ("servegen tests/data/servegen --rho 2", "--rho"),
        (
            "servegen tests/data/servegen --clients 0 --start 9h",
            "--start",
        ),
        ("servegen tests/data/servegen --clients 4", "--clients"),
        ("sine --rate 50..5", "--rate"),
        (
            "sine --rate 5..50 --request-rate-min 7",
            "--request-rate-min",
        ),
        ("sine --request-rate-min 11", "--request-rate-min"),
        ("sine --request-rate-max NaN", "--request-rate-max"),
        ("sine --request-rate-min -1", "--request-rate-min"),
        ("sine --request-rate-period 0", "--request-rate-period"),
        ("sine --period -3", "--request-rate-period"),
        ("sine --isl-osl-ratio-period NaN", "--isl-osl-ratio-period"),
        ("sine --process-interval 0", "--process-interval"),
        ("sine --time-duration -1", "--time-duration"),
        ("sine --isl1 0", "--isl1"),
        ("sine --isl2 -5", "--isl2"),
        ("sine --osl1 1.5", "--osl1"),
        ("sine --isl-osl-ratio-max 1.2", "--isl-osl-ratio-max"),
        ("sine --isl-osl-ratio-min 0.9", "--isl-osl-ratio-min"),
        ("sine --block-size 0", "--block-size"),
        ("sine --total-blocks 0", "--total-blocks"),
        ("sine --seed x", "--seed"),
    ] {
        let stderr = refusal(flags);
        // The first line says it; for missing flags and without any, a list does.
        let listed =
            stderr.contains(&format!("  {named}")) || stderr.contains(&format!("<{named}"));
        let said = stderr.lines().next().unwrap().contains(named);
        assert!(said || listed, "{flags}: {stderr}");
    }
}

#[test]
fn a_file_is_written_when_named_and_kept_when_the_flags_are_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sine.jsonl");
    let named = file.to_str().unwrap();
    assert_eq!(trace(&format!("sine --output-file {named}")), "");
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(written, trace("sine --output-file -"));

    refusal(&format!("sine --request-rate-min 99 --output-file {named}"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);

    let auto = tool()
        .args(["sine", "--output-file", "auto"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(auto.status.success());
    let name = "sin_b512_t100_rr5-10-10_io1002000-5000100-0.2-0.8-10.jsonl";
    assert_eq!(
        std::fs::read_to_string(folder.path().join(name)).unwrap(),
        written
    );

    let nowhere = refusal("sine --output-file /no/such/folder/x.jsonl");
    let words = "trace-synth: cannot create /no/such/folder/x.jsonl: No such file or directory";
    assert!(nowhere.starts_with(words), "{nowhere}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = tool().args(["sine"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("trace-synth: cannot write: No space left on device"));
}

#[test]
fn lengths_come_from_a_file_of_numbers_or_from_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let synth = |flags: String| trace(&format!("rate --rate 9 --requests 50 {flags}"));

    let numbers = file("numbers", b"700\n");
    let weighted = file("weighted.csv", b"tokens,weight\n80,1\n90,0\n");
    let made = synth(format!(
        "--input-length empirical:{numbers} --output-length empirical:{weighted}"
    ));
    assert_eq!(
        made.matches("\"input_length\":700,\"output_length\":80,")
            .count(),
        50
    );

    let earlier = file("trace.jsonl", made.as_bytes());
    let again = synth(format!(
        "--input-length empirical:{earlier} --output-length empirical:{earlier}"
    ));
    assert_eq!(again, made);

    let image = file("image.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let empty = file("empty", b"");
    let broken = file("broken.jsonl", b"{\"input_length\":5}\n{\"input_leng");
    for (file, reason) in [
        (image, ":1:1: "),
        (empty, "holds no input_length"),
        (broken, ":2:"),
    ] {
        let stderr = refusal(&format!(
            "rate --rate 9 --requests 5 --input-length empirical:{file}"
        ));
        assert!(
            stderr.starts_with(&format!("trace-synth: --input-length: {file}")),
            "{stderr}"
        );
        assert!(stderr.contains(reason), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
