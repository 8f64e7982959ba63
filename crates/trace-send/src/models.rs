//! Which model a server has, when nobody said.

use crate::connect::Connector;
use crate::http::{Decoder, Part};
use crate::target::Target;
use serde::Deserialize;
use std::future::poll_fn;
use std::task::ready;
use std::time::Duration;
use trace_core::Failure;

/// The longest that asking may take; the run waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The most bytes of a list of models that are read.
const MOST: usize = 1 << 20;

/// The first model in the server's list, if it gives one.
pub(crate) async fn first(
    connector: &Connector,
    target: &Target,
    headers: &[u8],
) -> Option<String> {
    let asked = ask(connector, target, headers);
    let body = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()??;
    name(&body)
}

fn name(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        id: String,
    }
    let list: List = serde_json::from_slice(body).ok()?;
    list.data.into_iter().next().map(|model| model.id)
}

/// The body of the list, or nothing if the answer is none.
async fn ask(
    connector: &Connector,
    target: &Target,
    headers: &[u8],
) -> Result<Option<Vec<u8>>, Failure> {
    let mut connection = connector.socket().await?;
    let request = [
        b"GET ",
        target.models_path().as_bytes(),
        b" HTTP/1.1\r\n",
        headers,
        b"connection: close\r\n\r\n",
    ]
    .concat();
    let mut written = 0;
    let (mut decoder, mut body, mut ok) = (Decoder::default(), Vec::new(), false);
    let mut buffer = vec![0; 4 << 10];
    let complete = poll_fn(|cx| {
        while written < request.len() {
            match ready!(connection.write(cx, &request[written..])) {
                Ok(length) if length > 0 => written += length,
                _ => return false.into(),
            }
        }
        if ready!(connection.flush(cx)).is_err() {
            return false.into();
        }
        loop {
            let Ok(length) = ready!(connection.read(cx, &mut buffer)) else {
                return false.into();
            };
            let fed = decoder.feed(&buffer[..length], |part| match part {
                Part::Head(head) => ok = head.status == 200,
                Part::Body(bytes) => body.extend_from_slice(bytes),
            });
            if length == 0 || decoder.is_done() || fed.is_err() || body.len() > MOST {
                return fed.is_ok().into();
            }
        }
    })
    .await;
    Ok((complete && ok).then_some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_list_is_taken() {
        assert_eq!(
            name(br#"{"object":"list","data":[{"id":"a","x":1},{"id":"b"}]}"#).as_deref(),
            Some("a")
        );
        assert_eq!(name(br#"{"data":[]}"#), None);
        assert_eq!(name(b"<html>"), None);
    }
}
