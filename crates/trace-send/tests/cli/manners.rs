use crate::harness::{Mock, Ran, requests, run, send, start, tool};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};

#[test]
fn a_bad_line_stops_the_run_and_loses_nothing() {
    let mock = Mock::start(20, 0);
    let input = format!(
        "{}{{\"timestamp\":0,\"input_length\":\"x\"}}\n{}",
        requests(3),
        requests(2)
    );
    let ran = send(&["--url", &mock.url()], &input);
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(2), vec!["ok"; 3]),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .contains("trace-send: <stdin>:4:31: invalid type: string"),
        "{}",
        ran.stderr
    );
    let ran = send(&["--url", &mock.url(), "--skip-invalid"], &input);
    assert_eq!((ran.code, ran.kinds()), (Some(0), vec!["ok"; 5]));
    assert!(ran.stderr.contains("skipped 1 invalid"), "{}", ran.stderr);
}

#[test]
fn a_trace_without_times_needs_a_concurrency() {
    let ran = send(&["--url", "mock:"], "{\"input_length\":3}\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(
        ran.stderr.contains("<stdin>:1:1: no timestamp") && ran.stderr.contains("--concurrency"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_empty_input_is_no_error() {
    let ran = send(&["--url", "mock:"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    assert!(
        ran.stderr.contains("no requests in the input"),
        "{}",
        ran.stderr
    );
}

#[test]
fn wrong_usage_is_told_before_anything_is_sent() {
    for (flags, says) in [
        (&["--url", "localhost:8000"][..], "http://"),
        (&["--url", "mock:?x=1"], "ttft="),
        (&["--url", "mock:", "--header", "secret"], "NAME: VALUE"),
        (&["--url", "mock:", "--extra", "a"], "KEY=VALUE"),
        (
            &[
                "--url",
                "mock:",
                "--concurrency",
                "1",
                "--max-concurrency",
                "1",
            ],
            "cannot be used with",
        ),
        (
            &["--url", "https://127.0.0.1", "--ca-cert", "/nonexistent"],
            "--ca-cert",
        ),
        (
            &["--url", "mock:", "no-such-file.jsonl"],
            "no-such-file.jsonl",
        ),
        (&[], "--url"),
    ] {
        let ran = send(flags, &requests(1));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{flags:?}");
        assert!(ran.stderr.contains(says), "{flags:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}

#[test]
fn the_key_comes_from_the_environment_and_is_never_printed() {
    use crate::harness::{answering, response};
    let address = answering(
        response("401 No", "application/json", "{\"error\":\"who are you\"}"),
        false,
    );
    let mut tool = tool();
    tool.args(["--url", &format!("http://{address}"), "--model", "m"])
        .env("OPENAI_API_KEY", "sk-secret");
    let ran = run(&mut tool, &requests(1));
    assert_eq!(ran.kinds(), ["http"]);
    assert!(!ran.stdout.contains("secret") && !ran.stderr.contains("secret"));
}

#[test]
fn a_key_that_nobody_named_does_not_leave_in_the_clear() {
    let run_to = |url: &str, flags: &[&str]| {
        let mut tool = tool();
        tool.args(["--url", url, "--model", "m", "--timeout", "1s"]);
        tool.args(flags).env("OPENAI_API_KEY", "sk-secret");
        run(&mut tool, &requests(1)).stderr
    };
    let said = run_to("http://nowhere.invalid:9", &[]);
    let refused = "the key in OPENAI_API_KEY is not sent to nowhere.invalid:9: without https";
    assert!(said.contains(refused), "{said}");
    let said = run_to("https://nowhere.invalid:9", &[]);
    let told = "the key in OPENAI_API_KEY goes to nowhere.invalid:9;";
    assert!(said.contains(told), "{said}");
    let named = ["--api-key-env", "OPENAI_API_KEY"];
    for (url, flags) in [
        ("http://nowhere.invalid:9", &named[..]),
        ("http://127.0.0.1:9", &[]),
        ("https://nowhere.invalid:9", &["--dry-run"]),
    ] {
        let said = run_to(url, flags);
        assert!(!said.contains("OPENAI_API_KEY"), "{url} {flags:?}: {said}");
    }
}

#[test]
fn a_key_among_the_arguments_is_refused_and_never_repeated() {
    for flags in [
        &["--api-key", "sk-secret"][..],
        &["--api-key=sk-secret"],
        &["--api-key"],
    ] {
        let ran = send(&[&["--url", "mock:"], flags].concat(), &requests(1));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{flags:?}");
        assert!(
            ran.stderr.contains("--api-key-file") && !ran.stderr.contains("sk-secret"),
            "{}",
            ran.stderr
        );
    }
    let ran = send(&["--url", "http://me:sk-secret@h", "--dry-run"], "");
    assert_eq!(ran.code, Some(2));
    assert!(!ran.stderr.contains("sk-secret"), "{}", ran.stderr);
    let ran = send(&["--url", "mock:", "--api-key-env", "NO_SUCH_KEY"], "");
    assert!(
        ran.stderr
            .contains("--api-key-env NO_SUCH_KEY: it is not set"),
        "{}",
        ran.stderr
    );
}

#[test]
fn keys_and_header_fields_come_from_files() {
    use crate::harness::{read_request, response, server};
    let address = server(|_, mut stream| {
        while let Some(request) = read_request(&mut stream) {
            let shown = request.contains("authorization: Bearer sk-file\r\n")
                && request.contains("x-a: 1\r\nx-b: sk-also\r\n");
            let words = format!("sk-file sk-also {shown}");
            let answer = response("401 No", "text/plain", &words);
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (key, fields) = (folder.path().join("key"), folder.path().join("fields"));
    std::fs::write(&key, "sk-file\n").unwrap();
    std::fs::write(&fields, "X-A: 1\n\nX-B: sk-also\n").unwrap();
    let header = format!("@{}", fields.display());
    let url = format!("http://{address}");
    let flags = [
        "--url",
        &url,
        "--model",
        "m",
        "--header",
        &header,
        "--api-key-file",
    ];
    let ran = send(
        &[&flags[..], &[key.to_str().unwrap()]].concat(),
        &requests(1),
    );
    // Only what is a secret by its name is blotted out.
    assert!(
        ran.message().contains("*** sk-also true"),
        "{}",
        ran.message()
    );
    std::fs::write(&key, "\n").unwrap();
    let ran = send(
        &[&flags[..], &[key.to_str().unwrap()]].concat(),
        &requests(1),
    );
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("there is no key in it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_reader_that_hangs_up_ends_the_run_quietly() {
    let mock = Mock::start(0, 0);
    let input: String = (0..200)
        .map(|i| format!("{{\"timestamp\":{},\"input_length\":3}}\n", i * 20))
        .collect();
    let mut child = start(tool().args(["--url", &mock.url()]));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    stdout.read_line(&mut first).unwrap();
    assert!(first.contains("\"seq\":0"), "{first}");
    drop(stdout);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut stderr = String::new();
    child.stderr.unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
    assert!(mock.finish().len() < 200, "it stopped sending");
}

#[test]
fn an_interrupt_sends_nothing_more_and_waits_for_what_is_under_way() {
    let mock = Mock::start(300, 0);
    let input = format!(
        "{}{{\"timestamp\":3600000,\"input_length\":3}}\n",
        requests(4)
    );
    let mut child = start(tool().args(["--url", &mock.url()]));
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    wait_for(&mock, 4);
    interrupt(&child);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(130), vec!["ok"; 4]),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("1 never sent"), "{}", ran.stderr);
}

#[test]
fn a_second_interrupt_cancels_and_every_request_has_its_line() {
    let mock = Mock::start(60_000, 0);
    let mut child = start(tool().args(["--url", &mock.url()]));
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(requests(4).as_bytes())
        .unwrap();
    wait_for(&mock, 4);
    interrupt(&child);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(
        said.contains("interrupted") && said.contains("4 in flight"),
        "{said}"
    );
    interrupt(&child);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!((ran.code, ran.kinds()), (Some(130), vec!["cancelled"; 4]));
}

#[test]
fn a_run_can_be_cut_short() {
    let mock = Mock::start(0, 0);
    let input: String = (0..100)
        .map(|i| format!("{{\"timestamp\":{},\"input_length\":3}}\n", i * 100))
        .collect();
    let ran = send(&["--url", &mock.url(), "--limit", "2"], &input);
    assert_eq!(ran.kinds(), ["ok"; 2]);
    let ran = send(&["--url", &mock.url(), "--duration", "250ms"], &input);
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(0), vec!["ok"; 3]),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("97 never sent"), "{}", ran.stderr);
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let Ok(full) = std::fs::File::create("/dev/full") else {
        return;
    };
    let mut child = tool()
        .args(["--url", "mock:"])
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(requests(3).as_bytes())
        .unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("cannot write outcomes: No space left"),
        "{}",
        ran.stderr
    );
}

fn wait_for(mock: &Mock, requests: u64) {
    while mock.seen() < requests {
        std::thread::yield_now();
    }
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}
