//! Egress: what leaves a machine of the estate that did not leave it before.

pub(crate) mod outflows;
mod stream;
#[cfg(test)]
mod tests;
mod users;

pub use stream::Stream;

/// The code of findings about a day.
pub const BURST: &str = "egress/burst";
/// The code of findings about weeks.
pub const SLOW: &str = "egress/slow";

/// What this finds and misses.
pub const EXPLAIN: &str = include_str!("explain.md");
