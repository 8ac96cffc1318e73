//! Events in Parquet.

mod properties;
mod rows;
mod schema;
mod writer;

pub use schema::events_schema;
pub(crate) use schema::{CLASS, EVIDENCE};
pub use writer::{EventWriter, StagedFile};
pub(crate) use writer::{FileNames, write_file};
