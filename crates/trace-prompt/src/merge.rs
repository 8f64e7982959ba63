//! Byte-pair merging: the tokens of one piece of text.
//!
//! While any two neighbours together are a token, the two whose token has the
//! lowest rank are merged, the leftmost first among equals. Short pieces are
//! searched through for it, which is fastest for a word; long ones (a line of
//! dashes, text without spaces) use a heap, so that no input takes more than
//! n log n.

use crate::vocabulary::{NONE, Rank, Vocabulary};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Longer pieces are merged through the heap.
const SHORT: usize = 96;

/// Room to work in, kept between pieces.
#[derive(Default)]
pub(crate) struct Scratch {
    parts: Vec<Part>,
    heap: BinaryHeap<Reverse<(Rank, u32)>>,
}

/// A stretch that has become one token, as far as we know yet.
#[derive(Clone, Copy)]
struct Part {
    start: u32,
    /// The token this part and the next one would make.
    pair: Rank,
    /// In the heap's list: index of the part before this one and after it.
    before: u32,
    after: u32,
}

/// Append the tokens of `piece`.
pub(crate) fn encode(
    vocabulary: &Vocabulary,
    piece: &[u8],
    scratch: &mut Scratch,
    tokens: &mut Vec<Rank>,
) {
    if let Some(rank) = vocabulary.rank(piece) {
        tokens.push(rank);
        return;
    }
    split(vocabulary, piece, &mut scratch.parts);
    if piece.len() <= SHORT {
        search(vocabulary, piece, &mut scratch.parts);
    } else {
        climb(vocabulary, piece, scratch);
    }
    let mut at = 0;
    while let Some(part) = scratch.parts.get(at) {
        let next = part.after as usize;
        let end = scratch
            .parts
            .get(next)
            .map_or(piece.len(), |next| next.start as usize);
        let rank = vocabulary.rank(&piece[part.start as usize..end]);
        tokens.push(rank.expect("every byte is a token, and so is what was merged"));
        at = next;
    }
}

/// One part for each byte.
fn split(vocabulary: &Vocabulary, piece: &[u8], parts: &mut Vec<Part>) {
    parts.clear();
    parts.extend((0..piece.len() as u32).map(|start| {
        Part {
            start,
            pair: piece
                .get(start as usize + 1)
                .map_or(NONE, |&next| vocabulary.pair(piece[start as usize], next)),
            before: start.wrapping_sub(1),
            after: start + 1,
        }
    }));
}

/// Merge by looking through all parts for the lowest pair.
fn search(vocabulary: &Vocabulary, piece: &[u8], parts: &mut Vec<Part>) {
    loop {
        let lowest = parts.iter().enumerate().min_by_key(|(_, part)| part.pair);
        let Some((at, &Part { pair, .. })) = lowest else {
            return;
        };
        if pair == NONE {
            break;
        }
        parts.remove(at + 1);
        let pair = |at: usize, parts: &[Part]| {
            let Some(_) = parts.get(at + 1) else {
                return NONE;
            };
            let end = parts
                .get(at + 2)
                .map_or(piece.len(), |part| part.start as usize);
            vocabulary
                .rank(&piece[parts[at].start as usize..end])
                .unwrap_or(NONE)
        };
        parts[at].pair = pair(at, parts);
        if at > 0 {
            parts[at - 1].pair = pair(at - 1, parts);
        }
    }
    for (at, part) in parts.iter_mut().enumerate() {
        part.after = at as u32 + 1;
    }
}

/// Merge by a heap of pairs; parts stay in place and are linked.
///
/// An entry of the heap is stale if its part has another pair by now.
fn climb(vocabulary: &Vocabulary, piece: &[u8], scratch: &mut Scratch) {
    let Scratch { parts, heap } = scratch;
    heap.clear();
    let known = parts.iter().filter(|part| part.pair != NONE);
    heap.extend(known.map(|part| Reverse((part.pair, part.start))));
    while let Some(Reverse((rank, at))) = heap.pop() {
        if parts[at as usize].pair != rank {
            continue;
        }
        let gone = parts[at as usize].after;
        let after = parts[gone as usize].after;
        parts[gone as usize].pair = NONE;
        parts[at as usize].after = after;
        if let Some(next) = parts.get_mut(after as usize) {
            next.before = at;
        }
        let before = parts[at as usize].before;
        for at in [before, at] {
            let Some(&Part { start, after, .. }) = parts.get(at as usize) else {
                continue;
            };
            let pair = parts.get(after as usize).map_or(NONE, |next| {
                let end = next.after;
                vocabulary
                    .rank(&piece[start as usize..end as usize])
                    .unwrap_or(NONE)
            });
            parts[at as usize].pair = pair;
            if pair != NONE {
                heap.push(Reverse((pair, at)));
            }
        }
    }
}
