//! What the estate has seen before.

use rustc_hash::FxHashMap;

use super::sketch::{Few, Frequency, mix};

/// What is remembered about one address, name, domain, account or signer.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Seen {
    /// When it was seen first and last, in seconds since 1970.
    pub first: u32,
    /// See `first`.
    pub last: u32,
    /// In how many messages.
    pub messages: u32,
    /// On how many days.
    pub days: u16,
    /// How many messages of the estate's people went to it.
    pub answered: u16,
    /// The distinct people who got mail from it or with it.
    pub recipients: Few,
    /// The distinct senders who are or use it.
    pub senders: Few,
}

/// What something is, of which the history keeps a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sender's address.
    Address,
    /// A display name.
    Name,
    /// A display name with its address.
    NamedAddress,
    /// The registrable domain of a sender.
    Domain,
    /// The registrable domain of what messages load or lead to.
    Infrastructure,
    /// A host of such.
    Host,
    /// An account at a mass-mail service.
    Account,
    /// The domain of a DKIM signature.
    Signer,
    /// A name, or a part of one, that senders bear.
    Claim,
    /// The registrable domain of what the messages of organisations load that write under their own names: its senders are their domains.
    Tenants,
}

/// Everything that the estate's mail has shown so far, in bounded memory: at most [`History::MOST`] records of
/// about 41 bytes, whatever the number of messages. It may be kept and continued.
///
/// When it is full, a quarter of the records goes: those seen in one message only first, then those not seen
/// for longest. What was forgotten looks new again; so after ten million messages a sender who wrote once,
/// long ago, may be called new.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct History {
    seen: FxHashMap<u64, Seen>,
    /// In how many senders' mail each feature occurs.
    pub frequency: Frequency,
    /// When the first message came.
    began: Option<u32>,
    /// How many messages came from outside.
    pub inbound: u64,
    /// How many messages the estate's people sent out: without any, nothing can be said about who answers whom.
    pub outbound: u64,
    /// How many records were forgotten.
    pub forgotten: u64,
}

impl History {
    /// The most records that are kept: hashbrown's load limit for 2^23 slots.
    pub const MOST: usize = (1 << 23) / 8 * 7;

    /// How many days before `now` the history begins.
    pub fn depth_days(&self, now: u32) -> f32 {
        let began = self.began.unwrap_or(now);
        now.saturating_sub(began) as f32 / DAY as f32
    }

    /// What is remembered about `value`.
    pub fn of(&self, kind: Kind, value: u64) -> Option<&Seen> {
        self.seen.get(&key(kind, value))
    }

    /// Adds a message: at `now`, `sender` used `value` in mail to `recipients`. Gives back what was remembered
    /// before: a record without messages where that is nothing.
    pub fn note(&mut self, kind: Kind, value: u64, now: u32, sender: u64, recipients: &[u64]) -> Seen {
        self.began.get_or_insert(now);
        self.make_room(Self::MOST);
        let seen = self.seen.entry(key(kind, value)).or_default();
        let before = *seen;
        if seen.messages == 0 {
            seen.first = now;
        }
        if seen.messages == 0 || now / DAY > seen.last / DAY {
            seen.days = seen.days.saturating_add(1);
        }
        seen.last = seen.last.max(now);
        seen.messages = seen.messages.saturating_add(1);
        seen.senders.insert(sender);
        for recipient in recipients {
            seen.recipients.insert(*recipient);
        }
        before
    }

    /// Adds that somebody of the estate wrote to `value`.
    pub fn note_answered(&mut self, kind: Kind, value: u64, now: u32) {
        self.began.get_or_insert(now);
        self.make_room(Self::MOST);
        let seen = self.seen.entry(key(kind, value)).or_default();
        seen.answered = seen.answered.saturating_add(1);
        seen.last = seen.last.max(now);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nothing was seen yet.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    fn make_room(&mut self, most: usize) {
        if self.seen.len() < most {
            return;
        }
        let before = self.seen.len();
        let mut once: Vec<u32> = Vec::new();
        let mut often: Vec<u32> = Vec::new();
        for seen in self.seen.values() {
            if is_one_off(seen) { &mut once } else { &mut often }.push(seen.last);
        }
        let to_go = most / 4;
        let once_limit = nth(&mut once, to_go);
        let often_limit = nth(&mut often, to_go.saturating_sub(once.len()));
        self.seen
            .retain(|_, seen| seen.last > if is_one_off(seen) { once_limit } else { often_limit });
        self.forgotten += (before - self.seen.len()) as u64;
    }
}

/// Seconds of a day.
pub(super) const DAY: u32 = 86_400;

fn is_one_off(seen: &Seen) -> bool {
    seen.messages <= 1 && seen.answered == 0
}

/// The time up to which `count` of `times` go; 0 where none are to go.
fn nth(times: &mut [u32], count: usize) -> u32 {
    if count == 0 || times.is_empty() {
        return 0;
    }
    let at = count.min(times.len()) - 1;
    *times.select_nth_unstable(at).1
}

const fn key(kind: Kind, value: u64) -> u64 {
    mix(value ^ (kind as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn remembers_days_and_people() {
        let mut history = History::default();
        assert_eq!(history.note(Kind::Address, 7, 100, 7, &[1]), Seen::default());
        history.note(Kind::Address, 7, 200, 7, &[2]);
        let before = history.note(Kind::Address, 7, DAY + 5, 7, &[1]);
        assert_eq!(
            (before.first, before.last, before.days, before.messages),
            (100, 200, 1, 2)
        );
        let seen = history.of(Kind::Address, 7).unwrap();
        assert_eq!((seen.days, seen.messages), (2, 3));
        assert!(history.of(Kind::Domain, 7).is_none());
    }

    #[test]
    fn forgets_what_came_once_and_long_ago_first() {
        let mut history = History::default();
        for value in 0..100_u64 {
            history.note(Kind::Address, value, 1_000 + value as u32, value, &[]);
            if value % 2 == 0 {
                history.note(Kind::Address, value, 2_000, value, &[]);
            }
        }
        history.make_room(100);
        assert_eq!(history.len(), 75);
        assert!(history.of(Kind::Address, 1).is_none());
        assert!(history.of(Kind::Address, 2).is_some());
        assert!(history.of(Kind::Address, 99).is_some());
        assert_eq!(history.forgotten, 25);
    }

    #[test]
    fn can_be_kept() {
        let mut history = History::default();
        history.note(Kind::Domain, 3, 100, 1, &[1, 2]);
        let kept = serde_json::to_string(&history.seen).unwrap();
        let back: FxHashMap<u64, Seen> = serde_json::from_str(&kept).unwrap();
        assert_eq!(back, history.seen);
    }
}
