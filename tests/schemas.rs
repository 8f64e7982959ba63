//! The schemas name the fields of the code, and what tools write validates.

use crate::harness::{self, Dir, Server, fixture, records, tool};
use jsonschema::{Registry, Validator};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use trace_core::{ErrorKind, Field, TokenSource};

const SCHEMAS: &[&str] = &[
    "request",
    "outcome",
    "telemetry",
    "mock",
    "stats",
    "partial",
    "cache",
    "comparison",
    "contest",
    "telemetry-report",
    "lint",
    "windows",
    "curve",
    "profile",
    "round",
    "pattern",
    "convert",
];

/// The schema `name` as it lies in `schemas/`.
fn schema(name: &str) -> Value {
    let path = harness::root().join(format!("schemas/{name}.schema.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn id(schema: &Value) -> String {
    schema["$id"]
        .as_str()
        .expect("a schema has an $id")
        .to_owned()
}

/// Holds objects against one schema of ours.
struct Judge {
    name: &'static str,
    validator: Validator,
    /// The fields the schema describes.
    described: BTreeSet<String>,
}

impl Judge {
    fn of(name: &'static str) -> Self {
        let request = schema("request");
        let registry = Registry::new().add(id(&request), request).unwrap();
        let registry = registry.prepare().unwrap();
        let schema = schema(name);
        let options = jsonschema::draft202012::options();
        let validator = options.with_registry(&registry).build(&schema).unwrap();
        Self {
            name,
            validator,
            described: properties(name),
        }
    }

    /// Fail unless `object` validates.
    fn accept(&self, object: &Value) {
        let errors: Vec<String> = self
            .validator
            .iter_errors(object)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "no {}: {}\n{object}",
            self.name,
            errors.join("; ")
        );
    }

    /// Fail unless `object` validates and each of its fields is described.
    fn know(&self, object: &Value) {
        self.accept(object);
        self.describes(object);
    }

    fn describes(&self, object: &Value) {
        let fields = object.as_object().expect("a report or a line is an object");
        let unknown: Vec<_> = fields
            .keys()
            .filter(|&key| !self.described.contains(key))
            .collect();
        assert!(
            unknown.is_empty(),
            "schemas/{}.schema.json does not describe {unknown:?} of {object}",
            self.name
        );
    }

    fn know_all(&self, lines: &str) {
        let lines = records(lines);
        assert!(!lines.is_empty(), "no {} was written", self.name);
        lines.iter().for_each(|line| self.know(line));
    }
}

/// The fields that the schema `name` describes, those of a request included
/// where it builds on one.
fn properties(name: &str) -> BTreeSet<String> {
    let schema = schema(name);
    let own = match schema.get("properties") {
        Some(own) => own,
        None => &schema["$defs"]["report"]["properties"],
    };
    let mut names: BTreeSet<String> = own.as_object().unwrap().keys().cloned().collect();
    if schema.get("allOf").is_some() {
        names.extend(properties("request"));
    }
    names
}

#[test]
fn the_schemas_are_schemas() {
    for &name in SCHEMAS {
        let schema = schema(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert!(id(&schema).ends_with(&format!("/schemas/{name}.schema.json")));
        Judge::of(name);
    }
    let files = std::fs::read_dir(harness::root().join("schemas")).unwrap();
    let files: BTreeSet<String> = files
        .filter_map(|file| file.unwrap().file_name().into_string().ok())
        .filter_map(|file| file.strip_suffix(".schema.json").map(str::to_owned))
        .collect();
    let names = SCHEMAS.iter().map(|&name| name.to_owned());
    assert_eq!(files, names.collect(), "a schema is not tested");
}

#[test]
fn every_property_says_what_it_is() {
    fn look(name: &str, properties: &Map<String, Value>) {
        for (field, property) in properties {
            // In a spread and a flaw the names are the words of statistics.
            let plain = property.get("$ref").is_some() && property.as_object().unwrap().len() == 1;
            let text = property["description"].as_str().unwrap_or_default();
            assert!(
                plain && name == "stats" || text.ends_with('.'),
                "{name}.{field} has no description"
            );
            if field.ends_with("_ms") {
                let says = text.contains("illiseconds") || property.get("$ref").is_none();
                assert!(
                    says || name == "stats",
                    "{name}.{field} does not say its unit"
                );
            }
        }
    }
    for &name in SCHEMAS {
        let schema = schema(name);
        for holder in [&schema, &schema["$defs"]["report"]] {
            if let Some(properties) = holder.get("properties") {
                look(name, properties.as_object().unwrap());
            }
        }
    }
}

#[test]
fn the_code_and_the_schemas_know_the_same_fields() {
    let [request, outcome] = ["request", "outcome"].map(properties);
    for name in &request {
        let field = Field::from_name(name.as_bytes());
        assert!(
            field.is_some_and(|field| !field.is_outcome()),
            "{name} is no field of a request"
        );
    }
    for name in outcome.difference(&request) {
        let field = Field::from_name(name.as_bytes());
        assert!(
            field.is_some_and(Field::is_outcome),
            "{name} is no field of an outcome"
        );
    }
    // Written from the code, they name no field but those of the schemas.
    let full = full_line();
    let full = full.as_object().unwrap();
    for name in full.keys() {
        assert!(outcome.contains(name), "no schema describes {name}");
    }
    for name in &outcome {
        assert!(full.contains_key(name), "the code does not write {name}");
    }
}

/// A line with every field the code can write.
fn full_line() -> Value {
    use trace_core::{Failure, Micros, Outcome, Request, SessionId};
    let time = Some(Micros::from_micros(1_500));
    let raw = |json: &str| serde_json::from_str(json).unwrap();
    let request = Request {
        timestamp: time,
        input_length: Some(1),
        output_length: Some(1),
        hash_ids: Some(vec![u64::MAX]),
        session_id: Some(SessionId::Number(-1)),
        delay: time,
        model: Some("m".to_owned()),
        text_input: Some("t".to_owned()),
        messages: raw("[]"),
        tools: raw("[]"),
        payload: raw("{}"),
        extra: raw("{}"),
        source: Some("s".to_owned()),
    };
    let outcome = Outcome {
        seq: Some(0),
        round: Some(1),
        concurrency: Some(1),
        stage: Some("warm".to_owned()),
        scheduled_ms: time,
        due_ms: time,
        sent_ms: time,
        lateness_ms: time,
        queue_ms: time,
        sent_unix_ms: time,
        connect_ms: time,
        ttft_ms: time,
        first_content_ms: time,
        last_token_ms: time,
        latency_ms: time,
        tpot_ms: time,
        itl_ms: Some(vec![Micros::ZERO]),
        input_tokens: Some(1),
        cached_tokens: Some(1),
        output_tokens: Some(1),
        token_source: Some(TokenSource::Usage),
        chunks: Some(1),
        status: Some(200),
        error: Some(Failure {
            kind: ErrorKind::Http,
            message: String::new(),
        }),
        attempts: Some(2),
        gpu_memory_mb: Some(0.5),
    };
    let mut line = Vec::new();
    request.append_to(&mut line);
    outcome.append_to(&mut line);
    serde_json::from_slice(&line).unwrap()
}

#[test]
fn a_line_with_every_field_validates() {
    Judge::of("request").accept(&full_line());
    Judge::of("outcome").know(&full_line());
}

#[test]
fn the_lists_of_words_are_those_of_the_code() {
    let outcome = schema("outcome");
    let properties = &outcome["properties"];
    let listed = |list: &Value| -> Vec<String> {
        let words = list["enum"].as_array().unwrap().iter();
        words
            .filter_map(|w| w.as_str().map(str::to_owned))
            .collect()
    };
    let kinds = &properties["error"]["properties"]["kind"];
    assert_eq!(listed(kinds), ErrorKind::ALL.map(ErrorKind::as_str));
    for kind in ErrorKind::ALL {
        let word = format!("{}: ", kind.as_str());
        assert!(
            kinds["description"].as_str().unwrap().contains(&word),
            "{word}"
        );
    }
    let sources = [
        TokenSource::Usage,
        TokenSource::Tokenizer,
        TokenSource::Chunks,
    ];
    assert_eq!(
        listed(&properties["token_source"]),
        sources.map(TokenSource::as_str)
    );
}

#[test]
fn every_fixture_validates() {
    let (request, outcome) = (Judge::of("request"), Judge::of("outcome"));
    let data = harness::root().join("tests/data");
    for file in std::fs::read_dir(data).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let lines = std::fs::read_to_string(fixture(&name)).unwrap();
        assert!(
            lines.lines().count() <= 20,
            "{name} is longer than a hand can make it"
        );
        let judge = if name.ends_with(".outcomes.jsonl") {
            &outcome
        } else {
            &request
        };
        records(&lines).iter().for_each(|line| judge.accept(line));
    }
}

#[test]
fn what_is_wrong_does_not_validate() {
    let request = Judge::of("request");
    for wrong in [
        r#"{"timestamp":1}"#,
        r#"{"timestamp":-1,"input_length":1}"#,
        r#"{"timestamp":"1","input_length":1}"#,
        r#"{"input_length":1.5}"#,
        r#"{"input_length":1,"hash_ids":[-1]}"#,
        r#"{"input_length":1,"session_id":true}"#,
        r#"{"messages":{}}"#,
        "[]",
    ] {
        let object = serde_json::from_str(wrong).unwrap();
        assert!(!request.validator.is_valid(&object), "{wrong}");
    }
    let outcome = Judge::of("outcome");
    for wrong in [
        r#"{"input_length":1}"#,
        r#"{"input_length":1,"seq":0,"error":{"kind":"bored","message":""}}"#,
        r#"{"input_length":1,"seq":0,"ttft_ms":-1}"#,
    ] {
        let object = serde_json::from_str(wrong).unwrap();
        assert!(!outcome.validator.is_valid(&object), "{wrong}");
    }
}

#[test]
fn what_trace_synth_writes_validates() {
    let request = Judge::of("request");
    for command in [
        "sine --time-duration 3 --seed 7",
        "rate --rate 1000 --requests 20 --arrival gamma --cv 3 --model tiny",
        "rate --rate 1000 --requests 20 --no-hash-ids",
    ] {
        request.know_all(&tool("trace-synth").args(command).run().ok());
    }
}

#[test]
fn what_trace_send_and_the_mock_write_validates() {
    let server = Server::start("--ttft 2ms --itl 1ms");
    let outcome = Judge::of("outcome");
    for (file, url) in [
        ("shared_prefixes.jsonl", server.completions()),
        ("sessions.jsonl", server.chat()),
        ("literal_prompts.jsonl", server.chat()),
    ] {
        let sent = tool("trace-send").args("--url").arg(url).arg(fixture(file));
        outcome.know_all(&sent.run().ok());
    }
    let down = tool("trace-send").args("--url http://127.0.0.1:9/v1/completions");
    outcome.know_all(&down.arg(fixture("sessions.jsonl")).run().ok());
    Judge::of("mock").know_all(&server.stop());
}

#[test]
fn what_trace_stats_reports_validates() {
    let stats = Judge::of("stats");
    let metrics = &schema("stats")["$defs"]["report"]["properties"]["metrics"]["properties"];
    let known = |report: &Value| {
        stats.describes(report);
        for name in report["metrics"].as_object().unwrap().keys() {
            assert!(
                metrics.get(name).is_some(),
                "no schema describes the metric {name}"
            );
        }
    };
    let report = |flags: &str, file: &str| {
        let stats = tool("trace-stats").args("--format json").args(flags);
        stats.arg(fixture(file)).run().json()
    };
    for file in [
        "shared_prefixes.jsonl",
        "sessions.jsonl",
        "literal_prompts.jsonl",
        "unknown_fields.jsonl",
        "failures.outcomes.jsonl",
    ] {
        let report = report("--confidence --window 0..1h", file);
        stats.accept(&report);
        known(&report);
    }
    let grouped = report("--by session_id,model", "sessions.jsonl");
    stats.accept(&grouped);
    known(&grouped);
    let judged = report(
        "--by round,length-bucket --slo ttft_ms=100,request_output_tps=5 --assert requests>0 --assert ttft_ms.mean>0",
        "failures.outcomes.jsonl",
    );
    stats.accept(&judged);
    known(&judged);
    let groups = grouped["groups"].as_array().expect("--by was given");
    assert_eq!(groups.len(), 3, "two sessions and the rest");
    groups.iter().for_each(known);

    let dir = Dir::new();
    dir.write("empty.jsonl", "");
    let empty = dir
        .tool("trace-stats")
        .args("--format json empty.jsonl")
        .run();
    stats.know(&serde_json::from_slice(&empty.stdout).unwrap());
}

#[test]
fn the_files_of_a_sweep_validate() {
    let judge = Judge::of("round");
    let dir = Dir::new();
    let stats = dir.tool("trace-stats").args("--output-dir files");
    stats.arg(fixture("failures.outcomes.jsonl")).run().ok();
    let mut files = 0;
    for file in std::fs::read_dir(dir.path("files")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            judge.accept(&serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
            files += 1;
        }
    }
    assert!(files > 0, "no round was written");
}

#[test]
fn partial_lines_validate_and_add_up() {
    let judge = Judge::of("partial");
    let dir = Dir::new();
    dir.write("empty.jsonl", "");
    let partial = |file: &str, flags: &str| {
        let stats = tool("trace-stats").args("--partial --by model,session_id");
        let line = stats.args(flags).arg(file).run().ok();
        judge.know_all(&line);
        line
    };
    for flags in ["", "--exact-up-to 0"] {
        let parts = [
            partial(&fixture("failures.outcomes.jsonl"), flags),
            partial(&fixture("sessions.jsonl"), flags),
            partial(&dir.path("empty.jsonl").to_string_lossy(), flags),
        ];
        dir.write("parts.jsonl", parts.concat());
        let sum = dir
            .tool("trace-stats")
            .args("--combine parts.jsonl --format json");
        Judge::of("stats").accept(&sum.run().json());
    }
}

#[test]
fn contests_and_telemetry_validate() {
    let file = fixture("failures.outcomes.jsonl");
    let contest = tool("trace-stats").args("compare --format json --resamples 100");
    let contest = contest.arg(&file).arg(&file);
    Judge::of("contest").know(&contest.run().json());
    let dir = Dir::new();
    let sample = r#"{"t_ms":1.5,"unix_ms":5,"source":"nvml","name":"power","labels":{"gpu":"0"},"value":100,"unit":"W"}"#;
    dir.write("gpu.jsonl", format!("{sample}\n{sample}\n"));
    let telemetry = dir
        .tool("trace-stats")
        .args("telemetry --format json gpu.jsonl");
    Judge::of("telemetry-report").know(&telemetry.run().json());
}

#[test]
fn cache_objects_validate() {
    let cache = Judge::of("cache");
    for flags in [
        "",
        "--full-blocks-only --bytes-per-token 128KiB --capacities 2,1GiB",
        "--sample 0.5",
        "--policy lru,prefix-lru,fifo,lfu,s3-fifo,optimum --capacities 2,5",
        "--policy prefix-lru --replicas 1,3 --routing round-robin,least-loaded,prefix-affinity --capacities 2,5",
    ] {
        let stats = tool("trace-stats").args("cache --format json").args(flags);
        cache.know(&stats.arg(fixture("shared_prefixes.jsonl")).run().json());
    }
}

#[test]
fn what_trace_stats_says_of_prefixes_validates() {
    let (stats, cache) = (Judge::of("stats"), Judge::of("cache"));
    for file in [
        "shared_prefixes.jsonl",
        "sessions.jsonl",
        "failures.outcomes.jsonl",
    ] {
        let prefixes = tool("trace-stats").args("prefixes --cache --format json");
        let report = prefixes.arg(fixture(file)).run().json();
        stats.know(&report);
        cache.know(&report["cache"]);
    }
}

#[test]
fn comparisons_validate() {
    let judge = Judge::of("comparison");
    for (a, b, code) in [
        ("shared_prefixes.jsonl", "sessions.jsonl", 1),
        ("sessions.jsonl", "sessions.jsonl", 0),
        ("literal_prompts.jsonl", "failures.outcomes.jsonl", 1),
    ] {
        let compare = tool("trace-stats").args("compare --format json --tolerance *=0.01");
        let run = compare.arg(fixture(a)).arg(fixture(b)).run();
        run.check(run.codes == [Some(code)], "a wrong verdict");
        judge.know(&serde_json::from_slice(&run.stdout).unwrap());
    }
}

#[test]
fn what_lint_finds_validates() {
    let judge = Judge::of("lint");
    for file in [
        "shared_prefixes.jsonl",
        "sessions.jsonl",
        "fractional_times.jsonl",
    ] {
        let lint = tool("trace-stats").args("lint --format json --block-size 7");
        let run = lint.arg(fixture(file)).run();
        run.check(matches!(run.codes[..], [Some(0 | 1)]), "lint failed");
        judge.know(&serde_json::from_slice(&run.stdout).unwrap());
    }
}

#[test]
fn windows_validate() {
    let windows = tool("trace-stats").args("windows --format json --length 1ms");
    Judge::of("windows").know(&windows.arg(fixture("shared_prefixes.jsonl")).run().json());
}
