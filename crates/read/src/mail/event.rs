//! A message → the event of its record.

use std::borrow::Cow;
use std::net::IpAddr;

use blackrod_model::mail::{Mailbox, Message, PartRole};
use blackrod_model::{Class, Column, Event, Field, Position, Timestamp, Value};

use super::outer_content_type;
use super::urls::{self, Urls};

/// How many header names are listed.
const NAME_LIMIT: usize = 1_000;
/// Header fields that become event fields under another name, the first of each.
const COPIED: &[(&str, &str)] = &[
    ("Date", "date"),
    ("X-Mailer", "x_mailer"),
    ("User-Agent", "user_agent"),
    ("X-Originating-IP", "x_originating_ip"),
    ("List-Id", "list_id"),
    ("List-Unsubscribe", "list_unsubscribe"),
    ("Precedence", "precedence"),
    ("Auto-Submitted", "auto_submitted"),
    ("Authentication-Results", "authentication_results"),
    ("Received-SPF", "received_spf"),
    ("Disposition-Notification-To", "disposition_notification_to"),
];

/// The event of the record at `at`; its fields are described in the documentation of [`super`].
pub(super) fn of_message<'a>(message: Message<'a>, at: Position) -> Event<'a> {
    let mut event = Event::new(Class::EMAIL_ACTIVITY, time_of(&message), at);
    event.source.product = "email";
    let mut fields = Fields(&mut event);
    addressing(&message, &mut fields);
    for (header, name) in COPIED {
        let value = message
            .headers
            .iter()
            .find(|listed| listed.name.eq_ignore_ascii_case(header));
        fields.text(name, value.map(|listed| listed.value.clone()));
    }
    let received = message
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("Received"));
    fields.list("received", received.map(|header| header.value.clone()));
    fields.column(
        Column::SrcIp,
        "src_ip",
        first_outside(&message).map(|ip| ip.to_string().into()),
    );
    fields.list(
        "header_names",
        message
            .headers
            .iter()
            .take(NAME_LIMIT)
            .map(|header| header.name.clone()),
    );
    fields.text(
        "content_type",
        outer_content_type(&message).map(|text| text.to_ascii_lowercase().into()),
    );
    attachments(&message, &mut fields);
    links(&message, &mut fields);
    event.mail = Some(Box::new(message));
    event
}

struct Fields<'e, 'a>(&'e mut Event<'a>);

impl<'a> Fields<'_, 'a> {
    fn text(&mut self, name: &'static str, value: Option<Cow<'a, str>>) -> bool {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return false;
        };
        self.0.fields.push(Field::new(name, value));
        true
    }

    fn list(&mut self, name: &'static str, values: impl Iterator<Item = Cow<'a, str>>) -> bool {
        let values: Vec<Value<'a>> = values.map(Value::Str).collect();
        if values.is_empty() {
            return false;
        }
        self.0.fields.push(Field::new(name, Value::List(values)));
        true
    }

    fn column(&mut self, column: Column, name: &'static str, value: Option<Cow<'a, str>>) {
        if self.text(name, value) {
            self.0.columns.set_first(column, self.0.fields.len() - 1);
        }
    }
}

fn addressing<'a>(message: &Message<'a>, fields: &mut Fields<'_, 'a>) {
    let address = |mailbox: &Mailbox<'a>| mailbox.address.clone();
    let from = message.from.first();
    fields.column(Column::MailFrom, "from", from.map(address));
    fields.text("from_name", from.and_then(|mailbox| mailbox.name.clone()));
    fields.text("from_domain", from.and_then(domain));
    if message.from.len() > 1 {
        fields.list("from_all", message.from.iter().map(address));
    }
    fields.text("sender", message.sender.as_ref().map(address));
    let reply_to = message.reply_to.first();
    fields.text("reply_to", reply_to.map(address));
    fields.text("reply_to_domain", reply_to.and_then(domain));
    fields.text("return_path", message.return_path.clone());
    if fields.list("to", message.to.iter().map(address)) {
        fields
            .0
            .columns
            .set_first(Column::MailTo, fields.0.fields.len() - 1);
    }
    fields.list("cc", message.cc.iter().map(address));
    fields.list("delivered_to", message.delivered_to.iter().cloned());
    fields.column(Column::Subject, "subject", message.subject.clone());
    fields.column(Column::MessageId, "message_id", message.message_id.clone());
    let in_reply_to = message
        .header("In-Reply-To")
        .map(|value| value.trim_matches(['<', '>', ' ']));
    fields.text("in_reply_to", in_reply_to.map(|value| value.to_owned().into()));
    fields.list("references", message.references.iter().cloned());
}

fn attachments<'a>(message: &Message<'a>, fields: &mut Fields<'_, 'a>) {
    let all = || message.attachments();
    fields.list(
        "attachment_names",
        all().map(|part| part.name.clone().unwrap_or_default()),
    );
    fields.list("attachment_types", all().map(|part| part.content_type.clone()));
    fields.list(
        "attachment_sha256",
        all().map(|part| {
            part.sha256
                .map(|digest| digest.to_string())
                .unwrap_or_default()
                .into()
        }),
    );
}

fn links<'a>(message: &Message<'a>, fields: &mut Fields<'_, 'a>) {
    let mut found = Urls::default();
    for part in message
        .parts
        .iter()
        .filter(|part| part.role != PartRole::Attachment)
    {
        if let Some(text) = part.text() {
            found.add(text, part.role == PartRole::Html);
        }
    }
    let urls: Vec<Cow<'a, str>> = found
        .into_list()
        .into_iter()
        .map(|url| url.into_owned().into())
        .collect();
    let mut domains: Vec<String> = Vec::new();
    for domain in urls.iter().filter_map(|url| urls::host(url)) {
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    fields.column(Column::Url, "url", urls.first().cloned());
    fields.list("urls", urls.into_iter());
    fields.list("url_domains", domains.into_iter().map(Cow::Owned));
}

fn domain<'a>(mailbox: &Mailbox<'a>) -> Option<Cow<'a, str>> {
    mailbox.domain().map(|domain| Cow::Owned(domain.to_lowercase()))
}

/// `Date:`, or the topmost `Received:` where that is absurd.
fn time_of(message: &Message<'_>) -> Timestamp {
    const DAY: i64 = 86_400;
    /// 1990-01-01: no mail that is evidence today was sent before.
    const EARLIEST: i64 = 631_152_000;
    /// 2100-01-01.
    const LATEST: i64 = 4_102_444_800;
    let plausible = |time: &Timestamp| time.seconds().is_some_and(|at| (EARLIEST..LATEST).contains(&at));
    let received = message.received.iter().find_map(|hop| hop.time).filter(plausible);
    let in_order = |sent: &Timestamp| match (sent.seconds(), received.and_then(Timestamp::seconds)) {
        (Some(sent), Some(received)) => sent <= received + 2 * DAY,
        _ => true,
    };
    let sent = message.date.filter(plausible).filter(in_order);
    sent.or(received).unwrap_or(Timestamp::UNKNOWN)
}

/// The first address from the top of the `Received:` chain that is not of a private network.
fn first_outside(message: &Message<'_>) -> Option<IpAddr> {
    message
        .received
        .iter()
        .filter_map(|hop| hop.ip)
        .find(|ip| is_outside(*ip))
}

fn is_outside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [first, second, ..] = ip.octets();
            let is_shared = first == 100 && second & 0xc0 == 64; // RFC 6598
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || is_shared)
        }
        IpAddr::V6(ip) => {
            let local = ip.is_unique_local() || ip.is_unicast_link_local();
            !(local || ip.is_loopback() || ip.is_unspecified())
        }
    }
}
