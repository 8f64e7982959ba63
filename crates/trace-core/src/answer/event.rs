//! The JSON of one answer or one piece of it, as far as it is measured.
//!
//! Servers that call themselves OpenAI-compatible agree on the outline and on
//! little else. So this asks for as little as it can: is there output in it,
//! is that reasoning or content, what does the usage say, is it an error.
//! One walk over the JSON reads whatever any endpoint answers, streamed or
//! whole; `place` is the map it goes by. A value of an unexpected type is as
//! if it were not there, and nothing is copied but the words of an error, and
//! the text where somebody asks for it.

mod place;
mod surrogate;
mod walk;

use walk::Found;

/// What a piece of an answer brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Visible output: text, or the call of a tool.
    pub content: bool,
    /// Output the user does not see.
    pub reasoning: bool,
    /// The server says that the answer ends here; why does not matter, unless
    /// it gave up.
    pub finished: bool,
    /// What the server counted.
    pub usage: Usage,
    /// The server says that something went wrong, and what.
    pub error: Option<String>,
    /// The visible text, if it was asked for.
    pub text: String,
    /// The text of the reasoning, if text was asked for.
    pub thought: String,
    /// The names and arguments of the calls of tools, if text was asked for.
    pub call: String,
}

/// Tokens as the server counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub input: Option<u64>,
    /// Of those, taken from its cache.
    pub cached: Option<u64>,
    /// Of the answer, reasoning included.
    pub output: Option<u64>,
    /// Of those, reasoning.
    pub reasoning: Option<u64>,
    /// Of the prompt, taken from the cache or put there, where `input` leaves
    /// them out (Anthropic).
    pub beside: Option<u64>,
}

impl Usage {
    /// Take over what `later` tells.
    pub fn update(&mut self, later: Self) {
        self.input = later.input.or(self.input);
        self.cached = later.cached.or(self.cached);
        self.output = later.output.or(self.output);
        self.reasoning = later.reasoning.or(self.reasoning);
        self.beside = later.beside.or(self.beside);
    }

    /// All tokens of the prompt.
    pub fn prompt(&self) -> Option<u64> {
        Some(self.input?.saturating_add(self.beside.unwrap_or_default()))
    }
}

impl Event {
    /// Read `json`; its text too, if `keep_text`.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn parse(json: &[u8], keep_text: bool) -> Result<Self, serde_json::Error> {
        let found = Found::parse(json, keep_text).or_else(|error| {
            let mended = surrogate::mended(json).ok_or(error)?;
            Found::parse(&mended, keep_text)
        });
        Ok(found?.event())
    }

    /// Whether there is output of any kind in it.
    pub fn has_output(&self) -> bool {
        self.content || self.reasoning
    }
}

/// The message in the body of a failed request, whoever's style it is.
pub fn error_message(body: &[u8]) -> String {
    let said = Found::parse(body, false).ok().and_then(Found::message);
    one_line(&said.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()))
}

/// The beginning of `text`, without line breaks and control characters.
pub fn one_line(text: &str) -> String {
    const MOST: usize = 200;
    let mut line = String::new();
    let blank = |c: char| c.is_whitespace() || c.is_control();
    for word in text.split(blank).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MOST {
            let end = (0..=MOST)
                .rfind(|&at| line.is_char_boundary(at))
                .unwrap_or_default();
            line.truncate(end);
            line.push('…');
            break;
        }
    }
    line
}

#[cfg(test)]
mod tests;
