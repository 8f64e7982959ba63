use super::*;
use trace_core::ErrorKind;
use trace_core::Line;

fn bodies(endpoint: Endpoint) -> Bodies {
    Bodies {
        endpoint,
        model: "m".to_owned(),
        stream: true,
        ignore_eos: false,
        min_tokens: false,
        extra: Members::default(),
        prompts: Prompts::new(0),
        prompt_as: PromptAs::Text,
    }
}

fn write(bodies: &Bodies, line: &str) -> Result<String, Failure> {
    let request = Line::parse("t", line).unwrap().request;
    let mut out = Vec::new();
    let length = Length {
        tokens: request.input_length.unwrap_or_default(),
        by_ids: true,
    };
    bodies.write(&request, 3, length, &mut Room::default(), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_literal_prompt_is_a_completion_or_a_message() {
    let line = r#"{"text_input":"say \"hi\"\n","output_length":5}"#;
    let tail = r#""max_tokens":5,"stream":true,"stream_options":{"include_usage":true}}"#;
    let completion = write(&bodies(Endpoint::Completions), line).unwrap();
    assert_eq!(
        completion,
        format!(r#"{{"model":"m","prompt":"say \"hi\"\n",{tail}"#)
    );
    let chat = write(&bodies(Endpoint::Chat), line).unwrap();
    assert_eq!(
        chat,
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"say \"hi\"\n"}}],{tail}"#)
    );
}

#[test]
fn a_length_becomes_as_many_words() {
    let body = write(
        &bodies(Endpoint::Completions),
        r#"{"input_length":4,"hash_ids":[46],"model":"q"}"#,
    )
    .unwrap();
    assert!(
        body.starts_with(r#"{"model":"q","prompt":" any behind strong suit","stream":true"#),
        "{body}"
    );
    assert!(!body.contains("max_tokens"), "{body}");
}

#[test]
fn a_prompt_that_would_fill_the_memory_is_not_made() {
    for length in [MOST_TOKENS + 1, 1 << 53, u64::MAX] {
        let line = format!(r#"{{"input_length":{length}}}"#);
        let failure = write(&bodies(Endpoint::Completions), &line).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Request);
        let said = format!("input_length: a prompt of {length} tokens is not made");
        assert!(failure.message.starts_with(&said), "{}", failure.message);
    }
    // A literal prompt is sent whatever length the line gives it.
    let literal = r#"{"text_input":"hi","input_length":9007199254740992}"#;
    assert!(write(&bodies(Endpoint::Completions), literal).is_ok());
}

#[test]
fn a_prompt_can_be_the_ids_of_its_tokens() {
    let tokenizer = trace_prompt::Tokenizer::o200k();
    let all = Bodies {
        prompts: Prompts::with(&tokenizer, 0).unwrap(),
        prompt_as: PromptAs::Tokens,
        ..bodies(Endpoint::Completions)
    };
    let mut ids = Vec::new();
    tokenizer
        .encode(" any behind strong suit", &mut ids)
        .unwrap();
    let array = serde_json::to_string(&ids).unwrap();
    for line in [
        r#"{"input_length":4,"hash_ids":[46]}"#,
        r#"{"text_input":" any behind strong suit"}"#,
    ] {
        let body = write(&all, line).unwrap();
        assert!(body.contains(&format!(r#""prompt":{array},"#)), "{body}");
    }
    assert!(all.check().is_ok());
    let chat = Bodies {
        endpoint: Endpoint::Chat,
        ..all
    };
    assert!(chat.check().is_err());
    let words = Bodies {
        prompt_as: PromptAs::Tokens,
        ..bodies(Endpoint::Completions)
    };
    let error = format!("{:#}", words.check().unwrap_err());
    assert!(
        error.starts_with("--prompt-as tokens: words have no"),
        "{error}"
    );
}

#[test]
fn messages_and_tools_are_sent_as_they_are() {
    let line = r#"{"messages":[ {"role":"user","content":"x"}],"tools":[1 ]}"#;
    let body = write(&bodies(Endpoint::Chat), line).unwrap();
    assert!(
        body.contains(r#""messages":[ {"role":"user","content":"x"}],"tools":[1 ],"#),
        "{body}"
    );
    let refused = write(&bodies(Endpoint::Completions), line).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Request);
}

#[test]
fn a_payload_is_the_body() {
    let all = Bodies {
        extra: Members::from_flags(&["a=1".to_owned()]).unwrap(),
        ..bodies(Endpoint::Chat)
    };
    assert_eq!(
        write(&all, r#"{"payload":{"x": 1e5 }}"#).unwrap(),
        r#"{"x": 1e5 }"#
    );
    assert_eq!(
        write(&all, r#"{"payload":{"x":1,"y":2},"extra":{"x":3}}"#).unwrap(),
        r#"{"y":2,"x":3}"#
    );
}

#[test]
fn extra_wins_and_the_line_wins_over_the_flag() {
    let flags = ["temperature=0", "stop=x", "max_tokens=9"].map(str::to_owned);
    let all = Bodies {
        extra: Members::from_flags(&flags).unwrap(),
        stream: false,
        ignore_eos: true,
        ..bodies(Endpoint::Completions)
    };
    let body = write(
        &all,
        r#"{"text_input":"a","output_length":5,"extra":{"max_tokens":7,"top_p":1}}"#,
    )
    .unwrap();
    assert_eq!(
        body,
        r#"{"model":"m","prompt":"a","ignore_eos":true,"temperature":0,"stop":"x","max_tokens":7,"top_p":1}"#
    );
}

#[test]
fn who_turns_the_stream_off_turns_its_options_off() {
    let body = write(
        &bodies(Endpoint::Completions),
        r#"{"text_input":"a","extra":{"stream":false}}"#,
    )
    .unwrap();
    assert_eq!(body, r#"{"model":"m","prompt":"a","stream":false}"#);
}

#[test]
fn extra_flags_need_a_value() {
    assert!(
        Members::from_flags(&["a".to_owned()])
            .unwrap_err()
            .contains("KEY=VALUE")
    );
}

#[test]
fn each_endpoint_has_its_own_words() {
    let line = r#"{"text_input":"hi","output_length":5}"#;
    for (endpoint, expected) in [
        (
            Endpoint::Responses,
            r#"{"model":"m","input":[{"role":"user","content":"hi"}],"max_output_tokens":5,"stream":true}"#,
        ),
        (Endpoint::Embeddings, r#"{"model":"m","input":"hi"}"#),
        (
            Endpoint::Tgi,
            r#"{"inputs":"hi","parameters":{"details":true,"max_new_tokens":5}}"#,
        ),
        (
            Endpoint::Ollama,
            r#"{"model":"m","prompt":"hi","options":{"num_predict":5},"stream":true}"#,
        ),
        (
            Endpoint::OllamaChat,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"options":{"num_predict":5},"stream":true}"#,
        ),
        (
            Endpoint::Anthropic,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5,"stream":true}"#,
        ),
    ] {
        assert_eq!(
            write(&bodies(endpoint), line).unwrap(),
            expected,
            "{endpoint:?}"
        );
    }
    let raw = bodies(Endpoint::Raw);
    assert!(write(&raw, line).unwrap_err().message.contains("payload"));
    assert_eq!(write(&raw, r#"{"payload":{"a":1}}"#).unwrap(), r#"{"a":1}"#);
    let unlimited = write(&bodies(Endpoint::Anthropic), r#"{"text_input":"hi"}"#);
    assert!(unlimited.unwrap_err().message.contains("output_length"));
}

#[test]
fn the_least_length_can_be_asked_for_too() {
    let all = Bodies {
        min_tokens: true,
        ignore_eos: true,
        ..bodies(Endpoint::Completions)
    };
    let body = write(&all, r#"{"text_input":"a","output_length":5}"#).unwrap();
    let limits = r#""max_tokens":5,"min_tokens":5,"ignore_eos":true,"#;
    assert!(body.contains(limits), "{body}");
}

#[test]
fn where_the_prompt_stands_is_known() {
    for endpoint in [Endpoint::Completions, Endpoint::Chat] {
        let line = r#"{"text_input":"say \"hi\""}"#;
        let request = Line::parse("t", line).unwrap().request;
        let mut out = b"before".to_vec();
        let length = Length {
            tokens: 0,
            by_ids: true,
        };
        let place = bodies(endpoint)
            .write(&request, 0, length, &mut Room::default(), &mut out)
            .unwrap()
            .unwrap();
        let prompt = std::str::from_utf8(&out[place]).unwrap();
        let expected = match endpoint {
            Endpoint::Chat => r#"{"role":"user","content":"say \"hi\""}"#,
            _ => r#"say \"hi\""#,
        };
        assert_eq!(prompt, expected);
    }
}
