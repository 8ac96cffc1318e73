//! Flows → floods and leaks.
//!
//! A part of `detect` that needs none of its rules, and a crate of its own so that it can be measured alone: flows
//! come by the million.
//!
//! [`Watch`] takes the flows of a block of evidence, on any thread, and makes [`Fact`](blackrod_model::Fact)s of each
//! window of them; the windows depend on the evidence alone. [`volume::Stream`] and [`egress::Stream`] judge these in
//! the order of time. What is kept of a window is bounded, whatever its addresses are.

pub mod egress;
mod inside;
mod records;
mod sample;
pub mod volume;
mod watch;

pub use watch::Watch;

/// Microseconds in a minute.
const MINUTE: i64 = 60_000_000;
/// Microseconds in a day.
const DAY: i64 = 86_400_000_000;
