//! Findings and an estate to judge.

use blackrod_model::estate::{Organisation, Person, System};
use blackrod_model::{
    Class, Entity, EntityKind, Estate, EvidenceId, Finding, FindingId, Position, Severity, Sha256, Timestamp,
};

/// 2021-01-22T09:00:00Z.
const START_SECONDS: i64 = 1_611_306_000;

pub(crate) const HOUR: i64 = 60;
pub(crate) const DAY: i64 = 24 * HOUR;

/// A finding of `rule` about record `number`, `minutes` after the start, that names `entities`
/// (`"host ws-014"`).
pub(crate) fn finding(
    number: u64,
    minutes: i64,
    severity: Severity,
    rule: &str,
    entities: &[&str],
) -> Finding {
    let evidence = EvidenceId::new(&Sha256::of(b"evidence"), "Security.evtx");
    Finding {
        id: FindingId::new(
            "SIG",
            rule,
            evidence,
            Position {
                offset: 0,
                record: number,
            },
            "",
        ),
        code: "SIG".to_owned(),
        rule_id: rule.to_owned(),
        title: format!("Claim of {rule}"),
        severity,
        time: Timestamp::from_seconds(START_SECONDS + minutes * 60),
        evidence,
        at: Position {
            offset: number * 1_000,
            record: number,
        },
        class: Class::PROCESS_ACTIVITY.0,
        attack: Vec::new(),
        reasons: Vec::new(),
        entities: entities.iter().map(|text| entity(text)).collect(),
    }
}

pub(crate) fn mail_finding(number: u64, minutes: i64, entities: &[&str]) -> Finding {
    Finding {
        class: Class::EMAIL_ACTIVITY.0,
        ..finding(number, minutes, Severity::Medium, "mail", entities)
    }
}

pub(crate) fn entity(text: &str) -> Entity {
    let (kind, value) = text.split_once(' ').unwrap();
    Entity::new(EntityKind::from_name(kind).unwrap(), value).unwrap()
}

pub(crate) fn estate() -> Estate {
    let person = |name: &str, login: &str, high_risk| Person {
        id: login.to_owned(),
        name: name.to_owned(),
        addresses: vec![format!("{login}@parliament.example")],
        accounts: vec![login.to_owned()],
        high_risk,
        ..Default::default()
    };
    Estate {
        organisations: vec![Organisation {
            id: "parliament".to_owned(),
            name: "The Parliament".to_owned(),
            domains: vec!["parliament.example".to_owned()],
        }],
        people: vec![
            person("Anna Berg", "a.berg", true),
            person("Carl Dahl", "c.dahl", false),
        ],
        systems: vec![System {
            name: "Directory".to_owned(),
            kind: "domain-controller".to_owned(),
            hosts: vec!["dc-1.parliament.example".to_owned()],
            addresses: Vec::new(),
        }],
        ..Default::default()
    }
}
