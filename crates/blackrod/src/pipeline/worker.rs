//! What one thread does.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use blackrod_detect::{Found, Scanner, SeenSources};
use blackrod_model::{Event, EvidenceId, EvidenceState, Flow, Position, Refusal, Sha256};
use blackrod_read::evidence::{Feed, Finished, ItemKey, TopLevel, feed, hash_file};
use blackrod_read::{Block, Format, Sink};
use blackrod_store::{EventWriter, StagedFile, StoreError};
use crossbeam_channel::{Sender, TrySendError};

use super::Shared;
use super::item::Item;

/// Findings, premises and facts are handed over in lots of this many, so that those of a single huge file do not pile
/// up in memory.
const LOT: usize = 2_000;

/// A piece of work that any thread can do: a block to be parsed.
pub(super) struct Job<'f> {
    item: Arc<Item>,
    format: &'f dyn Format,
    block: Block,
}

/// What threads hand to the one that writes the casebook.
pub(super) enum Output {
    /// Findings, premises and facts of records read so far.
    Found(Found),
    /// What is left when the thread has nothing more to do: files with the events of the batch, and
    /// which logs they came from.
    Done(Vec<StagedFile>, SeenSources),
}

/// One thread's tools. Made in the thread itself: a scanner cannot be handed to another.
pub(super) struct Worker<'d, 'w> {
    scanner: Scanner<'d>,
    writer: &'w mut EventWriter,
    found: Found,
}

impl<'d, 'w> Worker<'d, 'w> {
    pub(super) fn new(scanner: Scanner<'d>, writer: &'w mut EventWriter) -> Self {
        Self {
            scanner,
            writer,
            found: Found::default(),
        }
    }

    /// Works until nothing of the batch is left to do.
    pub(super) fn run(mut self, shared: &Shared<'_>, outputs: &Sender<Output>) {
        let jobs = &shared.jobs.1;
        while !shared.has_failed() {
            if let Ok(job) = jobs.try_recv() {
                self.process(job, shared, outputs);
                continue;
            }
            let index = shared.next_file.fetch_add(1, Ordering::AcqRel);
            if let Some(file) = shared.files.get(index) {
                self.feed_file(file, shared, outputs);
                shared.files_done.fetch_add(1, Ordering::AcqRel);
                continue;
            }
            // Read before looking at the queue: once all files are done nothing is added to it.
            let all_fed = shared.files_done.load(Ordering::Acquire) >= shared.files.len();
            match jobs.recv_timeout(Duration::from_millis(2)) {
                Ok(job) => self.process(job, shared, outputs),
                Err(_) if all_fed => break,
                Err(_) => {}
            }
        }
        self.hand_over(outputs);
        match self.writer.flush() {
            Ok(files) => {
                // The receiver is gone only when the whole run is being given up.
                let _ = outputs.send(Output::Done(files, self.scanner.into_seen()));
            }
            Err(error) => shared.fail(error.into()),
        }
    }

    fn feed_file(&mut self, file: &TopLevel, shared: &Shared<'_>, outputs: &Sender<Output>) {
        let mut feeder = Feeder {
            worker: self,
            shared,
            outputs,
            items: Vec::new(),
            shown: 0,
        };
        match hash_file(&file.path) {
            Ok((sha256, _)) if !shared.take_on(EvidenceId::new(&sha256, &file.name)) => {
                shared.known_files.fetch_add(1, Ordering::Relaxed);
            }
            Ok((sha256, _)) => {
                feed(file, &sha256, shared.formats, shared.limits, &mut feeder);
            }
            Err(error) => feeder.record_unreadable(file, &error),
        }
        let shown = feeder.shown;
        shared.progress.add(file.size.saturating_sub(shown), 0, 0);
        shared.progress.file_done();
    }

    /// Parses a block, looks at its records and stores them.
    fn process(&mut self, job: Job<'_>, shared: &Shared<'_>, outputs: &Sender<Output>) {
        let findings_before = self.found.findings.len();
        let mut sink = BlockSink {
            worker: self,
            item: &job.item,
            records: 0,
            failure: None,
        };
        job.format.parse(&job.block, &mut sink);
        let records = sink.records;
        let failure = sink.failure;
        job.item.count_read(records);
        self.scanner.end_of_block(&mut self.found);
        if let Some(error) = failure {
            shared.fail(error.into());
        }
        self.settle(&job.item, records, findings_before, shared, outputs);
    }

    /// Searches the content of a file of no known format.
    fn search(&mut self, item: &Item, bytes: &[u8], shared: &Shared<'_>, outputs: &Sender<Output>) {
        let findings_before = self.found.findings.len();
        let sha256 = Sha256::of(bytes);
        self.scanner
            .content(item.id, &item.path, bytes, &sha256, &mut self.found);
        self.settle(item, 0, findings_before, shared, outputs);
    }

    /// Puts down what came of a piece of work.
    fn settle(
        &mut self,
        item: &Item,
        records: u64,
        findings_before: usize,
        shared: &Shared<'_>,
        outputs: &Sender<Output>,
    ) {
        self.found
            .refusals
            .drain(..)
            .for_each(|refusal| item.refuse(refusal));
        let findings = self.found.findings.len() - findings_before;
        shared.progress.add(0, records, findings as u64);
        if self.found.len() >= LOT {
            self.hand_over(outputs);
        }
    }

    fn hand_over(&mut self, outputs: &Sender<Output>) {
        let found = std::mem::take(&mut self.found);
        if !found.is_empty() {
            let _ = outputs.send(Output::Found(found));
        }
    }
}

/// Takes the records of one block: looks at each, then stores it.
struct BlockSink<'s, 'd, 'w> {
    worker: &'s mut Worker<'d, 'w>,
    item: &'s Item,
    records: u64,
    failure: Option<StoreError>,
}

impl Sink for BlockSink<'_, '_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.records += 1;
        self.summary(event);
    }

    fn flows(&mut self, at: Position, flows: &[Flow]) {
        self.records += flows.len() as u64;
        self.worker.scanner.flows(self.item.id, at, flows);
    }

    fn summary(&mut self, event: Event<'_>) {
        if self.failure.is_some() {
            return;
        }
        let worker = &mut *self.worker;
        worker.scanner.event(self.item.id, &event, &mut worker.found);
        self.failure = worker.writer.push(self.item.id, &event).err();
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.item.refuse(refusal);
    }
}

/// Puts what one file is cut into in the queue, and empties the queue itself while it is full.
struct Feeder<'s, 'f, 'd, 'w> {
    worker: &'s mut Worker<'d, 'w>,
    shared: &'s Shared<'f>,
    outputs: &'s Sender<Output>,
    items: Vec<Arc<Item>>,
    shown: u64,
}

impl<'f> Feeder<'_, 'f, '_, '_> {
    fn give(&mut self, mut job: Job<'f>) -> ControlFlow<()> {
        let (sender, receiver) = &self.shared.jobs;
        loop {
            match sender.try_send(job) {
                Ok(()) => break,
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => job = back,
            }
            if self.shared.has_failed() {
                return ControlFlow::Break(());
            }
            if let Ok(waiting) = receiver.try_recv() {
                self.worker.process(waiting, self.shared, self.outputs);
            }
        }
        ControlFlow::Continue(())
    }

    fn item(&self, key: ItemKey) -> Option<&Arc<Item>> {
        self.items.get(usize::try_from(key).ok()?)
    }

    fn record_unreadable(&mut self, file: &TopLevel, error: &std::io::Error) {
        let nothing = Sha256::of(b"");
        let key = self.begin(EvidenceId::new(&nothing, &file.name), &file.name);
        self.end(
            key,
            Finished {
                sha256: nothing,
                size: 0,
                format: "unreadable".to_owned(),
                state: EvidenceState::Failed,
                refusals: vec![Refusal {
                    at: Position::START,
                    records: 0,
                    reason: format!("cannot be read: {error}"),
                }],
            },
        );
    }
}

impl<'f> Feed<'f> for Feeder<'_, 'f, '_, '_> {
    fn begin(&mut self, id: EvidenceId, path: &str) -> ItemKey {
        let item = Arc::new(Item::new(id, path));
        if let Ok(mut items) = self.shared.items.lock() {
            items.push(Arc::clone(&item));
        }
        self.items.push(item);
        ItemKey::try_from(self.items.len() - 1).unwrap_or(ItemKey::MAX)
    }

    fn block(&mut self, key: ItemKey, format: &'f dyn Format, block: Block) -> ControlFlow<()> {
        let Some(item) = self.item(key).map(Arc::clone) else {
            return ControlFlow::Break(());
        };
        if key == 0 {
            let bytes = block.bytes.len() as u64;
            self.shown += bytes;
            self.shared.progress.add(bytes, 0, 0);
        }
        self.give(Job { item, format, block })
    }

    fn content(&mut self, key: ItemKey, bytes: Vec<u8>) {
        // Searched here and now: contents are large, and a queue of them would fill memory.
        if let Some(item) = self.item(key).map(Arc::clone) {
            self.worker.search(&item, &bytes, self.shared, self.outputs);
        }
    }

    fn end(&mut self, key: ItemKey, finished: Finished) {
        if let Some(item) = self.item(key) {
            item.finish(finished);
        }
    }
}
