//! The memory that a hunt may use.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// Shares memory fairly among the parts of a query that can spill to disk, and keeps room for those that cannot.
///
/// DataFusion's `FairSpillPool` lets the parts that can spill take all of it. Merging what two threads have sorted and
/// spilled then fails, because merging itself cannot spill. Here the former get three quarters together.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spillers: usize,
    spillable: usize,
    unspillable: usize,
}

impl SharedMemory {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The numbers are right whatever another thread died of.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryPool for SharedMemory {
    fn name(&self) -> &str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut state = self.state();
        match reservation.consumer().can_spill() {
            true => state.spillable += additional,
            false => state.unspillable += additional,
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        match reservation.consumer().can_spill() {
            true => state.spillable = state.spillable.saturating_sub(shrink),
            false => state.unspillable = state.unspillable.saturating_sub(shrink),
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        if reservation.consumer().can_spill() {
            let for_spillers = (self.limit / 4 * 3).min(self.limit.saturating_sub(state.unspillable));
            let share = for_spillers / state.spillers.max(1);
            if reservation.size() + additional > share {
                return Err(exhausted(reservation, additional, share));
            }
            state.spillable += additional;
        } else {
            let left = self.limit.saturating_sub(state.unspillable + state.spillable);
            if additional > left {
                return Err(exhausted(reservation, additional, left));
            }
            state.unspillable += additional;
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state();
        state.spillable + state.unspillable
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl fmt::Display for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shared({} bytes)", self.limit)
    }
}

fn exhausted(reservation: &MemoryReservation, additional: usize, left: usize) -> DataFusionError {
    let name = reservation.consumer().name();
    let has = reservation.size();
    DataFusionError::ResourcesExhausted(format!(
        "{name} has {has} bytes, wants {additional} more, {left} are left"
    ))
}
