//! Findings as OCSF 1.8 Detection Findings (class 2004), one JSON object a line.

use std::io::{self, Write};

use blackrod_model::{Entity, EntityKind, Finding, Severity, Technique};
use serde_json::{Value, json};

use crate::CaseView;
use crate::tally::Tally;

/// Detection Finding, of the category Findings; its activity Create.
const CLASS: u64 = 2004;
const CATEGORY: u64 = 2;
const CREATE: u64 = 1;

/// Writes each finding that the view tells as one line.
///
/// Texts are as the evidence has them. What points back into the evidence is in `evidences`: path, record number and
/// offset in bytes.
///
/// # Errors
///
/// Whatever `out` fails with.
pub fn ocsf(view: &CaseView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let tally = Tally::new(view);
    for (index, finding) in view.findings.iter().enumerate() {
        serde_json::to_writer(&mut *out, &detection_finding(&tally, index, finding))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn detection_finding(tally: &Tally<'_>, index: usize, finding: &Finding) -> Value {
    let milliseconds = finding.time.micros().map(|micros| micros.div_euclid(1_000));
    let observables = finding.entities.iter().filter_map(observable);
    let campaign = tally
        .campaign_of(index)
        .and_then(|campaign| tally.view.campaigns.get(campaign));
    let fields: Vec<Value> = finding
        .reasons
        .iter()
        .map(|reason| json!({ "name": reason.field, "value": reason.value }))
        .collect();
    json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + CREATE,
        // The class requires a time; of a record without one, the time of the report is all that is known.
        "time": milliseconds.or(tally.view.generated.micros().map(|micros| micros.div_euclid(1_000))),
        "severity_id": severity_id(finding.severity),
        "severity": finding.severity.name(),
        "status_id": 1,
        "metadata": {
            "version": "1.8.0",
            "uid": finding.id.to_string(),
            "product": { "name": "blackrod", "vendor_name": "blackrod", "version": env!("CARGO_PKG_VERSION") },
        },
        "finding_info": {
            "uid": finding.id.to_string(),
            "title": finding.title,
            "types": [finding.code],
            "created_time": milliseconds,
            "analytic": { "type_id": 1, "type": "Rule", "uid": finding.rule_id, "name": finding.code },
            "attacks": finding.attack.iter().map(|id| attack(id)).collect::<Vec<_>>(),
            "related_events": [],
            "data_sources": [tally.path(finding.evidence)],
        },
        "evidences": [{
            "data": {
                "evidence": tally.path(finding.evidence),
                "evidence_uid": finding.evidence.to_string(),
                "record": finding.at.record,
                "offset": finding.at.offset,
                "class_uid": finding.class,
                "fields": fields,
            },
        }],
        "observables": observables.collect::<Vec<_>>(),
        "unmapped": { "campaign": campaign.map(|campaign| campaign.id.as_str()) },
    })
}

/// 1 informational to 5 critical.
fn severity_id(severity: Severity) -> u64 {
    severity as u64 + 1
}

fn attack(id: &str) -> Value {
    let name = Technique::parse(id).and_then(|technique| technique.name());
    match id.split_once('.') {
        Some((technique, _)) => json!({
            "version": "18",
            "technique": { "uid": technique },
            "sub_technique": { "uid": id, "name": name },
        }),
        None => json!({ "version": "18", "technique": { "uid": id, "name": name } }),
    }
}

/// The entity as an observable of the type that OCSF has for it.
fn observable(entity: &Entity) -> Option<Value> {
    let (type_id, kind, name) = match entity.kind {
        EntityKind::Host | EntityKind::Domain => (1, "Hostname", "device.hostname"),
        EntityKind::Ip => (2, "IP Address", "src_endpoint.ip"),
        EntityKind::Account => (4, "User Name", "user.name"),
        EntityKind::Address => (5, "Email Address", "user.email_addr"),
        EntityKind::Url => (6, "URL String", "url.url_string"),
        EntityKind::File => (7, "File Name", "file.name"),
        EntityKind::Hash => (8, "Hash", "file.hashes.value"),
        EntityKind::Process => (9, "Process Name", "process.name"),
        EntityKind::MessageId => (10, "Resource UID", "email.message_uid"),
        _ => return None,
    };
    Some(json!({ "type_id": type_id, "type": kind, "name": name, "value": entity.value }))
}
