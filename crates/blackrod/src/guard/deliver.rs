//! What a verdict means for the message: the changes that the mail server is asked for.

use std::collections::HashMap;

use blackrod_milter::{Change, MAX_BODY_CHUNK, Reply};
use blackrod_model::EvidenceId;

use super::config::Tag;
use super::judge::Ruling;
use super::message::Message;
use super::policy::Verdict;

/// The header field that names a message, so that it can be found again.
pub(super) const ID_FIELD: &str = "X-Blackrod-Id";
/// The header field that says what was thought of it.
pub(super) const VERDICT_FIELD: &str = "X-Blackrod-Verdict";

/// Changes, and the answer that follows them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) changes: Vec<Change>,
    pub(super) reply: Reply,
}

impl Delivery {
    pub(super) fn only(reply: Reply) -> Self {
        Self {
            changes: Vec::new(),
            reply,
        }
    }

    /// Delivered, with its name and, where there is something to say, `says`.
    pub(super) fn named(message: &Message, evidence: EvidenceId, says: Option<&str>) -> Self {
        let mut changes = without_forged(message);
        changes.extend(says.map(|says| insert(VERDICT_FIELD, says)));
        changes.push(insert(ID_FIELD, &evidence.to_string()));
        Self {
            changes,
            reply: Reply::Accept,
        }
    }

    /// Marked for its reader.
    pub(super) fn tagged(message: &Message, evidence: EvidenceId, ruling: &Ruling, tag: &Tag) -> Self {
        let mut delivery = Self::named(message, evidence, Some(&describe(ruling)));
        delivery.changes.extend(marked_subject(message, &tag.subject));
        delivery
    }

    /// Replaced by `fresh`, what came of `original`, the message as it was told.
    pub(super) fn rewritten(message: &Message, evidence: EvidenceId, ruling: &Ruling, fresh: &[u8]) -> Self {
        let mut delivery = Self::named(message, evidence, Some(&describe(ruling)));
        let (headers, body) = split(fresh);
        delivery
            .changes
            .extend(header_changes(&message.headers, &headers));
        if body != message.body {
            let chunks = body.chunks(MAX_BODY_CHUNK);
            delivery
                .changes
                .extend(chunks.map(|chunk| Change::Body(chunk.to_vec())));
            if body.is_empty() {
                delivery.changes.push(Change::Body(Vec::new()));
            }
        }
        delivery
    }
}

/// `defuse; score=7.3; campaign=M-0123456789; reasons=a/b,c/d`
pub(super) fn describe(ruling: &Ruling) -> String {
    let mut text = format!("{}; score={:.1}", ruling.verdict.name(), ruling.score);
    if let Some(campaign) = &ruling.campaign {
        text.push_str(&format!("; campaign={campaign}"));
    }
    if ruling.verdict != Verdict::Pass && !ruling.reasons.is_empty() {
        text.push_str(&format!(";\n\treasons={}", ruling.reasons.join(",\n\t ")));
    }
    text
}

fn insert(name: &str, value: &str) -> Change {
    Change::InsertHeader {
        index: 0,
        name: name.as_bytes().to_vec(),
        value: [b" ", value.as_bytes()].concat(),
    }
}

/// Takes out fields by our own names that somebody else wrote.
fn without_forged(message: &Message) -> Vec<Change> {
    let mut changes = Vec::new();
    for ours in [ID_FIELD, VERDICT_FIELD] {
        let named = message
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(ours.as_bytes()));
        // From the last one: what stands above keeps its number.
        for index in (1..=u32::try_from(named.count()).unwrap_or(u32::MAX)).rev() {
            changes.push(Change::ChangeHeader {
                index,
                name: ours.as_bytes().to_vec(),
                value: Vec::new(),
            });
        }
    }
    changes
}

fn marked_subject(message: &Message, mark: &str) -> Option<Change> {
    if mark.is_empty() {
        return None;
    }
    let subject = message
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(b"subject"));
    let Some((name, value)) = subject else {
        return Some(insert("Subject", mark));
    };
    let value = value.strip_prefix(b" ").unwrap_or(value);
    if value.starts_with(mark.as_bytes()) {
        return None;
    }
    Some(Change::ChangeHeader {
        index: 1,
        name: name.clone(),
        value: [b" ", mark.as_bytes(), value].concat(),
    })
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// What makes `fresh` of `old`: fields are matched by name and by their order within a name; new ones go on top.
fn header_changes(old: &Fields, fresh: &Fields) -> Vec<Change> {
    let by_name = |fields: &Fields| {
        let mut all: HashMap<Vec<u8>, Fields> = HashMap::new();
        for (name, value) in fields {
            let lower = name.to_ascii_lowercase();
            all.entry(lower).or_default().push((name.clone(), value.clone()));
        }
        all
    };
    let (old, mut fresh) = (by_name(old), by_name(fresh));
    let mut names: Vec<&Vec<u8>> = old.keys().collect();
    names.sort_unstable();
    let mut changes = Vec::new();
    for lower in names {
        let before = old.get(lower).map_or(&[][..], Vec::as_slice);
        let after = fresh.remove(lower).unwrap_or_default();
        // Fields that were put above ones of the same name come first among the new ones.
        let added = after.len().saturating_sub(before.len());
        let (above, kept) = after.split_at(added);
        for (index, (name, value)) in before.iter().enumerate().rev() {
            let wanted = kept
                .get(index)
                .map(|(_, value)| value.clone())
                .unwrap_or_default();
            if wanted != *value {
                changes.push(Change::ChangeHeader {
                    index: u32::try_from(index + 1).unwrap_or(u32::MAX),
                    name: name.clone(),
                    value: wanted,
                });
            }
        }
        changes.extend(above.iter().rev().map(put_on_top));
    }
    let mut new: Vec<_> = fresh.into_values().flatten().collect();
    new.sort_unstable();
    changes.extend(new.iter().rev().map(put_on_top));
    changes
}

fn put_on_top((name, value): &(Vec<u8>, Vec<u8>)) -> Change {
    Change::InsertHeader {
        index: 0,
        name: name.clone(),
        value: value.clone(),
    }
}

/// The header fields, lines joined by LF as milter wants them, and the body.
pub(super) fn split(raw: &[u8]) -> (Fields, Vec<u8>) {
    let mut fields: Fields = Vec::new();
    let mut rest = raw;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        rest = after;
        if line.is_empty() {
            break;
        }
        let is_folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        match (is_folded, fields.last_mut()) {
            (true, Some((_, value))) => {
                value.push(b'\n');
                value.extend_from_slice(line);
            }
            _ => {
                let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
                let (name, value) = line.split_at(colon);
                fields.push((name.to_vec(), value.strip_prefix(b":").unwrap_or(value).to_vec()));
            }
        }
    }
    (fields, rest.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &[(&str, &str)]) -> Message {
        let mut message = Message::default();
        for (name, value) in headers {
            message.add_header(name.as_bytes().to_vec(), value.as_bytes().to_vec());
        }
        message.add_body(b"old\r\n");
        message
    }

    fn ruling(verdict: Verdict) -> Ruling {
        Ruling {
            verdict,
            score: 7.25,
            campaign: Some("M-1".to_owned()),
            reasons: vec!["a/b".to_owned()],
        }
    }

    #[test]
    fn our_own_fields_are_believed_only_from_us() {
        let forged = message(&[("x-blackrod-id", " 00"), ("X-BLACKROD-ID", " 01")]);
        let delivery = Delivery::named(&forged, EvidenceId::default(), None);
        let indices: Vec<u32> = delivery
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::ChangeHeader { index, value, .. } if value.is_empty() => Some(*index),
                _ => None,
            })
            .collect();
        assert_eq!(indices, [2, 1]);
    }

    #[test]
    fn a_rewritten_message_becomes_changes() {
        let old = message(&[
            ("Received", " x"),
            ("Content-Type", " text/html"),
            ("Disposition-Notification-To", " a"),
        ]);
        let fresh = b"ARC-Seal: i=1;\r\n\tb=x\r\nReceived: y\r\nReceived: x\r\nContent-Type: text/plain\r\n\r\nnew\r\n";
        let delivery = Delivery::rewritten(&old, EvidenceId::default(), &ruling(Verdict::Defuse), fresh);
        let change = |index: u32, name: &str, value: &str| Change::ChangeHeader {
            index,
            name: name.as_bytes().to_vec(),
            value: value.as_bytes().to_vec(),
        };
        for expected in [
            change(1, "Content-Type", " text/plain"),
            change(1, "Disposition-Notification-To", ""),
            insert("Received", "y"),
            insert("ARC-Seal", "i=1;\n\tb=x"),
            Change::Body(b"new\r\n".to_vec()),
        ] {
            assert!(
                delivery.changes.contains(&expected),
                "{expected:?} in {delivery:?}"
            );
        }
        assert_eq!(
            delivery.changes.len(),
            7,
            "and the two fields of ours: {delivery:?}"
        );
    }

    #[test]
    fn a_subject_is_marked_once() {
        let tag = Tag::default();
        let marked = |subject: &str| {
            let message = message(&[("Subject", subject)]);
            Delivery::tagged(&message, EvidenceId::default(), &ruling(Verdict::Tag), &tag)
                .changes
                .len()
        };
        assert_eq!(marked(" hello"), 3);
        assert_eq!(marked(" [suspicious] hello"), 2);
    }
}
