//! Numbers in the figures of small inputs.

use trace_core::Reader;

use super::*;
use crate::{
    figure::{Figure, Shape, Sheet},
    slo::SloArgs,
};

/// The first figure of the kind `name` over `lines`.
fn figure(name: &str, settings: &Settings, lines: &str) -> Figure {
    sheet(name, settings, lines).panels.remove(0)
}

/// The sheet of the kind `name` over `lines`.
fn sheet(name: &str, settings: &Settings, lines: &str) -> Sheet {
    drawn(name, settings, lines).unwrap()
}

/// The same, or why there is none.
fn drawn(name: &str, settings: &Settings, lines: &str) -> Result<Sheet, Nothing> {
    let kind = Kind::named(name).unwrap();
    let mut input = Reader::new("t", lines.as_bytes());
    let mut drawn = crate::sheets(&[kind], settings, &mut input).unwrap();
    drawn.sheets.remove(0).1
}

/// 300 outcomes of three models, every tenth failed, sent `late` ms late.
fn run(late: u64) -> String {
    let line = |i: u64| {
        let (at, model) = (i * 97, i % 7 % 3);
        let end = if i % 10 == 3 {
            r#""error":{"kind":"timeout","message":""}"#.to_owned()
        } else {
            format!(r#""ttft_ms":{},"latency_ms":{}"#, 40 + i % 31, 200 + i % 53)
        };
        let sent = at + late;
        format!(
            "{{\"input_length\":1,\"model\":\"m{model}\",\"scheduled_ms\":{at},\"sent_ms\":{sent},{end}}}\n"
        )
    };
    (0..300).map(line).collect()
}

fn lines(figure: &Figure, which: bool) -> Vec<&[(f64, f64)]> {
    let shapes = figure.layers.iter().filter_map(|layer| match &layer.shape {
        Shape::Line { points, dashed } if *dashed == which => Some(points.as_slice()),
        _ => None,
    });
    shapes.collect()
}

#[test]
fn the_area_under_the_rate_is_the_number_of_requests() {
    for late in [0, 700, 20_000] {
        let figure = figure("rate", &Settings::default(), &run(late));
        let area = |points: &[(f64, f64)]| {
            let steps = points
                .chunks(2)
                .map(|step| (step[1].0 - step[0].0) / 1e6 * step[0].1);
            steps.sum::<f64>()
        };
        let scheduled: f64 = lines(&figure, false).into_iter().map(area).sum();
        assert!((scheduled - 300.0).abs() < 1e-6, "{scheduled}");
        let sent: f64 = lines(&figure, true).into_iter().map(area).sum();
        assert!(late < 20_000 || (sent - 300.0).abs() < 1e-6, "{sent}");
    }
}

#[test]
fn a_run_that_left_late_shows_when_it_left() {
    let dashed = |late| lines(&figure("rate", &Settings::default(), &run(late)), true).len();
    assert_eq!(dashed(1), 0);
    assert_eq!(dashed(20_000), 3);
}

#[test]
fn curves_end_at_the_share_of_success() {
    let figure = figure("latency-cdf", &Settings::default(), &run(0));
    let all = lines(&figure, false);
    let (_, end) = all[3][all[3].len() - 1];
    assert_eq!((all.len(), end), (4, 0.9));
    assert!(figure.notes[0].contains("30 of 300 requests failed (timeout 30)"));
    assert!(
        figure.notes[0].ends_with("the curve of all ends at 90 %"),
        "{:?}",
        figure.notes
    );
}

#[test]
fn latency_counts_from_the_schedule() {
    let late = figure("latency-cdf", &Settings::default(), &run(1_000));
    let (user, service) = (lines(&late, false)[0], lines(&late, true)[0]);
    assert!(
        (user[0].0 - service[0].0 - 1e6).abs() < 200.0,
        "{:?} {:?}",
        user[0],
        service[0]
    );
}

#[test]
fn bars_add_up_to_the_requests_with_a_first_token() {
    for x_axis in [Spacing::Linear, Spacing::Log] {
        let settings = Settings {
            x_axis,
            ..Settings::default()
        };
        let figure = figure("ttft-histogram", &settings, &run(0));
        let bars = figure.layers.iter().flat_map(|layer| match &layer.shape {
            Shape::Bars(bars) => bars.as_slice(),
            _ => &[],
        });
        assert_eq!(bars.map(|bar| bar.y.1 - bar.y.0).sum::<f64>(), 270.0);
        assert_eq!(figure.legend.len(), 3);
    }
}

#[test]
fn a_trace_that_begins_late_is_drawn_from_its_beginning() {
    let lines: String = (0..50)
        .map(|i| {
            format!(
                "{{\"input_length\":1,\"timestamp\":{}}}\n",
                9_000_000 + i * 100
            )
        })
        .collect();
    let figure = figure("rate", &Settings::default(), &lines);
    assert_eq!((figure.x.from, figure.x.to), (0.0, 4.901e6));
    assert_eq!(
        figure.notes,
        ["time counts from 9,000,000 ms after the zero of the trace"]
    );
}

/// The area below a line of steps, in the unit of its height times seconds.
fn area(points: &[(f64, f64)]) -> f64 {
    let steps = points.chunks(2);
    steps
        .map(|step| (step[1].0 - step[0].0) / 1e6 * step[0].1)
        .sum()
}

/// The points that stand out, layer by layer.
fn knots(figure: &Figure) -> Vec<&[(f64, f64)]> {
    let shapes = figure.layers.iter().filter_map(|layer| match &layer.shape {
        Shape::Knots(points) => Some(points.as_slice()),
        _ => None,
    });
    shapes.collect()
}

/// An outcome sent at `at` ms, that took `latency` ms with these further fields.
fn outcome(at: u64, latency: u64, fields: &str) -> String {
    format!(
        "{{\"input_length\":100,\"scheduled_ms\":{at},\"due_ms\":{at},\"sent_ms\":{at},\"latency_ms\":{latency}{fields}}}\n"
    )
}

#[test]
fn the_area_of_tokens_a_second_is_their_number() {
    let lines: String = (0..90)
        .map(|i| outcome(i * 130, 500 + i, ",\"ttft_ms\":80,\"output_tokens\":40"))
        .collect();
    let figure = figure("tokens-per-sec", &Settings::default(), &lines);
    let tokens = area(lines_of(&figure));
    assert!((tokens - 3_600.0).abs() < 1e-3, "{tokens}");
    assert!(
        figure.facts.starts_with("3,600 tokens in 90 answers"),
        "{}",
        figure.facts
    );
}

#[test]
fn the_area_of_requests_in_flight_is_the_time_they_took() {
    let lines: String = (0..50).map(|i| outcome(i * 100, 250, "")).collect();
    let figure = figure("in-flight", &Settings::default(), &lines);
    assert!((area(lines_of(&figure)) - 12.5).abs() < 1e-6);
}

fn lines_of(figure: &Figure) -> &[(f64, f64)] {
    lines(figure, false)[0]
}

#[test]
fn the_first_second_of_a_workload_is_its_first_bin() {
    let settings = Settings {
        bin: Some(Micros::from_micros(1_000_000)),
        ..Settings::default()
    };
    let mut input = String::new();
    for second in 0..5_u64 {
        for request in 0..=second {
            input += &format!(
                "{{\"timestamp\":{},\"input_length\":{},\"output_length\":7,\"session_id\":{request}}}\n",
                second * 1_000 + request * 200,
                10 * (second + 1),
            );
        }
    }
    let sheet = sheet("workload", &settings, &input);
    let titles: Vec<&str> = sheet
        .panels
        .iter()
        .map(|panel| panel.title.as_str())
        .collect();
    assert_eq!(
        titles,
        [
            "Request rate",
            "Prompt length, mean",
            "Answer length, mean",
            "Turns of sessions"
        ]
    );
    let heights = |panel: usize| -> Vec<f64> {
        lines_of(&sheet.panels[panel])
            .chunks(2)
            .map(|step| step[0].1)
            .collect()
    };
    assert_eq!(heights(0), [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(heights(1), [10.0, 20.0, 30.0, 40.0, 50.0]);
    assert_eq!(heights(2), [7.0; 5]);
    let Shape::Dots(dots) = &sheet.panels[3].layers[0].shape else {
        panic!("{:?}", sheet.panels[3].layers)
    };
    assert_eq!(dots.iter().map(|dot| dot.count).sum::<u64>(), 15);
    // the first session has a turn in every second
    assert_eq!(dots.iter().filter(|dot| dot.at.1 < 1.5).count(), 5);
}

#[test]
fn the_frontier_is_of_throughput_over_latency() {
    let lines = [(100, 5), (200, 30), (400, 50), (400, 80), (50, 1)]
        .map(|(latency, tokens)| outcome(0, latency, &format!(",\"output_tokens\":{tokens}")))
        .concat();
    let figure = figure("throughput-latency", &Settings::default(), &lines);
    assert_eq!(
        knots(&figure),
        [[(50e3, 20.0), (100e3, 50.0), (200e3, 150.0), (400e3, 200.0)].as_slice()]
    );
    let star = figure.layers.iter().find_map(|layer| match layer.shape {
        Shape::Star(at) => Some(at),
        _ => None,
    });
    assert_eq!(star, Some((50e3, 200.0)));
}

#[test]
fn every_length_is_in_a_bar() {
    let lines: String = (0..200)
        .map(|i| {
            format!(
                "{{\"input_length\":{},\"output_length\":{}}}\n",
                1 + i * i,
                i % 9
            )
        })
        .collect();
    for panel in sheet("lengths", &Settings::default(), &lines).panels {
        let bars = panel.layers.iter().flat_map(|layer| match &layer.shape {
            Shape::Bars(bars) => bars.as_slice(),
            _ => &[],
        });
        let bars: Vec<_> = bars.collect();
        assert!(bars.iter().all(|bar| bar.x.0.fract() == 0.0), "{bars:?}");
        assert_eq!(bars.iter().map(|bar| bar.y.1 - bar.y.0).sum::<f64>(), 200.0);
    }
}

/// Ten requests one after the other at each of two concurrencies, those at
/// the second twice as slow, and one of them failed.
fn two_levels() -> String {
    let level = |concurrency: u64, ttft: u64| {
        (0..10_u64).map(move |i| {
            let at = concurrency * 100_000 + i * 1_000;
            let end = if concurrency == 4 && i == 3 {
                ",\"error\":{\"kind\":\"http\",\"message\":\"\"}".to_owned()
            } else {
                format!(
                    ",\"ttft_ms\":{ttft},\"tpot_ms\":{},\"output_tokens\":30",
                    ttft / 10
                )
            };
            outcome(at, 1_000, &format!(",\"concurrency\":{concurrency}{end}"))
        })
    };
    level(1, 100).chain(level(4, 200)).collect()
}

#[test]
fn a_sweep_is_measured_at_its_levels() {
    let settings = Settings {
        slo: SloArgs {
            slo: vec!["ttft_ms=150".parse().unwrap()],
            ..SloArgs::default()
        }
        .slo()
        .unwrap(),
        gpus: 2.0,
        ..Settings::default()
    };
    // latencies are kept to one part in 8192
    let near = |value: f64| (value * 1e3).round() / 1e3;
    let points = |kind: &str, which: usize| -> Vec<(f64, f64)> {
        let figure = figure(kind, &settings, &two_levels());
        let scale = match figure.y.quantity {
            Quantity::Duration => 1e5,
            _ => 1.0,
        };
        let points = knots(&figure)[which].iter();
        points.map(|&(x, y)| (near(x), near(y / scale))).collect()
    };
    assert_eq!(points("sweep-ttft-mean", 0), [(1.0, 1.0), (4.0, 2.0)]);
    assert_eq!(points("sweep-itl-p50", 0), [(1.0, 0.1), (4.0, 0.2)]);
    assert_eq!(points("sweep-throughput", 0), [(1.0, 1.0), (4.0, 0.9)]);
    assert_eq!(points("sweep-goodput", 0), [(1.0, 1.0), (4.0, 0.0)]);
    // 300 and 270 tokens in ten seconds, for one user and for four, by two GPUs
    assert_eq!(points("sweep-efficiency", 0), [(30.0, 15.0), (6.75, 13.5)]);
    // a p99 that touches the failure is no point
    assert_eq!(points("sweep-latency", 1).len(), 1);
}

#[test]
fn one_level_is_no_sweep_but_a_point_by_name() {
    let settings = Settings::default();
    let lines = two_levels();
    let (one, _) = lines.split_at(lines.match_indices('\n').nth(9).unwrap().0 + 1);
    let refused = drawn("sweep", &settings, one).unwrap_err().to_string();
    assert!(
        refused.starts_with("all requests are of one level"),
        "{refused}"
    );
    assert_eq!(knots(&figure("sweep-efficiency", &settings, one)).len(), 1);
}

#[test]
fn files_at_several_rates_are_levels() {
    let at = |gap: u64, name: &str| -> String {
        (0..11)
            .map(|i| {
                outcome(
                    i * gap,
                    10,
                    &format!(",\"ttft_ms\":5,\"source\":\"{name}\""),
                )
            })
            .collect()
    };
    let lines = at(100, "ten") + &at(50, "twenty");
    for by in ["model", "source"] {
        let settings = Settings {
            by: by.to_owned(),
            ..Settings::default()
        };
        let figure = figure("sweep-ttft-mean", &settings, &lines);
        assert_eq!(
            knots(&figure),
            [[(10.0, 5e3), (20.0, 5e3)].as_slice()],
            "{by}"
        );
    }
}

#[test]
fn rounds_are_compared_by_their_medians() {
    let round = |round: u64, ttft: u64| {
        (0..9).map(move |i| {
            outcome(
                i * 10,
                500,
                &format!(",\"round\":{round},\"ttft_ms\":{}", ttft + i),
            )
        })
    };
    let lines: String = round(1, 96).chain(round(2, 46)).collect();
    let sheet = sheet("rounds", &Settings::default(), &lines);
    assert_eq!(
        sheet.panels[0].facts,
        "p50: round 1 100 ms · round 2 50 ms (−50 %)"
    );
    assert_eq!(sheet.panels.len(), 2);
}

#[test]
fn a_timeline_shows_what_each_request_waited_for() {
    let lines =
        "{\"input_length\":1,\"scheduled_ms\":0,\"sent_ms\":10,\"ttft_ms\":20,\"latency_ms\":50}\n";
    let figure = figure("timeline", &Settings::default(), lines);
    let bars: Vec<(f64, f64)> = figure
        .layers
        .iter()
        .flat_map(|layer| match &layer.shape {
            Shape::Bars(bars) => bars.iter().map(|bar| bar.x).collect(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(bars, [(0.0, 10e3), (10e3, 30e3), (30e3, 60e3)]);
}
