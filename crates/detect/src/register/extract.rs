//! What a record says about a register's table, or about files on a share.

use std::hash::{Hash as _, Hasher as _};
use std::net::IpAddr;

use blackrod_model::{Class, Column, DataRead, Estate, Event, EvidenceId, FileAct, How, Wanted};
use rustc_hash::FxHasher;

use super::sql::{self, Table};
use crate::clip;

/// The registers of an estate that lie in databases, and what to look for.
pub struct Registers {
    known: Vec<Known>,
}

struct Known {
    register: u16,
    tables: Vec<String>,
    key: Option<String>,
    databases: Vec<String>,
}

impl Registers {
    /// Those of `estate` with tables.
    pub fn new(estate: &Estate) -> Self {
        let with_tables = estate.registers.iter().enumerate();
        let known = with_tables
            .filter(|(_, register)| !register.tables.is_empty())
            .filter_map(|(index, register)| {
                Some(Known {
                    register: u16::try_from(index).ok()?,
                    tables: register.tables.clone(),
                    key: register.key.clone(),
                    databases: register.databases.clone(),
                })
            });
        Self {
            known: known.collect(),
        }
    }

    /// What `event` says was read of each register.
    pub fn reads(&self, evidence: EvidenceId, event: &Event<'_>) -> Vec<DataRead> {
        if event.class != Class::DATASTORE_ACTIVITY || self.known.is_empty() {
            return Vec::new();
        }
        let text = |name: &str| event.get(name).and_then(|value| value.to_text());
        let statement = text("query_info.query_string").unwrap_or_default();
        let command = text("query_info.name").unwrap_or_default();
        let object = text("unmapped.object").unwrap_or_default().to_lowercase();
        let object = object.rsplit('.').next().unwrap_or_default();
        let database = text("database.name").unwrap_or_default().to_lowercase();
        let account = event.column_text(Column::User).unwrap_or_default().to_lowercase();
        let rows = text("unmapped.rows").and_then(|rows| rows.parse().ok());
        let lower = statement.to_lowercase();
        let mut reads = Vec::new();
        for known in &self.known {
            let mentions = |table: &String| has_word(&lower, table) || object == table;
            let asked = match command.as_ref() {
                "BASE_BACKUP" | "BACKUP" => Some((Wanted::All(How::Backup), Vec::new())),
                // A statement that is only made ready hands nothing out.
                "PREPARE" | "EXPLAIN" => None,
                _ if !known.tables.iter().any(mentions) => None,
                // Each table of a join is told on a line of its own.
                _ if !object.is_empty() && !known.tables.iter().any(|table| table == object) => None,
                _ if statement.is_empty() => Some((Wanted::Some, Vec::new())),
                _ => {
                    let parameters = parameters(&text("unmapped.parameters").unwrap_or_default());
                    let table = Table {
                        names: &known.tables,
                        key: known.key.as_deref(),
                    };
                    sql::asked(&statement, &parameters, event.source.product, table)
                        .map(|asked| (asked.what, asked.columns))
                }
            };
            let Some((what, columns)) = asked else { continue };
            let is_at_home = known.databases.is_empty() || known.databases.contains(&database);
            // What is loaded where it belongs is the register itself.
            if what == Wanted::Loaded && is_at_home {
                continue;
            }
            reads.push(DataRead {
                evidence,
                at: event.at,
                time: event.time,
                register: known.register,
                account: account.clone(),
                address: event
                    .column_text(Column::SrcIp)
                    .and_then(|text| text.parse().ok()),
                program: clip(&event.column_text(Column::UserAgent).unwrap_or_default(), 100).to_owned(),
                database: database.clone(),
                what,
                rows,
                statement: clip(statement.trim(), 300).to_owned(),
                columns,
            });
        }
        reads
    }
}

/// Whether `word` stands in `text` with nothing of a name before and after it.
fn has_word(text: &str, word: &str) -> bool {
    let is_name = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, word.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !is_name(before) && !is_name(bytes.get(at + word.len()))
    })
}

fn parameters(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut row = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut row).unwrap_or(false) {
        return Vec::new();
    }
    row.iter()
        .map(|cell| String::from_utf8_lossy(cell).into_owned())
        .collect()
}

/// The file that `event` says was read or written on a share or in a cloud drive.
pub fn file(evidence: EvidenceId, event: &Event<'_>) -> Option<FileAct> {
    if !matches!(
        event.class,
        Class::FILE_ACTIVITY | Class::SMB_ACTIVITY | Class::FILE_HOSTING
    ) {
        return None;
    }
    let text = |name: &str| event.get(name).and_then(|value| value.to_text());
    let (path, is_written) = match (event.source.product, event.source.event_id) {
        ("windows", 4663) => (text("ObjectName")?.into_owned(), is_write(&text("AccessMask")?)?),
        ("windows", 5145) => {
            let (share, target) = (text("ShareName")?, text("RelativeTargetName")?);
            (format!("{share}\\{target}"), is_write(&text("AccessMask")?)?)
        }
        ("windows", _) => return None,
        ("samba", _) => {
            let operation = event.column_text(Column::Action)?;
            let mode = text("mode").unwrap_or_default();
            let is_written = match operation.as_ref() {
                "pwrite" | "write" | "pwrite_send" | "offload_write_send" => true,
                "open" | "openat" => mode.starts_with('w'),
                "read" | "pread" | "pread_send" | "sendfile" | "offload_read_send" => false,
                _ => return None,
            };
            if event
                .column_text(Column::Status)
                .is_some_and(|status| status != "ok")
            {
                return None;
            }
            let share = text("share").unwrap_or_default();
            (
                format!("{share}/{}", event.column_text(Column::File)?),
                is_written,
            )
        }
        _ => {
            let operation = event.column_text(Column::Action)?.to_ascii_lowercase();
            let is_written = match operation.as_str() {
                "filedownloaded" | "filesyncdownloadedfull" | "filecopied" | "download" | "copy" => false,
                "fileuploaded" | "filesyncuploadedfull" | "upload" => true,
                _ => return None,
            };
            let file = text("ObjectId")
                .or_else(|| text("parameters.doc_id"))
                .or_else(|| event.column_text(Column::File))?;
            (file.into_owned(), is_written)
        }
    };
    let user = event.column_text(Column::User)?.to_lowercase();
    let bare = user.rsplit_once('\\').map_or(user.as_str(), |(_, name)| name);
    if bare.is_empty() || bare.ends_with('$') || matches!(bare, "system" | "anonymous logon") {
        return None;
    }
    let folded = path.to_lowercase();
    let mut hasher = FxHasher::default();
    folded.hash(&mut hasher);
    Some(FileAct {
        evidence,
        at: event.at,
        time: event.time,
        class: event.class.0,
        account: clip(bare, 200).to_owned(),
        address: event
            .column_text(Column::SrcIp)
            .and_then(|text| text.parse::<IpAddr>().ok()),
        host: event.column_text(Column::Host).unwrap_or_default().to_lowercase(),
        path: clip(&path, 300).to_owned(),
        path_hash: hasher.finish(),
        is_written,
    })
}

/// Windows' access mask: bit 0 reads data, bits 1 and 2 write and append it; none of them is neither.
fn is_write(mask: &str) -> Option<bool> {
    let mask = match mask.trim().strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => mask.trim().parse().ok()?,
    };
    match (mask & 0b110 != 0, mask & 1 != 0) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}
