//! What the messages of some programs say.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Field, Value};

use super::firewall;
use crate::cloud::{fill_account, fill_address};
use crate::database::pgaudit;
use crate::text::combined::apache_time;

/// Adds what `message` of `program` says to `event`: fields, class, columns.
pub(super) fn read<'a>(program: &'a str, message: &'a str, event: &mut Event<'a>) {
    match program {
        "sshd" | "sshd-session" => sshd(message, event),
        "sudo" => sudo(message, event),
        "postfix" => postfix(message, event),
        "dovecot" => dovecot(message, event),
        "haproxy" => haproxy(message, event),
        "kernel" => firewall::netfilter(message, event),
        "filterlog" => firewall::filterlog(message, event),
        cisco if cisco.starts_with("%ASA-") || cisco.starts_with("%FTD-") => {
            firewall::asa(cisco, message, event)
        }
        "smbd_audit" => samba(message, event),
        "postgres" => postgres(message, event),
        _ => {}
    }
}

pub(super) fn push<'a>(event: &mut Event<'a>, name: &'a str, value: &'a str) -> usize {
    event.fields.push(Field {
        name: Cow::Borrowed(name),
        value: Value::Str(Cow::Borrowed(value)),
    });
    event.fields.len() - 1
}

pub(super) fn push_to<'a>(event: &mut Event<'a>, column: Column, name: &'a str, value: &'a str) {
    let index = push(event, name, value);
    match column {
        Column::SrcIp | Column::DstIp => fill_address(event, column, None, index),
        Column::User | Column::TargetUser => fill_account(event, column, index),
        column => event.columns.set_first(column, index),
    }
}

/// `Failed password for invalid user anna from 192.0.2.7 port 4711 ssh2` and its like.
fn sshd<'a>(message: &'a str, event: &mut Event<'a>) {
    let begins = |start: &str| message.starts_with(start);
    let status = if begins("Accepted ") {
        "success"
    } else if begins("Failed ") || begins("Invalid user ") || begins("Connection closed by invalid user ") {
        "failure"
    } else {
        return;
    };
    event.class = Class::AUTHENTICATION;
    push_to(
        event,
        Column::Action,
        "action",
        message.split(' ').next().unwrap_or_default(),
    );
    push_to(event, Column::Status, "status", status);
    let (before, after) = match message.rsplit_once(" from ") {
        Some(parts) => parts,
        None => (message, ""),
    };
    if let Some((how, user)) = before.split_once(" for ") {
        push(event, "method", how.split(' ').nth(1).unwrap_or_default());
        push_to(
            event,
            Column::User,
            "user",
            user.trim_start_matches("invalid user "),
        );
    } else if let Some((_, user)) = before.split_once("nvalid user ") {
        push_to(event, Column::User, "user", user);
    }
    let mut words = after.split(' ');
    if let Some(address) = words.next().filter(|address| !address.is_empty()) {
        push_to(event, Column::SrcIp, "src_ip", address);
    }
    if let (Some("port"), Some(port)) = (words.next(), words.next()) {
        push_to(event, Column::SrcPort, "src_port", port);
    }
}

/// `anna : TTY=pts/0 ; PWD=/home/anna ; USER=root ; COMMAND=/bin/ls -l`.
fn sudo<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some((user, rest)) = message.split_once(" : ") else {
        return;
    };
    push_to(event, Column::User, "user", user.trim());
    let mut rest = rest;
    while let Some((name, after)) = rest.split_once('=') {
        // A command may hold anything, and comes last.
        let name = name.rsplit(' ').next().unwrap_or(name);
        let (value, following) = match name {
            "COMMAND" => (after, ""),
            _ => after.split_once(" ; ").unwrap_or((after, "")),
        };
        match name {
            "COMMAND" => {
                event.class = Class::PROCESS_ACTIVITY;
                push_to(event, Column::CommandLine, name, value);
            }
            "USER" => push_to(event, Column::TargetUser, name, value),
            _ => drop(push(event, name, value)),
        }
        rest = following;
    }
}

/// `4F9D: from=<a@x.example>, size=1`, `4F9D: to=<b@y.example>, relay=…, status=sent (…)`,
/// `4F9D: client=host[192.0.2.7]`, `warning: host[192.0.2.7]: SASL LOGIN authentication failed: …`.
fn postfix<'a>(message: &'a str, event: &mut Event<'a>) {
    if let Some((before, _)) = message.split_once("]: SASL ") {
        event.class = Class::AUTHENTICATION;
        push_to(event, Column::Status, "status", "failure");
        if let Some((_, address)) = before.rsplit_once('[') {
            push_to(event, Column::SrcIp, "client_ip", address);
        }
        if let Some((_, user)) = message.rsplit_once("sasl_username=") {
            push_to(event, Column::User, "sasl_username", user);
        }
        return;
    }
    let Some((queue_id, rest)) = message.split_once(": ") else {
        return;
    };
    let is_queue_id = queue_id == "NOQUEUE"
        || queue_id.len() >= 6 && queue_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_queue_id {
        return;
    }
    event.class = Class::EMAIL_ACTIVITY;
    push(event, "queue_id", queue_id);
    for part in rest.split(", ").take(MOST_MEMBERS) {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        let name = name.rsplit(' ').next().unwrap_or(name);
        let bare = value.trim_matches(['<', '>']);
        match name {
            "from" => push_to(event, Column::MailFrom, name, bare),
            "to" => push_to(event, Column::MailTo, name, bare),
            "message-id" => push_to(event, Column::MessageId, name, bare),
            "sasl_username" => push_to(event, Column::User, name, bare),
            "status" => {
                let word = value.split(' ').next().unwrap_or(value);
                push_to(event, Column::Status, name, word);
            }
            "client" => {
                push(event, name, value);
                if let Some((_, address)) = value.rsplit_once('[') {
                    push_to(event, Column::SrcIp, "client_ip", address.trim_end_matches(']'));
                }
            }
            _ => drop(push(event, name, value)),
        }
    }
}

/// `imap-login: Login: user=<anna>, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS, session=<x>`;
/// a failure says `(auth failed, 1 attempts in 2 secs)` before the members.
fn dovecot<'a>(message: &'a str, event: &mut Event<'a>) {
    if !message.contains("-login: ") {
        return;
    }
    let failed = message.contains("auth failed");
    if !failed && !message.contains("Login: ") {
        return;
    }
    event.class = Class::AUTHENTICATION;
    push_to(
        event,
        Column::Status,
        "status",
        if failed { "failure" } else { "success" },
    );
    for part in message.split(", ").take(MOST_MEMBERS) {
        let Some((name, value)) = part.split_once('=') else {
            continue;
        };
        let name = name.rsplit(' ').next().unwrap_or(name);
        let bare = value.trim_matches(['<', '>']);
        match name {
            "user" => push_to(event, Column::User, name, bare),
            "rip" => push_to(event, Column::SrcIp, name, bare),
            "lip" => push_to(event, Column::DstIp, name, bare),
            "session" => push_to(event, Column::Session, name, bare),
            "method" => push_to(event, Column::Action, name, bare),
            _ => drop(push(event, name, bare)),
        }
    }
}

/// No message of a mail server has more.
const MOST_MEMBERS: usize = 64;

/// PostgreSQL's own number for the line stands before what it writes to its log: `[5-1] … LOG:  AUDIT: …`.
fn postgres(message: &str, event: &mut Event<'_>) {
    let start = ["AUDIT: ", "received replication command: "]
        .iter()
        .find_map(|mark| message.find(mark));
    if let Some(told) = start.and_then(|start| message.get(start..)) {
        event.source.product = "postgresql";
        pgaudit::read(told, "", event);
    }
    for word in message.split([' ', ',', '[', ']']).take(MOST_MEMBERS) {
        match word.split_once('=') {
            Some(("user", user)) => push_owned(event, Column::User, "user", user),
            Some(("db", name)) => event.fields.push(Field::new("database.name", name.to_owned())),
            Some(("app", program)) => push_owned(event, Column::UserAgent, "application_name", program),
            Some(("client", address)) => push_owned(event, Column::SrcIp, "remote_host", address),
            _ => {}
        }
    }
}

fn push_owned(event: &mut Event<'_>, column: Column, name: &'static str, value: &str) {
    event.fields.push(Field::new(name, value.to_owned()));
    let index = event.fields.len() - 1;
    match column {
        Column::SrcIp => fill_address(event, column, None, index),
        Column::User => fill_account(event, column, index),
        column => event.columns.set_first(column, index),
    }
}

/// `anna|192.0.2.7|registers|openat|ok|r|roll/2026.csv`: what `full_audit:prefix` says, then operation, result and
/// arguments, the last of them the file. The prefix is the administrator's: its first part is taken for the user, an
/// address for the client, its last for the share.
fn samba<'a>(message: &'a str, event: &mut Event<'a>) {
    const OPERATIONS: [&str; 24] = [
        "connect",
        "disconnect",
        "open",
        "openat",
        "create_file",
        "close",
        "read",
        "pread",
        "pread_send",
        "pread_recv",
        "write",
        "pwrite",
        "pwrite_send",
        "pwrite_recv",
        "rename",
        "renameat",
        "unlink",
        "unlinkat",
        "mkdir",
        "mkdirat",
        "rmdir",
        "sendfile",
        "offload_read_send",
        "offload_write_send",
    ];
    let parts: Vec<&str> = message.split('|').take(MOST_MEMBERS).collect();
    let operation = parts
        .iter()
        .enumerate()
        .position(|(index, part)| index > 0 && OPERATIONS.contains(part));
    let Some(at) = operation else { return };
    let (prefix, rest) = parts.split_at(at);
    event.class = Class::FILE_ACTIVITY;
    event.source.product = "samba";
    let mut rest = rest.iter();
    if let Some(operation) = rest.next() {
        push_to(event, Column::Action, "operation", operation);
    }
    if let Some(result) = rest.next() {
        push_to(event, Column::Status, "result", result);
    }
    let arguments = rest.as_slice();
    if let Some(flags) = arguments.first().filter(|_| arguments.len() > 1) {
        push(event, "mode", flags);
    }
    if let Some(file) = arguments.last() {
        push_to(event, Column::File, "file", file);
    }
    if let Some(user) = prefix.first() {
        push_to(event, Column::User, "user", user);
    }
    let address = prefix
        .iter()
        .find(|part| part.parse::<std::net::IpAddr>().is_ok());
    if let Some(address) = address {
        push_to(event, Column::SrcIp, "client", address);
    }
    if let Some(share) = prefix
        .last()
        .filter(|share| prefix.len() > 1 && Some(*share) != address)
    {
        push(event, "share", share);
    }
}

/// `192.0.2.7:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0
/// 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"`.
fn haproxy<'a>(message: &'a str, event: &mut Event<'a>) {
    let parts = || {
        let (client, rest) = message.split_once(" [")?;
        let (time, rest) = rest.split_once("] ")?;
        let time = apache_time(time)?;
        let (before, request) = rest.split_once('"')?;
        Some((client, time, before, request.trim_end_matches('"')))
    };
    let Some((client, time, before, request)) = parts() else {
        return;
    };
    event.class = Class::HTTP_ACTIVITY;
    event.time = time;
    event.source.product = "webserver";
    push_to(
        event,
        Column::SrcIp,
        "c-ip",
        client.rsplit_once(':').map_or(client, |(address, _)| address),
    );
    let mut words = before.split(' ');
    push(event, "frontend", words.next().unwrap_or_default());
    push(event, "backend", words.next().unwrap_or_default());
    let timers = words.next().unwrap_or_default();
    push(event, "timers", timers);
    push_to(
        event,
        Column::Status,
        "sc-status",
        words.next().unwrap_or_default(),
    );
    push(event, "sc-bytes", words.next().unwrap_or_default());
    // After two captured cookies: who ended the session, and in which phase.
    push(event, "x-termination-state", words.nth(2).unwrap_or_default());
    let total = timers.rsplit('/').next().unwrap_or_default();
    push(event, "time-taken", total.trim_start_matches('+'));
    let (method, rest) = request.split_once(' ').unwrap_or(("-", request));
    let (target, version) = rest.rsplit_once(' ').unwrap_or((rest, "-"));
    push_to(event, Column::Action, "cs-method", method);
    push(
        event,
        "cs-uri-stem",
        target.split(['?', '#']).next().unwrap_or(target),
    );
    push_to(event, Column::Url, "cs-uri-query", target);
    push(event, "cs-version", version);
}
