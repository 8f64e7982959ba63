//! One summand of a `CURVE`: a number, or a name and its parameters.

use trace_core::parse_duration;

use crate::args::{Range, parse_period, parse_rate};
use crate::intensity::Wave;

/// What a rate over time is made of, in requests per second.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Term {
    /// The same always.
    Always(f64),
    /// Seconds and rate, with straight lines between.
    Lines(Vec<(f64, f64)>),
    /// Seconds and rate, which stays.
    Steps(Vec<(f64, f64)>),
    OnOff {
        rate: f64,
        on: f64,
        off: f64,
    },
    Wave(Wave),
    /// Rate, and mean seconds in it.
    Modulated(Vec<(f64, f64)>),
}

impl Term {
    /// Whether it never adds anything.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::Always(rate) | Self::OnOff { rate, .. } => *rate == 0.0,
            Self::Lines(points) | Self::Steps(points) => points.iter().all(|point| point.1 == 0.0),
            Self::Modulated(states) => states.iter().all(|state| state.0 == 0.0),
            Self::Wave(wave) => wave.centre == 0.0,
        }
    }

    /// The term that `text` spells.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((name, parameters)) = text.split_once(':') else {
            return parse_rate(text).map(Self::Always);
        };
        let call = Call::of(text, name, parameters);
        match name {
            "ramp" => call.ramp(),
            "step" => call.step(),
            "spike" => call.spike(),
            "onoff" => call.on_off(),
            "sine" => call.sine(),
            "diurnal" => call.diurnal(),
            "mmpp" => call.modulated(),
            _ => Err(format!(
                "unknown curve {name:?}; there are a number, ramp, step, spike, onoff, sine, \
                 diurnal and mmpp"
            )),
        }
    }
}

/// A curve as it was typed.
struct Call<'a> {
    text: &'a str,
    name: &'a str,
    /// What stands between commas.
    fields: Vec<&'a str>,
    /// Of that, NAME=TIME.
    options: Vec<(&'a str, &'a str)>,
}

impl<'a> Call<'a> {
    fn of(text: &'a str, name: &'a str, parameters: &'a str) -> Self {
        let (named, fields): (Vec<_>, Vec<_>) = parameters
            .split(',')
            .map(str::trim)
            .partition(|field| field.contains('='));
        let options = named.iter().filter_map(|field| field.split_once('='));
        Self {
            text,
            name,
            fields,
            options: options.collect(),
        }
    }

    fn ramp(&self) -> Result<Term, String> {
        const FORM: &str = "A..B,T";
        let [range, length] = self.exactly(FORM)?;
        let [from] = self.times(["from"])?;
        let (first, last) = range.split_once("..").ok_or_else(|| self.expected(FORM))?;
        let (start, length) = (from.unwrap_or(0.0), time(length)?);
        Ok(Term::Lines(vec![
            (start, parse_rate(first)?),
            (start + length, parse_rate(last)?),
        ]))
    }

    fn step(&self) -> Result<Term, String> {
        self.times([])?;
        let mut steps = Vec::with_capacity(self.fields.len());
        for step in &self.fields {
            let Some(&(before, _)) = steps.last() else {
                steps.push((0.0, parse_rate(step)?));
                continue;
            };
            let (rate, at) = rate_at(step)?;
            if at <= before {
                return Err(format!("{step}: steps come one after the other in time"));
            }
            steps.push((at, rate));
        }
        Ok(Term::Steps(steps))
    }

    fn spike(&self) -> Result<Term, String> {
        let [spike, width] = self.exactly("PEAK@T,WIDTH")?;
        self.times([])?;
        let (peak, start) = rate_at(spike)?;
        let width = period(width)?;
        Ok(Term::Lines(vec![
            (start, 0.0),
            (start + width / 2.0, peak),
            (start + width, 0.0),
        ]))
    }

    fn on_off(&self) -> Result<Term, String> {
        let [rate, on, off] = self.exactly("RATE,T,T")?;
        self.times([])?;
        Ok(Term::OnOff {
            rate: parse_rate(rate)?,
            on: period(on)?,
            off: period(off)?,
        })
    }

    fn sine(&self) -> Result<Term, String> {
        let [range, length] = self.exactly("LOW..HIGH,PERIOD")?;
        let [lowest] = self.times(["lowest"])?;
        wave(range, period(length)?, lowest.unwrap_or(0.0))
    }

    fn diurnal(&self) -> Result<Term, String> {
        let [range] = self.exactly("LOW..HIGH")?;
        let [peak, day] = self.times(["peak", "day"])?;
        let day = day.unwrap_or(86_400.0);
        if day == 0.0 {
            return Err("a day is longer than 0".to_owned());
        }
        let peak = peak.unwrap_or(day * 14.0 / 24.0);
        wave(range, day, peak - day / 2.0)
    }

    fn modulated(&self) -> Result<Term, String> {
        self.times([])?;
        let state = |state: &&str| match rate_at(state)? {
            (_, 0.0) => Err(format!("{state}: a state lasts longer than 0")),
            state => Ok(state),
        };
        let states = self.fields.iter().map(state);
        let states = states.collect::<Result<Vec<_>, _>>()?;
        if states.len() < 2 {
            return Err(self.expected("A@T,B@T with two states or more"));
        }
        Ok(Term::Modulated(states))
    }

    /// The fields, if there are as many as `form` has.
    fn exactly<const N: usize>(&self, form: &str) -> Result<[&'a str; N], String> {
        let fields = self.fields.as_slice().try_into();
        fields.map_err(|_| self.expected(form))
    }

    /// The times of these names, none of which is there twice, and no others.
    fn times<const N: usize>(&self, names: [&str; N]) -> Result<[Option<f64>; N], String> {
        let mut times = [None; N];
        for (name, value) in &self.options {
            let at = names.iter().position(|known| known == name);
            let at = at.ok_or_else(|| format!("{name}= is not known here"))?;
            if times[at].replace(time(value)?).is_some() {
                return Err(format!("{name}= is there twice"));
            }
        }
        Ok(times)
    }

    fn expected(&self, form: &str) -> String {
        format!("expected {}:{form}, not {:?}", self.name, self.text)
    }
}

fn time(text: &str) -> Result<f64, String> {
    Ok(parse_duration(text)?.as_secs())
}

fn period(text: &str) -> Result<f64, String> {
    Ok(parse_period(text)?.as_secs())
}

/// `RATE@T`.
fn rate_at(text: &str) -> Result<(f64, f64), String> {
    let (rate, at) = text
        .split_once('@')
        .ok_or_else(|| format!("expected RATE@TIME, not {text:?}"))?;
    Ok((parse_rate(rate)?, time(at)?))
}

fn wave(range: &str, period: f64, lowest: f64) -> Result<Term, String> {
    let Range { low, high } = range.parse()?;
    Ok(Term::Wave(Wave {
        centre: (low + high) / 2.0,
        swing: (high - low) / 2.0,
        period,
        lowest,
    }))
}
