//! One small question to a server, outside what is measured.

use crate::connect::Connector;
use crate::http::{Decoder, Part};
use std::future::poll_fn;
use std::task::ready;
use std::time::Duration;
use trace_core::{ErrorKind, Failure};

/// What a server said.
#[derive(Debug)]
pub(crate) struct Said {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// A question, and how much of an answer is borne.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Header fields, each line with its end.
    pub fields: &'a [u8],
    /// The longest it may take.
    pub patience: Duration,
    /// The most bytes of the answer.
    pub most: usize,
}

/// Ask the server that `connector` leads to, on a connection of its own.
///
/// # Errors
/// As connecting has them; [`ErrorKind::Timeout`]; [`ErrorKind::Stream`] for
/// what is no HTTP; [`ErrorKind::Content`] for too much of it.
pub(crate) async fn fetch(connector: &Connector, question: Question<'_>) -> Result<Said, Failure> {
    match tokio::time::timeout(question.patience, ask(connector, question)).await {
        Ok(said) => said,
        Err(_) => Err(failure(
            ErrorKind::Timeout,
            format!("no answer within {} s", question.patience.as_secs_f64()),
        )),
    }
}

async fn ask(connector: &Connector, question: Question<'_>) -> Result<Said, Failure> {
    let mut socket = connector.socket().await?;
    let line = format!("{} {} HTTP/1.1\r\n", question.method, question.path);
    let end: &[u8] = match question.method {
        "POST" => b"content-length: 0\r\nconnection: close\r\n\r\n",
        _ => b"connection: close\r\n\r\n",
    };
    let request = [line.as_bytes(), question.fields, end].concat();
    let mut written = 0;
    let mut decoder = Decoder::default();
    let mut said = Said {
        status: 0,
        body: Vec::new(),
    };
    let mut buffer = vec![0; 16 << 10];
    poll_fn(|cx| {
        while written < request.len() {
            match ready!(socket.write(cx, &request[written..])) {
                Ok(length) if length > 0 => written += length,
                _ => return Err(cut()).into(),
            }
        }
        if ready!(socket.flush(cx)).is_err() {
            return Err(cut()).into();
        }
        loop {
            let Ok(length) = ready!(socket.read(cx, &mut buffer)) else {
                return Err(cut()).into();
            };
            let fed = decoder.feed(&buffer[..length], |part| match part {
                Part::Head(head) => said.status = head.status,
                Part::Body(bytes) => said.body.extend_from_slice(bytes),
            });
            if let Err(error) = fed {
                return Err(failure(ErrorKind::Stream, error.to_string())).into();
            }
            if said.body.len() > question.most {
                let message = format!("an answer of more than {} bytes", question.most);
                return Err(failure(ErrorKind::Content, message)).into();
            }
            if decoder.is_done() {
                return Ok(()).into();
            }
            if length == 0 {
                let whole = decoder.end() == crate::http::End::ToEnd;
                return if whole { Ok(()) } else { Err(cut()) }.into();
            }
        }
    })
    .await?;
    Ok(said)
}

fn cut() -> Failure {
    failure(
        ErrorKind::Stream,
        "the connection ended before the answer did".to_owned(),
    )
}

fn failure(kind: ErrorKind, message: String) -> Failure {
    Failure { kind, message }
}
