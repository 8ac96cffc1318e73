#![doc = include_str!("explain.md")]
//!
//! # How it works
//!
//! ```text
//! record ──Extractor (any order, all threads)──▶ ProcessFacts ──in order of time──▶ Stream ──▶ findings
//! ```

pub mod baseline;
mod budget;
mod extract;
mod lately;
mod news;
mod operation;
pub mod score;
mod session;
mod shape;
mod stream;
mod surroundings;
pub mod table;
mod telling;

pub use baseline::Baseline;
pub use extract::Extractor;
pub use stream::{Options, Outcome, Ranked, Stream};
pub use table::Table;

/// Fewer days than this are no history.
pub const DAYS_OF_HISTORY: usize = 7;

/// In microseconds.
const HOUR: i64 = 3_600_000_000;

/// The code of findings about several commands.
pub const SESSION_CODE: &str = "lotl/session";

/// The code of findings about a single command.
pub const COMMAND_CODE: &str = "lotl/command";

/// What `blackrod explain lotl/session` prints.
pub const EXPLAIN: &str = include_str!("explain.md");
