//! A directory with what examples name, and a server where they look for one.

use super::Statement;
use crate::harness::{Dir, Run, Script, Server, tool};
use std::sync::OnceLock;

/// Traces, and how they are made. The first few are sent at their own pace, so they are short.
const TRACES: &[(&str, &str)] = &[
    (
        "trace.jsonl",
        "rate --rate 20 --requests 20 --prefixes pool:3,900",
    ),
    (
        "day.jsonl",
        "rate --rate 2 --requests 40 --prefixes pool:3,900",
    ),
    ("day.jsonl.gz", "rate --rate 0.1 --duration 30m"),
    (
        "conversation.jsonl",
        "rate --rate 0.2 --duration 20m --sessions geometric:3 --think-time 10s",
    ),
    (
        "conversation_trace.jsonl",
        "rate --rate 1 --requests 50 --sessions geometric:3",
    ),
    (
        "production.jsonl",
        "rate --rate 1 --requests 100 --prefixes pool:5,900",
    ),
    (
        "synthetic.jsonl",
        "rate --rate 1 --requests 100 --prefixes pool:5,900 --seed 2",
    ),
    (
        "chat.jsonl",
        "rate --rate 1 --requests 30 --sessions geometric:3",
    ),
    ("code.jsonl", "rate --rate 2 --requests 30"),
    ("code.jsonl.gz", "rate --rate 2 --requests 30"),
    ("warmup.jsonl", "rate --rate 5 --requests 10"),
    ("day1.jsonl", "rate --rate 1 --requests 30 --seed 3"),
    ("day2.jsonl.gz", "rate --rate 2 --requests 30 --seed 4"),
    ("monday.jsonl", "rate --rate 1 --requests 30 --seed 5"),
    ("tuesday.jsonl", "rate --rate 1 --requests 30 --seed 6"),
    ("day/1.jsonl", "rate --rate 1 --requests 30 --seed 7"),
    ("day/2.jsonl", "rate --rate 1 --requests 30 --seed 8"),
    ("logs/1.jsonl.zst", "rate --rate 1 --requests 30 --seed 9"),
    (
        "year.jsonl.zst",
        "rate --rate 1 --requests 300 --prefixes pool:50,900",
    ),
    ("qwen.jsonl", "rate --rate 1 --requests 30 --block-size 16"),
    (
        "qwen_traceA_blksz_16.jsonl",
        "rate --rate 1 --requests 30 --block-size 16",
    ),
];

/// Outcomes, and the flags with which they came.
const OUTCOMES: &[(&str, &str)] = &[
    ("outcomes.jsonl", "--concurrency 1,4 --rounds 2 -n 20"),
    ("sweep.jsonl", "--concurrency 1,4 --rounds 2 -n 20"),
    ("before.jsonl", "--concurrency 2"),
    ("after.jsonl", "--concurrency 4"),
    ("a.jsonl", "--speed 5"),
    ("b.jsonl", "--speed 10"),
    ("shard-0.jsonl", "--shard 0/2 --speed 10"),
    ("shard-1.jsonl", "--shard 1/2 --speed 10"),
];

/// Files of others, as they write them.
const FOREIGN: &[(&str, &str)] = &[
    (
        "BurstGPT_1.csv",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
         5,ChatGPT,472,18,490,Conversation log\n45,GPT-4,1087,230,1317,API log\n\
         118,GPT-4,417,276,693,Conversation log\n",
    ),
    (
        "AzureLLMInferenceTrace_code.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n\
         2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:30:04.0319600,3180,8\n",
    ),
    (
        "log.csv",
        "start_time,tokens_in,output_length\n1.5,100,20\n2.25,300,8\n",
    ),
    (
        "ShareGPT_V3.json",
        r#"[{"id":"a","conversations":[{"from":"human","value":"Name three rivers in Asia."},
            {"from":"gpt","value":"Yangtze, Mekong, Ganges."}]}]"#,
    ),
    ("a/workload.jsonl", AIBRIX),
    ("b/workload.jsonl", AIBRIX),
    (
        "telemetry.jsonl",
        "{\"t_ms\":0,\"unix_ms\":5,\"source\":\"m\",\"name\":\"vllm:num_requests_running\",\"labels\":{},\"value\":1,\"unit\":\"\"}\n\
         {\"t_ms\":900,\"unix_ms\":905,\"source\":\"m\",\"name\":\"vllm:num_requests_running\",\"labels\":{},\"value\":3,\"unit\":\"\"}\n",
    ),
    ("ca.pem", AUTHORITY),
    ("curve.json", CURVE),
    ("drawn.json", CURVE),
];

const AIBRIX: &str = "{\"timestamp\":0,\"requests\":[{\"prompt\":\"hello there\",\"prompt_length\":2,\
                      \"output_length\":3}]}\n";

/// A certificate that nobody has the key of.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUXx63eN7aFAVo/aOP4u9fY/K11j4wCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWQW4gYXV0aG9yaXR5IGZvciB0ZXN0czAgFw0yNjExMjIxMTAy
MzlaGA8yMTI2MTAyOTExMDIzOVowITEfMB0GA1UEAwwWQW4gYXV0aG9yaXR5IGZv
ciB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGtP3clgjKQ51aqOdtiX
Qgmn9tRmIfV8N9DU2veQhpC+k1XOkByPF8pzbJ+iGuuzObeV6Hqb8G+sQaV6HwNE
FXKjUzBRMB0GA1UdDgQWBBQ9v8APLxcB0oMvxh7y7BnK0UJgcTAfBgNVHSMEGDAW
gBQ9v8APLxcB0oMvxh7y7BnK0UJgcTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49
BAMCA0gAMEUCIF5GvcfY+b1h5k3CzGMLUVA/yIeQKF8P0wjjBMxGbVVfAiEA5V3a
5nuBt9B7cUX3WAYDu632Go3M+jEmde/oPrN8mBQ=
-----END CERTIFICATE-----
";

const CURVE: &str = r#"{"version": 1, "duration_ms": 20000, "models": [{"name": "chat",
    "interpolation": "linear",
    "points": [{"t_ms": 0, "rate": 0.5}, {"t_ms": 20000, "rate": 20}]}]}"#;

/// What is made small, and what it is made.
const SMALLER: &[(&str, &str)] = &[
    ("1000000", "1000"),
    ("--duration 24h", "--duration 1h"),
    ("day.jsonl --length 10m", "day.jsonl --length 5s"),
];

/// Where the examples of a page are played.
pub(super) struct Stage {
    dir: Dir,
    server: Server,
}

impl Stage {
    pub(super) fn new() -> Self {
        let stage = Self {
            dir: Dir::new(),
            server: Server::start(""),
        };
        stage.dir.copy_from(props());
        let recipe = format!(
            "global: {{url: '{}'}}\nstages:\n- {{name: warm, files: [trace.jsonl], speed: 10}}\n",
            stage.server.origin()
        );
        stage.dir.write("stages.yaml", recipe);
        stage
    }

    /// What comes of `statement` in a shell.
    #[track_caller]
    pub(super) fn run(&self, statement: &Statement) -> Run {
        let script = Script::new(&self.dir, self.adapted(statement));
        if statement.serves() {
            script.interrupt_when_it_says("http://")
        } else {
            script.run()
        }
    }

    /// `statement` with our server in the place of others, on no port that may be taken, and made
    /// small.
    fn adapted(&self, statement: &Statement) -> String {
        let mut text = statement.0.clone();
        for (large, small) in SMALLER {
            text = text.replace(large, small);
        }
        if text.contains("trace-send") {
            // In real time.
            for long in ["1h", "1m"] {
                text = text.replace(&format!("--duration {long}"), "--duration 1s");
            }
        }
        for other in [
            "http://localhost:8000",
            "http://127.0.0.1:8000",
            "https://api.example.com",
        ] {
            text = text.replace(other, self.server.origin());
        }
        text = text.replace("--port 8080", "--port 0");
        if !text.contains("--port") {
            text = text.replace("trace-mock ", "trace-mock --port 0 ");
            text = text.replace("trace-design ", "trace-design --port 0 ");
        }
        text
    }
}

/// The files that examples name, made once.
fn props() -> &'static Dir {
    static PROPS: OnceLock<Dir> = OnceLock::new();
    PROPS.get_or_init(|| {
        let dir = Dir::new();
        for folder in ["a", "b", "day", "logs", "designs"] {
            std::fs::create_dir(dir.path(folder)).unwrap();
        }
        // Nothing is shown when a tool asks the system to.
        for opener in ["xdg-open", "open"] {
            dir.write_program(&format!("bin/{opener}"), "#!/bin/sh\n");
        }
        for &(name, flags) in TRACES {
            let trace = tool("trace-synth").args(flags).run().ok();
            dir.write_packed(name, trace.as_bytes());
        }
        for &(name, flags) in OUTCOMES {
            let send = dir.tool("trace-send").args("--url mock:").args(flags);
            dir.write(name, send.args("trace.jsonl").run().ok());
        }
        for &(name, text) in FOREIGN {
            dir.write(name, text);
        }
        dir
    })
}
