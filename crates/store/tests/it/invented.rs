//! Invented evidence.

use std::path::Path;

use blackrod_model::{
    Campaign, CampaignId, Class, Column, Entity, EntityKind, Event, Evidence, EvidenceId, EvidenceState,
    Field, Finding, FindingId, Position, Premise, Raw, Reason, Refusal, Severity, Sha256, Target, Timestamp,
};
use blackrod_store::hunt::{Options, hunt};
use blackrod_store::{Batch, Case, StoreError};

pub(crate) const RECORDS: u64 = 60;

/// 2020-09-13T12:26:40Z
const START: i64 = 1_600_000_000;

pub(crate) fn evidence(number: u64) -> Evidence {
    let content = content(number);
    let sha256 = Sha256::of(content.as_bytes());
    let path = format!("logs/{number}.json");
    Evidence {
        id: EvidenceId::new(&sha256, &path),
        path,
        sha256,
        size: content.len() as u64,
        format: "windows-json".to_owned(),
        records_read: RECORDS,
        records_refused: 1,
        state: EvidenceState::Read,
    }
}

/// What the evidence file on disk holds.
pub(crate) fn content(number: u64) -> String {
    format!("evidence {number}\n").repeat(10)
}

pub(crate) fn finding(evidence: EvidenceId, record: u64, rule: &str) -> Finding {
    Finding {
        id: FindingId::new("sigma", rule, evidence, Position { offset: 0, record }, ""),
        code: "sigma".to_owned(),
        rule_id: rule.to_owned(),
        title: format!("Rule {rule}"),
        severity: if record.is_multiple_of(2) {
            Severity::High
        } else {
            Severity::Low
        },
        time: Timestamp::from_seconds(START + record as i64),
        evidence,
        at: Position {
            offset: record * 100,
            record,
        },
        class: Class::PROCESS_ACTIVITY.0,
        attack: vec!["T1059".to_owned(), "T1566.002".to_owned()],
        reasons: vec![
            Reason::new("Image", r"C:\Windows\cmd.exe"),
            Reason::new("User", "anna"),
        ],
        entities: [
            Entity::new(EntityKind::Account, "anna"),
            Entity::new(EntityKind::Host, "WS-7"),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

pub(crate) fn premise(evidence: EvidenceId, record: u64) -> Premise {
    Premise {
        rule_id: "logon-failed".to_owned(),
        time: Timestamp::from_seconds(START + record as i64),
        evidence,
        at: Position { offset: 0, record },
        fields: vec![("TargetUserName".to_owned(), "anna".to_owned())],
    }
}

pub(crate) fn campaign(findings: &[Finding]) -> Campaign {
    Campaign {
        id: CampaignId::from_first(findings[0].id),
        title: "Anna's workstation".to_owned(),
        score: 12.5,
        first_seen: findings[0].time,
        last_seen: findings[findings.len() - 1].time,
        findings: findings.iter().map(|finding| finding.id).collect(),
        targets: Entity::new(EntityKind::Account, "anna")
            .map(|entity| Target {
                entity,
                person: Some("Anna Nowak".to_owned()),
                findings: 2,
            })
            .into_iter()
            .collect(),
        ties: Vec::new(),
        attack: vec!["T1059".to_owned()],
    }
}

/// Commits pieces of evidence together, with their events.
pub(crate) fn commit(case: &mut Case, numbers: &[u64]) -> Result<(), StoreError> {
    let mut writer = case.event_writer()?;
    let mut batch = Batch::default();
    for &number in numbers {
        let item = evidence(number);
        for record in 1..=RECORDS {
            push_record(&mut writer, item.id, number, record)?;
        }
        let at = Position {
            offset: 99,
            record: 0,
        };
        batch.refusals.push((
            item.id,
            Refusal {
                at,
                records: 1,
                reason: "not JSON".to_owned(),
            },
        ));
        case.stage(
            &[finding(item.id, 1, "a"), finding(item.id, 2, "b")],
            &[premise(item.id, number)],
            &[],
        )?;
        batch.evidence.push(item);
    }
    batch.files = writer.flush()?;
    case.commit(batch)
}

fn push_record(
    writer: &mut blackrod_store::EventWriter,
    evidence: EvidenceId,
    number: u64,
    record: u64,
) -> Result<(), StoreError> {
    let class = if record.is_multiple_of(3) {
        Class::AUTHENTICATION
    } else {
        Class::PROCESS_ACTIVITY
    };
    let time = match record {
        RECORDS => Timestamp::UNKNOWN,
        _ => Timestamp::from_seconds(START + (record as i64 % 5) * 86_400 + record as i64),
    };
    let raw = format!(r#"{{"evidence":{number},"record":{record}}}"#);
    let mut event = Event::new(
        class,
        time,
        Position {
            offset: record * 100,
            record,
        },
    );
    event.raw = Raw::Text(&raw);
    event.source.product = "windows";
    event.source.channel = "Security".into();
    event.source.event_id = 4688;
    event.fields.push(Field::new("Computer", "WS-7"));
    event.fields.push(Field::new(
        "CommandLine",
        format!("cmd /c echo {record} \u{1b}[31m\u{202e}"),
    ));
    event
        .fields
        .push(Field::new("ProcessId", format!("0x{record:x}")));
    event.fields.push(Field::new("DestPort", "many"));
    event.columns.set(Column::Host, 0);
    event.columns.set(Column::CommandLine, 1);
    event.columns.set(Column::Pid, 2);
    event.columns.set(Column::DstPort, 3);
    writer.push(evidence, &event)
}

/// The answer to a query, one JSON object per line.
pub(crate) fn ask(dir: &Path, sql: &str) -> Result<String, StoreError> {
    ask_with(dir, sql, &Options::default())
}

pub(crate) fn ask_with(dir: &Path, sql: &str, options: &Options) -> Result<String, StoreError> {
    runtime().block_on(async {
        let mut out = Vec::new();
        hunt(dir, sql, options).await?.write_json(&mut out).await?;
        Ok(String::from_utf8(out).unwrap())
    })
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// All that a case holds, whatever the order in which it came.
pub(crate) fn everything(dir: &Path) -> String {
    let mut all = String::new();
    for sql in [
        "SELECT * FROM events ORDER BY evidence, record",
        "SELECT * FROM evidence ORDER BY id",
        "SELECT * FROM findings ORDER BY id",
        "SELECT * FROM entities ORDER BY finding, kind",
        "SELECT * FROM refusals ORDER BY evidence, record",
    ] {
        all += &ask(dir, sql).unwrap();
    }
    let case = Case::open_read_only(dir).unwrap();
    case.each_premise(&mut |premise| all += &format!("{premise:?}\n"))
        .unwrap();
    all
}
