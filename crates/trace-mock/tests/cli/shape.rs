//! Answers that are more than words: calls of tools, JSON, log-probabilities, echoed prompts.

use serde_json::{Value, json};

use crate::harness::Mock;

const WEATHER: &str =
    r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}}"#;
const CHAT: &str = r#""messages":[{"role":"user","content":"a b c"}]"#;

fn tool() -> String {
    format!(
        r#""tools":[{{"type":"function","function":{{"name":"weather","parameters":{WEATHER}}}}}]"#
    )
}

/// The arguments of a call follow its schema.
fn check(arguments: &str) {
    let value: Value = serde_json::from_str(arguments).unwrap();
    let schema: Value = serde_json::from_str(WEATHER).unwrap();
    assert!(jsonschema::is_valid(&schema, &value), "{value}");
    assert!(value["city"].is_string(), "{value}");
}

#[test]
fn a_chat_calls_the_tool_that_it_must_whole_and_streamed() {
    let mut mock = Mock::start(&[]);
    let body = format!(r#"{{{CHAT},{},"tool_choice":"required"}}"#, tool());
    let json = mock.post("/v1/chat/completions", "", &body).json();
    let choice = &json["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(
        (&call["type"], &call["function"]["name"]),
        (&"function".into(), &"weather".into())
    );
    check(call["function"]["arguments"].as_str().unwrap());
    let tokens = json["usage"]["completion_tokens"].as_u64().unwrap();
    let mut record = mock.record();
    // What was sent is told where it is not what was asked for.
    assert_eq!(record["sent_tokens"].take(), tokens);

    let body = body.replacen('{', r#"{"stream":true,"#, 1);
    let events = mock.post("/v1/chat/completions", "", &body).events();
    let pieces = events.iter().filter_map(|event| {
        event
            .pointer("/choices/0/delta/tool_calls/0/function/arguments")?
            .as_str()
    });
    check(&pieces.collect::<String>());
    assert!(events.len() as u64 >= tokens, "a token is an event");
}

#[test]
fn a_call_may_be_left_to_chance_refused_and_cut() {
    let mock = Mock::start(&[]);
    let ask = |mock: &Mock, more: &str| {
        let body = format!("{{{CHAT},{}{more}}}", tool());
        mock.post("/v1/chat/completions", "", &body)
    };
    let reason = |json: &Value| json["choices"][0]["finish_reason"].clone();
    assert_eq!(
        reason(&ask(&mock, "").json()),
        "stop",
        "text, unless it must"
    );
    let eager = Mock::start(&["--tool-call-rate", "1"]);
    assert_eq!(reason(&ask(&eager, "").json()), "tool_calls");
    assert_eq!(
        reason(&ask(&eager, r#","tool_choice":"none""#).json()),
        "stop"
    );
    let cut = r#","tool_choice":"required","max_tokens":2"#;
    assert_eq!(reason(&ask(&eager, cut).json()), "length");
    let unknown = r#","tool_choice":{"type":"function","function":{"name":"x"}}"#;
    assert_eq!(ask(&mock, unknown).status, 400);
    let without = format!(r#"{{{CHAT},"tool_choice":"required"}}"#);
    assert_eq!(mock.post("/v1/chat/completions", "", &without).status, 400);
}

#[test]
fn messages_and_responses_call_tools_in_their_own_shapes() {
    let mock = Mock::start(&[]);
    let body = format!(
        r#"{{"max_tokens":99,{CHAT},"tools":[{{"name":"weather","input_schema":{WEATHER}}}],"tool_choice":{{"type":"any"}}}}"#
    );
    let json = mock.post("/v1/messages", "", &body).json();
    assert_eq!(json["stop_reason"], "tool_use");
    let block = &json["content"][0];
    assert_eq!(
        (&block["type"], &block["name"]),
        (&"tool_use".into(), &"weather".into())
    );
    check(&block["input"].to_string());
    let streamed = mock.post(
        "/v1/messages",
        "",
        &body.replacen('{', r#"{"stream":true,"#, 1),
    );
    let data: Vec<Value> = streamed
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(data[1]["content_block"]["input"], json!({}));
    let pieces = data
        .iter()
        .filter_map(|data| data.pointer("/delta/partial_json")?.as_str());
    check(&pieces.collect::<String>());

    let body = format!(
        r#"{{"input":"hi","tools":[{{"type":"function","name":"weather","parameters":{WEATHER}}}],"tool_choice":{{"type":"function","name":"weather"}}}}"#
    );
    let json = mock.post("/v1/responses", "", &body).json();
    let item = &json["output"][0];
    assert_eq!(
        (&item["type"], &item["name"]),
        (&"function_call".into(), &"weather".into())
    );
    check(item["arguments"].as_str().unwrap());
    let streamed = mock.post(
        "/v1/responses",
        "",
        &body.replacen('{', r#"{"stream":true,"#, 1),
    );
    let text = streamed.text();
    let data: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let numbers = data
        .iter()
        .map(|data| data["sequence_number"].as_u64().unwrap());
    assert!(numbers.eq(0..data.len() as u64), "{text}");
    let deltas = data
        .iter()
        .filter(|data| data["type"] == "response.function_call_arguments.delta");
    check(
        &deltas
            .map(|data| data["delta"].as_str().unwrap())
            .collect::<String>(),
    );
}

#[test]
fn ollama_calls_a_tool_in_one_piece() {
    let mock = Mock::start(&["--tool-call-rate", "1"]);
    let body = format!("{{{CHAT},{}}}", tool());
    let response = mock.post("/api/chat", "", &body);
    let lines: Vec<Value> = response
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let calls: Vec<_> = lines
        .iter()
        .filter(|line| line["message"]["tool_calls"].is_array())
        .collect();
    assert_eq!((calls.len(), lines.len()), (1, 2));
    check(&calls[0]["message"]["tool_calls"][0]["function"]["arguments"].to_string());
}

#[test]
fn json_follows_its_schema_and_is_as_long_as_was_asked_for() {
    let mock = Mock::start(&[]);
    let format = format!(
        r#""response_format":{{"type":"json_schema","json_schema":{{"name":"w","schema":{WEATHER}}}}}"#
    );
    let body = format!(r#"{{{CHAT},{format},"max_tokens":60}}"#);
    let json = mock.post("/v1/chat/completions", "", &body).json();
    check(json["choices"][0]["message"]["content"].as_str().unwrap());
    assert_eq!(json["choices"][0]["finish_reason"], "stop");
    assert_eq!(json["usage"]["completion_tokens"], 60);
    let object = r#"{"prompt":"a","response_format":{"type":"json_object"},"max_tokens":20}"#;
    let json = mock.post("/v1/completions", "", object).json();
    let text = json["choices"][0]["text"].as_str().unwrap();
    assert!(
        serde_json::from_str::<Value>(text).unwrap().is_object(),
        "{text}"
    );
    let wrong = r#"{"prompt":"a","response_format":{"type":"xml"}}"#;
    assert_eq!(mock.post("/v1/completions", "", wrong).status, 400);
}

#[test]
fn probabilities_come_with_each_token_and_prompts_are_echoed() {
    let mock = Mock::start(&[]);
    let body =
        format!(r#"{{{CHAT},"max_tokens":3,"logprobs":true,"top_logprobs":2,"stream":true}}"#);
    let events = mock.post("/v1/chat/completions", "", &body).events();
    let told = &events[1]["choices"][0]["logprobs"]["content"];
    assert_eq!(
        (told.as_array().unwrap().len(), &told[0]["token"]),
        (1, &" the".into())
    );
    // As benchmarks of likelihood ask: nothing but the prompt.
    let body = r#"{"prompt":["hello world","a b"],"max_tokens":0,"echo":true,"logprobs":1}"#;
    let json = mock.post("/v1/completions", "", body).json();
    assert_eq!(json["choices"][0]["text"], "hello world");
    assert_eq!(json["choices"][1]["text"], "a b");
    let told = &json["choices"][0]["logprobs"];
    assert_eq!(told["tokens"], json!(["hello", " world"]));
    assert_eq!(told["token_logprobs"][0], Value::Null);
    assert!(told["token_logprobs"][1].as_f64().unwrap() < 0.0);
    let ids = r#"{"prompt":[24912,2375],"max_tokens":2,"echo":true,"stream":true}"#;
    let events = mock.post("/v1/completions", "", ids).events();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["text"].as_str())
        .collect();
    assert_eq!(text, "hello world the time");
    let many = r#"{"prompt":"a","logprobs":21}"#;
    assert_eq!(mock.post("/v1/completions", "", many).status, 400);
    assert_eq!(
        mock.post("/v1/completions", "", r#"{"prompt":"a","n":2,"best_of":1}"#)
            .status,
        400
    );
}

#[test]
fn as_many_tools_are_called_as_wanted() {
    let mock = Mock::start(&["--tool-calls", "3"]);
    let two = r#""tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}]"#;
    let names = |more: &str| -> Vec<String> {
        let body = format!("{{{CHAT},{two}{more}}}");
        let json = mock.post("/v1/chat/completions", "", &body).json();
        let calls = json["choices"][0]["message"]["tool_calls"].clone();
        let calls = calls.as_array().cloned().unwrap_or_default();
        let name = |call: &Value| call["function"]["name"].as_str().unwrap().to_owned();
        calls.iter().map(name).collect()
    };
    assert_eq!(names(r#","tool_choice":"required""#), ["a", "b", "a"]);
    let single = r#","tool_choice":"required","parallel_tool_calls":false"#;
    assert_eq!(names(single), ["a"]);
    let named = r#","tool_choice":{"type":"function","function":{"name":"b"}}"#;
    assert_eq!(names(named), ["b"]);
    let body = format!(
        r#"{{"max_tokens":99,{CHAT},"tools":[{{"name":"a","input_schema":{WEATHER}}}],"tool_choice":{{"type":"any","disable_parallel_tool_use":true}}}}"#
    );
    let json = mock.post("/v1/messages", "", &body).json();
    assert_eq!(json["content"].as_array().unwrap().len(), 1);
}
