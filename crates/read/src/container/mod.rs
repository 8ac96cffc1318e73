//! Containers: evidence that holds other evidence.
//!
//! A container is one file of this folder and one line of [`containers`]. It hands its members to
//! a [`Members`], one after the other; names in it are labels and never become file paths.

mod compressed;
mod tar;
mod zip;

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;

use blackrod_model::{Position, Refusal};

use crate::evidence::{Packed, Stream};

/// A kind of container.
pub(crate) trait Container: Sync {
    /// The short name used in the case: `zip`.
    fn name(&self) -> &'static str;

    /// Whether content that begins with `head` is of this kind.
    fn recognise(&self, head: &[u8]) -> bool;

    /// Hands every member to `members`.
    fn open(&self, input: Input<'_, '_>, members: &mut dyn Members) -> Opening;
}

/// All kinds of containers.
pub(crate) fn containers() -> &'static [&'static dyn Container] {
    &[
        &zip::Zip,
        &compressed::GZIP,
        &compressed::ZSTD,
        &compressed::BZIP2,
        &compressed::XZ,
        &tar::Tar,
    ]
}

/// The names of all kinds of containers that are opened.
pub fn container_names() -> impl Iterator<Item = &'static str> {
    containers().iter().map(|container| container.name())
}

/// A container's content.
pub(crate) struct Input<'a, 'r> {
    /// The content as it comes.
    pub(crate) stream: &'a mut Stream<'r>,
    /// The same content as a file, where the container is not itself a member of another one.
    pub(crate) file: Option<&'a File>,
    /// What the container is called, last component only.
    pub(crate) name: &'a str,
}

/// Takes the members of a container.
pub(crate) trait Members {
    /// Takes a member. A break means that no further one is wanted.
    fn member(&mut self, member: &Member<'_>, content: &mut dyn Read) -> ControlFlow<()>;

    /// Takes note of a member that cannot be read at all.
    fn unreadable(&mut self, name: &str, reason: String) -> ControlFlow<()>;
}

/// What a container says about one of its members.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    /// Its name in the container, however hostile.
    pub(crate) name: &'a str,
    /// How many bytes it is said to have, where the container's own checks do not see to that.
    pub(crate) expected: Option<u64>,
    /// How many packed bytes it is made from.
    pub(crate) packed: Packed,
}

/// What came of opening a container.
pub(crate) enum Opening {
    /// Its members were handed over.
    Opened(Findings),
    /// It is a document that merely uses the container's format (OOXML, ODF, JAR); here is its
    /// content, from the start.
    Document(File),
    /// It could not be opened at all.
    Failed(String),
}

/// What was found out about a container besides its members.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What is in it and was not handed over.
    pub(crate) refusals: Vec<Refusal>,
    /// It is damaged or was not read to its end; a refusal says how.
    pub(crate) incomplete: bool,
    unnamed: u64,
}

impl Findings {
    /// So many links and special files are listed one by one.
    const MAX_LISTED: usize = 1_000;

    /// Notes damage, after which nothing or only part of the rest could be read.
    pub(crate) fn damage(&mut self, offset: u64, reason: String) {
        self.incomplete = true;
        self.refusals.push(note(offset, reason));
    }

    /// Notes a member that has no content of its own: a link, a device.
    pub(crate) fn leave_out(&mut self, offset: u64, reason: String) {
        if self.refusals.len() < Self::MAX_LISTED {
            self.refusals.push(note(offset, reason));
        } else {
            self.unnamed += 1;
        }
    }

    /// The refusals, with the number of those that were not listed one by one.
    pub(crate) fn into_refusals(mut self) -> Vec<Refusal> {
        if self.unnamed > 0 {
            let reason = format!("{} further links and special files", self.unnamed);
            self.refusals.push(note(0, reason));
        }
        self.refusals
    }
}

/// A line of the ledger that stands for no record.
pub(crate) fn note(offset: u64, reason: String) -> Refusal {
    Refusal {
        at: Position { offset, record: 0 },
        records: 0,
        reason,
    }
}
