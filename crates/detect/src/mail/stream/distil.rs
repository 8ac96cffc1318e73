//! What of a cluster is the campaign.
//!
//! A campaign's mail shares a service, a subject of the day or a circle of readers with some newsletter, and one such tie
//! joins the two for good. When a campaign is told, senders without which the rest is a campaign more surely are left out.

use super::campaign::{FEWEST, Surroundings, score};
use super::cluster::{Cluster, Marked};
use super::source::{Source, SourceId};

/// How much surer, in nats, the rest must be: anything that can be told from rounding.
const SURER: f64 = 0.1;
/// The most senders of a cluster that are looked at one by one, and the most that are left out.
const MOST: usize = 48;
const MOST_OUT: usize = 16;

/// The campaign within a cluster that was called one; none where that is all of it. What is left is a campaign by itself.
pub(super) fn campaign_of(
    cluster: &Cluster,
    around: &mut Surroundings<'_, '_>,
    threshold: f64,
) -> Option<Cluster> {
    if !(2..=MOST).contains(&cluster.sources.len()) {
        return None;
    }
    let mut left = cluster.sources.clone();
    let mut best = score(cluster, around, false)?.score;
    let mut core = None;
    for _ in 0..MOST_OUT {
        let without = (0..left.len()).filter_map(|at| {
            let mut rest = left.clone();
            rest.remove(at);
            let part = part_of(cluster, rest, around.sources);
            let score = score(&part, around, false)?.score;
            Some((score, part))
        });
        let surest = without.max_by(|(a, _), (b, _)| a.total_cmp(b));
        let Some((score, part)) = surest.filter(|(score, part)| {
            *score >= best + SURER && *score >= threshold && part.recipients.len() >= FEWEST
        }) else {
            break;
        };
        best = score;
        left.clone_from(&part.sources);
        core = Some(part);
    }
    let mut core = core?;
    let messages = cluster.messages.iter();
    core.messages = messages
        .filter(|message| left.contains(&message.source))
        .cloned()
        .collect();
    Some(core)
}

/// The part of a cluster that is of these sources, as if it had never been tied to the others; without the messages.
fn part_of<'s>(
    cluster: &Cluster,
    sources: Vec<SourceId>,
    known: &dyn Fn(SourceId) -> Option<&'s Source>,
) -> Cluster {
    let mut marked = Marked::default();
    let mut part = Cluster {
        first: u32::MAX,
        fired: cluster.fired.clone(),
        looks: cluster.looks,
        aimed: cluster.aimed,
        peak: cluster.peak,
        ..Cluster::default()
    };
    for source in sources.iter().filter_map(|id| known(*id)) {
        marked.absorb(source.marked.clone());
        part.count = part.count.saturating_add(source.messages);
        part.recipients.extend(&source.recipients);
        part.first = part.first.min(source.first);
        part.last = part.last.max(source.last);
    }
    let is_of = |id: SourceId| sources.contains(&id);
    let ties = cluster.ties.iter();
    part.ties = ties
        .filter(|tie| is_of(tie.sources.0) && is_of(tie.sources.1))
        .cloned()
        .collect();
    part.marked = marked;
    part.sources = sources;
    part
}
