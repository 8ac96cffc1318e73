//! The case on disk: events in Parquet, the casebook in SQLite, SQL over both through DataFusion.
//!
//! A case is a folder:
//!
//! | name | what |
//! |---|---|
//! | `case.sqlite` | the casebook: evidence, refusals, findings, premises, facts, campaigns, rules, runs, the log |
//! | `events/class=<name>/day=<day>/part-*.parquet` | events by class and day; columns: [`events_schema`]. `<day>` is a month, a year or `all` where evidence covers very many days; the column `day` is always exact |
//! | `staging/` | events that are not committed yet |
//! | `lock` | held by the process that writes, whose number is in it |
//! | `tmp/` | where hunts spill what does not fit their memory |
//!
//! **Nothing is lost, nothing is there twice.** Events are written to `staging/` first. A commit waits until they are on
//! the disk, enters evidence, findings and the list of files into the casebook in one transaction, and moves the files
//! to `events/`. A process that is killed before the transaction leaves files that nobody knows; the next to open the
//! case removes them, and the evidence is read again. One that is killed after it leaves files that the casebook knows;
//! the next to open the case moves them. Ids of evidence and findings depend on content alone, so the second reading
//! gives what the first would have given.
//!
//! **Every change is in the log**, whose entries form a chain of hashes and hold digests of what they brought in;
//! [`Case::verify`] computes all of them anew.

mod assess;
mod case;
mod casebook;
mod error;
mod events;
mod fault;
mod findings;
mod floods;
pub mod hunt;
mod layout;
mod lock;
mod mail;
mod merge;
mod shapes;
mod summary;
#[cfg(test)]
mod testing;
mod verify;

pub use assess::Version;
pub use case::{Batch, Case, RunId};
pub use casebook::log::LogEntry;
pub use error::StoreError;
pub use events::{EventWriter, StagedFile, events_schema};
pub use mail::MessageJudgement;
pub use merge::MergeReport;
pub use summary::{RefusalCount, Summary};
pub use verify::{Problem, VerifyOptions, VerifyReport};
