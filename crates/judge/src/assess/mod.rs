//! Campaigns → assessments: what was done, what was obtained, who did it, what for, who is at risk, each with its own certainty.
//!
//! The arithmetic is Bayes' rule over hypotheses that include unknown actors, crime, and somebody posing as each group. What an item
//! says is learned from who is reported to use what ([`crate::actors`]), tempered because techniques hang together, shrunk by the
//! grade of its source, and capped by class; what comes from one source counts once. Ceilings by the kinds of evidence at hand come
//! last. The matrix of hypotheses and evidence (Heuer's analysis of competing hypotheses) is a display of this, not a method: tests with
//! analysts found no gain in accuracy from filling it by hand (Dhami et al., 2019; Karvetski and Mandel, 2020).

mod ceiling;
mod deeds;
mod hypotheses;
mod items;
mod people;
mod weigh;
mod who;

use std::collections::BTreeMap;

use blackrod_model::assessment::{AnalystItem, Assessment, EvidenceItem, Told};
use blackrod_model::estate::{Enrichment, Index, Traits};
use blackrod_model::{Campaign, Estate, Finding, FindingId};
use rustc_hash::FxHashMap;

pub use hypotheses::Priors;
pub use who::{Suspects, suspects};

use crate::actors::{Actors, Day};
use hypotheses::Hypotheses;
use weigh::{Ratios, Weighed};

/// A group counts as targeted if chance alone, corrected for all groups tried, would have hit so many of it less often.
pub const TARGETED_BELOW: f64 = 0.01;

/// What people add to the records.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Evidence that analysts put in.
    pub analyst: Vec<AnalystItem>,
    /// The campaigns whose judgement a named person has signed.
    pub signed_off: Vec<blackrod_model::CampaignId>,
    /// Who was told, by their id in the estate.
    pub told: BTreeMap<String, Told>,
    /// What is known to be missing: "no identity logs 3–5 January".
    pub missing: Vec<String>,
    /// How beliefs are shared out before anything is seen.
    pub priors: Priors,
}

/// Judges the campaigns of one case.
pub struct Assessor<'a> {
    findings: FxHashMap<FindingId, &'a Finding>,
    estate: &'a Estate,
    index: Index<'a>,
    traits: Traits<'a>,
    actors: &'a Actors,
    context: &'a Context,
    hypotheses: Hypotheses,
    ratios: Ratios,
    profiles: String,
}

/// Judges one campaign. For many of one case, an [`Assessor`] prepares once.
pub fn assess(
    campaign: &Campaign,
    findings: &[Finding],
    estate: &Estate,
    actors: &Actors,
    context: &Context,
) -> Assessment {
    Assessor::new(findings, estate, actors, context).assess(campaign)
}

impl<'a> Assessor<'a> {
    /// Prepares: `findings` are all of the case, or at least all of the campaigns that will be judged.
    pub fn new(
        findings: &'a [Finding],
        estate: &'a Estate,
        actors: &'a Actors,
        context: &'a Context,
    ) -> Self {
        // How fresh reports are is counted from the newest of them, not from today: the same case gives the same numbers.
        let newest = actors
            .knowledge()
            .actors()
            .iter()
            .filter_map(|known| known.nearest_report)
            .max();
        let versions = actors.actors.iter().filter_map(|actor| actor.attack.as_ref());
        let version = versions
            .map(|attack| attack.version.as_str())
            .max()
            .unwrap_or("none");
        Self {
            findings: findings.iter().map(|finding| (finding.id, finding)).collect(),
            estate,
            index: Index::new(estate),
            traits: Traits::new(estate),
            actors,
            context,
            hypotheses: Hypotheses::new(actors, &context.priors, newest),
            ratios: Ratios::default(),
            profiles: format!("{} profiles, ATT&CK {version}", actors.actors.len()),
        }
    }

    /// The groups, roles, offices and lists that the campaign's targets are from beyond chance.
    pub fn targeting(&self, campaign: &Campaign) -> Vec<Enrichment> {
        let hit = people::hit(campaign, &self.index);
        let ids: Vec<&str> = hit.iter().map(|person| person.id.as_str()).collect();
        self.traits.enriched(&ids, TARGETED_BELOW)
    }

    /// Judges `campaign`.
    pub fn assess(&self, campaign: &Campaign) -> Assessment {
        let mut members: Vec<&Finding> = campaign
            .findings
            .iter()
            .filter_map(|id| self.findings.get(id))
            .copied()
            .collect();
        members.sort_by_key(|finding| (finding.time, finding.id));
        members.dedup_by_key(|finding| finding.id);
        let hit = people::hit(campaign, &self.index);
        let targeting = self.targeting(campaign);
        let analyst: Vec<AnalystItem> = self
            .context
            .analyst
            .iter()
            .filter(|item| item.campaign == campaign.id)
            .cloned()
            .collect();
        let drafts = items::drafts(&members, &targeting, &analyst, self.actors);
        let weighed: Vec<Weighed> = drafts
            .iter()
            .map(|draft| Weighed {
                id: draft.id.clone(),
                class: draft.class,
                forgeable: draft.forgeable,
                ln_ratios: self.ratios.of(
                    &draft.support,
                    draft.grade.reliability(),
                    &self.hypotheses,
                    self.actors,
                ),
            })
            .collect();
        let mut found = who::judge(
            &self.hypotheses,
            &weighed,
            &drafts,
            self.actors,
            campaign,
            self.context,
        );

        let mut judgements = deeds::done(&members);
        let obtained = deeds::obtained(&members, self.estate, &self.index);
        let used = who::use_of(&obtained, &found.leading_state, self.actors);
        let mut open = deeds::unknown_copies(&obtained);
        if !obtained.is_empty() && used.is_none() {
            open.push(who::UNKNOWN_USE.to_owned());
        }
        judgements.extend(obtained.iter().cloned());
        judgements.append(&mut found.judgements);
        judgements.extend(used);
        let mut at_risk = people::at_risk(&hit, &targeting, self.estate);
        for person in &mut at_risk {
            person.told = self.context.told.get(&person.person).cloned();
        }
        judgements.extend(who::risk(&at_risk, &targeting));
        let mut items: Vec<EvidenceItem> = found.items;
        items.sort_by(|a, b| {
            b.diagnosticity
                .total_cmp(&a.diagnosticity)
                .then_with(|| a.id.cmp(&b.id))
        });
        Assessment {
            campaign: campaign.id.clone(),
            judgements,
            hypotheses: found.hypotheses,
            items,
            ceilings: found.ceilings,
            targeting,
            phases: deeds::phases(&members),
            at_risk,
            open,
            missing: self.context.missing.clone(),
            would_change: found.would_change,
            profiles: self.profiles.clone(),
        }
    }
}

/// The newest publication date among profiles, for benchmarks.
pub fn newest_report(actors: &Actors) -> Option<Day> {
    actors
        .knowledge()
        .actors()
        .iter()
        .filter_map(|known| known.nearest_report)
        .max()
}
