//! What clients look for in answers, and how a wrong request is answered as vLLM answers it.

use serde_json::{Value, json};

use crate::harness::Mock;

const CHAT: &str = r#""messages":[{"role":"user","content":"a b c"}]"#;

#[test]
fn senseless_parameters_are_refused_in_the_words_of_vllm() {
    let mock = Mock::start(&[]);
    for (fields, param) in [
        (r#""temperature":-1"#, "temperature"),
        (r#""top_p":1.5"#, "top_p"),
        (r#""top_k":-2"#, "top_k"),
        (r#""max_tokens":0"#, "max_tokens"),
        (r#""top_logprobs":3"#, "top_logprobs"),
        (r#""repetition_penalty":0"#, "repetition_penalty"),
    ] {
        let response = mock.post("/v1/chat/completions", "", &format!("{{{CHAT},{fields}}}"));
        let error = response.json()["error"].clone();
        assert_eq!(
            (
                response.status,
                &error["type"],
                &error["param"],
                &error["code"]
            ),
            (400, &"BadRequestError".into(), &param.into(), &400.into()),
            "{fields}"
        );
        assert!(
            error["message"].as_str().unwrap().contains(param),
            "{error}"
        );
    }
    let body = format!("{{{CHAT},\"n\":0}}");
    assert_eq!(mock.post("/v1/chat/completions", "", &body).status, 400);
    let body = format!("{{{CHAT},\"max_tokens\":0}}");
    assert_eq!(mock.post("/v1/messages", "", &body).status, 400);
    // Behind its prompt an answer may have no tokens.
    let body = r#"{"prompt":"a","max_tokens":0,"echo":true}"#;
    assert_eq!(mock.post("/v1/completions", "", body).status, 200);
}

#[test]
fn too_long_a_prompt_is_refused_in_the_words_of_vllm() {
    let mock = Mock::start(&["--max-model-len", "5"]);
    let body = format!("{{{CHAT},\"max_tokens\":4}}");
    let error = mock.post("/v1/chat/completions", "", &body).json();
    let message = "This model's maximum context length is 5 tokens. However, you requested 4 \
        output tokens and your prompt contains at least 3 input tokens, for a total of at least 7 \
        tokens. Please reduce the length of the input prompt or the number of requested output \
        tokens. (parameter=input_tokens, value=3)";
    assert_eq!(
        error,
        json!({"error": {"message": message, "type": "BadRequestError",
            "param": "input_tokens", "code": 400}})
    );
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let mock = Mock::start(&["--model", "m", "--strict-models"]);
    let response = mock.post("/v1/completions", "", r#"{"prompt":"a","model":"x"}"#);
    assert_eq!(
        (response.status, response.json()["error"].clone()),
        (
            404,
            json!({"message": "The model `x` does not exist.", "type": "NotFoundError",
                "param": "model", "code": 404})
        )
    );
}

#[test]
fn a_response_repeats_what_was_asked_for() {
    let mock = Mock::start(&[]);
    let body = "{\"input\":\"a\",\"instructions\":\"be\",\"temperature\":0.3,\n\
        \"metadata\":{\n\"a\":\"b\"},\"tools\":[{\"type\":\"function\",\"name\":\"f\"}],\
        \"tool_choice\":\"none\",\"max_output_tokens\":2,\"previous_response_id\":\"resp_9\"}";
    let json = mock.post("/v1/responses", "", body).json();
    for (name, value) in [
        ("instructions", json!("be")),
        ("temperature", json!(0.3)),
        ("metadata", json!({"a": "b"})),
        ("tools", json!([{"type": "function", "name": "f"}])),
        ("tool_choice", json!("none")),
        ("max_output_tokens", json!(2)),
        ("previous_response_id", json!("resp_9")),
        ("parallel_tool_calls", json!(true)),
        ("text", json!({"format": {"type": "text"}})),
    ] {
        assert_eq!(json[name], value, "{name}");
    }
    // A line feed in the request is none in an event.
    let stream = body.replacen('{', "{\"stream\":true,", 1);
    let response = mock.post("/v1/responses", "", &stream);
    let end = response.text().trim_end().rsplit("data: ").next().unwrap();
    let end: Value = serde_json::from_str(end).unwrap();
    assert_eq!(end["response"]["metadata"], json!({"a": "b"}));
}

#[test]
fn the_number_of_a_request_is_in_its_answer() {
    let mock = Mock::start(&[]);
    for body in [r#"{"prompt":"a"}"#, "{}"] {
        let response = mock.post("/v1/completions", "\r\nx-request-id: run/7", body);
        assert_eq!(response.header("x-request-id"), "run/7");
    }
    assert_eq!(
        mock.post("/v1/completions", "", r#"{"prompt":"a"}"#)
            .header("x-request-id"),
        ""
    );
}

#[test]
fn ollama_embeds_and_errs_in_its_own_shape() {
    let mock = Mock::start(&["--embedding-dimensions", "4", "--model", "m"]);
    let json = mock
        .post("/api/embed", "", r#"{"model":"m","input":["a b","c"]}"#)
        .json();
    assert_eq!(json["embeddings"].as_array().unwrap().len(), 2);
    assert_eq!(json["prompt_eval_count"], 3);
    let json = mock
        .post("/api/embeddings", "", r#"{"model":"m","prompt":"a"}"#)
        .json();
    assert_eq!(json["embedding"].as_array().unwrap().len(), 4);
    let error = mock.post("/api/nowhere", "", "{}");
    assert_eq!(error.status, 404);
    assert!(error.json()["error"].is_string());
    // A client takes a length of the context for a number.
    let show = mock.post("/api/show", "", r#"{"model":"m"}"#).json();
    assert_eq!(show["model_info"], json!({"general.architecture": "mock"}));
}

#[test]
fn text_generation_inference_answers_at_its_root() {
    let mock = Mock::start(&[]);
    let body = r#"{"inputs":"a","parameters":{"max_new_tokens":2,"details":true}}"#;
    let json = mock.post("/", "", body).json();
    assert_eq!(json[0]["generated_text"], " the time");
    assert_eq!(json[0]["details"]["tokens"].as_array().unwrap().len(), 2);
    let stream = body.replacen('{', "{\"stream\":true,", 1);
    let response = mock.post("/", "", &stream);
    assert_eq!(
        response.header("content-type"),
        "text/event-stream; charset=utf-8"
    );
    assert_eq!(mock.ask("GET / HTTP/1.1", "").status, 200);
    assert_eq!(
        mock.ask("GET /info HTTP/1.1", "").json()["model_id"],
        "mock"
    );
    let stop = body.replace("\"details\"", "\"stop\":[\" time\"],\"details\"");
    let details = mock.post("/generate", "", &stop).json()["details"].clone();
    assert_eq!(details["finish_reason"], "stop_sequence");
}

#[test]
fn anthropic_has_its_models_its_formats_and_its_stops() {
    let mock = Mock::start(&["--model", "m"]);
    let head = "GET /v1/models HTTP/1.1\r\nanthropic-version: 2023-06-01";
    let models = mock.ask(head, "").json();
    assert_eq!(
        (&models["first_id"], &models["has_more"]),
        (&"m".into(), &false.into())
    );
    assert_eq!(models["data"][0]["type"], "model");
    let schema = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;
    let format = format!(r#"{{"format":{{"type":"json_schema","schema":{schema}}}}}"#);
    let body = format!(r#"{{"max_tokens":99,{CHAT},"output_config":{format}}}"#);
    let json = mock.post("/v1/messages", "", &body).json();
    assert_eq!(json["content"][0]["text"], r#"{"n":0}"#);
    let body = format!(r#"{{"max_tokens":9,{CHAT},"stop_sequences":[" of"]}}"#);
    let json = mock.post("/v1/messages", "", &body).json();
    assert_eq!(
        (&json["stop_reason"], &json["stop_sequence"]),
        (&"stop_sequence".into(), &" of".into())
    );
}

#[test]
fn vllms_words_for_the_shape_of_an_answer_are_heeded() {
    let mock = Mock::start(&[]);
    let said = |fields: &str| {
        let body = format!("{{{CHAT},\"max_tokens\":40,{fields}}}");
        let json = mock.post("/v1/chat/completions", "", &body).json();
        json["choices"][0]["message"]["content"].clone()
    };
    let schema = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;
    for fields in [
        format!(r#""structured_outputs":{{"json":{schema}}}"#),
        format!(r#""guided_json":{schema}"#),
    ] {
        assert_eq!(said(&fields), r#"{"n":0}"#);
    }
    for fields in [
        r#""structured_outputs":{"choice":["yes","no"]}"#,
        r#""guided_choice":["yes","no"]"#,
    ] {
        assert_eq!(said(fields), "yes");
    }
}

#[test]
fn the_metrics_of_an_engine_have_the_layout_of_its_cache() {
    let mock = Mock::start(&["--cache-blocks", "99", "--block-size", "16"]);
    let metrics = mock.ask("GET /metrics HTTP/1.1", "");
    let layout = "vllm:cache_config_info{block_size=\"16\",enable_prefix_caching=\"True\",\
        engine=\"0\",num_gpu_blocks=\"99\"} 1";
    assert!(metrics.text().contains(layout), "{}", metrics.text());
    assert_eq!(mock.ask("GET /load HTTP/1.1", "").json()["server_load"], 0);
}
