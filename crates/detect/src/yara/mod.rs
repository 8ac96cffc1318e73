#![doc = include_str!("explain.md")]

mod load;

use std::time::Duration;

use blackrod_model::{
    Entity, EntityKind, Event, EvidenceId, Finding, FindingId, Reason, Refusal, Severity, Sha256, Technique,
};
use yara_x::{MetaValue, ScanError};

use crate::content::Content;
use crate::entities;

/// The code of findings of this detector.
pub const CODE: &str = "YARA";

/// What `blackrod explain YARA` prints.
pub const EXPLAIN: &str = include_str!("explain.md");

/// How much of a file is searched.
pub const MAX_SIZE: usize = 64 << 20;

/// How long one file may take.
pub const MAX_TIME: Duration = Duration::from_secs(2);

/// External variables that public rules expect (the convention of LOKI and THOR).
const VARIABLES: [&str; 5] = ["filename", "filepath", "extension", "filetype", "owner"];

/// The most strings quoted for one finding.
const MAX_REASONS: usize = 12;

/// All rules, compiled. Immutable; shared by all threads.
pub struct Rules {
    compiled: yara_x::Rules,
}

impl Rules {
    /// What searches, one per thread.
    pub fn scanner(&self) -> Scanner<'_> {
        let mut inner = yara_x::Scanner::new(&self.compiled);
        inner.set_timeout(MAX_TIME).max_matches_per_pattern(100);
        Scanner {
            inner,
            max_size: MAX_SIZE,
        }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.compiled.iter().len()
    }

    /// No rules at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Searches files with the rules it came from. Holds buffers; not shared.
pub struct Scanner<'r> {
    inner: yara_x::Scanner<'r>,
    max_size: usize,
}

impl Scanner<'_> {
    /// Searches the attachments of the mail that `event` is, if it is one. What could not be
    /// searched to the end is returned.
    pub fn search(
        &mut self,
        event: &Event<'_>,
        evidence: EvidenceId,
        findings: &mut Vec<Finding>,
    ) -> Vec<Refusal> {
        let Some(message) = &event.mail else {
            return Vec::new();
        };
        let mut refusals = Vec::new();
        let first_new = findings.len();
        for (number, part) in (1..).zip(message.attachments()) {
            let content = Content {
                evidence,
                at: event.at,
                time: event.time,
                class: event.class,
                label: &format!("attachment {number}"),
                name: part.name.as_deref(),
                bytes: &part.content,
            };
            refusals.extend(self.search_content(&content, findings));
        }
        let new = &mut findings[first_new..];
        if !new.is_empty() {
            let shared = entities::of(event);
            for finding in new {
                let own = std::mem::replace(&mut finding.entities, shared.clone());
                finding
                    .entities
                    .extend(own.into_iter().filter(|entity| !shared.contains(entity)));
            }
        }
        refusals
    }

    /// Searches a file or an attachment. Returns a note where it was not searched to the end.
    pub fn search_content(&mut self, content: &Content<'_>, findings: &mut Vec<Finding>) -> Option<Refusal> {
        if content.bytes.is_empty() {
            return None;
        }
        self.set_variables(content.name.unwrap_or_default());
        let searched = &content.bytes[..content.bytes.len().min(self.max_size)];
        let note = |reason: String| Refusal {
            at: content.at,
            records: 0,
            reason,
        };
        match self.inner.scan(searched) {
            Ok(results) => {
                let mut digest = None;
                for rule in results.matching_rules() {
                    let sha256 = *digest.get_or_insert_with(|| Sha256::of(content.bytes));
                    findings.push(finding(content, &rule, &sha256));
                }
                (searched.len() < content.bytes.len()).then(|| {
                    note(format!(
                        "YARA searched only the first {} bytes of {}",
                        searched.len(),
                        content.label
                    ))
                })
            }
            Err(ScanError::Timeout) => Some(note(format!(
                "YARA rules did not finish with {} within {} s",
                content.label,
                MAX_TIME.as_secs()
            ))),
            Err(error) => Some(note(format!("YARA could not search {}: {error}", content.label))),
        }
    }

    fn set_variables(&mut self, path: &str) {
        let name = path.rsplit(['\\', '/']).next().unwrap_or_default();
        let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
        for (variable, value) in [("filename", name), ("filepath", path), ("extension", extension)] {
            // Cannot fail: the compiler defined each of them as text.
            let _ = self.inner.set_global(variable, value);
        }
    }
}

fn finding(content: &Content<'_>, rule: &yara_x::Rule<'_, '_>, sha256: &Sha256) -> Finding {
    let meta = Meta::of(rule);
    let detail = format!("{} {}", content.label, rule.namespace());
    let mut found = [
        Entity::new(EntityKind::Hash, &sha256.to_string()),
        content.name.and_then(|name| Entity::new(EntityKind::File, name)),
    ];
    Finding {
        id: FindingId::new(CODE, rule.identifier(), content.evidence, content.at, &detail),
        code: CODE.to_owned(),
        rule_id: rule.identifier().to_owned(),
        title: meta.title,
        severity: meta.severity,
        time: content.time,
        evidence: content.evidence,
        at: content.at,
        class: content.class.0,
        attack: meta.attack,
        reasons: reasons(content, rule),
        entities: found.iter_mut().filter_map(Option::take).collect(),
    }
}

/// The file's name, then each string that matched: where first, as what, how often.
fn reasons(content: &Content<'_>, rule: &yara_x::Rule<'_, '_>) -> Vec<Reason> {
    let mut reasons = vec![Reason::new(
        content.label,
        content.name.unwrap_or("(without a name)"),
    )];
    for pattern in rule.patterns() {
        let mut matches = pattern.matches();
        let Some(first) = matches.next() else {
            continue;
        };
        let more = matches.count();
        let offset = first.range().start;
        let again = if more > 0 {
            format!(", {more} more")
        } else {
            String::new()
        };
        let value = format!("\"{}\" at byte {offset}{again}", escaped(first.data()));
        reasons.push(Reason::new(pattern.identifier(), &value));
        if reasons.len() > MAX_REASONS {
            break;
        }
    }
    reasons
}

/// The beginning of what matched, with everything that is not printable ASCII escaped.
fn escaped(bytes: &[u8]) -> String {
    const MAX_EXCERPT: usize = 80;
    let cut = &bytes[..bytes.len().min(MAX_EXCERPT)];
    let ellipsis = if cut.len() < bytes.len() { "…" } else { "" };
    format!("{}{ellipsis}", cut.escape_ascii())
}

/// What a rule says about itself, in the words of the common rule collections.
struct Meta {
    title: String,
    severity: Severity,
    attack: Vec<String>,
}

impl Meta {
    fn of(rule: &yara_x::Rule<'_, '_>) -> Self {
        let (mut title, mut description) = (None, None);
        let (mut severity, mut score) = (None, None);
        let mut attack = Vec::new();
        for (key, value) in rule.metadata() {
            match (key.to_ascii_lowercase().as_str(), value) {
                ("title", MetaValue::String(text)) => title = Some(text.to_owned()),
                ("description", MetaValue::String(text)) => description = Some(text.to_owned()),
                ("severity" | "level", MetaValue::String(text)) => severity = text.parse().ok(),
                ("score", MetaValue::Integer(number)) => score = Some(number),
                (
                    "attack" | "mitre" | "mitre_att" | "mitre_attack" | "technique",
                    MetaValue::String(text),
                ) => {
                    attack.extend(text.split([',', ' ', ';']).filter_map(Technique::parse));
                }
                _ => {}
            }
        }
        attack.extend(
            rule.tags()
                .filter_map(|tag| Technique::parse(&tag.identifier().replace('_', "."))),
        );
        attack.sort();
        attack.dedup();
        Self {
            title: title
                .or(description)
                .unwrap_or_else(|| rule.identifier().replace('_', " ")),
            severity: severity
                .or(score.map(severity_of_score))
                .unwrap_or(Severity::Medium),
            attack: attack.iter().map(ToString::to_string).collect(),
        }
    }
}

fn severity_of_score(score: i64) -> Severity {
    match score {
        75.. => Severity::High,
        60.. => Severity::Medium,
        40.. => Severity::Low,
        _ => Severity::Informational,
    }
}

#[cfg(test)]
mod tests;
