//! Traffic is sent to a server, and the page shows what became of it.

use crate::designer::Page;
use serde_json::{Value, json};
use trace_core::Micros;
use trace_mock::{Settings, start};

fn mock() -> trace_mock::Running {
    let settings = Settings {
        ttft: Micros::from_micros(2_000),
        itl: Micros::from_micros(100),
        ..Settings::default()
    };
    start(&settings, None).unwrap()
}

/// A page with two seconds of traffic, about 40 requests.
fn drawn() -> Option<Page> {
    let page = Page::open(&[])?;
    page.fill("#duration", "2s");
    page.browser.click("input[value=line]");
    page.draw(&[(0.1, 0.2), (0.9, 0.2)]);
    page.browser.click("#tab-traffic");
    page.fill("#input-length", "16");
    page.fill("#output-length", "4");
    Some(page)
}

#[test]
fn all_of_it_is_sent_and_seen() {
    let Some(page) = drawn() else { return };
    let promised = page.total("Total", "requests");
    let server = mock();
    page.browser.click("#open-send");
    page.fill("#send-url", &format!("{}/v1/completions", server.url()));
    page.browser.click("#send-start");
    page.browser
        .wait_for("document.querySelector('#send-plots .summary')");
    assert_eq!(server.requests_seen() as f64, promised);
    for (field, number) in [("sent", promised), ("done", promised), ("errors", 0.0)] {
        let shown = format!(
            "Number(document.querySelector('#send-numbers [data-field={field}]').textContent)"
        );
        page.browser.becomes(&shown, number as u64);
    }
    // The three pictures have come, each as wide as a picture.
    page.browser.wait_for(
        "[...document.querySelectorAll('#send-plots img')].every((image) => image.complete)",
    );
    let widths = page.browser.eval(
        "[...document.querySelectorAll('#send-plots img')].map((image) => image.naturalWidth)",
    );
    let widths: Vec<u64> = serde_json::from_value(widths).unwrap();
    assert!(
        widths.len() == 3 && widths.iter().all(|&width| width > 300),
        "{widths:?}"
    );
    page.browser.click("#send-plots a.button");
    let name = page.browser.text("#send-plots a.button");
    let name = name.strip_prefix("Download ").unwrap();
    let outcomes = page.browser.downloaded(name);
    let outcomes = String::from_utf8(outcomes).unwrap();
    assert_eq!(outcomes.lines().count() as f64, promised);
    for line in outcomes.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["status"], 200, "{line}");
    }
}

#[test]
fn a_reload_finds_the_run_again_and_it_can_be_stopped() {
    let Some(page) = Page::open(&[]) else { return };
    page.draw(&[(0.0, 0.2), (0.5, 0.2), (1.0, 0.2)]);
    page.browser.click("#tab-traffic");
    page.fill("#input-length", "16");
    page.fill("#output-length", "4");
    page.design();
    let server = mock();
    page.browser.click("#open-send");
    page.fill("#send-url", &format!("{}/v1/completions", server.url()));
    page.browser.click("#send-start");
    page.browser.wait_for(
        "Number(document.querySelector('#send-numbers [data-field=sent]')?.textContent) > 10",
    );
    page.load();
    page.browser
        .wait_for("document.querySelector('#open-send').textContent.startsWith('Sending')");
    page.browser.click("#open-send");
    page.browser.wait_for(
        "Number(document.querySelector('#send-numbers [data-field=sent]')?.textContent) > 10",
    );
    page.browser.click("#send-stop");
    page.browser
        .wait_for("document.querySelector('#send-plots .summary')");
    page.browser.says("#send-state", "stopped");
    assert!(server.requests_seen() < 1000);
}

#[test]
fn endpoint_model_and_key_are_chosen_and_remembered() {
    let Some(page) = drawn() else { return };
    let settings = Settings {
        ttft: Micros::from_micros(1_000),
        itl: Micros::from_micros(100),
        ..Settings::default()
    };
    let server = start(&settings, None).unwrap();
    page.browser.click("#open-send");
    page.fill("#send-url", &server.url());
    page.browser.choose("#send-endpoint", "chat");
    page.fill("#send-model", "served");
    page.fill("#send-concurrency", "3");
    page.fill("#send-key", "NO_SUCH_KEY");
    page.browser.click("#send-start");
    page.browser
        .says("#send .field-error", "NO_SUCH_KEY is not set");
    page.browser.becomes(
        "document.querySelector('#send-key').getAttribute('aria-invalid')",
        "true",
    );
    page.fill("#send-key", "");
    page.browser.click("#send-start");
    page.browser
        .wait_for("document.querySelector('#send-plots .summary')");
    page.browser
        .says("#send-plots", "gone when trace-design ends");
    page.browser.click("#send-plots a.button");
    let name = page.browser.text("#send-plots a.button");
    let name = name.strip_prefix("Download ").unwrap();
    let outcomes = String::from_utf8(page.browser.downloaded(name)).unwrap();
    for line in outcomes.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&line["status"], &line["model"]),
            (&json!(200), &json!("served"))
        );
    }
    page.load();
    page.browser.click("#open-send");
    page.browser.field_becomes("#send-endpoint", "chat");
    page.browser.field_becomes("#send-model", "served");
    page.browser.field_becomes("#send-concurrency", "3");
}

#[test]
fn nobody_there_is_told() {
    let Some(page) = drawn() else { return };
    page.browser.click("#open-send");
    for bad in ["", "not a url", "ftp://127.0.0.1/"] {
        page.fill("#send-url", bad);
        page.browser.click("#send-start");
        page.browser.speaks("#send .field-error");
    }
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    page.fill("#send-url", &format!("http://{free}/v1/completions"));
    page.browser.click("#send-start");
    page.browser.wait_for("document.querySelector('#send-plots .summary') || document.querySelector('#send-state.error') || document.querySelector('#send .field-error')");
    let said = page.browser.run(
        "return document.querySelector('#send').textContent",
        &json!([]),
    );
    assert!(
        said.as_str().unwrap().to_lowercase().contains("err")
            || said.as_str().unwrap().contains("connect"),
        "{said}"
    );
}
