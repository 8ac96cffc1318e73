//! Senders who are not established here and whose mail can report back: what campaigns are made of.

use blackrod_model::mail::{Facts, Link, LinkRole, TextSketch};
use blackrod_model::{EvidenceId, Position, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::cluster::Marked;
use super::history::Seen;
use super::people::Recipient;
use crate::lookalike::registrable;

/// The number of a source among all that there were.
pub(super) type SourceId = u32;

/// The mail of one sender: of one account at a mass-mail service, else of one address; of an established sender, only
/// that which leads to a place new to the estate.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Its number.
    pub(super) id: SourceId,
    /// Names it.
    pub(super) key: u64,
    /// The hash of the registrable domain of its address.
    pub(super) home: u64,
    /// Whether that domain gives addresses to anybody.
    pub(super) home_is_shared: bool,
    /// When it wrote first and last.
    pub(super) first: u32,
    pub(super) last: u32,
    /// How many messages came.
    pub(super) messages: u32,
    /// The estate's people that it wrote to.
    pub(super) recipients: Vec<Recipient>,
    /// The hash of its mass-mail service.
    pub(super) service: Option<u64>,
    /// How improbable it is that an ordinary sender of that day is new: nats.
    pub(super) novelty: f64,
    /// What it was before this: an established sender, or none.
    pub(super) standing: Standing,
    /// How its name relates to its addresses.
    pub(super) relation: Relation,
    /// It bears a name or a domain that is surely taken for somebody else's.
    pub(super) is_borrowing: bool,
    /// What its messages show.
    pub(super) marked: Marked,
    /// Features that were compared already.
    pub(super) compared: FxHashSet<u64>,
    /// What it shares with others that alone was not enough.
    pub(super) near: FxHashMap<SourceId, Shared>,
    /// Its texts.
    pub(super) texts: Vec<TextSketch>,
    /// The cluster that it is in.
    pub(super) cluster: u32,
}

impl Source {
    /// Whether it writes something else each time rather than the same to all; none where it wrote too little to tell.
    pub(super) fn writes_anew(&self) -> Option<bool> {
        (self.messages >= 3).then_some(self.texts.len() >= 3)
    }
}

/// What two sources share: the weight of the strongest feature of each family.
pub(super) type Shared = Vec<(super::features::Family, f32)>;

/// What a sender was to the estate before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody here knew them.
    #[default]
    New,
    /// People here wrote to them.
    Answered,
    /// They have been writing for long, or are a partner by the estate file.
    Established,
}

/// How a display name relates to what carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Relation {
    /// There is no name, or none that could be found again.
    #[default]
    Unnamed,
    /// A word of the name is in the domain, the account or the hosts of its links.
    Owned,
    /// A word of the name is in the address before the `@` only.
    Local,
    /// Nothing of the name is anywhere.
    None,
}

/// What scoring needs of a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    pub(super) time: u32,
    /// The estate's people that it went to.
    pub(super) own: Vec<Recipient>,
    /// It has a header for leaving the list.
    pub(super) unsubscribe: bool,
    /// Something it leads to is the sender's own organisation's.
    pub(super) leads_home: bool,
    /// The heaviest of its signals that say it is in somebody else's name or look, and what was seen.
    pub(super) impersonation: Option<(f64, String)>,
    /// An indicator of compromise that it carries.
    pub(super) indicator: Option<String>,
    /// The hashes of the registrable domains that it loads from, with their hosts.
    pub(super) loads_from: Vec<(u64, String)>,
    /// The same of where its links lead that differ between recipients.
    pub(super) leads_to: Vec<(u64, String)>,
    /// The varying parts of what it loads: template with place, value.
    pub(super) tokens: Vec<(u64, u64)>,
    /// One of them follows from the recipient's address.
    pub(super) derived: bool,
}

/// What is kept of a message while it may become part of a campaign.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) evidence: EvidenceId,
    pub(super) at: Position,
    pub(super) time: Timestamp,
    pub(super) source: SourceId,
    pub(super) message_id: String,
    pub(super) from_name: String,
    pub(super) from: String,
    pub(super) recipients: Vec<String>,
    pub(super) subject: String,
    pub(super) links: Vec<KeptLink>,
}

impl Kept {
    /// What is kept of a message of `source`.
    pub(super) fn of(facts: &Facts, source: SourceId) -> Self {
        Self {
            evidence: facts.evidence,
            at: facts.at,
            time: facts.time,
            source,
            message_id: facts.message_id.clone(),
            from_name: facts.from_name.clone(),
            from: facts.from.clone(),
            recipients: facts.recipients.iter().take(64).cloned().collect(),
            subject: facts.subject.clone(),
            links: kept_links(facts),
        }
    }
}

/// A link of a kept message.
#[derive(Clone, Debug, Default)]
pub(super) struct KeptLink {
    pub(super) template: String,
    pub(super) role: LinkRole,
    /// Place, value, way of derivation.
    pub(super) tokens: Vec<(String, u64, Option<String>)>,
}

/// The most links that are kept of a message: what it loads comes first.
const LINKS: usize = 6;

/// The links worth keeping.
fn kept_links(facts: &Facts) -> Vec<KeptLink> {
    let is_remote = |role: LinkRole| move |link: &&Link| link.role == role && !link.host.is_empty();
    let beacons = facts.links.iter().filter(is_remote(LinkRole::Beacon));
    let others = facts.links.iter().filter(is_remote(LinkRole::Click));
    let forms = facts.links.iter().filter(is_remote(LinkRole::Form));
    beacons
        .chain(forms)
        .chain(others)
        .take(LINKS)
        .map(|link| KeptLink {
            template: link.template.clone(),
            role: link.role,
            tokens: link
                .tokens
                .iter()
                .take(6)
                .map(|token| (token.place.clone(), token.value, token.derived.clone()))
                .collect(),
        })
        .collect()
}

/// The registrable domain of a host, or the host where it has none.
pub(super) fn organisation_domain(host: &str) -> &str {
    registrable(host).unwrap_or(host)
}

/// How long a sender must have been writing to count as established, in days.
const ESTABLISHED_DAYS: u32 = 21;

/// What a sender is, from what is remembered about the address.
pub(super) fn standing(address: &Seen, is_partner: bool, now: u32) -> Standing {
    let age = now.saturating_sub(address.first) / super::history::DAY;
    if is_partner || (address.messages > 0 && age >= ESTABLISHED_DAYS) {
        return Standing::Established;
    }
    if address.answered > 0 {
        Standing::Answered
    } else {
        Standing::New
    }
}

/// How the display name of a message relates to its address, account and links.
///
/// A name of several parts (`Anna Berg | Daily Courier`) is related where any is to the domain or the account; where only
/// the person's is found, in the address, the organisation is claimed by nothing but the name.
pub(super) fn relation(facts: &Facts) -> Relation {
    let parts: Vec<Relation> = super::claims::parts(&facts.from_name)
        .iter()
        .map(|part| relation_of_part(part, facts))
        .filter(|relation| *relation != Relation::Unnamed)
        .collect();
    let has = |relation: Relation| parts.contains(&relation);
    match () {
        () if parts.is_empty() => relation_of_part(&facts.from_name, facts),
        () if has(Relation::Owned) => Relation::Owned,
        () if has(Relation::None) => Relation::None,
        () => Relation::Local,
    }
}

fn relation_of_part(part: &str, facts: &Facts) -> Relation {
    let name: Vec<String> = part
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(12)
        .map(str::to_lowercase)
        .collect();
    let mut wanted: Vec<String> = name
        .iter()
        .filter(|word| word.chars().count() >= 4 && !is_filler(word))
        .cloned()
        .collect();
    let initials: String = name.iter().filter_map(|word| word.chars().next()).collect();
    if initials.len() >= 3 {
        wanted.push(initials);
    }
    wanted.extend(
        name.iter()
            .filter(|word| word.len() == 3 && !is_filler(word))
            .cloned(),
    );
    if wanted.is_empty() {
        return Relation::Unnamed;
    }
    let (local, domain) = facts.from.rsplit_once('@').unwrap_or((facts.from.as_str(), ""));
    let links = facts.links.iter().take(24).map(|link| link.domain.as_str());
    let signers = facts.authentication.signers.iter().map(String::as_str);
    let account = facts.bulk.account.as_deref().into_iter();
    let list = facts.bulk.list.as_deref().into_iter();
    let mut places = std::iter::once(domain)
        .chain(account)
        .chain(list)
        .chain(signers)
        .chain(links);
    if places.any(|place| wanted.iter().any(|word| is_in(word, place))) {
        return Relation::Owned;
    }
    if wanted.iter().any(|word| is_in(word, local)) {
        Relation::Local
    } else {
        Relation::None
    }
}

/// Short words count only as a label's beginning: `ngo` is in many words.
fn is_in(word: &str, place: &str) -> bool {
    if word.len() >= 4 {
        return place.contains(word);
    }
    place.split(['.', '-', '_']).any(|label| label.starts_with(word))
}

/// Words of names that say nothing about whose they are.
fn is_filler(word: &str) -> bool {
    const FILLERS: [&str; 32] = [
        "news",
        "newsletter",
        "team",
        "info",
        "information",
        "office",
        "press",
        "media",
        "service",
        "services",
        "support",
        "mail",
        "daily",
        "weekly",
        "update",
        "updates",
        "online",
        "digest",
        "alerts",
        "alert",
        "from",
        "your",
        "with",
        "and",
        "the",
        "for",
        "via",
        "int",
        "international",
        "global",
        "desk",
        "editor",
    ];
    FILLERS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation_of(name: &str, from: &str) -> Relation {
        relation(&Facts {
            from_name: name.to_owned(),
            from: from.to_owned(),
            ..Facts::default()
        })
    }

    #[test]
    fn names_are_looked_for_where_they_would_be() {
        assert_eq!(
            relation_of("China Policy Forum", "info@chinaforum.example"),
            Relation::Owned
        );
        assert_eq!(
            relation_of("Union for Clean Rivers", "post@ufcr.example"),
            Relation::Owned
        );
        assert_eq!(
            relation_of("Anna Berg", "anna.berg@mail.example"),
            Relation::Local
        );
        assert_eq!(
            relation_of("Global Times News", "k71@sender.example"),
            Relation::None
        );
        assert_eq!(relation_of("", "k71@sender.example"), Relation::Unnamed);
        // The person is in the address, the newspaper is nowhere but in the name.
        assert_eq!(
            relation_of("Anna Berg | Daily Courier", "anna.berg@mail.example"),
            Relation::None
        );
        assert_eq!(
            relation_of("Anna Berg | Daily Courier", "anna.berg@dailycourier.example"),
            Relation::Owned
        );
        assert_eq!(relation_of("The News", "k71@sender.example"), Relation::Unnamed);
    }

    #[test]
    fn who_wrote_for_weeks_is_established() {
        let seen = Seen {
            first: 1_000,
            messages: 3,
            ..Seen::default()
        };
        assert_eq!(standing(&seen, false, 1_000 + 30 * 86_400), Standing::Established);
        assert_eq!(standing(&seen, false, 1_000 + 86_400), Standing::New);
        assert_eq!(standing(&Seen::default(), true, 5), Standing::Established);
        assert_eq!(standing(&Seen::default(), false, 5), Standing::New);
    }
}
