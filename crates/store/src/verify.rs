//! Proof that a case and its evidence are unchanged.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use blackrod_model::{Evidence, EvidenceState, Sha256};
use rusqlite::Connection;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::Digest as _;

use crate::casebook::log::{self, LogEntry};
use crate::casebook::seal::{self, Life, Seal};
use crate::error::io_error;
use crate::{Case, StoreError, layout};

/// What [`Case::verify`] looks at besides the case itself.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// Where evidence may be found again: the files and folders that were investigated, or copies of them. Evidence is
    /// looked for only here.
    pub evidence_roots: Vec<PathBuf>,
}

/// What [`Case::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct VerifyReport {
    /// Whatever is not as the log says it was. Empty for an unchanged case.
    pub problems: Vec<Problem>,
    /// Entries in the log.
    pub log_entries: u64,
    /// The hash of the last entry. Compare it with the one noted elsewhere: entries cut off the end leave no other trace
    /// when everything that they brought in was removed with them.
    pub log_head: String,
    /// Events files whose digest was computed.
    pub files_checked: u64,
    /// Evidence files on disk that are unchanged.
    pub evidence_unchanged: u64,
    /// Evidence files that were not found below any of the roots, by path.
    pub evidence_missing: Vec<String>,
}

impl VerifyReport {
    /// Whether the case, and the evidence that was found, is unchanged.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Something that is not as the log says it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where: `log entry 7`, `findings of log entry 7`, `events/class=…/part-….parquet`, `evidence mail/a.mbox`.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Case {
    /// Computes all digests of the case anew and compares them with the log: the chain itself, each part of the
    /// casebook, each events file, and evidence files where they can still be found.
    ///
    /// # Errors
    ///
    /// Only when something cannot be read at all; what is read and found changed is in the report.
    pub fn verify(&self, options: &VerifyOptions) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        check_integrity(&self.book, &mut report);
        let seals = self.read(|book| check_chain(book, &mut report))?;
        self.read(|book| check_seals(book, &seals, &mut report))?;
        self.check_files(&mut report)?;
        self.check_evidence(options, &mut report)?;
        Ok(report)
    }

    fn check_files(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        let files = self.read(|book| {
            let mut statement = book.prepare("SELECT path, sha256 FROM files ORDER BY path")?;
            let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, Sha256(row.get(1)?))))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let staging = layout::staging(&self.dir);
        for (path, expected) in files {
            let place = format!("events/{path}");
            let Some((_, name)) = layout::split_path(&path) else {
                report.add(place, "no events file has such a name");
                continue;
            };
            // Committed and not moved yet: the next to open the case for writing will move it.
            let staged = staging.join(name);
            let file = layout::events(&self.dir).join(&path);
            let found = if file.exists() || !staged.exists() {
                file
            } else {
                staged
            };
            match digest_of(&found) {
                Ok(digest) if digest == expected => report.files_checked += 1,
                Ok(_) => report.add(place, "the file was changed"),
                Err(StoreError::Io { source, .. }) => {
                    report.add(place, format!("the file cannot be read: {source}"))
                }
                Err(other) => return Err(other),
            }
        }
        let registered = layout::registered(&self.dir, &self.book)?;
        for path in layout::unregistered(&self.dir, &registered)? {
            let place = path
                .strip_prefix(&self.dir)
                .unwrap_or(&path)
                .display()
                .to_string();
            report.add(place, "the file is not part of the case");
        }
        Ok(())
    }

    fn check_evidence(&self, options: &VerifyOptions, report: &mut VerifyReport) -> Result<(), StoreError> {
        if options.evidence_roots.is_empty() {
            return Ok(());
        }
        let evidence = self.evidence()?;
        let containers: FxHashSet<&str> = evidence
            .iter()
            .filter(|item| item.state != EvidenceState::Failed)
            .map(|item| item.path.as_str())
            .collect();
        // A member's digest is of what was unpacked; its container's covers it.
        let is_member = |item: &Evidence| {
            item.path
                .match_indices('!')
                .any(|(at, _)| containers.contains(&item.path[..at]))
        };
        for item in evidence.iter().filter(|item| !is_member(item)) {
            let candidates: Vec<PathBuf> = options
                .evidence_roots
                .iter()
                .filter_map(|root| find_below(root, &item.path))
                .collect();
            let mut changed = None;
            let mut unchanged = false;
            for candidate in &candidates {
                match digest_of(candidate) {
                    Ok(digest) if digest == item.sha256 => unchanged = true,
                    Ok(_) => changed = Some(format!("{} was changed", candidate.display())),
                    Err(error) => changed = Some(error.to_string()),
                }
            }
            match (unchanged, changed) {
                (true, _) => report.evidence_unchanged += 1,
                (false, Some(what)) => report.add(format!("evidence {}", item.path), what),
                (false, None) => report.evidence_missing.push(item.path.clone()),
            }
        }
        Ok(())
    }
}

impl VerifyReport {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(Problem {
            place: place.into(),
            what: what.into(),
        });
    }
}

/// What the log says about the parts of the casebook: section and batch (0 for sections that are replaced) → seal.
type Seals = FxHashMap<(&'static str, i64), (i64, Seal)>;

/// SQLite's own check: pages, indexes, constraints.
fn check_integrity(book: &Connection, report: &mut VerifyReport) {
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut statement = book.prepare("PRAGMA integrity_check(20)")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect()
    };
    match check() {
        Ok(lines) if lines == ["ok"] => {}
        Ok(lines) => lines.into_iter().for_each(|line| report.add("case.sqlite", line)),
        Err(error) => report.add("case.sqlite", error.to_string()),
    }
}

fn check_chain(book: &Connection, report: &mut VerifyReport) -> rusqlite::Result<Seals> {
    let mut previous = log::origin();
    let mut seals = Seals::default();
    log::each(book, &mut |entry: LogEntry| {
        report.log_entries += 1;
        let place = format!("log entry {}", entry.seq);
        if entry.computed_hash() != entry.hash {
            report.add(&place, "the entry was changed: its hash does not fit its content");
        }
        if entry.previous != previous {
            report.add(
                &place,
                "the chain is broken: the entry does not carry the hash of the one before it",
            );
        }
        if entry.seq != i64::try_from(report.log_entries).unwrap_or(i64::MAX) {
            report.add(
                &place,
                format!("entries are missing: this is the {}th", report.log_entries),
            );
        }
        let detail: serde_json::Value = serde_json::from_str(&entry.detail).unwrap_or_default();
        for section in seal::ALL {
            let sealed = detail
                .get("seals")
                .and_then(|seals| seals.get(section.name))
                .and_then(Seal::from_json);
            if let Some(seal) = sealed {
                let batch = if section.life == Life::Kept { entry.seq } else { 0 };
                seals.insert((section.name, batch), (entry.seq, seal));
            }
        }
        previous = entry.hash;
        Ok(())
    })?;
    report.log_head = previous;
    Ok(seals)
}

fn check_seals(book: &Connection, seals: &Seals, report: &mut VerifyReport) -> rusqlite::Result<()> {
    for section in seal::ALL {
        let mut batches: Vec<i64> = seals
            .keys()
            .filter(|(name, _)| *name == section.name)
            .map(|&(_, batch)| batch)
            .collect();
        batches.extend(section.batches(book)?);
        batches.sort_unstable();
        batches.dedup();
        for batch in batches {
            let found = section.seal(book, batch)?;
            match seals.get(&(section.name, batch)) {
                Some((_, sealed)) if *sealed == found => {}
                Some((seq, sealed)) => {
                    let what = match sealed.rows == found.rows {
                        true => "a row was changed".to_owned(),
                        false => format!("{} rows, there were {}", found.rows, sealed.rows),
                    };
                    report.add(format!("{} of log entry {seq}", section.name), what);
                }
                None if found.rows == 0 => {}
                None => report.add(
                    section.name,
                    format!("{} rows that no log entry tells of", found.rows),
                ),
            }
        }
    }
    Ok(())
}

/// Where a piece of evidence may lie: `path` is relative to the argument it came in by, or is that argument's own name.
fn find_below(root: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path);
    // A case from elsewhere must not make us look outside of the roots.
    if !relative
        .components()
        .all(|component| matches!(component, Component::Normal(_) | Component::CurDir))
    {
        return None;
    }
    let below = root.join(relative);
    let itself = root.ends_with(relative).then(|| root.to_owned());
    let beside = root.parent().map(|parent| parent.join(relative));
    [Some(below), itself, beside]
        .into_iter()
        .flatten()
        .find(|candidate| candidate.is_file())
}

/// The digest of the file at `path`, read in pieces.
pub(crate) fn digest_of(path: &Path) -> Result<Sha256, StoreError> {
    let mut file = File::open(path).map_err(io_error("open", path))?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer).map_err(io_error("read", path))? {
            0 => return Ok(Sha256(hasher.finalize().into())),
            length => hasher.update(&buffer[..length]),
        }
    }
}
