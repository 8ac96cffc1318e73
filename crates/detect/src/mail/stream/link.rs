//! Tying the sources that are one sender, by the rare features that they share.

use std::collections::VecDeque;

use blackrod_model::mail::{Facts, Fired, TextSketch};
use rustc_hash::{FxHashMap, FxHashSet};

use super::features::{Family, Feature};
use super::history::DAY;
use super::people::Recipient;
use super::source::{Kept, Marks, Shared, Source, SourceId};

/// How long a source is kept after its last message.
const WINDOW: u32 = 21 * DAY;
/// The most sources that are kept; beyond, the window is halved.
const MOST_SOURCES: usize = 150_000;
/// The latest holders of a feature that are compared.
const HOLDERS: usize = 8;
/// Features of a source that are compared.
const COMPARED: usize = 192;
/// Others that a source may be near to.
const NEAR: usize = 48;
/// A feature of more senders than that ties nothing.
const COMMON: f32 = 30.0;
/// Texts that share less than this tie nothing.
const SIMILAR: f32 = 0.35;
/// Texts of one source that are compared.
const TEXTS: usize = 4;
/// Net weight, in nats, from which two sources are one sender.
const TIED: f64 = 2.0;
/// Recipients of a source that are told apart.
const MOST_RECIPIENTS: usize = 256;
/// Sources from which on a cluster grows harder.
const CROWD: f64 = 12.0;
/// What it says against two clusters' being one that one is aimed at a circle and the other is not.
const DIFFERENT_AIM: f64 = 8.0;
/// Messages kept of a source and of a cluster that has not fired; and of one that has.
const KEPT_OF_SOURCE: u32 = 48;
const KEPT_OF_CLUSTER: usize = 400;
const KEPT_OF_FIRED: usize = 4_096;
/// Ties kept of a cluster.
const TIES: usize = 64;
/// How many senders must have been seen before rarity means all that it says; more where the sender uses a mass-mail
/// service, whose hosts many others will turn out to use.
const WELL_KNOWN: f64 = 300.0;
const WELL_KNOWN_OF_SERVICE: f64 = 2_000.0;

/// Sources that are one sender.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    pub(super) sources: Vec<SourceId>,
    /// The first messages, all where they are few.
    pub(super) messages: Vec<Kept>,
    /// How many there were.
    pub(super) count: u32,
    pub(super) recipients: FxHashSet<Recipient>,
    pub(super) marked: Marked,
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) ties: Vec<Tie>,
    pub(super) fired: Option<Fired>,
    /// How many recipients it had when it was last scored.
    pub(super) scored_at: usize,
    /// How often it was scored.
    pub(super) looks: u32,
    /// Whether it was aimed at a circle when it was last scored; none where it had few recipients.
    pub(super) aimed: Option<bool>,
}

/// The marks of a cluster's messages, added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Marked {
    pub(super) messages: u32,
    pub(super) unsubscribe: u32,
    pub(super) leads_home: u32,
    pub(super) loading: u32,
    pub(super) impersonating: u32,
    /// The heaviest impersonation and what was seen.
    pub(super) impersonation: Option<(f64, String)>,
    pub(super) indicator: Option<String>,
    /// Where it loads from: at most [`PLACES`].
    pub(super) loads_from: Vec<(u64, String)>,
    /// The varying parts of what it loads, each with a value and a recipient who got it: at most [`PLACES`].
    tokens: Vec<(u64, u64, Recipient)>,
    /// A beacon differs between recipients.
    pub(super) varies: bool,
    /// A beacon follows from the recipient's address.
    pub(super) derived: bool,
    /// When the first of them came, at most [`TIMES`].
    pub(super) times: Vec<u32>,
}

/// Hosts and token places of a cluster that are watched.
const PLACES: usize = 32;
/// Times of a cluster that are kept.
const TIMES: usize = 96;

impl Marked {
    fn add(&mut self, marks: &Marks) {
        self.messages += 1;
        self.unsubscribe += u32::from(marks.unsubscribe);
        self.leads_home += u32::from(marks.leads_home);
        self.loading += u32::from(!marks.loads_from.is_empty());
        self.impersonating += u32::from(marks.impersonation.is_some());
        self.claim(marks.impersonation.as_ref());
        if self.indicator.is_none() {
            self.indicator.clone_from(&marks.indicator);
        }
        for place in &marks.loads_from {
            self.loads(place);
        }
        self.derived |= marks.derived;
        let Some(recipient) = marks.own.first() else {
            return;
        };
        for (place, value) in &marks.tokens {
            match self.tokens.iter().find(|(known, ..)| known == place) {
                Some((_, other, owner)) => self.varies |= other != value && owner != recipient,
                None if self.tokens.len() < PLACES => self.tokens.push((*place, *value, *recipient)),
                None => {}
            }
        }
        if self.times.len() < TIMES {
            self.times.push(marks.time);
        }
    }

    fn absorb(&mut self, other: Self) {
        self.messages += other.messages;
        self.unsubscribe += other.unsubscribe;
        self.leads_home += other.leads_home;
        self.loading += other.loading;
        self.impersonating += other.impersonating;
        self.claim(other.impersonation.as_ref());
        self.indicator = self.indicator.take().or(other.indicator);
        for place in &other.loads_from {
            self.loads(place);
        }
        self.derived |= other.derived;
        self.varies |= other.varies;
        for (place, value, recipient) in other.tokens {
            match self.tokens.iter().find(|(known, ..)| *known == place) {
                Some((_, known, owner)) => self.varies |= *known != value && *owner != recipient,
                None if self.tokens.len() < PLACES => self.tokens.push((place, value, recipient)),
                None => {}
            }
        }
        self.times.extend(other.times);
        self.times.sort_unstable();
        self.times.truncate(TIMES);
    }

    fn claim(&mut self, claim: Option<&(f64, String)>) {
        let Some((weight, seen)) = claim else { return };
        if self
            .impersonation
            .as_ref()
            .is_none_or(|(known, _)| weight > known)
        {
            self.impersonation = Some((*weight, seen.clone()));
        }
    }

    fn loads(&mut self, place: &(u64, String)) {
        if self.loads_from.len() < PLACES && !self.loads_from.contains(place) {
            self.loads_from.push(place.clone());
        }
    }
}

/// Why two sources are taken for one.
#[derive(Clone, Debug)]
pub(super) struct Tie {
    pub(super) sources: (SourceId, SourceId),
    pub(super) shared: Shared,
    /// Net weight in nats.
    pub(super) weight: f64,
}

/// The sources of the last weeks, their features, and the clusters that they form.
#[derive(Default)]
pub(super) struct Sources {
    all: FxHashMap<SourceId, Source>,
    by_key: FxHashMap<u64, SourceId>,
    holders: FxHashMap<u64, VecDeque<SourceId>>,
    clusters: FxHashMap<u32, Cluster>,
    next: SourceId,
    swept: u32,
}

/// A feature with the number of senders that have it.
pub(super) struct Weighed {
    pub(super) feature: Feature,
    pub(super) senders: f32,
}

impl Sources {
    /// The source of this key.
    pub(super) fn find(&self, key: u64) -> Option<SourceId> {
        self.by_key.get(&key).copied()
    }

    pub(super) fn get(&self, id: SourceId) -> Option<&Source> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: SourceId) -> Option<&mut Source> {
        self.all.get_mut(&id)
    }

    pub(super) fn cluster(&self, id: u32) -> Option<&Cluster> {
        self.clusters.get(&id)
    }

    pub(super) fn cluster_mut(&mut self, id: u32) -> Option<&mut Cluster> {
        self.clusters.get_mut(&id)
    }

    /// All clusters in the order of their numbers, and the sources.
    pub(super) fn into_clusters(self) -> (Vec<Cluster>, FxHashMap<SourceId, Source>) {
        let mut clusters: Vec<(u32, Cluster)> = self.clusters.into_iter().collect();
        clusters.sort_by_key(|(id, _)| *id);
        (
            clusters.into_iter().map(|(_, cluster)| cluster).collect(),
            self.all,
        )
    }

    /// A new source, alone in its cluster.
    pub(super) fn add(&mut self, mut source: Source) -> SourceId {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        source.cluster = id;
        self.by_key.insert(source.key, id);
        let cluster = Cluster {
            sources: vec![id],
            first: source.first,
            last: source.last,
            ..Cluster::default()
        };
        self.clusters.insert(id, cluster);
        self.all.insert(id, source);
        id
    }

    /// Adds a message of a source to it and to its cluster.
    pub(super) fn receive(&mut self, id: SourceId, marks: &Marks, facts: &Facts) {
        let Some(source) = self.all.get_mut(&id) else {
            return;
        };
        source.messages = source.messages.saturating_add(1);
        source.last = source.last.max(marks.time);
        for recipient in &marks.own {
            if source.recipients.len() < MOST_RECIPIENTS && !source.recipients.contains(recipient) {
                source.recipients.push(*recipient);
            }
        }
        let Some(cluster) = self.clusters.get_mut(&source.cluster) else {
            return;
        };
        cluster.count = cluster.count.saturating_add(1);
        cluster.last = cluster.last.max(marks.time);
        cluster.recipients.extend(&marks.own);
        cluster.marked.add(marks);
        let room = match cluster.fired {
            Some(_) => cluster.messages.len() < KEPT_OF_FIRED,
            None => cluster.messages.len() < KEPT_OF_CLUSTER && source.messages <= KEPT_OF_SOURCE,
        };
        if room {
            cluster.messages.push(Kept::of(facts, id));
        }
    }

    /// Compares what is new about a source with the others; `senders`: how many there are in all. Those that are one
    /// sender with it join its cluster.
    pub(super) fn compare(&mut self, id: SourceId, features: &[Weighed], senders: f64) {
        let mut news: Vec<(SourceId, Family, f32)> = Vec::new();
        for weighed in features {
            self.compare_feature(id, weighed, senders, &mut news);
        }
        if news.is_empty() {
            return;
        }
        let Some(source) = self.all.get_mut(&id) else {
            return;
        };
        for (other, family, weight) in news {
            if source.near.len() >= NEAR && !source.near.contains_key(&other) {
                continue;
            }
            let shared = source.near.entry(other).or_default();
            match shared.iter_mut().find(|(one, _)| *one == family) {
                Some((_, known)) => *known = known.max(weight),
                None => shared.push((family, weight)),
            }
        }
        let mut near: Vec<SourceId> = source.near.keys().copied().collect();
        near.sort_unstable();
        for other in near {
            self.tie(id, other);
        }
    }

    fn compare_feature(
        &mut self,
        id: SourceId,
        weighed: &Weighed,
        senders: f64,
        news: &mut Vec<(SourceId, Family, f32)>,
    ) {
        let Feature { family, value } = weighed.feature;
        let Some(source) = self.all.get_mut(&id) else {
            return;
        };
        if weighed.senders > COMMON || source.compared.len() >= COMPARED || !source.compared.insert(value) {
            return;
        }
        let own_cluster = source.cluster;
        let Some(source) = self.all.get(&id) else { return };
        let holders = self.holders.entry(value).or_default();
        for other in holders.iter() {
            let Some(holder) = self.all.get(other).filter(|holder| holder.cluster != own_cluster) else {
                continue;
            };
            let similar = if family == Family::Text {
                similarity(source, holder)
            } else {
                1.0
            };
            if similar < SIMILAR {
                continue;
            }
            let of_cluster = self
                .clusters
                .get(&holder.cluster)
                .map_or(1, |cluster| cluster.sources.len());
            let others = (f64::from(weighed.senders) - 1.0 - of_cluster as f64).max(0.0);
            let uses_service = source.service.is_some() || holder.service.is_some();
            let known = (senders
                / if uses_service {
                    WELL_KNOWN_OF_SERVICE
                } else {
                    WELL_KNOWN
                })
            .min(1.0);
            let likeness = if family == Family::Text {
                ((similar - SIMILAR / 2.0) / (0.8 - SIMILAR / 2.0)).min(1.0)
            } else {
                1.0
            };
            let weight = weight_of(family, others, senders, known) * f64::from(likeness);
            if weight > 0.0 {
                news.push((*other, family, weight as f32));
            }
        }
        if !holders.contains(&id) {
            if holders.len() >= HOLDERS {
                holders.pop_front();
            }
            holders.push_back(id);
        }
    }

    /// Joins the clusters of two sources if what they share is enough.
    fn tie(&mut self, id: SourceId, other: SourceId) {
        let active = self.all.len().max(2) as f64;
        let (Some(source), Some(partner)) = (self.all.get(&id), self.all.get(&other)) else {
            return;
        };
        if source.cluster == partner.cluster {
            return;
        }
        let Some(shared) = source.near.get(&other) else {
            return;
        };
        let sum: f64 = shared.iter().map(|(_, weight)| f64::from(*weight)).sum();
        let weight = sum + closeness(source, partner) - active.ln();
        // Chance finds a bridge between two crowds more easily than between two senders; and no campaign that became known
        // had more than some ten identities.
        let size = |id: u32| self.clusters.get(&id).map_or(1, |cluster| cluster.sources.len());
        let crowd = (size(source.cluster) + size(partner.cluster)) as f64 / CROWD;
        // Nor do those who pick their people and those who write to anybody belong together.
        let aim = |id: u32| self.clusters.get(&id).and_then(|cluster| cluster.aimed);
        let differ = matches!((aim(source.cluster), aim(partner.cluster)), (Some(a), Some(b)) if a != b);
        if weight < TIED + 8.0 * crowd.max(1.0).ln() + if differ { DIFFERENT_AIM } else { 0.0 } {
            return;
        }
        let tie = Tie {
            sources: (other, id),
            shared: shared.clone(),
            weight,
        };
        let (a, b) = (source.cluster, partner.cluster);
        self.join(a, b, tie);
    }

    fn join(&mut self, a: u32, b: u32, tie: Tie) {
        let size = |id: u32| self.clusters.get(&id).map_or(0, |cluster| cluster.messages.len());
        // The larger takes in the smaller; of two alike, the older the younger.
        let (into, from) = if (size(b), a) > (size(a), b) {
            (b, a)
        } else {
            (a, b)
        };
        let Some(gone) = self.clusters.remove(&from) else {
            return;
        };
        for source in &gone.sources {
            if let Some(source) = self.all.get_mut(source) {
                source.cluster = into;
            }
        }
        let Some(cluster) = self.clusters.get_mut(&into) else {
            return;
        };
        cluster.absorb(gone, tie);
    }

    /// Forgets the sources that have been silent for long.
    pub(super) fn sweep(&mut self, now: u32) {
        let crowded = self.all.len() > MOST_SOURCES;
        if now < self.swept.saturating_add(if crowded { DAY / 24 } else { DAY }) {
            return;
        }
        self.swept = now;
        let mut window = WINDOW;
        loop {
            let limit = now.saturating_sub(window);
            let clusters = &self.clusters;
            let has_fired = |source: &Source| {
                clusters
                    .get(&source.cluster)
                    .is_some_and(|cluster| cluster.fired.is_some())
            };
            self.all
                .retain(|_, source| source.last >= limit || has_fired(source));
            if self.all.len() <= MOST_SOURCES || window < DAY / 4 {
                break;
            }
            window /= 2;
        }
        let all = &self.all;
        self.by_key.retain(|_, id| all.contains_key(id));
        self.holders.retain(|_, holders| {
            holders.retain(|id| all.contains_key(id));
            !holders.is_empty()
        });
        self.clusters
            .retain(|_, cluster| cluster.sources.iter().any(|id| all.contains_key(id)));
    }
}

impl Cluster {
    fn absorb(&mut self, other: Self, tie: Tie) {
        self.sources.extend(other.sources);
        self.messages.extend(other.messages);
        self.messages
            .sort_by_key(|message| (message.time, message.evidence.0, message.at));
        self.count = self.count.saturating_add(other.count);
        self.recipients.extend(other.recipients);
        self.marked.absorb(other.marked);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.ties.extend(other.ties);
        self.ties.push(tie);
        if self.ties.len() > TIES {
            self.ties.sort_by(|a, b| b.weight.total_cmp(&a.weight));
            self.ties.truncate(TIES);
        }
        self.fired = match (self.fired.take(), other.fired) {
            (Some(a), Some(b)) => Some(if a.time <= b.time { a } else { b }),
            (a, b) => a.or(b),
        };
        self.looks = self.looks.max(other.looks);
        self.aimed = self.aimed.or(other.aimed);
        self.scored_at = 0;
    }
}

/// What sharing a value of this family says, where `others` senders beside the two (or their clusters) share it too; `known`:
/// how well it is known what is common. Only texts speak for themselves.
fn weight_of(family: Family, others: f64, senders: f64, known: f64) -> f64 {
    let manner = family.manner();
    let rarity = ((senders + 1.0) / (others + 0.3)).ln().max(0.0);
    let crowd = if others < 1.0 { 1.0 } else { 1.0 / others.sqrt() };
    let known = if family == Family::Text { 1.0 } else { known };
    (rarity * manner.reliance + manner.unique * crowd) * known
}

fn similarity(a: &Source, b: &Source) -> f32 {
    let pairs = a
        .texts
        .iter()
        .flat_map(|one| b.texts.iter().map(move |other| one.similarity(other)));
    pairs.fold(0.0, f32::max)
}

/// What it says that two sources wrote at the same time.
fn closeness(a: &Source, b: &Source) -> f64 {
    let gap = a.first.max(b.first).saturating_sub(a.last.min(b.last));
    match gap {
        0..=86_400 => 1.0,
        86_401..=259_200 => 0.4,
        _ => -0.5,
    }
}

/// Keeps a text of a source for comparing, where it is not nearly one that is kept already.
pub(super) fn keep_text(source: &mut Source, text: &TextSketch) {
    let is_known = || source.texts.iter().any(|known| known.similarity(text) > 0.9);
    if source.texts.len() < TEXTS && !text.minima.is_empty() && !is_known() {
        source.texts.push(text.clone());
    }
}
