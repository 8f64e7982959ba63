//! The analyzer against its definitions.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use trace_core::quantile::Tally;

fn reuse_of(rows: &[(u64, &[u64])]) -> Reuse {
    let mut prefixes = Prefixes::new(10);
    for &(tokens, ids) in rows {
        prefixes.push(Some(tokens), ids).unwrap();
    }
    prefixes.finish()
}

#[test]
fn a_shared_prefix_is_context_in_both_rows_and_a_hit_in_the_second() {
    let reuse = reuse_of(&[(28, &[0, 1, 2]), (25, &[0, 1, 3])]);
    // context 20 and 20, rest 8 and 5, hits 0/3 and 2/3
    assert_eq!(reuse.context_length.mean, Some(20.0));
    assert_eq!(reuse.unique_prompt_length.mean, Some(6.5));
    assert_eq!(reuse.prefix_hit_rate.max, Some(2.0 / 3.0));
    assert_eq!(reuse.block_hit_rate(), Some(2.0 / 6.0));
    assert_eq!(reuse.token_hit_rate(), Some(20.0 / 53.0));
    assert_eq!((reuse.distinct_pairs, reuse.repeated_pairs), (4, 2));
    assert_eq!(reuse.prefix_reuse_ratio(), Some(4.0 / 6.0));
    assert_eq!((reuse.groups, reuse.repeated_rows), (1, 0));
}

#[test]
fn a_fully_repeated_row_counts_its_true_length() {
    let reuse = reuse_of(&[(12, &[7, 8]), (12, &[7, 8])]);
    assert_eq!(reuse.context_length.min, Some(12.0));
    assert_eq!(reuse.unique_prompt_length.max, Some(0.0));
    assert_eq!(reuse.repeated_rows, 2);
    assert_eq!((reuse.hit_blocks, reuse.hit_tokens), (2, 12));
}

#[test]
fn a_repeated_partial_block_can_make_unique_negative() {
    // The first row ends in a partial block that the second row has too,
    // but its first block is nobody else's.
    let reuse = reuse_of(&[(11, &[1, 9]), (25, &[2, 9, 3])]);
    assert_eq!(reuse.context_exceeds_input, 0);
    let reuse = reuse_of(&[(21, &[1, 8, 9]), (21, &[2, 8, 9]), (5, &[4])]);
    assert_eq!(reuse.context_exceeds_input, 0);
    let reuse = reuse_of(&[(8, &[1, 9]), (25, &[2, 9, 3])]);
    assert_eq!(reuse.context_exceeds_input, 1);
    assert_eq!(reuse.first_exceeding, [0]);
    assert_eq!(reuse.unique_prompt_length.min, Some(-2.0));
}

#[test]
fn an_id_repeated_within_a_row_is_no_hit() {
    let reuse = reuse_of(&[(20, &[5, 5]), (20, &[5, 5])]);
    assert_eq!(reuse.prefix_hit_rate.min, Some(0.0));
    assert_eq!(reuse.prefix_hit_rate.max, Some(1.0));
    assert_eq!((reuse.distinct_ids, reuse.distinct_pairs), (1, 2));
    assert_eq!(reuse.repeated_rows, 2);
}

#[test]
fn hits_ignore_the_position_and_context_does_not() {
    let reuse = reuse_of(&[(20, &[1, 2]), (20, &[2, 1])]);
    assert_eq!(reuse.prefix_hit_rate.max, Some(1.0));
    assert_eq!(reuse.context_length.max, Some(0.0));
    assert_eq!(reuse.shared_blocks, 0);
    assert_eq!(reuse.distinct_prefixes, 4);
}

#[test]
fn rows_without_ids_have_no_context() {
    let reuse = reuse_of(&[(100, &[]), (10, &[1])]);
    assert_eq!(reuse.rows, 1);
    assert_eq!(reuse.context_length.count, 2);
    assert_eq!(reuse.unique_prompt_length.max, Some(100.0));
    assert_eq!(reuse.prefix_hit_rate.count, 1);
}

#[test]
fn rows_without_a_length_have_a_hit_rate_only() {
    let mut prefixes = Prefixes::new(10);
    prefixes.push(None, &[1, 2]).unwrap();
    prefixes.push(None, &[1, 2]).unwrap();
    let reuse = prefixes.finish();
    assert_eq!(reuse.context_length.count, 0);
    assert_eq!(reuse.prefix_hit_rate.mean, Some(0.5));
    assert_eq!(reuse.token_hit_rate(), None);
}

#[test]
fn missing_ids_do_not_count_as_context() {
    let reuse = reuse_of(&[(35, &[1, 2]), (35, &[1, 2])]);
    assert_eq!(reuse.context_length.max, Some(20.0));
    assert_eq!(reuse.unique_prompt_length.max, Some(15.0));
}

#[test]
fn nothing_is_undefined() {
    let reuse = Prefixes::new(512).finish();
    assert_eq!(reuse, Reuse::default());
    assert_eq!(reuse.block_hit_rate(), None);
}

/// The definitions, word for word, over a trace held in memory.
fn naive(rows: &[(u64, Vec<u64>)], block_size: u64) -> Reuse {
    let mut pairs: BTreeMap<(usize, u64), u64> = BTreeMap::new();
    let mut prefixes: BTreeMap<&[u64], u64> = BTreeMap::new();
    for (_, ids) in rows {
        for (position, &id) in ids.iter().enumerate() {
            *pairs.entry((position, id)).or_default() += 1;
            *prefixes.entry(&ids[..=position]).or_default() += 1;
        }
    }
    let mut reuse = Reuse::default();
    let [mut context, mut unique, mut rate] = [const { Vec::new() }; 3];
    let mut seen = BTreeSet::new();
    for (tokens, ids) in rows {
        let n = ids.len();
        let repeated = ids
            .iter()
            .enumerate()
            .filter(|&(position, &id)| pairs[&(position, id)] > 1)
            .count();
        let mut shared = repeated as u64 * block_size;
        if n > 0 && repeated == n {
            shared = shared.min(*tokens);
            reuse.repeated_rows += 1;
        }
        if shared > *tokens {
            if reuse.first_exceeding.len() < NAMED {
                reuse.first_exceeding.push(reuse.rows as u32);
            }
            reuse.context_exceeds_input += 1;
        }
        context.push(shared as f64);
        unique.push(*tokens as f64 - shared as f64);
        if n == 0 {
            continue;
        }
        let hits = ids.iter().take_while(|id| seen.contains(*id)).count();
        rate.push(hits as f64 / n as f64);
        seen.extend(ids.iter().copied());
        reuse.rows += 1;
        reuse.blocks += n as u64;
        reuse.tokens += tokens;
        reuse.hit_blocks += hits as u64;
        reuse.hit_tokens += (hits as u64 * block_size).min(*tokens);
    }
    reuse.distinct_ids = seen.len() as u64;
    reuse.distinct_pairs = pairs.len() as u64;
    reuse.repeated_pairs = pairs.values().filter(|&&count| count > 1).count() as u64;
    reuse.distinct_prefixes = prefixes.len() as u64;
    reuse.shared_blocks = prefixes.values().filter(|&&count| count > 1).sum();
    reuse.groups = prefixes
        .iter()
        .filter(|(prefix, count)| prefix.len() == 1 && **count > 1)
        .count() as u64;
    let tally = |values: Vec<f64>| {
        let mut tally = Tally::new();
        values.into_iter().for_each(|value| tally.push(value));
        tally.spread()
    };
    reuse.context_length = tally(context);
    reuse.unique_prompt_length = tally(unique);
    reuse.prefix_hit_rate = rate.into_iter().collect::<Sample>().spread();
    reuse
}

proptest! {
    #[test]
    fn the_analyzer_follows_the_definitions(
        rows in prop::collection::vec(
            (0u64..60, prop::collection::vec(prop_oneof![0u64..6, 1_000_000u64..1_000_004], 0..6)),
            0..40,
        ),
    ) {
        let mut prefixes = Prefixes::new(10);
        for (tokens, ids) in &rows {
            prefixes.push(Some(*tokens), ids).unwrap();
        }
        prop_assert_eq!(prefixes.finish(), naive(&rows, 10));
    }

    #[test]
    fn other_names_for_the_ids_change_nothing(
        rows in prop::collection::vec((0u64..60, prop::collection::vec(0u64..6, 0..6)), 0..30),
        factor in 1u64..1_000_000_000,
    ) {
        let mut one = Prefixes::new(10);
        let mut other = Prefixes::new(10);
        for (tokens, ids) in &rows {
            one.push(Some(*tokens), ids).unwrap();
            let renamed: Vec<u64> = ids.iter().map(|id| (7 - id) * factor).collect();
            other.push(Some(*tokens), &renamed).unwrap();
        }
        prop_assert_eq!(one.finish(), other.finish());
    }
}
