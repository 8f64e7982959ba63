//! Any bytes are a curve file or a pickle of one, or are refused in one line.
//!
//! `cd crates/trace-synth && cargo +nightly fuzz run files`
//!
//! The first byte chooses the kind, the rest is the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_synth::{curve_file::Curve, pickle::Pickle, traffic_designer};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, file)) = bytes.split_first() else {
        return;
    };
    if choice % 2 == 0 {
        let Ok(pickle) = Pickle::parse(file) else {
            return;
        };
        if let Err(error) = traffic_designer::curve(&pickle) {
            assert!(!format!("{error:#}").contains('\n'), "{error:#}");
        }
        return;
    }
    match Curve::parse("fuzz", &String::from_utf8_lossy(file)) {
        Ok(curve) => {
            for model in &curve.models {
                for part in 0..8 {
                    let rate = model.rate(curve.duration_ms * f64::from(part) / 7.0);
                    assert!(rate >= 0.0 && rate.is_finite(), "{rate}");
                }
            }
            let text = serde_json::to_string(&curve).expect("numbers and words");
            assert_eq!(
                Curve::parse("again", &text).expect("what was written reads back"),
                curve
            );
        }
        Err(error) => assert!(!format!("{error:#}").contains('\n'), "{error:#}"),
    }
});
