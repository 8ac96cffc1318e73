//! How much of a mailbox was read: bounds, never one number.

use blackrod_model::{AccountAct, ActKind};
use rustc_hash::FxHashMap;

/// What was read of one mailbox by one account in one session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Messages that the log names one by one.
    pub(super) at_least: u64,
    /// Folders that were copied whole: how many messages they held is not in the log.
    pub(super) folders: u64,
    /// The log stopped counting: more was read than it says.
    pub(super) uncounted: bool,
}

impl Bounds {
    /// "at least 318 messages", "… and 2 whole folders", "… the log stopped counting".
    pub(super) fn words(self) -> Option<String> {
        if self == Self::default() {
            return None;
        }
        let mut words = format!("at least {} messages", self.at_least);
        if self.folders > 0 {
            words.push_str(&format!(" and {} folders whole, of unknown size", self.folders));
        }
        if self.uncounted {
            words.push_str("; the log stopped counting, so the true number is higher");
        }
        if self.folders == 0 && !self.uncounted {
            words.push_str(", and not many more as far as the log goes");
        }
        Some(words)
    }

    fn add(&mut self, other: Self) {
        self.at_least += other.at_least;
        self.folders += other.folders;
        self.uncounted |= other.uncounted;
    }
}

/// Mailbox reads by mailbox and session.
#[derive(Default)]
pub(super) struct Reading {
    by_mailbox: FxHashMap<String, FxHashMap<Option<String>, Bounds>>,
}

impl Reading {
    pub(super) fn push(&mut self, act: &AccountAct) {
        let read = match act.kind {
            ActKind::MailRead => Bounds {
                at_least: u64::from(act.items.max(1)),
                ..Bounds::default()
            },
            ActKind::MailSynchronised => Bounds {
                folders: u64::from(act.items.max(1)),
                ..Bounds::default()
            },
            ActKind::MailReadUncounted => Bounds {
                at_least: u64::from(act.items),
                uncounted: true,
                ..Bounds::default()
            },
            _ => return,
        };
        let mailbox = act.target.as_ref().unwrap_or(&act.user);
        let sessions = self.by_mailbox.entry(mailbox.clone()).or_default();
        sessions.entry(act.session.clone()).or_default().add(read);
    }

    /// What was read of this mailbox in this session; in all sessions where none is given.
    pub(super) fn of(&self, mailbox: &str, session: Option<&str>) -> Bounds {
        let mut sum = Bounds::default();
        for (in_session, bounds) in self.by_mailbox.get(mailbox).into_iter().flatten() {
            if session.is_none() || in_session.as_deref() == session {
                sum.add(*bounds);
            }
        }
        sum
    }
}
