//! Getting at evidence: finding the files, opening what is packed, deciding what each piece is.
//!
//! ```text
//! walk ──▶ TopLevel ──hash_file──▶ Sha256 ──feed──▶ Feed: begin, block…, end   (the file)
//!                                                         begin, block…, end   (each member)
//! ```
//!
//! Nothing here fails as a whole because a piece of evidence is bad: what is wrong with it is part
//! of what [`Feed`] is told.

mod feed;
mod limits;
mod stream;
mod walk;

#[cfg(test)]
mod tests;

pub use feed::{Feed, Finished, ItemKey, feed};
pub use limits::Limits;
pub use walk::{Problem, TopLevel, Walk, WalkError, hash_file, walk};

pub(crate) use stream::{Fault, Packed, Stream};
