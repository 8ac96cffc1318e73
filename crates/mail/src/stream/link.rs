//! Tying the sources that are one sender, by the rare features that they share.

use std::collections::VecDeque;

use blackrod_model::mail::{Facts, TextSketch};
use rustc_hash::{FxHashMap, FxHashSet};

use super::claims::BORROWED;
use super::cluster::{Cluster, Tie};
use super::features::{Family, Feature};
use super::history::DAY;
use super::pool::Pooled;
use super::sketch::Frequency;
use super::source::{Kept, Marks, Source, SourceId};
use super::weigh::{SIMILAR, apart, closeness, similarity, weight_of, weight_of_shared};

/// How long a source is kept after its last message.
const WINDOW: u32 = 21 * DAY;
/// The most sources that are kept, and the most messages of theirs; beyond, the window is halved.
const MOST_SOURCES: usize = 30_000;
const MOST_MESSAGES: usize = 150_000;
const HOUR: u32 = DAY / 24;
/// The latest holders of a feature that are compared.
const HOLDERS: usize = 8;
/// Features of a source that are compared.
const COMPARED: usize = 192;
/// Others that a source may be near to.
const NEAR: usize = 48;
/// A feature of more senders than that ties nothing.
const COMMON: f32 = 30.0;
/// Texts of one source that are compared.
const TEXTS: usize = 4;
/// Net weight, in nats, from which two sources are one sender.
const TIED: f64 = 2.5;
/// The same where all that they share is of one family: a place that many will turn out to use, a phrase that went round.
const TIED_ALONE: f64 = 5.0;
/// Weight from which a family is a second one.
const TELLING: f32 = 1.5;
/// Recipients of a source that are told apart.
const MOST_RECIPIENTS: usize = 256;
/// The share of a cluster's sources that must be near to those that join it, and the most that are asked.
const CARRIED: f64 = 0.4;
const MOST_ASKED: usize = 16;
/// Sources from which on a cluster grows harder.
const CROWD: f64 = 12.0;
/// What it says against two clusters' being one that one is aimed at a circle and the other is not.
const DIFFERENT_AIM: f64 = 8.0;
/// Messages kept of a source and of a cluster that has not fired; and of one that has.
const KEPT_OF_SOURCE: u32 = 48;
const KEPT_OF_CLUSTER: usize = 400;
const KEPT_OF_FIRED: usize = 4_096;
/// How many senders must have been seen before rarity means all that it says; more where the sender uses a mass-mail
/// service, whose hosts many others will turn out to use.
const WELL_KNOWN: f64 = 300.0;
const WELL_KNOWN_OF_SERVICE: f64 = 2_000.0;

/// The sources of the last weeks, their features, and the clusters that they form.
#[derive(Default)]
pub(super) struct Sources {
    all: FxHashMap<SourceId, Source>,
    by_key: FxHashMap<u64, SourceId>,
    holders: FxHashMap<u64, VecDeque<SourceId>>,
    clusters: FxHashMap<u32, Cluster>,
    next: SourceId,
    swept: u32,
    /// Messages that all clusters keep.
    kept: usize,
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
        source.id = id;
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
        let borrowed = marks.impersonation.as_ref();
        source.is_borrowing |= borrowed.is_some_and(|(weight, _)| *weight >= BORROWED);
        for recipient in &marks.own {
            if source.recipients.len() < MOST_RECIPIENTS && !source.recipients.contains(recipient) {
                source.recipients.push(*recipient);
            }
        }
        source.marked.add(marks);
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
            self.kept += 1;
        }
    }

    /// Compares what is new about a source with the others; `senders`: how many there are in all. Those that are one
    /// sender with it join its cluster.
    pub(super) fn compare(&mut self, id: SourceId, features: &[Weighed], senders: f64, common: &Frequency) {
        let mut news: Vec<(SourceId, Family, f32)> = Vec::new();
        for weighed in features {
            self.compare_feature(id, weighed, senders, common, &mut news);
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
        common: &Frequency,
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
            let of_cluster = self
                .clusters
                .get(&holder.cluster)
                .map_or(1, |cluster| cluster.sources.len());
            let similar = if family == Family::Text {
                similarity(source, holder, common, of_cluster as f32 + 1.0)
            } else {
                1.0
            };
            if similar < SIMILAR {
                continue;
            }
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
        let weight =
            weight_of_shared(shared) + closeness(source, partner) - active.ln() - apart(source, partner);
        // Chance finds a bridge between two crowds more easily than between two senders; and no campaign that became known
        // had more than some ten identities.
        let size = |id: u32| self.clusters.get(&id).map_or(1, |cluster| cluster.sources.len());
        let crowd = (size(source.cluster) + size(partner.cluster)) as f64 / CROWD;
        // Nor do those who pick their people and those who write to anybody belong together.
        let aim = |id: u32| self.clusters.get(&id).and_then(|cluster| cluster.aimed);
        let differ = matches!((aim(source.cluster), aim(partner.cluster)), (Some(a), Some(b)) if a != b);
        let telling = shared.iter().filter(|(_, weight)| *weight >= TELLING);
        let kinds: FxHashSet<u8> = telling.map(|(family, _)| family.kind()).collect();
        let tied = if kinds.len() < 2 { TIED_ALONE } else { TIED };
        if weight < tied + 8.0 * crowd.max(1.0).ln() + if differ { DIFFERENT_AIM } else { 0.0 } {
            return;
        }
        if !self.is_carried(source.cluster, partner.cluster, active) {
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

    /// Joins the clusters of accounts that write to one circle through one service with that of `id`, as far as these are made of
    /// such accounts.
    pub(super) fn pool(&mut self, id: SourceId, pooled: &Pooled) {
        for member in &pooled.members {
            let clusters = [id, *member].map(|one| self.all.get(&one).map(|source| source.cluster));
            let [Some(own), Some(other)] = clusters else {
                continue;
            };
            let is_made_of_them = |cluster: u32| {
                self.clusters.get(&cluster).is_some_and(|cluster| {
                    let pooled = cluster.sources.iter().filter(|one| pooled.members.contains(one));
                    pooled.count() * 2 >= cluster.sources.len()
                })
            };
            if own != other && is_made_of_them(own) && is_made_of_them(other) {
                let tie = Tie {
                    sources: (*member, id),
                    shared: vec![(Family::Targets, pooled.weight as f32)],
                    weight: pooled.weight,
                };
                self.join(own, other, tie);
            }
        }
    }

    /// Whether enough of the pairs across two clusters share something beyond chance: one bridge does not make two crowds one.
    fn is_carried(&self, a: u32, b: u32, active: f64) -> bool {
        let (Some(a), Some(b)) = (self.clusters.get(&a), self.clusters.get(&b)) else {
            return false;
        };
        let larger = a.sources.len().max(b.sources.len());
        if larger < 3 {
            return true;
        }
        let near = |one: SourceId, other: SourceId| {
            let (one, other) = (self.all.get(&one)?, self.all.get(&other)?);
            let shared = |of: &Source, to: SourceId| of.near.get(&to).map_or(0.0, weight_of_shared);
            let weight = f64::max(shared(one, other.id), shared(other, one.id));
            Some(weight + closeness(one, other) - active.ln() - apart(one, other))
        };
        let mut carried: FxHashSet<SourceId> = FxHashSet::default();
        for one in a.sources.iter().take(MOST_ASKED) {
            for other in b.sources.iter().rev().take(MOST_ASKED) {
                if near(*one, *other).is_some_and(|weight| weight >= 0.0) {
                    carried.insert(*one);
                    carried.insert(*other);
                }
            }
        }
        let of_larger = if a.sources.len() >= b.sources.len() { a } else { b };
        let count = of_larger.sources.iter().filter(|id| carried.contains(id)).count();
        count as f64 >= CARRIED * larger.min(MOST_ASKED) as f64
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

    /// Forgets the sources that have been silent for long, sooner where there are too many.
    pub(super) fn sweep(&mut self, now: u32) {
        let wait = match self.crowding() {
            0 => DAY,
            1 => HOUR,
            _ => 0,
        };
        if now < self.swept.saturating_add(wait) {
            return;
        }
        self.swept = now;
        let mut window = WINDOW;
        loop {
            self.forget(now.saturating_sub(window));
            if self.crowding() == 0 || window == 0 {
                break;
            }
            window = if window > HOUR { window / 2 } else { 0 };
        }
    }

    /// How many times more there is than is to be kept.
    fn crowding(&self) -> usize {
        usize::max(self.all.len() / MOST_SOURCES, self.kept / MOST_MESSAGES)
    }

    /// Forgets the sources that have been silent since `limit` and are no campaign's.
    fn forget(&mut self, limit: u32) {
        let clusters = &self.clusters;
        let has_fired = |source: &Source| {
            let cluster = clusters.get(&source.cluster);
            cluster.is_some_and(|cluster| cluster.fired.is_some())
        };
        self.all
            .retain(|_, source| source.last > limit || has_fired(source));
        let all = &self.all;
        self.by_key.retain(|_, id| all.contains_key(id));
        self.holders.retain(|_, holders| {
            holders.retain(|id| all.contains_key(id));
            !holders.is_empty()
        });
        self.clusters
            .retain(|_, cluster| cluster.sources.iter().any(|id| all.contains_key(id)));
        self.kept = self.clusters.values().map(|cluster| cluster.messages.len()).sum();
    }
}

/// Keeps a text of a source for comparing, where it is not nearly one that is kept already.
pub(super) fn keep_text(source: &mut Source, text: &TextSketch) {
    let is_known = || source.texts.iter().any(|known| known.similarity(text) > 0.9);
    if source.texts.len() < TEXTS && !text.minima.is_empty() && !is_known() {
        source.texts.push(text.clone());
    }
}
