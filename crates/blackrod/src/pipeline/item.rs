//! The pieces of evidence of a batch, while they are being read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use blackrod_model::{Evidence, EvidenceId, EvidenceState, Refusal, Sha256};
use blackrod_read::evidence::Finished;

/// Up to this many refusals of one piece of evidence are kept one by one; beyond, one line per
/// reason tells how many more there were. A file of a hundred million broken lines must not fill
/// memory.
const REFUSALS_KEPT: usize = 10_000;

/// A piece of evidence that is being read, perhaps by several threads.
pub(super) struct Item {
    pub(super) id: EvidenceId,
    pub(super) path: String,
    read: AtomicU64,
    refused: AtomicU64,
    ledger: Mutex<Ledger>,
    finished: OnceLock<Finished>,
}

impl Item {
    pub(super) fn new(id: EvidenceId, path: &str) -> Self {
        Self {
            id,
            path: path.to_owned(),
            read: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            ledger: Mutex::default(),
            finished: OnceLock::new(),
        }
    }

    /// So many more records became events.
    pub(super) fn count_read(&self, records: u64) {
        self.read.fetch_add(records, Ordering::Relaxed);
    }

    /// Something did not.
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.refused.fetch_add(refusal.records, Ordering::Relaxed);
        if let Ok(mut ledger) = self.ledger.lock() {
            ledger.add(refusal);
        }
    }

    /// Its input has been cut up to the end; blocks of it may still be waiting.
    pub(super) fn finish(&self, mut finished: Finished) {
        for refusal in finished.refusals.drain(..) {
            self.refuse(refusal);
        }
        // Set once, by the one thread that cuts this evidence.
        let _ = self.finished.set(finished);
    }
}

/// The refusals of one piece of evidence.
#[derive(Default)]
struct Ledger {
    lines: Vec<Refusal>,
    more: HashMap<String, Refusal>,
}

impl Ledger {
    fn add(&mut self, refusal: Refusal) {
        if self.lines.len() < REFUSALS_KEPT {
            self.lines.push(refusal);
            return;
        }
        let reason = if self.more.len() < REFUSALS_KEPT || self.more.contains_key(&refusal.reason) {
            refusal.reason.clone()
        } else {
            "various reasons".to_owned()
        };
        let sum = self.more.entry(reason.clone()).or_insert_with(|| Refusal {
            at: refusal.at,
            records: 0,
            reason: format!("{reason} (this and all further ones of this kind)"),
        });
        sum.at = sum.at.min(refusal.at);
        sum.records += refusal.records;
    }

    fn into_sorted(self) -> Vec<Refusal> {
        let mut lines = self.lines;
        lines.extend(self.more.into_values());
        lines.sort_by(|a, b| (a.at, &a.reason).cmp(&(b.at, &b.reason)));
        lines
    }
}

/// All pieces of evidence of a batch.
#[derive(Default)]
pub(super) struct Items(Vec<Arc<Item>>);

impl Items {
    pub(super) fn push(&mut self, item: Arc<Item>) {
        self.0.push(item);
    }

    /// What the case keeps of them, ordered by path, once every block has been parsed.
    pub(super) fn finish(self) -> (Vec<Evidence>, Vec<(EvidenceId, Refusal)>) {
        let mut evidence = Vec::with_capacity(self.0.len());
        let mut refusals = Vec::new();
        for item in self.0 {
            let Some(item) = Arc::into_inner(item) else {
                continue;
            };
            let finished = item.finished.into_inner().unwrap_or_else(never_finished);
            evidence.push(Evidence {
                id: item.id,
                path: item.path,
                sha256: finished.sha256,
                size: finished.size,
                format: finished.format,
                records_read: item.read.into_inner(),
                records_refused: item.refused.into_inner(),
                state: finished.state,
            });
            let ledger = item.ledger.into_inner().unwrap_or_default();
            refusals.extend(ledger.into_sorted().into_iter().map(|refusal| (item.id, refusal)));
        }
        evidence.sort_by(|a, b| a.path.cmp(&b.path));
        (evidence, refusals)
    }
}

/// For an item whose reading stopped because another thread failed; such a batch is not committed.
fn never_finished() -> Finished {
    Finished {
        sha256: Sha256([0; 32]),
        size: 0,
        format: String::new(),
        state: EvidenceState::Failed,
        refusals: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use blackrod_model::Position;

    use super::*;

    #[test]
    fn a_flood_of_refusals_is_counted_not_kept() {
        let item = Item::new(EvidenceId([0; 16]), "x");
        for record in 1..=50_000 {
            item.refuse(Refusal {
                at: Position {
                    offset: record,
                    record,
                },
                records: 1,
                reason: "not JSON".to_owned(),
            });
        }
        let mut items = Items::default();
        items.push(Arc::new(item));
        let (evidence, refusals) = items.finish();
        assert_eq!(evidence.first().map(|one| one.records_refused), Some(50_000));
        assert_eq!(refusals.len(), REFUSALS_KEPT + 1);
        let told: u64 = refusals.iter().map(|(_, refusal)| refusal.records).sum();
        assert_eq!(told, 50_000);
    }
}
