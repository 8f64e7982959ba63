//! What a hand does on the page: presses, strokes, keys.
//!
//! A hand begins when the page has shown all that came of what was done
//! before, as that of a person does: see [`Browser::shown`].

use crate::chromium::{Browser, ELEMENT};
use serde_json::{Value, json};

/// How a pointer presses.
#[derive(Clone, Copy)]
pub(crate) enum Hand {
    Mouse,
    Pen,
    Touch,
}

impl Hand {
    /// What the protocol calls it.
    fn kind(self) -> &'static str {
        match self {
            Self::Mouse => "mouse",
            Self::Pen => "pen",
            Self::Touch => "touch",
        }
    }
}

impl Browser {
    fn element(&self, css: &str) -> String {
        let found = self.call(
            "POST",
            "/element",
            &json!({"using": "css selector", "value": css}),
        );
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// An element as the place to count from, and its middle from its upper
    /// left corner, where the protocol counts from.
    fn origin(&self, css: &str) -> (Value, (f64, f64)) {
        let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.width, box.height]";
        let size = self.run(script, &json!([css]));
        let half = |i: usize| size[i].as_f64().unwrap() / 2.0;
        (json!({ELEMENT: self.element(css)}), (half(0), half(1)))
    }

    /// Click on an element, as a mouse would.
    pub(crate) fn click(&self, css: &str) {
        self.shown();
        let element = self.element(css);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Send keys to an element; with a file field, the path of a file.
    pub(crate) fn keys(&self, css: &str, text: &str) {
        self.shown();
        let element = self.element(css);
        self.call(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": text}),
        );
    }

    /// Replace what is in a field by `text`, and leave the field. Keys that
    /// the driver knows none of (emoji) go through the page's own input.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        let script = "const field = document.querySelector(arguments[0]); field.focus(); field.select();
            document.execCommand(arguments[1] === '' ? 'delete' : 'insertText', false, arguments[1]); field.blur();";
        self.run(script, &json!([css, text]));
    }

    /// Choose `value` of the choices that an element has.
    pub(crate) fn choose(&self, css: &str, value: &str) {
        let script =
            "const choice = document.querySelector(arguments[0]); choice.value = arguments[1];
            choice.dispatchEvent(new Event('input')); choice.dispatchEvent(new Event('change'))";
        self.run(script, &json!([css, value]));
    }

    /// Press at the first of `path`, move over the others and lift, all in
    /// pixels from the upper left corner of the element.
    pub(crate) fn drag(&self, css: &str, hand: Hand, path: &[(f64, f64)]) {
        let (origin, half) = self.origin(css);
        let to = |(x, y): (f64, f64)| json!({"type": "pointerMove", "duration": 10, "origin": origin, "x": (x - half.0).round() as i64, "y": (y - half.1).round() as i64});
        let mut actions = vec![to(path[0]), json!({"type": "pointerDown", "button": 0})];
        actions.extend(path[1..].iter().map(|&place| to(place)));
        actions.push(json!({"type": "pointerUp", "button": 0}));
        let kind = hand.kind();
        let source = json!({"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions});
        self.call("POST", "/actions", &json!({"actions": [source]}));
        self.call("DELETE", "/actions", &Value::Null);
    }

    /// Put two fingers on an element and move each along its path, in pixels
    /// from the upper left corner; both paths have as many places.
    pub(crate) fn pinch(&self, css: &str, paths: [&[(f64, f64)]; 2]) {
        let (origin, half) = self.origin(css);
        let finger = |number: usize| {
            let to = |&(x, y): &(f64, f64)| json!({"type": "pointerMove", "duration": 20, "origin": origin, "x": (x - half.0).round() as i64, "y": (y - half.1).round() as i64});
            let path = paths[number];
            let mut actions = vec![to(&path[0])];
            // The second finger comes when the first one is down.
            let pause = json!({"type": "pause", "duration": 20});
            let down = json!({"type": "pointerDown", "button": 0});
            actions.extend(if number == 0 {
                [down, pause]
            } else {
                [pause, down]
            });
            actions.extend(path[1..].iter().map(to));
            actions.push(json!({"type": "pointerUp", "button": 0}));
            json!({"type": "pointer", "id": format!("finger {number}"), "parameters": {"pointerType": "touch"}, "actions": actions})
        };
        self.call(
            "POST",
            "/actions",
            &json!({"actions": [finger(0), finger(1)]}),
        );
        self.call("DELETE", "/actions", &Value::Null);
    }

    /// Turn the wheel over a place of an element by so many pixels.
    pub(crate) fn wheel(&self, css: &str, (x, y): (f64, f64), (across, down): (i64, i64)) {
        let (origin, half) = self.origin(css);
        let turn = json!({"type": "scroll", "duration": 0, "origin": origin, "x": (x - half.0).round() as i64, "y": (y - half.1).round() as i64, "deltaX": across, "deltaY": down});
        let source = json!({"type": "wheel", "id": "wheel", "actions": [turn]});
        self.call("POST", "/actions", &json!({"actions": [source]}));
    }

    /// Press keys together, the last one last, wherever the focus is.
    pub(crate) fn chord(&self, keys: &[&str]) {
        self.shown();
        let down = keys
            .iter()
            .map(|key| json!({"type": "keyDown", "value": key}));
        let up = keys
            .iter()
            .rev()
            .map(|key| json!({"type": "keyUp", "value": key}));
        let actions: Vec<Value> = down.chain(up).collect();
        let source = json!({"type": "key", "id": "keyboard", "actions": actions});
        self.call("POST", "/actions", &json!({"actions": [source]}));
    }
}
