//! Who is connected, so that there is always room for one more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// All connections. When there are too many, the one that has been silent longest has to go: of those without a message in
/// the making where there is any.
pub(super) struct Registry {
    most: usize,
    began: Instant,
    next: AtomicU64,
    all: Mutex<HashMap<u64, Arc<Entry>>>,
}

/// One connection.
pub(super) struct Entry {
    began: Instant,
    /// Milliseconds from `began` to the last command.
    last: AtomicU64,
    is_busy: AtomicBool,
    /// Told to go.
    pub(super) leave: Notify,
}

impl Entry {
    /// A command came; `is_busy`: a message is in the making.
    pub(super) fn touch(&self, is_busy: bool) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
        self.is_busy.store(is_busy, Ordering::Relaxed);
    }
}

impl Registry {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            began: Instant::now(),
            next: AtomicU64::new(0),
            all: Mutex::default(),
        }
    }

    /// A new connection; another is told to go where there are too many.
    pub(super) fn enter(&self) -> (u64, Arc<Entry>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = Arc::new(Entry {
            began: self.began,
            last: AtomicU64::new(0),
            is_busy: AtomicBool::new(false),
            leave: Notify::new(),
        });
        entry.touch(false);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= self.most {
            let silent = all.iter().min_by_key(|(_, entry)| {
                (
                    entry.is_busy.load(Ordering::Relaxed),
                    entry.last.load(Ordering::Relaxed),
                )
            });
            if let Some(number) = silent.map(|(number, _)| *number)
                && let Some(entry) = all.remove(&number)
            {
                entry.leave.notify_one();
            }
        }
        all.insert(number, Arc::clone(&entry));
        (number, entry)
    }

    /// Sends everybody away: at once who has no message in the making, the others after `patience`.
    pub(super) async fn empty(&self, patience: Duration) {
        let end = Instant::now() + patience;
        loop {
            let is_over = Instant::now() >= end;
            let left = {
                let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
                let going = all
                    .values()
                    .filter(|entry| is_over || !entry.is_busy.load(Ordering::Relaxed));
                going.for_each(|entry| entry.leave.notify_one());
                all.len()
            };
            if left == 0 || is_over {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) fn leave(&self, number: u64) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_longest_and_has_nothing_in_the_making_makes_room() {
        let registry = Registry::new(2);
        let (_, busy) = registry.enter();
        busy.touch(true);
        std::thread::sleep(Duration::from_millis(3));
        let (idle, _) = registry.enter();
        let (newest, _) = registry.enter();
        let all = registry.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left: Vec<u64> = all.keys().copied().collect();
        left.sort_unstable();
        assert_eq!(left, [idle - 1, newest]);
    }
}
