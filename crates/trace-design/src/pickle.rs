//! The Traffic Designer's pickle, written.
//!
//! `{"models": […], "curves": {model: [{"x": …, "y": …}]}, "duration": …,
//! "max_rate": …}` in protocol 2, of plain data alone: what Python's
//! `pickle.load` and [`trace_synth::pickle`] read. x is a share of the
//! duration (seconds), y one of the highest rate (requests per second).

use crate::course;
use crate::window::Window;
use trace_synth::curve_file::{Curve, Interpolation, Model};

/// `curve` as a pickle, and what of it a pickle cannot hold, in words.
pub(crate) fn write(curve: &Curve) -> (Vec<u8>, Vec<String>) {
    let mut notes = Vec::new();
    let seconds = curve.duration_ms / 1000.0;
    let highest = curve.models.iter();
    let whole = Window::whole(curve.duration_ms);
    let highest = highest.map(|model| course::peak(std::slice::from_ref(model), whole));
    let highest = highest.fold(0.0, f64::max);
    let drawn = curve.models.iter().flat_map(|model| &model.points);
    let highest = drawn.map(|point| point.rate).fold(highest, f64::max);
    let wanted = curve
        .other
        .get("max_rate")
        .and_then(serde_json::Value::as_f64);
    let max_rate = match wanted.filter(|rate| *rate > 0.0 && *rate >= highest) {
        Some(rate) => rate,
        None if highest > 0.0 => highest,
        None => 1.0,
    };
    let mut out = Bytes(vec![0x80, 2]);
    out.dict(|out| {
        out.text("models");
        out.list(|out| curve.models.iter().for_each(|model| out.text(&model.name)));
        out.text("curves");
        out.dict(|out| {
            for model in &curve.models {
                out.text(&model.name);
                out.list(|out| {
                    for (x, y) in square(model, seconds, max_rate) {
                        out.dict(|out| {
                            out.text("x");
                            out.float(x);
                            out.text("y");
                            out.float(y);
                        });
                    }
                });
            }
        });
        out.text("duration");
        out.number(seconds);
        out.text("max_rate");
        out.number(max_rate);
    });
    out.0.push(b'.');
    for model in &curve.models {
        note(model, &mut notes);
    }
    if curve.other.contains_key("seed") {
        notes.push("left out the seed, which a pickle has no place for".to_owned());
    }
    (out.0, notes)
}

/// Say what is lost of `model`.
fn note(model: &Model, notes: &mut Vec<String>) {
    let name = &model.name;
    if model.interpolation == Interpolation::Step && model.points.len() > 1 {
        notes.push(format!("model {name:?}: steps became steep lines"));
    }
    let settings = ["arrival", "input_length", "output_length", "prefixes"];
    let lost = settings.into_iter().filter(|field| {
        model
            .other
            .get(*field)
            .is_some_and(|value| !value.is_null())
    });
    let lost: Vec<&str> = lost.collect();
    if !lost.is_empty() {
        notes.push(format!(
            "model {name:?}: left out {}, which a pickle has no place for",
            lost.join(", ")
        ));
    }
}

/// The points of `model` on the unit square, no two at the same x.
fn square(model: &Model, seconds: f64, max_rate: f64) -> Vec<(f64, f64)> {
    let mut square: Vec<(f64, f64)> = Vec::new();
    for point in &model.points {
        let x = share(point.t_ms, |x| x * seconds * 1000.0, seconds * 1000.0);
        let y = share(point.rate, |y| y * max_rate, max_rate);
        let before = square.last().copied();
        if let (Interpolation::Step, Some((_, held))) = (model.interpolation, before)
            && x > 0.0
        {
            square.push((x.next_down(), held));
        }
        square.push((x, y));
    }
    // Where several points share a place the last one holds from there on, the
    // first one up to there.
    for place in (1..square.len()).rev() {
        if square[place - 1].0 >= square[place].0 {
            square[place - 1].0 = square[place].0.next_down();
        }
    }
    square.retain(|(x, _)| *x >= 0.0);
    square
}

/// `value` as a share of `whole`, within 0 and 1: the one that `back` makes
/// exactly `value` of again, if one does.
fn share(value: f64, back: impl Fn(f64) -> f64, whole: f64) -> f64 {
    let near = (value / whole).clamp(0.0, 1.0);
    // Dividing and multiplying round up to three times.
    let (down, up) = (near.next_down(), near.next_up());
    let around = [near, down, up, down.next_down(), up.next_up()];
    let exact = around
        .into_iter()
        .find(|share| (0.0..=1.0).contains(share) && back(*share) == value);
    exact.unwrap_or(near)
}

/// Instructions of a pickle.
struct Bytes(Vec<u8>);

impl Bytes {
    fn dict(&mut self, entries: impl FnOnce(&mut Self)) {
        self.0.extend(b"}(");
        entries(self);
        self.0.push(b'u');
    }

    fn list(&mut self, items: impl FnOnce(&mut Self)) {
        self.0.extend(b"](");
        items(self);
        self.0.push(b'e');
    }

    fn text(&mut self, text: &str) {
        // A design has 64 MiB at most.
        let length = u32::try_from(text.len()).expect("a name is shorter than a design");
        self.0.push(b'X');
        self.0.extend(length.to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn float(&mut self, number: f64) {
        self.0.push(b'G');
        self.0.extend(number.to_be_bytes());
    }

    /// An int where it is one, as the Traffic Designer's page has them.
    fn number(&mut self, number: f64) {
        let whole = number as i32;
        if f64::from(whole) == number {
            self.0.push(b'J');
            self.0.extend(whole.to_le_bytes());
        } else {
            self.float(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_synth::drawn;

    fn curve(text: &str) -> Curve {
        Curve::parse("c", text).unwrap()
    }

    fn back(curve: &Curve) -> Curve {
        let (bytes, _) = write(curve);
        let (read, notes) = drawn::parse("p", &bytes).unwrap();
        assert!(notes.is_empty());
        read
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut points = String::new();
        for i in 0..997 {
            let comma = if i > 0 { "," } else { "" };
            points += &format!(
                "{comma}{{\"t_ms\":{},\"rate\":{}}}",
                i as f64 * 60.1,
                (i * 37 % 101) as f64 / 1.01
            );
        }
        let drawn = curve(&format!(
            r#"{{"version":1,"duration_ms":60000,"max_rate":120,"models":[
            {{"name":"a \"quoted\" <b>☃</b>","interpolation":"linear","points":[{points}]}},
            {{"name":"none","interpolation":"linear","points":[]}}]}}"#
        ));
        let mut read = back(&drawn);
        read.other.clone_from(&drawn.other);
        assert_eq!(read.duration_ms, drawn.duration_ms);
        for (read, drawn) in read.models.iter().zip(&drawn.models) {
            assert_eq!(
                (&read.name, read.points.len()),
                (&drawn.name, drawn.points.len())
            );
            for (read, drawn) in read.points.iter().zip(&drawn.points) {
                // At most the last bit of a number that no share leads to.
                assert!(
                    (read.t_ms - drawn.t_ms).abs() <= drawn.t_ms * 2e-16,
                    "{read:?} {drawn:?}"
                );
                assert!(
                    (read.rate - drawn.rate).abs() <= drawn.rate * 2e-16,
                    "{read:?} {drawn:?}"
                );
            }
        }
        // What was once a pickle stays as it is.
        assert!(back(&read).models == read.models);
    }

    #[test]
    fn steps_keep_their_rates() {
        let steps = curve(
            r#"{"version":1,"duration_ms":1000,"models":[{"name":"m","interpolation":"step",
            "points":[{"t_ms":0,"rate":9},{"t_ms":0,"rate":1},{"t_ms":300,"rate":5},{"t_ms":300,"rate":7},{"t_ms":1000,"rate":2}]}]}"#,
        );
        let read = back(&steps);
        for t_ms in [0.0, 10.0, 299.9, 300.0, 300.1, 999.0] {
            assert_eq!(
                read.models[0].rate(t_ms),
                steps.models[0].rate(t_ms),
                "{t_ms}"
            );
        }
    }

    #[test]
    fn what_is_lost_is_said() {
        let (_, notes) = write(&curve(
            r#"{"version":1,"duration_ms":1000,"seed":1,"models":[{"name":"m","interpolation":"step",
            "points":[{"t_ms":0,"rate":1},{"t_ms":5,"rate":2}],"arrival":"constant","prefixes":"pool:3,9","color":"red"}]}"#,
        ));
        assert_eq!(
            notes,
            [
                "model \"m\": steps became steep lines",
                "model \"m\": left out arrival, prefixes, which a pickle has no place for",
                "left out the seed, which a pickle has no place for"
            ]
        );
    }
}
