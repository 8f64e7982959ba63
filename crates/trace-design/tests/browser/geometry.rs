//! The modules that compute, asked in the browser itself.

use crate::designer::Page;
use serde_json::{Value, json};

/// What `body` returns, where `m` is the module `name`.
fn asked(page: &Page, name: &str, body: &str) -> Value {
    let script = format!("return import('/assets/{name}.js').then((m) => {{ {body} }})");
    page.browser.run(&script, &json!([]))
}

#[test]
fn a_rate_is_what_trace_synth_says() {
    let Some(page) = Page::open(&[]) else { return };
    // Points out of an arithmetic of residues: uneven, with a jump.
    let points: Vec<(f64, f64)> = (0..40_u32)
        .map(|i| (f64::from(i / 2 * 500), f64::from(i * 7919 % 100)))
        .collect();
    let file = |interpolation: &str| {
        let points: Vec<Value> = points
            .iter()
            .map(|(t, rate)| json!({"t_ms": t, "rate": rate}))
            .collect();
        json!({"version": 1, "duration_ms": 20_000, "models": [{"name": "m", "interpolation": interpolation, "points": points}]})
    };
    let times: Vec<f64> = (0..=400).map(|i| f64::from(i) * 50.0).collect();
    for interpolation in ["linear", "step"] {
        let curve = file(interpolation);
        let script = "const [{models: [model]}, times] = arguments;
            return import('/assets/curve.js').then((m) => times.map((t) => m.rateAt(model.points, model.interpolation, t)))";
        let rates: Vec<f64> =
            serde_json::from_value(page.browser.run(script, &json!([curve, times]))).unwrap();
        let ours = trace_synth::curve_file::Curve::parse("c", &curve.to_string()).unwrap();
        for (t, rate) in times.iter().zip(rates) {
            let expected = ours.models[0].rate(*t);
            assert!(
                (rate - expected).abs() < 1e-9,
                "{interpolation} at {t}: {rate}, not {expected}"
            );
        }
    }
}

#[test]
fn a_replaced_span_leaves_the_rest_as_it_was() {
    let Some(page) = Page::open(&[]) else { return };
    let body = "
        const points = [0, 10, 20, 40, 50].map((t, i) => ({t_ms: t, rate: [5, 9, 1, 7, 3][i]}));
        const wrong = [];
        for (const interpolation of ['linear', 'step']) {
            for (let from = 0; from < 50; from += 3) {
                for (let to = from + 1; to <= 50; to += 4) {
                    const stroke = [{t_ms: from, rate: 100}, {t_ms: to, rate: 100}];
                    const drawn = m.replaceSpan(points, interpolation, stroke);
                    for (let t = 0.5; t < 50; t += 1) {
                        const expected = t >= from && t < to ? 100 : m.rateAt(points, interpolation, t);
                        const rate = m.rateAt(drawn, interpolation, t);
                        const implied = interpolation === 'step' && t < from && from === 0;
                        if (!implied && Math.abs(rate - expected) > 1e-9) wrong.push([interpolation, from, to, t, rate, expected]);
                    }
                }
            }
        }
        return wrong.slice(0, 5);";
    assert_eq!(asked(&page, "curve", body), json!([]));
}

#[test]
fn a_simplified_stroke_stays_within_its_tolerance() {
    let Some(page) = Page::open(&[]) else { return };
    let body = "
        const line = Array.from({length: 900}, (_, x) => ({x, y: 200 + 90 * Math.sin(x / 70) + 25 * Math.sin(x / 11)}));
        const at = (points, x) => { const i = Math.max(1, points.findIndex((point) => point.x >= x)); const [a, b] = [points[i - 1], points[i]]; return a.y + (b.y - a.y) * (x - a.x) / (b.x - a.x); };
        const few = m.simplified(line, 2);
        const off = Math.max(...line.map(({x, y}) => Math.abs(at(few, x) - y)));
        const steps = m.stepped(line, 8);
        const level = (x) => steps.findLast((step) => step.x <= x).y;
        const stepOff = Math.max(...line.map(({x, y}) => Math.abs(level(x) - y)));
        return {few: few.length, off, steps: steps.length, stepOff};";
    let found = asked(&page, "stroke", body);
    assert!(found["few"].as_f64().unwrap() < 140.0, "{found}");
    assert!(found["off"].as_f64().unwrap() <= 2.0, "{found}");
    assert!(found["stepOff"].as_f64().unwrap() <= 8.0, "{found}");
}

#[test]
fn times_and_rates_are_read_as_people_write_them() {
    let Some(page) = Page::open(&[]) else { return };
    let times = "return ['90', '90s', '1.5m', '1h30m', '250ms', '1:30', '1:02:03', '2,5', '1,000', '2 d', '', 'x', '-1', '1:99', '1e400'].map(m.parseTime)";
    assert_eq!(
        asked(&page, "number", times),
        json!([
            90_000,
            90_000,
            90_000,
            5_400_000,
            250,
            90_000,
            3_723_000,
            null,
            null,
            172_800_000,
            null,
            null,
            null,
            null,
            null
        ])
    );
    let rates =
        "return ['20', '20/s', '300/min', '1800 / h', '.5', '-2', 'NaN', '1e999'].map(m.parseRate)";
    assert_eq!(
        asked(&page, "number", rates),
        json!([20, 20, 5, 0.5, 0.5, null, null, null])
    );
    let back = "return [1, 999.5, 1500, 60_000, 90_000, 7_200_000, 86_400_000, 123_456].every((ms) => m.parseTime(m.durationText(ms)) === ms)";
    assert_eq!(asked(&page, "number", back), json!(true));
}

#[test]
fn history_goes_back_and_on_again() {
    let Some(page) = Page::open(&[]) else { return };
    let body = "
        const history = new m.History(0);
        for (let state = 1; state <= 5; state += 1) history.push(state, `step ${state}`);
        history.push(6, 'move', 'drag', 0);
        history.push(7, 'move', 'drag', 10);
        history.push(8, 'move', 'drag', 5000);
        const seen = [history.state];
        while (history.undo() !== null) seen.push(history.state);
        while (history.redo() !== null) seen.push(history.state);
        history.undo();
        history.push(99, 'other');
        seen.push(history.state, history.redo());
        return seen;";
    assert_eq!(
        asked(&page, "history", body),
        json!([8, 7, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 7, 8, 99, null])
    );
}
