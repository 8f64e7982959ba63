//! `--check`: a curve file without a page.

use assert_cmd::Command;

fn check(text: &str) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_trace-design"))
        .arg("--check")
        .write_stdin(text)
        .assert()
}

#[test]
fn a_curve_is_written_in_order() {
    let curve = r#"{"version":1,"duration_ms":10,"models":[{"name":"m","interpolation":"step","points":[{"t_ms":9,"rate":1},{"t_ms":0,"rate":2}]}]}"#;
    let output = check(curve).success().get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    assert!(
        text.find("\"rate\": 2.0").unwrap() < text.find("\"rate\": 1.0").unwrap(),
        "{text}"
    );
}

#[test]
fn what_is_no_curve_is_refused_in_one_line() {
    for bad in ["", "oops", "[]", "{\"version\":1}", "\u{1}PNG"] {
        let output = check(bad).code(2).get_output().clone();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.starts_with("trace-design: <stdin>:1:") && stderr.lines().count() == 1,
            "{bad:?}: {stderr}"
        );
    }
}
