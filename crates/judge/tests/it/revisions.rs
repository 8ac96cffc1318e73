//! What people change of campaigns holds however the evidence grows.

use blackrod_judge::{Revisions, campaigns, revised_campaigns};
use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::{Campaign, CampaignId, Finding, Severity, Timestamp};

use crate::make::{DAY, estate, finding};

fn noted(remarks: Vec<Remark>) -> Revisions {
    let noted: Vec<Noted> = remarks
        .into_iter()
        .zip(1..)
        .map(|(remark, id)| Noted {
            id,
            at: Timestamp::from_seconds(0),
            by: "Anna".to_owned(),
            remark,
        })
        .collect();
    Revisions::of(&noted)
}

fn high(number: u64, minutes: i64, host: &str) -> Finding {
    finding(
        number,
        minutes,
        Severity::High,
        &format!("rule-{number}"),
        &[host],
    )
}

/// Two operations, months apart.
fn two() -> Vec<Finding> {
    vec![
        high(1, 0, "host ws-014"),
        high(2, 10, "host ws-014"),
        high(3, 200 * DAY, "host srv-7"),
        high(4, 200 * DAY + 10, "host srv-7"),
    ]
}

fn ids(drawn: &[Campaign]) -> Vec<CampaignId> {
    drawn.iter().map(|campaign| campaign.id.clone()).collect()
}

#[test]
fn merged_campaigns_are_one_by_the_name_of_its_earliest_finding() {
    let findings = two();
    let apart = campaigns(&findings, &estate());
    assert_eq!(apart.len(), 2);
    let revisions = noted(vec![Remark::Joined {
        campaigns: ids(&apart),
        reason: "one tool".to_owned(),
    }]);
    let merged = revised_campaigns(&findings, &estate(), &revisions);
    assert_eq!(merged.len(), 1);
    assert_eq!(merged[0].findings.len(), 4);
    assert_eq!(merged[0].id, CampaignId::from_first(findings[0].id));
}

#[test]
fn a_change_holds_when_the_campaign_grows_backwards() {
    let mut findings = two();
    let id = CampaignId::from_first(findings[0].id);
    let revisions = noted(vec![Remark::Renamed {
        campaign: id.clone(),
        title: "Operation Usher".to_owned(),
    }]);
    findings.push(high(5, -5, "host ws-014"));
    let drawn = revised_campaigns(&findings, &estate(), &revisions);
    let renamed = drawn
        .iter()
        .find(|campaign| campaign.title == "Operation Usher")
        .unwrap();
    assert_eq!(renamed.findings.len(), 3);
    assert_ne!(renamed.id, id, "it is named after the earlier finding");
}

#[test]
fn findings_split_off_are_a_campaign_and_the_rest_stays_one() {
    let findings = [
        high(1, 0, "host ws-014"),
        high(2, 5, "host ws-014"),
        high(3, 9, "host ws-014"),
    ];
    let revisions = noted(vec![Remark::Parted {
        findings: vec![findings[2].id],
        reason: "an exercise".to_owned(),
    }]);
    let drawn = revised_campaigns(&findings, &estate(), &revisions);
    let mut sizes: Vec<usize> = drawn.iter().map(|campaign| campaign.findings.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2]);
}

#[test]
fn a_dismissed_campaign_is_gone_and_no_other() {
    let findings = two();
    let revisions = noted(vec![Remark::Dismissed {
        campaign: CampaignId::from_first(findings[2].id),
        title: String::new(),
        reason: "our own test".to_owned(),
    }]);
    let drawn = revised_campaigns(&findings, &estate(), &revisions);
    assert_eq!(ids(&drawn), [CampaignId::from_first(findings[0].id)]);
}

#[test]
fn a_change_of_a_campaign_that_is_not_there_changes_nothing() {
    let gone = CampaignId::from_first(high(99, 0, "host ws-099").id);
    let revisions = noted(vec![
        Remark::Joined {
            campaigns: vec![gone.clone(), gone.clone()],
            reason: String::new(),
        },
        Remark::Dismissed {
            campaign: gone,
            title: String::new(),
            reason: String::new(),
        },
    ]);
    let findings = two();
    assert_eq!(
        revised_campaigns(&findings, &estate(), &revisions),
        campaigns(&findings, &estate())
    );
}
