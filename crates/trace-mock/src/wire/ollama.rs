//! Ollama: a JSON object per line, the last with durations and counts.

use std::ops::Range;
use std::time::Duration;

use super::manner::Piece;
use super::{End, Form, Title, put, put_number};
use crate::api::Api;

/// The model and the date, which every line begins with.
pub(super) fn head(title: &Title<'_>) -> Vec<u8> {
    let mut head = b"{\"model\":".to_vec();
    put(&mut head, title.model);
    put(&mut head, ",\"created_at\":\"");
    put(&mut head, &date(title.created));
    put(&mut head, "\",");
    head
}

/// A moment since 1970 as RFC 3339 has it, in UTC, to the second.
pub(crate) fn date(since: Duration) -> String {
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    // Howard Hinnant's days-to-civil, for days after 1970.
    let z = days + 719_468;
    let era_day = z % 146_097;
    let year_of_era = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + z / 146_097 * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn push_text(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    if form.api == Api::OllamaChat && form.calls_tools() {
        put(out, "\"message\":{\"role\":\"assistant\",\"content\":\"\"");
        push_calls(form, tokens, out);
        out.push(b'}');
    } else if form.api == Api::OllamaChat {
        put(out, "\"message\":{\"role\":\"assistant\",\"content\":\"");
        form.push_text(tokens, out);
        put(out, "\"}");
    } else {
        put(out, "\"response\":\"");
        form.push_text(tokens, out);
        out.push(b'"');
    }
}

/// The calls that are complete with `tokens`: each comes in one piece.
fn push_calls(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    let mut complete = form.pieces(tokens).filter(Piece::ends).peekable();
    if complete.peek().is_none() {
        return;
    }
    put(out, ",\"tool_calls\":[");
    for (at, piece) in complete.enumerate() {
        put(out, if at > 0 { ",{" } else { "{" });
        put(out, "\"function\":{\"name\":");
        put(out, &piece.call.name);
        put(out, ",\"arguments\":");
        put(out, form.spoken(piece.call.tokens.clone()));
        put(out, "}}");
    }
    out.push(b']');
}

pub(super) fn push_delta(form: &Form, tokens: Range<u64>, out: &mut Vec<u8>) {
    let silent = form.calls_tools() && !form.pieces(tokens.clone()).any(|piece| piece.ends());
    if tokens.is_empty() || silent {
        return; // a later line says it all
    }
    out.extend_from_slice(&form.head);
    push_text(form, tokens, out);
    put(out, ",\"done\":false}\n");
}

pub(super) fn push_end(form: &Form, end: &End, out: &mut Vec<u8>) {
    push_last(form, 0..0, end, out);
    out.push(b'\n');
}

pub(super) fn whole(form: &Form, end: &End) -> Vec<u8> {
    let mut out = Vec::new();
    push_last(form, 0..form.plan.tokens, end, &mut out);
    out
}

fn push_last(form: &Form, tokens: Range<u64>, end: &End, out: &mut Vec<u8>) {
    out.extend_from_slice(&form.head);
    push_text(form, tokens, out);
    put(out, ",\"done\":true,\"done_reason\":\"");
    put(out, if form.is_cut() { "length" } else { "stop" });
    put_number(out, "\",\"total_duration\":", nanos(end.total));
    put(out, ",\"load_duration\":0");
    if let Some(usage) = end.usage {
        put_number(out, ",\"prompt_eval_count\":", usage.prompt);
        put_number(out, ",\"prompt_eval_duration\":", nanos(end.first));
        put_number(out, ",\"eval_count\":", usage.completion);
        put_number(
            out,
            ",\"eval_duration\":",
            nanos(end.total.saturating_sub(end.first)),
        );
    }
    out.push(b'}');
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{bytes, calling, form, whole};
    use super::*;

    #[test]
    fn a_stream_is_lines_the_last_with_counts() {
        let text = bytes(&form(Api::OllamaChat, true, 1, 2));
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1]["message"]["content"], " time");
        assert_eq!(
            (&lines[1]["done"], &lines[2]["done"]),
            (&false.into(), &true.into())
        );
        assert_eq!(lines[2]["eval_count"], 3);
        assert_eq!(lines[2]["prompt_eval_duration"], 50_000_000);
        assert_eq!(lines[2]["eval_duration"], 20_000_000);
        let json = whole(&form(Api::OllamaGenerate, false, 1, 2));
        assert_eq!(
            (&json["response"], &json["model"]),
            (&" the time".into(), &"m".into())
        );
    }

    #[test]
    fn each_call_comes_in_one_piece() {
        let calls = |line: &Value| line["message"]["tool_calls"].as_array().map_or(0, Vec::len);
        for (chunk, expected) in [(1, vec![1, 1, 0]), (100, vec![2, 0])] {
            let form = calling(Api::OllamaChat, true, &["a", "b"], None).in_chunks(chunk);
            let text = bytes(&form);
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
            assert_eq!(lines.map(|line| calls(&line)).collect::<Vec<_>>(), expected);
            let json = whole(&form);
            let second = &json["message"]["tool_calls"][1]["function"];
            assert_eq!(second["name"], "b");
            assert!(second["arguments"].is_object());
        }
        assert_eq!(
            calls(&whole(&calling(Api::OllamaChat, true, &["a"], Some(2)))),
            0
        );
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_827_696, "2000-02-29T12:34:56Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
        ] {
            assert_eq!(date(Duration::from_secs(seconds)), expected);
        }
    }
}
