//! Real processes, connected by real pipes.
//!
//! [`tool`] names a binary of this workspace, [`Tool::pipe`] puts the next one
//! behind it, [`Pipe::run`] lets them run to their end. Whatever is then asked
//! of the [`Run`] fails with everything a person needs to repeat it: the
//! command line, each status, both streams, the files. [`Dir`] is a place for
//! files, [`Script`] a line for a shell, [`Server`] a `trace-mock` that runs until it is stopped.

mod background;
mod dir;
mod lines;
mod pipe;
mod process;
mod run;
mod script;
mod server;
mod tool;

pub(crate) use background::Background;
pub(crate) use dir::Dir;
pub(crate) use lines::{by_seq, number, records, truth};
pub(crate) use pipe::Pipe;
pub(crate) use run::Run;
pub(crate) use script::Script;
pub(crate) use server::Server;
pub(crate) use tool::{Tool, built, send, tool};

use std::path::Path;

/// The root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the checkout")
}

/// Every tool there is: each crate with a `main.rs`.
pub(crate) fn tools() -> Vec<String> {
    let crates = std::fs::read_dir(root().join("crates")).unwrap();
    let crates = crates.map(|entry| entry.unwrap());
    let mut names: Vec<String> = crates
        .filter(|krate| krate.path().join("src/main.rs").is_file())
        .map(|krate| krate.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The path of a fixture in `tests/data`.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name);
    assert!(path.is_file(), "no fixture {}", path.display());
    path.to_string_lossy().into_owned()
}
