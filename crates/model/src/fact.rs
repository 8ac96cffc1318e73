//! What detectors keep of a record, to judge it among others.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{EvidenceId, Position, Timestamp};

/// What a detector keeps of one record until all evidence has been read: small, and opaque to all but
/// the detector. The case stores facts and hands them back in the order of their times, whatever the
/// order in which evidence was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Which detector keeps it: [`Keep::KIND`].
    pub kind: &'static str,
    /// When the record's event happened.
    pub time: Timestamp,
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// The rest, in postcard's wire format.
    pub body: Vec<u8>,
}

/// Something that a detector keeps of a record.
pub trait Keep: Serialize + DeserializeOwned {
    /// The name of this kind in the case: `mail`, `process`. Kinds with a version change their name with it.
    const KIND: &'static str;

    /// The record: its evidence, its place, its time.
    fn record(&self) -> (EvidenceId, Position, Timestamp);
}

/// Most are not longer, in bytes; a body that grows step by step costs more than what it holds.
const USUAL_BODY: usize = 256;

impl Fact {
    /// `kept`, to be stored; `None` only where its own serialisation refuses it.
    pub fn of<K: Keep>(kept: &K) -> Option<Self> {
        let (evidence, at, time) = kept.record();
        let body = postcard::to_extend(kept, Vec::with_capacity(USUAL_BODY)).ok()?;
        Some(Self {
            kind: K::KIND,
            time,
            evidence,
            at,
            body,
        })
    }

    /// What was kept; `None` where it is of another kind or not whole.
    pub fn kept<K: Keep>(&self) -> Option<K> {
        if self.kind != K::KIND {
            return None;
        }
        postcard::from_bytes(&self.body).ok()
    }
}

impl Keep for crate::mail::Facts {
    const KIND: &'static str = "mail";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Sha256;
    use crate::mail::{Facts, Link};

    #[test]
    fn what_is_kept_comes_back() {
        let facts = Facts {
            evidence: EvidenceId::new(&Sha256::of(b"x"), "a.mbox"),
            at: Position { offset: 7, record: 2 },
            time: Timestamp::from_seconds(1_600_000_000),
            from: "anna@example.org".to_owned(),
            links: vec![Link {
                hidden: true,
                ..Link::default()
            }],
            ..Facts::default()
        };
        let fact = Fact::of(&facts).unwrap();
        assert_eq!(fact.kept::<Facts>(), Some(facts.clone()));
        assert_eq!(fact.time, facts.time);
        let unknown = Facts::default();
        assert_eq!(Fact::of(&unknown).unwrap().kept(), Some(unknown));

        let other = Fact {
            kind: "process",
            ..fact.clone()
        };
        assert_eq!(other.kept::<Facts>(), None);
        let cut = Fact {
            body: fact.body[..fact.body.len() / 2].to_vec(),
            ..fact
        };
        assert_eq!(cut.kept::<Facts>(), None);
    }
}
