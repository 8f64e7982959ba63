//! Embeddings: numbers that mean nothing, the same for the same place in a request.

use std::io::Write;

use super::{End, Form, Usage, put, put_number};

pub(super) fn whole(form: &Form, usage: Option<Usage>) -> Vec<u8> {
    let mut out = b"{\"object\":\"list\",\"data\":[".to_vec();
    for index in 0..form.choices {
        if index > 0 {
            out.push(b',');
        }
        put(&mut out, "{\"object\":\"embedding\"");
        put_number(&mut out, ",\"index\":", index);
        put(&mut out, ",\"embedding\":");
        if form.vectors.base64 {
            push_base64(&vector(index, form.vectors.dimensions), &mut out);
        } else {
            push_array(&vector(index, form.vectors.dimensions), &mut out);
        }
        out.push(b'}');
    }
    put(&mut out, "],\"model\":");
    out.extend_from_slice(&form.head);
    if let Some(usage) = usage {
        put_number(&mut out, ",\"usage\":{\"prompt_tokens\":", usage.prompt);
        put_number(&mut out, ",\"total_tokens\":", usage.prompt);
        out.push(b'}');
    }
    out.push(b'}');
    out
}

/// The answer of Ollama's `/api/embed`.
pub(super) fn ollama(form: &Form, end: &End) -> Vec<u8> {
    let mut out = b"{\"model\":".to_vec();
    out.extend_from_slice(&form.head);
    put(&mut out, ",\"embeddings\":[");
    for index in 0..form.choices {
        if index > 0 {
            out.push(b',');
        }
        push_array(&vector(index, form.vectors.dimensions), &mut out);
    }
    let total = u64::try_from(end.total.as_nanos()).unwrap_or(u64::MAX);
    put_number(&mut out, "],\"total_duration\":", total);
    put(&mut out, ",\"load_duration\":0");
    if let Some(usage) = end.usage {
        put_number(&mut out, ",\"prompt_eval_count\":", usage.prompt);
    }
    out.push(b'}');
    out
}

/// The answer of Ollama's older `/api/embeddings`, for one text.
pub(super) fn ollama_one(form: &Form) -> Vec<u8> {
    let mut out = b"{\"embedding\":".to_vec();
    push_array(&vector(0, form.vectors.dimensions), &mut out);
    out.push(b'}');
    out
}

/// Numbers in [−1, 1) with few digits, by Knuth's multiplicative hash of their places.
fn vector(index: u64, dimensions: u64) -> Vec<f32> {
    let number = |place: u64| {
        let hash = (index * 65_537 + place + 1).wrapping_mul(2_654_435_761) & 0xffff_ffff;
        (hash >> 24) as f32 / 128.0 - 1.0
    };
    (0..dimensions).map(number).collect()
}

fn push_array(numbers: &[f32], out: &mut Vec<u8>) {
    for (at, number) in numbers.iter().enumerate() {
        let before = if at == 0 { '[' } else { ',' };
        write!(out, "{before}{number}").expect("memory takes all");
    }
    out.push(b']');
}

/// The bytes of the numbers, little-endian, in base64.
fn push_base64(numbers: &[f32], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = numbers
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    out.push(b'"');
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            if digit <= group.len() {
                out.push(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]);
            } else {
                out.push(b'=');
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::super::Vectors;
    use super::super::tests::{form, whole};
    use super::*;
    use crate::api::Api;

    #[test]
    fn each_input_has_a_vector_of_the_length_asked_for() {
        let vectors = Vectors {
            dimensions: 5,
            base64: false,
        };
        let json = whole(&form(Api::Embeddings, false, 2, 0).with_vectors(vectors));
        assert_eq!(json["data"][1]["embedding"].as_array().unwrap().len(), 5);
        assert_ne!(json["data"][0]["embedding"], json["data"][1]["embedding"]);
        assert_eq!(json["usage"]["total_tokens"], 5);
        assert_eq!(json["model"], "m");
    }

    #[test]
    fn ollama_has_them_in_its_own_shapes() {
        let vectors = Vectors {
            dimensions: 5,
            base64: false,
        };
        let json = whole(&form(Api::OllamaEmbed, false, 2, 0).with_vectors(vectors));
        assert_eq!(json["embeddings"][1].as_array().unwrap().len(), 5);
        assert_eq!(
            (&json["model"], &json["prompt_eval_count"]),
            (&"m".into(), &5.into())
        );
        let json = whole(&form(Api::OllamaEmbedding, false, 1, 0).with_vectors(vectors));
        assert_eq!(json["embedding"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        let base64 = |numbers: &[f32]| {
            let mut out = Vec::new();
            push_base64(numbers, &mut out);
            String::from_utf8(out).unwrap()
        };
        // struct.pack('<f', 1.0), and of two and three numbers, by Python's base64.
        assert_eq!(base64(&[1.0]), "\"AACAPw==\"");
        assert_eq!(base64(&[1.0, -0.5]), "\"AACAPwAAAL8=\"");
        assert_eq!(base64(&[1.0, -0.5, 0.25]), "\"AACAPwAAAL8AAIA+\"");
    }
}
