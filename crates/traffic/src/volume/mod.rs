//! Volumetric floods: packets in such numbers that a line or a machine has no room for others.

mod filters;
mod forged;
pub(crate) mod inrushes;
mod kinds;
mod lasting;
mod past;
mod stream;
#[cfg(test)]
mod tests;

pub use stream::{Outcome, Stream};

/// The code of findings.
pub const CODE: &str = "flood/volume";

/// What this finds and misses.
pub const EXPLAIN: &str = include_str!("explain.md");
