//! How many files can be open at once.

/// Left for stdin, stdout, stderr, temporary files and what else is open.
const RESERVED: u64 = 32;

/// Raise the limit as far as it goes, and tell how many inputs can be open.
#[cfg(unix)]
pub(crate) fn open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // macOS has another limit below the one it tells.
        Err(_) => limit.current,
    };
    let free = now.unwrap_or(u64::MAX).saturating_sub(RESERVED);
    usize::try_from(free).unwrap_or(usize::MAX).max(2)
}

/// As many as the C library of Windows has room for.
#[cfg(not(unix))]
pub(crate) fn open_files() -> usize {
    512 - RESERVED as usize
}
