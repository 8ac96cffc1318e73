#![doc = include_str!("explain.md")]
//!
//! # How it works
//!
//! ```text
//! record ──Extractor (any order, all threads)──▶ ProcessFacts ──in order of time──▶ Stream ──▶ findings
//! ```

pub mod baseline;
mod extract;
pub mod score;
mod session;
mod shape;
mod stream;
pub mod table;

pub use baseline::Baseline;
pub use extract::Extractor;
pub use stream::{Confirmed, DAYS_OF_HISTORY, NewShape, Options, Outcome, Ranked, Stream};
pub use table::Table;

/// The code of findings about several commands.
pub const SESSION_CODE: &str = "lotl/session";

/// The code of findings about a single command.
pub const COMMAND_CODE: &str = "lotl/command";

/// What `blackrod explain lotl/session` prints.
pub const EXPLAIN: &str = include_str!("explain.md");
