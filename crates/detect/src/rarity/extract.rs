//! A record → [`ProcessFacts`].

mod memo;

use std::borrow::Cow;

use blackrod_model::process::{Act, ProcessFacts, Traits};
use blackrod_model::{Class, Column, Event, EvidenceId};

use super::shape::{Shape, place_of, stem};
use super::table::Table;
use memo::Memo;

/// The longest readable command that is kept, in bytes.
const MAX_COMMAND: usize = 600;

/// The longest script that is looked at, in bytes.
const MAX_SCRIPT: usize = 8 * 1024;

/// Takes records apart. What it remembers makes it faster and changes nothing.
#[derive(Clone, Debug)]
pub struct Extractor<'t> {
    table: &'t Table,
    memo: Memo,
}

impl<'t> Extractor<'t> {
    /// With the programs of `table` known.
    pub fn new(table: &'t Table) -> Self {
        Self {
            table,
            memo: Memo::default(),
        }
    }

    /// What `event` tells of a process, a script, a logon or a way to another machine; `None` for other records.
    pub fn facts(&mut self, evidence: EvidenceId, event: &Event<'_>) -> Option<ProcessFacts> {
        let act = act_of(event)?;
        let mut facts = ProcessFacts {
            evidence,
            at: event.at,
            time: event.time,
            act,
            class: event.class.0,
            host: host_name(&text_of(event, Column::Host)),
            user: account_name(&text_of(event, Column::User)),
            session: session_of(event),
            ..ProcessFacts::default()
        };
        match act {
            Act::Start => self.start(event, &mut facts)?,
            Act::Script => self.script(event, &mut facts)?,
            Act::Service | Act::Task => self.installed(event, &mut facts),
            Act::Logon => logon(event, &mut facts)?,
            Act::ExplicitLogon => {
                facts.other_user = account_name(&text_of(event, Column::TargetUser));
                facts.peer = host_name(&field(event, &["TargetServerName"]));
                facts.image = file_name(&text_of(event, Column::Process));
            }
            Act::Share => {
                facts.peer = host_name(&text_of(event, Column::SrcIp));
                facts.command = bounded(&field(event, &["ShareName"]).to_lowercase(), 200);
            }
            Act::LogCleared => {
                facts.command = bounded(&field(event, &["Channel", "BackupPath"]).to_lowercase(), 200)
            }
        }
        Some(facts)
    }

    /// The facts of a command line alone: for measuring, and for logs that have nothing else.
    pub fn command(&mut self, image: &str, parent: &str, command: &str) -> ProcessFacts {
        let mut facts = ProcessFacts {
            class: Class::PROCESS_ACTIVITY.0,
            parent: file_name(parent),
            ..ProcessFacts::default()
        };
        self.read_command(image, command, &mut facts);
        facts
    }

    fn start(&mut self, event: &Event<'_>, facts: &mut ProcessFacts) -> Option<()> {
        let image = text_of(event, Column::Process);
        let image = if image.is_empty() {
            field(event, &["NewProcessName", "Image", "exe"])
        } else {
            image
        };
        let command = text_of(event, Column::CommandLine);
        if image.is_empty() && command.is_empty() {
            return None;
        }
        self.read_command(&image, &command, facts);
        let original = field(event, &["OriginalFileName"]).to_lowercase();
        if !matches!(original.as_str(), "" | "-" | "?") && stem(&original) != stem(&facts.image) {
            let stem_of_original = stem(&original).trim_end_matches(".dll").to_owned();
            // Many programs were simply built under another name; those that can be abused are not among them.
            if self
                .table
                .class_of(&stem_of_original)
                .is_some_and(|class| class.prior > -0.5)
            {
                facts.traits.add(Traits::RENAMED);
                facts.programs.push(stem_of_original);
            }
            facts.original = bounded(&original, 64);
        }
        facts.signer = bounded(&field(event, &["Signature", "Company"]).to_lowercase(), 64);
        facts.parent = file_name(&text_of(event, Column::Parent));
        Some(())
    }

    /// PowerShell's script blocks: the names of cmdlets and types stand for the shape.
    fn script(&self, event: &Event<'_>, facts: &mut ProcessFacts) -> Option<()> {
        let text = field(event, &["ScriptBlockText", "Payload"]);
        if text.trim().is_empty() {
            return None;
        }
        let shape = Shape::of(&bounded(&text, MAX_SCRIPT), self.table);
        "powershell.exe".clone_into(&mut facts.image);
        facts.skeleton = script_skeleton(&shape.text);
        self.take(shape, facts);
        if facts.programs.first().is_none_or(|first| first != "powershell") {
            facts.programs.insert(0, "powershell".to_owned());
        }
        Some(())
    }

    /// A service or a task: what it will start.
    fn installed(&mut self, event: &Event<'_>, facts: &mut ProcessFacts) {
        let command = field(event, &["ImagePath", "ServiceFileName", "ServiceName"]);
        let content = field(event, &["TaskContent"]);
        let command = if content.is_empty() {
            command
        } else {
            Cow::Owned(task_command(&content))
        };
        let first = command
            .trim_start_matches('"')
            .split(['"', ' '])
            .next()
            .unwrap_or_default()
            .to_owned();
        self.read_command(&first, &command, facts);
        facts.other_user = account_name(&field(event, &["AccountName", "ServiceAccount"]));
    }

    fn read_command(&mut self, image: &str, command: &str, facts: &mut ProcessFacts) {
        let line = if command.trim().is_empty() { image } else { command };
        if let Some(known) = self.memo.get(image, line) {
            known.give(facts);
            return;
        }
        self.read_anew(image, line, facts);
        self.memo.keep(image, line, facts);
    }

    fn read_anew(&self, image: &str, line: &str, facts: &mut ProcessFacts) {
        let mut shape = Shape::of(line, self.table);
        let path = image.to_lowercase();
        facts.image = file_name(if image.is_empty() { line } else { image });
        let place = place_of(&path);
        place.clone_into(&mut facts.place);
        let own = stem(&facts.image);
        if !own.is_empty() && !shape.programs.iter().any(|program| program == own) {
            shape.programs.insert(0, own.to_owned());
        }
        let is_of_the_system = self
            .table
            .class_of(own)
            .is_some_and(|class| class.name != "remote-management");
        if is_of_the_system && matches!(place, "public" | "temp" | "user" | "share") {
            shape.traits.add(Traits::ODD_PLACE);
        }
        facts.skeleton = std::mem::take(&mut shape.skeleton);
        self.take(shape, facts);
    }

    fn take(&self, shape: Shape, facts: &mut ProcessFacts) {
        let (uses, traits) = self.table.uses_in(&shape.text, &shape.programs);
        facts.command = bounded(&shape.text, MAX_COMMAND);
        facts.traits = facts.traits.with(shape.traits).with(traits);
        facts.programs = shape.programs;
        facts.targets = shape.targets;
        facts.uses = uses;
    }
}

/// What a record tells of. By channel or provider and number for Windows, by class and columns for the rest.
fn act_of(event: &Event<'_>) -> Option<Act> {
    let id = event.source.event_id;
    let is_log = |name: &str| {
        event.source.channel.eq_ignore_ascii_case(name)
            || event
                .source
                .provider
                .eq_ignore_ascii_case(name.split('/').next().unwrap_or(name))
    };
    match id {
        4688 | 1 if event.class == Class::PROCESS_ACTIVITY => Some(Act::Start),
        4104 => Some(Act::Script),
        4624 => Some(Act::Logon),
        4648 => Some(Act::ExplicitLogon),
        4697 | 7045 => Some(Act::Service),
        4698 | 4702 => Some(Act::Task),
        5140 => Some(Act::Share),
        1102 | 104 if event.class == Class::EVENT_LOG_ACTIVITY => Some(Act::LogCleared),
        4719 if is_log("Security") => Some(Act::LogCleared),
        // Logs without numbers of their own, and Linux audit's execve (1309).
        0 | 1309 if event.class == Class::PROCESS_ACTIVITY && event.column(Column::CommandLine).is_some() => {
            Some(Act::Start)
        }
        _ => None,
    }
}

fn logon(event: &Event<'_>, facts: &mut ProcessFacts) -> Option<()> {
    let kind = event
        .get("LogonType")
        .and_then(blackrod_model::Value::as_int)
        .unwrap_or(0);
    // 3 network, 10 remote desktop, 9 new credentials; others happen on the machine itself.
    if !matches!(kind, 3 | 8 | 9 | 10) {
        return None;
    }
    facts.logon_type = u8::try_from(kind).unwrap_or(0);
    let address = host_name(&text_of(event, Column::SrcIp));
    let name = host_name(&field(event, &["WorkstationName"]));
    facts.peer = if name.is_empty() || name == "-" {
        address
    } else {
        name
    };
    let is_machine = facts.user.ends_with('$') || facts.user == "anonymous logon" || facts.user.is_empty();
    (!is_machine).then_some(())
}

/// The cmdlets, types and methods of a script in the order of their first use, at most 24.
fn script_skeleton(text: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
    for word in text.split(|character: char| !is_part(character)) {
        let is_cmdlet = word.split_once('-').is_some_and(|(verb, noun)| {
            verb.len() > 1 && noun.len() > 2 && verb.bytes().all(|byte| byte.is_ascii_lowercase())
        });
        let is_type = word.split('.').count() >= 2
            && word.starts_with(|first: char| first.is_ascii_lowercase())
            && word.len() > 6;
        if (is_cmdlet || is_type)
            && word.len() <= 60
            && !word.bytes().any(|byte| byte.is_ascii_digit())
            && !names.contains(&word)
        {
            names.push(word);
        }
        if names.len() >= 24 {
            break;
        }
    }
    bounded(&names.join(" "), 300)
}

/// What a task starts, out of its XML: `<Command>` and `<Arguments>`.
fn task_command(xml: &str) -> String {
    let inner = |name: &str| {
        let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
        let end = start + xml.get(start..)?.find("</")?;
        xml.get(start..end)
    };
    let unescaped = |text: &str| {
        text.replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let command = inner("Command").map(unescaped).unwrap_or_default();
    let arguments = inner("Arguments").map(unescaped).unwrap_or_default();
    format!("{command} {arguments}").trim().to_owned()
}

/// The logon session; Linux writes the largest number where there is none.
fn session_of(event: &Event<'_>) -> String {
    match text_of(event, Column::Session).as_ref() {
        "4294967295" | "unset" => String::new(),
        number => bounded(number, 64),
    }
}

fn text_of<'e>(event: &'e Event<'_>, column: Column) -> Cow<'e, str> {
    event.column_text(column).unwrap_or_default()
}

fn field<'e>(event: &'e Event<'_>, names: &[&str]) -> Cow<'e, str> {
    let found = names
        .iter()
        .find_map(|name| event.get(name).filter(|value| !value.is_blank()));
    found.and_then(blackrod_model::Value::to_text).unwrap_or_default()
}

/// A host's first label, lower case; addresses stay whole, mapped ones as IPv4.
fn host_name(text: &str) -> String {
    let lower = text.trim().trim_start_matches('\\').to_lowercase();
    let bare = lower.strip_prefix("::ffff:").unwrap_or(&lower);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return bare.to_owned();
    }
    bounded(bare.split('.').next().unwrap_or(bare), 64)
}

/// An account without its domain, lower case.
fn account_name(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    let bare = lower.rsplit_once('\\').map_or(lower.as_str(), |(_, name)| name);
    let bare = bare.split('@').next().unwrap_or(bare);
    if bare == "-" {
        return String::new();
    }
    bounded(bare, 64)
}

fn file_name(path: &str) -> String {
    let trimmed = path.trim().trim_matches('"');
    // A command line instead of a path: its first word.
    let first = if trimmed.contains(['\\', '/']) {
        trimmed
    } else {
        trimmed.split(' ').next().unwrap_or(trimmed)
    };
    bounded(
        &first.rsplit(['\\', '/']).next().unwrap_or(first).to_lowercase(),
        64,
    )
}

fn bounded(text: &str, most: usize) -> String {
    crate::clip(text, most).to_owned()
}

#[cfg(test)]
mod tests;
