//! Which accounts did something within the last day, and when each did so last.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

/// Accounts remembered of one network; beyond, those that were quiet longest are forgotten.
const MAX_ACCOUNTS: usize = 50_000;

/// Accounts, each once, in the order of their last act. An act costs the logarithm of their number, however many acts
/// there were.
#[derive(Default)]
pub(super) struct Recent {
    /// When, and whether the account exists.
    last: FxHashMap<Arc<str>, (i64, bool)>,
    order: BTreeSet<(i64, Arc<str>)>,
    missing: usize,
}

impl Recent {
    /// `account`, which exists or not, acted at `now`.
    pub(super) fn push(&mut self, now: i64, account: &str, exists: bool) {
        let name: Arc<str> = match self.last.get_key_value(account) {
            Some((name, _)) => Arc::clone(name),
            None => account.into(),
        };
        self.forget(&name);
        self.missing += usize::from(!exists);
        self.last.insert(Arc::clone(&name), (now, exists));
        self.order.insert((now, name));
        if self.order.len() > MAX_ACCOUNTS {
            self.forget_first();
        }
    }

    /// Forgets those that last acted before `time`.
    pub(super) fn forget_before(&mut self, time: i64) {
        while self.order.first().is_some_and(|(at, _)| *at < time) {
            self.forget_first();
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// How many of them do not exist.
    pub(super) const fn missing(&self) -> usize {
        self.missing
    }

    /// How many last acted at `time` or later, counted up to `at_most`.
    pub(super) fn since(&self, time: i64, at_most: usize) -> usize {
        let recent = self.order.iter().rev().take(at_most);
        recent.take_while(|(at, _)| *at >= time).count()
    }

    /// Whether `account` is among them.
    pub(super) fn contains(&self, account: &str) -> bool {
        self.last.contains_key(account)
    }

    /// When the last of them acted.
    pub(super) fn newest(&self) -> Option<i64> {
        self.order.last().map(|(at, _)| *at)
    }

    fn forget(&mut self, account: &Arc<str>) {
        if let Some((at, exists)) = self.last.remove(account) {
            self.missing -= usize::from(!exists);
            self.order.remove(&(at, Arc::clone(account)));
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, account)) = self.order.first().cloned() {
            self.forget(&account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_counts_once_and_by_its_last_act() {
        let mut recent = Recent::default();
        recent.push(0, "a", true);
        recent.push(5, "b", false);
        recent.push(9, "a", true);
        assert_eq!((recent.len(), recent.missing()), (2, 1));
        assert_eq!(recent.since(6, 10), 1);
        assert_eq!(recent.since(5, 10), 2);
        assert_eq!(recent.since(0, 1), 1);
        recent.forget_before(6);
        assert!(recent.contains("a") && !recent.contains("b"));
        assert_eq!((recent.len(), recent.missing(), recent.newest()), (1, 0, Some(9)));
    }

    #[test]
    fn what_is_kept_of_one_network_is_bounded() {
        let mut recent = Recent::default();
        for now in 0..60_000 {
            recent.push(now, &now.to_string(), false);
        }
        assert_eq!((recent.len(), recent.missing()), (MAX_ACCOUNTS, MAX_ACCOUNTS));
        assert!(!recent.contains("0") && recent.contains("59999"));
    }
}
