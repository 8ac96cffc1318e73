//! What can be seen only across messages: history, campaigns, anomalies.
//!
//! [`Stream`] takes [`Facts`] in the order of time and judges each against what came before it. Nothing else goes into
//! the judgement, so the same messages in the same order always come to the same.

mod arrivals;
mod campaign;
mod claims;
mod cluster;
mod das;
mod distil;
mod features;
mod follow;
pub mod history;
mod lateral;
mod link;
mod outcome;
mod people;
mod pool;
mod remember;
pub mod sketch;
mod source;
mod targeting;
mod terms;
mod tokens;
mod weigh;

#[cfg(test)]
mod tests;

use blackrod_model::mail::{AuthResult, Facts, Fired, LinkRole, MailCampaign, Term, hash};
use blackrod_model::{Estate, Finding};

use crate::lists::Lists;
use crate::score::Weights;
use arrivals::Arrivals;
use campaign::Surroundings;
use claims::Claims;
use das::Das;
use features::Feature;
use history::{DAY, History, Kind, Seen};
use lateral::{Inside, Lateral};
use link::Sources;
use outcome::Alerts;
use people::{People, Recipient};
use pool::Pools;
use remember::Before;
use sketch::mix;

pub use outcome::{LATERAL, RECONNAISSANCE, SPEAR};

/// What the detectors of this module find and miss.
pub const EXPLAIN: &str = include_str!("explain.md");

/// How much is reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The most messages that are called spear-phishing, and the most called lateral phishing, of one day.
    pub alerts_per_day: usize,
    /// The score from which a cluster of messages is a campaign, in nats.
    pub threshold: f64,
    /// The score from which one message is reported by itself, in nats.
    pub message_threshold: f64,
    /// Whether [`Outcome::below`] is filled: for measuring.
    pub keep_below: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            alerts_per_day: 3,
            threshold: 9.3,
            message_threshold: 5.0,
            keep_below: false,
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
    pools: Pools,
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
    /// The source that the last message was followed as part of.
    last: Option<source::SourceId>,
}

/// A campaign while mail still comes in: of which message it grew last.
#[derive(Clone, Debug, PartialEq)]
pub struct Ongoing {
    /// Names it in this stream until it is joined with another.
    pub cluster: u32,
    /// How many messages it has.
    pub messages: u32,
    /// How many distinct people it reached.
    pub people: usize,
    /// How many senders are taken for one. Where this grew, messages that came earlier may be new to it.
    pub senders: usize,
    /// When it was first called a campaign.
    pub fired: Fired,
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
    /// Clusters of messages that did not come to a campaign, with the highest score that each ever had: only where
    /// [`Options::keep_below`] asks for them.
    pub below: Vec<(f64, MailCampaign)>,
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
            pools: Pools::default(),
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
            last: None,
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
        self.last = None;
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

    /// The campaign that the message pushed last belongs to, where it is called one by now. For mail that is judged
    /// while it comes in.
    pub fn ongoing(&self) -> Option<Ongoing> {
        let id = self.sources.get(self.last?)?.cluster;
        let cluster = self.sources.cluster(id)?;
        Some(Ongoing {
            cluster: id,
            messages: cluster.count,
            people: cluster.recipients.len(),
            senders: cluster.sources.len(),
            fired: cluster.fired.clone()?,
        })
    }

    /// All that is known of an ongoing campaign, as [`Stream::finish`] would tell it now. Work in proportion to its
    /// messages.
    pub fn campaign(&mut self, ongoing: &Ongoing) -> Option<MailCampaign> {
        let cluster = self.sources.cluster(ongoing.cluster)?;
        let mut around = Surroundings {
            sources: &|id| self.sources.get(id),
            history: &self.history,
            people: &mut self.people,
        };
        let core = distil::campaign_of(cluster, &mut around, self.options.threshold);
        let cluster = core.as_ref().unwrap_or(cluster);
        let scored = campaign::score(cluster, &mut around, true).unwrap_or_default();
        Some(outcome::campaign(cluster, scored, ongoing.fired.clone(), &|id| {
            self.sources.get(id).is_some()
        }))
    }

    /// What all messages come to. At the end of the evidence.
    pub fn finish(mut self) -> Outcome {
        self.pool_all();
        let (clusters, sources) = self.sources.into_clusters();
        let mut campaigns = Vec::new();
        let mut below = Vec::new();
        for cluster in clusters {
            if cluster.fired.is_none() && !self.options.keep_below {
                continue;
            }
            let mut around = Surroundings {
                sources: &|id| sources.get(&id),
                history: &self.history,
                people: &mut self.people,
            };
            let core = match cluster.fired {
                Some(_) => distil::campaign_of(&cluster, &mut around, self.options.threshold),
                None => None,
            };
            let cluster = core.unwrap_or(cluster);
            let scored = campaign::score(&cluster, &mut around, true).unwrap_or_default();
            let is_kept = |id| sources.contains_key(&id);
            match cluster.fired.clone() {
                Some(fired) => campaigns.push(outcome::campaign(&cluster, scored, fired, &is_kept)),
                None => below.push((
                    cluster.peak,
                    outcome::campaign(&cluster, scored, Fired::default(), &is_kept),
                )),
            }
        }
        campaigns.sort_by(|a, b| (a.fired.time, &a.key).cmp(&(b.fired.time, &b.key)));
        let mut findings: Vec<Finding> = campaigns.iter().flat_map(outcome::findings).collect();
        findings.extend(self.alerts.into_findings());
        Outcome {
            campaigns,
            findings,
            below,
        }
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

/// Who sends it: the account at a mass-mail service where that is named, else the address.
fn identity(facts: &Facts) -> u64 {
    match (&facts.bulk.service, &facts.bulk.account) {
        (Some(service), Some(account)) => mix(hash(service) ^ mix(hash(account))),
        _ => hash(&facts.from),
    }
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
