//! The least a proxy must do: copy bytes both ways. `scripts/bench passage` holds the recording
//! proxy of `trace-mock` against it.
//!
//! ```text
//! rustc -O scripts/copy.rs && ./copy 127.0.0.1:8000
//! ```
//!
//! Prints the address that it listens at. A thread for each way of each connection, which does
//! nothing but read and write: no runtime, no HTTP, no crates.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

fn main() -> io::Result<()> {
    let server = std::env::args().nth(1).unwrap_or_default();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on http://{}", listener.local_addr()?);
    for client in listener.incoming() {
        let (client, server) = (client?, TcpStream::connect(&server)?);
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let back = (server.try_clone()?, client.try_clone()?);
        thread::spawn(move || copy(client, server));
        thread::spawn(move || copy(back.0, back.1));
    }
    Ok(())
}

/// Until one of the two ends; then the other does.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // Either may be gone already.
    let _ = to.shutdown(Shutdown::Both);
}
