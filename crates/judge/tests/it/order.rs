//! Properties that hold whatever the findings.

use std::collections::BTreeSet;

use blackrod_judge::campaigns;
use blackrod_model::{Campaign, Finding, FindingId, Severity, Timestamp};
use proptest::prelude::*;

use crate::make::{estate, finding};

const ENTITIES: [&str; 16] = [
    "host ws-1",
    "host ws-2",
    "host ws-2.parliament.example",
    "host dc-1",
    "account a.berg",
    "account system",
    "account svc",
    "address a.berg@parliament.example",
    "address x@sender.example.org",
    "ip 203.0.113.7",
    "ip 127.0.0.1",
    "ip 10.0.0.4",
    "domain bad.example.net",
    "domain gmail.com",
    "hash aa11",
    "session ws-1:0x51",
];

fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    let one = (
        0..3_000_i64,
        0..Severity::ALL.len(),
        0..6_u8,
        prop::collection::vec(0..ENTITIES.len(), 0..4),
        prop::bool::weighted(0.05),
    );
    prop::collection::vec(one, 0..60).prop_map(|specs| {
        let build = |(number, (minutes, severity, rule, entities, untimed)): (
            u64,
            (_, usize, u8, Vec<usize>, bool),
        )| {
            let named: Vec<&str> = entities.iter().map(|&index| ENTITIES[index]).collect();
            let mut finding = finding(
                number,
                minutes,
                Severity::ALL[severity],
                &format!("rule-{rule}"),
                &named,
            );
            finding.attack = vec![format!("T105{rule}")];
            if untimed {
                finding.time = Timestamp::UNKNOWN;
            }
            finding
        };
        (1..).zip(specs).map(build).collect()
    })
}

fn members(campaigns: &[Campaign]) -> BTreeSet<BTreeSet<FindingId>> {
    campaigns
        .iter()
        .map(|campaign| campaign.findings.iter().copied().collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_findings_does_not_matter(
        (findings, shuffled) in any_findings()
            .prop_flat_map(|findings| (Just(findings.clone()), Just(findings).prop_shuffle()))
    ) {
        prop_assert_eq!(campaigns(&findings, &estate()), campaigns(&shuffled, &estate()));
    }

    #[test]
    fn a_finding_that_comes_twice_counts_once(findings in any_findings()) {
        let twice = [findings.clone(), findings.clone()].concat();
        prop_assert_eq!(campaigns(&findings, &estate()), campaigns(&twice, &estate()));
    }

    #[test]
    fn every_finding_is_in_at_most_one_campaign_and_every_campaign_is_one(findings in any_findings()) {
        let found = campaigns(&findings, &estate());
        let mut seen = BTreeSet::new();
        for campaign in &found {
            let severities: Vec<Severity> = findings
                .iter()
                .filter(|finding| campaign.findings.contains(&finding.id))
                .map(|finding| finding.severity)
                .collect();
            prop_assert_eq!(severities.len(), campaign.findings.len());
            prop_assert!(severities.iter().any(|&severity| severity >= Severity::Medium));
            prop_assert!(severities.len() >= 2 || severities[0] >= Severity::High);
            for id in &campaign.findings {
                prop_assert!(seen.insert(*id), "{} is in two campaigns", id);
            }
            prop_assert!(campaign.score.is_finite() && campaign.score > 0.0);
        }
        let scores: Vec<f64> = found.iter().map(|campaign| campaign.score).collect();
        prop_assert!(scores.is_sorted_by(|a, b| a >= b));
        let grave = findings.iter().filter(|finding| finding.severity >= Severity::High);
        for finding in grave {
            prop_assert!(seen.contains(&finding.id), "a grave finding is in no campaign");
        }
    }

    /// Unrelated findings make what others share a little rarer, so they may bring findings together
    /// that were just short of it; they never part any, and take part in no campaign but their own.
    /// Low findings are left out of this: each goes to the one campaign that it is tied to most, and
    /// which of two that is may change with what is rare.
    #[test]
    fn unrelated_findings_part_no_campaign_and_join_none(findings in any_findings(), others in 1..200_u64) {
        let before = members(&campaigns(&findings, &estate()));
        let mut more = findings.clone();
        for number in 0..others {
            let host = format!("host other-{number}");
            let named = [host.as_str(), "account system", "ip 127.0.0.1"];
            more.push(finding(10_000 + number, number as i64, Severity::Medium, "other", &named));
        }
        let after = members(&campaigns(&more, &estate()));
        let known: BTreeSet<FindingId> = findings.iter().map(|finding| finding.id).collect();
        let low = findings.iter().filter(|finding| finding.severity < Severity::Medium);
        let low: BTreeSet<FindingId> = low.map(|finding| finding.id).collect();
        for campaign in &before {
            let core: BTreeSet<FindingId> = campaign.difference(&low).copied().collect();
            // One finding alone was a campaign for the low ones that went with it, and these may go elsewhere.
            if core.len() < 2 {
                continue;
            }
            prop_assert!(after.iter().any(|grown| grown.is_superset(&core)));
        }
        for campaign in &after {
            prop_assert!(campaign.is_subset(&known));
        }
    }
}
