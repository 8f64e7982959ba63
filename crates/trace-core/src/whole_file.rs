//! Files that are whole or not there.
//!
//! What is written goes to a file beside the one that was asked for, which
//! takes its name when all of it is written. So a reader never meets half a
//! file, and whoever fails half way leaves the file of the last time as it was.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that takes its name when it is finished; dropped before that, it
/// leaves nothing behind.
///
/// A device, a pipe, or a file in a folder that takes no new ones is written in
/// place: there the name cannot change hands.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    /// Where it is written and what it will be called, unless in place.
    names: Option<(PathBuf, PathBuf)>,
}

impl WholeFile {
    /// Begin the file `path`.
    ///
    /// # Errors
    ///
    /// A file that cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Behind a link, the file is replaced and not the link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let before = fs::metadata(&path).ok();
        let in_place = |path: &Path| {
            let file = File::create(path)?;
            Ok(Self { file, names: None })
        };
        if before.as_ref().is_some_and(|before| !before.is_file()) {
            return in_place(&path);
        }
        let beside = beside(&path);
        let file = match File::create(&beside) {
            Ok(file) => file,
            Err(error) if before.is_some() && error.kind() == io::ErrorKind::PermissionDenied => {
                return in_place(&path);
            }
            Err(error) => return Err(error),
        };
        let whole = Self {
            file,
            names: Some((beside, path)),
        };
        if let Some(before) = before {
            whole.file.set_permissions(before.permissions())?;
        }
        Ok(whole)
    }

    /// Give the file its name.
    ///
    /// # Errors
    ///
    /// A file that cannot be renamed.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        match self.names.take() {
            Some((beside, path)) => fs::rename(&beside, path).inspect_err(|_| {
                // The first error is the one to tell.
                fs::remove_file(&beside).ok();
            }),
            None => Ok(()),
        }
    }

    /// Write the file `path` as a whole.
    ///
    /// # Errors
    ///
    /// Those of making, writing and renaming it.
    pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes)?;
        file.finish()
    }
}

/// The name while it is written: two processes do not share it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some((beside, _)) = self.names.take() {
            // Nobody is left to be told.
            fs::remove_file(beside).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_its_name_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"{").unwrap();
        assert!(!path.exists());
        file.write_all(b"}").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn one_that_is_given_up_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        WholeFile::write(&path, b"old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_modes_and_devices_stay_what_they_are() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let link = folder.path().join("link.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        WholeFile::write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        WholeFile::write(Path::new("/dev/null"), b"gone").unwrap();
    }
}
