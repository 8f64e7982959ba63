//! A place for the files of a test.

use super::{Tool, tool};
use flate2::{Compression, write::GzEncoder};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory that goes away with the test.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("trace-tools-").unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Put `bytes` into the file `name`.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Put `bytes` into the file `name`, packed as its ending says.
    pub(crate) fn write_packed(&self, name: &str, bytes: &[u8]) {
        let bytes = if name.ends_with(".gz") {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(bytes).unwrap();
            packed.finish().unwrap()
        } else if name.ends_with(".zst") {
            zstd::encode_all(bytes, 0).unwrap()
        } else {
            bytes.to_vec()
        };
        self.write(name, bytes);
    }

    /// Put the script `text` into the file `name`, to be run.
    pub(crate) fn write_program(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in here")).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }

    /// Put in all the files and folders of `other`.
    pub(crate) fn copy_from(&self, other: &Dir) {
        copy(other.0.path(), self.0.path());
    }

    /// The text of the file `name`.
    pub(crate) fn read(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.path(name));
        text.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The tool `name`, to be run here.
    pub(crate) fn tool(&self, name: &str) -> Tool {
        tool(name).within(self.0.path())
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
