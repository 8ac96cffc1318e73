//! Why campaigns were missed: what the detector took their messages for.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use crate::detector::Alert;
use crate::run::Outcome;

/// The most clusters of a campaign that are told.
const CLUSTERS: usize = 4;

/// For each campaign that no alert has, in which clusters its messages ended.
pub(crate) fn of(outcome: &Outcome, alerts: &[Alert]) -> Vec<String> {
    let all: Vec<&Alert> = alerts.iter().chain(&outcome.below).collect();
    let is_of = |message: &u64, number: u8| {
        outcome
            .labels
            .get(*message as usize)
            .is_some_and(|label| label.campaign == Some(number))
    };
    let mut lines = Vec::new();
    for campaign in &outcome.truth.campaigns {
        let number = campaign.number as u8;
        let mut clusters: Vec<(usize, &Alert)> = all
            .iter()
            .map(|alert| {
                let own = alert
                    .messages
                    .iter()
                    .filter(|message| is_of(message, number))
                    .count();
                (own, *alert)
            })
            .filter(|(own, _)| *own > 0)
            .collect();
        let is_found = clusters
            .iter()
            .any(|(own, alert)| alert.is_called && own * 2 >= alert.messages.len());
        if is_found {
            continue;
        }
        clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.0));
        let delivered = outcome.reached.get(&number).map_or(0, Vec::len);
        lines.push(format!(
            "campaign {number}: {}, {} recipients ({} in group), {} identities, {delivered} messages over {:.1} h, unsubscribe {}, headline {}, {}; in {} clusters",
            campaign.hosts.name(),
            campaign.recipients.len(),
            campaign.in_group,
            campaign.identities,
            (campaign.ends - campaign.begins) as f64 / 3_600.0,
            campaign.unsubscribe,
            campaign.headline_image,
            campaign.texts,
            clusters.len(),
        ));
        for (own, alert) in clusters.iter().take(CLUSTERS) {
            let people: FxHashSet<u64> = alert.messages.iter().copied().collect();
            let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
            for label in people
                .iter()
                .filter_map(|message| outcome.labels.get(*message as usize))
            {
                *kinds.entry(label.kind).or_default() += 1;
            }
            let verdict = match (alert.is_called, own * 2 >= alert.messages.len()) {
                (true, _) => "called with others",
                (false, true) => "below the threshold",
                (false, false) => "swallowed",
            };
            lines.push(format!(
                "    {own} messages {verdict}: peak {:.1}, in the end {:.1}, {kinds:?}, {}",
                alert.peak, alert.score, alert.title
            ));
        }
    }
    lines
}
