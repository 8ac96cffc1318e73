//! Linux audit log: the records of one event joined.
//!
//! One event is told by several records (`SYSCALL`, `EXECVE`, `CWD`, `PATH`, `PROCTITLE`) that share the
//! number in `msg=audit(1364481363.243:24287)`. They become one event; a field that several of them
//! have, `type` among them, is a list. Values in hexadecimal are decoded where the kernel writes them so.
//! `SYSCALL` has the call's name also where the log is not enriched (x86-64). Arguments of `EXECVE` are
//! joined in `CommandLine`.
//!
//! `Source::event_id` is 1309 for an event that has an `EXECVE`, 1300 for other system calls.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Position, Raw, Timestamp, Value};
use memchr::memmem;

use super::lines::{self, Cutting};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Linux audit log.
pub(crate) struct AuditLog;

impl Format for AuditLog {
    fn name(&self) -> &str {
        "auditd"
    }

    fn description(&self) -> &str {
        "Linux audit log, records of one event joined"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        lines::at_least_half(head, |line| Record::of(line).is_some())
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(input, &mut WholeEvents, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let mut open: Option<Joined> = None;
        lines::each_line(block, &|_| false, &mut |at, line| {
            let Some(record) = Record::of(line) else {
                return sink.refuse_record(at, "not a record of the audit log");
            };
            let goes_on = open
                .as_ref()
                .is_some_and(|joined| joined.id == record.id && joined.records < MAX_RECORDS);
            if !goes_on && let Some(joined) = open.take() {
                joined.hand_over(sink);
            }
            let joined = open.get_or_insert_with(|| Joined::new(at, &record));
            joined.add(&record, line);
        });
        if let Some(joined) = open {
            joined.hand_over(sink);
        }
    }
}

/// The kernel writes a few records for one event, and one more for each path.
const MAX_RECORDS: usize = 256;

/// Keeps the records of one event in one block.
struct WholeEvents;

impl Cutting for WholeEvents {
    fn cut(&self, lines: &[u8]) -> usize {
        let id_of = |line: &[u8]| {
            std::str::from_utf8(line)
                .ok()
                .and_then(Record::of)
                .map(|record| record.id.to_owned())
        };
        let mut end = lines.len();
        let mut last = None;
        for _ in 0..MAX_RECORDS {
            let before = lines.get(..end.saturating_sub(1)).unwrap_or_default();
            let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
            let id = id_of(lines.get(start..end).unwrap_or_default().trim_ascii_end());
            match &last {
                None => last = Some(id),
                Some(last) if *last != id => return end,
                Some(_) => {}
            }
            if start == 0 {
                break;
            }
            end = start;
        }
        lines.len()
    }
}

/// A line of the log.
struct Record<'l> {
    node: Option<&'l str>,
    kind: &'l str,
    id: &'l str,
    time: Timestamp,
    rest: &'l str,
}

impl<'l> Record<'l> {
    fn of(line: &'l str) -> Option<Self> {
        let (node, line) = match line.strip_prefix("node=") {
            Some(rest) => rest.split_once(' ').map(|(node, rest)| (Some(node), rest))?,
            None => (None, line),
        };
        let (kind, rest) = line.strip_prefix("type=")?.split_once(' ')?;
        let start = memmem::find(rest.as_bytes(), b"audit(")? + "audit(".len();
        let after = rest.get(start..)?;
        let (id, rest) = after.split_once(')')?;
        let (seconds, _) = id.split_once(':')?;
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
        let millis: i64 = fraction.get(..3).unwrap_or(fraction).parse().ok()?;
        let micros = whole
            .parse::<i64>()
            .ok()?
            .checked_mul(1_000_000)?
            .checked_add(millis * 1_000)?;
        Some(Self {
            node,
            kind,
            id,
            time: Timestamp::from_micros(micros),
            rest: rest.trim_start_matches([':', ' ']),
        })
    }
}

/// An event while its records come in.
struct Joined {
    id: String,
    at: Position,
    time: Timestamp,
    records: usize,
    text: String,
    fields: Vec<Field<'static>>,
    arguments: Vec<(usize, String)>,
}

impl Joined {
    fn new(at: Position, record: &Record<'_>) -> Self {
        Self {
            id: record.id.to_owned(),
            at,
            time: record.time,
            records: 0,
            text: String::new(),
            fields: Vec::with_capacity(40),
            arguments: Vec::new(),
        }
    }

    fn add(&mut self, record: &Record<'_>, line: &str) {
        self.records += 1;
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        if let (Some(node), 1) = (record.node, self.records) {
            self.push("node", Value::from(node.to_owned()));
        }
        self.push("type", Value::from(record.kind.to_owned()));
        // What a program sends is in quotes of its own: msg='op=login acct="anna" …'.
        let (enriched_from, plain) = match record.rest.split_once('\u{1d}') {
            Some((plain, enriched)) => (enriched, plain),
            None => ("", record.rest),
        };
        for text in [plain, enriched_from] {
            let mut rest = text;
            while let Some(found) = member(rest) {
                rest = found.after;
                if found.name != "msg" || !found.value.contains('=') {
                    self.member(record.kind, &found);
                    continue;
                }
                let mut inner = found.value;
                while let Some(found) = member(inner) {
                    inner = found.after;
                    self.member(record.kind, &found);
                }
            }
        }
    }

    fn member(&mut self, kind: &str, member: &Member<'_>) {
        let Member {
            name,
            value,
            is_quoted,
            ..
        } = *member;
        let is_argument = kind == "EXECVE"
            && name
                .strip_prefix('a')
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        let may_be_hexadecimal = is_argument
            || matches!(
                name,
                "proctitle" | "name" | "cwd" | "exe" | "comm" | "cmd" | "data" | "acct"
            );
        let decoded = match is_quoted || !may_be_hexadecimal {
            true => None,
            false => from_hexadecimal(value),
        };
        let text = decoded.unwrap_or_else(|| value.to_owned());
        if is_argument && let Some(number) = name.get(1..).and_then(|number| number.parse().ok()) {
            self.arguments.push((number, text.clone()));
        }
        if name == "syscall"
            && !self.fields.iter().any(|field| field.name == "SYSCALL")
            && let Some(call) = call_name(value)
        {
            self.push("SYSCALL", Value::from(call.to_owned()));
        }
        self.push(name, Value::from(text));
    }

    fn push(&mut self, name: &str, value: Value<'static>) {
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(field) if field.value == value => {}
            Some(field) => match &mut field.value {
                Value::List(values) if values.contains(&value) => {}
                Value::List(values) => values.push(value),
                single => {
                    let first = std::mem::replace(single, Value::Null);
                    *single = Value::List(vec![first, value]);
                }
            },
            None => self.fields.push(Field {
                name: Cow::Owned(name.to_owned()),
                value,
            }),
        }
    }

    fn hand_over(mut self, sink: &mut dyn Sink) {
        let has = |fields: &[Field<'_>], kind: &str| {
            fields.iter().any(|field| {
                let mut found = false;
                field.value.each_str(&mut |text| found |= text == kind);
                field.name == "type" && found
            })
        };
        let runs_program = has(&self.fields, "EXECVE");
        if !self.arguments.is_empty() {
            self.arguments.sort_by_key(|(number, _)| *number);
            let words: Vec<&str> = self.arguments.iter().map(|(_, text)| text.as_str()).collect();
            let line = words.join(" ");
            self.push("CommandLine", Value::from(line));
        }
        let is_sign_in = ["USER_LOGIN", "USER_AUTH", "CRED_ACQ", "USER_START"]
            .iter()
            .any(|kind| has(&self.fields, kind));
        let class = match (runs_program, is_sign_in) {
            (true, _) => Class::PROCESS_ACTIVITY,
            (_, true) => Class::AUTHENTICATION,
            _ if has(&self.fields, "ADD_USER") || has(&self.fields, "DEL_USER") => Class::ACCOUNT_CHANGE,
            _ if has(&self.fields, "PATH") => Class::FILE_ACTIVITY,
            _ => Class::BASE_EVENT,
        };
        let mut event = Event::new(class, self.time, self.at);
        event.source.product = "linux";
        event.source.channel = Cow::Borrowed("auditd");
        event.source.event_id = if runs_program { 1309 } else { 1300 };
        event.fields = self.fields;
        event.raw = Raw::Text(&self.text);
        crate::cloud::fill_columns(&mut event, role);
        sink.event(event);
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "node" => (Column::Host, 0),
        "acct" => (Column::User, 0),
        "AUID" => (Column::User, 1),
        "UID" => (Column::User, 2),
        "auid" => (Column::User, 3),
        "addr" => (Column::SrcIp, 0),
        "exe" => (Column::Process, 0),
        "pid" => (Column::Pid, 0),
        "CommandLine" => (Column::CommandLine, 0),
        "proctitle" => (Column::CommandLine, 1),
        "name" => (Column::File, 0),
        "ses" => (Column::Session, 0),
        "SYSCALL" => (Column::Action, 0),
        "op" => (Column::Action, 1),
        "success" => (Column::Status, 0),
        "res" => (Column::Status, 1),
        _ => return None,
    })
}

/// A `name=value` and what follows it.
struct Member<'t> {
    name: &'t str,
    value: &'t str,
    is_quoted: bool,
    after: &'t str,
}

/// The first `name=value` of `text`. Values may be in quotes of either kind.
fn member(text: &str) -> Option<Member<'_>> {
    let text = text.trim_start_matches([' ', ',']);
    let (name, rest) = text.split_once('=')?;
    let name = name.rsplit(' ').next().unwrap_or(name);
    for quote in ['"', '\''] {
        if let Some(inner) = rest.strip_prefix(quote) {
            let (value, after) = inner.split_once(quote).unwrap_or((inner, ""));
            return Some(Member {
                name,
                value,
                is_quoted: true,
                after,
            });
        }
    }
    let end = rest.find(' ').unwrap_or(rest.len());
    let (value, after) = rest.split_at_checked(end)?;
    Some(Member {
        name,
        value,
        is_quoted: false,
        after,
    })
}

/// Text that the kernel wrote in hexadecimal because it holds blanks or quotes. Zero bytes, which
/// separate arguments, become blanks.
fn from_hexadecimal(text: &str) -> Option<String> {
    let is_hexadecimal = text.len() >= 4
        && text.len().is_multiple_of(2)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    if !is_hexadecimal {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    let bytes: Vec<u8> = text
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => match digit(*high) << 4 | digit(*low) {
                0 => b' ',
                byte => byte,
            },
            _ => b' ',
        })
        .collect();
    String::from_utf8(bytes).ok()
}

/// The name of a system call of x86-64 that rules ask for (arch/x86/entry/syscalls/syscall_64.tbl).
fn call_name(number: &str) -> Option<&'static str> {
    Some(match number {
        "2" => "open",
        "41" => "socket",
        "42" => "connect",
        "49" => "bind",
        "59" => "execve",
        "62" => "kill",
        "76" => "truncate",
        "82" => "rename",
        "85" => "creat",
        "87" => "unlink",
        "90" => "chmod",
        "91" => "fchmod",
        "92" => "chown",
        "99" => "sysinfo",
        "101" => "ptrace",
        "103" => "syslog",
        "105" => "setuid",
        "133" => "mknod",
        "135" => "personality",
        "165" => "mount",
        "175" => "init_module",
        "176" => "delete_module",
        "257" => "openat",
        "259" => "mknodat",
        "263" => "unlinkat",
        "268" => "fchmodat",
        "313" => "finit_module",
        "319" => "memfd_create",
        "321" => "bpf",
        "322" => "execveat",
        _ => return None,
    })
}
