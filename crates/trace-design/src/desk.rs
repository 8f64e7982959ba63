//! The design on the desk: one, whichever tab draws on it.
//!
//! Every change has a number. A tab that draws on an earlier one is told so
//! and gets the newer design, so that neither overwrites the other unseen.

use std::sync::{Arc, Mutex, PoisonError};

/// The design and the number of its last change.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Counts changes, from 1.
    pub revision: u64,
    /// The design as JSON, as the page wrote it.
    pub design: Arc<str>,
}

/// Holds the newest design.
#[derive(Debug)]
pub(crate) struct Desk(Mutex<Sheet>);

impl Desk {
    /// A desk with `design` on it.
    pub(crate) fn new(design: &str) -> Self {
        Self(Mutex::new(Sheet {
            revision: 1,
            design: design.into(),
        }))
    }

    /// What lies on it.
    pub(crate) fn sheet(&self) -> Sheet {
        self.lock().clone()
    }

    /// Put `design`, made from revision `from`, in place of that one. Gives
    /// the number of the change.
    ///
    /// # Errors
    /// Another change came in between: what lies there now.
    pub(crate) fn put(&self, from: u64, design: &str) -> Result<u64, Sheet> {
        let mut sheet = self.lock();
        if sheet.revision != from {
            return Err(sheet.clone());
        }
        sheet.revision += 1;
        sheet.design = design.into();
        Ok(sheet.revision)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sheet> {
        // A sheet is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_an_old_design_is_refused_with_the_new_one() {
        let desk = Desk::new("a");
        assert_eq!(desk.put(1, "b").unwrap(), 2);
        let newer = desk.put(1, "c").unwrap_err();
        assert_eq!((newer.revision, &*newer.design), (2, "b"));
        assert_eq!(desk.put(newer.revision, "c").unwrap(), 3);
        assert_eq!(&*desk.sheet().design, "c");
    }
}
