//! `PREFIXES`: how what prompts share is written on the command line.

use std::str::FromStr;

use anyhow::{Context, bail};
use trace_core::{Micros, Streams, parse_duration};

use crate::args::{parse_period, parse_share};
use crate::beginning::{Beginnings, Levels, Shares};
use crate::dist::{self, Dist};
use crate::empirical::Field;
use crate::length::{Length, MAX_TOKENS, Shape};
use crate::popularity::{HotCold, MAX_COUNT, Popularity};

/// The grammar, for `--help`.
pub const GRAMMAR: &str = "\
Shared prefixes (PREFIXES). Of P shared tokens the first floor(P / block size)
blocks have equal ids:
  pool:N,DIST               put one of N texts of DIST tokens before each prompt,
                            all equally popular
  pool:N,DIST,zipf=S        text i has probability proportional to 1 / i^S
  pool:N,DIST,hot=H,share=P H of the N texts are hot and get the share P of all
                            requests; both kinds evenly among themselves
  …,drift=TIME              and every TIME the one that was hot the longest
                            turns cold, and the next cold one hot
  shared:SHARE,SD           L tokens of which a normal share with mean SHARE and
                            standard deviation SD, cut at 0 and 1, is that of
                            the request's group (AIBrix's synthetic_prefix_sharing)
  shared:SHARE,SD,groups=N  among N groups, each as likely; 10 if not said
  toolbench, embodied, programming, video, loogle
                            AIBrix's presets of shared:…, with their prompt
                            lengths unless --input-length is given
pool:… may be given several times: each is a level below the one before it, with
N texts of its own below each of the texts above.";

/// One `--prefixes`, as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Sharing {
    /// A level of texts before prompts.
    Pool {
        /// Which text.
        popularity: Rank,
        /// Tokens of each.
        tokens: Dist,
    },
    /// A share of each prompt.
    Shares {
        /// Mean share, and its standard deviation.
        share: (f64, f64),
        /// Groups that share.
        groups: u64,
        /// Mean and standard deviation of prompt lengths, of a preset.
        lengths: Option<(f64, f64)>,
    },
}

/// A [`Popularity`] as it was typed, before its table is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Rank {
    /// All alike.
    Uniform(u64),
    /// By Zipf's law with this exponent.
    Zipf(u64, f64),
    /// Hot and cold.
    HotCold(HotCold),
}

/// A workload: name, mean and standard deviation of prompt lengths, of the
/// shared proportion.
type Preset = (&'static str, (f64, f64), (f64, f64));

/// AIBrix's workloads, after those that Preble measured.
const PRESETS: [Preset; 5] = [
    ("toolbench", (1835.0, 742.0), (0.85, 0.13)),
    ("embodied", (2285.0, 471.0), (0.97, 0.14)),
    ("programming", (3871.0, 1656.0), (0.97, 0.074)),
    ("video", (9865.0, 5976.0), (0.88, 0.32)),
    ("loogle", (23474.0, 6105.0), (0.91, 0.24)),
];

/// Groups of a preset, as AIBrix's examples have them.
const GROUPS: u64 = 10;

/// What `levels` of `--prefixes` describe together.
///
/// # Errors
/// Kinds that don't go together, and a file that cannot be read.
pub fn beginnings(levels: &[Sharing], streams: Streams) -> anyhow::Result<Beginnings> {
    if let [Sharing::Shares { share, groups, .. }] = levels {
        let shares = Shares::new(share.0, share.1, *groups, streams);
        return Ok(Beginnings::Shares(Box::new(shares)));
    }
    let mut pools = Vec::new();
    for level in levels {
        let Sharing::Pool { popularity, tokens } = level else {
            bail!("--prefixes shared:… and its presets stand alone; only pool:… has levels");
        };
        let tokens = tokens.open(Field::Input).context("--prefixes")?;
        pools.push((popularity.table(), tokens));
    }
    Ok(match pools.is_empty() {
        true => Beginnings::Own,
        false => Beginnings::Levels(Levels::new(pools, streams)),
    })
}

impl Sharing {
    /// How long the texts of a pool are.
    pub fn tokens(&self) -> Option<&Dist> {
        match self {
            Self::Pool { tokens, .. } => Some(tokens),
            Self::Shares { .. } => None,
        }
    }

    /// Prompt lengths that belong to a preset.
    pub fn lengths(&self) -> Option<Length> {
        let Self::Shares {
            lengths: Some((mean, sd)),
            ..
        } = *self
        else {
            return None;
        };
        Some(Length {
            shape: Shape::TruncatedNormal { mean, sd },
            min: 1,
            max: MAX_TOKENS,
        })
    }
}

impl Rank {
    fn table(&self) -> Popularity {
        match *self {
            Self::Uniform(count) => Popularity::Uniform { count },
            Self::Zipf(count, s) => Popularity::zipf(count, s),
            Self::HotCold(mixture) => Popularity::HotCold(mixture),
        }
    }
}

impl FromStr for Sharing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        match name {
            "pool" => pool(rest),
            "shared" => shared(rest),
            _ => preset(text),
        }
    }
}

/// Named settings among parameters with commas between; the others stay.
#[derive(Default)]
struct Settings<'a> {
    others: Vec<&'a str>,
    found: Vec<(&'a str, &'a str)>,
}

impl<'a> Settings<'a> {
    fn of(text: &'a str, names: &[&str]) -> Self {
        let mut settings = Self::default();
        for part in text.split(',') {
            match part.split_once('=') {
                Some((name, value)) if names.contains(&name.trim()) => {
                    settings.found.push((name.trim(), value));
                }
                _ => settings.others.push(part),
            }
        }
        settings
    }

    fn take<T>(
        &mut self,
        wanted: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let mut matching = self.found.extract_if(.., |(name, _)| *name == wanted);
        let Some((_, value)) = matching.next() else {
            return Ok(None);
        };
        if matching.next().is_some() {
            return Err(format!("{wanted}= is there twice"));
        }
        parse(value)
            .map(Some)
            .map_err(|reason| format!("{wanted}: {reason}"))
    }
}

fn pool(text: &str) -> Result<Sharing, String> {
    let mut settings = Settings::of(text, &["zipf", "hot", "share", "drift"]);
    let zipf = settings.take("zipf", exponent)?;
    let hot = settings.take("hot", whole)?;
    let share = settings.take("share", parse_share)?;
    let drift = settings.take("drift", period)?;
    let (count, tokens) = match &settings.others[..] {
        [count, tokens @ ..] if !tokens.is_empty() => (*count, tokens.join(",")),
        _ => return Err("expected pool:N,DIST".to_owned()),
    };
    let count = whole(count)?;
    let popularity = match (zipf, hot, share) {
        (None, None, None) if drift.is_none() => Rank::Uniform(count),
        (Some(s), None, None) if drift.is_none() => Rank::Zipf(count, s),
        (None, Some(hot), Some(_)) if hot >= count => {
            return Err(format!("hot={hot} of {count} leaves none that is cold"));
        }
        (None, Some(hot), Some(share)) => Rank::HotCold(HotCold {
            count,
            hot,
            share,
            period: drift,
        }),
        _ => {
            return Err(
                "zipf= goes alone; hot= and share= go together, drift= with both".to_owned(),
            );
        }
    };
    Ok(Sharing::Pool {
        popularity,
        tokens: dist::parse_input(&tokens)?,
    })
}

fn shared(text: &str) -> Result<Sharing, String> {
    let mut settings = Settings::of(text, &["groups"]);
    let groups = settings.take("groups", whole)?.unwrap_or(GROUPS);
    let [share, spread] = settings.others[..] else {
        return Err("expected shared:SHARE,SD".to_owned());
    };
    let share = parse_share(share)?;
    let spread = match spread.trim().parse::<f64>() {
        Ok(spread) if (0.0..=1e6).contains(&spread) => spread,
        _ => return Err(format!("SD must be a number of at least 0, not {spread:?}")),
    };
    Ok(Sharing::Shares {
        share: (share, spread),
        groups,
        lengths: None,
    })
}

fn preset(text: &str) -> Result<Sharing, String> {
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    let known = PRESETS
        .iter()
        .find(|(known, ..)| *known == name.to_lowercase());
    let Some(&(_, lengths, share)) = known else {
        return Err(format!(
            "unknown prefixes {name:?}; there are pool:N,DIST, shared:SHARE,SD, toolbench, \
             embodied, programming, video and loogle"
        ));
    };
    let mut settings = Settings::of(rest, &["groups"]);
    let groups = settings.take("groups", whole)?.unwrap_or(GROUPS);
    if settings.others.iter().any(|other| !other.is_empty()) {
        return Err(format!("expected {name} or {name},groups=N"));
    }
    Ok(Sharing::Shares {
        share,
        groups,
        lengths: Some(lengths),
    })
}

fn whole(text: &str) -> Result<u64, String> {
    match text.trim().parse() {
        Ok(count) if (1..=MAX_COUNT).contains(&count) => Ok(count),
        _ => Err(format!(
            "{text:?} is not a whole number from 1 to {MAX_COUNT}"
        )),
    }
}

fn exponent(text: &str) -> Result<f64, String> {
    match text.trim().parse() {
        Ok(s) if (0.0..=100.0).contains(&s) => Ok(s),
        _ => Err(format!("{text:?} is not an exponent from 0 to 100")),
    }
}

fn period(text: &str) -> Result<Micros, String> {
    parse_duration(text).and_then(|_| parse_period(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharing(text: &str) -> Sharing {
        text.parse().unwrap_or_else(|err| panic!("{text}: {err}"))
    }

    fn refusal(text: &str) -> String {
        match text.parse::<Sharing>() {
            Ok(sharing) => panic!("{text} became {sharing:?}"),
            Err(err) => err,
        }
    }

    #[test]
    fn settings_of_a_pool_and_bounds_of_its_lengths_come_in_any_order() {
        let Sharing::Pool { popularity, tokens } =
            sharing("pool:20,zipf=1.1,lognormal:900,300,max=4096")
        else {
            panic!("not a pool");
        };
        assert_eq!(popularity, Rank::Zipf(20, 1.1));
        assert_eq!(tokens, "lognormal:900,300,max=4096".parse().unwrap());
        let Sharing::Pool { popularity, .. } = sharing("pool:9,512,hot=2,share=0.8,drift=10m")
        else {
            panic!("not a pool");
        };
        let expected = HotCold {
            count: 9,
            hot: 2,
            share: 0.8,
            period: Some(Micros::from_micros(600_000_000)),
        };
        assert_eq!(popularity, Rank::HotCold(expected));
    }

    #[test]
    fn presets_are_shares_with_lengths() {
        let Sharing::Shares {
            share,
            groups,
            lengths,
        } = sharing("LooGLE,groups=3")
        else {
            panic!("not a share");
        };
        assert_eq!((share, groups), ((0.91, 0.24), 3));
        assert_eq!(lengths, Some((23474.0, 6105.0)));
        assert!(sharing("shared:0.5,0").lengths().is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(refusal("pool:5"), "expected pool:N,DIST");
        assert_eq!(
            refusal("pool:0,5"),
            "\"0\" is not a whole number from 1 to 1000000"
        );
        assert_eq!(
            refusal("pool:5,hot=5,share=1,9"),
            "hot=5 of 5 leaves none that is cold"
        );
        assert!(refusal("pool:5,9,drift=1s").starts_with("zipf= goes alone"));
        assert!(refusal("pool:5,9,hot=1,share=0.5,drift=0").contains("longer than 0"));
        assert_eq!(refusal("pool:5,9,zipf=1,zipf=2"), "zipf= is there twice");
        assert_eq!(refusal("shared:2,0"), "\"2\" is not a share from 0 to 1");
        assert_eq!(refusal("shared:0.5"), "expected shared:SHARE,SD");
        assert_eq!(refusal("video,fps=3"), "expected video or video,groups=N");
        assert!(refusal("books").contains("toolbench"));
        let both = ["toolbench", "pool:2,9"].map(sharing);
        let streams = Streams::new(0);
        let message = beginnings(&both, streams).unwrap_err().to_string();
        assert!(message.contains("stand alone"), "{message}");
    }
}
