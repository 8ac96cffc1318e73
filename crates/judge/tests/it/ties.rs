//! What ties findings together and what does not.

use blackrod_judge::campaigns;
use blackrod_model::{Finding, Severity};

use crate::make::{DAY, HOUR, entity, estate, finding, mail_finding};

/// How many findings each campaign has, largest first.
fn sizes(findings: &[Finding]) -> Vec<usize> {
    let mut sizes: Vec<usize> = campaigns(findings, &estate())
        .iter()
        .map(|campaign| campaign.findings.len())
        .collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes
}

fn medium(number: u64, minutes: i64, entities: &[&str]) -> Finding {
    finding(
        number,
        minutes,
        Severity::Medium,
        &format!("rule-{number}"),
        entities,
    )
}

#[test]
fn the_same_host_within_minutes_is_one_campaign_and_months_apart_is_none() {
    let host = &["host ws-014"];
    assert_eq!(sizes(&[medium(1, 0, host), medium(2, 10, host)]), [2]);
    assert_eq!(sizes(&[medium(1, 0, host), medium(2, 90 * DAY, host)]), [0; 0]);
}

#[test]
fn a_host_is_the_same_with_and_without_its_domain() {
    let findings = [
        medium(1, 0, &["host ws-014.parliament.example"]),
        medium(2, 10, &["host ws-014"]),
    ];
    assert_eq!(sizes(&findings), [2]);
    let campaign = &campaigns(&findings, &estate())[0];
    assert_eq!(campaign.targets.len(), 1);
    assert_eq!(campaign.targets[0].findings, 2);
}

#[test]
fn what_is_the_attackers_own_ties_across_hosts_and_weeks() {
    for shared in [
        "ip 203.0.113.7",
        "domain parliament-login.example.net",
        "hash 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        "url https://parliament-login.example.net/a",
    ] {
        let findings = [
            medium(1, 0, &["host ws-014", shared]),
            medium(2, 10 * DAY, &["host ws-015", shared]),
        ];
        assert_eq!(sizes(&findings), [2], "{shared}");
    }
}

#[test]
fn common_values_tie_nothing_even_all_at_once() {
    let common = [
        "account system",
        "account dwm-3",
        "ip 127.0.0.1",
        "ip ::1",
        "ip 209.85.220.41",
        "ip 8.8.8.8",
        "domain gmail.com",
        "domain mail.google.com",
        "domain parliament.example",
        "address no-reply@accounts.google.com",
        "process c:\\windows\\system32\\cmd.exe",
        "file powershell.exe",
        "session 0x3e7",
        "url https://www.google.com/",
        "host localhost",
        "hash e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    let with = |number, own| {
        let mut finding = medium(number, 0, &common);
        finding.entities.push(entity(own));
        finding
    };
    assert_eq!(sizes(&[with(1, "host ws-014"), with(2, "host ws-015")]), [0; 0]);
}

#[test]
fn the_digest_of_a_system_program_is_as_common_as_its_path() {
    let program = "process c:\\windows\\system32\\cmd.exe";
    let digest = "hash b99d61d874728edc0918ca0eb10eab93d381e7367e377406e65963366c874450";
    let findings = [
        medium(1, 0, &["host ws-014", program, digest]),
        medium(2, 5, &["host ws-015", program, digest]),
    ];
    assert_eq!(sizes(&findings), [0; 0]);
}

#[test]
fn an_address_that_every_host_reports_ties_no_hosts() {
    let of_proxy = |number: u64| {
        let host = format!("host ws-{number}");
        medium(number, number as i64, &[&host, "ip 198.51.100.9"])
    };
    let everywhere: Vec<Finding> = (0..5_000).map(of_proxy).collect();
    assert_eq!(sizes(&everywhere), [0; 0]);
    assert_eq!(sizes(&everywhere[..5]), [5]);
}

#[test]
fn two_messages_to_one_person_are_not_yet_one_campaign() {
    let to = "address a.berg@parliament.example";
    let other_senders = [
        mail_finding(1, 0, &["address x@one.example.org", to]),
        mail_finding(2, 5, &["address y@two.example.org", to]),
    ];
    assert_eq!(sizes(&other_senders), [0; 0]);
    let same_sender = [
        mail_finding(1, 0, &["address x@one.example.org", to]),
        mail_finding(
            2,
            3 * DAY,
            &["address x@one.example.org", "address c.dahl@parliament.example"],
        ),
    ];
    assert_eq!(sizes(&same_sender), [2]);
}

#[test]
fn a_message_and_what_its_reader_runs_are_tied_by_the_person() {
    let findings = [
        mail_finding(
            1,
            0,
            &["address x@one.example.org", "address a.berg@parliament.example"],
        ),
        medium(2, 20, &["host ws-014", "account a.berg"]),
    ];
    let found = campaigns(&findings, &estate());
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .targets
            .iter()
            .any(|target| target.person.as_deref() == Some("Anna Berg"))
    );
    assert!(
        found[0]
            .targets
            .iter()
            .all(|target| target.entity.value != "x@one.example.org")
    );
}

#[test]
fn two_rules_about_one_record_are_one_campaign() {
    let mut second = medium(1, 0, &[]);
    second.rule_id = "another".to_owned();
    second.id = blackrod_model::FindingId::new(
        "SIG",
        "another",
        second.evidence,
        blackrod_model::Position { offset: 0, record: 1 },
        "",
    );
    assert_eq!(sizes(&[medium(1, 0, &[]), second]), [2]);
}

#[test]
fn mild_findings_form_no_campaign_and_join_one() {
    let low = |number, minutes| {
        finding(
            number,
            minutes,
            Severity::Low,
            "low",
            &["host ws-014", "ip 203.0.113.7"],
        )
    };
    assert_eq!(sizes(&[low(1, 0), low(2, 1), low(3, 2)]), [0; 0]);
    let joined = [low(1, 0), low(2, 1), medium(3, 2, &["host ws-014"])];
    assert_eq!(sizes(&joined), [3]);
}

#[test]
fn mild_findings_do_not_tie_two_campaigns_together() {
    let hour = |number, hour: i64| medium(number, hour * HOUR, &["host ws-014"]);
    let between = |number, hour: i64| finding(number, hour * HOUR, Severity::Low, "low", &["host ws-014"]);
    let findings = [
        hour(1, 0),
        hour(2, 1),
        between(3, 3),
        between(4, 5),
        between(5, 7),
        hour(6, 9),
        hour(7, 10),
    ];
    let found = sizes(&findings);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn one_finding_is_a_campaign_from_high_severity_on() {
    let alone = |severity| sizes(&[finding(1, 0, severity, "alone", &["host ws-014"])]);
    assert_eq!(alone(Severity::Medium), [0; 0]);
    assert_eq!(alone(Severity::High), [1]);
    assert_eq!(alone(Severity::Critical), [1]);
}
