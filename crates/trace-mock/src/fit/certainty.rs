//! How sure coefficients are: standard errors, and which cannot be told apart.

use super::solve::value;

/// Belsley's rule of thumb: columns whose matrix has a greater condition number than this say much
/// the same.
pub(crate) const COLLINEAR: f64 = 30.0;

/// How sure the coefficients of a fit are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Certainty<const N: usize> {
    /// Standard error of each, as far as errors are independent; none where it is 0 because it
    /// would have been less, or its column says nothing.
    pub(crate) errors: [Option<f64>; N],
    /// Ratio of the longest to the shortest axis of the columns, each scaled to the same length.
    pub(crate) condition: f64,
    inverse: [[f64; N]; N],
}

impl<const N: usize> Certainty<N> {
    /// Of the `fitted` coefficients of the columns of `rows`, which were to give `measured`.
    pub(crate) fn of(rows: &[[f64; N]], measured: &[f64], fitted: &[f64; N]) -> Certainty<N> {
        let used: Vec<usize> = (0..N).filter(|at| fitted[*at] > 0.0).collect();
        let scale: [f64; N] = std::array::from_fn(|at| {
            let sum: f64 = rows.iter().map(|row| row[at] * row[at]).sum();
            libm::sqrt(sum).max(f64::MIN_POSITIVE)
        });
        // The identity where a column is not used, so that it changes nothing.
        let mut matrix = [[0.0; N]; N];
        for (at, row) in matrix.iter_mut().enumerate() {
            row[at] = 1.0;
        }
        for &i in &used {
            for &j in &used {
                let sum: f64 = rows.iter().map(|row| row[i] * row[j]).sum();
                matrix[i][j] = sum / (scale[i] * scale[j]);
            }
        }
        let (axes, turns) = axes(matrix);
        let mut inverse = [[0.0; N]; N];
        for (i, row) in inverse.iter_mut().enumerate() {
            for (j, cell) in row.iter_mut().enumerate() {
                let part = |k: usize| turns[i][k] * turns[j][k] / axes[k].max(1e-12);
                *cell = (0..N).map(part).sum();
            }
        }
        let squares = rows.iter().zip(measured).map(|(row, y)| {
            let error = value(row, fitted) - y;
            error * error
        });
        let free = rows.len().saturating_sub(used.len()).max(1);
        let variance = squares.sum::<f64>() / free as f64;
        let error = |at: usize| {
            let known = fitted[at] > 0.0;
            known.then(|| libm::sqrt(variance * inverse[at][at]) / scale[at])
        };
        let longest = axes.iter().copied().fold(0.0, f64::max);
        let shortest = axes.iter().copied().fold(f64::INFINITY, f64::min);
        Certainty {
            errors: std::array::from_fn(error),
            condition: libm::sqrt(longest / shortest.max(1e-12)),
            inverse,
        }
    }

    /// Correlation of the errors of two coefficients: near −1, one can be had for the other.
    pub(crate) fn correlation(&self, i: usize, j: usize) -> f64 {
        let inverse = &self.inverse;
        inverse[i][j] / libm::sqrt(inverse[i][i] * inverse[j][j])
    }
}

/// Lengths and directions of the axes of a symmetric matrix, by Jacobi's rotations.
fn axes<const N: usize>(mut matrix: [[f64; N]; N]) -> ([f64; N], [[f64; N]; N]) {
    let mut turns = [[0.0; N]; N];
    for (at, row) in turns.iter_mut().enumerate() {
        row[at] = 1.0;
    }
    // Each sweep squares what is off the diagonal; six are plenty for a handful of columns.
    for _ in 0..12 {
        for p in 0..N {
            for q in p + 1..N {
                if matrix[p][q].abs() < 1e-15 {
                    continue;
                }
                let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
                let root = libm::sqrt(theta * theta + 1.0);
                let tangent = theta.signum() / (theta.abs() + root);
                let cosine = 1.0 / libm::sqrt(tangent * tangent + 1.0);
                let sine = tangent * cosine;
                let turn = |a: &mut f64, b: &mut f64| {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                };
                for row in &mut matrix {
                    let (mut a, mut b) = (row[p], row[q]);
                    turn(&mut a, &mut b);
                    (row[p], row[q]) = (a, b);
                }
                let (above, below) = matrix.split_at_mut(q);
                above[p]
                    .iter_mut()
                    .zip(&mut below[0])
                    .for_each(|(a, b)| turn(a, b));
                for row in &mut turns {
                    let (mut a, mut b) = (row[p], row[q]);
                    turn(&mut a, &mut b);
                    (row[p], row[q]) = (a, b);
                }
            }
        }
    }
    (std::array::from_fn(|at| matrix[at][at]), turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axes_of_a_matrix_are_found() {
        let (mut axes, _) = axes([[2.0, 1.0], [1.0, 2.0]]);
        axes.sort_by(f64::total_cmp);
        assert!((axes[0] - 1.0).abs() < 1e-12 && (axes[1] - 3.0).abs() < 1e-12);
    }

    #[test]
    fn errors_are_those_of_the_textbook() {
        // y = 2 + 3x with errors of ±1 in turn: slope's error is s / √Σ(x − x̄)².
        let rows: Vec<_> = (0..100).map(|n| [1.0, f64::from(n)]).collect();
        let sign = |n: usize| if n.is_multiple_of(2) { 1.0 } else { -1.0 };
        let measured: Vec<_> = (0..100).map(|n| 2.0 + 3.0 * n as f64 + sign(n)).collect();
        let certainty = Certainty::of(&rows, &measured, &[2.0, 3.0]);
        let s = libm::sqrt(100.0 / 98.0);
        let spread = (0..100).map(|n| (f64::from(n) - 49.5) * (f64::from(n) - 49.5));
        let expected = s / libm::sqrt(spread.sum());
        let slope = certainty.errors[1].unwrap();
        assert!((slope - expected).abs() < 1e-9, "{slope}, not {expected}");
        assert!(certainty.condition < COLLINEAR, "{certainty:?}");
    }

    #[test]
    fn columns_that_say_the_same_are_known() {
        let rows: Vec<_> = (0..100)
            .map(|n| [1.0, f64::from(n), 500.0 * f64::from(n) + f64::from(n % 3)])
            .collect();
        let measured: Vec<_> = rows.iter().map(|row| 1.0 + row[1] + row[2]).collect();
        let certainty = Certainty::of(&rows, &measured, &[1.0, 1.0, 1.0]);
        assert!(certainty.condition > 1_000.0, "{certainty:?}");
        assert!(certainty.correlation(1, 2) < -0.99);
        let without = Certainty::of(&rows, &measured, &[1.0, 501.0, 0.0]);
        assert!(without.condition < COLLINEAR && without.errors[2].is_none());
    }
}
