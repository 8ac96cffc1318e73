//! Evidence items out of a campaign's findings, its targeting and what analysts put in.

use std::collections::BTreeMap;

use blackrod_model::assessment::{AnalystItem, EvidenceClass, Grade};
use blackrod_model::estate::Enrichment;
use blackrod_model::{Finding, FindingId, Severity, Technique};
use rustc_hash::FxHashMap;

use super::weigh::Support;
use crate::actors::{Actors, FeatureKind};

/// The code of findings that an indicator made.
const INDICATOR_CODE: &str = "INDICATOR";

/// How much likelier a feed's infrastructure makes the actor it names: the cap of its class, before its grade.
const LN_INFRASTRUCTURE: f64 = 1.5 * std::f64::consts::LN_10;

/// How much likelier it is at most that a state is behind a campaign that goes after the groups it is interested in: others are
/// interested in them too. A judgement.
const MAX_TARGETING: f64 = 10.0;

/// What an enriched group must be for its name to speak for a state.
const MAX_CHANCE: f64 = 0.01;

/// An item before it is weighed.
pub(crate) struct Draft {
    pub(crate) id: String,
    pub(crate) class: EvidenceClass,
    pub(crate) claim: String,
    pub(crate) findings: Vec<FindingId>,
    pub(crate) grade: Grade,
    pub(crate) forgeable: bool,
    pub(crate) support: Support,
}

/// All items of one campaign, each id once, in the order of their ids.
pub(crate) fn drafts(
    members: &[&Finding],
    targeting: &[Enrichment],
    analyst: &[AnalystItem],
    actors: &Actors,
) -> Vec<Draft> {
    let mut drafts: BTreeMap<String, Draft> = BTreeMap::new();
    let mut add = |draft: Draft| match drafts.entry(draft.id.clone()) {
        std::collections::btree_map::Entry::Vacant(place) => {
            place.insert(draft);
        }
        std::collections::btree_map::Entry::Occupied(mut place) => place.get_mut().take_in(draft),
    };
    for (finding, ids) in alike(members) {
        of_techniques(finding, &ids, actors, &mut add);
        of_software(finding, &ids, actors, &mut add);
        of_indicator(finding, &ids, actors, &mut add);
    }
    for enrichment in targeting
        .iter()
        .filter(|enrichment| enrichment.p_corrected < MAX_CHANCE)
    {
        of_targeting(enrichment, actors, &mut add);
    }
    for item in analyst {
        of_analyst(item, actors, &mut add);
    }
    let mut drafts: Vec<Draft> = drafts.into_values().collect();
    for draft in &mut drafts {
        draft.findings.sort_unstable();
        draft.findings.dedup();
    }
    drafts
}

/// Findings that say the same of who it was, with one that says it for all: one rule may have fired ten thousand times.
fn alike<'a>(members: &[&'a Finding]) -> impl Iterator<Item = (&'a Finding, Vec<FindingId>)> {
    let mut groups: FxHashMap<_, (&'a Finding, Vec<FindingId>)> = FxHashMap::default();
    for finding in members {
        let key = (
            finding.code.as_str(),
            finding.title.as_str(),
            finding.severity >= Severity::Low,
            &finding.attack,
            indicator_source(finding),
        );
        let (_, ids) = groups.entry(key).or_insert_with(|| (*finding, Vec::new()));
        ids.push(finding.id);
    }
    groups.into_values()
}

fn indicator_source(finding: &Finding) -> Option<&str> {
    let mut reasons = finding.reasons.iter();
    let source = reasons.find(|reason| reason.field == "indicator source")?;
    Some(&source.value)
}

impl Draft {
    /// What has the same id counts once: the stronger stays, with the findings of both.
    fn take_in(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        let strength = |draft: &Self| match &draft.support {
            Support::Feature(..) => 0.0,
            Support::State(_, ln) | Support::Actor(_, ln) => ln.abs(),
        };
        let order = strength(&other)
            .total_cmp(&strength(self))
            .then_with(|| other.grade.cmp(&self.grade).reverse())
            // Where one source says both, the careful reading counts: it could have been planted.
            .then_with(|| other.forgeable.cmp(&self.forgeable))
            .then_with(|| self.claim.cmp(&other.claim));
        if order.is_gt() {
            other.findings = std::mem::take(&mut self.findings);
            *self = other;
        }
    }
}

fn grade(text: &str) -> Grade {
    // All texts given are grades; a test goes through them.
    Grade::parse(text).unwrap_or(Grade::UNKNOWN)
}

fn of_techniques(finding: &Finding, ids: &[FindingId], actors: &Actors, add: &mut dyn FnMut(Draft)) {
    if finding.severity < Severity::Low {
        return;
    }
    for id in &finding.attack {
        // What no actor is reported to do says nothing of any.
        if actors.knowledge().kind(id) != Some(FeatureKind::Technique) {
            continue;
        }
        let name = Technique::parse(id)
            .and_then(|technique| technique.name())
            .unwrap_or_default();
        let shared = actors.knowledge().shared_by(id);
        add(Draft {
            id: format!("technique/{id}"),
            class: EvidenceClass::Technique,
            claim: format!("{id} {name} was seen; {shared} known groups are reported to use it"),
            findings: ids.to_vec(),
            grade: grade("A2"),
            forgeable: true,
            support: Support::Feature(id.clone(), FeatureKind::Technique),
        });
    }
}

/// A detector's own words name the software: words of the evidence could be anybody's.
fn of_software(finding: &Finding, ids: &[FindingId], actors: &Actors, add: &mut dyn FnMut(Draft)) {
    if finding.code == INDICATOR_CODE || finding.severity < Severity::Low {
        return;
    }
    for (listed, kind) in actors.software_in(&finding.title) {
        let shared = actors.knowledge().shared_by(&listed.id);
        let class = match kind {
            FeatureKind::Malware => EvidenceClass::Malware,
            _ => EvidenceClass::Tool,
        };
        add(Draft {
            id: format!("{}/{}", class.name(), listed.id),
            class,
            claim: format!(
                "A rule for {} fired; {shared} known groups are reported to use it",
                listed.name
            ),
            findings: ids.to_vec(),
            grade: grade("A3"),
            forgeable: true,
            support: Support::Feature(listed.id.clone(), kind),
        });
    }
}

/// An indicator whose own title names an actor.
fn of_indicator(finding: &Finding, ids: &[FindingId], actors: &Actors, add: &mut dyn FnMut(Draft)) {
    if finding.code != INDICATOR_CODE {
        return;
    }
    let source = indicator_source(finding).unwrap_or("a list of indicators");
    for actor in actors.named_in(&finding.title) {
        add(Draft {
            id: format!("infrastructure/{source}/{}", actor.id),
            class: EvidenceClass::Infrastructure,
            claim: format!(
                "{source} lists what was contacted as infrastructure of {}",
                actor.name
            ),
            findings: ids.to_vec(),
            grade: grade("B2"),
            forgeable: true,
            support: Support::Actor(actor.id.clone(), LN_INFRASTRUCTURE),
        });
    }
}

fn of_targeting(enrichment: &Enrichment, actors: &Actors, add: &mut dyn FnMut(Draft)) {
    let name = format!("{} {}", enrichment.id, enrichment.name).to_lowercase();
    for (state, profile) in &actors.states {
        if !profile.interests.iter().any(|word| has_word(&name, word)) {
            continue;
        }
        add(Draft {
            // One id for a state: membership of several lists on one topic is one fact about the targets.
            id: format!("victimology/{state}"),
            class: EvidenceClass::Victimology,
            claim: format!(
                "{}, which is reported to be of interest to {}",
                enrichment.sentence("people who were hit"),
                profile.name
            ),
            findings: Vec::new(),
            grade: grade("A2"),
            forgeable: true,
            support: Support::State(
                state.clone(),
                enrichment.odds_ratio.clamp(1.0, MAX_TARGETING).ln(),
            ),
        });
    }
}

fn of_analyst(item: &AnalystItem, actors: &Actors, add: &mut dyn FnMut(Draft)) {
    let ln = item.ratio.clamp(1e-3, 1e3).ln();
    let support = match actors.find(&item.supports) {
        Some(actor) => Support::Actor(actor.id.clone(), ln),
        None => Support::State(item.supports.to_uppercase(), ln),
    };
    add(Draft {
        id: format!(
            "{}/{}/{}",
            item.class.name(),
            item.source,
            item.supports.to_lowercase()
        ),
        class: item.class,
        claim: format!("{}: {}", item.source, item.claim),
        findings: Vec::new(),
        grade: item.grade,
        forgeable: item.forgeable,
        support,
    });
}

/// Whether `text` has `word` as a whole word, plural or not.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(word).any(|(at, found)| {
        let after = text[at + found.len()..]
            .strip_prefix('s')
            .unwrap_or(&text[at + found.len()..]);
        is_edge(text[..at].chars().next_back()) && is_edge(after.chars().next())
    })
}
