//! Prompts that are texts, alone or as the turns of a session.

use crate::args::Args;
use crate::counter::Counter;
use crate::formats::ids::Ids;
use crate::formats::objects::Made;
use crate::json::Members;
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{Field, SessionId};

/// Makes requests of texts, with their lengths and blocks.
pub(crate) struct Talk {
    counter: Counter,
    ids: Ids,
    tokens: Vec<u32>,
}

impl Talk {
    /// Requests counted as `args` say.
    ///
    /// # Errors
    /// Those of [`Counter::new`].
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        Ok(Self {
            counter: Counter::new(args)?,
            ids: Ids::new("session"),
            tokens: Vec::new(),
        })
    }

    /// A request for one text.
    ///
    /// # Errors
    /// A text that cannot be counted.
    pub(crate) fn single<'a>(
        &mut self,
        prompt: String,
        completion: Option<&str>,
        made: &'a mut Made,
        report: &mut Report,
    ) -> Result<&'a mut Record, String> {
        self.tokens.clear();
        self.counter.append(&prompt, &mut self.tokens)?;
        let output = completion
            .map(|text| self.counter.count(text))
            .transpose()?;
        let record = made.next();
        self.counter.measure(&self.tokens, record, report);
        record.change(Field::OutputLength).output_length = output;
        record.change(Field::TextInput).text_input = Some(prompt);
        Ok(record)
    }

    /// A turn for each of `prompts`, and what `beside` adds to the turn of
    /// that number. Its text is what it adds; its length and blocks are of the
    /// whole prompt, with the turns before it and those answers that are known.
    ///
    /// # Errors
    /// A text that cannot be counted.
    pub(crate) fn session(
        &mut self,
        id: Option<SessionId>,
        prompts: Vec<String>,
        completions: &[String],
        made: &mut Made,
        report: &mut Report,
        mut beside: impl FnMut(&mut Record, usize),
    ) -> Result<(), String> {
        let id = self.ids.own(id, report);
        report.count(
            Kind::Dropped,
            "sessions without prompts",
            prompts.is_empty().into(),
        );
        let turns = prompts.len();
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.clear();
        for (i, prompt) in prompts.into_iter().enumerate() {
            self.counter.append(&prompt, &mut tokens)?;
            let record = made.next();
            self.counter.measure(&tokens, record, report);
            record.change(Field::TextInput).text_input = Some(prompt);
            record.change(Field::SessionId).session_id = Some(id.clone());
            match completions.get(i) {
                Some(completion) => {
                    let output = self.counter.append(completion, &mut tokens)?;
                    record.change(Field::OutputLength).output_length = Some(output);
                }
                None if i + 1 < turns => report.count(
                    Kind::Noted,
                    "answers that are not there, and so not in the lengths of the turns behind",
                    1,
                ),
                None => {}
            }
            beside(record, i);
        }
        self.tokens = tokens;
        Ok(())
    }
}

/// The texts in the array `name`.
///
/// # Errors
/// A member that is something else.
pub(crate) fn texts(object: &Members<'_>, name: &str) -> Result<Option<Vec<String>>, String> {
    let raw = object.get(name);
    raw.map(|raw| {
        serde_json::from_slice(raw).map_err(|_| format!("{name}: expected an array of strings"))
    })
    .transpose()
}
