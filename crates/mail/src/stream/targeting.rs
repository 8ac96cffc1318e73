//! Whether a cluster's recipients belong together.

use blackrod_model::estate::Enrichment;

use super::cluster::Cluster;
use super::people::{People, Question, Recipient};
use super::source::Source;
use super::terms::Terms;

/// What recipients without anything in common say: reconnaissance picks its people. Of three it may be that two are of one circle and
/// nobody sees it; of ten it hardly may: so much for each, up to ten.
const UNTARGETED: f64 = -6.0;
const UNTARGETED_OF_ONE: f64 = -0.6;
/// The share of a campaign's recipients that are in its target.
pub(super) const ON_TARGET: f64 = 0.7;
/// What more of the people are than that is no target: whoever writes to a parliament writes to its members.
const BROAD: f64 = 0.2;
/// The same for a group that the estate names: in a small house one that is picked on purpose may be a quarter of it.
const BROAD_GROUP: f64 = 1.0 / 3.0;

/// Whether its recipients belong together. Who picks people from a circle hits it with most messages, say seven in ten: so the
/// likelihoods of the recipients under that and under chance are compared, for the circles that are hit beyond chance.
pub(super) fn targeting(
    cluster: &Cluster,
    sources: &[&Source],
    people: &mut People<'_>,
    terms: &mut Terms,
) -> Vec<Enrichment> {
    let mut recipients: Vec<Recipient> = cluster.recipients.iter().copied().collect();
    recipients.sort_unstable();
    let own: Vec<u64> = sources.iter().map(|source| source.key).collect();
    let looks = f64::from(cluster.looks.max(1));
    let question = Question {
        before: cluster.first,
        own_sources: &own,
        looks,
    };
    let mut found = people.enriched(&recipients, &question);
    found.sort_by(|a, b| likelihood(b).total_cmp(&likelihood(a)));
    let best = found.first().filter(|best| likelihood(best) > 0.0);
    let Some(best) = best else {
        let words = || {
            format!(
                "its {} recipients have nothing in common that is known",
                recipients.len()
            )
        };
        let weight = (UNTARGETED_OF_ONE * recipients.len() as f64).max(UNTARGETED);
        terms.add("untargeted", weight, words, "");
        return found;
    };
    let weight = flattened((0.55 * likelihood(best)).max(UNTARGETED));
    terms.add(
        "targeting",
        weight,
        || best.sentence("recipients"),
        "a letter to everybody in that circle about what concerns it",
    );
    found
}

/// What rules out chance counts whole; what is beyond says little more, as a list for the same circle hits it as often.
fn flattened(weight: f64) -> f64 {
    const WHOLE: f64 = 5.0;
    const MOST_BEYOND: f64 = 2.0;
    let beyond = (weight - WHOLE).max(0.0);
    weight - beyond + (beyond * 0.2).min(MOST_BEYOND)
}

/// ln of the likelihood of these hits when a target is aimed at, over that by chance, less what was tried.
pub(super) fn likelihood(one: &Enrichment) -> f64 {
    let share = one.members.max(1) as f64 / one.population.max(1) as f64;
    let broad = if one.kind == "group" { BROAD_GROUP } else { BROAD };
    if share > broad {
        return f64::NEG_INFINITY;
    }
    let missed = one.drawn.saturating_sub(one.hit);
    let hit = (ON_TARGET / share + 1.0 - ON_TARGET).ln() * one.hit as f64;
    let tried = (one.p_corrected.max(1e-300) / one.p.max(1e-300)).max(1.0).ln();
    hit + (1.0 - ON_TARGET).ln() * missed as f64 - tried
}
