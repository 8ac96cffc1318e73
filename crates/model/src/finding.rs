//! A detector's claim.

use std::collections::BTreeMap;

use crate::{Class, Entity, EvidenceId, FindingId, Position, Severity, Timestamp};

/// A detector's claim about a record: what, why it fired, how bad it would be.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// The same for the same claim about the same record.
    pub id: FindingId,
    /// Which detector claims it; `blackrod explain CODE` describes the detector.
    pub code: String,
    /// Which rule of that detector: a Sigma rule's id, a YARA rule's name, an indicator.
    pub rule_id: String,
    /// The claim in a few words.
    pub title: String,
    /// How bad it would be.
    pub severity: Severity,
    /// When the record's event happened.
    pub time: Timestamp,
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// What kind of activity the record is.
    pub class: u32,
    /// ATT&CK technique ids, `T1566.002`, sorted.
    pub attack: Vec<String>,
    /// The exact fields that made the rule fire.
    pub reasons: Vec<Reason>,
    /// What the record shares with others.
    pub entities: Vec<Entity>,
}

impl Finding {
    /// The OCSF class of the record.
    pub const fn ocsf_class(&self) -> Class {
        Class(self.class)
    }

    /// All reasons in one line: `Image=C:\…\rundll32.exe; CommandLine=…`.
    pub fn reason_line(&self) -> String {
        let mut line = String::new();
        for reason in &self.reasons {
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(&reason.field);
            line.push('=');
            line.push_str(&reason.value);
        }
        line
    }
}

/// A field that made a rule fire, with what it said.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reason {
    /// The field's native name, or what was looked at (`attachment 2`).
    pub field: String,
    /// The field's value, cut to [`Reason::MAX_VALUE`] bytes.
    pub value: String,
}

impl Reason {
    /// The longest value kept, in bytes: long enough for a command line, short enough that 10^5
    /// findings stay readable.
    pub const MAX_VALUE: usize = 1_000;

    /// A reason whose value is cut at a character boundary, with `…` where something was cut off.
    pub fn new(field: impl Into<String>, value: &str) -> Self {
        let kept = &value[..value.floor_char_boundary(Self::MAX_VALUE)];
        let mut value_kept = kept.to_owned();
        if kept.len() < value.len() {
            value_kept.push('…');
        }
        Self {
            field: field.into(),
            value: value_kept,
        }
    }
}

/// How many findings of one rule and severity a case has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingTotal {
    /// Which detector claims them.
    pub code: String,
    /// Which rule of that detector.
    pub rule_id: String,
    /// How bad they would be.
    pub severity: Severity,
    /// How many there are.
    pub findings: u64,
    /// The earliest known time; unknown where none has one.
    pub first: Timestamp,
    /// The latest known time.
    pub last: Timestamp,
}

impl FindingTotal {
    /// Counts `findings`, in the order of code, rule and severity.
    pub fn of(findings: &[Finding]) -> Vec<Self> {
        let mut totals: BTreeMap<(&str, &str, Severity), Self> = BTreeMap::new();
        for finding in findings {
            let key = (finding.code.as_str(), finding.rule_id.as_str(), finding.severity);
            let total = totals.entry(key).or_insert_with(|| Self {
                code: finding.code.clone(),
                rule_id: finding.rule_id.clone(),
                severity: finding.severity,
                findings: 0,
                first: Timestamp::UNKNOWN,
                last: Timestamp::UNKNOWN,
            });
            total.findings += 1;
            total.first = total.first.earlier_known(finding.time);
            total.last = total.last.max(finding.time);
        }
        totals.into_values().collect()
    }
}
