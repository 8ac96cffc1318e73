//! What all forms of the report count and look up, worked out once.

use std::collections::{BTreeMap, HashMap};

use blackrod_model::{
    Campaign, Entity, Evidence, EvidenceId, EvidenceState, Finding, FindingId, FindingTotal, RefusalGroup,
    Severity, Timestamp,
};

use crate::CaseView;

/// A case with its totals and cross-references.
pub(crate) struct Tally<'a> {
    pub(crate) view: CaseView<'a>,
    pub(crate) records_read: u64,
    pub(crate) records_refused: u64,
    pub(crate) bytes: u64,
    /// The findings of each severity, in the order of [`Severity::ALL`].
    by_severity: [u64; Severity::ALL.len()],
    finding_index: HashMap<FindingId, usize>,
    /// For each finding the index of its campaign.
    campaign_of: Vec<Option<usize>>,
    evidence_index: HashMap<EvidenceId, usize>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(view: &CaseView<'a>) -> Self {
        let mut by_severity = [0; Severity::ALL.len()];
        for total in view.totals {
            by_severity[total.severity as usize] += total.findings;
        }
        let mut finding_index = HashMap::with_capacity(view.findings.len());
        for (index, finding) in view.findings.iter().enumerate() {
            finding_index.insert(finding.id, index);
        }
        let mut campaign_of = vec![None; view.findings.len()];
        for (campaign_index, campaign) in view.campaigns.iter().enumerate() {
            for index in campaign.findings.iter().filter_map(|id| finding_index.get(id)) {
                campaign_of[*index] = Some(campaign_index);
            }
        }
        let sum = |count: fn(&Evidence) -> u64| {
            view.evidence
                .iter()
                .fold(0_u64, |total, evidence| total.saturating_add(count(evidence)))
        };
        Self {
            view: *view,
            records_read: sum(|evidence| evidence.records_read),
            records_refused: sum(|evidence| evidence.records_refused),
            bytes: sum(|evidence| match evidence.state {
                // Its members are counted.
                EvidenceState::Opened => 0,
                _ => evidence.size,
            }),
            by_severity,
            finding_index,
            campaign_of,
            evidence_index: view
                .evidence
                .iter()
                .enumerate()
                .map(|(index, evidence)| (evidence.id, index))
                .collect(),
        }
    }

    /// How many findings the case has.
    pub(crate) fn all_findings(&self) -> u64 {
        self.by_severity.iter().sum()
    }

    /// How many of them are counted but not told one by one.
    pub(crate) fn only_counted(&self) -> u64 {
        self.all_findings()
            .saturating_sub(self.view.findings.len() as u64)
    }

    /// How many findings have `severity`.
    pub(crate) fn of_severity(&self, severity: Severity) -> u64 {
        self.by_severity[severity as usize]
    }

    /// How many pieces of evidence are in `state`.
    pub(crate) fn in_state(&self, state: EvidenceState) -> u64 {
        self.view
            .evidence
            .iter()
            .filter(|evidence| evidence.state == state)
            .count() as u64
    }

    /// The findings of `campaign`, earliest first, as far as the case has them.
    pub(crate) fn findings_of(&self, campaign: &Campaign) -> Vec<&'a Finding> {
        let indices = campaign
            .findings
            .iter()
            .filter_map(|id| self.finding_index.get(id));
        indices.map(|&index| &self.view.findings[index]).collect()
    }

    /// The finding with this id.
    pub(crate) fn finding(&self, id: &FindingId) -> Option<&'a Finding> {
        self.finding_index
            .get(id)
            .and_then(|index| self.view.findings.get(*index))
    }

    /// The index of the campaign of the finding at `index`.
    pub(crate) fn campaign_of(&self, index: usize) -> Option<usize> {
        self.campaign_of.get(index).copied().flatten()
    }

    pub(crate) fn evidence_index(&self, id: EvidenceId) -> Option<usize> {
        self.evidence_index.get(&id).copied()
    }

    /// The path of the evidence, or its id where the case does not hold it.
    pub(crate) fn path(&self, id: EvidenceId) -> String {
        self.evidence_index(id).map_or_else(
            || format!("evidence {id}"),
            |index| self.view.evidence[index].path.clone(),
        )
    }

    /// The refusals by reason, most records first.
    pub(crate) fn refusals_by_reason(&self) -> Vec<ReasonTotal<'a>> {
        let mut totals: BTreeMap<&'a str, ReasonTotal<'a>> = BTreeMap::new();
        for group in self.view.refusals {
            let total = totals.entry(&group.reason).or_insert_with(|| ReasonTotal {
                reason: &group.reason,
                places: 0,
                records: 0,
                groups: Vec::new(),
            });
            total.places += group.places;
            total.records += group.records;
            total.groups.push(group);
        }
        let mut sorted: Vec<_> = totals.into_values().collect();
        sorted.sort_by_key(|total| std::cmp::Reverse((total.records, total.places)));
        sorted
    }

    /// The findings by rule: gravest first, then most findings.
    pub(crate) fn rules(&self) -> Vec<RuleTotal<'a>> {
        let mut totals: BTreeMap<(&'a str, &'a str), RuleTotal<'a>> = BTreeMap::new();
        for finding in self.view.findings {
            let total = totals
                .entry((&finding.code, &finding.rule_id))
                .or_insert_with(|| RuleTotal::of(finding));
            if finding.severity > total.first_finding.severity {
                total.first_finding = finding;
            }
        }
        for counted in self.view.totals {
            if let Some(total) = totals.get_mut(&(counted.code.as_str(), counted.rule_id.as_str())) {
                total.add(counted);
            }
        }
        let mut sorted: Vec<_> = totals.into_values().collect();
        sorted.sort_by(|a, b| {
            let by_weight =
                (b.first_finding.severity, b.findings).cmp(&(a.first_finding.severity, a.findings));
            by_weight.then_with(|| a.first_finding.title.cmp(&b.first_finding.title))
        });
        sorted
    }

    /// The entities that most findings share, at most `limit`, of those that at least two share.
    pub(crate) fn entities(&self, limit: usize) -> (Vec<EntityTotal<'a>>, usize) {
        let mut totals: HashMap<&'a Entity, EntityTotal<'a>> = HashMap::new();
        for (index, finding) in self.view.findings.iter().enumerate() {
            for entity in &finding.entities {
                let total = totals.entry(entity).or_insert_with(|| EntityTotal {
                    entity,
                    findings: 0,
                    campaigns: Vec::new(),
                });
                total.findings += 1;
                if let Some(campaign) = self.campaign_of(index)
                    && total.campaigns.len() < EntityTotal::MAX_CAMPAIGNS
                    && !total.campaigns.contains(&campaign)
                {
                    total.campaigns.push(campaign);
                }
            }
        }
        let mut sorted: Vec<_> = totals.into_values().filter(|total| total.findings >= 2).collect();
        sorted.sort_by(|a, b| b.findings.cmp(&a.findings).then_with(|| a.entity.cmp(b.entity)));
        let shared = sorted.len();
        sorted.truncate(limit);
        for total in &mut sorted {
            total.campaigns.sort_unstable();
        }
        (sorted, shared)
    }
}

/// All refusals of one reason.
pub(crate) struct ReasonTotal<'a> {
    pub(crate) reason: &'a str,
    pub(crate) places: u64,
    pub(crate) records: u64,
    pub(crate) groups: Vec<&'a RefusalGroup>,
}

/// All findings of one rule.
pub(crate) struct RuleTotal<'a> {
    /// One of them, of the highest severity.
    pub(crate) first_finding: &'a Finding,
    pub(crate) findings: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

impl<'a> RuleTotal<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            first_finding: finding,
            findings: 0,
            first: Timestamp::UNKNOWN,
            last: Timestamp::UNKNOWN,
        }
    }

    fn add(&mut self, total: &FindingTotal) {
        self.findings += total.findings;
        self.first = self.first.earlier_known(total.first);
        self.last = self.last.max(total.last);
    }
}

/// All findings that name one entity.
pub(crate) struct EntityTotal<'a> {
    pub(crate) entity: &'a Entity,
    pub(crate) findings: u64,
    /// Indices of campaigns, at most [`EntityTotal::MAX_CAMPAIGNS`].
    pub(crate) campaigns: Vec<usize>,
}

impl EntityTotal<'_> {
    pub(crate) const MAX_CAMPAIGNS: usize = 8;
}
