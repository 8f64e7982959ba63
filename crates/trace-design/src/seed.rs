//! The seed of a design, which is larger than the page can count.
//!
//! A seed is any whole number below 2^64; a number of JavaScript is exact up
//! to 2^53. So a larger one is text between us and the page, and a number
//! again in every file.

use serde_json::{Map, Value};

/// The largest whole number up to which the page's numbers are exact.
const EXACT: u64 = (1 << 53) - 1;

/// Spell the seed among the members of a design as the page can keep it.
pub(crate) fn for_page(members: &mut Map<String, Value>) {
    if let Some(seed) = members.get_mut("seed")
        && let Some(number) = seed.as_u64().filter(|&number| number > EXACT)
    {
        *seed = Value::from(number.to_string());
    }
}

/// Spell it as the curve file does. What is no seed stays, to be refused with
/// its name.
pub(crate) fn from_page(members: &mut Map<String, Value>) {
    if let Some(seed) = members.get_mut("seed")
        && let Some(number) = seed.as_str().and_then(|text| text.parse::<u64>().ok())
    {
        *seed = Value::from(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_seed_that_the_page_cannot_count_is_text_there() {
        for (seed, there) in [
            (json!(0), json!(0)),
            (json!(EXACT), json!(EXACT)),
            (json!(EXACT + 1), json!("9007199254740992")),
            (json!(u64::MAX), json!("18446744073709551615")),
        ] {
            let mut members = Map::from_iter([("seed".to_owned(), seed.clone())]);
            for_page(&mut members);
            assert_eq!(members["seed"], there);
            from_page(&mut members);
            assert_eq!(members["seed"], seed);
        }
    }

    #[test]
    fn what_is_no_seed_stays() {
        for odd in [
            json!("x"),
            json!("18446744073709551616"),
            json!(-1),
            json!(null),
        ] {
            let mut members = Map::from_iter([("seed".to_owned(), odd.clone())]);
            for_page(&mut members);
            from_page(&mut members);
            assert_eq!(members["seed"], odd);
        }
        let mut none = Map::new();
        from_page(&mut none);
        assert!(none.is_empty());
    }
}
