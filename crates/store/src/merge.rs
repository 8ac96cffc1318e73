//! Joining one case to another.

use std::fs::File;
use std::path::{Path, PathBuf};

use blackrod_model::{EvidenceId, Sha256};
use datafusion::arrow::array::{BooleanArray, RecordBatch, cast::AsArray as _};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use datafusion::parquet::errors::ParquetError;
use rustc_hash::FxHashSet;
use serde_json::json;

use crate::casebook::{self, log, read, seal, write};
use crate::error::{io_error, parquet_error, sql_error};
use crate::events::{EVIDENCE, StagedFile, events_schema, write_file};
use crate::{Case, StoreError, case, layout, verify};

/// What [`Case::merge_from`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct MergeReport {
    /// Pieces of evidence that were added.
    pub evidence_added: u64,
    /// Pieces of evidence of the other case that were here already.
    pub evidence_known: u64,
    /// Events that were added.
    pub events_added: u64,
}

impl Case {
    /// Adds the evidence of the case in `other`, with all that came out of it, and what people noted there; evidence that
    /// is in this case already is left as it is. The other case is not changed, except that what a killed run left there
    /// is put in order.
    ///
    /// Findings of correlations of both cases are kept until the next [`Case::replace_correlations`]. Campaigns are
    /// removed: they have to be judged anew over all findings, with [`Case::set_campaigns`]. So the result is the
    /// same, as sets, whichever case is added to the other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] when a file of the other case is not as it was committed. This case is then as before.
    pub fn merge_from(&mut self, other: &Path) -> Result<MergeReport, StoreError> {
        let from = Case::open_read_only(other)?;
        let mut report = MergeReport::default();
        let mut wanted = FxHashSet::default();
        for evidence in from.evidence()? {
            match self.knows(evidence.id)? {
                true => report.evidence_known += 1,
                false => {
                    wanted.insert(evidence.id);
                }
            }
        }
        report.evidence_added = wanted.len() as u64;

        let mut staged = Vec::new();
        for file in committed_files(&from)? {
            staged.extend(self.bring_in(&from, file, &wanted)?);
        }
        report.events_added = staged.iter().map(StagedFile::rows).sum();
        let staging = layout::staging(&self.dir);
        let paths: Vec<PathBuf> = staged.iter().map(|file| staging.join(&file.name)).collect();
        layout::sync(&staging, &paths)?;

        let head = from.read(log::last)?;
        let runs = from.runs()?;
        drop(from);
        self.attached(other, |case| {
            case.change("merge", |book, seq| {
                copy_rows(book, seq, &wanted)?;
                copy_remarks(book)?;
                for file in &staged {
                    write::file(book, seq, file)?;
                }
                book.execute_batch("DELETE FROM main.campaigns; DELETE FROM main.members;")?;
                let replaced = [
                    &seal::CORRELATIONS,
                    &seal::CAMPAIGNS,
                    &seal::MEMBERS,
                    &seal::REMARKS,
                ];
                let replaced = seal::seals(book, &replaced, 0)?;
                let mut detail = case::batch_detail(book, seq)?;
                if let (Some(seals), Some(more)) = (detail["seals"].as_object_mut(), replaced.as_object()) {
                    seals.extend(more.clone());
                }
                detail["other"] = json!({
                    "entries": head.as_ref().map_or(0, |entry| entry.seq),
                    "head": head.map_or_else(log::origin, |entry| entry.hash),
                    "runs": runs,
                });
                Ok(detail)
            })
        })?;
        for file in &staged {
            layout::place(&self.dir, &file.name, &file.path())?;
        }
        Ok(report)
    }

    /// Stages the wanted events of a file of another case: the file as it is where all of it is wanted.
    fn bring_in(
        &self,
        from: &Case,
        mut file: StagedFile,
        wanted: &FxHashSet<EvidenceId>,
    ) -> Result<Option<StagedFile>, StoreError> {
        let source = layout::events(&from.dir).join(file.path());
        let staging = layout::staging(&self.dir);
        let kept: Vec<EvidenceId> = file
            .evidence
            .iter()
            .copied()
            .filter(|id| wanted.contains(id))
            .collect();
        if kept.is_empty() {
            return Ok(None);
        }
        if kept.len() < file.evidence.len() {
            check_digest(from, &file, &source)?;
            let batches = read_wanted(&source, &kept)?;
            return write_file(&staging, &self.names, file.folder, &batches, kept).map(Some);
        }
        file.name = self.names.part(&file.sha256);
        let target = staging.join(&file.name);
        std::fs::copy(&source, &target).map_err(io_error("copy", &source))?;
        check_digest(from, &file, &target)?;
        Ok(Some(file))
    }

    /// Runs `work` while the casebook of `other` is to be had under the name `other`.
    fn attached(
        &mut self,
        other: &Path,
        work: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let fail = |case: &Self, source| sql_error(&case.dir)(source);
        let name = casebook::read_only_uri(other)?;
        self.book
            .execute("ATTACH DATABASE ? AS other", [name])
            .map_err(|error| fail(self, error))?;
        let result = work(self);
        self.book
            .execute("DETACH DATABASE other", [])
            .map_err(|error| fail(self, error))?;
        result
    }
}

/// The casebook's rows about the wanted evidence, under a new batch; and the findings of correlations, as such.
fn copy_rows(book: &rusqlite::Connection, seq: i64, wanted: &FxHashSet<EvidenceId>) -> rusqlite::Result<()> {
    book.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS wanted (id BLOB PRIMARY KEY); DELETE FROM temp.wanted;",
    )?;
    let mut insert = book.prepare("INSERT INTO temp.wanted (id) VALUES (?)")?;
    for id in wanted {
        insert.execute([id.0])?;
    }
    book.execute(
        "INSERT INTO main.evidence (id, batch, path, sha256, size, format, state, records_read, records_refused)
         SELECT id, ?1, path, sha256, size, format, state, records_read, records_refused FROM other.evidence
         WHERE id IN temp.wanted ORDER BY id",
        [seq],
    )?;
    book.execute(
        "INSERT INTO main.refusals (batch, evidence, record, offset, records, reason)
         SELECT ?1, evidence, record, offset, records, reason FROM other.refusals
         WHERE evidence IN temp.wanted ORDER BY id",
        [seq],
    )?;
    book.execute(
        "INSERT INTO main.premises (batch, rule_id, time, evidence, record, offset, fields)
         SELECT ?1, rule_id, time, evidence, record, offset, fields FROM other.premises
         WHERE evidence IN temp.wanted ORDER BY id",
        [seq],
    )?;
    book.execute(
        "INSERT INTO main.facts (batch, kind, time, evidence, record, offset, body)
         SELECT ?1, kind, time, evidence, record, offset, body FROM other.facts
         WHERE evidence IN temp.wanted ORDER BY id",
        [seq],
    )?;
    book.execute(
        &format!(
            "INSERT OR IGNORE INTO main.findings (batch, {columns})
             SELECT iif(batch = {correlated}, {correlated}, ?1), {columns} FROM other.findings
             WHERE batch = {correlated} OR evidence IN temp.wanted ORDER BY id",
            columns = read::FINDING,
            correlated = write::CORRELATED,
        ),
        [seq],
    )?;
    book.execute_batch("DELETE FROM temp.wanted")
}

/// What people added to the other case; what was taken back in one of them is taken back.
fn copy_remarks(book: &rusqlite::Connection) -> rusqlite::Result<()> {
    book.execute_batch(
        "UPDATE main.remarks SET undone = 1 WHERE (made, author, body) IN
             (SELECT made, author, body FROM other.remarks WHERE undone = 1);
         INSERT INTO main.remarks (made, author, body, undone)
             SELECT made, author, body, undone FROM other.remarks
             WHERE (made, author, body) NOT IN (SELECT made, author, body FROM main.remarks) ORDER BY id;",
    )
}

/// The events files of a case, as they were staged.
fn committed_files(case: &Case) -> Result<Vec<StagedFile>, StoreError> {
    let mut foreign = None;
    let files = case.read(|book| {
        let mut statement =
            book.prepare("SELECT path, sha256, rows, bytes, evidence FROM files ORDER BY path")?;
        let rows = statement.query_map([], |row| {
            let path: String = row.get(0)?;
            let (folder, name) = layout::split_path(&path).unwrap_or_else(|| {
                foreign = Some(path.clone());
                ("", "")
            });
            let ids: Vec<u8> = row.get(4)?;
            Ok(StagedFile {
                name: name.to_owned(),
                folder: folder.to_owned(),
                sha256: Sha256(row.get(1)?),
                rows: read::unsigned(row, 2)?,
                bytes: read::unsigned(row, 3)?,
                evidence: ids.as_chunks::<16>().0.iter().copied().map(EvidenceId).collect(),
            })
        })?;
        rows.collect()
    })?;
    match foreign {
        Some(path) => Err(StoreError::Corrupt {
            dir: case.dir.clone(),
            what: format!("events file {path:?} has no place"),
        }),
        None => Ok(files),
    }
}

fn check_digest(from: &Case, file: &StagedFile, found: &Path) -> Result<(), StoreError> {
    if verify::digest_of(found)? == file.sha256 {
        return Ok(());
    }
    Err(StoreError::Corrupt {
        dir: from.dir.clone(),
        what: format!("events/{} was changed", file.path()),
    })
}

/// The events of `kept` evidence in the file at `path`.
fn read_wanted(path: &Path, kept: &[EvidenceId]) -> Result<Vec<RecordBatch>, StoreError> {
    let wanted: FxHashSet<String> = kept.iter().map(EvidenceId::to_string).collect();
    let file = File::open(path).map_err(io_error("open", path))?;
    let options = ArrowReaderOptions::new().with_schema(events_schema());
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(parquet_error("decode", path))?;
    let mut batches = Vec::new();
    for batch in reader {
        let filtered = batch.and_then(|batch| {
            let ids = batch
                .column_by_name(EVIDENCE)
                .map(|ids| ids.as_string_view().clone());
            let is_wanted: BooleanArray = ids
                .iter()
                .flatten()
                .map(|id| Some(id.is_some_and(|id| wanted.contains(id))))
                .collect();
            filter_record_batch(&batch, &is_wanted)
        });
        let batch = filtered
            .map_err(ParquetError::from)
            .map_err(parquet_error("decode", path))?;
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    Ok(batches)
}
