//! The k-way merge: always the earliest of the feeds' next lines.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Lines in the order of their keys.
///
/// A key is compared from its first number on; a time is a key of one.
pub(crate) trait Feed<const N: usize> {
    /// Go to the next line, and tell its key; `None` at the end.
    ///
    /// # Errors
    /// What reading gives.
    fn advance(&mut self) -> anyhow::Result<Option<[u64; N]>>;

    /// The current line.
    ///
    /// # Errors
    /// What spelling it gives.
    fn line(&mut self) -> anyhow::Result<&[u8]>;
}

/// Give `sink` all lines of `feeds` in the order of their keys; of equal keys
/// the one of the earlier feed comes first.
///
/// # Errors
/// What the feeds and the sink give; all lines before that were given.
pub(crate) fn merge<const N: usize>(
    feeds: &mut [impl Feed<N>],
    mut sink: impl FnMut([u64; N], &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut order = BinaryHeap::with_capacity(feeds.len());
    for (number, feed) in feeds.iter_mut().enumerate() {
        if let Some(key) = feed.advance()? {
            order.push(Reverse((key, number)));
        }
    }
    while let Some(mut first) = order.peek_mut() {
        let Reverse((key, number)) = *first;
        let feed = &mut feeds[number];
        sink(key, feed.line()?)?;
        // Put in place from the top, which costs half of a pop and a push,
        // and next to nothing when the same feed goes on.
        match feed.advance()? {
            Some(key) => *first = Reverse((key, number)),
            None => {
                PeekMut::pop(first);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Listed {
        times: std::vec::IntoIter<u64>,
        text: Vec<u8>,
    }

    impl Feed<1> for Listed {
        fn advance(&mut self) -> anyhow::Result<Option<[u64; 1]>> {
            Ok(self.times.next().map(|time| [time]))
        }

        fn line(&mut self) -> anyhow::Result<&[u8]> {
            Ok(&self.text)
        }
    }

    fn merged(lists: &[Vec<u64>]) -> Vec<(u64, String)> {
        let mut feeds: Vec<_> = lists
            .iter()
            .enumerate()
            .map(|(number, times)| Listed {
                times: times.clone().into_iter(),
                text: number.to_string().into_bytes(),
            })
            .collect();
        let mut out = Vec::new();
        merge(&mut feeds, |[time], line| {
            out.push((time, String::from_utf8(line.to_vec())?));
            Ok(())
        })
        .unwrap();
        out
    }

    proptest! {
        #[test]
        fn a_merge_is_sorted_stable_and_loses_nothing(mut lists in proptest::collection::vec(proptest::collection::vec(0..50_u64, 0..20), 0..12)) {
            lists.iter_mut().for_each(|times| times.sort_unstable());
            // A stable sort of all lines by time is the definition.
            let mut expected: Vec<_> = lists.iter().enumerate()
                .flat_map(|(number, times)| times.iter().map(move |&time| (time, number.to_string())))
                .collect();
            expected.sort_by_key(|&(time, _)| time);
            prop_assert_eq!(merged(&lists), expected);
        }
    }
}
