//! Mail: one message's anatomy, and what can be seen only across messages.
//!
//! [`Anatomy::facts`] takes a message apart, one file per facet, and keeps what is small: [`Facts`]. All threads do
//! that at once, in any order. What depends on other messages comes after, over the facts in the order
//! of time.

pub mod page;

use blackrod_model::mail::{Facts, Message};
use blackrod_model::{Estate, Event, EvidenceId};

use page::Page;

/// What taking messages apart needs to know: the estate, lists, tables. Immutable; shared by all threads.
pub struct Anatomy {
    estate: Estate,
}

/// A message while it is looked at: what several facets need, worked out once.
pub struct View<'v> {
    /// The message.
    pub message: &'v Message<'v>,
    /// Everybody it went to, lower case, each once, those it was delivered to first.
    pub recipients: &'v [String],
    /// Its HTML parts, walked once.
    pub pages: &'v [Page],
}

impl Anatomy {
    /// For the people and domains of `estate`.
    pub fn new(estate: &Estate) -> Self {
        Self {
            estate: estate.clone(),
        }
    }

    /// The anatomy of the message that `event` is; `None` where it is none.
    pub fn facts(&self, evidence: EvidenceId, event: &Event<'_>) -> Option<Facts> {
        let message = event.mail.as_deref()?;
        let recipients: Vec<String> = Vec::new();
        let pages: Vec<Page> = Vec::new();
        let view = View {
            message,
            recipients: &recipients,
            pages: &pages,
        };
        let mut facts = Facts {
            evidence,
            at: event.at,
            time: event.time,
            ..Facts::default()
        };
        facts.recipients.extend_from_slice(view.recipients);
        let _ = &self.estate;
        Some(facts)
    }
}
