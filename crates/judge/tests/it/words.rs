//! What is said of a campaign.

use blackrod_judge::campaigns;
use blackrod_model::{CampaignId, Finding, Severity, Timestamp};

use crate::make::{DAY, estate, finding};

fn with_technique(mut finding: Finding, technique: &str) -> Finding {
    finding.attack = vec![technique.to_owned()];
    finding
}

fn intrusion() -> Vec<Finding> {
    let high = |number, minutes, rule: &str, entities: &[&str]| {
        finding(number, minutes, Severity::High, rule, entities)
    };
    vec![
        with_technique(
            high(1, 0, "lsass", &["host ws-014", "account a.berg"]),
            "T1003.001",
        ),
        with_technique(
            high(2, 9, "psexec", &["host ws-014", "host dc-1", "account a.berg"]),
            "T1021.002",
        ),
        with_technique(high(3, 12, "ntds", &["host dc-1", "account a.berg"]), "T1003.003"),
    ]
}

#[test]
fn the_title_says_what_whom_and_when() {
    let found = campaigns(&intrusion(), &estate());
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].title,
        "Credential access and lateral movement on DC-1 and WS-014, 22 January 2021"
    );
    assert_eq!(found[0].attack, ["T1003.001", "T1003.003", "T1021.002"]);
}

#[test]
fn without_techniques_the_title_is_the_gravest_claim() {
    let found = campaigns(
        &[finding(1, 0, Severity::Critical, "yara", &["account c.dahl"])],
        &estate(),
    );
    assert_eq!(found[0].title, "Claim of yara against Carl Dahl, 22 January 2021");
}

#[test]
fn the_id_is_that_of_the_earliest_finding_and_stays_while_the_campaign_grows() {
    let mut findings = intrusion();
    let before = campaigns(&findings, &estate());
    assert_eq!(before[0].id, CampaignId::from_first(findings[0].id));
    findings.push(finding(
        9,
        30,
        Severity::Medium,
        "later",
        &["host dc-1", "account a.berg"],
    ));
    let after = campaigns(&findings, &estate());
    assert_eq!(after[0].id, before[0].id);
    assert_eq!(after[0].findings.len(), 4);
}

#[test]
fn findings_come_earliest_first_and_unknown_times_do_not_date_the_campaign() {
    let mut findings = intrusion();
    findings[1].time = Timestamp::UNKNOWN;
    let found = campaigns(&findings, &estate());
    let whole = found.iter().find(|campaign| campaign.findings.len() > 1).unwrap();
    assert_ne!(whole.first_seen, Timestamp::UNKNOWN);
    assert!(whole.first_seen <= whole.last_seen);
}

#[test]
fn ties_come_strongest_first() {
    let findings = [
        finding(1, 0, Severity::High, "a", &["host ws-014", "ip 203.0.113.7"]),
        finding(2, 1, Severity::High, "b", &["host ws-014", "ip 203.0.113.7"]),
    ];
    let found = campaigns(&findings, &estate());
    let ties: Vec<String> = found[0].ties.iter().map(|tie| tie.entity.to_string()).collect();
    assert_eq!(ties, ["ip 203.0.113.7", "host ws-014"]);
    assert!(found[0].ties.iter().all(|tie| tie.findings == 2));
}

#[test]
fn variety_is_stronger_than_repetition() {
    let repeated: Vec<Finding> = (0..50)
        .map(|number| {
            let minutes = 30 * DAY + number as i64;
            with_technique(
                finding(100 + number, minutes, Severity::High, "same", &["host ws-100"]),
                "T1059.001",
            )
        })
        .collect();
    let mut findings = intrusion();
    findings.extend(repeated);
    let found = campaigns(&findings, &estate());
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].findings.len(),
        3,
        "three different claims before fifty equal ones"
    );
    assert_eq!(found[1].findings.len(), 50);
}

#[test]
fn people_at_high_risk_raise_the_score() {
    let on = |number, account: &str| finding(number, 0, Severity::High, "rule", &[account]);
    let found = campaigns(&[on(1, "account c.dahl"), on(2, "account a.berg")], &estate());
    assert_eq!(found[0].targets[0].person.as_deref(), Some("Anna Berg"));
    assert!(found[0].score > found[1].score);
}
