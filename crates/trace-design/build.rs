//! Lists the files of the page, so that all of them are in the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let assets =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("assets");
    println!("cargo::rerun-if-changed={}", assets.display());
    let mut found = Vec::new();
    collect(&assets, "", &mut found)?;
    found.sort();
    let mut table = String::from("&[\n");
    for (name, path) in found {
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(
            table,
            "    ({name:?}, include_bytes!({path:?}).as_slice()),"
        )
        .expect("writing to a string");
    }
    table.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("assets.rs"), table)
}

/// The files under `folder`, by the names that a browser asks for.
fn collect(folder: &Path, before: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{before}{name}/"), found)?;
        } else {
            found.push((format!("{before}{name}"), entry.path()));
        }
    }
    Ok(())
}
