//! What can be seen only across messages: history, campaigns, anomalies.
//!
//! [`Stream`] takes [`Facts`] in the order of time and judges each against what came before it. Nothing else goes into
//! the judgement, so the same messages in the same order always come to the same.

mod campaign;
mod claims;
mod das;
mod features;
pub mod history;
mod lateral;
mod link;
mod outcome;
mod people;
pub mod sketch;
mod source;
mod tokens;

#[cfg(test)]
mod tests;

use blackrod_model::mail::{AuthResult, Facts, Fired, Link, LinkRole, MailCampaign, Term, hash};
use blackrod_model::{Estate, Finding};

use crate::mail::circle::Circle;
use crate::mail::lists::Lists;
use crate::mail::score::Weights;
use campaign::Surroundings;
use claims::Claims;
use das::Das;
use features::Feature;
use history::{DAY, History, Kind, Seen};
use lateral::{Inside, Lateral};
use link::{Sources, Weighed};
use outcome::Alerts;
use people::{People, Recipient};
use sketch::mix;
use source::{Marks, Source, SourceId, Standing};

pub use outcome::{LATERAL, RECONNAISSANCE, SPEAR};

/// What the detectors of this module find and miss.
pub const EXPLAIN: &str = include_str!("explain.md");

/// The groups of signals that say a message is in somebody else's name or look.
const BORROWED: [&str; 3] = ["identity", "lookalike", "free-mail"];
/// Senders from which on a place is shared by all and ties nobody.
const SHARED: f32 = 25.0;
/// What a message loads, as far as it is compared.
const BEACONS: usize = 8;
/// The numbers of recipients at which it is asked whether a source writes to a circle.
const TARGETS_ASKED_AT: [usize; 8] = [2, 3, 4, 5, 7, 10, 15, 24];

/// How much is reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The most messages that are called spear-phishing, and the most called lateral phishing, of one day.
    pub alerts_per_day: usize,
    /// The score from which a cluster of messages is a campaign, in nats.
    pub threshold: f64,
    /// The score from which one message is reported by itself, in nats.
    pub message_threshold: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            alerts_per_day: 3,
            threshold: 9.4,
            message_threshold: 5.0,
        }
    }
}

/// Messages in the order of time.
pub struct Stream<'e> {
    options: Options,
    weights: Weights,
    lists: Lists,
    history: History,
    people: People<'e>,
    sources: Sources,
    spoofers: Das,
    strangers: Das,
    lateral: Lateral,
    alerts: Alerts,
    claims: Claims,
    arrivals: Arrivals,
    senders: u64,
    clock: u32,
    own: Vec<Recipient>,
    features: Vec<Feature>,
}

/// What is thought of one message by itself and against what came before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// The sum of the weights of `reasons`, in nats: hostile against ordinary mail.
    pub score: f32,
    /// What it is made of, heaviest first.
    pub reasons: Vec<Term>,
}

/// What all messages come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Messages that one operation is judged to have sent, in the order in which they were first called so.
    pub campaigns: Vec<MailCampaign>,
    /// The same as findings, one for each message, and messages that stand out alone.
    pub findings: Vec<Finding>,
}

/// What was remembered of a message's traits before it came.
struct Before {
    address: Seen,
    name: Seen,
    named_address: Seen,
    domain: Seen,
    /// The place it leads to or loads from that is known least: its hash and what was known.
    least_known: Option<(u64, Seen)>,
    /// How many senders use the commonest place that it loads from, and that place.
    commonest: Option<(u64, f32)>,
    /// The name or the domain is taken for somebody else's: how much that says, and what was seen.
    claim: Option<(f64, String)>,
}

/// Of the places that a message loads from or leads to: the one known least, with what was known, and of those that it
/// loads from the one that most senders use.
#[derive(Default)]
struct Places {
    least_known: Option<(u64, Seen)>,
    commonest: Option<(u64, f32)>,
}

impl<'e> Stream<'e> {
    /// For the people and domains of `estate`.
    pub fn new(estate: &'e Estate, options: Options) -> Self {
        Self::with_history(estate, options, History::default())
    }

    /// Continues from what an earlier stream had seen.
    pub fn with_history(estate: &'e Estate, options: Options, history: History) -> Self {
        Self {
            options,
            weights: Weights::load(),
            lists: Lists::load(),
            history,
            people: People::new(estate),
            sources: Sources::default(),
            spoofers: Das::default(),
            strangers: Das::default(),
            lateral: Lateral::default(),
            alerts: Alerts::new(options.alerts_per_day),
            claims: Claims::default(),
            arrivals: Arrivals::default(),
            senders: 0,
            clock: 0,
            own: Vec::new(),
            features: Vec::new(),
        }
    }

    /// What has been seen so far.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Judges a message. They must come in the order of their times, those of one time in the order of evidence and position;
    /// one without a time is taken to have come when the one before it did.
    pub fn push(&mut self, facts: &Facts) -> Judged {
        let now = facts
            .time
            .seconds()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(self.clock)
            .max(self.clock);
        self.clock = now;
        self.sources.sweep(now);
        let mut own = std::mem::take(&mut self.own);
        own.clear();
        self.people.own(&facts.recipients, &mut own);
        let judged = if self.is_inside(facts) {
            self.push_inside(facts, &own, now)
        } else {
            self.push_outside(facts, &own, now)
        };
        self.own = own;
        judged
    }

    /// What all messages come to. At the end of the evidence.
    pub fn finish(mut self) -> Outcome {
        let (clusters, sources) = self.sources.into_clusters();
        let mut campaigns = Vec::new();
        for cluster in clusters {
            let Some(fired) = cluster.fired.clone() else {
                continue;
            };
            let mut around = Surroundings {
                sources: &|id| sources.get(&id),
                history: &self.history,
                people: &mut self.people,
            };
            let scored = campaign::score(&cluster, &mut around, true).unwrap_or_default();
            campaigns.push(outcome::campaign(&cluster, scored, fired, &sources));
        }
        campaigns.sort_by(|a, b| (a.fired.time, &a.key).cmp(&(b.fired.time, &b.key)));
        let mut findings: Vec<Finding> = campaigns.iter().flat_map(outcome::findings).collect();
        findings.extend(self.alerts.into_findings());
        Outcome { campaigns, findings }
    }

    /// From a person or machine of the estate, as far as anybody can tell.
    fn is_inside(&self, facts: &Facts) -> bool {
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let is_forged = facts.authentication.dmarc == AuthResult::Fail
            || facts.authentication.spf == AuthResult::Fail
            || facts
                .signals
                .iter()
                .any(|signal| signal.code == "auth/own-domain-from-outside");
        self.people.is_own_domain(domain) && !is_forged
    }

    fn push_inside(&mut self, facts: &Facts, own: &[Recipient], now: u32) -> Judged {
        let sender = hash(&facts.from);
        for recipient in &facts.recipients {
            let domain = recipient.rsplit_once('@').map_or("", |(_, domain)| domain);
            if !self.people.is_own_domain(domain) {
                self.history.outbound += 1;
                self.history.note_answered(Kind::Address, hash(recipient), now);
            }
        }
        if (4..=100).contains(&own.len()) {
            let mut set = own.to_vec();
            set.sort_unstable();
            let thread = set.iter().fold(0, |all, one| mix(all ^ u64::from(*one)));
            self.people.note(thread, own, now);
        }
        let least_known = self.note_places(facts, sender, &[], now).least_known;
        let is_watched = self.history.depth_days(now) > 14.0;
        let inside = Inside {
            sender,
            now,
            recipients: &facts.recipients,
            least_known_days: least_known.map(|(_, seen)| known_days(&seen, now)),
            is_watched,
            has_attachment: !facts.attachments.is_empty(),
        };
        let unusual = self.lateral.look(&inside);
        let scored = self.weights.score(facts);
        let is_unusual = !unusual.is_empty();
        let mut judged = Judged::new(scored.terms, scored.score);
        judged.add(unusual);
        if is_unusual && f64::from(judged.score) >= self.options.message_threshold {
            self.alerts.note(outcome::LATERAL, facts, &judged, now);
        }
        judged
    }

    fn push_outside(&mut self, facts: &Facts, own: &[Recipient], now: u32) -> Judged {
        self.history.inbound += 1;
        let before = self.note_outside(facts, own, now);
        let scored = self.weights.score(facts);
        let signals = scored.score;
        let mut judged = Judged::new(scored.terms, scored.score);
        judged.add(self.surprise(facts, &before, signals, now));
        if f64::from(judged.score) >= self.options.message_threshold && !own.is_empty() {
            self.alerts.note(outcome::SPEAR, facts, &judged, now);
        }
        if own.is_empty() || !is_trackable(facts, signals) {
            return judged;
        }
        let identity = identity(facts);
        let is_new_today = before.address.messages == 0 || before.address.last / DAY < now / DAY;
        self.arrivals
            .note(before.address.messages == 0, is_new_today, now);
        self.senders += u64::from(before.address.messages == 0);
        self.people.note(identity, own, now);
        self.as_source(facts, own, &before, identity, now);
        judged
    }

    /// Remembers what a message shows; gives back what was known of it before.
    fn note_outside(&mut self, facts: &Facts, own: &[Recipient], now: u32) -> Before {
        let sender = hash(&facts.from);
        let recipients: Vec<u64> = own.iter().take(64).map(|one| u64::from(*one)).collect();
        let name = hash(&facts.from_name);
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut note = |kind: Kind, value: u64| self.history.note(kind, value, now, sender, &recipients);
        let before = Before {
            address: note(Kind::Address, sender),
            name: if facts.from_name.is_empty() {
                Seen::default()
            } else {
                note(Kind::Name, name)
            },
            named_address: note(Kind::NamedAddress, mix(name) ^ sender),
            domain: note(Kind::Domain, hash(source::organisation_domain(domain))),
            least_known: None,
            commonest: None,
            claim: None,
        };
        if let Some(account) = &facts.bulk.account {
            note(Kind::Account, hash(account));
        }
        for signer in facts.authentication.signers.iter().take(2) {
            note(Kind::Signer, hash(signer));
        }
        let home = source::organisation_domain(domain);
        let claim = match facts.from_name.is_empty() {
            true => None,
            false => self
                .claims
                .note(facts, home, &before.domain, &mut self.history, &recipients, now),
        };
        let places = self.note_places(facts, sender, &recipients, now);
        Before {
            least_known: places.least_known,
            commonest: places.commonest,
            claim,
            ..before
        }
    }

    /// Remembers the places that a message loads from or leads to.
    fn note_places(&mut self, facts: &Facts, sender: u64, recipients: &[u64], now: u32) -> Places {
        let mut done: Vec<u64> = Vec::new();
        let mut places = Places::default();
        for link in facts
            .links
            .iter()
            .filter(|link| !link.domain.is_empty() && link.role != LinkRole::Unsubscribe)
        {
            let domain = hash(&link.domain);
            if done.len() >= 6 || done.contains(&domain) {
                continue;
            }
            done.push(domain);
            let seen = self
                .history
                .note(Kind::Infrastructure, domain, now, sender, recipients);
            if places
                .least_known
                .is_none_or(|(_, known)| known_days(&seen, now) < known_days(&known, now))
            {
                places.least_known = Some((domain, seen));
            }
            let senders = seen.senders.count();
            if link.role == LinkRole::Beacon && places.commonest.is_none_or(|(_, most)| senders > most) {
                places.commonest = Some((domain, senders));
            }
        }
        places
    }

    /// What the anomaly detectors say of a message from outside.
    fn surprise(&mut self, facts: &Facts, before: &Before, signals: f64, now: u32) -> Vec<Term> {
        let has_load = !facts.links.is_empty() || !facts.attachments.is_empty();
        if !has_load {
            return Vec::new();
        }
        let place = before
            .least_known
            .map_or(f32::MIN, |(_, seen)| -known_days(&seen, now));
        let days = |seen: &Seen| f32::from(seen.days);
        let spoofer = [
            days(&before.name),
            -days(&before.named_address),
            place,
            signals as f32,
        ];
        let stranger = [-days(&before.name), -days(&before.address), place, signals as f32];
        let mut terms = Vec::new();
        let is_new = before.address.messages == 0;
        let is_spoofer = before.name.messages > 0 && before.named_address.messages == 0;
        let found = if is_spoofer {
            Some((
                self.spoofers.surprise(&spoofer),
                "history/known-name-new-address",
                "a name known here comes with an address it never had",
            ))
        } else if is_new {
            Some((
                self.strangers.surprise(&stranger),
                "history/stranger",
                "the sender, and what the message leads to, are newer here than others' are",
            ))
        } else {
            None
        };
        if let Some((weight, code, words)) = found.filter(|(weight, ..)| *weight > 0.2) {
            terms.push(Term {
                code: code.to_owned(),
                weight: weight.min(3.0),
                words: words.to_owned(),
                innocent: "somebody who writes for the first time, or has a new address".to_owned(),
            });
        }
        if !facts.from_name.is_empty() {
            self.spoofers.note(spoofer, now);
        }
        self.strangers.note(stranger, now);
        terms
    }

    /// Follows the message as part of a source that may be part of a campaign.
    fn as_source(&mut self, facts: &Facts, own: &[Recipient], before: &Before, identity: u64, now: u32) {
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut found = std::mem::take(&mut self.features);
        found.clear();
        let services = &self.lists.services;
        let history = &self.history;
        let is_common = |domain: &str| {
            history
                .of(Kind::Infrastructure, hash(domain))
                .is_some_and(|seen| seen.senders.count() >= SHARED)
        };
        let is_shared = |link: &Link| {
            is_common(&link.domain)
                || services
                    .iter()
                    .any(|service| Circle::is_one_of(&link.host, &service.hosts))
        };
        features::of(facts, &is_shared, &mut found);
        let weighed: Vec<Weighed> = found
            .iter()
            .map(|feature| Weighed {
                feature: *feature,
                senders: self
                    .history
                    .frequency
                    .note(feature.value, identity, i64::from(now)),
            })
            .collect();
        self.features = found;
        let is_partner = self.people.is_partner(domain);
        let standing = source::standing(&before.address, is_partner, now);
        let key = match (standing, before.least_known) {
            (Standing::New | Standing::Answered, _) => identity,
            (Standing::Established, Some((place, seen)))
                if known_days(&seen, now) < 14.0 && seen.senders.count() < 8.0 =>
            {
                mix(identity ^ place)
            }
            (Standing::Established, _) => return,
        };
        let id = match self.sources.find(key) {
            Some(id) => id,
            None => {
                let source = self.new_source(facts, before, key, standing, now);
                self.sources.add(source)
            }
        };
        if let Some(source) = self.sources.get_mut(id) {
            link::keep_text(source, &facts.text);
        }
        let marks = self.marks(facts, own, before, now);
        self.sources.receive(id, &marks, facts);
        let mut weighed = weighed;
        weighed.extend(self.target(id, now));
        self.sources.compare(id, &weighed, self.senders as f64);
        self.rescore(id, now, facts);
    }

    fn new_source(&self, facts: &Facts, before: &Before, key: u64, standing: Standing, now: u32) -> Source {
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let home = source::organisation_domain(domain);
        Source {
            key,
            home: hash(home),
            home_is_shared: self.lists.free_mail.contains(home) || before.domain.senders.count() > 8.0,
            first: now,
            last: now,
            messages: 0,
            recipients: Vec::new(),
            service: service(facts, before),
            novelty: self.arrivals.novelty(),
            standing,
            relation: source::relation(facts),
            compared: Default::default(),
            near: Default::default(),
            texts: Vec::new(),
            cluster: 0,
        }
    }

    fn marks(&self, facts: &Facts, own: &[Recipient], before: &Before, now: u32) -> Marks {
        let home = facts
            .from
            .rsplit_once('@')
            .map_or("", |(_, domain)| source::organisation_domain(domain));
        let borrowed = facts.signals.iter().filter_map(|signal| {
            let meaning = self.weights.meaning(&signal.code)?;
            let is_borrowed = BORROWED.contains(&meaning.group.as_str()) && meaning.weight > 0.0;
            is_borrowed.then_some((meaning.weight, &signal.seen))
        });
        let impersonation = borrowed
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(weight, seen)| (weight, seen.clone()));
        let impersonation = [impersonation, before.claim.clone()]
            .into_iter()
            .flatten()
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let mut marks = Marks {
            time: now,
            own: own.to_vec(),
            unsubscribe: facts.bulk.unsubscribe,
            leads_home: facts
                .links
                .iter()
                .any(|link| link.role == LinkRole::Click && link.domain == home),
            impersonation,
            indicator: facts
                .signals
                .iter()
                .find(|signal| signal.code.starts_with("indicator/"))
                .map(|signal| signal.seen.clone()),
            ..Marks::default()
        };
        let beacons = facts
            .links
            .iter()
            .filter(|link| link.role == LinkRole::Beacon && !link.host.is_empty());
        for link in beacons.take(BEACONS) {
            marks.loads_from.push((hash(&link.domain), link.host.clone()));
            let template = hash(&link.template);
            for (place, token) in link.tokens.iter().enumerate() {
                marks.tokens.push((mix(template ^ place as u64), token.value));
                marks.derived |= token.derived.is_some();
            }
        }
        marks
    }

    /// The circle that a source writes to, as a feature that another source may share.
    fn target(&mut self, id: SourceId, now: u32) -> Option<Weighed> {
        let source = self.sources.get(id)?;
        let is_due = TARGETS_ASKED_AT.contains(&source.recipients.len()) && source.messages <= 48;
        if !is_due {
            return None;
        }
        let question = people::Question {
            before: source.first,
            own_sources: &[source.key],
            looks: 1.0,
        };
        let (service, key) = (source.service, source.key);
        let recipients = source.recipients.clone();
        let best = self.people.enriched(&recipients, &question).into_iter().next()?;
        let feature = features::of_target(service, &best.kind, &best.id);
        Some(Weighed {
            feature,
            senders: self.history.frequency.note(feature.value, key, i64::from(now)),
        })
    }

    /// Scores the cluster of a source anew, and calls it a campaign if it has come to that.
    fn rescore(&mut self, id: SourceId, now: u32, facts: &Facts) {
        let Some(cluster_id) = self.sources.get(id).map(|source| source.cluster) else {
            return;
        };
        let Some(cluster) = self.sources.cluster_mut(cluster_id) else {
            return;
        };
        let people = cluster.recipients.len();
        let is_due = people > cluster.scored_at + cluster.scored_at / 10;
        if cluster.fired.is_some() || people < campaign::FEWEST || !is_due {
            return;
        }
        cluster.scored_at = people;
        cluster.looks = cluster.looks.saturating_add(1);
        let Some(cluster) = self.sources.cluster(cluster_id) else {
            return;
        };
        let mut around = Surroundings {
            sources: &|id| self.sources.get(id),
            history: &self.history,
            people: &mut self.people,
        };
        let Some(scored) = campaign::score(cluster, &mut around, false) else {
            return;
        };
        let fired = Fired {
            messages: cluster.count as usize,
            recipients: cluster.recipients.len(),
            time: if facts.time.micros().is_some() {
                facts.time
            } else {
                blackrod_model::Timestamp::from_seconds(i64::from(now))
            },
        };
        let threshold = self.options.threshold;
        let Some(cluster) = self.sources.cluster_mut(cluster_id) else {
            return;
        };
        cluster.aimed = (scored.is_aimed || fired.recipients >= 6).then_some(scored.is_aimed);
        if scored.score >= threshold {
            cluster.fired = Some(fired);
        }
    }
}

impl Judged {
    fn new(reasons: Vec<Term>, score: f64) -> Self {
        Self {
            score: score as f32,
            reasons,
        }
    }

    fn add(&mut self, terms: Vec<Term>) {
        if terms.is_empty() {
            return;
        }
        self.score += terms.iter().map(|term| term.weight).sum::<f64>() as f32;
        self.reasons.extend(terms);
        self.reasons
            .sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.code.cmp(&b.code)));
    }
}

/// How usual it is that senders are new: what a new sender says depends on it.
#[derive(Clone, Copy, Debug, Default)]
struct Arrivals {
    day: u32,
    new: f64,
    active: f64,
    new_before: f64,
    active_before: f64,
}

impl Arrivals {
    fn note(&mut self, is_new: bool, is_first_of_day: bool, now: u32) {
        if now / DAY != self.day {
            self.day = now / DAY;
            self.new_before = 0.5 * self.new_before + self.new;
            self.active_before = 0.5 * self.active_before + self.active;
            (self.new, self.active) = (0.0, 0.0);
        }
        self.new += f64::from(u8::from(is_new));
        self.active += f64::from(u8::from(is_first_of_day));
    }

    /// −ln of the share of new senders among the senders of these days.
    fn novelty(&self) -> f64 {
        let share = (self.new + self.new_before + 2.0) / (self.active + self.active_before + 2.0);
        -share.min(1.0).ln()
    }
}

/// Who sends it: the account at a mass-mail service where that is named, else the address.
fn identity(facts: &Facts) -> u64 {
    match (&facts.bulk.service, &facts.bulk.account) {
        (Some(service), Some(account)) => mix(hash(service) ^ mix(hash(account))),
        _ => hash(&facts.from),
    }
}

/// The mass-mail service that a message came through: by name, else the place that it loads from where many senders use that.
fn service(facts: &Facts, before: &Before) -> Option<u64> {
    let by_place = || {
        before
            .commonest
            .filter(|(_, senders)| *senders >= 8.0)
            .map(|(place, _)| place)
    };
    facts.bulk.service.as_deref().map(hash).or_else(by_place)
}

/// Whether it can report back or is remarkable by itself.
fn is_trackable(facts: &Facts, signals: f64) -> bool {
    let reports = facts.links.iter().any(|link| {
        let has_token = || {
            link.tokens
                .iter()
                .any(|token| token.length >= 5 || token.derived.is_some())
        };
        !link.host.is_empty()
            && (link.role == LinkRole::Beacon || (link.role == LinkRole::Click && has_token()))
    });
    reports || signals >= 3.0
}

/// For how many days something has been known.
fn known_days(seen: &Seen, now: u32) -> f32 {
    if seen.messages == 0 {
        0.0
    } else {
        now.saturating_sub(seen.first) as f32 / DAY as f32
    }
}
