//! Room for connections: each is a descriptor of the process.

/// How many descriptors room is made for at once; the table takes 8 bytes for
/// each.
#[cfg(unix)]
const ROOM: u64 = 65_536;

/// Raise the limit of open descriptors as far as allowed, and make room for
/// many now.
///
/// Linux lets the table of a process grow by doubling. Once threads share it,
/// each growth waits until every processor has passed a quiet point, and
/// whatever opens or accepts a connection stands still that long: 10 to 25 ms
/// were measured, at the 256th, the 512th and the 1024th connection. So this
/// is called before there are threads; it takes microseconds then.
///
/// Where the limit cannot be raised, or there is no such table, nothing
/// happens: opening a connection tells when there are too many.
pub fn prepare() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // If it is refused, the old limit serves fewer.
        let _ = setrlimit(Resource::Nofile, limit);
        let most = getrlimit(Resource::Nofile).current.unwrap_or(ROOM);
        let last = most.min(ROOM).saturating_sub(1);
        // The table grows to the number that is asked for, and never shrinks.
        if let Ok(last) = i32::try_from(last) {
            drop(rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), last));
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};
    use std::os::fd::AsRawFd;

    #[test]
    fn the_limit_is_what_is_allowed_and_nothing_stays_open() {
        super::prepare();
        super::prepare();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        let last = limit.current.unwrap_or(super::ROOM).min(super::ROOM) - 1;
        let last = i32::try_from(last).unwrap();
        let free = rustix::io::fcntl_dupfd_cloexec(std::io::stderr(), last).unwrap();
        assert_eq!(free.as_raw_fd(), last);
    }
}
