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
        let size = self.run("const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.width, box.height]", &json!([css]));
        let half = |i: usize| size[i].as_f64().unwrap() / 2.0;
        let origin = json!({ELEMENT: self.element(css)});
        let to = |(x, y): (f64, f64)| json!({"type": "pointerMove", "duration": 10, "origin": origin, "x": (x - half(0)).round() as i64, "y": (y - half(1)).round() as i64});
        let mut actions = vec![to(path[0]), json!({"type": "pointerDown", "button": 0})];
        actions.extend(path[1..].iter().map(|&place| to(place)));
        actions.push(json!({"type": "pointerUp", "button": 0}));
        let kind = hand.kind();
        let source = json!({"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions});
        self.call("POST", "/actions", &json!({"actions": [source]}));
        self.call("DELETE", "/actions", &Value::Null);
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
