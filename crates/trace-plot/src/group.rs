//! Requests told apart: by model, unless another field is asked for.
//!
//! Only as many series as have a colour are drawn on their own, the largest
//! ones; the rest is drawn together as *other*. So that memory stays bounded
//! for a field with a value of its own on every line, only the first
//! [`TRACKED`] values can become a series.

use std::collections::HashMap;

use trace_core::Line;

use crate::{
    number,
    theme::{Ink, SERIES},
};

/// Values that are counted apart; those met later count as *other*.
pub const TRACKED: usize = 64;

/// The values met so far, and how many requests have each.
#[derive(Clone, Debug)]
pub struct Groups {
    field: String,
    index: HashMap<Option<String>, usize>,
    /// Name and count, by index.
    met: Vec<(Option<String>, u64)>,
    /// Requests whose value came after [`TRACKED`] others.
    late: u64,
    previous: usize,
}

/// One series of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// Its name for the legend.
    pub label: String,
    /// Its colour.
    pub ink: Ink,
    /// The indices of the groups in it.
    pub groups: Vec<usize>,
}

impl Series {
    /// All requests together.
    pub fn all() -> Self {
        Self {
            label: "all".to_owned(),
            ink: Ink::All,
            groups: (0..=TRACKED).collect(),
        }
    }
}

impl Groups {
    /// Tell lines apart by their field `field`.
    pub fn by(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            index: HashMap::new(),
            met: Vec::new(),
            late: 0,
            previous: 0,
        }
    }

    /// The field that tells groups apart.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Count `line`, and give the index of its group, at most [`TRACKED`].
    pub fn of(&mut self, line: &Line) -> usize {
        if self.field == "model" {
            return self.count(line.request.model.as_deref());
        }
        match line.raw(&self.field) {
            None | Some(b"null") => self.count(None),
            Some(json) => {
                let text = serde_json::from_slice::<String>(json)
                    .unwrap_or_else(|_| String::from_utf8_lossy(json).into_owned());
                self.count(Some(&text))
            }
        }
    }

    fn count(&mut self, name: Option<&str>) -> usize {
        let index = match self.met.get(self.previous) {
            // lines of one group tend to come together
            Some((previous, _)) if previous.as_deref() == name => self.previous,
            _ => self.find(name),
        };
        match self.met.get_mut(index) {
            Some((_, count)) => *count += 1,
            None => self.late += 1,
        }
        self.previous = index;
        index
    }

    fn find(&mut self, name: Option<&str>) -> usize {
        let name = name.map(str::to_owned);
        if let Some(&index) = self.index.get(&name) {
            return index;
        }
        if self.met.len() < TRACKED {
            self.met.push((name.clone(), 0));
            self.index.insert(name, self.met.len() - 1);
            return self.met.len() - 1;
        }
        TRACKED
    }

    /// The series to draw, the largest first, *other* last.
    pub fn series(&self) -> Vec<Series> {
        let mut order: Vec<usize> = (0..self.met.len()).collect();
        // equal ones by name, so that the order of lines does not matter
        order.sort_by(|&a, &b| {
            let (a, b) = (&self.met[a], &self.met[b]);
            b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0))
        });
        let mut rest = order.split_off(order.len().min(SERIES));
        let mut series: Vec<Series> = order
            .into_iter()
            .enumerate()
            .map(|(rank, index)| Series {
                label: self.label(index),
                ink: Ink::Series(rank),
                groups: vec![index],
            })
            .collect();
        if self.late > 0 {
            rest.push(TRACKED);
        }
        if !rest.is_empty() {
            let label = if self.late > 0 {
                "other".to_owned()
            } else {
                format!("other ({})", number::exact(rest.len() as u64))
            };
            series.push(Series {
                label,
                ink: Ink::Other,
                groups: rest,
            });
        }
        series
    }

    fn label(&self, index: usize) -> String {
        match self.met[index].0.as_deref() {
            None => format!("(no {})", self.field),
            Some("") => format!("(empty {})", self.field),
            Some(name) if self.field == "model" || self.field == "source" => name.to_owned(),
            Some(name) => format!("{} {name}", self.field),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: &str) -> Line {
        Line::parse("t", &format!("{{\"input_length\":1{fields}}}")).unwrap()
    }

    #[test]
    fn the_largest_groups_are_drawn_and_the_rest_is_other() {
        let mut groups = Groups::by("model");
        for model in 0..30 {
            for _ in 0..=model {
                groups.of(&line(&format!(",\"model\":\"m{model}\"")));
            }
        }
        let series = groups.series();
        assert_eq!(series.len(), 9);
        assert_eq!(series[0].label, "m29");
        assert_eq!(series[8].label, "other (22)");
        assert_eq!(series[8].groups.len(), 22);
    }

    #[test]
    fn endless_values_are_bounded() {
        let mut groups = Groups::by("session_id");
        for session in 0..1_000 {
            assert!(groups.of(&line(&format!(",\"session_id\":{session}"))) <= TRACKED);
        }
        let series = groups.series();
        assert_eq!(series.len(), 9);
        assert_eq!(series[0].label, "session_id 0");
        assert_eq!(series[8].groups.last(), Some(&TRACKED));
    }

    #[test]
    fn absent_and_empty_have_names() {
        let mut groups = Groups::by("model");
        groups.of(&line(""));
        groups.of(&line(",\"model\":\"\""));
        let labels: Vec<_> = groups.series().into_iter().map(|s| s.label).collect();
        assert_eq!(labels, ["(no model)", "(empty model)"]);
    }

    #[test]
    fn any_field_tells_lines_apart() {
        let mut groups = Groups::by("status");
        assert_eq!(groups.of(&line(",\"status\":200")), 0);
        assert_eq!(groups.of(&line(",\"status\":500")), 1);
        assert_eq!(groups.of(&line(",\"status\":200")), 0);
        assert_eq!(groups.series()[0].label, "status 200");
    }
}
