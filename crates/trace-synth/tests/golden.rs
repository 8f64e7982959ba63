//! A hash of what each generator writes.
//!
//! These change only with intent: whoever repeats a run with the same flags
//! and seed, on any machine, with any later release, should get the same
//! bytes. A dependency that changes them changes what people measured.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use std::fmt::Write;
use trace_synth::{Args, run};

/// FNV-1a, 64 bits.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn trace(flags: &str) -> Vec<u8> {
    let words = ["trace-synth"].into_iter().chain(flags.split_whitespace());
    let mut bytes = Vec::new();
    run(&Args::try_parse_from(words).unwrap(), &mut bytes).unwrap();
    bytes
}

const GOLDEN: &str = "
5817a6545ff6bcec sine
1188c7d57e497591 sine --seed 7 --rate 0.5..50 --period 1m --duration 5m --total-blocks 20
bb846e92452d9407 rate --rate 50 --requests 2000 --arrival constant
d32fd8f74d1d287e rate --rate 50 --requests 2000
254f6121d3d407ae rate --rate 50 --requests 2000 --arrival gamma --cv 0.3
8e8deca4152e0a1d rate --rate 50 --requests 2000 --arrival gamma --cv 4
816ea84226c91a93 rate --rate 50 --requests 2000 --arrival weibull --cv 2.5
e6dbed502757843b rate --rate ramp:5..50,1m --requests 2000 --no-hash-ids
4d442801bf3e2a61 rate --rate 5+diurnal:0..40,day=2m+spike:90@70s,9s --duration 3m --arrival gamma --cv 2
6c3b5a60098f83ea rate --rate mmpp:2@20s,80@5s --requests 2000 --no-hash-ids
889354e300f220e5 rate --rate onoff:9,7s,3s+step:1,5@1m,0@2m --duration 5m --arrival constant
c5554984b77a6a69 rate --rate 50 --requests 2000 --input-length normal:900,300
303c8ff91de7a4f0 rate --rate 50 --requests 2000 --input-length lognormal:900,2000,max=32768
d6b562f69b5df52b rate --rate 50 --requests 2000 --input-length uniform:1..9000 --total-blocks 30
003faa3333ea4b56 rate --rate 50 --requests 2000 --output-length poisson:15
1d92766c548946bf rate --rate 50 --requests 2000 --output-length poisson:4,min=0
63e47a00aa21deae rate --rate 50 --requests 2000 --output-length pareto:20,1.2
794ce564afe15a62 rate --rate 50 --requests 2000 --output-length exponential:250
";

#[test]
fn the_same_flags_and_seed_give_the_bytes_they_always_gave() {
    let mut found = String::from("\n");
    for flags in [
        "sine",
        "sine --seed 7 --rate 0.5..50 --period 1m --duration 5m --total-blocks 20",
        "rate --rate 50 --requests 2000 --arrival constant",
        "rate --rate 50 --requests 2000",
        "rate --rate 50 --requests 2000 --arrival gamma --cv 0.3",
        "rate --rate 50 --requests 2000 --arrival gamma --cv 4",
        "rate --rate 50 --requests 2000 --arrival weibull --cv 2.5",
        "rate --rate ramp:5..50,1m --requests 2000 --no-hash-ids",
        "rate --rate 5+diurnal:0..40,day=2m+spike:90@70s,9s --duration 3m --arrival gamma --cv 2",
        "rate --rate mmpp:2@20s,80@5s --requests 2000 --no-hash-ids",
        "rate --rate onoff:9,7s,3s+step:1,5@1m,0@2m --duration 5m --arrival constant",
        "rate --rate 50 --requests 2000 --input-length normal:900,300",
        "rate --rate 50 --requests 2000 --input-length lognormal:900,2000,max=32768",
        "rate --rate 50 --requests 2000 --input-length uniform:1..9000 --total-blocks 30",
        "rate --rate 50 --requests 2000 --output-length poisson:15",
        "rate --rate 50 --requests 2000 --output-length poisson:4,min=0",
        "rate --rate 50 --requests 2000 --output-length pareto:20,1.2",
        "rate --rate 50 --requests 2000 --output-length exponential:250",
    ] {
        let bytes = trace(flags);
        writeln!(found, "{:016x} {flags}", hash(&bytes)).unwrap();
    }
    assert_eq!(found, GOLDEN, "{found}");
}
