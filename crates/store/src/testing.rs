//! Invented evidence for unit tests.

use blackrod_model::{
    Class, Column, Entity, EntityKind, Event, Evidence, EvidenceId, EvidenceState, Fact, Field, Finding,
    FindingId, Position, Premise, Reason, Refusal, Severity, Sha256, Timestamp,
};

use crate::{Batch, Case, StoreError};

/// What one piece of evidence holds besides its events.
pub(crate) struct Item {
    pub(crate) evidence: Evidence,
    pub(crate) refusals: Vec<(EvidenceId, Refusal)>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) premises: Vec<Premise>,
    pub(crate) facts: Vec<Fact>,
}

/// The `number`th piece of evidence, of 40 records.
pub(crate) fn item(number: u64) -> Item {
    let sha256 = Sha256::of(&number.to_le_bytes());
    let path = format!("logs/{number}.evtx");
    let id = EvidenceId::new(&sha256, &path);
    let at = Position {
        offset: 4096,
        record: 7,
    };
    let time = Timestamp::from_seconds(1_600_000_000 + number as i64);
    Item {
        evidence: Evidence {
            id,
            path,
            sha256,
            size: 69_632,
            format: "evtx".to_owned(),
            records_read: 40,
            records_refused: 2,
            state: EvidenceState::Read,
        },
        refusals: vec![(
            id,
            Refusal {
                at,
                records: 2,
                reason: "chunk checksum".to_owned(),
            },
        )],
        findings: vec![Finding {
            id: FindingId::new("sigma", "rule-1", id, Position { offset: 0, record: 7 }, ""),
            code: "sigma".to_owned(),
            rule_id: "rule-1".to_owned(),
            title: "Odd program".to_owned(),
            severity: Severity::High,
            time,
            evidence: id,
            at,
            class: Class::PROCESS_ACTIVITY.0,
            attack: vec!["T1059.001".to_owned()],
            reasons: vec![Reason::new("CommandLine", "powershell -enc …")],
            entities: Entity::new(EntityKind::Host, "WS-7").into_iter().collect(),
        }],
        premises: vec![Premise {
            rule_id: "rule-2".to_owned(),
            time,
            evidence: id,
            at,
            fields: vec![("User".to_owned(), "anna".to_owned())],
        }],
        facts: vec![Fact {
            kind: "process",
            time,
            evidence: id,
            at,
            body: vec![0, 255, 7],
        }],
    }
}

/// Writes the events of the `number`th piece of evidence: of two classes, on several days.
pub(crate) fn push_events(
    writer: &mut crate::EventWriter,
    number: u64,
    evidence: EvidenceId,
) -> Result<(), StoreError> {
    for record in 0..40u64 {
        let class = if record % 2 == 0 {
            Class::PROCESS_ACTIVITY
        } else {
            Class::AUTHENTICATION
        };
        let time = Timestamp::from_seconds(1_600_000_000 + (record as i64 % 4) * 86_400 + number as i64);
        let mut event = Event::new(
            class,
            time,
            Position {
                offset: record * 512,
                record,
            },
        );
        event.source.product = "windows";
        event.source.event_id = 4688;
        event.fields.push(Field::new(
            "CommandLine",
            format!("cmd.exe /c echo {number}-{record}"),
        ));
        event.columns.set_first(Column::CommandLine, 0);
        writer.push(evidence, &event)?;
    }
    Ok(())
}

/// Reads the `number`th piece of evidence into the case, unless it is in it.
pub(crate) fn investigate(case: &mut Case, number: u64) -> Result<(), StoreError> {
    let item = item(number);
    if case.knows(item.evidence.id)? {
        return Ok(());
    }
    let mut writer = case.event_writer()?;
    push_events(&mut writer, number, item.evidence.id)?;
    let files = writer.flush()?;
    case.stage(&item.findings, &item.premises, &item.facts)?;
    case.commit(Batch {
        evidence: vec![item.evidence],
        refusals: item.refusals,
        files,
    })
}
