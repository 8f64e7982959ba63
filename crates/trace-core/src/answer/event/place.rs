//! Where in an answer what is measured stands, whoever sent it.

/// Where in the JSON the walk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Not even in the object yet.
    Top,
    Root,
    Choices,
    /// A `delta`, a `message`.
    Message,
    Content,
    /// The whole text, which a stream has brought in pieces already.
    Whole,
    Reasoning,
    /// Calls of tools, the names in them, and what is handed over: text, or an object.
    Calls,
    CallText,
    Arguments,
    /// The root's own `delta`: a piece of text whose `type` tells of what, or
    /// an object.
    Delta,
    /// The root's `response`: a piece of text, or an object.
    Response,
    /// What a whole answer puts out, item by item.
    Items,
    /// A token of TGI, and what it says at the end.
    Token,
    Details,
    /// Vectors.
    Data,
    Vector,
    Type,
    Finish,
    Done,
    Usage,
    Input,
    Cached,
    Beside,
    CachedBeside,
    Output,
    ReasoningTokens,
    Error,
    ErrorText,
    Said,
    Object,
    Nowhere,
}

impl Place {
    /// Where the value of `key` stands in an object that stands here.
    pub(super) fn member(self, key: &[u8]) -> Self {
        match self {
            Self::Root => Self::root(key),
            Self::Choices => match key {
                b"text" => Self::Content,
                b"delta" | b"message" => Self::Message,
                b"finish_reason" => Self::Finish,
                // Moonshot
                b"usage" => Self::Usage,
                _ => Self::Nowhere,
            },
            Self::Message => match key {
                b"content" | b"refusal" => Self::Content,
                b"reasoning_content" | b"reasoning" | b"thinking" => Self::Reasoning,
                b"tool_calls" | b"function_call" => Self::Calls,
                b"usage" => Self::Usage,
                _ => Self::Nowhere,
            },
            Self::Content => match key {
                b"text" => Self::Content,
                b"thinking" => Self::Reasoning,
                b"name" => Self::CallText,
                b"input" => Self::Arguments,
                _ => Self::Nowhere,
            },
            Self::Calls => match key {
                b"function" | b"custom" => Self::Calls,
                b"name" => Self::CallText,
                b"arguments" | b"input" => Self::Arguments,
                _ => Self::Nowhere,
            },
            Self::Reasoning if key == b"text" => Self::Reasoning,
            Self::Delta => match key {
                b"text" => Self::Content,
                b"thinking" => Self::Reasoning,
                b"partial_json" => Self::CallText,
                b"stop_reason" => Self::Finish,
                _ => Self::Nowhere,
            },
            Self::Response => match key {
                b"usage" => Self::Usage,
                b"error" => Self::Error,
                _ => Self::Nowhere,
            },
            Self::Items => match key {
                b"content" => Self::Content,
                b"summary" => Self::Reasoning,
                b"name" => Self::CallText,
                b"arguments" => Self::Arguments,
                _ => Self::Nowhere,
            },
            Self::Token if key == b"text" => Self::Content,
            Self::Details => match key {
                b"generated_tokens" => Self::Output,
                b"input_length" => Self::Input,
                b"finish_reason" => Self::Finish,
                _ => Self::Nowhere,
            },
            Self::Data if key == b"embedding" => Self::Vector,
            Self::Usage => Self::usage(key),
            Self::Error if key == b"message" => Self::ErrorText,
            _ => Self::Nowhere,
        }
    }

    fn root(key: &[u8]) -> Self {
        match key {
            b"choices" => Self::Choices,
            b"usage" => Self::Usage,
            b"error" => Self::Error,
            b"object" => Self::Object,
            b"detail" => Self::Said,
            b"type" => Self::Type,
            b"data" => Self::Data,
            b"reasoning_content" | b"reasoning" | b"thinking" => Self::Reasoning,
            // Responses and Anthropic, and llama.cpp's own `content`
            b"delta" => Self::Delta,
            b"output" => Self::Items,
            b"content" => Self::Content,
            b"stop_reason" => Self::Finish,
            // Ollama
            b"response" => Self::Response,
            b"message" => Self::Message,
            b"done" => Self::Done,
            b"prompt_eval_count" => Self::Input,
            b"eval_count" => Self::Output,
            // TGI
            b"token" => Self::Token,
            b"generated_text" => Self::Whole,
            b"details" => Self::Details,
            _ => Self::Nowhere,
        }
    }

    fn usage(key: &[u8]) -> Self {
        match key {
            b"prompt_tokens" | b"input_tokens" => Self::Input,
            b"completion_tokens" | b"output_tokens" => Self::Output,
            b"prompt_tokens_details"
            | b"input_tokens_details"
            | b"completion_tokens_details"
            | b"output_tokens_details" => Self::Usage,
            b"cached_tokens" | b"prompt_cache_hit_tokens" => Self::Cached,
            b"cache_read_input_tokens" => Self::CachedBeside,
            b"cache_creation_input_tokens" => Self::Beside,
            b"reasoning_tokens" => Self::ReasoningTokens,
            _ => Self::Nowhere,
        }
    }
}
