//! The trace of a design, as it is made.

use crate::app::App;
use crate::generate::Detail;
use crate::reply::{self, Refusal, Reply};
use bytes::Bytes;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::sync::mpsc;
use trace_synth::curve_file::Curve;

/// Pieces of 64 KiB that wait for a slow reader.
const WAITING: usize = 4;

/// The trace of `curve`: the bytes that `trace-synth curve` writes.
///
/// # Errors
/// 400 for what cannot be made.
pub(crate) async fn trace(app: &Arc<App>, curve: Curve) -> Result<Reply, Refusal> {
    let shared = Arc::clone(app);
    let trace =
        tokio::task::spawn_blocking(move || shared.generator.requests(&curve, Detail::Whole));
    let trace = trace.await.map_err(Refusal::failed)??;
    let (sender, pieces) = mpsc::channel(WAITING);
    // It ends with the reader.
    tokio::task::spawn_blocking(move || {
        let mut pieces = Pieces(sender);
        if let Err(error) = trace_synth::write(trace, &mut pieces)
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            // Nobody hears it who does not read.
            let _ = pieces.0.blocking_send(Err(error));
        }
    });
    let reply = reply::pieces("application/x-ndjson", pieces);
    Ok(reply::download(reply, "trace.jsonl"))
}

/// Writes to an answer.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        let sent = self.0.blocking_send(Ok(piece));
        sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
