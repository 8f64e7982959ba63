//! The members of an object by their paths: `usage.prompt_tokens`.

use crate::json::Members;
use std::borrow::Cow;

/// A member of an object, or of one inside it.
pub(crate) struct Member<'a> {
    /// Its key, behind those of the objects around it.
    pub(crate) path: Cow<'a, str>,
    pub(crate) raw: &'a [u8],
    /// Whether it stands in an object inside.
    pub(crate) inner: bool,
}

/// The objects that must be entered to come to these paths.
pub(crate) fn around<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for path in paths {
        for (at, _) in path.match_indices('.') {
            if !all.iter().any(|known| *known == path[..at]) {
                all.push(path[..at].to_owned());
            }
        }
    }
    all
}

/// The members of `object`, each followed by its own if it is one of
/// `entered`; those that are `null` are left out.
pub(crate) fn members<'a>(object: &Members<'a>, entered: &[String]) -> Vec<Member<'a>> {
    let mut all = Vec::with_capacity(object.0.len());
    push(object, "", entered, &mut all);
    all
}

fn push<'a>(object: &Members<'a>, before: &str, entered: &[String], all: &mut Vec<Member<'a>>) {
    for (key, raw) in object.0.iter().filter(|(_, raw)| *raw != b"null") {
        let inner = !before.is_empty();
        let path = if inner {
            format!("{before}{key}").into()
        } else {
            key.clone()
        };
        let within = entered.iter().any(|known| *known == path);
        let within = within.then(|| format!("{path}."));
        all.push(Member { path, raw, inner });
        if let Some(before) = within
            && let Ok(within) = serde_json::from_slice(raw)
        {
            push(&within, &before, entered, all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_into_the_objects_that_are_entered() {
        let entered = around(["a.b.c", "a.x", "d"].into_iter());
        assert_eq!(entered, ["a", "a.b"]);
        let json = br#"{"a":{"b":{"c":1},"x":null},"d":{"e":2}}"#;
        let object = serde_json::from_slice(json).unwrap();
        let paths: Vec<_> = members(&object, &entered)
            .into_iter()
            .map(|member| (member.path.into_owned(), member.inner))
            .collect();
        let expected = [("a", false), ("a.b", true), ("a.b.c", true), ("d", false)];
        assert_eq!(
            paths,
            expected.map(|(path, inner)| (path.to_owned(), inner))
        );
    }
}
