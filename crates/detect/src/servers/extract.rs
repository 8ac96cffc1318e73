//! What a record says about a server.

use std::borrow::Cow;
use std::net::IpAddr;

use blackrod_model::{Class, Column, Event, EvidenceId, ServerAct, ServerActKind as Kind, Value};

use super::attacks::{self, Memory, Request};
use super::pages;
use crate::clip;

/// Longest [`ServerAct::what`] and [`ServerAct::detail`].
const MAX_WHAT: usize = 300;
const MAX_DETAIL: usize = 400;

/// What `event` tells of a server; `None` where it is nothing that stands out. `memory` is kept from event to event.
pub fn act(evidence: EvidenceId, event: &Event<'_>, memory: &mut Memory) -> Option<ServerAct> {
    let seen = match event.class {
        Class::HTTP_ACTIVITY => request(event, memory),
        Class::PROCESS_ACTIVITY => program(event),
        Class::FILE_ACTIVITY => file(event),
        Class::ENTITY_MANAGEMENT => command(event),
        _ if event.source.channel == "ecp" => control_panel(event),
        _ if event.source.provider.starts_with("MSExchange") => command(event),
        _ => None,
    }?;
    let address = |column| event.column_text(column).and_then(|text| text.parse().ok());
    let is_web = event.class == Class::HTTP_ACTIVITY;
    Some(ServerAct {
        evidence,
        at: event.at,
        time: event.time,
        class: event.class.0,
        host: event.column_text(Column::Host).unwrap_or_default().to_lowercase(),
        address: if is_web { address(Column::DstIp) } else { None },
        client: address(Column::SrcIp).filter(|ip: &IpAddr| !ip.is_loopback()),
        user: event.column_text(Column::User).unwrap_or_default().to_lowercase(),
        kind: seen.kind,
        what: clip(&seen.what, MAX_WHAT).to_owned(),
        detail: clip(&seen.detail, MAX_DETAIL).to_owned(),
        status: seen.status,
        sent_unled: seen.sent_unled,
    })
}

struct Seen {
    kind: Kind,
    what: String,
    detail: String,
    status: u16,
    sent_unled: bool,
}

impl Seen {
    fn new(kind: Kind, what: impl Into<String>, detail: impl Into<String>) -> Option<Self> {
        Some(Self {
            kind,
            what: what.into(),
            detail: detail.into(),
            status: 0,
            sent_unled: false,
        })
    }
}

/// The text of the first of these fields that is there; empty for none and for `-`.
fn field<'e>(event: &'e Event<'_>, names: &[&str]) -> &'e str {
    let found = names.iter().find_map(|name| event.get(name)?.as_str());
    found.filter(|text| *text != "-").unwrap_or_default()
}

fn request(event: &Event<'_>, memory: &mut Memory) -> Option<Seen> {
    let url = event.column(Column::Url).and_then(Value::as_str)?;
    let text = |column| event.column(column).and_then(Value::as_str).unwrap_or_default();
    let mut asked = Request {
        method: text(Column::Action),
        agent: text(Column::UserAgent),
        ..Request::default()
    };
    let mut stem = "";
    for field in &event.fields {
        let part = match field.name.as_ref() {
            "cs-uri-stem" | "UrlStem" => &mut stem,
            "cs-uri-query" | "UrlQuery" => &mut asked.query,
            "AnchorMailbox" | "RoutingHint" => &mut asked.anchor,
            "cs(Cookie)" | "BackEndCookie" => &mut asked.cookie,
            "cs(Referer)" => &mut asked.referer,
            _ => continue,
        };
        let text = field.value.as_str().filter(|text| *text != "-");
        if let Some(text) = text.filter(|_| part.is_empty()) {
            *part = text;
        }
    }
    // W3C logs write path and query apart, and what is coded in the path in clear; other logs write both in one.
    asked.path = match memchr::memchr(b'?', url.as_bytes()) {
        Some(end) if url != stem => url.get(..end).unwrap_or(url),
        _ => url,
    };
    let query = if asked.query.is_empty() && url != stem {
        url
    } else {
        asked.query
    };
    asked.query = match query.strip_prefix(asked.path) {
        Some("") => "",
        Some(rest) => rest.strip_prefix('?').unwrap_or(query),
        None => query,
    };
    let page = if stem.is_empty() { asked.path } else { stem };
    let status = || -> u16 {
        let text = event.column_text(Column::Status).unwrap_or_default();
        text.trim().parse().unwrap_or_default()
    };
    let shown = |status: u16| {
        let query = if asked.query.is_empty() { "" } else { "?" };
        let anchor = if asked.anchor.is_empty() { "" } else { ", mailbox " };
        format!(
            "{} {}{query}{}{anchor}{}, answered {status}",
            asked.method,
            clip(asked.path, 120),
            clip(asked.query, 120),
            clip(asked.anchor, 120)
        )
    };
    if let Some(attack) = attacks::attack(&asked, memory) {
        let status = status();
        let kind = match attack.worked.contains(&status) {
            true => Kind::AttackAnswered,
            false => Kind::AttackTried,
        };
        return Some(Seen {
            status,
            ..Seen::new(kind, &attack.id, shown(status))?
        });
    }
    if !pages::is_odd(page) {
        return None;
    }
    let status = status();
    let is_answered = (200..300).contains(&status) || status == 500;
    let is_sent = matches!(asked.method, "POST" | "PUT" | "post" | "put");
    is_answered.then_some(())?;
    Some(Seen {
        status,
        sent_unled: is_sent && asked.referer.is_empty(),
        ..Seen::new(Kind::OddPageAsked, page.to_ascii_lowercase(), shown(status))?
    })
}

/// A program that a web server started.
fn program(event: &Event<'_>) -> Option<Seen> {
    let parent = event.column(Column::Parent).and_then(Value::as_str)?;
    if !pages::is_web_server(parent) {
        return None;
    }
    let image = event.column(Column::Process).and_then(Value::as_str)?;
    let line = event.column_text(Column::CommandLine).unwrap_or_default();
    let name = pages::file_name(image).to_ascii_lowercase();
    if !pages::is_interpreter(&name) {
        return None;
    }
    let shown = if line.is_empty() {
        Cow::Borrowed(image)
    } else {
        line
    };
    Seen::new(Kind::ProgramStarted, name, shown)
}

/// A file that appeared in a folder that is served.
fn file(event: &Event<'_>) -> Option<Seen> {
    let path = event.column(Column::File).and_then(Value::as_str)?;
    if !pages::is_served(path) {
        return None;
    }
    let by = event
        .column(Column::Process)
        .and_then(Value::as_str)
        .unwrap_or_default();
    if pages::is_installer(by) {
        return None;
    }
    let detail = format!(
        "{path}, by {}",
        if by.is_empty() { "an unnamed program" } else { by }
    );
    let lower = path.to_ascii_lowercase();
    if pages::is_page(&lower) {
        return Seen::new(Kind::PageWritten, lower, detail);
    }
    let is_data = [".pst", ".zip", ".7z", ".rar", ".dmp", ".dit"]
        .iter()
        .any(|end| lower.ends_with(end));
    if is_data {
        return Seen::new(Kind::DataPlaced, lower, detail);
    }
    None
}

/// What the commands begin with that are looked for.
const COMMANDS: [&str; 4] = [
    "remove-mailboxexportrequest",
    "new-mailboxexportrequest",
    "new-managementroleassignment",
    "set-",
];

/// A command of Exchange's management shell, from its own log or from Windows'.
fn command(event: &Event<'_>) -> Option<Seen> {
    let mut text = String::new();
    for field in &event.fields {
        field.value.each_str(&mut |part: &str| {
            if text.len() < 4_096 {
                text.push_str(part);
                text.push(' ');
            }
        });
    }
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // What Windows says of the record itself stands before the command.
    let begin = COMMANDS.iter().filter_map(|name| lower.find(name)).min();
    let detail = text
        .get(begin.unwrap_or_default()..)
        .unwrap_or(&text)
        .trim()
        .to_owned();
    if has(&["remove-mailboxexportrequest"]) {
        return Seen::new(Kind::TracesRemoved, "remove-mailboxexportrequest", detail);
    }
    if has(&["new-mailboxexportrequest"]) {
        return Seen::new(Kind::MailboxExported, "new-mailboxexportrequest", detail);
    }
    if has(&["new-managementroleassignment"])
        && has(&[
            "mailbox import export",
            "applicationimpersonation",
            "mailbox search",
        ])
    {
        return Seen::new(Kind::RightGiven, "new-managementroleassignment", detail);
    }
    if has(&["virtualdirectory"]) && has(&["set-"]) && holds_script(&lower) {
        return Seen::new(Kind::DirectoryWithScript, "set-virtualdirectory", detail);
    }
    None
}

/// A line of the control panel's log: what was sent to set a virtual directory (CVE-2021-27065).
fn control_panel(event: &Event<'_>) -> Option<Seen> {
    let data = field(event, &["EventData", "GenericInfo"]);
    let lower = data.to_ascii_lowercase();
    let sets = lower.contains("set-") && lower.contains("virtualdirectory") && lower.contains("url");
    if !(sets && holds_script(&lower)) {
        return None;
    }
    Seen::new(Kind::DirectoryWithScript, "set-virtualdirectory", data)
}

fn holds_script(lower: &str) -> bool {
    ["<script", "%3cscript", "<%"]
        .iter()
        .any(|word| lower.contains(word))
}
