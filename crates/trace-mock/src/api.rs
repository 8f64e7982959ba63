//! The ways to ask for an answer.

use std::fmt;

/// An endpoint that answers, and so the shape of what is asked and answered there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// `/v1/completions`
    Completions,
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/responses`
    Responses,
    /// `/v1/embeddings`
    Embeddings,
    /// `/generate`, whole
    Generate,
    /// `/generate_stream`
    GenerateStream,
    /// `/`, which is either of the two as its body says
    GenerateEither,
    /// `/api/generate`
    OllamaGenerate,
    /// `/api/chat`
    OllamaChat,
    /// `/api/embed`
    OllamaEmbed,
    /// `/api/embeddings`, which is older, and for one text
    OllamaEmbedding,
    /// `/v1/messages`
    Messages,
}

/// Whose errors and media types an endpoint has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    OpenAi,
    Tgi,
    Ollama,
    Anthropic,
}

impl Api {
    /// The endpoint at `path`.
    pub(crate) fn at(path: &str) -> Option<Api> {
        Some(match path {
            "/v1/completions" => Api::Completions,
            "/v1/chat/completions" => Api::Chat,
            "/v1/responses" => Api::Responses,
            "/v1/embeddings" => Api::Embeddings,
            "/v1/messages" => Api::Messages,
            "/generate" => Api::Generate,
            "/generate_stream" => Api::GenerateStream,
            "/" => Api::GenerateEither,
            "/api/generate" => Api::OllamaGenerate,
            "/api/chat" => Api::OllamaChat,
            "/api/embed" => Api::OllamaEmbed,
            "/api/embeddings" => Api::OllamaEmbedding,
            _ => return None,
        })
    }

    /// The endpoint at `path` of some server, which may have more in front, as gateways do, and no
    /// version.
    pub(crate) fn behind(path: &str) -> Option<Api> {
        let rests = path.match_indices('/').map(|(at, _)| &path[at..]);
        rests.into_iter().find_map(|rest| match rest {
            "/chat/completions" => Some(Api::Chat),
            "/completions" => Some(Api::Completions),
            "/embeddings" if path.ends_with("/api/embeddings") => Some(Api::OllamaEmbedding),
            "/embeddings" => Some(Api::Embeddings),
            "/responses" => Some(Api::Responses),
            "/" => None, // whatever else may end so
            rest => Api::at(rest),
        })
    }

    /// Whether vectors are answered and no tokens.
    pub(crate) fn embeds(self) -> bool {
        matches!(
            self,
            Api::Embeddings | Api::OllamaEmbed | Api::OllamaEmbedding
        )
    }

    pub(crate) fn family(self) -> Family {
        match self {
            Api::Completions | Api::Chat | Api::Responses | Api::Embeddings => Family::OpenAi,
            Api::Generate | Api::GenerateStream | Api::GenerateEither => Family::Tgi,
            Api::OllamaGenerate | Api::OllamaChat | Api::OllamaEmbed | Api::OllamaEmbedding => {
                Family::Ollama
            }
            Api::Messages => Family::Anthropic,
        }
    }
}

impl Family {
    /// Whose errors are known at `path`, where there is nothing else.
    pub(crate) fn at(path: &str) -> Family {
        if path.starts_with("/api/") {
            Family::Ollama
        } else if path.starts_with("/v1/messages") {
            Family::Anthropic
        } else {
            Family::OpenAi
        }
    }
}

/// An error with a status and a reason, as the clients of a family know it.
pub(crate) fn error_json(family: Family, status: u16, reason: &str) -> String {
    error_about(family, status, reason, None)
}

/// The same, with the parameter that is wrong if it is one.
pub(crate) fn error_about(
    family: Family,
    status: u16,
    reason: &str,
    param: Option<&str>,
) -> String {
    let kind = match (status, family) {
        (401, Family::Anthropic) => "authentication_error",
        (404, Family::Anthropic) => "not_found_error",
        // vLLM's words.
        (400, Family::OpenAi) => "BadRequestError",
        (404, Family::OpenAi) => "NotFoundError",
        (429, _) => "rate_limit_error",
        (500.., Family::Anthropic) => "api_error",
        (500.., _) => "server_error",
        _ => "invalid_request_error",
    };
    let reason = Quoted(reason);
    match family {
        Family::OpenAi => {
            let param = param.map_or("null".to_owned(), |param| format!("\"{param}\""));
            format!(
                "{{\"error\":{{\"message\":{reason},\"type\":\"{kind}\",\"param\":{param},\"code\":{status}}}}}"
            )
        }
        Family::Tgi => format!("{{\"error\":{reason},\"error_type\":\"{kind}\"}}"),
        Family::Ollama => format!("{{\"error\":{reason}}}"),
        Family::Anthropic => {
            format!("{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":{reason}}}}}")
        }
    }
}

/// A text that prints as a JSON string.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut json = Vec::with_capacity(self.0.len() + 2);
        trace_core::push_string(&mut json, self.0);
        f.write_str(std::str::from_utf8(&json).expect("a JSON string is text"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn endpoints_are_known_behind_the_path_of_a_gateway() {
        for (path, api) in [
            ("/v1/completions", Some(Api::Completions)),
            ("/openai/v1/chat/completions", Some(Api::Chat)),
            ("/openai/deployments/x/chat/completions", Some(Api::Chat)),
            ("/x/api/generate", Some(Api::OllamaGenerate)),
            ("/x/api/embeddings", Some(Api::OllamaEmbedding)),
            ("/x/embeddings", Some(Api::Embeddings)),
            ("/x/", None),
            ("/v1/threads/x/messages", None),
            ("/v1/models", None),
            ("", None),
        ] {
            assert_eq!(Api::behind(path), api, "{path}");
        }
    }

    #[test]
    fn errors_have_the_shape_their_clients_know() {
        let error = |family, status| -> Value {
            let json = error_about(family, status, "it \"broke\"", Some("n"));
            serde_json::from_str(&json).unwrap()
        };
        assert_eq!(error(Family::OpenAi, 500)["error"]["type"], "server_error");
        let bad = error(Family::OpenAi, 400)["error"].clone();
        assert_eq!(
            (&bad["type"], &bad["param"]),
            (&"BadRequestError".into(), &"n".into())
        );
        assert_eq!(
            error(Family::OpenAi, 400)["error"]["message"],
            "it \"broke\""
        );
        assert_eq!(error(Family::Anthropic, 500)["error"]["type"], "api_error");
        assert_eq!(error(Family::Anthropic, 401)["type"], "error");
        assert_eq!(error(Family::Tgi, 400)["error"], "it \"broke\"");
        assert_eq!(error(Family::Ollama, 404)["error"], "it \"broke\"");
    }
}
