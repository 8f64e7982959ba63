//! The name that was probably meant.

/// `; did you mean NAME?`, if a name of `known` is near `typed`.
pub(crate) fn suggest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(typed, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    near.map_or(String::new(), |(_, name)| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        let known = ["ttft_ms", "tpot_ms", "latency_ms"];
        assert_eq!(suggest("ttft", known), "; did you mean ttft_ms?");
        assert_eq!(suggest("latencyms", known), "; did you mean latency_ms?");
        assert_eq!(suggest("xyz", known), "");
    }
}
