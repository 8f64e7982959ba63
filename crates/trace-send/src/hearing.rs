//! When the pieces of an answer came, and how long they lay.
//!
//! The kernel knows best ([`trace_core::tcp`]), for it notes the time whoever runs.
//! Where it does not tell, the runtime noted when it learnt of a piece
//! ([`crate::arrival`]); what else follows in one go came when it was read.

use trace_core::time::Micros;

/// What was heard of one answer.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    last: Micros,
    read: Micros,
    lay: Option<Micros>,
    untold: bool,
}

/// What is known of when a piece came.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known {
    /// As the kernel says.
    pub told: Option<Micros>,
    /// When the runtime learnt of it.
    pub noted: Option<Micros>,
    /// When it was read.
    pub read: Micros,
}

impl Hearing {
    /// When a piece came of the answer to what was sent at `sent`.
    ///
    /// None came before that, nor before the piece before it; a time that
    /// says otherwise is not believed.
    pub(crate) fn note(&mut self, known: Known, sent: Micros) -> Micros {
        self.read = known.read;
        let possible = |at: &Micros| (sent..=known.read).contains(at);
        let told = known.told.filter(possible);
        self.untold |= told.is_none();
        if let Some(told) = told {
            let lay = known.read.saturating_sub(told);
            self.lay = self.lay.max(Some(lay));
        }
        let came = told.or(known.noted.filter(possible)).unwrap_or(known.read);
        self.last = came.max(self.last);
        self.last
    }

    /// When the last piece came.
    pub(crate) fn last(&self) -> Micros {
        self.last
    }

    /// When it was read.
    pub(crate) fn read(&self) -> Micros {
        self.read
    }

    /// The longest that a piece lay between coming and being read, where the
    /// kernel told when it came.
    pub(crate) fn lay(&self) -> Option<Micros> {
        self.lay
    }

    /// Whether a piece came of which the kernel did not tell when, so that its
    /// time is by when this process ran.
    pub(crate) fn is_untold(&self) -> bool {
        self.untold
    }

    /// Whether anything came.
    pub(crate) fn is_any(&self) -> bool {
        self.untold || self.lay.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(told: Option<u64>, noted: Option<u64>, read: u64) -> Known {
        Known {
            told: told.map(Micros::from_micros),
            noted: noted.map(Micros::from_micros),
            read: Micros::from_micros(read),
        }
    }

    #[test]
    fn the_kernel_knows_best_and_then_the_runtime() {
        let (mut hearing, sent) = (Hearing::default(), Micros::from_micros(100));
        let mut at = |known| hearing.note(known, sent).as_micros();
        assert_eq!(at(known(None, None, 200)), 200);
        assert_eq!(at(known(None, Some(250), 300)), 250);
        assert_eq!(at(known(Some(310), Some(350), 400)), 310);
        assert_eq!(hearing.lay(), Some(Micros::from_micros(90)));
        assert_eq!(hearing.last(), Micros::from_micros(310));
        assert!(hearing.is_untold(), "the first two pieces are");
    }

    #[test]
    fn an_answer_is_untold_if_a_piece_of_it_is() {
        let mut hearing = Hearing::default();
        assert!(!hearing.is_any() && !hearing.is_untold());
        hearing.note(known(Some(110), Some(150), 200), Micros::ZERO);
        assert!(hearing.is_any() && !hearing.is_untold());
        hearing.note(known(Some(310), None, 300), Micros::ZERO);
        assert!(hearing.is_untold(), "a time that cannot be is none");
    }

    #[test]
    fn a_time_that_cannot_be_is_not_believed() {
        let (mut hearing, sent) = (Hearing::default(), Micros::from_micros(100));
        let mut at = |known| hearing.note(known, sent).as_micros();
        assert_eq!(
            at(known(Some(99), Some(150), 200)),
            150,
            "before it was sent"
        );
        assert_eq!(
            at(known(Some(301), Some(302), 300)),
            300,
            "after it was read"
        );
        assert_eq!(
            at(known(Some(200), None, 400)),
            300,
            "before the one before"
        );
        assert_eq!(hearing.lay(), Some(Micros::from_micros(200)));
    }
}
