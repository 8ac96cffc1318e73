//! Events on their way into the case.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blackrod_model::{Class, Event, EvidenceId, Sha256};
use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::Digest as _;

use super::properties::writer_properties;
use super::rows::{RowKey, Rows};
use crate::StoreError;
use crate::error::{io_error, parquet_error};

/// How many bytes of rows an [`EventWriter`] holds before it writes them to `staging/`.
const FLUSH_BYTES: usize = 32 * 1024 * 1024;

/// How many files one flush may make, besides one per class. Evidence that covers more days (twenty
/// years of mail) is cut by month, by year, or not at all, so that files stay large enough to be
/// worth opening. The `day` column in the file is exact whatever the file's folder is called.
const MAX_FILES: usize = 64;

/// Takes events and writes them to Parquet files in the case's `staging/` folder, from where
/// [`crate::Case::commit`] takes them. One per thread; holds at most about 32 MiB of rows.
pub struct EventWriter {
    staging: PathBuf,
    names: FileNames,
    rows: Rows,
    staged: Vec<StagedFile>,
}

/// An events file in `staging/`.
#[derive(Clone, Debug, PartialEq)]
pub struct StagedFile {
    /// Its name in `staging/`, and in the folder that it will be moved to.
    pub(crate) name: String,
    /// The folder below `events/`: `class=process_activity/day=2021-01-22`.
    pub(crate) folder: String,
    /// Digest of the file.
    pub(crate) sha256: Sha256,
    /// Events in it.
    pub(crate) rows: u64,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// The evidence whose events it holds, sorted.
    pub(crate) evidence: Vec<EvidenceId>,
}

impl StagedFile {
    /// Where the file will be, relative to `events/`.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.folder, self.name)
    }

    /// How many events are in it.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Gives each file of a process a number of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileNames(Arc<AtomicU64>);

impl FileNames {
    /// The name of a file with this digest.
    pub(crate) fn part(&self, sha256: &Sha256) -> String {
        format!(
            "part-{}-{:x}-{}.parquet",
            &sha256.to_string()[..24],
            std::process::id(),
            self.next()
        )
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

impl EventWriter {
    pub(crate) fn new(staging: PathBuf, names: FileNames) -> Self {
        Self {
            staging,
            names,
            rows: Rows::new(),
            staged: Vec::new(),
        }
    }

    /// Adds an event of `evidence`.
    ///
    /// # Errors
    ///
    /// When the rows in memory have become many and cannot be written to `staging/`.
    pub fn push(&mut self, evidence: EvidenceId, event: &Event<'_>) -> Result<(), StoreError> {
        self.rows.push(evidence, event);
        if self.rows.bytes() >= FLUSH_BYTES {
            self.write_out()?;
        }
        Ok(())
    }

    /// Writes out all rows and hands over all files since the last call. They become part of the
    /// case by [`crate::Case::commit`], together with the evidence they came from.
    ///
    /// # Errors
    ///
    /// When `staging/` cannot be written to.
    pub fn flush(&mut self) -> Result<Vec<StagedFile>, StoreError> {
        self.write_out()?;
        Ok(std::mem::take(&mut self.staged))
    }

    fn write_out(&mut self) -> Result<(), StoreError> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        let table = self.rows.take();
        for (class, bucket, indices) in partition(&table.keys) {
            let encode = |source| StoreError::Events {
                action: "encode",
                path: self.staging.clone(),
                source: datafusion::parquet::errors::ParquetError::from(source),
            };
            let batch = table.slice(&indices).map_err(encode)?;
            let folder = format!("class={}/day={bucket}", Class(class).name());
            let evidence = table.evidence_in(&indices);
            self.staged.push(write_file(
                &self.staging,
                &self.names,
                folder,
                &[batch],
                evidence,
            )?);
        }
        Ok(())
    }
}

/// Writes `batches` to a new file in `staging`.
pub(crate) fn write_file(
    staging: &Path,
    names: &FileNames,
    folder: String,
    batches: &[RecordBatch],
    evidence: Vec<EvidenceId>,
) -> Result<StagedFile, StoreError> {
    let unnamed = staging.join(format!("new-{:x}-{}.parquet", std::process::id(), names.next()));
    let file = File::create(&unnamed).map_err(io_error("create", &unnamed))?;
    let hashing = HashingWriter {
        inner: BufWriter::with_capacity(256 * 1024, file),
        hasher: sha2::Sha256::new(),
        bytes: 0,
    };
    // The Arrow schema is left out: the Parquet types say all there is, and it would be the larger part of small files.
    let options = ArrowWriterOptions::new()
        .with_properties(writer_properties())
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(hashing, super::schema::events_schema(), options)
        .map_err(parquet_error("encode", &unnamed))?;
    let mut rows = 0;
    for batch in batches {
        rows += batch.num_rows() as u64;
        writer.write(batch).map_err(parquet_error("write", &unnamed))?;
    }
    let mut hashing = writer.into_inner().map_err(parquet_error("write", &unnamed))?;
    hashing.flush().map_err(io_error("write", &unnamed))?;

    let sha256 = Sha256(hashing.hasher.finalize().into());
    let name = names.part(&sha256);
    let named = staging.join(&name);
    std::fs::rename(&unnamed, &named).map_err(io_error("rename", &unnamed))?;
    Ok(StagedFile {
        name,
        folder,
        sha256,
        rows,
        bytes: hashing.bytes,
        evidence,
    })
}

/// Cuts rows into files: class, name of the stretch of time, and the rows in the order of their times.
fn partition(keys: &[RowKey]) -> Vec<(u32, String, Vec<u32>)> {
    let buckets = Buckets::new(keys);
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    let sort_key = |&index: &u32| {
        let key = keys[index as usize];
        (key.class, buckets.of(key.day), key.time, index)
    };
    order.sort_unstable_by_key(sort_key);
    order
        .chunk_by(|&a, &b| {
            let (a, b) = (keys[a as usize], keys[b as usize]);
            a.class == b.class && buckets.of(a.day) == buckets.of(b.day)
        })
        .map(|indices| {
            let key = keys[indices[0] as usize];
            (key.class, buckets.name(key.day).to_owned(), indices.to_vec())
        })
        .collect()
}

/// Which stretch of time each day belongs to: the day itself, or its month or year where there are
/// too many days.
struct Buckets {
    names: Vec<String>,
    of_day: FxHashMap<i64, usize>,
}

/// What remains of `2021-01-22` as the name of a day, a month, a year, and of all time.
const CUTS: [usize; 4] = [0, 3, 6, usize::MAX];

impl Buckets {
    fn new(keys: &[RowKey]) -> Self {
        let pairs: FxHashSet<(u32, i64)> = keys.iter().map(|key| (key.class, key.day)).collect();
        let days: FxHashMap<i64, String> = pairs
            .iter()
            .map(|&(_, day)| (day, RowKey::day_text(day)))
            .collect();
        let cut = CUTS
            .into_iter()
            .find(|&cut| {
                let files: FxHashSet<(u32, &str)> = pairs
                    .iter()
                    .map(|&(class, day)| (class, cut_day(&days[&day], cut)))
                    .collect();
                files.len() <= MAX_FILES
            })
            .unwrap_or(usize::MAX);

        let mut names: Vec<String> = days.values().map(|day| cut_day(day, cut).to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        let of_day = days
            .iter()
            .filter_map(|(&day, text)| {
                let name = cut_day(text, cut);
                names
                    .binary_search_by(|known| known.as_str().cmp(name))
                    .ok()
                    .map(|index| (day, index))
            })
            .collect();
        Self { names, of_day }
    }

    fn of(&self, day: i64) -> usize {
        self.of_day.get(&day).copied().unwrap_or_default()
    }

    fn name(&self, day: i64) -> &str {
        self.names.get(self.of(day)).map_or("unknown", String::as_str)
    }
}

/// `2021-01-22` without its last `cut` characters; days that are not known stay as they are.
fn cut_day(day: &str, cut: usize) -> &str {
    if day == "unknown" {
        return day;
    }
    match day.len().checked_sub(cut) {
        Some(kept) => day.get(..kept).unwrap_or(day),
        None => "all",
    }
}

/// Hashes what is written.
struct HashingWriter<W> {
    inner: W,
    hasher: sha2::Sha256,
    bytes: u64,
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blackrod_model::Timestamp;

    const DAY: i64 = 86_400;

    fn key(class: u32, seconds: i64) -> RowKey {
        RowKey {
            class,
            day: seconds.div_euclid(DAY),
            time: Timestamp::from_seconds(seconds),
        }
    }

    #[test]
    fn rows_are_cut_by_class_and_day_and_sorted_by_time() {
        let keys = [key(2, DAY), key(1, 5), key(1, DAY + 1), key(1, 4), key(2, DAY)];
        let files = partition(&keys);
        let expected = vec![
            (1, "1970-01-01".to_owned(), vec![3, 1]),
            (1, "1970-01-02".to_owned(), vec![2]),
            (2, "1970-01-02".to_owned(), vec![0, 4]),
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn twenty_years_do_not_make_thousands_of_files() {
        let keys: Vec<RowKey> = (0..7_300).map(|day| key(1, day * DAY)).collect();
        let files = partition(&keys);
        assert_eq!(files.len(), 20);
        assert_eq!(files[0].1, "1970");
        assert_eq!(files.iter().map(|file| file.2.len()).sum::<usize>(), keys.len());

        let quarter: Vec<RowKey> = (0..90).map(|day| key(1, day * DAY)).collect();
        let names: Vec<String> = partition(&quarter).into_iter().map(|file| file.1).collect();
        assert_eq!(names, ["1970-01", "1970-02", "1970-03"]);

        let hostile: Vec<RowKey> = (0..2_000).map(|year| key(1, year * 400 * DAY)).collect();
        assert_eq!(partition(&hostile).len(), 1);
    }
}
