//! Pickles: those of Python are read, and nothing else does anything.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use std::io::Write;
use std::process::{Command, Stdio};
use trace_synth::pickle::{Pickle, Value};
use trace_synth::traffic_designer;

/// One dict as Python 3.11 writes it in protocols 0 to 5; both models share a
/// list, which is written once.
const SAVED: [&[u8]; 6] = [
    b"(dp0\x0aVmodels\x0ap1\x0a(lp2\x0aVchat\x0ap3\x0aaV\x5cu4ee3\x5cu7801\x0ap4\x0aasVcurves\x0ap5\x0a(dp6\x0ag3\x0a(lp7\x0a(dp8\x0aVx\x0ap9\x0aF0.0\x0asVy\x0ap10\x0aF0.5\x0asa(dp11\x0ag9\x0aI1\x0asg10\x0aI1\x0asasg4\x0ag7\x0assVduration\x0ap12\x0aI60\x0asVmax_rate\x0ap13\x0aF100.5\x0asVbig\x0ap14\x0aL-5000000000L\x0asVt\x0ap15\x0a(I01\x0aN(lp16\x0aI-1\x0aaI70000\x0aatp17\x0asVe\x0ap18\x0a(lp19\x0as.",
    b"}q\x00(X\x06\x00\x00\x00modelsq\x01]q\x02(X\x04\x00\x00\x00chatq\x03X\x06\x00\x00\x00\xe4\xbb\xa3\xe7\xa0\x81q\x04eX\x06\x00\x00\x00curvesq\x05}q\x06(h\x03]q\x07(}q\x08(X\x01\x00\x00\x00xq\x09G\x00\x00\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00yq\x0aG?\xe0\x00\x00\x00\x00\x00\x00u}q\x0b(h\x09K\x01h\x0aK\x01ueh\x04h\x07uX\x08\x00\x00\x00durationq\x0cK<X\x08\x00\x00\x00max_rateq\x0dG@Y \x00\x00\x00\x00\x00X\x03\x00\x00\x00bigq\x0eL-5000000000L\x0aX\x01\x00\x00\x00tq\x0f(I01\x0aN]q\x10(J\xff\xff\xff\xffJp\x11\x01\x00etq\x11X\x01\x00\x00\x00eq\x12]q\x13u.",
    b"\x80\x02}q\x00(X\x06\x00\x00\x00modelsq\x01]q\x02(X\x04\x00\x00\x00chatq\x03X\x06\x00\x00\x00\xe4\xbb\xa3\xe7\xa0\x81q\x04eX\x06\x00\x00\x00curvesq\x05}q\x06(h\x03]q\x07(}q\x08(X\x01\x00\x00\x00xq\x09G\x00\x00\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00yq\x0aG?\xe0\x00\x00\x00\x00\x00\x00u}q\x0b(h\x09K\x01h\x0aK\x01ueh\x04h\x07uX\x08\x00\x00\x00durationq\x0cK<X\x08\x00\x00\x00max_rateq\x0dG@Y \x00\x00\x00\x00\x00X\x03\x00\x00\x00bigq\x0e\x8a\x05\x00\x0e\xfa\xd5\xfeX\x01\x00\x00\x00tq\x0f\x88N]q\x10(J\xff\xff\xff\xffJp\x11\x01\x00e\x87q\x11X\x01\x00\x00\x00eq\x12]q\x13u.",
    b"\x80\x03}q\x00(X\x06\x00\x00\x00modelsq\x01]q\x02(X\x04\x00\x00\x00chatq\x03X\x06\x00\x00\x00\xe4\xbb\xa3\xe7\xa0\x81q\x04eX\x06\x00\x00\x00curvesq\x05}q\x06(h\x03]q\x07(}q\x08(X\x01\x00\x00\x00xq\x09G\x00\x00\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00yq\x0aG?\xe0\x00\x00\x00\x00\x00\x00u}q\x0b(h\x09K\x01h\x0aK\x01ueh\x04h\x07uX\x08\x00\x00\x00durationq\x0cK<X\x08\x00\x00\x00max_rateq\x0dG@Y \x00\x00\x00\x00\x00X\x03\x00\x00\x00bigq\x0e\x8a\x05\x00\x0e\xfa\xd5\xfeX\x01\x00\x00\x00tq\x0f\x88N]q\x10(J\xff\xff\xff\xffJp\x11\x01\x00e\x87q\x11X\x01\x00\x00\x00eq\x12]q\x13u.",
    b"\x80\x04\x95\xad\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x06models\x94]\x94(\x8c\x04chat\x94\x8c\x06\xe4\xbb\xa3\xe7\xa0\x81\x94e\x8c\x06curves\x94}\x94(h\x03]\x94(}\x94(\x8c\x01x\x94G\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x01y\x94G?\xe0\x00\x00\x00\x00\x00\x00u}\x94(h\x09K\x01h\x0aK\x01ueh\x04h\x07u\x8c\x08duration\x94K<\x8c\x08max_rate\x94G@Y \x00\x00\x00\x00\x00\x8c\x03big\x94\x8a\x05\x00\x0e\xfa\xd5\xfe\x8c\x01t\x94\x88N]\x94(J\xff\xff\xff\xffJp\x11\x01\x00e\x87\x94\x8c\x01e\x94]\x94u.",
    b"\x80\x05\x95\xad\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x06models\x94]\x94(\x8c\x04chat\x94\x8c\x06\xe4\xbb\xa3\xe7\xa0\x81\x94e\x8c\x06curves\x94}\x94(h\x03]\x94(}\x94(\x8c\x01x\x94G\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x01y\x94G?\xe0\x00\x00\x00\x00\x00\x00u}\x94(h\x09K\x01h\x0aK\x01ueh\x04h\x07u\x8c\x08duration\x94K<\x8c\x08max_rate\x94G@Y \x00\x00\x00\x00\x00\x8c\x03big\x94\x8a\x05\x00\x0e\xfa\xd5\xfe\x8c\x01t\x94\x88N]\x94(J\xff\xff\xff\xffJp\x11\x01\x00e\x87\x94\x8c\x01e\x94]\x94u.",
];

/// The value written out, references followed: equal texts mean equal data.
fn told(pickle: &Pickle, value: &Value, depth: usize) -> String {
    assert!(depth < 20);
    let each = |list: &[usize]| -> String {
        let items = list.iter().map(|&i| told(pickle, pickle.at(i), depth + 1));
        items.collect::<Vec<_>>().join(", ")
    };
    match value {
        Value::None => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => format!("'{text}'"),
        Value::List(items) => format!("[{}]", each(items)),
        Value::Tuple(items) => format!("({})", each(items)),
        Value::Dict(entries) => {
            let entries = entries.iter().map(|&(key, value)| {
                let tell = |i| told(pickle, pickle.at(i), depth + 1);
                format!("{}: {}", tell(key), tell(value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn read(bytes: &[u8]) -> String {
    let pickle = Pickle::parse(bytes).unwrap_or_else(|refusal| panic!("{refusal}"));
    told(&pickle, pickle.root(), 0)
}

fn refusal(bytes: &[u8]) -> String {
    match Pickle::parse(bytes) {
        Ok(pickle) => panic!("accepted {}", told(&pickle, pickle.root(), 0)),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn every_protocol_of_python_is_read() {
    let points = "[{'x': 0.0, 'y': 0.5}, {'x': 1, 'y': 1}]";
    let expected = format!(
        "{{'models': ['chat', '代码'], 'curves': {{'chat': {points}, '代码': {points}}}, \
         'duration': 60, 'max_rate': 100.5, 'big': -5000000000, \
         't': (True, None, [-1, 70000]), 'e': []}}"
    );
    for (protocol, bytes) in SAVED.into_iter().enumerate() {
        assert!(Pickle::is_likely(bytes), "{protocol}");
        assert_eq!(read(bytes), expected, "protocol {protocol}");
    }
}

#[test]
fn what_the_traffic_designer_saves_is_a_curve() {
    for bytes in SAVED {
        let pickle = Pickle::parse(bytes).unwrap();
        let (curve, notes) = traffic_designer::curve(&pickle).unwrap();
        assert!(notes.is_empty());
        assert_eq!(curve.duration_ms, 60_000.0);
        let names: Vec<_> = curve.models.iter().map(|model| &model.name[..]).collect();
        assert_eq!(names, ["chat", "代码"]);
        for model in &curve.models {
            assert_eq!(model.rate(0.0), 50.25);
            assert_eq!(model.rate(30_000.0), 75.375);
            assert_eq!(model.rate(60_000.0), 100.5);
        }
    }
}

#[test]
fn what_would_run_code_is_refused_by_name_and_place() {
    for (bytes, said) in [
        // What os.system("true") in __reduce__ becomes, protocols 0 and 4.
        (
            &b"cposix\nsystem\np0\n(Vtrue\np1\ntp2\nRp3\n."[..],
            "byte 0: GLOBAL would import posix.system; only plain data is read",
        ),
        (
            b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.",
            "byte 28: STACK_GLOBAL would import posix.system; only plain data is read",
        ),
        (b"(S'true'\niposix\nsystem\n.", "byte 9: INST would import and call; only plain data is read"),
        (b"]R.", "byte 1: REDUCE would call a function; only plain data is read"),
        (b"]}b.", "byte 2: BUILD would change an object; only plain data is read"),
        (b"]\x81.", "byte 1: OBJ would make an object; only plain data is read"),
        (b"\x82\x01.", "byte 0: EXT would import; only plain data is read"),
        (b"Pid\n.", "byte 0: PERSID would ask another program; only plain data is read"),
        (b"C\x01a.", "byte 0: bytes are not part of a drawn curve; only plain data is read"),
        (b"\xff.", "byte 0: 0xff is no instruction of a pickle"),
        (b"\x80\x06N.", "byte 0: protocol 6 is not known; 0 to 5 are"),
    ] {
        assert_eq!(refusal(bytes), said);
    }
}

#[test]
fn nonsense_is_refused() {
    for (bytes, said) in [
        (&b""[..], "byte 0: the pickle ends too early"),
        (b".", "byte 0: the stack is empty"),
        (b"N", "byte 1: the pickle ends too early"),
        (b"(.", "byte 1: the stack is empty"),
        (b"N(0.", "byte 2: the stack is empty"),
        (b"Ne.", "byte 1: there is no mark on the stack"),
        (b"}(Nu.", "byte 3: a key has no value"),
        (b"NNa.", "byte 2: only lists can be appended to"),
        (b"h\x05.", "byte 0: nothing is remembered by 5"),
        (
            b"Nr\xff\xff\xff\xff.",
            "byte 1: 4294967295 is too high a number to remember by",
        ),
        (b"X\xff\xff\xff\xffab.", "byte 0: the pickle ends too early"),
        (
            b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.",
            "byte 0: the pickle ends too early",
        ),
        (b"X\x01\x00\x00\x00\xff.", "byte 0: a string is not UTF-8"),
        (
            b"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.",
            "byte 0: an int has more than 64 bits",
        ),
        (b"I9x\n.", "byte 0: \"9x\" is no int of 64 bits"),
        (
            b"V\\ud800\n.",
            "byte 0: a string has a \\u that is no character",
        ),
    ] {
        assert_eq!(refusal(bytes), said, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_list_that_holds_itself_and_a_curve_named_often_do_no_harm() {
    // ]q\0 h\0 a: the list is appended to itself.
    let pickle = Pickle::parse(b"]q\0h\0a.").unwrap();
    assert!(matches!(pickle.root(), Value::List(items) if items.len() == 1));
    assert!(traffic_designer::curve(&pickle).is_err());

    // 1,100 models that all have the same 1,000 points.
    let mut bytes = b"}(X\x08\x00\x00\x00durationK\x01X\x08\x00\x00\x00max_rateK\x01".to_vec();
    bytes.extend(b"]r\x00\x00\x00\x00(");
    for _ in 0..1000 {
        bytes.extend(b"}(X\x01\x00\x00\x00xK\x00X\x01\x00\x00\x00yK\x00u");
    }
    bytes.extend(b"e0X\x06\x00\x00\x00curves}(");
    for i in 0..1100 {
        bytes.extend(format!("X\x04\x00\x00\x00{i:04}j\x00\x00\x00\x00").bytes());
    }
    bytes.extend(b"uX\x06\x00\x00\x00models](");
    for i in 0..1100 {
        bytes.extend(format!("X\x04\x00\x00\x00{i:04}").bytes());
    }
    bytes.extend(b"eu.");
    let error = traffic_designer::curve(&Pickle::parse(&bytes).unwrap()).unwrap_err();
    assert!(
        format!("{error:#}").ends_with("more than 1000000 points"),
        "{error:#}"
    );
}

#[test]
fn what_is_no_curve_is_said() {
    for (python, said) in [
        (
            &b"]."[..],
            "the pickle holds no dict with models, curves, duration and max_rate",
        ),
        (b"}.", "the pickle has no \"duration\""),
        (
            b"}(U\x08durationU\x01xu.",
            "duration is not a number of at least 0",
        ),
    ] {
        let error = traffic_designer::curve(&Pickle::parse(python).unwrap()).unwrap_err();
        assert_eq!(format!("{error:#}"), said);
    }
    let outside = String::from_utf8_lossy(SAVED[0]).replace("F0.5\n", "F1.5\n");
    let error = traffic_designer::curve(&Pickle::parse(outside.as_bytes()).unwrap()).unwrap_err();
    let said = "curve of model \"chat\": point 0: y is not within 0 and 1";
    assert_eq!(format!("{error:#}"), said);
}

/// `python3 -c PROGRAM` with `input`; nothing where there is no Python.
fn python(program: &str, input: &str) -> Option<Vec<u8>> {
    let child = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        // Past the capture of a test that passes, or nobody would see it.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: python3 is not there: its pickles were not tried"
        )
        .unwrap();
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(output.stdout)
}

#[test]
fn what_python_dumps_today_is_read() {
    // Many strings, so that the memo passes 256 and frames end in the middle.
    let program = "
import sys, pickle, random
random.seed(7)
d = {'models': ['m%d' % i for i in range(400)], 'duration': 600, 'max_rate': 1000,
     'curves': {'m%d' % i: [{'x': j / 99, 'y': random.random()} for j in range(100)] for i in range(400)}}
for protocol in range(6):
    data = pickle.dumps(d, protocol)
    sys.stdout.buffer.write(len(data).to_bytes(4, 'big') + data)
";
    let Some(mut bytes) = python(program, "") else {
        return;
    };
    let mut first = None;
    for protocol in 0..6 {
        let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        let rest = bytes.split_off(4 + length);
        let pickle = Pickle::parse(&bytes[4..]).unwrap_or_else(|r| panic!("{protocol}: {r}"));
        let (curve, _) = traffic_designer::curve(&pickle).unwrap();
        assert_eq!(curve.models.len(), 400);
        let first = first.get_or_insert_with(|| curve.clone());
        assert_eq!(*first, curve, "protocol {protocol}");
        bytes = rest;
    }
}

/// A plain value as Python writes it in its source.
fn literal() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("None".to_owned()),
        any::<bool>().prop_map(|b| if b { "True" } else { "False" }.to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        (-70000i64..70000).prop_map(|n| n.to_string()),
        (-1e6..1e6f64).prop_map(|x| format!("{x:?}")),
        "[a-z ]{0,9}|[α-ω\u{1f600}]{1,3}".prop_map(|text| format!("'{text}'")),
    ];
    leaf.prop_recursive(3, 30, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::vec(inner.clone(), 2..5)
                .prop_map(|items| format!("({})", items.join(", "))),
            proptest::collection::vec(inner, 0..4).prop_map(|items| {
                let entries = items
                    .iter()
                    .enumerate()
                    .map(|(i, item)| format!("'{i}': {item}"));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }),
        ]
    })
}

#[test]
fn any_plain_value_comes_back_from_python() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let values: Vec<String> = (0..300)
        .map(|_| literal().new_tree(&mut runner).unwrap().current())
        .collect();
    let program = "
import sys, ast, pickle
for i, line in enumerate(sys.stdin.buffer.read().decode().splitlines()):
    data = pickle.dumps(ast.literal_eval(line), i % 6)
    sys.stdout.buffer.write(len(data).to_bytes(4, 'big') + data)
";
    let Some(bytes) = python(program, &values.join("\n")) else {
        return;
    };
    let mut rest = &bytes[..];
    for value in &values {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let mut found = read(&rest[4..4 + length]);
        // Python's shortest floats have two digits of exponent or more.
        found = found.replace("-0.0", "0.0");
        assert_eq!(found, value.replace("-0.0", "0.0"));
        rest = &rest[4 + length..];
    }
    assert!(rest.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(pickle) = Pickle::parse(&bytes) {
            let _ = traffic_designer::curve(&pickle);
        }
    }

    #[test]
    fn nor_do_bytes_changed_in_a_good_pickle(
        which in 0..6usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = SAVED[which].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len()) + 1);
        if let Ok(pickle) = Pickle::parse(&bytes) {
            let _ = traffic_designer::curve(&pickle);
        }
    }
}
