//! Telling mail from everything else by its first lines.

/// What the first lines of something say about it.
#[derive(Debug, Default)]
struct HeadLines {
    /// Fields that only mail has, and that look it.
    telling: usize,
    /// Fields that mail shares with HTTP and other protocols, or that are too common as words.
    shared: usize,
    /// Fields of any other name.
    other: usize,
    /// Fields that only HTTP has.
    http: usize,
    /// Lines that are no field.
    broken: usize,
}

/// Names that only mail has (RFC 5322, RFC 2045, RFC 6376 and what mail servers add).
const MAIL_ONLY: &[&str] = &[
    "received",
    "return-path",
    "message-id",
    "mime-version",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "authentication-results",
    "arc-seal",
    "in-reply-to",
    "envelope-to",
    "list-unsubscribe",
    "x-mailer",
    "x-envelope-from",
    "x-received",
    "x-mozilla-status",
    "x-mozilla-keys",
];

/// Names whose field is mail's if it holds an address or a group.
const ADDRESSES: &[&str] = &["from", "to", "cc", "bcc", "sender", "reply-to", "resent-from"];

const SHARED: &[&str] = &[
    "subject",
    "date",
    "references",
    "content-type",
    "content-transfer-encoding",
    "content-disposition",
];

/// Names that occur in HTTP headers and never in mail (RFC 9110).
const HTTP_ONLY: &[&str] = &[
    "host",
    "server",
    "accept",
    "accept-encoding",
    "set-cookie",
    "cookie",
    "etag",
    "cache-control",
    "connection",
    "transfer-encoding",
    "location",
    "last-modified",
    "vary",
    "referer",
    "access-control-allow-origin",
    "strict-transport-security",
];

/// Whether `head` begins with the header of a mail message.
///
/// Leading blank lines and a byte-order mark are skipped. The header ends at the first blank line. It is
/// mail's if most of its lines are fields and either two usual names are among them, of which one is
/// mail's alone, or (test messages, drafts, fragments of MIME) a single usual field stands in a header
/// without a broken line. HTTP headers and mappings such as YAML fail on names and on lacking addresses.
pub(super) fn is_message(head: &[u8]) -> bool {
    let start = skip_blank(head);
    let Some(first) = lines(start).next() else {
        return false;
    };
    if field_name(first).is_none() && !first.starts_with(b">From ") {
        return false;
    }
    let seen = look_at(start);
    if seen.http > 0 && seen.telling < 2 {
        return false;
    }
    let fields = seen.telling + seen.shared + seen.other;
    if seen.broken > fields {
        return false;
    }
    if seen.telling + seen.shared >= 2 && seen.telling >= 1 {
        return true;
    }
    let has_body = has_blank_line(start);
    seen.broken == 0 && has_body && seen.telling + seen.shared >= 1
}

/// Whether `head` begins with an mbox separator line followed by a message.
pub(super) fn is_mailbox(head: &[u8]) -> bool {
    let start = skip_blank(head);
    start.starts_with(b"From ") && super::mbox::is_separator(start)
}

/// Whether `line` is a header field: a name of printable ASCII (RFC 5322 2.2), then a colon.
pub(super) fn field_name(line: &[u8]) -> Option<&str> {
    let colon = memchr::memchr(b':', line.get(..line.len().min(200))?)?;
    let name = std::str::from_utf8(line.get(..colon)?)
        .ok()?
        .trim_end_matches([' ', '\t']);
    let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    (printable && name.starts_with(|first: char| first.is_ascii_alphanumeric())).then_some(name)
}

/// Whether `line` is a header field of a name that mail usually has, or one beginning with `X-`.
pub(super) fn is_usual_field(line: &[u8]) -> bool {
    field_name(line).is_some_and(|name| {
        let folded = name.to_ascii_lowercase();
        let known = [MAIL_ONLY, ADDRESSES, SHARED]
            .iter()
            .any(|list| list.contains(&folded.as_str()));
        known || folded.starts_with("x-")
    })
}

/// The start of the content behind a byte-order mark, blank lines and blanks.
pub(super) fn skip_blank(bytes: &[u8]) -> &[u8] {
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    unmarked.trim_ascii_start()
}

fn look_at(start: &[u8]) -> HeadLines {
    let mut seen = HeadLines::default();
    let mut names: Vec<String> = Vec::new();
    for line in lines(start).take_while(|line| !line.is_empty()).take(1_000) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            continue;
        }
        let Some(name) = field_name(line) else {
            seen.broken += 1;
            continue;
        };
        let folded = name.to_ascii_lowercase();
        if names.contains(&folded) {
            continue;
        }
        let value = line.get(name.len()..).unwrap_or_default();
        let is = |list: &[&str]| list.contains(&folded.as_str());
        if is(MAIL_ONLY) || is(ADDRESSES) && holds_address(value) {
            seen.telling += 1;
        } else if is(ADDRESSES) && name != folded || is(SHARED) && shared_value_fits(&folded, name, value) {
            seen.shared += 1;
        } else if is(HTTP_ONLY) {
            seen.http += 1;
        } else {
            seen.other += 1;
        }
        names.push(folded);
    }
    seen
}

fn holds_address(value: &[u8]) -> bool {
    memchr::memchr3(b'@', b'<', b';', value).is_some()
}

/// A content type has a slash; a subject in small letters is more likely a key of some mapping.
fn shared_value_fits(folded: &str, name: &str, value: &[u8]) -> bool {
    match folded {
        "content-type" => memchr::memchr(b'/', value).is_some(),
        "subject" | "date" | "references" => name != folded,
        _ => true,
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn has_blank_line(bytes: &[u8]) -> bool {
    lines(bytes).any(<[u8]>::is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_recognised_whatever_it_begins_with() {
        for mail in [
            "From: Anna <anna@parl.example>\r\nTo: b@parl.example\r\n\r\nHello",
            "\u{feff}\r\n\r\nReceived: from a by b; x\r\nSubject: s\r\n\r\n",
            "Subject: Some subject\n\nHello\n",
            "   \n  \n  Delivered-To: a@b.example\n Subject: x\n\n",
            "Content-Type: text/html\n\n<p>",
            "return-path: <>\nfrom: a@b.example\nsubject: x\n\n",
            "From: Rspamd <foo@bar.example>\n\n",
            "X-Spam: no\nbroken line\nFrom : a@b.example\nDate: x\n\nbody",
            "Subject: only a header, no end\nTo: x@y.example",
        ] {
            assert!(is_message(mail.as_bytes()), "{mail:?}");
        }
    }

    #[test]
    fn what_only_looks_like_mail_is_left_alone() {
        for other in [
            "",
            "\n\n\n",
            "Dear all,\n\nSubject: none\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nDate: x\r\n\r\n",
            "Content-Type: text/html\r\nServer: nginx\r\nDate: Tue\r\n\r\n<html>",
            "Host: example.org\nAccept: */*\nFrom: robot@example.org\n\n",
            "from: alice\nto: bob\nsubject: x\ndate: 2020-01-01\n",
            "name: build\non:\n  push:\n    branches: [main]\n",
            "---\ntitle: x\ndate: y\n---\n",
            "{\"From\": \"a@b\"}",
            "time,from,to\n1,a@b,c@d\n",
            "[section]\nFrom: x\n",
            "To: do\nbuy milk\nbuy bread\n",
        ] {
            assert!(!is_message(other.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn a_mailbox_begins_with_a_separator_line() {
        assert!(is_mailbox(
            b"From a@b.example Tue Jan  5 10:00:00 2021\nSubject: x\n\n"
        ));
        assert!(is_mailbox(b"\nFrom - \nX-Mozilla-Status: 0001\n\n"));
        assert!(!is_mailbox(b"From the desk of the Speaker:\n\nDear colleagues"));
        assert!(!is_mailbox(b"From: a@b.example\nTo: c@d.example\n\n"));
    }
}
