//! The kernel's alarm as a file descriptor that the reactor watches.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

#[derive(Debug)]
pub(super) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    #[expect(
        deprecated,
        reason = "its successor is unsafe, for types whose descriptor may change; an OwnedFd's never does"
    )]
    pub(super) fn new() -> io::Result<Alarm> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        AsyncFd::with_interest(fd, Interest::READABLE).map(Alarm)
    }

    /// Go off at `deadline`, and no more at what was set before.
    pub(super) fn set(&self, deadline: Instant) {
        // Relative, since an `Instant` does not give its clock reading away: what passes
        // between `now` and the call makes it a little late, never early. Zero would switch
        // it off. The bound keeps a far deadline within what the kernel takes; going off
        // early for nobody only sets it again.
        let wait = deadline
            .saturating_duration_since(Instant::now())
            .clamp(Duration::from_nanos(1), Duration::from_secs(1 << 30));
        let wait = Timespec::try_from(wait).expect("it was bounded above");
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: wait,
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)
            .expect("a timerfd takes any time between a nanosecond and decades");
    }

    /// Wait until it has gone off. An error means that the runtime is ending.
    pub(super) async fn fired(&self) -> io::Result<()> {
        // The count of expirations is not read: setting it again resets that, and the
        // reactor is edge-triggered, so each expiration is seen once.
        self.0.readable().await?.clear_ready();
        Ok(())
    }
}
