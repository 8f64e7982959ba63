//! Capacities: in blocks or in bytes, chosen or spread over the whole range.

use std::str::FromStr;

/// How much a cache holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Capacity {
    /// So many blocks.
    Blocks(u64),
    /// So many bytes.
    Bytes(f64),
}

/// Bytes in a GiB.
pub const GIB: f64 = 1_073_741_824.0;

impl Capacity {
    /// The whole blocks of `bytes_per_block` that fit.
    ///
    /// # Errors
    ///
    /// One line if it is in bytes and the bytes of a block are not known, or if
    /// no block fits.
    pub fn blocks(self, bytes_per_block: Option<f64>) -> Result<u64, String> {
        let blocks = match (self, bytes_per_block) {
            (Self::Blocks(blocks), _) => blocks,
            (Self::Bytes(bytes), Some(block)) => (bytes / block) as u64,
            (Self::Bytes(_), None) => {
                return Err(
                    "a capacity in bytes needs --bytes-per-token, what a token takes in the KV cache"
                        .to_owned(),
                );
            }
        };
        if blocks == 0 {
            return Err("a capacity below one block holds nothing".to_owned());
        }
        Ok(blocks)
    }
}

impl FromStr for Capacity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(blocks) = text.parse() {
            return Ok(Self::Blocks(blocks));
        }
        match parse_bytes(text) {
            Ok(bytes) => Ok(Self::Bytes(bytes)),
            Err(_) => Err(format!(
                "{text:?} is not a capacity: write 10000 (blocks) or 80GiB"
            )),
        }
    }
}

/// A number of bytes, more than 0: `131072`, `128KiB`, `1.5GiB`.
///
/// # Errors
///
/// One line that says what would have been understood.
pub fn parse_bytes(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(number);
    let factor = match unit.trim() {
        "" | "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1_048_576.0,
        "GiB" => GIB,
        "TiB" => 1024.0 * GIB,
        _ => 0.0,
    };
    match digits.parse::<f64>() {
        Ok(value) if value > 0.0 && factor > 0.0 => Ok(value * factor),
        _ => Err(format!(
            "{text:?} is not a number of bytes: write 131072, 128KiB, 1.5GiB"
        )),
    }
}

/// Round capacities from 1 up to `end`, which is the last one: `per_decade` of
/// them for each factor of ten.
///
/// One to three give 1; 1, 3; and 1, 2, 5; more are spaced evenly, to two
/// digits.
pub fn ladder(end: u64, per_decade: u32) -> Vec<u64> {
    let steps: Vec<f64> = match per_decade {
        0 | 1 => vec![1.0],
        2 => vec![1.0, 3.0],
        3 => vec![1.0, 2.0, 5.0],
        n => (0..n)
            .map(|step| libm::pow(10.0, f64::from(step) / f64::from(n)))
            .collect(),
    };
    let mut capacities = Vec::new();
    let mut decade = 1.0;
    while decade <= end as f64 {
        for step in &steps {
            // Two digits where there are two.
            let unit = if decade < 10.0 { 1.0 } else { decade / 10.0 };
            let capacity = ((step * decade / unit).round() * unit) as u64;
            if capacity < end && capacities.last() < Some(&capacity) {
                capacities.push(capacity);
            }
        }
        decade *= 10.0;
    }
    capacities.push(end.max(1));
    capacities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_blocks_or_bytes() {
        assert_eq!("10000".parse(), Ok(Capacity::Blocks(10_000)));
        let capacity: Capacity = "1.5GiB".parse().unwrap();
        // 128 KiB a token, 512 tokens a block: 64 MiB a block.
        assert_eq!(capacity.blocks(Some(131_072.0 * 512.0)), Ok(24));
        assert!(
            capacity
                .blocks(None)
                .unwrap_err()
                .contains("--bytes-per-token")
        );
        assert!(capacity.blocks(Some(1e18)).is_err());
        assert!(Capacity::Blocks(0).blocks(None).is_err());
        for bad in ["", "GiB", "-1", "1e3", "3GB", "0KiB"] {
            assert!(bad.parse::<Capacity>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_ladder_ends_where_it_is_told() {
        assert_eq!(ladder(60, 3), [1, 2, 5, 10, 20, 50, 60]);
        assert_eq!(ladder(50, 3), [1, 2, 5, 10, 20, 50]);
        assert_eq!(ladder(0, 3), [1]);
        assert_eq!(ladder(120, 2), [1, 3, 10, 30, 100, 120]);
        assert_eq!(
            ladder(100, 10),
            [
                1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 79, 100
            ]
        );
    }
}
