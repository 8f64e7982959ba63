//! Only the latest of several questions is answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The latest question of each asker.
#[derive(Debug, Default)]
pub(crate) struct Latest(Mutex<HashMap<String, Arc<AtomicBool>>>);

/// One question. When a newer one comes from the same asker, or nobody waits
/// for the answer any more, its flag is set.
pub(crate) struct Ticket {
    latest: Arc<Latest>,
    asker: String,
    flag: Arc<AtomicBool>,
}

impl Latest {
    /// A new question of `asker`; the one before is not asked any more.
    pub(crate) fn ask(self: &Arc<Self>, asker: &str) -> Ticket {
        let flag = Arc::new(AtomicBool::new(false));
        let before = self.lock().insert(asker.to_owned(), Arc::clone(&flag));
        if let Some(before) = before {
            before.store(true, Ordering::Relaxed);
        }
        Ticket {
            latest: Arc::clone(self),
            asker: asker.to_owned(),
            flag,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<AtomicBool>>> {
        // A map is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Set when the answer is not wanted any more.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Relaxed);
        let mut questions = self.latest.lock();
        if questions
            .get(&self.asker)
            .is_some_and(|flag| Arc::ptr_eq(flag, &self.flag))
        {
            questions.remove(&self.asker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_question_ends_the_one_before_of_the_same_asker() {
        let latest = Arc::new(Latest::default());
        let (first, other) = (latest.ask("a"), latest.ask("b"));
        let second = latest.ask("a");
        let is_set = |ticket: &Ticket| ticket.flag().load(Ordering::Relaxed);
        assert!(is_set(&first) && !is_set(&other) && !is_set(&second));
        drop(first);
        assert!(!is_set(&second));
        let flag = second.flag();
        drop(second);
        assert!(flag.load(Ordering::Relaxed));
        drop(other);
        assert!(latest.lock().is_empty());
    }
}
