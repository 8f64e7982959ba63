//! Lines as JSON, and as the requests they are.

use serde_json::Value;
use std::collections::BTreeMap;

/// Every line of `text` as JSON.
pub(crate) fn records(text: &str) -> Vec<Value> {
    let record = |line| match serde_json::from_str(line) {
        Ok(record) => record,
        Err(error) => panic!("{error} in {line}"),
    };
    text.lines().map(record).collect()
}

/// The number in `field`, which must be there.
pub(crate) fn number(line: &Value, field: &str) -> f64 {
    let number = line[field].as_f64();
    number.unwrap_or_else(|| panic!("no number {field} in {line}"))
}

/// Outcomes by `seq`, each once.
pub(crate) fn by_seq(lines: Vec<Value>) -> BTreeMap<u64, Value> {
    let mut sorted = BTreeMap::new();
    for line in lines {
        let seq = line["seq"].as_u64().expect("an outcome has a seq");
        let twice = sorted.insert(seq, line);
        assert!(twice.is_none(), "seq {seq} came twice");
    }
    sorted
}

/// The server's lines by the `seq` in the id their client gave them.
pub(crate) fn truth(lines: &str) -> BTreeMap<u64, Value> {
    let mut sorted = BTreeMap::new();
    for line in records(lines) {
        let id = line["request_id"]
            .as_str()
            .expect("the client names its requests");
        let seq = id.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap();
        let seq = seq.parse().unwrap();
        let twice = sorted.insert(seq, line);
        assert!(twice.is_none(), "the server saw {seq} twice");
    }
    sorted
}
