//! PostgreSQL's log as plain text (`log_destination = stderr`), with pgaudit's lines in fields.
//!
//! What stands before the message, `log_line_prefix` decides. Understood are a time (`%m`, `%t`), then in any
//! order `[PID]`, `user@database`, an address with or without a port in brackets, and `user=`, `db=`, `app=`,
//! `client=`; the rest is in `prefix`. A message that goes on over lines is one event.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Event, Field, Position, Raw, Timestamp, Value};

use super::{add_database, pgaudit, postgres};
use crate::cloud::fill_columns;
use crate::text::lines::{self, Cutting};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// PostgreSQL's plain text log.
pub(crate) struct TextLog;

impl Format for TextLog {
    fn name(&self) -> &str {
        "postgres-log"
    }

    fn description(&self) -> &str {
        "PostgreSQL's log as plain text, with pgaudit's lines in fields"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = crate::textinput::decode_head(head);
        let lines = lines::first_lines(&text, 20);
        let begins = lines.first().is_some_and(|line| Entry::of(line).is_some());
        let fitting = lines
            .iter()
            .filter(|line| line.starts_with('\t') || Entry::of(line).is_some())
            .count();
        begins && fitting * 2 >= lines.len()
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(input, &mut WholeMessages, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let mut open: Option<(Position, String)> = None;
        lines::each_line(block, &|_| false, &mut |at, line| {
            if let (Some((_, text)), true) = (&mut open, !begins_entry(line)) {
                text.push('\n');
                text.push_str(line.strip_prefix('\t').unwrap_or(line));
                return;
            }
            let before = open.replace((at, line.to_owned()));
            hand_over(before, sink);
        });
        hand_over(open, sink);
    }
}

fn hand_over(entry: Option<(Position, String)>, sink: &mut dyn Sink) {
    let Some((at, text)) = entry else { return };
    match Entry::of(&text) {
        Some(entry) => sink.event(entry.event(at, &text)),
        None => sink.refuse_record(at, "not a line of PostgreSQL's log"),
    }
}

/// Whether a line begins a message: those that go on are indented, or begin without a time.
fn begins_entry(line: &str) -> bool {
    !line.starts_with('\t')
        && line.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && Entry::of(line).is_some()
}

/// Keeps the lines of one message in one block.
struct WholeMessages;

impl Cutting for WholeMessages {
    fn cut(&self, lines: &[u8]) -> usize {
        /// A message of more lines than this is cut where the block ends.
        const MOST_LINES: usize = 10_000;
        let mut end = lines.len();
        for _ in 0..MOST_LINES {
            let before = lines.get(..end.saturating_sub(1)).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
            if start == 0 {
                break;
            }
            let line = String::from_utf8_lossy(lines.get(start..end).unwrap_or_default());
            if begins_entry(&line) {
                return start;
            }
            end = start;
        }
        lines.len()
    }
}

/// The parts of a message with what stands before it.
struct Entry<'a> {
    time: Timestamp,
    prefix: &'a str,
    severity: &'a str,
    message: &'a str,
}

const SEVERITIES: [&str; 17] = [
    "LOG",
    "ERROR",
    "FATAL",
    "PANIC",
    "WARNING",
    "NOTICE",
    "INFO",
    "STATEMENT",
    "DETAIL",
    "HINT",
    "CONTEXT",
    "QUERY",
    "DEBUG1",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "DEBUG5",
];

impl<'a> Entry<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let head = text.get(..text.floor_char_boundary(400)).unwrap_or(text);
        let colon = head.find(":  ")?;
        let before = head.get(..colon)?;
        let (prefix, severity) = before.rsplit_once([' ', ':', ']', ',']).unwrap_or(("", before));
        if !SEVERITIES.contains(&severity) {
            return None;
        }
        let time = prefix.get(..prefix.floor_char_boundary(19))?;
        // The zone's name follows the clock, if anything does.
        let after = prefix.get(time.len()..).unwrap_or_default();
        let (fraction, rest) = after.split_once(' ').unwrap_or((after, ""));
        let zone = rest.split([' ', ',', '[']).next().unwrap_or_default();
        let is_zone = (3..=6).contains(&zone.len())
            && (zone.bytes().all(|byte| byte.is_ascii_uppercase()) || zone.starts_with(['+', '-']));
        let zone = if is_zone { zone } else { "UTC" };
        Some(Self {
            time: postgres::time(&format!("{time}{fraction} {zone}"))?,
            prefix: if is_zone {
                rest.get(zone.len()..).unwrap_or_default()
            } else {
                rest
            },
            severity,
            message: text.get(colon + 3..).unwrap_or_default(),
        })
    }

    fn event(self, at: Position, text: &'a str) -> Event<'a> {
        let mut event = Event::new(Class::BASE_EVENT, self.time, at);
        event.source.product = "postgresql";
        event.source.channel = Cow::Borrowed("stderr");
        event.raw = Raw::Text(text);
        let mut database = String::new();
        let mut push = |name: &'static str, value: &'a str| {
            if !value.is_empty() {
                event.fields.push(Field {
                    name: Cow::Borrowed(name),
                    value: Value::Str(Cow::Borrowed(value)),
                });
            }
        };
        push("prefix", self.prefix.trim());
        for word in self.prefix.split([' ', ',']).filter(|word| !word.is_empty()) {
            let bare = word.trim_matches(['[', ']', '(', ')', ':']);
            match bare.split_once('=') {
                Some(("user", user)) => push("user", user),
                Some(("db", name)) => name.clone_into(&mut database),
                Some(("app", program)) => push("application_name", program),
                Some(("client" | "host" | "remote", address)) => push("remote_host", address),
                Some(_) => {}
                None if bare.bytes().all(|byte| byte.is_ascii_digit()) => push("pid", bare),
                None => {
                    let address = bare.split('(').next().unwrap_or(bare);
                    if address.parse::<std::net::IpAddr>().is_ok() {
                        push("remote_host", address);
                    } else if let Some((user, name)) = bare.split_once('@') {
                        push("user", user);
                        name.clone_into(&mut database);
                    }
                }
            }
        }
        push("error_severity", self.severity);
        push("message", self.message);
        pgaudit::read(self.message, "", &mut event);
        add_database(&mut event, &database);
        fill_columns(&mut event, postgres::role);
        event
    }
}
