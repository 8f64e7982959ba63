//! The words that a name is made of.

/// The words of a name in small letters: what stands between signs, and
/// before a capital.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins = !before.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase());
        if c.is_alphanumeric() {
            match words.last_mut().filter(|_| !begins) {
                Some(word) => word.extend(c.to_lowercase()),
                None => words.push(c.to_lowercase().collect()),
            }
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_signs_and_before_capitals() {
        assert_eq!(
            words("startTimeUnixNano"),
            ["start", "time", "unix", "nano"]
        );
        assert_eq!(words(" PROMPT-TOKENS (s)"), ["prompt", "tokens", "s"]);
        assert!(words("_").is_empty());
    }
}
