//! The steps of a commit between which a process may be killed; tests stop after each.

use crate::StoreError;

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The staged files are on the disk.
    Synced,
    /// The rows are in, the transaction is open.
    Inserted,
    /// The transaction is committed; all files are still staged.
    Committed,
    /// One file is moved.
    Moved,
}

#[cfg(not(test))]
pub(crate) fn reached(_: Step) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
thread_local! {
    /// Where the next commit of this thread is to stop.
    pub(crate) static STOP_AFTER: std::cell::Cell<Option<Step>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
pub(crate) fn reached(step: Step) -> Result<(), StoreError> {
    match STOP_AFTER.get() {
        Some(stop) if stop == step => Err(StoreError::Killed),
        _ => Ok(()),
    }
}
