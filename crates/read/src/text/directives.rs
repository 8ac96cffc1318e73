//! Logs that say in a line `#Fields:` how their lines are made, which may recur and change: W3C Extended
//! Log File Format (IIS), and Exchange's own logs, the same with commas.
//!
//! | log | known by | class |
//! |---|---|---|
//! | IIS and other W3C | `cs-method`, `cs-uri-stem` | HTTP Activity |
//! | Exchange HttpProxy (74 columns) | `AnchorMailbox`, `UrlStem` | HTTP Activity |
//! | Exchange message tracking | `recipient-address` | Email Activity |
//! | Exchange cmdlets (`CmdletInfra`) | `Cmdlet` | Entity Management |
//! | Exchange ECP and all others | `#Log-type:` | API Activity |
//!
//! Fields keep their names. `Source::product` is `webserver` for W3C and `exchange` else; the channel is
//! `iis`, `w3c`, `httpproxy`, `messagetracking`, `cmdlet`, `ecp`, or the log type as the log itself says it.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Position, Raw, Timestamp, Value};
use memchr::{memchr, memchr2};

use super::lines::{self, Header};
use crate::cloud::{fill_account, fill_address};
use crate::textinput::decode_head;
use crate::times::read_time;
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Logs with `#Fields:` directives.
pub(crate) struct Directives;

const FIELDS: &[u8] = b"#Fields:";

impl Format for Directives {
    fn name(&self) -> &str {
        "w3c"
    }

    fn description(&self) -> &str {
        "Logs with #Fields: directives: IIS and other W3C, Exchange HttpProxy, ECP, message tracking, cmdlets"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        let lines = lines::first_lines(&text, 12);
        lines
            .iter()
            .any(|line| line.as_bytes().starts_with(FIELDS) && line.len() > FIELDS.len() + 3)
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(
            input,
            &mut Header::of([b"#Software:", b"#Log-type:", FIELDS]),
            emit,
        )
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let context = lines::context(block);
        let layout = Layout::of(&context);
        let is_directive = |line: &[u8]| line.starts_with(b"#");
        lines::each_line(block, &is_directive, &mut |at, line| layout.line(at, line, sink));
    }
}

/// How the lines of a block are made.
struct Layout<'c> {
    names: Vec<&'c str>,
    columns: Vec<Option<(Column, u8)>>,
    by_comma: bool,
    kind: Kind,
    channel: String,
    date: Option<usize>,
    time: Option<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Web,
    Proxy,
    Tracking,
    Cmdlet,
    Other,
}

impl<'c> Layout<'c> {
    fn of(context: &'c str) -> Self {
        let line = |name: &str| {
            let found = context.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim()
        };
        let header = line("#Fields:");
        let by_comma = header.contains(',') && !header.contains(' ')
            || header.matches(',').count() > header.matches(' ').count();
        let names: Vec<&str> = match by_comma {
            true => header.split(',').map(str::trim).collect(),
            false => header.split_ascii_whitespace().collect(),
        };
        let place = |wanted: &[&str]| {
            names
                .iter()
                .position(|name| wanted.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
        };
        let has = |wanted: &str| place(&[wanted]).is_some();
        let kind = if has("cs-method") || has("cs-uri-stem") || has("cs-uri") {
            Kind::Web
        } else if has("AnchorMailbox") || has("UrlStem") {
            Kind::Proxy
        } else if has("recipient-address") {
            Kind::Tracking
        } else if has("Cmdlet") || has("CmdletName") {
            Kind::Cmdlet
        } else {
            Kind::Other
        };
        let channel = match kind {
            Kind::Web if line("#Software:").contains("Internet Information") => "iis".to_owned(),
            Kind::Web => "w3c".to_owned(),
            Kind::Proxy => "httpproxy".to_owned(),
            Kind::Tracking => "messagetracking".to_owned(),
            Kind::Cmdlet => "cmdlet".to_owned(),
            Kind::Other if line("#Log-type:").starts_with("ECP") => "ecp".to_owned(),
            Kind::Other => line("#Log-type:").to_ascii_lowercase(),
        };
        Self {
            columns: names.iter().map(|name| role(name, kind)).collect(),
            date: place(&["date"]),
            time: match place(&["date"]) {
                Some(_) => place(&["time"]),
                None => place(&["date-time", "DateTime", "TimeStamp", "Time", "StartTime"]),
            },
            names,
            by_comma,
            kind,
            channel,
        }
    }

    fn line(&self, at: Position, line: &str, sink: &mut dyn Sink) {
        if self.names.is_empty() {
            return sink.refuse_record(at, "no #Fields: line says what this line holds");
        }
        let mut fields = Vec::with_capacity(self.names.len() + 2);
        let mut cells = Cells {
            rest: Some(line),
            by_comma: self.by_comma,
        };
        for (name, cell) in self.names.iter().zip(&mut cells) {
            fields.push(Field {
                name: Cow::Borrowed(*name),
                value: Value::Str(cell),
            });
        }
        let more = cells.count();
        if fields.len() != self.names.len() || more > 0 {
            if fields
                .first()
                .is_some_and(|field| field.value.as_str() == Some(field.name.as_ref()))
            {
                // Exchange writes the names once more, without saying that it does.
                return sink.refuse(blackrod_model::Refusal {
                    at,
                    records: 0,
                    reason: "the names of the fields again".to_owned(),
                });
            }
            let found = fields.len() + more;
            let reason = format!("{found} fields where #Fields: names {}", self.names.len());
            return sink.refuse_record(at, reason);
        }
        let repeats_names = fields
            .iter()
            .take(2)
            .all(|field| field.value.as_str() == Some(field.name.as_ref()));
        if repeats_names {
            return;
        }
        sink.event(self.event(at, line, fields));
    }

    fn event<'a>(&'a self, at: Position, line: &'a str, fields: Vec<Field<'a>>) -> Event<'a> {
        let class = match self.kind {
            Kind::Web | Kind::Proxy => Class::HTTP_ACTIVITY,
            Kind::Tracking => Class::EMAIL_ACTIVITY,
            Kind::Cmdlet => Class::ENTITY_MANAGEMENT,
            Kind::Other => Class::API_ACTIVITY,
        };
        let mut event = Event::new(class, self.time_of(&fields), at);
        event.source.product = match self.kind {
            Kind::Web => "webserver",
            _ => "exchange",
        };
        event.source.channel = Cow::Borrowed(&self.channel);
        event.fields = fields;
        event.raw = Raw::Text(line);
        for rank in 0..=1 {
            for (index, column) in self.columns.iter().enumerate() {
                let Some((column, own_rank)) = column else {
                    continue;
                };
                let is_blank = || event.fields.get(index).is_none_or(|field| field.value.is_blank());
                if *own_rank != rank || event.columns.get(*column).is_some() || is_blank() {
                    continue;
                }
                match column {
                    Column::SrcIp | Column::DstIp => fill_address(&mut event, *column, None, index),
                    Column::User | Column::TargetUser => fill_account(&mut event, *column, index),
                    column => event.columns.set_first(*column, index),
                }
            }
        }
        event
    }

    fn time_of(&self, fields: &[Field<'_>]) -> Timestamp {
        let text = |index: Option<usize>| fields.get(index?)?.value.as_str();
        let Some(time) = text(self.time) else {
            return text(self.date).and_then(Timestamp::parse).unwrap_or_default();
        };
        let Some(date) = text(self.date) else {
            return read_time(&Value::text(time)).unwrap_or_default();
        };
        let mut both = [b' '; 32];
        let (date, time) = (date.as_bytes(), time.as_bytes());
        let length = date.len() + 1 + time.len();
        if length > both.len() {
            return Timestamp::UNKNOWN;
        }
        if let Some((first, rest)) = both.split_at_mut_checked(date.len())
            && let Some(second) = rest.get_mut(1..=time.len())
        {
            first.copy_from_slice(date);
            second.copy_from_slice(time);
        }
        let text = both.get(..length).and_then(|both| std::str::from_utf8(both).ok());
        text.and_then(|text| read_time(&Value::text(text)))
            .unwrap_or_default()
    }
}

/// The cells of a line.
struct Cells<'a> {
    rest: Option<&'a str>,
    by_comma: bool,
}

impl<'a> Iterator for Cells<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.rest?;
        if self.by_comma && rest.starts_with('"') {
            return Some(self.quoted(rest));
        }
        let stop = match self.by_comma {
            true => memchr(b',', rest.as_bytes()),
            false => memchr2(b' ', b'\t', rest.as_bytes()),
        };
        let (cell, after) = match stop {
            Some(stop) => (rest.get(..stop)?, rest.get(stop + 1..)),
            None => (rest, None),
        };
        self.rest = after;
        Some(Cow::Borrowed(cell))
    }
}

impl<'a> Cells<'a> {
    /// A cell in quotes, within which a quote is written twice.
    fn quoted(&mut self, rest: &'a str) -> Cow<'a, str> {
        let content = rest.get(1..).unwrap_or_default();
        let mut at = 0;
        let mut has_doubled = false;
        let end = loop {
            let Some(quote) = memchr(b'"', content.as_bytes().get(at..).unwrap_or_default()) else {
                self.rest = None;
                return Cow::Borrowed(content);
            };
            at += quote + 1;
            if content.as_bytes().get(at) != Some(&b'"') {
                break at - 1;
            }
            has_doubled = true;
            at += 1;
        };
        let cell = content.get(..end).unwrap_or_default();
        let after = content.get(end + 1..).unwrap_or_default();
        self.rest = memchr(b',', after.as_bytes()).and_then(|comma| after.get(comma + 1..));
        match has_doubled {
            true => Cow::Owned(cell.replace("\"\"", "\"")),
            false => Cow::Borrowed(cell),
        }
    }
}

fn role(name: &str, kind: Kind) -> Option<(Column, u8)> {
    let column = match kind {
        Kind::Web => match name {
            "c-ip" => (Column::SrcIp, 0),
            "c-port" => (Column::SrcPort, 0),
            "s-ip" => (Column::DstIp, 0),
            "s-port" => (Column::DstPort, 0),
            "cs-username" => (Column::User, 0),
            "cs-uri-stem" => (Column::Url, 0),
            "cs-uri" => (Column::Url, 1),
            "cs(User-Agent)" => (Column::UserAgent, 0),
            "sc-status" => (Column::Status, 0),
            "cs-method" => (Column::Action, 0),
            "s-computername" => (Column::Host, 0),
            "cs-host" | "cs(Host)" => (Column::DstHost, 0),
            _ => return None,
        },
        Kind::Proxy => match name {
            "ClientIpAddress" => (Column::SrcIp, 0),
            "AuthenticatedUser" => (Column::User, 0),
            "AnchorMailbox" => (Column::TargetUser, 0),
            "UrlStem" => (Column::Url, 0),
            "UserAgent" => (Column::UserAgent, 0),
            "HttpStatus" => (Column::Status, 0),
            "Method" => (Column::Action, 0),
            "ServerHostName" => (Column::Host, 0),
            "TargetServer" => (Column::DstHost, 0),
            _ => return None,
        },
        Kind::Tracking => match name {
            "original-client-ip" => (Column::SrcIp, 0),
            "client-ip" => (Column::SrcIp, 1),
            "server-ip" => (Column::DstIp, 0),
            "server-hostname" => (Column::Host, 0),
            "event-id" => (Column::Action, 0),
            "recipient-status" => (Column::Status, 0),
            "sender-address" => (Column::MailFrom, 0),
            "recipient-address" => (Column::MailTo, 0),
            "message-subject" => (Column::Subject, 0),
            "message-id" => (Column::MessageId, 0),
            _ => return None,
        },
        Kind::Cmdlet | Kind::Other => match name {
            "ClientIpAddress" | "ClientIP" | "ClientIPAddress" | "client-ip" => (Column::SrcIp, 0),
            "AuthenticatedUser" | "User" | "UserName" | "Caller" => (Column::User, 0),
            "Cmdlet" | "CmdletName" | "EventId" => (Column::Action, 0),
            "ServerHostName" | "ServerName" => (Column::Host, 0),
            "ExceptionType" | "ErrorType" | "Result" => (Column::Status, 0),
            _ => return None,
        },
    };
    Some(column)
}
