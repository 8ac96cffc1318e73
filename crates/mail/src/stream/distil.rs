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
            // Where nothing says whom it is after, fewer people are no surer campaign.
            let scored = score(&part, around, false).filter(|scored| scored.is_aimed)?;
            Some((scored.score, part))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::mail::Fired;
    use rustc_hash::FxHashMap;

    use super::super::cluster::Tie;
    use super::super::features::Family;
    use super::super::history::History;
    use super::super::people::{People, Recipient};
    use super::super::source::{Kept, Marks, Relation, Standing};
    use super::super::tests::estate;
    use super::*;

    /// A new sender of one message to each of these people.
    fn source(id: SourceId, to: std::ops::Range<Recipient>, is_newsletter: bool) -> Source {
        let mut source = Source {
            id,
            key: u64::from(id),
            home: u64::from(id),
            first: 1_000,
            last: 2_000,
            messages: to.len() as u32,
            recipients: to.clone().collect(),
            novelty: 2.0,
            standing: Standing::New,
            relation: if is_newsletter {
                Relation::Owned
            } else {
                Relation::None
            },
            ..Source::default()
        };
        for recipient in to {
            source.marked.add(&Marks {
                time: 1_000 + recipient,
                own: vec![recipient],
                unsubscribe: is_newsletter,
                leads_home: is_newsletter,
                impersonation: (!is_newsletter).then(|| (1.5, "the courier".to_owned())),
                loads_from: vec![(7, "img.example".to_owned())],
                tokens: vec![(1, u64::from(recipient))],
                ..Marks::default()
            });
        }
        source
    }

    fn cluster(sources: &FxHashMap<SourceId, Source>) -> Cluster {
        let mut cluster = part_of(&Cluster::default(), vec![0, 1, 2, 3], &|id| sources.get(&id));
        cluster.fired = Some(Fired::default());
        cluster.ties = (1..4)
            .map(|other| Tie {
                sources: (0, other),
                shared: vec![(Family::Text, 5.0)],
                weight: 5.0,
            })
            .collect();
        let of = |source: SourceId| Kept {
            source,
            ..Kept::default()
        };
        cluster.messages = vec![of(0), of(3), of(1), of(3), of(2)];
        cluster
    }

    #[test]
    fn a_newsletter_that_was_tied_to_a_campaign_is_left_out() {
        let senders = [
            source(0, 0..4, false),
            source(1, 3..7, false),
            source(2, 5..9, false),
            source(3, 9..60, true), // of whom eleven are in the committee
        ];
        let sources: FxHashMap<SourceId, Source> =
            senders.into_iter().map(|source| (source.id, source)).collect();
        let (estate, history) = (estate(), History::default());
        let mut people = People::new(&estate);
        let mut around = Surroundings {
            sources: &|id| sources.get(&id),
            history: &history,
            people: &mut people,
        };
        let whole = cluster(&sources);
        let campaign = campaign_of(&whole, &mut around, f64::MIN).unwrap();
        assert_eq!(campaign.sources, [0, 1, 2]);
        assert_eq!((campaign.count, campaign.recipients.len()), (12, 9));
        let senders: Vec<SourceId> = campaign.messages.iter().map(|message| message.source).collect();
        assert_eq!(senders, [0, 1, 2]);
        assert_eq!(campaign.ties.len(), 2);
        assert!(
            campaign_of(&campaign, &mut around, f64::MIN).is_none(),
            "nothing of it is another's"
        );
        assert!(
            campaign_of(&whole, &mut around, 1_000.0).is_none(),
            "what is left would be none"
        );
    }
}
