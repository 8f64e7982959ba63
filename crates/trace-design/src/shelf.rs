//! The folder that the page may load from and save to.
//!
//! It is opened once, and every name is looked up in it alone: names have no
//! slashes, links are not followed, and only plain files are read or replaced.

use crate::body::MOST_BYTES;
use crate::reply::Refusal;
use anyhow::Context;
use hyper::StatusCode;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Names that are listed.
const MOST_LISTED: usize = 1_000;

/// A folder of designs.
#[derive(Debug)]
pub(crate) struct Shelf {
    path: PathBuf,
    folder: OwnedFd,
}

impl Shelf {
    /// The folder at `path`.
    ///
    /// # Errors
    /// One that is not there, or is none.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty());
        let folder = folder.map_err(io::Error::from);
        Ok(Self {
            folder: folder.with_context(|| format!("cannot open {}", path.display()))?,
            path: path.to_owned(),
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The designs in it, by name.
    ///
    /// # Errors
    /// 500 for a folder that cannot be read.
    pub(crate) fn names(&self) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            let known = rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW);
            let plain = known.is_ok_and(|known| is_plain_file(&known));
            if plain && check(name).is_ok() && names.len() < MOST_LISTED {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The bytes of the design `name`.
    ///
    /// # Errors
    /// 403 for a name that is not plain or leads elsewhere, 404 for one that
    /// is not there, 413 for a file that is too large.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, Refusal> {
        check(name)?;
        // A pipe would keep whoever opens it waiting.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.folder, name, flags, Mode::empty());
        let file = file.map_err(|errno| match errno {
            Errno::LOOP => leads_elsewhere(name),
            Errno::NOENT => Refusal::missing(format_args!("there is no {name}")),
            errno => cannot(errno),
        })?;
        let known = rustix::fs::fstat(&file).map_err(cannot)?;
        if !is_plain_file(&known) {
            return Err(leads_elsewhere(name));
        }
        let mut bytes = Vec::new();
        let read = File::from(file)
            .take(MOST_BYTES as u64 + 1)
            .read_to_end(&mut bytes);
        read.map_err(Refusal::failed)?;
        if bytes.len() > MOST_BYTES {
            let reason = format!("{name} has more than {} MiB", MOST_BYTES >> 20);
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason));
        }
        Ok(bytes)
    }

    /// Put `bytes` into the design `name`, all of them or none.
    ///
    /// # Errors
    /// 403 for a name that is not plain or leads elsewhere, 500 for what
    /// cannot be written.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        check(name)?;
        match rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(known) if !is_plain_file(&known) => return Err(leads_elsewhere(name)),
            _ => {}
        }
        let beside = format!(".trace-design-{}", std::process::id());
        // One that an earlier write left behind, when the disk was full.
        let _ = rustix::fs::unlinkat(&self.folder, &beside, AtFlags::empty());
        let mut file = self.create(&beside).map_err(Refusal::failed)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_data());
        let moved = written.and_then(|()| {
            rustix::fs::renameat(&self.folder, &beside, &self.folder, name).map_err(Into::into)
        });
        moved.map_err(|error| {
            let _ = rustix::fs::unlinkat(&self.folder, &beside, AtFlags::empty());
            Refusal::failed(format_args!("cannot write {name}: {error}"))
        })
    }

    /// A new file `name`, which was not there before.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn create(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        Ok(rustix::fs::openat(&self.folder, name, flags, mode)?.into())
    }
}

/// See that `name` is that of a design: NAME.json or NAME.pkl, without any
/// character that leads elsewhere.
fn check(name: &str) -> Result<(), Refusal> {
    let ends = [".json", ".pkl"];
    let stem = ends.iter().find_map(|end| name.strip_suffix(end));
    let odd = |c: char| c == '/' || c == '\\' || c.is_control();
    if stem.is_none_or(str::is_empty)
        || name.starts_with('.')
        || name.contains(odd)
        || name.len() > 255
    {
        return Err(Refusal::forbidden(format_args!(
            "{name:?} is no plain name that ends in .json or .pkl"
        )));
    }
    Ok(())
}

fn is_plain_file(known: &rustix::fs::Stat) -> bool {
    FileType::from_raw_mode(known.st_mode) == FileType::RegularFile
}

fn leads_elsewhere(name: &str) -> Refusal {
    Refusal::forbidden(format_args!("{name} is no plain file"))
}

fn cannot(errno: Errno) -> Refusal {
    Refusal::failed(io::Error::from(errno))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_written_is_listed_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path()).unwrap();
        shelf.write("b ☃.json", b"one").unwrap();
        shelf.write("b ☃.json", b"two").unwrap();
        shelf.write("a.pkl", b"x").unwrap();
        assert_eq!(shelf.names().unwrap(), ["a.pkl", "b ☃.json"]);
        assert_eq!(shelf.read("b ☃.json").unwrap(), b"two");
        assert_eq!(shelf.read("c.json").unwrap_err().status, 404);
        // Nothing is left beside them.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        let secret = outside.path().join("secret.json");
        fs::write(&secret, "secret").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        symlink(&secret, inside("link.json")).unwrap();
        symlink(outside.path(), inside("folder.json")).unwrap();
        symlink("nowhere", inside("dangling.json")).unwrap();
        fs::create_dir(inside("sub.json")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            inside("pipe.json"),
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let shelf = Shelf::open(folder.path()).unwrap();
        let up = format!(
            "../{}/secret.json",
            outside.path().file_name().unwrap().to_str().unwrap()
        );
        for bad in [
            "link.json",
            "folder.json",
            "dangling.json",
            "sub.json",
            "pipe.json",
            &up,
            secret.to_str().unwrap(),
            "..",
            ".",
            "",
            ".json",
            ".hidden.json",
            "a/b.json",
            "a\\b.json",
            "a\0.json",
            "a\n.json",
            "a.txt",
            "a",
        ] {
            assert_eq!(shelf.read(bad).unwrap_err().status, 403, "{bad:?}");
            assert_eq!(shelf.write(bad, b"x").unwrap_err().status, 403, "{bad:?}");
        }
        assert!(shelf.names().unwrap().is_empty());
        assert_eq!(fs::read_to_string(secret).unwrap(), "secret");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    }
}
