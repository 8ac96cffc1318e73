//! Header fields → the fields of a message.

use std::borrow::Cow;

use blackrod_model::Timestamp;
use blackrod_model::mail::{Header, Hop, Mailbox, Message};
use mail_parser::{Addr, Address, DateTime, HeaderName, HeaderValue, Host, Received};

/// How many references of a message are listed, of each of the two fields.
const REFERENCE_LIMIT: usize = 500;

/// Fills `message` from its header.
pub(super) fn fill<'a>(message: &mut Message<'a>, raw: &'a [u8], headers: Vec<mail_parser::Header<'a>>) {
    message.headers = listed(raw, &headers);
    let mut in_reply_to = Vec::new();
    for mut header in headers {
        let value = std::mem::take(&mut header.value);
        let raw_value = || unfolded(raw, &header);
        match (&header.name, value) {
            (HeaderName::From, value) => addresses(&mut message.from, value, raw_value()),
            (HeaderName::To, value) => addresses(&mut message.to, value, raw_value()),
            (HeaderName::Cc, value) => addresses(&mut message.cc, value, raw_value()),
            (HeaderName::ReplyTo, value) => addresses(&mut message.reply_to, value, raw_value()),
            (HeaderName::Sender, value) => {
                let mut senders = Vec::new();
                addresses(&mut senders, value, raw_value());
                message.sender = message.sender.take().or(senders.into_iter().next());
            }
            (HeaderName::Bcc, value) => {
                let mut hidden = Vec::new();
                addresses(&mut hidden, value, raw_value());
                message
                    .delivered_to
                    .extend(hidden.into_iter().map(|mailbox| mailbox.address));
            }
            (HeaderName::Subject, HeaderValue::Text(text)) => {
                message.subject.get_or_insert(text);
            }
            (HeaderName::Date, HeaderValue::DateTime(date)) => {
                message.date = message.date.or_else(|| timestamp(&date));
            }
            (HeaderName::MessageId, value) => {
                message.message_id = message
                    .message_id
                    .take()
                    .or_else(|| ids(value).into_iter().next());
            }
            (HeaderName::ReturnPath, value) => {
                let path = ids(value).into_iter().next();
                message.return_path = message.return_path.take().or(path);
            }
            (HeaderName::References, value) => message.references.extend(ids(value)),
            (HeaderName::InReplyTo, value) => in_reply_to.extend(ids(value)),
            (HeaderName::Received, HeaderValue::Received(received)) => {
                message.received.push(hop(*received));
            }
            (name, _) if is_delivery(name.as_str()) => {
                let value = raw_value();
                let address = value.trim_matches(['<', '>', ' ']).to_owned();
                message.delivered_to.push(Cow::Owned(address));
            }
            _ => {}
        }
    }
    message.references.truncate(REFERENCE_LIMIT);
    for id in in_reply_to.into_iter().take(REFERENCE_LIMIT) {
        if !message.references.contains(&id) {
            message.references.push(id);
        }
    }
}

/// The header fields in their order, unfolded.
pub(super) fn listed<'a>(raw: &'a [u8], headers: &[mail_parser::Header<'a>]) -> Vec<Header<'a>> {
    headers
        .iter()
        .map(|header| {
            let name = raw
                .get(header.offset_field as usize..header.offset_start as usize)
                .unwrap_or_default();
            let name = name.strip_suffix(b":").unwrap_or(name).trim_ascii();
            Header {
                name: text(name),
                value: unfolded(raw, header),
            }
        })
        .collect()
}

/// The field's value as written, its lines joined (RFC 5322 2.2.3).
pub(super) fn unfolded<'a>(raw: &'a [u8], header: &mail_parser::Header<'_>) -> Cow<'a, str> {
    let span = header.offset_start as usize..header.offset_end as usize;
    let value = text(raw.get(span).unwrap_or_default().trim_ascii());
    if memchr::memchr2(b'\n', b'\r', value.as_bytes()).is_none() {
        return value;
    }
    Cow::Owned(value.split(['\r', '\n']).collect())
}

/// `bytes` as text; what is not UTF-8 becomes U+FFFD. Faster than `from_utf8_lossy` alone where all of it is.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Appends the addresses of a field; where nothing in it is one, the field as it stands.
fn addresses<'a>(list: &mut Vec<Mailbox<'a>>, value: HeaderValue<'a>, as_written: Cow<'a, str>) {
    let mailbox = |addr: Addr<'a>| Mailbox {
        name: addr.name,
        address: addr.address.unwrap_or_default(),
    };
    match value {
        HeaderValue::Address(Address::List(addresses)) => list.extend(addresses.into_iter().map(mailbox)),
        HeaderValue::Address(Address::Group(groups)) => {
            list.extend(groups.into_iter().flat_map(|group| group.addresses).map(mailbox));
        }
        _ if as_written.is_empty() => {}
        _ => list.push(Mailbox {
            name: None,
            address: as_written,
        }),
    }
}

fn ids(value: HeaderValue<'_>) -> Vec<Cow<'_, str>> {
    value.into_text_list().unwrap_or_default()
}

fn hop(received: Received<'_>) -> Hop<'_> {
    Hop {
        from: received.from.map(host),
        ip: received.from_ip,
        reverse: received.from_iprev,
        by: received.by.map(host),
        protocol: received
            .with
            .map(|protocol| Cow::Owned(format!("{protocol:?}").to_ascii_uppercase())),
        id: received.id,
        recipient: received.for_,
        time: received.date.as_ref().and_then(timestamp),
    }
}

fn host(host: Host<'_>) -> Cow<'_, str> {
    match host {
        Host::Name(name) => name,
        Host::IpAddr(ip) => Cow::Owned(ip.to_string()),
    }
}

fn timestamp(date: &DateTime) -> Option<Timestamp> {
    // A leap second is a valid time; the parser's own check does not allow it.
    let in_minute = DateTime {
        second: date.second.min(59),
        ..*date
    };
    in_minute
        .is_valid()
        .then(|| Timestamp::from_seconds(in_minute.to_timestamp()))
}

fn is_delivery(name: &str) -> bool {
    ["Delivered-To", "X-Original-To", "Envelope-To"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}
