//! Header fields: replaced, removed, compared.

use std::ops::Range;

use mail_parser::{ContentType, Header, MessagePart, MimeHeaders as _};

/// A change to the header of a message, as a milter makes it (`SMFIR_CHGHEADER`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChange {
    /// The field's name, as written.
    pub name: String,
    /// Which of the fields of this name, counted from 1 from the top, in the header as it was.
    pub occurrence: u32,
    /// The new value, without the line end; `None` to remove the field.
    pub value: Option<String>,
}

/// What turns the header of `before` into that of `after`, where fields were only changed or removed, as [`defuse`](crate::defuse)
/// does. Changes are in the order in which they can be applied one after the other: last occurrences first.
pub fn header_changes(before: &[u8], after: &[u8]) -> Vec<HeaderChange> {
    let (old, new) = (fields(before), fields(after));
    let mut changes = Vec::new();
    let mut rest = new.as_slice();
    let mut seen: Vec<(String, u32)> = Vec::new();
    for (name, value) in &old {
        let occurrence = count(&mut seen, name);
        if let Some(((_, same), others)) = rest
            .split_first()
            .filter(|((other, _), _)| other.eq_ignore_ascii_case(name))
        {
            // A removed field before one of the same name would shift them all: the value decides.
            let is_shifted = same != value
                && !others.is_empty()
                && remaining(&old, name, occurrence) > remaining_in(rest, name);
            if !is_shifted {
                rest = others;
                if same != value {
                    changes.push(change(name, occurrence, Some(same.clone())));
                }
                continue;
            }
        }
        changes.push(change(name, occurrence, None));
    }
    changes.reverse();
    changes
}

/// What is put in the place of a span of the message.
pub(super) type Edit = (Range<usize>, Vec<u8>);

/// The span of a field, its line end included.
pub(super) fn span(field: &Header<'_>) -> Range<usize> {
    field.offset_field as usize..field.offset_end as usize
}

/// Puts `value` into the field `name` of `part`: in the place of the last one that is there, or before all others.
pub(super) fn set(raw: &[u8], part: &MessagePart<'_>, name: &str, value: &str, edits: &mut Vec<Edit>) {
    let header = raw
        .get(part.offset_header as usize..part.offset_body as usize)
        .unwrap_or_default();
    let end = super::transfer::line_end(if header.is_empty() { raw } else { header });
    let mut line = format!("{name}: {value}").into_bytes();
    line.extend_from_slice(end);
    let all = part
        .headers
        .iter()
        .filter(|field| field.name.as_str().eq_ignore_ascii_case(name));
    let mut spans: Vec<Range<usize>> = all.map(span).collect();
    let place = spans
        .pop()
        .unwrap_or(part.offset_header as usize..part.offset_header as usize);
    edits.retain(|(range, _)| *range != place || range.is_empty());
    edits.push((place, line));
    for other in spans {
        edits.retain(|(range, _)| *range != other);
        edits.push((other, Vec::new()));
    }
}

/// `kind` with the parameters of `part`'s content type, those in `changed` set anew and those in `dropped` left out.
pub(super) fn content_type(
    part: &MessagePart<'_>,
    kind: &str,
    changed: &[(&str, &str)],
    dropped: &[&str],
) -> String {
    let before = part.content_type();
    let kept = before.and_then(ContentType::attributes).unwrap_or_default();
    let mut value = kind.to_owned();
    for attribute in kept {
        let name = attribute.name.to_ascii_lowercase();
        let is_known = changed.iter().any(|(other, _)| *other == name) || dropped.contains(&name.as_str());
        if !is_known
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            value.push_str(&parameter(&name, &attribute.value));
        }
    }
    for (name, text) in changed {
        value.push_str(&parameter(name, text));
    }
    value
}

/// `; name="value"`, after RFC 2231 where the value is not ASCII.
pub(super) fn parameter(name: &str, value: &str) -> String {
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let escaped = value.replace(['\\', '"'], "_");
        return format!("; {name}=\"{escaped}\"");
    }
    let encoded = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
    format!("; {name}*=utf-8''{encoded}")
}

fn change(name: &str, occurrence: u32, value: Option<String>) -> HeaderChange {
    HeaderChange {
        name: name.to_owned(),
        occurrence,
        value,
    }
}

fn count(seen: &mut Vec<(String, u32)>, name: &str) -> u32 {
    let lower = name.to_ascii_lowercase();
    match seen.iter_mut().find(|(other, _)| *other == lower) {
        Some((_, count)) => {
            *count += 1;
            *count
        }
        None => {
            seen.push((lower, 1));
            1
        }
    }
}

fn remaining(old: &[(String, String)], name: &str, occurrence: u32) -> usize {
    let all = old
        .iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .count();
    all + 1 - occurrence as usize
}

fn remaining_in(rest: &[(String, String)], name: &str) -> usize {
    rest.iter()
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .count()
}

/// The fields of a message: name, and value as it stands there with its folds but without the line end.
fn fields(message: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            break;
        }
        if text.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(text);
            }
        } else if let Some((name, value)) = text.split_once(':') {
            fields.push((name.trim_end().to_owned(), value.trim_start().to_owned()));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_lead_from_one_header_to_the_other() {
        let before = b"Received: a\r\nX: 1\r\nX: 2\r\n 3\r\nReturn-Receipt-To: x\r\nContent-Type: text/html\r\n\r\nbody";
        let after = b"Received: a\r\nX: 1\r\nX: 2\r\n 3\r\nContent-Type: text/plain\r\n\r\nbody";
        let expected = [
            change("Content-Type", 1, Some("text/plain".into())),
            change("Return-Receipt-To", 1, None),
        ];
        assert_eq!(header_changes(before, after), expected);
        assert_eq!(header_changes(before, before), []);
        let doubled = b"A: 1\r\nA: 2\r\nB: 1\r\n\r\n";
        assert_eq!(
            header_changes(doubled, b"A: 2\r\nB: 1\r\n\r\n"),
            [change("A", 1, None)]
        );
    }
}
