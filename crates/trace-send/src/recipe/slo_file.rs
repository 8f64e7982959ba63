//! FluxPerf's file of limits.

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The limits in `text` as values of `--slo`, a maximum of the mean gap as one
/// of the time per token. Those that have no counterpart are `told`.
///
/// # Errors
/// A file without limits, and a limit that is none.
pub(super) fn slos(text: &str, told: &mut Vec<String>) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct File {
        constraints: Option<Map<String, Value>>,
        slo: Option<Map<String, Value>>,
    }
    let file: File = serde_saphyr::from_str(text)?;
    let limits = file.constraints.or(file.slo);
    let limits = limits.context("it has neither constraints nor slo")?;
    let mut slos = Vec::new();
    for (metric, limit) in limits {
        let ours = match metric.as_str() {
            "ttft_ms" | "latency_ms" => metric.as_str(),
            "itl_ms" => "tpot_ms",
            "output_token_throughput" => {
                told.push(format!(
                    "slo_file: {metric} is left out: no least throughput of a request can be asked for, but tpot_ms says the same"
                ));
                continue;
            }
            _ => {
                told.push(format!(
                    "slo_file: no limit on {metric} can be set; it is left out"
                ));
                continue;
            }
        };
        match limit.get("max").unwrap_or(&limit).as_f64() {
            Some(limit) => slos.push(format!("{ours}={limit}")),
            None => bail!("{metric}: expected a max"),
        }
    }
    Ok(slos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_taken_over_as_far_as_they_go() {
        let mut told = Vec::new();
        let text = "name: x\nconstraints:\n  ttft_ms: {max: 500}\n  itl_ms: {max: 50.5}\n  output_token_throughput: {min: 3}\n";
        assert_eq!(
            slos(text, &mut told).unwrap(),
            ["tpot_ms=50.5", "ttft_ms=500"]
        );
        assert!(told[0].contains("output_token_throughput"), "{told:?}");
        let flat = "slo:\n  ttft_ms: 1000\n  latency_ms: 10000 # as documented\n";
        assert_eq!(
            slos(flat, &mut told).unwrap(),
            ["latency_ms=10000", "ttft_ms=1000"]
        );
        for wrong in [
            "constraints: {ttft_ms: {min: 1}}",
            "name: x",
            "slo: {ttft_ms: fast}",
        ] {
            assert!(slos(wrong, &mut told).is_err(), "{wrong}");
        }
    }
}
