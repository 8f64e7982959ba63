use super::*;

fn arguments(text: &str, typed: &[&str]) -> Vec<String> {
    let typed: Vec<_> = typed.iter().map(|&word| word.to_owned()).collect();
    let mut plans = plans(text, &typed, false).unwrap();
    plans.remove(0).arguments
}

#[test]
fn a_stage_wins_over_global_and_what_is_typed_over_both() {
    let text = "global: {url: 'mock:', timeout: 9s, no_itl: true}\nstages:\n- name: a\n  timeout: 5s\n  concurrency: [1, 2]\n  header: ['A: 1', 'B: 2']\n  files: [t.jsonl]\n";
    assert_eq!(
        arguments(text, &[]),
        [
            "--concurrency=1,2",
            "--no-itl",
            "--timeout=5s",
            "--url=mock:",
            "--stage=a",
            "t.jsonl"
        ]
    );
    assert_eq!(
        arguments(text, &["-c4", "--timeout", "1s"]),
        [
            "--no-itl",
            "--url=mock:",
            "--stage=a",
            "-c4",
            "--timeout",
            "1s",
            "t.jsonl"
        ]
    );
    let text = "stages: [{name: a, requests: 9, files: [t.jsonl]}]";
    assert_eq!(
        arguments(text, &["--limit=5"]),
        ["--stage=a", "--limit=5", "t.jsonl"],
        "by its other name"
    );
}

#[test]
fn fluxperfs_words_are_understood() {
    let text = "global:\n  endpoint: http://h/v1/chat/completions\n  mode: dual_round\n  api_key: sk-1\n  max_output_tokens: 50\n  timeout: 300\n  reset_cache_url: http://h/reset\n  reset_cache_between_rounds: true\n  shuffle_round2: false\n  debug: true\nsuites:\n- name: s\n  stages:\n  - name: a\n    concurrency_levels: [1, 5]\n    num_samples: [10]\n    dataset: d.jsonl\n    max_output_tokens: 60\n    env: {X: 1}\n";
    let mut all = plans(text, &[], false).unwrap();
    let plan = all.remove(0);
    assert_eq!(plan.name, "s/a");
    assert_eq!(
        plan.arguments,
        [
            "--api-key-env=OPENAI_API_KEY",
            "--between=http://h/reset",
            "--between-which=rounds",
            "--concurrency=1,5",
            "--extra=max_tokens=60",
            "--no-shuffle",
            "--rounds=2",
            "--timeout=300s",
            "--url=http://h/v1/chat/completions",
            "--stage=s/a"
        ]
    );
    let dataset = Dataset {
        path: "d.jsonl".to_owned(),
        entries: vec![10],
        most_tokens: None,
    };
    assert_eq!(plan.dataset, Some(dataset));
    let key = ("OPENAI_API_KEY".to_owned(), "sk-1".to_owned());
    assert_eq!(plan.env, [key, ("X".to_owned(), "1".to_owned())]);
    let typed = plans(text, &["-n7".to_owned()], false).unwrap();
    assert!(typed[0].dataset.as_ref().unwrap().entries.is_empty());
    let mocked = "mock_server: {enabled: true}\nglobal: {}\nstages: [{name: a, num_samples: 3, concurrency_levels: 1}]\n";
    assert!(arguments(mocked, &[]).contains(&"--url=mock:".to_owned()));
}

#[test]
fn what_is_no_recipe_is_said() {
    let error = |text: &str| format!("{:#}", plans(text, &[], false).unwrap_err());
    assert!(error("a: [").contains("line"), "{}", error("a: ["));
    assert_eq!(error("global: {}"), "it has no stages and no suites");
    let unknown = error("stages: [{name: a, urll: x}]");
    assert_eq!(unknown, "stage a: \"urll\" is no flag of trace-send");
    let wrong = error("stages: [{name: a, no_itl: 3}]");
    assert_eq!(wrong, "stage a: no-itl: expected true or false");
}

#[test]
fn fluxperfs_empty_keys_say_nothing() {
    let text = "global: {endpoint: 'http://h:1', api_key: null, slo_file: null, mode: null, vllm: null}\nstages: [{name: a, dataset: d.jsonl}]\n";
    assert_eq!(
        arguments(text, &[]),
        ["--endpoint-type=chat", "--url=http://h:1", "--stage=a"]
    );
}

#[test]
fn header_fields_are_no_arguments() {
    let text = "stages: [{name: a, url: 'mock:', header: ['X-Key: secret', 'B: 2']}]";
    let plan = plans(text, &[], false).unwrap().remove(0);
    assert!(!plan.arguments.concat().contains("secret"));
    let gone = "stages: [{name: a, header: ['@/no/such/file']}]";
    let error = format!("{:#}", plans(gone, &[], false).unwrap_err());
    assert!(error.contains("--header @/no/such/file"), "{error}");
    let fields = "X-Key: secret\nB: 2".to_owned();
    assert_eq!(plan.env, [("TRACE_SEND_HEADER".to_owned(), fields)]);
}

#[test]
fn stages_share_what_there_is_one_of() {
    let two = "global: {url: 'mock:', telemetry: t.jsonl}\nstages: [{name: a}, {name: b}]\n";
    let error = plans(two, &[], false).unwrap_err().to_string();
    assert!(
        error.starts_with("stage b: it has no files, and stdin"),
        "{error}"
    );
    let plans = plans(two, &[], true).unwrap();
    let appends = |plan: &Plan| plan.arguments.contains(&"--telemetry-append".to_owned());
    assert_eq!([appends(&plans[0]), appends(&plans[1])], [false, true]);
    let typed = ["--telemetry".to_owned(), "x".to_owned()];
    assert_eq!(telemetry(&typed), Some("x"));
    assert_eq!(telemetry(&["--telemetry-interval=1s".to_owned()]), None);
}

#[test]
fn stages_of_one_name_are_told_apart() {
    let text = "stages: [{name: a}, {name: a-2}, {name: a}, {name: a}]\nglobal: {files: x}";
    let names: Vec<_> = plans(text, &[], false).unwrap();
    let names = names.into_iter().map(|plan| plan.name);
    assert_eq!(names.collect::<Vec<_>>(), ["a", "a-2", "a-3", "a-4"]);
}

#[test]
fn a_server_of_fluxperfs_may_stand_beside_the_stages() {
    let text = "vllm: {auto_restart: true, startup_command: serve}\nstages: [{name: a}]";
    let plan = plans(text, &[], false).unwrap().remove(0);
    assert_eq!(plan.server, Some(server::Settings::new("serve".to_owned())));
    assert!(!plan.is_dry());
    let typed = ["--dry-run".to_owned()];
    assert!(plans(text, &typed, false).unwrap()[0].is_dry());
}
