//! What the sending software leaves behind: traits that two messages share where one program, one set-up, one hand made both.

use blackrod_model::mail::{Facts, Message, Multipart, PartRole, Print, PrintKind, hash};

use super::circle::domain_of;
use super::{Anatomy, View, signal};

/// No more header fields, parts or boundaries go into a print.
const LIMIT: usize = 200;

/// Fields that servers on the way write, not the sender.
const OF_THE_WAY: [&str; 24] = [
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "x-original-to",
    "x-received",
    "x-forwarded-",
    "arc-",
    "authentication-results",
    "received-spf",
    "dkim-signature",
    "domainkey-signature",
    "x-google-",
    "x-gm-",
    "x-ms-",
    "x-microsoft-",
    "x-forefront-",
    "x-eop",
    "x-incoming",
    "x-sender-ip",
    "x-sid-",
    "x-message-",
    "x-spam",
    "x-virus",
];

/// Fields that RFC 5322 3.6 allows once.
const ONCE: [&str; 9] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "message-id",
    "subject",
    "date",
    "mime-version",
];

/// Fills the prints, and says what the sending software got wrong.
pub(super) fn look(_: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let message = view.message;
    let from_domain = domain_of(&facts.from).unwrap_or_default();
    if let Some(id) = message.message_id.as_deref().filter(|id| !id.is_empty()) {
        facts.message_id = super::clip(id, 500).to_owned();
        add(facts, PrintKind::MessageIdShape, &id_shape(id, &from_domain));
    }
    let boundaries: Vec<String> = own(&message.multiparts)
        .filter_map(|part| part.boundary.as_deref())
        .map(shape)
        .collect();
    if !boundaries.is_empty() {
        add(facts, PrintKind::BoundaryShape, &boundaries.join("|"));
    }
    add(facts, PrintKind::HeaderOrder, &header_order(message));
    if let Some(mailer) = message.header("x-mailer").or(message.header("user-agent")) {
        add(facts, PrintKind::Mailer, super::clip(mailer.trim(), 300));
    }
    if let Some(zone) = message.header("date").and_then(zone) {
        add(facts, PrintKind::TimeZone, zone);
    }
    add(facts, PrintKind::Encoding, &encodings(message));
    add(facts, PrintKind::Structure, &structure(message));
    mistakes(message, facts);
}

fn add(facts: &mut Facts, kind: PrintKind, value: &str) {
    facts.prints.push(Print {
        kind,
        value: hash(value),
    });
}

/// The runs of a text by class and length: `20230727.c2011bfd5c89` becomes `d8.h12`.
pub(super) fn shape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = super::clip(text, 300);
    while let Some(first) = rest.chars().next() {
        let run = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        if run == 0 {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let (word, behind) = rest.split_at(run);
        out.push_str(&format!("{}{run}", class(word)));
        rest = behind;
    }
    out
}

fn class(word: &str) -> char {
    let all = |is: fn(&u8) -> bool| word.as_bytes().iter().all(&is);
    match () {
        () if all(u8::is_ascii_digit) => 'd',
        () if word.len() >= 8 && all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => 'h',
        () if word.len() >= 8 && all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')) => 'H',
        () if all(u8::is_ascii_lowercase) => 'l',
        () if all(u8::is_ascii_uppercase) => 'u',
        () => 'x',
    }
}

fn id_shape(id: &str, from_domain: &str) -> String {
    let (local, host) = id.rsplit_once('@').unwrap_or((id, ""));
    let host = host.to_lowercase();
    let place = match () {
        () if host.is_empty() => "none",
        () if host == from_domain => "from",
        () if super::circle::same_organisation(&host, from_domain) => "organisation",
        () if !host.contains('.') => "bare",
        () => "other",
    };
    format!("{}@{place}", shape(local))
}

fn header_order(message: &Message<'_>) -> String {
    let mut order = String::new();
    for header in message.headers.iter().take(LIMIT) {
        let name = header.name.to_ascii_lowercase();
        if OF_THE_WAY.iter().any(|other| name.starts_with(other)) {
            continue;
        }
        order.push_str(&name);
        order.push('\n');
    }
    order
}

/// The offset of a date field from UTC, as written: `+0200`, `GMT`.
fn zone(date: &str) -> Option<&str> {
    let without_comment = date.split('(').next()?.trim();
    without_comment
        .split_whitespace()
        .nth_back(0)
        .filter(|last| !last.contains(':'))
}

fn encodings(message: &Message<'_>) -> String {
    let mut all: Vec<String> = message
        .parts
        .iter()
        .filter(|part| part.message == 0 && part.role != PartRole::Attachment)
        .take(LIMIT)
        .map(|part| {
            let charset = part.charset.as_deref().unwrap_or_default();
            let encoding = part.transfer_encoding.as_deref().unwrap_or_default();
            format!("{} {charset} {encoding}", part.content_type)
        })
        .collect();
    all.dedup();
    all.join("\n")
}

fn structure(message: &Message<'_>) -> String {
    let depth = |mut parent: Option<usize>| {
        let mut depth = 0;
        while let Some(multipart) = parent.and_then(|at| message.multiparts.get(at)) {
            depth += 1;
            if depth > 32 {
                break;
            }
            parent = multipart.parent;
        }
        depth
    };
    let multiparts =
        own(&message.multiparts).map(|part| format!("{}:{}", depth(part.parent), part.content_type));
    let leaves = message
        .parts
        .iter()
        .filter(|part| part.message == 0)
        .take(LIMIT)
        .map(|part| format!("{}:{}", depth(part.parent), part.content_type));
    multiparts.chain(leaves).collect::<Vec<_>>().join("\n")
}

fn own<'m, 'a>(multiparts: &'m [Multipart<'a>]) -> impl Iterator<Item = &'m Multipart<'a>> {
    multiparts.iter().filter(|part| part.message == 0).take(LIMIT)
}

/// What well-kept software does not do.
fn mistakes(message: &Message<'_>, facts: &mut Facts) {
    for name in ONCE {
        let count = message.headers_named(name).count();
        if count > 1 {
            signal(facts, "prints/field-twice", &format!("{name}: {count} times"));
            break;
        }
    }
    if message.message_id.as_deref().is_none_or(str::is_empty) {
        signal(facts, "prints/no-message-id", "");
    }
    match message.header("date") {
        None => signal(facts, "prints/no-date", ""),
        Some(date) if message.date.is_none() => signal(facts, "prints/broken-date", date),
        Some(_) => {}
    }
    let to = message.header("to").unwrap_or_default();
    if message.to.is_empty()
        && message.cc.is_empty()
        && (to.trim().is_empty() || to.to_lowercase().contains("undisclosed"))
    {
        signal(facts, "prints/no-recipient", to);
    }
    let subject = message
        .subject
        .as_deref()
        .unwrap_or_default()
        .trim_start()
        .to_lowercase();
    let is_answer = [
        "re:", "fwd:", "fw:", "aw:", "wg:", "enc:", "res:", "tr:", "sv:", "rv:",
    ]
    .iter()
    .any(|mark| subject.starts_with(mark));
    if is_answer && message.references.is_empty() {
        signal(facts, "prints/answer-to-nothing", &subject);
    }
    let undeclared = message
        .headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("subject") && !header.value.is_ascii());
    if undeclared {
        signal(facts, "prints/raw-subject", "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_keep_classes_and_lengths() {
        assert_eq!(shape("20230727150603.c2011bfd5c8933f6"), "d14.h16");
        assert_eq!(
            shape("----=_NextPart_000_0012_01D9C0A1.7F3B2A10"),
            "----=_x8_d3_d4_H8.H8"
        );
        assert_eq!(
            id_shape("abc.1@Mail.Example.org", "news.example.org"),
            "l3.d1@organisation"
        );
        assert_eq!(id_shape("abc", "example.org"), "l3@none");
    }

    #[test]
    fn the_zone_is_the_last_word() {
        assert_eq!(zone("Thu, 27 Jul 2023 15:06:03 +0200 (CEST)"), Some("+0200"));
        assert_eq!(zone("Thu, 27 Jul 2023 15:06:03"), None);
    }
}
