//! Syslog: RFC 5424, RFC 3164, and as rsyslog writes files (RFC 3339 times), with or without the priority.
//!
//! Fields are `hostname`, `program`, `pid`, `message` (all of it), and what the messages of some
//! programs say: sshd (`user`, `src_ip`, `src_port`, `method`), sudo (`USER`, `COMMAND`, `PWD`, `TTY`),
//! postfix and dovecot (their own `name=value`), HAProxy's HTTP log (as W3C names), and firewalls: netfilter's
//! `LOG` (its own `NAME=value`), pf's filterlog, Cisco ASA (`src_ip`, `dst_ip`, ports, `action`). RFC 3164 has no year:
//! it is the one in which the time lies in the last twelve months, seen from now; and no zone, so that
//! local time is taken for UTC.
//!
//! `Source::product` is `linux`, the channel the program; for HAProxy `webserver` and `haproxy`.

mod firewall;
mod message;

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Position, Raw, Timestamp, Value};

use super::combined::month;
use super::lines::{self, Plain};
use crate::textinput::decode_head;
use crate::times::{days_since_1970, read_time};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Syslog files.
pub(crate) struct Syslog;

impl Format for Syslog {
    fn name(&self) -> &str {
        "syslog"
    }

    fn description(&self) -> &str {
        "Syslog, RFC 3164 and 5424; sshd, sudo, postfix, dovecot, HAProxy, netfilter, pf and Cisco ASA in fields"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        let lines = lines::first_lines(&text, 20);
        let fitting = lines
            .iter()
            .filter(|line| Line::of(line, 2_000).is_some())
            .count();
        fitting > 0 && fitting * 2 > lines.len()
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(input, &mut Plain, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let now = Timestamp::now();
        let year = now
            .day()
            .get(..4)
            .and_then(|year| year.parse().ok())
            .unwrap_or(1_970);
        lines::each_line(block, &|_| false, &mut |at, text| match Line::of(text, year) {
            Some(line) => sink.event(line.event(at, text, now, year)),
            None => sink.refuse_record(at, "not a line of syslog"),
        });
    }
}

/// The parts of a line.
struct Line<'a> {
    time: Timestamp,
    /// The time had no year.
    lacks_year: bool,
    host: &'a str,
    program: &'a str,
    pid: &'a str,
    message: &'a str,
}

impl<'a> Line<'a> {
    fn of(text: &'a str, year: i64) -> Option<Self> {
        let (priority, rest) = match text.strip_prefix('<') {
            Some(inner) => {
                let (number, rest) = inner.split_once('>')?;
                (number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()))
                    .then_some((true, rest))?
            }
            None => (false, text),
        };
        if priority && let Some(rest) = rest.strip_prefix("1 ") {
            return Self::rfc5424(rest);
        }
        let (time, lacks_year, rest) = match short_time(rest, year) {
            Some((time, rest)) => (time, true, rest),
            None if let Some((time, rest)) = time_with_year(rest) => (time, false, rest),
            None => {
                let (time, rest) = rest.split_once(' ')?;
                let is_time = time.len() >= 19 && time.as_bytes().get(10) == Some(&b'T');
                (
                    is_time.then(|| read_time(&Value::text(time))).flatten()?,
                    false,
                    rest,
                )
            }
        };
        let (host, rest) = rest.trim_start().split_once(' ')?;
        // Cisco's devices: `host : %ASA-6-302013: …`.
        let rest = rest.trim_start_matches(": ");
        let (tag, message) = rest
            .split_once(": ")
            .or_else(|| rest.strip_suffix(':').map(|tag| (tag, "")))?;
        let (program, pid) = match tag.split_once('[') {
            Some((program, pid)) => (program, pid.trim_end_matches(']')),
            None => (tag, ""),
        };
        let is_tag = !program.is_empty() && program.len() <= 64 && !program.contains([' ', '"']);
        is_tag.then_some(Self {
            time,
            lacks_year,
            host,
            program,
            pid,
            message,
        })
    }

    /// `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`.
    fn rfc5424(text: &'a str) -> Option<Self> {
        let mut words = text.splitn(6, ' ');
        let time = words.next()?;
        let (host, program, pid) = (words.next()?, words.next()?, words.next()?);
        let _message_id = words.next()?;
        let rest = words.next().unwrap_or("-");
        Some(Self {
            time: read_time(&Value::text(time)).unwrap_or_default(),
            lacks_year: false,
            host,
            program,
            pid: if pid == "-" { "" } else { pid },
            message: after_structured_data(rest).trim_start_matches('\u{FEFF}'),
        })
    }

    fn event(self, at: Position, text: &'a str, now: Timestamp, year: i64) -> Event<'a> {
        let time = match self.lacks_year && self.time > now {
            true => Line::of(text, year - 1).map_or(self.time, |line| line.time),
            false => self.time,
        };
        // Postfix's programs are called postfix/smtpd, postfix/qmgr …
        let channel = self.program.split('/').next().unwrap_or(self.program);
        let mut event = Event::new(Class::BASE_EVENT, time, at);
        event.source.product = "linux";
        event.source.channel = Cow::Borrowed(channel);
        event.source.provider = Cow::Borrowed(self.program);
        event.raw = Raw::Text(text);
        event.fields = Vec::with_capacity(12);
        for (name, value) in [
            ("hostname", self.host),
            ("program", self.program),
            ("pid", self.pid),
            ("message", self.message),
        ] {
            event.fields.push(Field {
                name: Cow::Borrowed(name),
                value: Value::Str(Cow::Borrowed(value)),
            });
        }
        event.columns.set_first(Column::Host, 0);
        event.columns.set_first(Column::Process, 1);
        if !self.pid.is_empty() {
            event.columns.set_first(Column::Pid, 2);
        }
        message::read(channel, self.message, &mut event);
        event
    }
}

/// `Feb  6 12:14:14 ` at the start, and what follows.
fn short_time(text: &str, year: i64) -> Option<(Timestamp, &str)> {
    let bytes = text.as_bytes();
    let month = month(bytes.get(..3)?)?;
    let number = |from: usize| {
        let digits = [*bytes.get(from)?, *bytes.get(from + 1)?];
        let digit = |byte: u8| {
            if byte == b' ' {
                Some(0)
            } else {
                byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
            }
        };
        Some(digit(digits[0])? * 10 + digit(digits[1])?)
    };
    let is_shaped = bytes.get(3) == Some(&b' ')
        && bytes.get(6) == Some(&b' ')
        && bytes.get(9) == Some(&b':')
        && bytes.get(12) == Some(&b':')
        && bytes.get(15) == Some(&b' ');
    if !is_shaped {
        return None;
    }
    let (day, hour, minute, second) = (number(4)?, number(7)?, number(10)?, number(13)?);
    let is_valid = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    is_valid.then_some((Timestamp::from_seconds(seconds), text.get(16..)?))
}

/// `Jan 22 2021 09:30:03 ` at the start, as Cisco's devices can write it, and what follows.
fn time_with_year(text: &str) -> Option<(Timestamp, &str)> {
    let (date, rest) = text.split_at_checked(7)?;
    let (year, rest) = rest.split_once(' ')?;
    let is_year = year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    let year = year.parse().ok().filter(|_| is_year)?;
    let whole = format!("{date}{}", rest.get(..9)?);
    let (time, _) = short_time(&whole, year)?;
    Some((time, rest.get(9..)?))
}

/// What follows `-` or `[id name="value"][…]` (RFC 5424 6.3).
fn after_structured_data(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest.trim_start();
    }
    let mut is_quoted = false;
    let mut is_escaped = false;
    let mut depth = 0_u32;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'[' if !is_quoted => depth += 1,
            b']' if !is_quoted => depth = depth.saturating_sub(1),
            b' ' if depth == 0 => return text.get(index + 1..).unwrap_or_default(),
            _ => {}
        }
    }
    ""
}
