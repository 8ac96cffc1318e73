//! A case: what is in it, and every change to it.

use std::fs::File;
use std::path::{Path, PathBuf};

use blackrod_model::{
    Campaign, Evidence, EvidenceId, Fact, Finding, Premise, Refusal, RuleSet, Run, Sha256, Timestamp,
};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;

use crate::StoreError;
use crate::casebook::{self, log, read, seal, write};
use crate::error::{io_error, sql_error};
use crate::events::{EventWriter, FileNames, StagedFile};
use crate::fault::{Step, reached};
use crate::{layout, lock};

/// A case, opened for writing (by one process at a time) or for reading.
pub struct Case {
    pub(crate) dir: PathBuf,
    pub(crate) book: Connection,
    pub(crate) names: FileNames,
    /// Held as long as the case is open for writing.
    lock: Option<File>,
}

/// Names a run within its case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(i64);

/// Whole items of top-level evidence: what is committed together, with all that came out of them.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The evidence: each top-level item with all members that were read out of it.
    pub evidence: Vec<Evidence>,
    /// What could not be read.
    pub refusals: Vec<(EvidenceId, Refusal)>,
    /// The events, as [`EventWriter::flush`] handed them over: of this evidence, all of it, and of no other.
    pub files: Vec<StagedFile>,
}

impl Case {
    /// Opens the case in `dir` for writing, or makes one where there is none.
    ///
    /// # Errors
    ///
    /// As [`Case::open`]; also when `dir` holds other things than a case.
    pub fn create_or_open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let dir = dir.as_ref();
        if !dir.join(casebook::FILE).exists() {
            std::fs::create_dir_all(dir).map_err(io_error("create", dir))?;
            refuse_foreign_folder(dir)?;
            let _lock = lock::lock_for_writing(dir)?;
            // Another process may have made it while this one waited for nothing yet.
            if !dir.join(casebook::FILE).exists() {
                for folder in [layout::staging(dir), layout::events(dir)] {
                    std::fs::create_dir_all(&folder).map_err(io_error("create", &folder))?;
                }
                casebook::create(dir)?;
            }
        }
        Self::open(dir)
    }

    /// Opens the case in `dir` for writing. What a killed run left half done is brought to order: committed files go to
    /// their places, files that were never committed are removed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`], [`StoreError::NotACase`], [`StoreError::Newer`] and others.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let dir = dir.as_ref();
        if !dir.join(casebook::FILE).is_file() {
            let reason = format!("it has no {}", casebook::FILE);
            return Err(StoreError::NotACase {
                dir: dir.to_owned(),
                reason,
            });
        }
        let lock = lock::lock_for_writing(dir)?;
        let book = casebook::open(dir)?;
        let mut case = Self {
            dir: dir.to_owned(),
            book,
            names: FileNames::default(),
            lock: Some(lock),
        };
        let staging = layout::staging(dir);
        std::fs::create_dir_all(&staging).map_err(io_error("create", &staging))?;
        lock::clear_scratch(dir);
        let repair = layout::repair(dir, &case.book)?;
        if repair != layout::Repair::default() {
            let detail = json!({ "moved": repair.moved, "removed": repair.removed });
            case.change("repair", |_, _| Ok(detail))?;
        }
        Ok(case)
    }

    /// Opens the case in `dir` for reading: as it was at the last commit, also while another process writes to it, also
    /// on write-protected media.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotACase`], [`StoreError::Newer`] and others.
    pub fn open_read_only(dir: impl AsRef<Path>) -> Result<Self, StoreError> {
        let dir = dir.as_ref();
        repair_if_possible(dir);
        let book = casebook::open_read_only(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            book,
            names: FileNames::default(),
            lock: None,
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Records that a run begins.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn begin_run(&mut self, run: &Run) -> Result<RunId, StoreError> {
        self.change("run begun", |book, _| {
            let id: i64 =
                book.query_row("SELECT coalesce(max(id), 0) + 1 FROM runs", [], |row| row.get(0))?;
            book.execute(
                "INSERT INTO runs (id, version, arguments, started, ended, rules, estate) VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    id,
                    run.version,
                    write::json(&run.arguments)?,
                    write::time_value(run.started),
                    write::time_value(run.ended),
                    run.rules.0,
                    run.estate.0,
                ],
            )?;
            Ok(json!({ "id": id, "run": run, "seals": seal::seals(book, &[&seal::RUNS], 0)? }))
        })?;
        Ok(RunId(self.read(|book| {
            book.query_row("SELECT max(id) FROM runs", [], |row| row.get(0))
        })?))
    }

    /// Records that a run has ended.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn end_run(&mut self, run: RunId, ended: Timestamp) -> Result<(), StoreError> {
        self.change("run ended", |book, _| {
            book.execute(
                "UPDATE runs SET ended = ? WHERE id = ?",
                params![write::time_value(ended), run.0],
            )?;
            Ok(json!({ "id": run.0, "ended": ended, "seals": seal::seals(book, &[&seal::RUNS], 0)? }))
        })
    }

    /// Whether this evidence is in the case.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn knows(&self, evidence: EvidenceId) -> Result<bool, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare_cached("SELECT 1 FROM evidence WHERE id = ?")?;
            Ok(statement
                .query_row([evidence.0], |_| Ok(()))
                .optional()?
                .is_some())
        })
    }

    /// A writer of events for one thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::ReadOnly`].
    pub fn event_writer(&self) -> Result<EventWriter, StoreError> {
        self.check_writable()?;
        Ok(EventWriter::new(layout::staging(&self.dir), self.names.clone()))
    }

    /// Sets findings, premises and facts aside until [`Case::commit`], in a temporary file: a batch may have more of them than
    /// fit in memory. Of two findings with one id the later stays. If the process ends before, they are gone.
    ///
    /// # Errors
    ///
    /// When the temporary file cannot be written to.
    pub fn stage(
        &mut self,
        findings: &[Finding],
        premises: &[Premise],
        facts: &[Fact],
    ) -> Result<(), StoreError> {
        self.check_writable()?;
        let stage = |book: &mut Connection| {
            let transaction = book.transaction()?;
            write::findings(&transaction, write::Into::Staged, findings)?;
            write::stage_premises(&transaction, premises)?;
            write::stage_facts(&transaction, facts)?;
            transaction.commit()
        };
        stage(&mut self.book).map_err(sql_error(&self.dir))
    }

    /// Adds a batch to the case, with what was staged since the last: all of it or, where the process is killed, nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::EvidenceTwice`], [`StoreError::DiskFull`] and others; the case is as before.
    pub fn commit(&mut self, batch: Batch) -> Result<(), StoreError> {
        let staging = layout::staging(&self.dir);
        if !batch.files.is_empty() {
            let paths: Vec<PathBuf> = batch.files.iter().map(|file| staging.join(&file.name)).collect();
            layout::sync(&staging, &paths)?;
        }
        reached(Step::Synced)?;

        let mut twice = None;
        let committed = self.change("commit", |book, seq| {
            for evidence in &batch.evidence {
                if !write::evidence(book, seq, evidence)? {
                    twice = Some(evidence.id);
                    return Err(rusqlite::Error::StatementChangedRows(0));
                }
            }
            for file in &batch.files {
                write::file(book, seq, file)?;
            }
            for (evidence, refusal) in &batch.refusals {
                write::refusal(book, seq, *evidence, refusal)?;
            }
            write::unstage(book, seq)?;
            batch_detail(book, seq)
        });
        if let Err(error) = committed {
            // What was staged belongs to this batch: it must not get into the next one.
            self.book
                .execute_batch(write::CLEAR_STAGED)
                .map_err(sql_error(&self.dir))?;
            return Err(twice.map_or(error, StoreError::EvidenceTwice));
        }
        reached(Step::Committed)?;

        for file in &batch.files {
            layout::place(&self.dir, &file.name, &file.path())?;
        }
        Ok(())
    }

    /// Puts the findings of correlations in the place of those of earlier runs, as a whole.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn replace_correlations(&mut self, findings: &[Finding]) -> Result<(), StoreError> {
        self.change("correlations", |book, _| {
            book.execute("DELETE FROM findings WHERE batch = ?", [write::CORRELATED])?;
            write::findings(book, write::Into::Correlations, findings)?;
            Ok(json!({ "seals": seal::seals(book, &[&seal::CORRELATIONS], 0)? }))
        })
    }

    /// Puts the findings of a few detectors that judge many records, by their codes, in the place of those of earlier
    /// runs.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn replace_correlations_of(
        &mut self,
        codes: &[&str],
        findings: &[Finding],
    ) -> Result<(), StoreError> {
        self.change("correlations", |book, _| {
            for code in codes {
                book.execute(
                    "DELETE FROM findings WHERE batch = ? AND code = ?",
                    params![write::CORRELATED, code],
                )?;
            }
            write::findings(book, write::Into::Correlations, findings)?;
            Ok(json!({ "seals": seal::seals(book, &[&seal::CORRELATIONS], 0)? }))
        })
    }

    /// Puts campaigns in the place of all that were there.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn set_campaigns(&mut self, campaigns: &[Campaign]) -> Result<(), StoreError> {
        self.change("campaigns", |book, _| {
            book.execute_batch("DELETE FROM campaigns; DELETE FROM members;")?;
            for campaign in campaigns {
                write::campaign(book, campaign)?;
            }
            Ok(json!({ "seals": seal::seals(book, &[&seal::CAMPAIGNS, &seal::MEMBERS], 0)? }))
        })
    }

    /// Records which rules were at work, in the place of those of earlier runs.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn set_rule_sets(&mut self, rule_sets: &[RuleSet]) -> Result<(), StoreError> {
        self.change("rules", |book, _| {
            book.execute("DELETE FROM rule_sets", [])?;
            for rules in rule_sets {
                write::rule_set(book, rules)?;
            }
            Ok(json!({ "seals": seal::seals(book, &[&seal::RULE_SETS], 0)? }))
        })
    }

    /// All evidence, by path.
    ///
    /// # Errors
    ///
    /// This and all below: when the casebook cannot be read.
    pub fn evidence(&self) -> Result<Vec<Evidence>, StoreError> {
        self.read(read::evidence)
    }

    /// The ids of all evidence.
    pub fn evidence_ids(&self) -> Result<Vec<EvidenceId>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare("SELECT id FROM evidence")?;
            let rows = statement.query_map([], |row| Ok(EvidenceId(row.get(0)?)))?;
            rows.collect()
        })
    }

    /// Hands each premise to `visit`, in the order of their times. The order does not depend on when each was committed.
    pub fn each_premise(&self, visit: &mut dyn FnMut(Premise)) -> Result<(), StoreError> {
        self.read(|book| read::each_premise(book, visit))
    }

    /// All campaigns, strongest first.
    pub fn campaigns(&self) -> Result<Vec<Campaign>, StoreError> {
        self.read(read::campaigns)
    }

    /// Up to `limit` refusals, by evidence and place.
    pub fn refusals(&self, limit: usize) -> Result<Vec<(EvidenceId, Refusal)>, StoreError> {
        self.read(|book| read::refusals(book, limit))
    }

    /// All runs, first to last.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.read(read::runs)
    }

    /// The rules that were at work in the last run that recorded them, by method.
    pub fn rule_sets(&self) -> Result<Vec<RuleSet>, StoreError> {
        self.read(read::rule_sets)
    }

    /// The hash of the last entry of the log. Kept elsewhere, it proves that the log was not cut short.
    pub fn log_head(&self) -> Result<Option<Sha256>, StoreError> {
        let last = self.read(log::last)?;
        Ok(last.and_then(|entry| entry.hash.parse().ok()))
    }

    /// Makes a change and its log entry in one transaction. `make` gets the number of the entry and returns its detail.
    pub(crate) fn change(
        &mut self,
        action: &str,
        make: impl FnOnce(&Connection, i64) -> rusqlite::Result<serde_json::Value>,
    ) -> Result<(), StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::ReadOnly {
                dir: self.dir.clone(),
            });
        }
        let fail = sql_error(&self.dir);
        let transaction = self
            .book
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(&fail)?;
        let seq = log::next_seq(&transaction).map_err(&fail)?;
        let detail = make(&transaction, seq).map_err(&fail)?;
        log::append(&transaction, action, &detail).map_err(&fail)?;
        reached(Step::Inserted)?;
        transaction.commit().map_err(&fail)
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(StoreError::ReadOnly {
                dir: self.dir.clone(),
            }),
        }
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.book).map_err(|error| match error {
            rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
                StoreError::Corrupt {
                    dir: self.dir.clone(),
                    what: error.to_string(),
                }
            }
            other => sql_error(&self.dir)(other),
        })
    }
}

/// The log's account of what a batch brought in: evidence and files by digest, the rest by seals.
pub(crate) fn batch_detail(book: &Connection, seq: i64) -> rusqlite::Result<serde_json::Value> {
    let mut evidence =
        book.prepare_cached("SELECT id, path, sha256 FROM evidence WHERE batch = ? ORDER BY id")?;
    let evidence = evidence
        .query_map([seq], |row| {
            let id = EvidenceId(row.get(0)?).to_string();
            let sha256 = Sha256(row.get(2)?).to_string();
            Ok(json!({ "id": id, "path": row.get::<_, String>(1)?, "sha256": sha256 }))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut files =
        book.prepare_cached("SELECT path, sha256, rows FROM files WHERE batch = ? ORDER BY path")?;
    let files = files
        .query_map([seq], |row| {
            let sha256 = Sha256(row.get(1)?).to_string();
            Ok(json!({ "path": row.get::<_, String>(0)?, "sha256": sha256, "rows": row.get::<_, i64>(2)? }))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(json!({ "evidence": evidence, "files": files, "seals": seal::seals(book, &seal::BATCH, seq)? }))
}

/// Repairs the case where nobody is writing to it and it can be written to; whoever only reads sees all that was
/// committed.
fn repair_if_possible(dir: &Path) {
    let staged = std::fs::read_dir(layout::staging(dir)).is_ok_and(|mut entries| entries.next().is_some());
    if staged {
        // A case that is being written to, or cannot be written to, is read as it is.
        drop(Case::open(dir));
    }
}

/// A new case must not be mixed with what the folder holds.
fn refuse_foreign_folder(dir: &Path) -> Result<(), StoreError> {
    const OURS: [&str; 6] = ["lock", "staging", "events", "tmp", "tmp.lock", "case.sqlite.new"];
    for entry in std::fs::read_dir(dir).map_err(io_error("list", dir))? {
        let name = entry.map_err(io_error("list", dir))?.file_name();
        let is_ours = name
            .to_str()
            .is_some_and(|name| OURS.contains(&name) || name.starts_with(casebook::FILE));
        if !is_ours {
            let reason = format!("it holds other things, such as {name:?}; name a new or an empty folder");
            return Err(StoreError::NotACase {
                dir: dir.to_owned(),
                reason,
            });
        }
    }
    Ok(())
}
