//! What was sent along with a request: never more than there is room for.

use crate::reply::Refusal;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};
use serde::Deserialize;
use std::time::Duration;

/// The largest design, as text; what `trace-synth curve` reads.
pub(crate) const MOST_BYTES: usize = 64 << 20;

/// How long a sender may say nothing in the middle of a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole body.
///
/// # Errors
/// 413 for one of more than [`MOST_BYTES`], 408 for one that does not go on.
pub(crate) async fn whole(mut body: Incoming) -> Result<Bytes, Refusal> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut held = BytesMut::new();
    if expected <= MOST_BYTES {
        while let Some(piece) = next(&mut body).await? {
            if held.len() + piece.len() > MOST_BYTES {
                return Err(too_large(body).await);
            }
            held.extend_from_slice(&piece);
        }
        return Ok(held.freeze());
    }
    Err(too_large(body).await)
}

/// The next piece of `body`; nothing at its end.
///
/// # Errors
/// 408 for one that does not come, 400 for a body that breaks off.
pub(crate) async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
        let frame = frame.map_err(|_| {
            Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "the rest of the request did not come",
            )
        })?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(Refusal::bad("the request broke off")),
            // Trailers are not ours.
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
}

/// 413.
async fn too_large(body: Incoming) -> Refusal {
    hear_out(body).await;
    let reason = format!("more than {} MiB cannot be taken", MOST_BYTES >> 20);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
}

/// Take some of the rest of `body` and throw it away: a sender that is cut off
/// while it talks does not hear the answer.
pub(crate) async fn hear_out(mut body: Incoming) {
    const HEARD: usize = 4 * MOST_BYTES;
    let mut heard = 0;
    let listen = async {
        while heard < HEARD
            && let Ok(Some(piece)) = next(&mut body).await
        {
            heard += piece.len();
        }
    };
    // It is told, whether it listens or not.
    let _ = tokio::time::timeout(Duration::from_secs(2), listen).await;
}

/// The value that `text` spells.
///
/// # Errors
/// 400.
pub(crate) fn parse<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text)
        .map_err(|error| Refusal::bad(format_args!("the request cannot be understood: {error}")))
}
