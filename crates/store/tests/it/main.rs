//! The case as its callers see it.
#![allow(clippy::unwrap_used)]

mod custody;
mod hunts;
mod invented;
mod kill;
mod locks;
mod merging;
