//! The tool as a process, inputs for it, and a look at what it drew.

use std::{fs, path::Path};

use assert_cmd::Command;

pub(crate) fn plot(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("trace-plot").unwrap();
    command.args(arguments);
    command
}

/// Outcomes of two models over a minute, one in twenty failed.
pub(crate) fn outcomes() -> String {
    let line = |i: u32| {
        let model = if i.is_multiple_of(3) {
            "small"
        } else {
            "large <&> model"
        };
        let at = i * 150;
        let end = if i % 20 == 7 {
            r#""status":500,"error":{"kind":"http","message":"500"}"#.to_owned()
        } else {
            let ttft = 50 + i * 37 % 90;
            format!(
                r#""ttft_ms":{ttft},"latency_ms":{},"status":200"#,
                ttft + 400 + i % 50
            )
        };
        format!(
            "{{\"timestamp\":{at},\"input_length\":9,\"model\":\"{model}\",\"seq\":{i},\
             \"scheduled_ms\":{at},\"sent_ms\":{at}.25,{end}}}\n"
        )
    };
    (0..400).map(line).collect()
}

pub(crate) fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Width and height in a PNG's header.
pub(crate) fn dimensions(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

/// The SVG is well-formed and can be drawn without any font.
pub(crate) fn check_svg(path: &Path) -> String {
    let svg = fs::read_to_string(path).unwrap();
    let options = resvg::usvg::Options::default();
    let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
    // nothing is cut off at an edge: the background spans it all, and no
    // outline goes beyond
    let (all, size) = (tree.root().abs_bounding_box(), tree.size());
    assert!(
        all.left() >= 0.0 && all.right() <= size.width() + 0.01,
        "{all:?} in {size:?}"
    );
    assert!(
        all.top() >= 0.0 && all.bottom() <= size.height() + 0.01,
        "{all:?} in {size:?}"
    );
    assert!(!svg.contains("<text"), "text needs a font of the system");
    assert!(!svg.contains("href=\"http"), "nothing is fetched");
    assert!(svg.contains("<title>") && svg.contains("<desc>"));
    svg
}

/// Two rounds at three concurrencies, all with tokens and sessions.
pub(crate) fn sweep() -> String {
    let line = |i: u64| {
        let (round, concurrency) = (i / 30 % 2 + 1, [1, 4, 16][(i / 60) as usize]);
        let (seq, at) = (i % 30, i * 40);
        let ttft = 20 * concurrency / round;
        format!(
            "{{\"input_length\":{},\"session_id\":{},\"seq\":{seq},\"round\":{round},\
             \"concurrency\":{concurrency},\"scheduled_ms\":{at},\"due_ms\":{at},\"sent_ms\":{at}.1,\
             \"lateness_ms\":0.1,\"queue_ms\":0,\"ttft_ms\":{ttft},\"latency_ms\":{},\
             \"tpot_ms\":5,\"output_tokens\":20,\"status\":200}}\n",
            50 + seq,
            seq % 7,
            ttft + 95,
        )
    };
    (0..180).map(line).collect()
}
