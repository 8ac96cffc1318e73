//! Following a sender's mail as part of what may become a campaign.

use blackrod_model::mail::{Facts, Fired, Link, LinkRole, hash};

use super::campaign::{self, Surroundings};
use super::features;
use super::history::Kind;
use super::link::{self, Weighed};
use super::people::{self, Recipient};
use super::pool;
use super::remember::Before;
use super::sketch::mix;
use super::source::{self, Marks, Relation, Source, SourceId, Standing};
use super::{Stream, known_days};

/// The groups of signals that say a message is in somebody else's name or look.
const BORROWED: [&str; 3] = ["identity", "lookalike", "free-mail"];
/// Senders from which on a place is shared by all and ties nobody.
const SHARED: f32 = 25.0;
/// Organisations with names and domains of their own from which on a place serves anybody, where it has few other senders here.
const TENANTS: f32 = 2.5;
/// What a message loads, as far as it is compared.
const BEACONS: usize = 8;
/// The numbers of recipients at which it is asked whether a source writes to a circle.
const TARGETS_ASKED_AT: [usize; 8] = [2, 3, 4, 5, 7, 10, 15, 24];

impl Stream<'_> {
    /// Follows the message as part of a source that may be part of a campaign.
    pub(super) fn as_source(
        &mut self,
        facts: &Facts,
        own: &[Recipient],
        before: &Before,
        identity: u64,
        now: u32,
    ) {
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.note_tenant(facts, before, now);
        let mut found = std::mem::take(&mut self.features);
        found.clear();
        let lists = &self.lists;
        let history = &self.history;
        let is_common = |domain: &str| {
            let has = |kind: Kind, least: f32| {
                let seen = history.of(kind, hash(domain));
                seen.is_some_and(|seen| seen.senders.count() >= least)
            };
            has(Kind::Infrastructure, SHARED) || has(Kind::Tenants, TENANTS)
        };
        let is_shared = |link: &Link| is_common(&link.domain) || lists.service_of(&link.host).is_some();
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
        for word in features::words_of(&facts.text) {
            self.history.frequency.note(word, identity, i64::from(now));
        }
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
                let service = source.service;
                let id = self.sources.add(source);
                if let Some(service) = service {
                    self.pools.add(service, id, &self.sources);
                }
                id
            }
        };
        if let Some(source) = self.sources.get_mut(id) {
            link::keep_text(source, &facts.text);
        }
        let marks = self.marks(facts, own, before, now);
        self.sources.receive(id, &marks, facts);
        let mut weighed = weighed;
        weighed.extend(self.target(id, now));
        self.sources
            .compare(id, &weighed, self.senders as f64, &self.history.frequency);
        self.rescore(id, now, facts);
        if let Some(service) = self.sources.get(id).and_then(|source| source.service) {
            self.pool(service, now, facts);
        }
        self.last = Some(id);
    }

    /// Remembers what an organisation loads from others that writes under its own name.
    fn note_tenant(&mut self, facts: &Facts, before: &Before, now: u32) {
        if before.claim.is_some() || source::relation(facts) != Relation::Owned {
            return;
        }
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let home = hash(source::organisation_domain(domain));
        let beacons = facts
            .links
            .iter()
            .filter(|link| link.role == LinkRole::Beacon && !link.host.is_empty());
        for place in beacons.take(BEACONS).map(|link| hash(&link.domain)) {
            if place != home {
                self.history.note(Kind::Tenants, place, now, home, &[]);
            }
        }
    }

    /// Takes together what is left at the end of the evidence.
    pub(super) fn pool_all(&mut self) {
        let end = self.clock.saturating_add(pool::SILENT);
        for service in self.pools.services() {
            self.pool(service, end, &Facts::default());
        }
    }

    /// Takes together the accounts of a service that write to one circle.
    fn pool(&mut self, service: u64, now: u32, facts: &Facts) {
        for silent in self.pools.silent(service, &self.sources, now) {
            if let Some(pooled) = self.pools.look(silent, &self.sources, &self.people, now) {
                self.sources.pool(silent, &pooled);
                self.rescore(silent, now, facts);
            }
        }
    }

    fn new_source(&self, facts: &Facts, before: &Before, key: u64, standing: Standing, now: u32) -> Source {
        let domain = facts.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let home = source::organisation_domain(domain);
        Source {
            id: 0,
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
            is_borrowing: false,
            marked: Default::default(),
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
            leads_to: facts
                .links
                .iter()
                .filter(|link| link.role == LinkRole::Click && !link.host.is_empty())
                .filter(|link| {
                    link.tokens
                        .iter()
                        .any(|token| token.length >= 5 || token.derived.is_some())
                })
                .take(BEACONS)
                .map(|link| (hash(&link.domain), link.host.clone()))
                .collect(),
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
        cluster.peak = cluster.peak.max(scored.score);
        cluster.aimed = (scored.is_aimed || fired.recipients >= 6).then_some(scored.is_aimed);
        if scored.score >= threshold {
            cluster.fired = Some(fired);
        }
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
