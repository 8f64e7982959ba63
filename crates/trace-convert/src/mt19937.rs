//! The Mersenne Twister as CPython seeds it, to repeat what its `random`
//! drew.

const N: usize = 624;
const M: usize = 397;

/// MT19937, twisted only as far as it is drawn from: a seed that is asked for
/// five numbers pays for five.
pub(crate) struct Mt19937 {
    /// The state `init_by_array` begins with, the same for every seed.
    base: [u32; N],
    state: [u32; N],
    at: usize,
}

impl Mt19937 {
    /// A generator that is still to be seeded.
    pub(crate) fn new() -> Self {
        let mut base = [0_u32; N];
        base[0] = 19_650_218;
        for i in 1..N {
            let before = base[i - 1];
            base[i] = 1_812_433_253_u32
                .wrapping_mul(before ^ (before >> 30))
                .wrapping_add(i as u32);
        }
        Self {
            base,
            state: base,
            at: N,
        }
    }

    /// `random.seed(seed)`: `init_by_array` with the seed's 32-bit digits.
    pub(crate) fn seed(&mut self, seed: u64) {
        let key = [seed as u32, (seed >> 32) as u32];
        let digits = if key[1] == 0 { 1 } else { 2 };
        self.state = self.base;
        let state = &mut self.state;
        let (mut i, mut j) = (1, 0);
        let mut before = state[0];
        for _ in 0..N {
            let mixed = (before ^ (before >> 30)).wrapping_mul(1_664_525);
            before = (state[i] ^ mixed)
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            state[i] = before;
            i += 1;
            if i == N {
                state[0] = before;
                i = 1;
            }
            j = if j + 1 == digits { 0 } else { j + 1 };
        }
        for _ in 1..N {
            let mixed = (before ^ (before >> 30)).wrapping_mul(1_566_083_941);
            before = (state[i] ^ mixed).wrapping_sub(i as u32);
            state[i] = before;
            i += 1;
            if i == N {
                state[0] = before;
                i = 1;
            }
        }
        state[0] = 0x8000_0000;
        self.at = 0;
    }

    /// The next 32 bits.
    fn next(&mut self) -> u32 {
        if self.at == N {
            self.at = 0;
        }
        let at = self.at;
        // Twisting in place, one element when it is needed, gives what
        // twisting all of them at once gives: each reads only elements not yet
        // twisted this round, or, behind them, already twisted.
        let (one, far) = ((at + 1) % N, (at + M) % N);
        let joined = (self.state[at] & 0x8000_0000) | (self.state[one] & 0x7fff_ffff);
        let odd = 0_u32.wrapping_sub(joined & 1) & 0x9908_b0df;
        let mut drawn = self.state[far] ^ (joined >> 1) ^ odd;
        self.state[at] = drawn;
        self.at += 1;
        drawn ^= drawn >> 11;
        drawn ^= (drawn << 7) & 0x9d2c_5680;
        drawn ^= (drawn << 15) & 0xefc6_0000;
        drawn ^ (drawn >> 18)
    }

    /// `random.randint(0, last)`, for `last` below 2^32 − 1: `getrandbits`
    /// until the number fits.
    pub(crate) fn up_to(&mut self, last: u32) -> u32 {
        let end = u64::from(last) + 1;
        let bits = 64 - end.leading_zeros();
        loop {
            // More than 32 bits are asked for only by ends above 2^31.
            let drawn = self.next() >> 32_u32.saturating_sub(bits);
            if u64::from(drawn) < end {
                return drawn;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_draws_what_cpython_draws() {
        let mut random = Mt19937::new();
        for (seed, expected) in [
            (0, [6_311, 6_890, 663, 4_242]),
            (1, [2_201, 9_325, 1_033, 4_179]),
            (2, [926, 1_500, 1_390, 5_915]),
        ] {
            random.seed(seed);
            assert_eq!(
                [(); 4].map(|()| random.up_to(10_000)),
                expected,
                "seed {seed}"
            );
        }
    }

    #[test]
    fn long_draws_and_long_seeds_agree_too() {
        // random.seed(s); [random.randint(0, 10000) for _ in range(2000)][-1]
        let mut random = Mt19937::new();
        let mut last = |seed, number| {
            random.seed(seed);
            (0..number).map(|_| random.up_to(10_000)).last()
        };
        assert_eq!(last(5, 2_000), Some(6279));
        assert_eq!(last(1 << 33 | 7, 700), Some(4951));
    }
}
