//! The body of Anthropic's messages.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::prompt::{Content, Message, Stops};
use super::sampling::Wrong;
use super::wish::Wish;
use super::{Ask, Model, chat_of, must, name, parse};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    stream: Option<bool>,
    max_tokens: Option<u64>,
    #[serde(default)]
    stop_sequences: Stops,
    #[serde(borrow, default)]
    system: Content<'a>,
    #[serde(borrow)]
    messages: Option<Vec<Message<'a>>>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_choice: Option<&'a RawValue>,
    #[serde(borrow)]
    output_config: Option<Output<'a>>,
    /// The older name of what is in `output_config`.
    #[serde(borrow)]
    output_format: Option<&'a RawValue>,
}

/// What is wanted of the answer.
#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    format: Option<&'a RawValue>,
}

/// The body of `/v1/messages`. A limit must be there, as Anthropic has it.
pub(super) fn message(body: &[u8]) -> Result<Ask<'_>, String> {
    let body: Body<'_> = parse(body)?;
    let none = body.max_tokens == Some(0);
    let format = body.output_config.and_then(|output| output.format);
    let format = format.or(body.output_format);
    let mut texts = body.system.0;
    texts.extend(chat_of(body.messages)?);
    Ok(Ask {
        wish: Wish::new(body.tools, body.tool_choice, format),
        model: name(body.model),
        stream: body.stream.unwrap_or(false),
        usage: true,
        limit: Some(must(body.max_tokens, "max_tokens")?),
        stop: body.stop_sequences.0,
        n: 1,
        wrong: none.then(|| Wrong::new("max_tokens", "must be at least 1", 0)),
        prompts: vec![texts],
        ..Ask::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_prompt_comes_first_and_a_limit_must_be_there() {
        let body =
            br#"{"system":[{"type":"text","text":"s"}],"max_tokens":9,"stop_sequences":["x"],
            "messages":[{"role":"user","content":"a"}]}"#;
        let ask = message(body).unwrap();
        assert_eq!(
            (ask.limit, ask.prompts[0].len(), ask.stop.len()),
            (Some(9), 2, 1)
        );
        let without = br#"{"messages":[{"role":"user","content":"a"}]}"#;
        assert!(
            message(without)
                .unwrap_err()
                .contains("`max_tokens` is missing")
        );
    }
}
