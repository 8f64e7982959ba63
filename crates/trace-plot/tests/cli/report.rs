//! The page of `--html`, one file, whole, safe and about all runs; and the
//! terminal.

use std::fs;

use assert_cmd::Command;
use tempfile::TempDir;

/// Outcomes of a minute; one in ten fails with `fail`.
fn outcomes(ttft: u32, fail: bool) -> String {
    let line = |i: u32| {
        let at = i * 500;
        let end = if fail && i.is_multiple_of(10) {
            r#""status":500,"error":{"kind":"http","message":"500"}"#.to_owned()
        } else {
            format!(
                r#""ttft_ms":{ttft},"latency_ms":{},"output_tokens":9,"status":200"#,
                ttft + 300
            )
        };
        format!(
            "{{\"timestamp\":{at},\"input_length\":9,\"output_length\":9,\"seq\":{i},\
             \"model\":\"</script><img src=x>\",\"scheduled_ms\":{at},\"sent_ms\":{at}.2,\
             \"sent_unix_ms\":{},{end}}}\n",
            784_111_777_000_u64 + u64::from(at)
        )
    };
    (0..120).map(line).collect()
}

/// The page over files of these contents, under these names.
fn page(flags: &[&str], files: &[(&str, String)]) -> String {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let inputs = files.iter().map(|(name, _)| format!("{name}={name}"));
    let mut command = Command::cargo_bin("trace-plot").unwrap();
    command
        .current_dir(&directory)
        .args(["--html", "new/r.html"]);
    command.args(flags).args(inputs).assert().success();
    fs::read_to_string(directory.path().join("new/r.html")).unwrap()
}

#[test]
fn a_dash_is_stdout() {
    let directory = TempDir::new().unwrap();
    let mut command = Command::cargo_bin("trace-plot").unwrap();
    command.current_dir(&directory).args(["--html", "-"]);
    let done = command.write_stdin(outcomes(50, false)).assert().success();
    assert!(done.get_output().stdout.starts_with(b"<!doctype html>"));
    assert!(done.get_output().stderr.is_empty());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn runs_beside_one_another_are_not_added_up() {
    let tiles = "<dl class=tiles>";
    assert!(page(&[], &[("a", outcomes(50, false))]).contains(tiles));
    let two = page(
        &[],
        &[("a", outcomes(50, false)), ("b", outcomes(80, false))],
    );
    assert!(!two.contains(tiles));
    assert!(two.contains("<th>a<th>b<tbody>"), "names without quotes");
}

#[test]
fn the_page_asks_nothing_of_a_network() {
    let page = page(&[], &[("a", outcomes(50, true))]);
    for foreign in ["src=\"", "@import", "<link"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    // what a picture points at is its own
    let urls: Vec<&str> = page.split("url(").skip(1).collect();
    for url in urls {
        let (id, _) = url.split_once(')').unwrap();
        let defined = format!("id=\"{}\"", id.strip_prefix('#').unwrap());
        assert_eq!(page.matches(&defined).count(), 1, "{id}");
    }
    let addresses = page.matches("http").count();
    let names = page.matches("\"http://www.w3.org/").count();
    // beside the names of SVG, only the kind of error speaks of HTTP
    assert_eq!(addresses - names, page.matches("http 12").count());
}

#[test]
fn names_from_the_trace_are_only_text() {
    let about = "send=<b>trace-send</b>";
    let page = page(
        &["--title", "<script>alert(1)</script>", "--about", about],
        &[("a", outcomes(50, false)), ("b", outcomes(60, false))],
    );
    assert!(page.contains("<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>"));
    assert!(page.contains("<code>&lt;b&gt;trace-send&lt;/b&gt;</code>"));
    assert!(!page.contains("<img") && !page.contains("<b>trace-send"));
    assert_eq!(
        page.matches("<script").count(),
        page.matches("</script>").count()
    );
}

#[test]
fn runs_stand_beside_one_another() {
    let page = page(
        &[],
        &[("fast", outcomes(50, false)), ("slow", outcomes(75, true))],
    );
    let row = |name: &str| {
        let (_, row) = page.split_once(&format!("<tr><th>{name}<td>")).unwrap();
        row.split("<tr>").next().unwrap().to_owned()
    };
    assert!(row("ttft_ms p50").starts_with("50<td>75 <small>+50 %</small>"));
    assert!(row("ttft_ms p99").starts_with("50<td>inf"));
    assert!(row("failed").starts_with("0<td>12"));
    assert!(page.contains("Sun, 06 Nov 1994 08:49:37 GMT to Sun, 06 Nov 1994 08:50:36 GMT"));
}

#[test]
fn every_plot_has_its_values() {
    let page = page(&["rate", "latency-cdf"], &[("a", outcomes(50, false))]);
    let figures: Vec<&str> = page.split("<figure id=\"plot-").skip(1).collect();
    assert_eq!(figures.len(), 2);
    for figure in figures {
        let (_, json) = figure
            .split_once("<script type=\"application/json\">")
            .unwrap();
        let (json, _) = json.split_once("</script>").unwrap();
        let panels: serde_json::Value = serde_json::from_str(json).unwrap();
        let points = panels[0]["lines"][0]["points"].as_array().unwrap();
        assert!(points.len() > 1, "{json}");
    }
}

#[test]
fn a_terminal_gets_characters() {
    let mut command = Command::cargo_bin("trace-plot").unwrap();
    command.args(["rate", "--term", "--theme", "dark"]);
    command
        .env("COLUMNS", "60")
        .write_stdin(outcomes(50, false));
    let drawn = command.assert().success().get_output().stdout.clone();
    let drawn = String::from_utf8(drawn).unwrap();
    assert!(drawn.starts_with("Request rate\n120 requests"), "{drawn}");
    assert!(drawn.contains('└') && drawn.contains("time (s)"), "{drawn}");
    assert!(
        drawn.lines().all(|line| line.chars().count() <= 60),
        "{drawn}"
    );
    // no terminal, no colours
    assert!(!drawn.contains('\x1b'));
}

#[test]
fn what_reads_its_input_alone_is_drawn_apart() {
    let mut command = Command::cargo_bin("trace-plot").unwrap();
    let refused = command
        .args(["cache", "--html", "r.html", "a.jsonl"])
        .assert();
    let refused = refused.code(2).get_output().stderr.clone();
    let error = String::from_utf8(refused).unwrap();
    assert!(error.contains("draw cache apart"), "{error}");
}
