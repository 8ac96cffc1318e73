//! Mail: one message's anatomy, and what can be seen only across messages.
//!
//! [`Anatomy::facts`] takes a message apart, one file per facet, and keeps what is small: [`Facts`]. All threads do
//! that at once, in any order. What depends on other messages comes after, over the facts in the order
//! of time.

mod attachment;
mod auth;
mod beacon;
mod bulk;
mod circle;
pub mod css;
pub mod dns;
#[cfg(test)]
mod facet_tests;
pub mod fields;
mod fold;
mod held;
mod hosts;
mod link;
mod links;
mod lists;
pub mod lookalike;
mod names;
pub mod page;
mod path;
mod prints;
mod reply;
pub mod score;
mod sender;
mod shape;
pub mod stream;
mod text;
pub mod token;
pub mod url;
mod wording;

use blackrod_model::mail::{Facts, Message, Part, PartRole, Signal, hash};
use blackrod_model::{Estate, Event, EvidenceId, clip};

use circle::Circle;
use page::Page;
use token::Derivations;

/// No more recipients of one message are kept.
const RECIPIENT_LIMIT: usize = 500;
/// Text of one message that rules and facets see.
const MAX_TEXT: usize = 64 << 10;
/// No more references of one message are kept.
const REFERENCE_LIMIT: usize = 100;

/// What taking messages apart needs to know: the estate, lists, tables. Immutable; shared by all threads.
pub struct Anatomy {
    circle: Circle,
    dns: Option<dns::Records>,
    tells_language: bool,
}

/// A message while it is looked at: what several facets need, worked out once.
pub struct View<'v> {
    /// The message.
    pub message: &'v Message<'v>,
    /// Everybody it went to, lower case, each once, those it was delivered to first.
    pub recipients: &'v [String],
    /// Its HTML parts, walked once.
    pub pages: &'v [Page],
    /// The HTML and SVG that is attached, or lies in messages within it, by name.
    pub attached: &'v [(String, Page)],
    /// What follows from the addresses of its recipients.
    pub derivations: Derivations<'v>,
    /// The text that a reader sees, at most 64 KiB of it.
    pub text: String,
}

impl Anatomy {
    /// For the people and domains of `estate`.
    pub fn new(estate: &Estate) -> Self {
        Self {
            circle: Circle::new(estate),
            dns: None,
            tells_language: false,
        }
    }

    /// Checks the origin of messages by these records too.
    #[must_use]
    pub fn with_dns(self, records: Option<dns::Records>) -> Self {
        Self { dns: records, ..self }
    }

    /// Tells the language of texts too, which costs half as much as all else together: for rules and people that ask for it.
    #[must_use]
    pub fn with_language(self, tells_language: bool) -> Self {
        Self {
            tells_language,
            ..self
        }
    }

    /// Whom the estate knows.
    fn circle(&self) -> &Circle {
        &self.circle
    }

    /// The anatomy of the message that `event` is; `None` where it is none.
    pub fn facts(&self, evidence: EvidenceId, event: &Event<'_>) -> Option<Facts> {
        self.facts_and_text(evidence, event).map(|(facts, _)| facts)
    }

    /// [`Anatomy::facts`], and the text that a reader of the message sees, at most 64 KiB of it.
    pub fn facts_and_text(&self, evidence: EvidenceId, event: &Event<'_>) -> Option<(Facts, String)> {
        let message = event.mail.as_deref()?;
        let recipients = recipients(message);
        let pages = held::pages(message);
        let attached = held::attached(message);
        let view = View {
            message,
            recipients: &recipients,
            pages: &pages,
            attached: &attached,
            derivations: Derivations::of(&recipients),
            text: text_of(message, &pages),
        };
        let mut facts = Facts {
            evidence,
            at: event.at,
            time: event.time,
            references: message
                .references
                .iter()
                .take(REFERENCE_LIMIT)
                .map(|id| hash(id))
                .collect(),
            ..Facts::default()
        };
        facts.recipients.extend_from_slice(view.recipients);
        path::look(self, &view, &mut facts);
        sender::look(self, &view, &mut facts);
        auth::look(self, &view, &mut facts);
        beacon::look(self, &view, &mut facts);
        link::look(self, &view, &mut facts);
        text::look(self, &view, &mut facts);
        prints::look(self, &view, &mut facts);
        wording::look(self, &view, &mut facts);
        shape::look(self, &view, &mut facts);
        bulk::look(self, &view, &mut facts);
        attachment::look(self, &view, &mut facts);
        reply::look(self, &view, &mut facts);
        Some((facts, view.text))
    }
}

/// The text that a reader sees: of the plain and of the HTML parts, in this order.
fn text_of(message: &Message<'_>, pages: &[Page]) -> String {
    let mut all = String::new();
    let plain = message
        .parts
        .iter()
        .filter(|part| part.role == PartRole::Text)
        .filter_map(Part::text);
    let shown = pages.iter().map(|page| page.text.as_str());
    for text in plain.chain(shown) {
        all.push_str(clip(text, MAX_TEXT.saturating_sub(all.len())));
        all.push('\n');
    }
    all
}

/// Everybody it went to, lower case, each once, those it was delivered to first.
fn recipients(message: &Message<'_>) -> Vec<String> {
    let named = message
        .to
        .iter()
        .chain(&message.cc)
        .map(|mailbox| &mailbox.address);
    let mut all: Vec<String> = Vec::new();
    for address in message.delivered_to.iter().chain(named).take(RECIPIENT_LIMIT) {
        let lower = address.trim().to_lowercase();
        if lower.contains('@') && !all.contains(&lower) {
            all.push(lower);
        }
    }
    all
}

/// Adds a signal; what was seen is cut to 300 bytes.
fn signal(facts: &mut Facts, code: &str, seen: &str) {
    facts.signals.push(Signal {
        code: code.to_owned(),
        seen: clip(seen, 300).to_owned(),
    });
}

/// Adds a signal where none with its code is there yet: for what may stand in a message a thousand times.
fn signal_once(facts: &mut Facts, code: &str, seen: &str) {
    if facts.signals.iter().all(|known| known.code != code) {
        signal(facts, code, seen);
    }
}

/// Whether a text begins so, in whatever case.
fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

/// A host and the names above it: `a.b.example`, `b.example`, `example`.
fn with_parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host.trim_end_matches('.')), |name: &&str| {
        name.split_once('.').map(|(_, parent)| parent)
    })
}

#[cfg(test)]
mod tests;
