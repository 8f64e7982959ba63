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
ce86620997abb686 rate --rate 50 --requests 2000 --input-length truncnormal:900,800,max=2000
4813b0bc39f9d380 rate --rate 50 --requests 2000 --output-length geometric:20
b9d22872a5b7fc94 rate --rate 50 --requests 2000 --output-length pareto:mean=80,sd=472
4f1900b832fcefc6 rate --rate 50 --requests 2000 --prefixes toolbench
6cdbf0bd4463a600 rate --rate 50 --requests 2000 --prefixes shared:0.6,0.2,groups=40 --no-hash-ids
3bbc1cd0aa4215f9 rate --rate 50 --requests 2000 --prefixes pool:9,lognormal:900,300 --prefixes pool:9,700,zipf=1.2
a60fabde36fdb7d0 rate --rate 50 --requests 2000 --prefixes pool:50,1024,hot=4,share=0.9,drift=5s
b847e327c8ec57e8 rate --rate 5 --requests 400 --sessions geometric:5 --think-time lognormal:20s,40s --service-time 200ms+20ms --turn-length poisson:90
9cc565e15b1a2985 rate --rate 5 --requests 2000 --sessions uniform:1..9 --think-time 3s --arrivals-are requests --max-context 4000 --prefixes pool:3,512
6f366f3374477eb1 rate --rate 5 --requests 400 --sessions 3 --tools uniform:0..4,min=0 --tool-latency exponential:2s --tool-failure 0.2 --tool-retries 3 --tool-result poisson:200
36741aa2d07062c7 rate --rate 50 --requests 2000 --prompt-words poisson:15
a060e9e71b5f209c pattern --traffic severe_fluctuation --prompt-len slow_rising --completion-len constant:99
46fcf1bfc87ee124 pattern --traffic quick_rising:40 --interval 700ms --qps-scale 3 --fractional --seed 5
cd19c953dabaab3c curve tests/data/curve.json
28b91c0ba6620778 curve tests/data/designer.pkl --prompt-len 1000 --arrival weibull --cv 2
4ec3451caa2efc44 grafana --kind maas --traffic-file tests/data/traffic.csv --prompt-len-file tests/data/percentiles.csv
3f3ba3f92aff7ec9 servegen tests/data/servegen
0db05a457d13b747 servegen tests/data/servegen --rate 9+sine:0..20,10m --start 5m --duration 20m --rho 0.6 --total-blocks 50
";

#[test]
fn the_same_flags_and_seed_give_the_bytes_they_always_gave() {
    let mut found = String::from("\n");
    for line in GOLDEN.trim().lines() {
        let (_, flags) = line.split_once(' ').unwrap();
        let bytes = trace(flags);
        writeln!(found, "{:016x} {flags}", hash(&bytes)).unwrap();
    }
    assert_eq!(found, GOLDEN, "{found}");
}
