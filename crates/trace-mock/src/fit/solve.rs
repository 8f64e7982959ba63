//! Least squares without negative coefficients.

use std::fmt;

/// How well a fit explains what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quality {
    /// Share of the variance that is explained.
    pub(crate) r_squared: f64,
    /// Median of |fitted − measured| / measured.
    pub(crate) median_error: f64,
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.median_error;
        write!(
            f,
            "R² {:.3}, half of the errors below {percent:.1} %",
            self.r_squared
        )
    }
}

/// Whether a column has more than one value, but for noise.
pub(crate) fn varies<const N: usize>(rows: &[[f64; N]], column: usize) -> bool {
    let values = || rows.iter().map(|row| row[column]);
    let least = values().fold(f64::INFINITY, f64::min);
    let most = values().fold(f64::NEG_INFINITY, f64::max);
    most - least > 0.02 * most.abs()
}

/// The coefficients of the columns that give `measured` best, none below zero.
///
/// A column that does not vary, other than the first, gets none.
pub(crate) fn least_squares<const N: usize>(
    rows: &[[f64; N]],
    measured: &[f64],
) -> ([f64; N], Quality) {
    let mut used: Vec<usize> = (0..N)
        .filter(|column| *column == 0 || varies(rows, *column))
        .collect();
    let coefficients = loop {
        let solved = normal(rows, measured, &used);
        let worst = (0..used.len()).min_by(|a, b| solved[*a].total_cmp(&solved[*b]));
        match worst {
            Some(worst) if solved[worst] < 0.0 => {
                used.remove(worst);
            }
            _ => {
                let mut all = [0.0; N];
                used.iter()
                    .zip(&solved)
                    .for_each(|(column, value)| all[*column] = *value);
                break all;
            }
        }
    };
    (coefficients, quality(rows, measured, &coefficients))
}

/// Rows and what was measured, without those that stand out from the fit to the others, found by
/// repeating: prompts that were computed in pieces, whose steps look too short, and what the
/// machine of the client did.
pub(crate) fn trimmed<const N: usize>(mut all: Vec<([f64; N], f64)>) -> (Vec<[f64; N]>, Vec<f64>) {
    for _ in 0..20 {
        let (rows, measured): (Vec<_>, Vec<_>) = all.iter().copied().unzip();
        let (fitted, _) = least_squares(&rows, &measured);
        let off = |(row, y): &([f64; N], f64)| (y - value(row, &fitted)).abs();
        let mut offs: Vec<_> = all.iter().map(off).collect();
        offs.sort_by(f64::total_cmp);
        let median = offs.get(offs.len() / 2).copied().unwrap_or(0.0);
        // Six times the median is beyond all but one of ten thousand where errors are normal.
        let most = 6.0 * median + 1e-3;
        let before = all.len();
        all.retain(|one| off(one) <= most);
        if all.len() == before {
            break;
        }
    }
    all.into_iter().unzip()
}

/// What coefficients say of a row.
pub(crate) fn value<const N: usize>(row: &[f64; N], coefficients: &[f64; N]) -> f64 {
    row.iter().zip(coefficients).map(|(x, k)| x * k).sum()
}

/// Solve the normal equations of the columns in `used`, scaled to be alike, by elimination.
fn normal<const N: usize>(rows: &[[f64; N]], measured: &[f64], used: &[usize]) -> Vec<f64> {
    let n = used.len();
    let scale: Vec<f64> = used
        .iter()
        .map(|column| {
            let sum: f64 = rows.iter().map(|row| row[*column] * row[*column]).sum();
            libm::sqrt(sum / rows.len() as f64).max(f64::MIN_POSITIVE)
        })
        .collect();
    let mut matrix = vec![vec![0.0; n + 1]; n];
    for (row, y) in rows.iter().zip(measured) {
        for i in 0..n {
            let x = row[used[i]] / scale[i];
            for j in 0..n {
                matrix[i][j] += x * row[used[j]] / scale[j];
            }
            matrix[i][n] += x * y;
        }
    }
    for (i, row) in matrix.iter_mut().enumerate() {
        // Columns that say the same share what they explain, instead of cancelling.
        row[i] *= 1.0 + 1e-9;
    }
    for i in 0..n {
        let pivot = (i..n).max_by(|a, b| matrix[*a][i].abs().total_cmp(&matrix[*b][i].abs()));
        matrix.swap(i, pivot.unwrap_or(i));
        let lead = matrix[i][i];
        if lead == 0.0 {
            continue;
        }
        let pivot = matrix[i].clone();
        for (k, row) in matrix.iter_mut().enumerate() {
            if k != i {
                let factor = row[i] / lead;
                row.iter_mut()
                    .zip(&pivot)
                    .skip(i)
                    .for_each(|(x, above)| *x -= factor * above);
            }
        }
    }
    let solved = |i: usize| {
        if matrix[i][i] == 0.0 {
            0.0
        } else {
            matrix[i][n] / matrix[i][i]
        }
    };
    (0..n).map(|i| solved(i) / scale[i]).collect()
}

fn quality<const N: usize>(rows: &[[f64; N]], measured: &[f64], fitted: &[f64; N]) -> Quality {
    let mean = measured.iter().sum::<f64>() / measured.len().max(1) as f64;
    let (mut left, mut all) = (0.0, 0.0);
    let mut errors = Vec::with_capacity(measured.len());
    for (row, y) in rows.iter().zip(measured) {
        let error = value(row, fitted) - y;
        left += error * error;
        all += (y - mean) * (y - mean);
        errors.push(error.abs() / y.abs().max(1e-9));
    }
    errors.sort_by(f64::total_cmp);
    // Without variance there is nothing to explain.
    let r_squared = if all > 1e-12 { 1.0 - left / all } else { 1.0 };
    Quality {
        r_squared,
        median_error: errors.get(errors.len() / 2).copied().unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_found() {
        let rows: Vec<_> = (0..50)
            .map(|n| [1.0, f64::from(n), f64::from(n * n % 7)])
            .collect();
        let measured: Vec<_> = rows
            .iter()
            .map(|row| 3.0 + 0.5 * row[1] + 2.0 * row[2])
            .collect();
        let (found, quality) = least_squares(&rows, &measured);
        for (found, truth) in found.iter().zip([3.0, 0.5, 2.0]) {
            assert!((found - truth).abs() < 1e-6, "{found}");
        }
        assert!(quality.r_squared > 0.999_999 && quality.median_error < 1e-6);
    }

    #[test]
    fn none_is_below_zero() {
        let rows: Vec<_> = (0..50).map(|n| [1.0, f64::from(n)]).collect();
        let measured: Vec<_> = rows.iter().map(|row| 100.0 - row[1]).collect();
        let (found, quality) = least_squares(&rows, &measured);
        assert!(
            (found[0] - 75.5).abs() < 1e-6 && found[1] == 0.0,
            "{found:?}"
        );
        assert!(quality.r_squared.abs() < 1e-6);
    }

    #[test]
    fn what_stands_out_does_not_count() {
        let rows = (0..200).map(|n| [1.0, f64::from(n * 13 % 101)]);
        // One of ten is late by up to a second, or early.
        let all = rows.enumerate().map(|(n, row)| {
            let late = if n % 10 == 0 {
                (n * 7 % 100) as f64 * 10.0 - 30.0
            } else {
                0.0
            };
            (row, 20.0 + 2.0 * row[1] + late)
        });
        let (rows, measured) = trimmed(all.collect());
        let (found, _) = least_squares(&rows, &measured);
        assert!(
            (found[0] - 20.0).abs() < 0.01 && (found[1] - 2.0).abs() < 0.001,
            "{found:?}"
        );
        assert!(rows.len() >= 180, "{}", rows.len());
        assert_eq!(trimmed::<2>(Vec::new()), (Vec::new(), Vec::new()));
    }
}
