//! Web servers' access logs: Apache and nginx, combined and common format, with or without the virtual
//! host in front.
//!
//! Fields are called as in W3C logs, so that one rule reads both: `c-ip`, `cs-username`, `cs-method`,
//! `cs-uri-stem` (the path), `cs-uri-query` (path and query, as SigmaHQ's rules for web servers take it),
//! `cs-version`, `sc-status`, `sc-bytes`, `cs(Referer)`, `cs(User-Agent)`. A request line that is no
//! request (TLS on a plain port, a scanner's noise) is in `cs-uri-query` as it is. What follows the
//! agent is in `rest`.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Position, Raw, Timestamp, Value};
use memchr::{memchr, memchr2, memrchr};

use super::lines::{self, Plain};
use crate::cloud::{fill_account, fill_address};
use crate::times::{days_since_1970, number};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Apache's and nginx's access logs.
pub(crate) struct AccessLog;

impl Format for AccessLog {
    fn name(&self) -> &str {
        "access-log"
    }

    fn description(&self) -> &str {
        "Web servers' access logs: Apache and nginx, combined or common format"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        lines::at_least_half(head, |line| Line::of(line, &mut Clock::default()).is_some())
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(input, &mut Plain, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let mut clock = Clock::default();
        lines::each_line(
            block,
            &|_| false,
            &mut |at, text| match Line::of(text, &mut clock) {
                Some(line) => sink.event(line.event(at, text)),
                None => sink.refuse_record(at, "not a line of an access log"),
            },
        );
    }
}

/// The time that was read last: many lines that follow each other are of the same second.
#[derive(Default)]
struct Clock {
    text: [u8; 26],
    time: Option<Timestamp>,
}

impl Clock {
    fn read(&mut self, text: &str) -> Option<Timestamp> {
        let Ok(bytes) = <[u8; 26]>::try_from(text.as_bytes()) else {
            return apache_time(text);
        };
        if self.text != bytes {
            *self = Self {
                text: bytes,
                time: apache_time(text),
            };
        }
        self.time
    }
}

/// The parts of a line.
struct Line<'a> {
    virtual_host: Option<&'a str>,
    client: &'a str,
    user: &'a str,
    time: Timestamp,
    request: &'a str,
    status: &'a str,
    bytes: &'a str,
    referer: Option<&'a str>,
    agent: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn of(text: &'a str, clock: &mut Clock) -> Option<Self> {
        let bracket = memchr(b'[', text.as_bytes())?;
        let before = text.get(..bracket)?.trim_ascii_end();
        // host ident user, and with the virtual host in front one more. A user may have blanks.
        let (first, rest) = split_word(before).filter(|(first, _)| !first.is_empty())?;
        let (second, after_second) = split_word(rest)?;
        let (virtual_host, client, user) = match split_word(after_second) {
            Some((_, after_third)) if second.contains(['.', ':']) => (Some(first), second, after_third),
            _ => (None, first, after_second),
        };
        let after = text.get(bracket + 1..)?;
        let end = memchr(b']', after.as_bytes())?;
        let time = clock.read(after.get(..end)?)?;
        let (request, rest) = quoted(after.get(end + 1..)?.trim_ascii_start())?;
        let (status, rest) = word(rest.trim_ascii_start());
        let is_status =
            status == "-" || status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
        if !is_status {
            return None;
        }
        let (bytes, rest) = word(rest.trim_ascii_start());
        let rest = rest.trim_ascii_start();
        let (referer, rest) = optional_quoted(rest);
        let (agent, rest) = optional_quoted(rest.trim_ascii_start());
        Some(Self {
            virtual_host,
            client,
            user,
            time,
            request,
            status,
            bytes,
            referer,
            agent,
            rest: rest.trim_ascii(),
        })
    }

    fn event(self, at: Position, text: &'a str) -> Event<'a> {
        let mut event = Event::new(Class::HTTP_ACTIVITY, self.time, at);
        event.source.product = "webserver";
        event.source.channel = Cow::Borrowed("access");
        event.raw = Raw::Text(text);
        let (method, target, version) = request_parts(self.request);
        let path = match memchr2(b'?', b'#', target.as_bytes()) {
            Some(stop) => target.get(..stop).unwrap_or(target),
            None => target,
        };
        let mut fields = Vec::with_capacity(13);
        let mut push = |name: &'static str, value: &'a str| {
            fields.push(Field {
                name: Cow::Borrowed(name),
                value: Value::Str(Cow::Borrowed(value)),
            });
        };
        push("c-ip", self.client);
        push("cs-username", self.user);
        push("cs-method", method);
        push("cs-uri-stem", path);
        push("cs-uri-query", target);
        push("cs-version", version);
        push("sc-status", self.status);
        push("sc-bytes", self.bytes);
        push("cs(Referer)", self.referer.unwrap_or("-"));
        push("cs(User-Agent)", self.agent.unwrap_or("-"));
        if let Some(host) = self.virtual_host {
            push("cs-host", host);
        }
        if !self.rest.is_empty() {
            push("rest", self.rest);
        }
        event.fields = fields;
        for (column, index) in [
            (Column::Action, 2),
            (Column::Url, 4),
            (Column::Status, 6),
            (Column::UserAgent, 9),
        ] {
            event.columns.set_first(column, index);
        }
        if self.virtual_host.is_some() {
            event.columns.set_first(Column::DstHost, 10);
        }
        fill_address(&mut event, Column::SrcIp, None, 0);
        if event.columns.get(Column::SrcIp).is_none() {
            // `HostnameLookups On` writes names.
            event.columns.set_first(Column::Host, 0);
        }
        if self.user != "-" {
            fill_account(&mut event, Column::User, 1);
        }
        event
    }
}

/// Method, target and version of a request line; all of it as the target where it is none.
pub(super) fn request_parts(request: &str) -> (&str, &str, &str) {
    let is_method = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-')
    };
    match split_word(request) {
        Some((method, rest)) if is_method(method) => match rsplit_word(rest) {
            Some((target, version)) if version.starts_with("HTTP/") => (method, target, version),
            _ => (method, rest, "-"),
        },
        _ => ("-", request, "-"),
    }
}

/// What stands before and behind the first blank.
#[inline]
fn split_word(text: &str) -> Option<(&str, &str)> {
    let blank = memchr(b' ', text.as_bytes())?;
    Some((text.get(..blank)?, text.get(blank + 1..)?))
}

/// What stands before and behind the last blank.
#[inline]
fn rsplit_word(text: &str) -> Option<(&str, &str)> {
    let blank = memrchr(b' ', text.as_bytes())?;
    Some((text.get(..blank)?, text.get(blank + 1..)?))
}

fn word(text: &str) -> (&str, &str) {
    split_word(text).unwrap_or((text, ""))
}

/// The content of the quotes that `text` begins with, and what follows them. A quote after a backslash
/// does not end them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let content = text.strip_prefix('"')?;
    let bytes = content.as_bytes();
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((content.get(..at)?, content.get(at + 1..)?));
        }
        at += 2;
    }
}

fn optional_quoted(text: &str) -> (Option<&str>, &str) {
    match quoted(text) {
        Some((content, rest)) => (Some(content), rest),
        None => (None, text),
    }
}

/// `17/May/2015:10:05:03 +0000`.
pub(super) fn apache_time(text: &str) -> Option<Timestamp> {
    let (date_and_time, zone) = text.as_bytes().split_first_chunk::<20>()?;
    let [
        d1,
        d2,
        b'/',
        name @ ..,
        b'/',
        y1,
        y2,
        y3,
        y4,
        b':',
        h1,
        h2,
        b':',
        m1,
        m2,
        b':',
        s1,
        s2,
    ] = *date_and_time
    else {
        return None;
    };
    let (day, month, year) = (number(&[d1, d2])?, month(&name)?, number(&[y1, y2, y3, y4])?);
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    let offset = match zone {
        [b' ', sign @ (b'+' | b'-'), h1, h2, m1, m2, ..] => {
            let seconds = number(&[*h1, *h2])? * 3_600 + number(&[*m1, *m2])? * 60;
            if *sign == b'-' { -seconds } else { seconds }
        }
        [b' ', b'+' | b'-', ..] => return None,
        _ => 0,
    };
    let is_valid = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    is_valid.then(|| {
        let seconds =
            days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
        Timestamp::from_seconds(seconds)
    })
}

/// The number of a month from the first three letters of its English name.
pub(super) fn month(name: &[u8]) -> Option<i64> {
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
    ];
    let index = MONTHS.iter().position(|month| *month == name)?;
    i64::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn times_have_their_zone_and_what_is_cut_off_is_none() {
        let told = |text: &str| apache_time(text).map(|time| time.to_string());
        assert_eq!(
            told("17/May/2015:10:05:03 +0000").unwrap(),
            "2015-05-17T10:05:03Z"
        );
        assert_eq!(
            told("01/Jan/2024:00:30:00 +0130").unwrap(),
            "2023-12-31T23:00:00Z"
        );
        assert_eq!(
            told("31/Dec/2023:23:30:00 -0045").unwrap(),
            "2024-01-01T00:15:00Z"
        );
        assert_eq!(told("17/May/2015:10:05:03").unwrap(), "2015-05-17T10:05:03Z");
        for text in [
            "17/May/2015:10:05:0",
            "17/May/2015:10:05:03 +01",
            "17/May/2015:10:05:03 +0x00",
            "17/Mai/2015:10:05:03",
            "1x/May/2015:10:05:03",
            "17/May/2015:24:05:03",
            "17-May-2015:10:05:03",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
