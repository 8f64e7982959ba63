//! The normal distribution function and its inverse.

#![expect(
    clippy::excessive_precision,
    reason = "coefficients stand as published"
)]

/// The share of standard normal numbers that lie below `x`.
pub fn normal_cdf(x: f64) -> f64 {
    libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2) / 2.0
}

/// The standard normal number that `p` of all lie below, for 0 < p < 1.
///
/// Wichura (1988), algorithm AS 241 (PPND16): about 16 digits.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(&CENTRE_ABOVE, &CENTRE_BELOW, r);
    }
    let r = (-libm::log(if q < 0.0 { p } else { 1.0 - p })).sqrt();
    let x = if r <= 5.0 {
        ratio(&MIDDLE_ABOVE, &MIDDLE_BELOW, r - 1.6)
    } else {
        ratio(&TAIL_ABOVE, &TAIL_BELOW, r - 5.0)
    };
    if q < 0.0 { -x } else { x }
}

/// The quotient of two polynomials at `x`, highest power first.
fn ratio(above: &[f64; 8], below: &[f64; 8], x: f64) -> f64 {
    let horner = |coefficients: &[f64; 8]| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    horner(above) / horner(below)
}

const CENTRE_ABOVE: [f64; 8] = [
    2_509.080_928_730_122_672_7,
    33_430.575_583_588_128_105,
    67_265.770_927_008_700_853,
    45_921.953_931_549_871_457,
    13_731.693_765_509_461_125,
    1_971.590_950_306_551_442_7,
    133.141_667_891_784_377_45,
    3.387_132_872_796_366_608,
];
const CENTRE_BELOW: [f64; 8] = [
    5_226.495_278_852_854_561,
    28_729.085_735_721_942_674,
    39_307.895_800_092_710_61,
    21_213.794_301_586_595_867,
    5_394.196_021_424_751_107_7,
    687.187_007_492_057_908_3,
    42.313_330_701_600_911_252,
    1.0,
];
const MIDDLE_ABOVE: [f64; 8] = [
    7.745_450_142_783_414_076_4e-4,
    2.272_384_498_926_918_458_33e-2,
    2.417_807_251_774_506_117_7e-1,
    1.270_458_252_452_368_382_58,
    3.647_848_324_763_204_605_04,
    5.769_497_221_460_691_405_5,
    4.630_337_846_156_545_295_9,
    1.423_437_110_749_683_577_34,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.050_750_071_644_416_843_24e-9,
    5.475_938_084_995_344_946e-4,
    1.519_866_656_361_645_719_66e-2,
    1.481_039_764_274_800_745_9e-1,
    6.897_673_349_851_000_045_5e-1,
    1.676_384_830_183_803_849_4,
    2.053_191_626_637_758_821_87,
    1.0,
];
const TAIL_ABOVE: [f64; 8] = [
    2.010_334_399_292_288_132_65e-7,
    2.711_555_568_743_487_578_15e-5,
    1.242_660_947_388_078_438_6e-3,
    2.653_218_952_657_612_309_3e-2,
    2.965_605_718_285_048_912_3e-1,
    1.784_826_539_917_291_335_8,
    5.463_784_911_164_114_369_9,
    6.657_904_643_501_103_777_2,
];
const TAIL_BELOW: [f64; 8] = [
    2.044_263_103_389_939_785_64e-15,
    1.421_511_758_316_445_888_7e-7,
    1.846_318_317_510_054_681_8e-5,
    7.868_691_311_456_132_591e-4,
    1.487_536_129_085_061_485_25e-2,
    1.369_298_809_227_358_053_1e-1,
    5.998_322_065_558_879_376_9e-1,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn the_normal_quantile_agrees_with_an_independent_one() {
        let reference = Normal::standard();
        for p in [
            1e-15, 1e-9, 1e-4, 0.02, 0.075, 0.3, 0.5, 0.6, 0.925, 0.99, 0.999_999,
        ] {
            let (ours, theirs) = (normal_quantile(p), reference.inverse_cdf(p));
            assert!(
                (ours - theirs).abs() <= 1e-9 * (1.0 + theirs.abs()),
                "{p}: {ours} {theirs}"
            );
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }
}
