//! What shape an answer is to have: text, JSON, or a call of a tool.
//!
//! It is kept as it stands in the body until somebody answers: who only counts prompts need not
//! understand it.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What a body says of it, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    tools: Option<String>,
    choice: Option<String>,
    format: Option<String>,
    /// Whether the format is a schema by itself, or the word `json`, as Ollama has it.
    bare: bool,
    /// Whether tools are called one at a time.
    single: bool,
    /// vLLM's word for the shape of an answer, which wins over the format.
    guide: Option<String>,
}

/// vLLM's `structured_outputs`.
#[derive(Deserialize)]
struct Guide<'a> {
    #[serde(borrow)]
    json: Option<&'a RawValue>,
    json_object: Option<bool>,
    choice: Option<Vec<String>>,
}

impl Guide<'_> {
    /// The shape; none where it is one that is not followed, such as a pattern.
    fn shape(self) -> Option<Shape> {
        if let Some(schema) = self.json {
            // A schema may come as text.
            let text = serde_json::from_str::<String>(schema.get());
            return Some(Shape::Json(Some(
                text.unwrap_or_else(|_| schema.get().to_owned()),
            )));
        }
        if self.json_object == Some(true) {
            return Some(Shape::Json(None));
        }
        self.choice?.into_iter().next().map(Shape::Said)
    }
}

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The shape of an answer that calls no tool.
    pub(crate) shape: Shape,
    /// Tools that may be called.
    pub(crate) tools: Vec<Tool>,
    /// Whether one is.
    pub(crate) choice: Choice,
    /// Whether several may be, in one answer.
    pub(crate) parallel: bool,
}

impl Wish {
    pub(super) fn new(
        tools: Option<&RawValue>,
        choice: Option<&RawValue>,
        format: Option<&RawValue>,
    ) -> Wish {
        let kept = |json: Option<&RawValue>| json.map(|json| json.get().to_owned());
        Wish {
            tools: kept(tools),
            choice: kept(choice),
            format: kept(format),
            ..Wish::default()
        }
    }

    /// The same with vLLM's words for the shape of an answer, of which the newer is the first.
    pub(super) fn guided(
        self,
        structured: Option<&RawValue>,
        json: Option<&RawValue>,
        choice: Option<&RawValue>,
    ) -> Wish {
        let older = |name: &str, json: &RawValue| format!("{{\"{name}\":{}}}", json.get());
        let guide = structured
            .map(|guide| guide.get().to_owned())
            .or(json.map(|json| older("json", json)))
            .or(choice.map(|choice| older("choice", choice)));
        Wish { guide, ..self }
    }

    /// The same, with several calls of tools in one answer or not; they may be if it is not said.
    pub(super) fn parallel(self, parallel: Option<bool>) -> Wish {
        let single = parallel == Some(false);
        Wish { single, ..self }
    }

    /// The same with a format as Ollama has it.
    pub(super) fn bare(self) -> Wish {
        Wish { bare: true, ..self }
    }

    /// What is wanted.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn read(&self) -> Result<Wanted, String> {
        let pick = part(&self.choice, "tool_choice")?;
        let parallel = !self.single && !pick.as_ref().is_some_and(Pick::is_single);
        let (tools, choice) = tools(part(&self.tools, "tools")?, pick)?;
        let shape = match &self.format {
            Some(format) if self.bare => bare(format)?,
            format => shape(part(format, "format")?)?,
        };
        let guide: Option<Guide<'_>> = part(&self.guide, "structured_outputs")?;
        let shape = guide.and_then(Guide::shape).unwrap_or(shape);
        Ok(Wanted {
            shape,
            tools,
            choice,
            parallel,
        })
    }
}

fn part<'a, T: Deserialize<'a>>(json: &'a Option<String>, name: &str) -> Result<Option<T>, String> {
    let part = json.as_deref().map(serde_json::from_str::<Option<T>>);
    let part = part
        .transpose()
        .map_err(|err| format!("cannot read `{name}`: {err}"))?;
    Ok(part.flatten())
}

/// The shape of an answer in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shape {
    #[default]
    Text,
    /// JSON, by this schema if there is one.
    Json(Option<String>),
    /// This text.
    Said(String),
}

/// A tool that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// JSON Schema of its arguments.
    pub(crate) parameters: Option<String>,
}

/// Whether one is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice {
    Never,
    #[default]
    Maybe,
    /// Whichever.
    Must,
    /// The one at this place.
    Named(usize),
}

/// A tool, in the shape of any API.
#[derive(Deserialize)]
struct Spec<'a> {
    #[serde(borrow)]
    function: Option<Box<Spec<'a>>>,
    name: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
}

impl Spec<'_> {
    /// The tool; `None` if it is of a kind that the server calls itself.
    fn tool(self) -> Option<Tool> {
        if let Some(function) = self.function {
            return function.tool();
        }
        let parameters = self.parameters.or(self.input_schema);
        Some(Tool {
            name: self.name?,
            parameters: parameters.map(|schema| schema.get().to_owned()),
        })
    }
}

/// Which tool is to be called, in the shape of any API.
#[derive(Deserialize)]
#[serde(untagged, expecting = "`tool_choice` is a word or an object")]
enum Pick {
    Word(String),
    Named(Named),
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "type")]
    kind: Option<String>,
    name: Option<String>,
    function: Option<Box<Named>>,
    /// Anthropic's word for one call at a time.
    disable_parallel_tool_use: Option<bool>,
}

impl Pick {
    fn is_single(&self) -> bool {
        matches!(self, Pick::Named(named) if named.disable_parallel_tool_use == Some(true))
    }
}

/// The tools on offer, and whether one is called.
///
/// # Errors
/// One is to be called that is not there.
fn tools(specs: Option<Vec<Spec<'_>>>, pick: Option<Pick>) -> Result<(Vec<Tool>, Choice), String> {
    let specs = specs.unwrap_or_default();
    let tools: Vec<_> = specs.into_iter().filter_map(Spec::tool).collect();
    let (word, name) = match pick {
        None => ("auto".to_owned(), None),
        Some(Pick::Word(word)) => (word, None),
        Some(Pick::Named(named)) => {
            let inner = named.function.and_then(|function| function.name);
            (named.kind.unwrap_or_default(), named.name.or(inner))
        }
    };
    let choice = match (word.as_str(), name) {
        ("none", _) => Choice::Never,
        ("auto" | "allowed_tools", _) => Choice::Maybe,
        (_, Some(name)) => {
            let place = tools.iter().position(|tool| tool.name == name);
            let unknown = || format!("`tool_choice` names {name:?}, which is not among the tools");
            Choice::Named(place.ok_or_else(unknown)?)
        }
        ("required" | "any", None) if tools.is_empty() => {
            return Err("`tool_choice` wants a call, but there are no tools".into());
        }
        ("required" | "any", None) => Choice::Must,
        (word, None) => return Err(format!("`tool_choice` {word:?} is not known")),
    };
    Ok((tools, choice))
}

/// OpenAI's `response_format`, or the `format` of a response's text, which has the schema itself.
#[derive(Deserialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    json_schema: Option<Schema<'a>>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    /// text-generation-inference's name for it.
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Schema<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
}

/// The shape that a format asks for.
///
/// # Errors
/// There is no such format.
fn shape(format: Option<Format<'_>>) -> Result<Shape, String> {
    let Some(format) = format else {
        return Ok(Shape::Text);
    };
    let schema = format
        .schema
        .or(format.value)
        .or(format.json_schema.and_then(|inner| inner.schema));
    match format.kind.as_str() {
        // Patterns and grammars are not followed.
        "text" | "regex" | "structural_tag" => Ok(Shape::Text),
        "json_object" => Ok(Shape::Json(None)),
        "json_schema" if schema.is_none() => {
            Err("the format json_schema has no `json_schema`".into())
        }
        "json" | "json_schema" => Ok(Shape::Json(schema.map(|schema| schema.get().to_owned()))),
        kind => Err(format!(
            "the format {kind:?} is not known: text, json_object or json_schema"
        )),
    }
}

/// The shape that a format of Ollama asks for.
fn bare(format: &str) -> Result<Shape, String> {
    match format {
        "null" | "\"\"" => Ok(Shape::Text),
        "\"json\"" => Ok(Shape::Json(None)),
        schema if schema.starts_with('{') => Ok(Shape::Json(Some(schema.to_owned()))),
        format => Err(format!(
            "the format {format} is not known: \"json\" or a schema"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(tools: &str, choice: &str, format: &str) -> Wish {
        Wish {
            tools: Some(tools.to_owned()),
            choice: Some(choice.to_owned()),
            format: Some(format.to_owned()),
            ..Wish::default()
        }
    }

    fn choose(tools: &str, choice: &str) -> Result<(Vec<String>, Choice), String> {
        let wanted = wish(tools, choice, "null").read()?;
        let names = wanted.tools.into_iter().map(|tool| tool.name);
        Ok((names.collect(), wanted.choice))
    }

    #[test]
    fn tools_are_known_in_the_shape_of_every_api() {
        let specs = r#"[{"type":"function","function":{"name":"a","parameters":{}}},
            {"type":"function","name":"b"},{"name":"c","input_schema":{}},{"type":"web_search"}]"#;
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        for (pick, choice) in [
            ("null", Choice::Maybe),
            ("\"none\"", Choice::Never),
            ("\"required\"", Choice::Must),
            (r#"{"type":"any"}"#, Choice::Must),
            (r#"{"type":"tool","name":"c"}"#, Choice::Named(2)),
            (
                r#"{"type":"function","function":{"name":"b"}}"#,
                Choice::Named(1),
            ),
        ] {
            assert_eq!(choose(specs, pick), Ok((names.clone(), choice)), "{pick}");
        }
    }

    #[test]
    fn a_call_that_cannot_be_is_refused() {
        assert!(choose("null", "\"required\"").is_err());
        assert!(choose("[]", r#"{"type":"tool","name":"x"}"#).is_err());
        assert!(choose("[]", "\"perhaps\"").is_err());
        assert!(choose("[1]", "null").unwrap_err().contains("`tools`"));
        assert_eq!(choose("null", "\"auto\""), Ok((Vec::new(), Choice::Maybe)));
    }

    #[test]
    fn several_may_be_called_unless_one_at_a_time_is_wanted() {
        let parallel = |choice, said| {
            let wish = wish(r#"[{"name":"a"}]"#, choice, "null").parallel(said);
            wish.read().unwrap().parallel
        };
        assert!(parallel("null", None) && parallel("\"required\"", Some(true)));
        assert!(!parallel("null", Some(false)));
        assert!(!parallel(
            r#"{"type":"any","disable_parallel_tool_use":true}"#,
            None
        ));
    }

    #[test]
    fn a_format_is_text_or_json() {
        let format = |json: &str| wish("null", "null", json).read().map(|wanted| wanted.shape);
        assert_eq!(format("null"), Ok(Shape::Text));
        assert_eq!(format(r#"{"type":"json_object"}"#), Ok(Shape::Json(None)));
        for json in [
            r#"{"type":"json_schema","json_schema":{"name":"x","schema":{"a":1}}}"#,
            r#"{"type":"json_schema","name":"x","schema":{"a":1}}"#,
        ] {
            assert_eq!(format(json), Ok(Shape::Json(Some("{\"a\":1}".into()))));
        }
        assert!(format(r#"{"type":"xml"}"#).is_err());
        assert!(format(r#"{"type":"json_schema"}"#).is_err());
        let grammar = format(r#"{"type":"json","value":{"a":1}}"#);
        assert_eq!(grammar, Ok(Shape::Json(Some("{\"a\":1}".into()))));
        let guided = |json: &str| {
            let guide = Some(json.to_owned());
            let wish = Wish {
                guide,
                ..Wish::default()
            };
            wish.read().map(|wanted| wanted.shape)
        };
        let schema = || Ok(Shape::Json(Some("{\"a\":1}".into())));
        assert_eq!(guided(r#"{"json":{"a":1}}"#), schema());
        assert_eq!(guided(r#"{"json":"{\"a\":1}"}"#), schema());
        assert_eq!(
            guided(r#"{"choice":["x","y"]}"#),
            Ok(Shape::Said("x".into()))
        );
        assert_eq!(guided(r#"{"regex":"[a-z]"}"#), Ok(Shape::Text));
        let bare = |json: &str| {
            wish("null", "null", json)
                .bare()
                .read()
                .map(|wanted| wanted.shape)
        };
        assert_eq!(bare("\"json\""), Ok(Shape::Json(None)));
        assert_eq!(bare("{}"), Ok(Shape::Json(Some("{}".into()))));
        assert!(bare("7").is_err());
    }
}
