//! Evidence → case, on all cores, with bounded memory, so that a kill at any moment loses nothing.
//!
//! The files are taken in **batches** of about [`BATCH_BYTES`]. Within a batch every thread does
//! whatever there is to do: parse a block that waits in the queue, or, if none does, open the next
//! file and cut it into blocks; when the queue is full, the one who fills it empties it too. So one
//! file of 4 GB and ten thousand of 400 kB both keep all cores busy, and no more than a queue of
//! blocks is ever in memory. A batch is committed as a whole; what a killed run had not committed
//! is read again by the next.

mod item;
mod worker;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, anyhow};
use blackrod_detect::{Detectors, SeenSources};
use blackrod_model::EvidenceId;
use blackrod_read::Formats;
use blackrod_read::evidence::{Limits, TopLevel};
use blackrod_store::{Batch, Case, EventWriter};

use crate::progress::Progress;
use item::Items;
use worker::{Job, Output, Worker};

/// How much evidence is committed at once. Large enough that waiting for the last thread of a
/// batch and writing out its files is a small part of the work, small enough that a kill costs
/// seconds.
const BATCH_BYTES: u64 = 256 * 1024 * 1024;

/// How many blocks may wait per thread. A block is about 1 MiB.
const QUEUE_PER_THREAD: usize = 4;

/// What reading needs besides the evidence.
pub(crate) struct Pipeline<'a> {
    pub(crate) case: &'a mut Case,
    pub(crate) detectors: &'a Detectors,
    pub(crate) formats: &'a Formats,
    pub(crate) limits: Limits,
    pub(crate) threads: usize,
    pub(crate) progress: &'a Progress,
}

/// What a run over evidence came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Files that the case knew already.
    pub(crate) known: usize,
    /// Which logs the evidence of this run holds.
    pub(crate) seen: SeenSources,
}

/// What the threads of one batch share.
struct Shared<'a> {
    files: &'a [TopLevel],
    next_file: AtomicUsize,
    files_done: AtomicUsize,
    /// What the case has, and what this run has taken on: two arguments may name one file.
    known: &'a Mutex<HashSet<EvidenceId>>,
    known_files: AtomicUsize,
    formats: &'a Formats,
    limits: &'a Limits,
    progress: &'a Progress,
    items: Mutex<Items>,
    jobs: (
        crossbeam_channel::Sender<Job<'a>>,
        crossbeam_channel::Receiver<Job<'a>>,
    ),
    failed: AtomicBool,
    failure: Mutex<Option<anyhow::Error>>,
}

impl Shared<'_> {
    /// Keeps the first failure and tells all threads to stop.
    fn fail(&self, error: anyhow::Error) {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert(error);
        }
        self.failed.store(true, Ordering::Release);
    }

    /// Takes on the file with this id; false where that was done before.
    fn take_on(&self, id: EvidenceId) -> bool {
        self.known.lock().is_ok_and(|mut known| known.insert(id))
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

impl Pipeline<'_> {
    /// Reads `files` into the case and looks for what is hostile in them. Files that the case
    /// knows already are skipped.
    ///
    /// # Errors
    ///
    /// Only where the case cannot be written (a full disk). What is wrong with the evidence goes
    /// into the ledger.
    pub(crate) fn run(&mut self, files: &[TopLevel]) -> anyhow::Result<Tally> {
        let known = Mutex::new(self.case.evidence_ids()?.into_iter().collect());
        let mut tally = Tally::default();
        let mut writers = (0..self.threads)
            .map(|_| self.case.event_writer())
            .collect::<Result<Vec<EventWriter>, _>>()?;
        for batch in batches(files) {
            self.run_batch(&files[batch], &mut writers, &known, &mut tally)?;
        }
        Ok(tally)
    }

    fn run_batch(
        &mut self,
        files: &[TopLevel],
        writers: &mut [EventWriter],
        known: &Mutex<HashSet<EvidenceId>>,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let shared = Shared {
            files,
            next_file: AtomicUsize::new(0),
            files_done: AtomicUsize::new(0),
            known,
            known_files: AtomicUsize::new(0),
            formats: self.formats,
            limits: &self.limits,
            progress: self.progress,
            items: Mutex::new(Items::default()),
            jobs: crossbeam_channel::bounded(QUEUE_PER_THREAD * writers.len()),
            failed: AtomicBool::new(false),
            failure: Mutex::new(None),
        };
        let mut staged = Vec::new();
        std::thread::scope(|scope| {
            let (outputs, inbox) = crossbeam_channel::bounded(2 * writers.len());
            for writer in writers.iter_mut() {
                let shared = &shared;
                let detectors = self.detectors;
                let outputs = outputs.clone();
                scope.spawn(move || Worker::new(detectors.scanner(), writer).run(shared, &outputs));
            }
            drop(outputs);
            for output in inbox {
                let kept = match output {
                    Output::Found(found) => self.case.stage(&found.findings, &found.premises, &found.facts),
                    Output::Done(files, seen) => {
                        staged.extend(files);
                        tally.seen.merge(seen);
                        Ok(())
                    }
                };
                if let Err(error) = kept {
                    shared.fail(error.into());
                }
            }
        });
        if let Some(error) = shared
            .failure
            .into_inner()
            .map_err(|_| anyhow!("a thread died"))?
        {
            return Err(error.context("the case could not be written; run the same command again to go on"));
        }
        let (evidence, refusals) = shared
            .items
            .into_inner()
            .map_err(|_| anyhow!("a thread died"))?
            .finish();
        tally.known += shared.known_files.into_inner();
        self.case
            .commit(Batch {
                evidence,
                refusals,
                files: staged,
            })
            .context("the case could not be written; run the same command again to go on")?;
        Ok(())
    }
}

/// Cuts the list of files into consecutive stretches of about [`BATCH_BYTES`].
fn batches(files: &[TopLevel]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (index, file) in files.iter().enumerate() {
        bytes += file.size;
        if bytes >= BATCH_BYTES {
            ranges.push(start..index + 1);
            start = index + 1;
            bytes = 0;
        }
    }
    if start < files.len() {
        ranges.push(start..files.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size: u64) -> TopLevel {
        TopLevel {
            path: "x".into(),
            name: "x".to_owned(),
            size,
        }
    }

    #[test]
    fn batches_cover_every_file_once() {
        let files: Vec<TopLevel> = [1, BATCH_BYTES, 0, 5, BATCH_BYTES / 2, BATCH_BYTES * 3, 7]
            .into_iter()
            .map(file)
            .collect();
        assert_eq!(batches(&files), vec![0..2, 2..6, 6..7]);
        assert!(batches(&[]).is_empty());
    }
}
