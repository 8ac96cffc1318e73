//! What can go wrong with a case, told so that the operator knows what to do.

use std::path::{Path, PathBuf};

use blackrod_model::EvidenceId;

/// Why something could not be done with a case.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process is writing to the case.
    #[error(
        "the case {} is being written to by another blackrod{}; wait until it has ended, or stop it",
        .dir.display(), .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    Locked {
        /// The case.
        dir: PathBuf,
        /// The other process, where it could be told.
        pid: Option<u32>,
    },
    /// The folder is no case.
    #[error("{} is not a case ({reason}); `blackrod investigate … --case DIR` makes one", .dir.display())]
    NotACase {
        /// The folder.
        dir: PathBuf,
        /// What is missing or in the way.
        reason: String,
    },
    /// The case was made by a later blackrod.
    #[error(
        "the case {} has format {found}, this blackrod knows up to {known}; use the blackrod that made it, or a later one",
        .dir.display()
    )]
    Newer {
        /// The case.
        dir: PathBuf,
        /// Its format.
        found: i64,
        /// The latest format that this build knows.
        known: i64,
    },
    /// No space is left where the case lies.
    #[error("no space left for the case {}: free some and run the same command again; nothing committed is lost", .dir.display())]
    DiskFull {
        /// The case.
        dir: PathBuf,
    },
    /// The case is damaged.
    #[error("the case {} is damaged: {what}; `blackrod case verify` lists all damage", .dir.display())]
    Corrupt {
        /// The case.
        dir: PathBuf,
        /// What is damaged.
        what: String,
    },
    /// The case may only be read: it was opened for reading.
    #[error("the case {} was opened for reading only", .dir.display())]
    ReadOnly {
        /// The case.
        dir: PathBuf,
    },
    /// The same evidence was handed to [`crate::Case::commit`] twice. Callers ask
    /// [`crate::Case::knows`] first and hand over each item once.
    #[error("evidence {0} is already in the case")]
    EvidenceTwice(EvidenceId),
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The casebook refused a statement.
    #[error("the casebook of {} failed: {source}", .dir.display())]
    Casebook {
        /// The case.
        dir: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Events could not be encoded or decoded.
    #[error("cannot {action} events in {}: {source}", .path.display())]
    Events {
        /// What was tried, as a verb.
        action: &'static str,
        /// The Parquet file.
        path: PathBuf,
        /// What Parquet said.
        source: datafusion::parquet::errors::ParquetError,
    },
    /// The query is not one that a hunt may run, or names something that is not there.
    #[error("{0}")]
    Query(String),
    /// The query needs more memory than it may use.
    #[error(
        "the query needs more than the {limit_mib} MiB of memory it may use: raise the limit, name fewer columns, or narrow it by time ({detail})"
    )]
    Memory {
        /// The limit, in MiB.
        limit_mib: usize,
        /// Which part of the query asked for more.
        detail: String,
    },
    /// A test stops here as if the process were killed.
    #[cfg(test)]
    #[error("killed")]
    Killed,
}

/// Turns a failed file operation into an error that names the file.
pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::DiskFull {
            dir: path.parent().unwrap_or(&path).to_owned(),
        },
        _ => StoreError::Io { action, path, source },
    }
}

/// Turns a failed statement into an error that says what it means for the case in `dir`.
pub(crate) fn sql_error(dir: &Path) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
    move |source| {
        use rusqlite::ErrorCode as Code;
        let dir = dir.to_owned();
        match source.sqlite_error_code() {
            Some(Code::DiskFull) => StoreError::DiskFull { dir },
            Some(Code::DatabaseCorrupt) => StoreError::Corrupt {
                dir,
                what: format!("case.sqlite: {source}"),
            },
            Some(Code::NotADatabase) => StoreError::NotACase {
                dir,
                reason: "case.sqlite is no SQLite database".to_owned(),
            },
            Some(Code::DatabaseBusy) => StoreError::Locked { dir, pid: None },
            _ => StoreError::Casebook { dir, source },
        }
    }
}

/// Turns a Parquet failure into an error that names the file.
pub(crate) fn parquet_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(datafusion::parquet::errors::ParquetError) -> StoreError {
    let path = path.to_owned();
    move |source| {
        let full = std::error::Error::source(&source)
            .and_then(|cause| cause.downcast_ref::<std::io::Error>())
            .is_some_and(|cause| cause.kind() == std::io::ErrorKind::StorageFull);
        if full {
            return StoreError::DiskFull {
                dir: path.parent().unwrap_or(&path).to_owned(),
            };
        }
        StoreError::Events { action, path, source }
    }
}
