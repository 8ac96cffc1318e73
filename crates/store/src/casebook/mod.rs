//! The casebook: everything of a case but its events, in SQLite.

pub(crate) mod log;
pub(crate) mod read;
pub(crate) mod seal;
pub(crate) mod write;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::StoreError;
use crate::error::{io_error, sql_error};

/// The format of the casebook that this build writes; a later number means a later blackrod.
pub(crate) const FORMAT: i64 = 1;

/// Marks the SQLite file as a casebook (`PRAGMA application_id`): `Blkr`.
const APPLICATION: i64 = 0x426c_6b72;

/// The file's name in the case.
pub(crate) const FILE: &str = "case.sqlite";

/// Makes an empty casebook in `dir`.
///
/// It is made under another name first: a process that is killed here leaves no half-made case.
pub(crate) fn create(dir: &Path) -> Result<(), StoreError> {
    let fail = sql_error(dir);
    let unfinished = dir.join("case.sqlite.new");
    for leftover in [unfinished.clone(), dir.join("case.sqlite.new-journal")] {
        match std::fs::remove_file(&leftover) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io_error("remove", &leftover)(error));
            }
            _ => {}
        }
    }
    let book = Connection::open(&unfinished).map_err(&fail)?;
    book.execute_batch(include_str!("schema.sql")).map_err(&fail)?;
    book.pragma_update(None, "user_version", FORMAT).map_err(&fail)?;
    book.pragma_update(None, "application_id", APPLICATION)
        .map_err(&fail)?;
    book.close().map_err(|(_, source)| fail(source))?;
    let finished = dir.join(FILE);
    std::fs::rename(&unfinished, &finished).map_err(io_error("rename", &unfinished))
}

/// Opens the casebook in `dir` for writing.
///
/// Write-ahead logging lets hunts read while a run writes. `synchronous = FULL` costs one sync per
/// commit, which is one per batch of evidence: little beside reading the evidence, and what was
/// reported as committed then outlives a power cut as well as a kill.
pub(crate) fn open(dir: &Path) -> Result<Connection, StoreError> {
    let fail = sql_error(dir);
    let path = existing(dir)?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let book = Connection::open_with_flags(path, flags).map_err(&fail)?;
    check_format(&book, dir)?;
    book.pragma_update(None, "journal_mode", "WAL").map_err(&fail)?;
    book.pragma_update(None, "synchronous", "FULL").map_err(&fail)?;
    configure(&book).map_err(&fail)?;
    book.execute_batch(write::STAGING_TABLES).map_err(&fail)?;
    Ok(book)
}

/// Opens the casebook in `dir` for reading, also on write-protected media.
pub(crate) fn open_read_only(dir: &Path) -> Result<Connection, StoreError> {
    let fail = sql_error(dir);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let book = Connection::open_with_flags(read_only_uri(dir)?, flags).map_err(&fail)?;
    check_format(&book, dir)?;
    configure(&book).map_err(&fail)?;
    Ok(book)
}

/// By which name SQLite can read the casebook in `dir` without writing.
///
/// Write-ahead logging needs two more files beside the casebook. Where they can be neither found nor made (media that are
/// write-protected) nobody can be writing to the case, and it may be read as it stands.
pub(crate) fn read_only_uri(dir: &Path) -> Result<String, StoreError> {
    let path = existing(dir)?;
    let path = path.canonicalize().map_err(io_error("find", &path))?;
    let uri = format!("{}?mode=ro", uri(&path));
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let is_readable = Connection::open_with_flags(&uri, flags).and_then(|book| {
        book.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    let code = is_readable
        .as_ref()
        .err()
        .and_then(rusqlite::Error::sqlite_error_code);
    match code {
        Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly)
            if !has_pages(&dir.join("case.sqlite-wal")) =>
        {
            Ok(format!("{uri}&immutable=1"))
        }
        _ => Ok(uri),
    }
}

/// Whether what a killed process committed last stands in the write-ahead log alone.
fn has_pages(write_ahead_log: &Path) -> bool {
    write_ahead_log
        .metadata()
        .is_ok_and(|metadata| metadata.len() > 0)
}

/// `path` as a `file:` URI (RFC 8089), as SQLite reads it.
fn uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte))
            }
            other => {
                // Writing to a String does not fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}

fn existing(dir: &Path) -> Result<PathBuf, StoreError> {
    let path = dir.join(FILE);
    match path.is_file() {
        true => Ok(path),
        false => Err(StoreError::NotACase {
            dir: dir.to_owned(),
            reason: format!("it has no {FILE}"),
        }),
    }
}

fn check_format(book: &Connection, dir: &Path) -> Result<(), StoreError> {
    let fail = sql_error(dir);
    let pragma = |name: &str| book.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("application_id").map_err(&fail)? != APPLICATION {
        let reason = format!("its {FILE} was made by another program");
        return Err(StoreError::NotACase {
            dir: dir.to_owned(),
            reason,
        });
    }
    match pragma("user_version").map_err(&fail)? {
        FORMAT => Ok(()),
        found if found > FORMAT => Err(StoreError::Newer {
            dir: dir.to_owned(),
            found,
            known: FORMAT,
        }),
        found => Err(StoreError::Corrupt {
            dir: dir.to_owned(),
            what: format!("its {FILE} has format {found}"),
        }),
    }
}

fn configure(book: &Connection) -> rusqlite::Result<()> {
    book.busy_timeout(std::time::Duration::from_secs(10))?;
    // 16 MiB of page cache; sorts beyond it go to temporary files.
    book.pragma_update(None, "cache_size", -16_384)?;
    book.pragma_update(None, "temp_store", "FILE")?;
    book.set_prepared_statement_cache_capacity(64);
    // Names in a casebook from elsewhere must not run anything but what is built in.
    book.pragma_update(None, "trusted_schema", false)
}
