//! NVIDIA's GPUs, as their management library has them.
//!
//! The library is looked for when the run begins; a machine without it, or
//! without a GPU, is said once.

use nvml_wrapper::Nvml;
use std::sync::{Mutex, PoisonError};
use trace_core::time::Micros;

/// A megabyte, as outcomes count.
const MEGABYTE: f64 = 1e6;

/// The GPUs of this machine, and the memory they were seen to use.
#[derive(Debug)]
pub(crate) struct Gpus {
    nvml: Nvml,
    count: u32,
    /// The most memory in use on any of them, by time.
    memory: Mutex<Vec<(Micros, f64)>>,
}

/// A metric, the GPU's number, the value and its unit.
pub(crate) type Look = (&'static str, u32, f64, &'static str);

impl Gpus {
    /// The GPUs of this machine.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) fn find() -> Result<Self, String> {
        let nvml = Nvml::init().map_err(|error| error.to_string())?;
        let count = nvml.device_count().map_err(|error| error.to_string())?;
        if count == 0 {
            return Err("there is no GPU".to_owned());
        }
        Ok(Self {
            nvml,
            count,
            memory: Mutex::default(),
        })
    }

    /// What they do at `now`. What a GPU does not tell is left out.
    pub(crate) fn look(&self, now: Micros) -> Vec<Look> {
        let mut looks = Vec::new();
        let mut most: Option<f64> = None;
        for gpu in 0..self.count {
            let Ok(device) = self.nvml.device_by_index(gpu) else {
                continue;
            };
            if let Ok(memory) = device.memory_info() {
                let used = memory.used as f64 / MEGABYTE;
                most = Some(most.map_or(used, |most| most.max(used)));
                looks.push(("memory_used", gpu, used, "MB"));
            }
            if let Ok(rates) = device.utilization_rates() {
                looks.push(("utilization", gpu, f64::from(rates.gpu), "%"));
            }
            if let Ok(milliwatts) = device.power_usage() {
                looks.push(("power", gpu, f64::from(milliwatts) / 1e3, "W"));
            }
        }
        if let Some(most) = most {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.push((now, most));
        }
        looks
    }

    /// The most memory in use between `from` and `to`, the look before `from`
    /// counted: what was in use then still was. `None` before the first look.
    pub(crate) fn peak(&self, from: Micros, to: Micros) -> Option<f64> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        peak(&memory, from, to)
    }
}

fn peak(memory: &[(Micros, f64)], from: Micros, to: Micros) -> Option<f64> {
    let first = memory
        .partition_point(|&(at, _)| at < from)
        .saturating_sub(1);
    let during = memory[first..].iter().take_while(|&&(at, _)| at <= to);
    during.map(|&(_, used)| used).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_begins_with_the_look_before() {
        let at = |ms: u64| Micros::from_micros(ms * 1_000);
        let memory = [(at(0), 5.0), (at(100), 9.0), (at(200), 7.0)];
        assert_eq!(peak(&memory, at(110), at(150)), Some(9.0));
        assert_eq!(peak(&memory, at(10), at(50)), Some(5.0));
        assert_eq!(peak(&memory, at(10), at(250)), Some(9.0));
        assert_eq!(peak(&[], at(0), at(1)), None);
    }
}
