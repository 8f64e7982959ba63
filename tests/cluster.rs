//! What the jobs for a cluster run in their pods runs here, too.

use crate::harness::{Dir, Script, Server, records, root};

/// What a pod of that job runs, as bash reads it, with these variables instead of the job's.
fn pod(job: &str, variables: &[(&str, &str)]) -> String {
    let path = root().join("scripts/cluster").join(job);
    let text = std::fs::read_to_string(path).unwrap();
    let (_, block) = text.split_once("- |\n").expect("it has a script");
    let inside = |line: &&str| line.starts_with("              ");
    let script: Vec<&str> = block.lines().take_while(inside).collect();
    for (name, _) in variables {
        let said = text.contains(&format!("name: {name}")) || *name == "JOB_COMPLETION_INDEX";
        assert!(said, "{job} says no {name}");
    }
    let set = variables
        .iter()
        .map(|(name, value)| format!("export {name}='{value}'\n"));
    set.collect::<String>() + &script.join("\n")
}

#[test]
fn the_pods_of_a_replay_send_each_request_once() {
    let dir = Dir::new();
    let trace: String = (0..40)
        .map(|i| {
            format!(
                "{{\"timestamp\":{i},\"input_length\":8,\"output_length\":2,\"session_id\":{}}}\n",
                i % 10 * 2
            )
        })
        .collect();
    dir.write("trace.jsonl", trace);
    let server = Server::start("");
    let url = server.completions();
    for index in ["0", "1"] {
        let run = Script::new(
            &dir,
            pod(
                "replay.yaml",
                &[
                    ("URL", &url),
                    ("START_AT", "2026-01-01T00:00:00Z"),
                    ("SHARDS", "2"),
                    ("DATA", "."),
                    ("JOB_COMPLETION_INDEX", index),
                ],
            ),
        )
        .run();
        run.succeeds();
    }
    let merge = "trace-merge --outcomes outcomes-*.jsonl";
    let merged = records(&Script::new(&dir, merge.to_owned()).run().ok());
    let mut seqs: Vec<u64> = merged
        .iter()
        .map(|line| line["seq"].as_u64().unwrap())
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (0..40).collect::<Vec<_>>());
    assert!(merged.iter().all(|line| line["status"] == 200));
}

#[test]
fn the_pod_of_a_benchmark_leaves_its_figures_and_pictures() {
    let dir = Dir::new();
    let benchmark = root().join("scripts/benchmark");
    let server = Server::start("");
    let url = server.origin();
    let script = pod(
        "benchmark.yaml",
        &[
            ("URL", url),
            ("MODEL", "m"),
            ("CONCURRENCIES", "1,2"),
            ("DATA", "."),
        ],
    );
    // In the image it goes by that name.
    let named = format!(
        "trace-benchmark() {{ '{}' \"$@\"; }}\n{script}",
        benchmark.display()
    );
    Script::new(&dir, named).run().succeeds();
    for made in ["service/c2/stats.json", "plots/SUMMARY.txt"] {
        assert!(dir.path(made).is_file(), "there is no {made}");
    }
}
