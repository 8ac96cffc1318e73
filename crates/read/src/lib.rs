//! Evidence → events.
//!
//! Reading has two halves, so that one enormous file uses every core and memory stays flat however
//! large it is:
//!
//! 1. A format **splits** its input into [`Block`]s: cheap, sequential, on one thread.
//! 2. It **parses** each block into events: the costly half, on any thread, in any order.
//!
//! ```text
//! bytes ──recognise──▶ Format ──split──▶ Block ┬─parse─▶ events, refusals
//!                                              ├─parse─▶ …
//! ```
//!
//! A format is one file of this crate and one line of [`formats`]. The format of a piece of
//! evidence is decided by its content alone; names are never trusted.

mod cloud;
mod container;
mod database;
pub mod evidence;
mod evtx;
mod format;
mod generic;
#[cfg(test)]
mod harness;
mod json;
pub mod mail;
mod net;
mod reports;
mod text;
mod textinput;
mod times;
mod watch;
mod window;
pub mod windows;
mod winjson;

pub use container::container_names;
pub use format::{Block, Format, Formats, HEAD_LEN, Known, ReadError, Sink, SplitOutcome, formats};
pub use generic::{FieldMapError, FieldMaps};
