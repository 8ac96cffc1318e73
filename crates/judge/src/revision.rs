//! What people change of the campaigns that were drawn.

use std::collections::{BTreeSet, HashMap};

use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::{CampaignId, Finding, FindingId};

/// What people changed of campaigns, in the order in which they did. Each change holds however the evidence grows: a
/// campaign is found again by the finding that it was named after, whichever campaign has that finding by then.
#[derive(Clone, Debug, Default)]
pub struct Revisions(Vec<Revision>);

#[derive(Clone, Debug)]
enum Revision {
    Join(Vec<CampaignId>),
    Part(BTreeSet<FindingId>),
    Rename(CampaignId, String),
    Dismiss(CampaignId),
}

impl Revisions {
    /// The changes that `remarks` make, first to last.
    pub fn of(remarks: &[Noted]) -> Self {
        let revision = |noted: &Noted| match &noted.remark {
            Remark::Joined { campaigns, .. } => Some(Revision::Join(campaigns.clone())),
            Remark::Parted { findings, .. } => Some(Revision::Part(findings.iter().copied().collect())),
            Remark::Renamed { campaign, title } => Some(Revision::Rename(campaign.clone(), title.clone())),
            Remark::Dismissed { campaign, .. } => Some(Revision::Dismiss(campaign.clone())),
            _ => None,
        };
        Self(remarks.iter().filter_map(revision).collect())
    }

    /// Changes `groups` of ranks among `ordered`.
    pub(crate) fn apply(&self, groups: Vec<Vec<u32>>, ordered: &[&Finding]) -> Vec<Revised> {
        let ranks = self.named_findings(ordered);
        let mut revised: Vec<Revised> = groups.into_iter().map(Revised::new).collect();
        for revision in &self.0 {
            match revision {
                Revision::Join(campaigns) => join(&mut revised, campaigns, &ranks),
                Revision::Part(findings) => part(&mut revised, findings, ordered),
                Revision::Rename(campaign, title) => {
                    if let Some(place) = place_of(&revised, campaign, &ranks) {
                        revised[place].title = Some(title.clone());
                    }
                }
                Revision::Dismiss(campaign) => {
                    if let Some(place) = place_of(&revised, campaign, &ranks) {
                        revised.remove(place);
                    }
                }
            }
        }
        revised
    }

    /// The ranks of the findings that the campaigns of these changes were named after.
    fn named_findings(&self, ordered: &[&Finding]) -> HashMap<CampaignId, u32> {
        let wanted: BTreeSet<&CampaignId> = self
            .0
            .iter()
            .flat_map(|revision| match revision {
                Revision::Join(campaigns) => campaigns.as_slice(),
                Revision::Part(_) => &[],
                Revision::Rename(campaign, _) | Revision::Dismiss(campaign) => std::slice::from_ref(campaign),
            })
            .collect();
        if wanted.is_empty() {
            return HashMap::new();
        }
        let named = ordered
            .iter()
            .zip(0_u32..)
            .map(|(finding, rank)| (CampaignId::from_first(finding.id), rank));
        named.filter(|(id, _)| wanted.contains(id)).collect()
    }
}

/// A campaign to be: the ranks of its findings, and what people call it.
pub(crate) struct Revised {
    pub(crate) findings: Vec<u32>,
    pub(crate) title: Option<String>,
}

impl Revised {
    fn new(findings: Vec<u32>) -> Self {
        Self {
            findings,
            title: None,
        }
    }
}

fn place_of(revised: &[Revised], campaign: &CampaignId, ranks: &HashMap<CampaignId, u32>) -> Option<usize> {
    let rank = ranks.get(campaign)?;
    revised.iter().position(|one| one.findings.contains(rank))
}

fn join(revised: &mut Vec<Revised>, campaigns: &[CampaignId], ranks: &HashMap<CampaignId, u32>) {
    let Some((first, others)) = campaigns.split_first() else {
        return;
    };
    for other in others {
        let (Some(into), Some(from)) = (place_of(revised, first, ranks), place_of(revised, other, ranks))
        else {
            continue;
        };
        if into == from {
            continue;
        }
        let taken = std::mem::take(&mut revised[from].findings);
        let whole = &mut revised[into].findings;
        whole.extend(taken);
        whole.sort_unstable();
        revised.remove(from);
    }
}

fn part(revised: &mut Vec<Revised>, findings: &BTreeSet<FindingId>, ordered: &[&Finding]) {
    let is_parted = |rank: &u32| findings.contains(&ordered[*rank as usize].id);
    let mut own: Vec<u32> = Vec::new();
    for one in revised.iter_mut() {
        own.extend(one.findings.extract_if(.., |rank| is_parted(rank)));
    }
    revised.retain(|one| !one.findings.is_empty());
    if !own.is_empty() {
        own.sort_unstable();
        revised.push(Revised::new(own));
    }
}
