//! The summary for programs.

use blackrod_model::{EvidenceState, Severity};
use serde_json::{Map, Value, json};

use crate::tally::Tally;
use crate::{CaseView, partners};

/// How many places of each refusal reason are listed.
const MAX_PLACES: usize = 20;

/// The summary as one JSON document. The shape is stable: fields may be added, none changes its
/// meaning or goes away.
///
/// ```text
/// {
///   "case": "cases/2021-01",            the case's folder
///   "title": "…", "estate": "…",
///   "generated": "2021-01-22T09:30:00Z",
///   "read": {
///     "evidence": 312,                  items looked at, containers and their members
///     "bytes": 5230000,                 of content, containers not counted beside their members
///     "records": 1204511,               records that became events
///     "refused": 12,                    records that did not
///     "opened": 3,                      containers
///     "unknown": 1, "partial": 1, "failed": 0
///   },
///   "findings": {
///     "total": 214,
///     "by_severity": {"informational": 0, "low": 100, "medium": 90, "high": 21, "critical": 3}
///   },
///   "campaigns": [                      strongest first
///     {"id": "C-…", "title": "…", "score": 87.4, "first_seen": "…", "last_seen": "…",
///      "findings": 57, "attack": ["T1003.001"],
///      "targets": [{"kind": "host", "value": "ws-014", "person": null, "findings": 40}]}
///   ],
///   "assessments": […],                 as `blackrod assess show --json` has them, strongest campaign first
///   "plan": {"actions": […], "former": […], "left_out": […]},  as `blackrod respond plan --json` has it
///   "partners": [                       what partners say of what was seen here; context, no judgement rests on it
///     {"id": "report--…", "kind": "report", "name": "…", "text": "…", "source": "…", "tlp": "green", "confidence": 60,
///      "time": "…", "values": ["203.0.113.7"]}
///   ],
///   "not_read": [                       every reason in every item; most records first by reason
///     {"reason": "…", "evidence": "Security.evtx", "records": 12, "places": 1,
///      "examples": [{"record": 7, "offset": 4096}]}
///   ],
///   "unread_evidence": [                items that are not read to their end or not at all
///     {"path": "notes.xyz", "state": "unknown", "sha256": "…"}
///   ],
///   "rules": [{"method": "sigma", "loaded": 2400, "refused": 3, "idle": 900, "digest": "…"}],
///   "coverage": {                       what was looked for, and what could not be
///     "first_sign": "…",
///     "topics": [{"what": "…", "by": "…", "needs": ["webserver/iis"], "had": [], "findings": 0, "ask_for": "…"}],
///     "logs": [{"product": "windows", "channel": "Security", "records": 12, "first": "…", "last": "…",
///               "holes": [{"from": "…", "to": "…"}], "remarks": ["…"]}]
///   },
///   "log_head": "…",                    or null
///   "report": "cases/2021-01/report.html"   or null
/// }
/// ```
///
/// Times are RFC 3339 in UTC, or null where unknown. Texts are as the evidence has them: escape them
/// for wherever they are shown.
pub fn summary_json(view: &CaseView<'_>) -> Value {
    let tally = Tally::new(view);
    json!({
        "case": view.case,
        "title": view.title,
        "estate": view.estate,
        "generated": view.generated,
        "read": {
            "evidence": view.evidence.len(),
            "bytes": tally.bytes,
            "records": tally.records_read,
            "refused": tally.records_refused,
            "opened": tally.in_state(EvidenceState::Opened),
            "unknown": tally.in_state(EvidenceState::Unknown),
            "partial": tally.in_state(EvidenceState::Partial),
            "failed": tally.in_state(EvidenceState::Failed),
        },
        "findings": {
            "total": tally.all_findings(),
            "by_severity": by_severity(&tally),
        },
        "campaigns": campaigns(view),
        "assessments": view.assessments,
        "plan": view.plan,
        "partners": partners_said(view),
        "not_read": not_read(&tally),
        "unread_evidence": unread_evidence(view),
        "rules": rules(view),
        "coverage": view.coverage,
        "log_head": view.log_head,
        "report": Some(view.report).filter(|path| !path.is_empty()),
    })
}

fn by_severity(tally: &Tally<'_>) -> Map<String, Value> {
    Severity::ALL
        .into_iter()
        .map(|severity| (severity.name().to_owned(), json!(tally.of_severity(severity))))
        .collect()
}

fn campaigns(view: &CaseView<'_>) -> Vec<Value> {
    let campaign = |campaign: &blackrod_model::Campaign| {
        let targets = campaign.targets.iter().map(|target| {
            json!({
                "kind": target.entity.kind.name(),
                "value": target.entity.value,
                "person": target.person,
                "findings": target.findings,
            })
        });
        json!({
            "id": campaign.id.as_str(),
            "title": campaign.title,
            "score": campaign.score,
            "first_seen": campaign.first_seen,
            "last_seen": campaign.last_seen,
            "findings": campaign.findings.len(),
            "attack": campaign.attack,
            "targets": targets.collect::<Vec<_>>(),
        })
    };
    view.campaigns.iter().map(campaign).collect()
}

fn partners_said(view: &CaseView<'_>) -> Vec<Value> {
    let said = partners::of_findings(view.remarks, view.findings.iter());
    said.iter()
        .map(|one| {
            json!({
                "id": one.id,
                "kind": one.kind,
                "name": one.name,
                "text": one.text,
                "source": one.source,
                "tlp": one.tlp,
                "confidence": one.confidence,
                "time": one.time,
                "values": one.values,
            })
        })
        .collect()
}

fn not_read(tally: &Tally<'_>) -> Vec<Value> {
    let reasons = tally.refusals_by_reason();
    let groups = reasons.iter().flat_map(|total| &total.groups);
    groups
        .map(|group| {
            json!({
                "reason": group.reason,
                "evidence": tally.path(group.evidence),
                "records": group.records,
                "places": group.places,
                "examples": group.examples.iter().take(MAX_PLACES).collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn unread_evidence(view: &CaseView<'_>) -> Vec<Value> {
    let is_unread = |state| !matches!(state, EvidenceState::Read | EvidenceState::Opened);
    let unread = view.evidence.iter().filter(|evidence| is_unread(evidence.state));
    unread
        .map(|evidence| {
            json!({
                "path": evidence.path,
                "state": evidence.state.name(),
                "sha256": evidence.sha256,
            })
        })
        .collect()
}

fn rules(view: &CaseView<'_>) -> Vec<Value> {
    view.rule_sets
        .iter()
        .map(|set| {
            json!({
                "method": set.method,
                "loaded": set.loaded,
                "refused": set.refused.len(),
                "idle": set.idle.len(),
                "digest": set.digest,
            })
        })
        .collect()
}
