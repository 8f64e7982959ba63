//! What the kernel says of when bytes came.
//!
//! Linux notes the time as a packet comes in, whoever runs then, and tells it
//! with the bytes (`SO_TIMESTAMPNS`). It is the wall clock that it goes by, so
//! its time is carried over by a pair of looks at both clocks. They only part
//! when the wall clock is set, which is checked with each read: a time from
//! before is not believed, and the pair is taken anew.

use nix::sys::socket::{ControlMessageOwned, MsgFlags, cmsg_space, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;

/// How far the clocks may seem to have parted between two looks at one and the
/// other. They are 0.1 µs apart unless something else runs in between.
const SLACK: Duration = Duration::from_micros(100);

/// Looks at both clocks before it is believed that they have parted.
const LOOKS: usize = 4;

/// Reads from a socket that is asked for times.
#[derive(Debug)]
pub(super) struct Stamps {
    anchor: Anchor,
}

/// The same moment by two clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Anchor {
    /// Since 1970, by the one that may be set.
    wall: Duration,
    /// By the one that is not.
    at: Instant,
}

/// Room for what the kernel says beside the bytes, aligned as it wants it.
#[repr(C, align(8))]
struct Aside([u8; cmsg_space::<TimeSpec>()]);

/// Ask for times on `socket`, or on each that is accepted there.
///
/// # Errors
/// As the socket says.
pub(super) fn turn_on(socket: &impl AsFd) -> io::Result<()> {
    Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
}

impl Stamps {
    /// Ask for times on `stream`; nothing where there are none.
    pub(super) fn ask(stream: &TcpStream) -> Option<Self> {
        turn_on(stream).ok()?;
        Some(Self {
            anchor: Anchor::now(),
        })
    }

    /// Read from `stream`, and when the last of those bytes came, if the
    /// kernel says so and can be believed.
    ///
    /// # Errors
    /// As the socket says.
    pub(super) fn receive(
        &mut self,
        stream: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<(usize, Option<Instant>)> {
        let mut aside = Aside([0; cmsg_space::<TimeSpec>()]);
        let mut room = [IoSliceMut::new(buffer)];
        let (flags, aside) = (MsgFlags::empty(), Some(aside.0.as_mut_slice()));
        let message = recvmsg::<()>(stream.as_raw_fd(), &mut room, aside, flags)?;
        let stamp = message
            .cmsgs()
            .ok()
            .and_then(|mut told| told.find_map(|told| time(&told)));
        let read = message.bytes;
        Ok((
            read,
            stamp.and_then(|stamp| self.instant(stamp, Anchor::look)),
        ))
    }

    /// `stamp` on the clock that nobody sets, unless the other was set since
    /// this was last asked. `look` looks at both.
    fn instant(&mut self, stamp: Duration, mut look: impl FnMut() -> Anchor) -> Option<Instant> {
        for _ in 0..LOOKS {
            let now = look();
            if self.anchor.agrees_with(&now) {
                return self.anchor.instant(stamp).map(|at| at.min(now.at));
            }
        }
        self.anchor = look();
        None
    }
}

/// The time in what the kernel says.
fn time(told: &ControlMessageOwned) -> Option<Duration> {
    let ControlMessageOwned::ScmTimestampns(time) = told else {
        return None;
    };
    let seconds = u64::try_from(time.tv_sec()).ok()?;
    Some(Duration::new(seconds, time.tv_nsec().try_into().ok()?))
}

impl Anchor {
    /// Now, the best of some looks.
    fn now() -> Self {
        let mut best: Option<(Duration, Self)> = None;
        for _ in 0..LOOKS {
            let before = Instant::now();
            let found = Self::look();
            let took = found.at - before;
            if best.is_none_or(|(least, _)| took < least) {
                best = Some((took, found));
            }
            if took < SLACK / 50 {
                break;
            }
        }
        best.map_or_else(Self::look, |(_, found)| found)
    }

    /// One clock, and then the other.
    fn look() -> Self {
        Self {
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            at: Instant::now(),
        }
    }

    /// `wall` on the other clock, as far as that reaches.
    fn instant(&self, wall: Duration) -> Option<Instant> {
        match wall.checked_sub(self.wall) {
            Some(later) => self.at.checked_add(later),
            None => self.at.checked_sub(self.wall - wall),
        }
    }

    /// Whether the clocks stood to each other then as here.
    fn agrees_with(&self, then: &Self) -> bool {
        let expected = self.instant(then.wall);
        expected.is_some_and(|at| at.max(then.at) - at.min(then.at) <= SLACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Duration = Duration::from_secs(1_700_000_000);
    const MS: Duration = Duration::from_millis(1);

    fn anchor() -> Anchor {
        Anchor {
            wall: NOON,
            at: Instant::now(),
        }
    }

    /// `anchor` after `time`, the wall clock having been set by `step` ms.
    fn after(anchor: Anchor, time: Duration, step: i64) -> Anchor {
        let wall = anchor.wall + time;
        let by = MS * u32::try_from(step.unsigned_abs()).unwrap();
        Anchor {
            wall: if step < 0 { wall - by } else { wall + by },
            at: anchor.at + time,
        }
    }

    #[test]
    fn a_time_of_the_wall_clock_is_carried_over() {
        let anchor = anchor();
        let mut stamps = Stamps { anchor };
        let told = stamps.instant(NOON + 7 * MS, || after(anchor, 60 * MS, 0));
        assert_eq!(told, Some(anchor.at + 7 * MS));
        // Bytes that came before the clocks were first looked at.
        let told = stamps.instant(NOON - 7 * MS, || after(anchor, 60 * MS, 0));
        assert_eq!(told, Some(anchor.at - 7 * MS));
        // None come later than they are read.
        let told = stamps.instant(NOON + 61 * MS, || after(anchor, 60 * MS, 0));
        assert_eq!(told, Some(anchor.at + 60 * MS));
    }

    #[test]
    fn no_time_is_believed_while_the_wall_clock_is_set() {
        for step in [-3_600_000, -1, 1, 3_600_000] {
            let anchor = anchor();
            let mut stamps = Stamps { anchor };
            // Whether it is from before the step or from after it, who knows.
            let told = stamps.instant(NOON + 7 * MS, || after(anchor, 60 * MS, step));
            assert_eq!(told, None, "{step}");
            let set = after(anchor, 70 * MS, step);
            let told = stamps.instant(set.wall, || after(anchor, 71 * MS, step));
            assert_eq!(told, Some(anchor.at + 70 * MS), "{step}");
        }
    }

    #[test]
    fn whoever_runs_between_two_looks_does_no_harm() {
        let anchor = anchor();
        let mut stamps = Stamps { anchor };
        let mut looks = 0;
        let told = stamps.instant(NOON + 7 * MS, || {
            looks += 1;
            let mut found = after(anchor, 10 * MS, 0);
            if looks < 3 {
                found.at += 5 * MS;
            }
            found
        });
        assert_eq!((told, looks), (Some(anchor.at + 7 * MS), 3));
    }
}
