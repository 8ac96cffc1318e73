//! What every reader is, and the table of all of them.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Event, Flow, Position, Refusal};

use crate::{FieldMaps, generic};

/// A format of evidence whose records become events.
pub trait Format: Send + Sync {
    /// The short name used in the case and on the command line: `evtx`.
    fn name(&self) -> &str;

    /// One line for `blackrod formats`: what it is, where it comes from.
    fn description(&self) -> &str;

    /// Whether content that begins with `head` (up to [`HEAD_LEN`] bytes; all of it where it is
    /// shorter) is of this format. Formats are asked in the order of [`Formats::iter`]; the first
    /// to say yes reads it, so the pickiest come first.
    fn recognise(&self, head: &[u8]) -> bool;

    /// Cuts `input` into blocks that can be parsed independently of each other and hands each to
    /// `emit`, until the input ends or `emit` breaks off. Every byte of the input lies in a block
    /// or is accounted for by a refusal in the outcome.
    ///
    /// # Errors
    ///
    /// [`ReadError::Io`] when `input` fails; what was emitted before stands.
    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError>;

    /// Parses `block` and hands each of its records to `sink`, as an event or as a refusal.
    /// Must not panic on any input.
    fn parse(&self, block: &Block, sink: &mut dyn Sink);
}

/// How much of the start of a piece of evidence [`Format::recognise`] sees.
pub const HEAD_LEN: usize = 64 * 1024;

/// A stretch of evidence that can be parsed on its own.
#[derive(Clone, Debug)]
pub struct Block {
    /// Bytes from the start of the evidence to the start of `bytes`.
    pub offset: u64,
    /// The number of the block's first record, counted from 1 (0 where records carry their own).
    pub first_record: u64,
    /// What the block's parsing needs to know from earlier in the evidence: a CSV header line, the
    /// path for formats that read meaning from it. Empty for most formats.
    pub context: Arc<[u8]>,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Takes what parsing yields.
pub trait Sink {
    /// A record that became an event.
    fn event(&mut self, event: Event<'_>);

    /// Records that are flows or packets, the first of which stands at `at`: too many to become events one by one.
    /// All of them count as read; what is stored of them is a [`summary`](Self::summary).
    fn flows(&mut self, at: Position, flows: &[Flow]) {
        let _ = (at, flows);
    }

    /// An event that stands for records which were already told of with [`flows`](Self::flows): looked at and stored
    /// like any other, but no further record.
    fn summary(&mut self, event: Event<'_>) {
        self.event(event);
    }

    /// A record that did not, or something else that has to be told.
    fn refuse(&mut self, refusal: Refusal);
}

impl dyn Sink + '_ {
    /// Refuses the one record at `at`.
    pub fn refuse_record(&mut self, at: Position, reason: impl Into<String>) {
        self.refuse(Refusal {
            at,
            records: 1,
            reason: reason.into(),
        });
    }
}

/// What splitting found out besides the blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitOutcome {
    /// What could not be put into a block.
    pub refusals: Vec<Refusal>,
    /// The input ended in the middle of something, or `emit` broke off.
    pub incomplete: bool,
}

/// Why a piece of evidence could not be read further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file or the archive member failed: a disk fault, a damaged compressed stream.
    #[error("cannot read on at byte {offset}: {source}")]
    Io {
        /// Bytes read before the failure.
        offset: u64,
        /// What the system or the decompressor said.
        source: std::io::Error,
    },
    /// A limit on hostile input was reached.
    #[error("stopped at a limit: {0}")]
    Limit(String),
}

/// The formats that one run reads: those of this crate, and one for each field map.
pub struct Formats {
    generic: Vec<Box<dyn Format>>,
}

/// A line of the table of formats that need no field map.
pub type Known = &'static dyn Format;

/// All formats that need no field map, the pickiest first.
pub fn formats() -> &'static [Known] {
    static TABLE: &[Known] = &[
        &crate::evtx::Evtx,
        &crate::net::capture::Capture,
        &crate::net::datagrams::Datagrams,
        &crate::winjson::WindowsJson,
        &crate::cloud::m365::UnifiedAuditLog,
        &crate::cloud::entra::ENTRA,
        &crate::cloud::google::GOOGLE,
        &crate::cloud::okta::OKTA,
        &crate::net::zeek::Tsv,
        &crate::net::zeek::JSON,
        &crate::net::suricata::EVE,
        &crate::reports::dmarc::Dmarc,
        &crate::reports::tls::TLS,
        &crate::database::postgres::CsvLog,
        &crate::database::postgres::JSON_LOG,
        &crate::database::sqlserver::SQL_SERVER,
        &crate::database::mysql::JSON,
        &crate::database::mysql::ServerAudit,
        &crate::database::postgres_text::TextLog,
        &crate::text::directives::Directives,
        &crate::text::combined::AccessLog,
        &crate::text::access_json::ACCESS_JSON,
        &crate::text::auditd::AuditLog,
        &crate::text::syslog::Syslog,
        &crate::mail::Mbox,
        &crate::mail::Eml,
    ];
    TABLE
}

impl Formats {
    /// The formats of this crate, with its own field map for generic JSON and CSV.
    pub fn standard() -> Self {
        Self::with_maps(FieldMaps::default())
    }

    /// The formats of this crate, and one for each of these field maps. Maps are asked before the
    /// names in common use are.
    pub fn with_maps(maps: FieldMaps) -> Self {
        Self {
            generic: generic::formats(maps),
        }
    }

    /// All formats, in the order in which they are asked to recognise content.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Format> {
        let fixed = formats().iter().map(|format| *format as &dyn Format);
        fixed.chain(self.generic.iter().map(|format| &**format))
    }

    /// The format of content that begins with `head`, or `None` if it is of no known one.
    pub fn recognise(&self, head: &[u8]) -> Option<&dyn Format> {
        self.iter().find(|format| format.recognise(head))
    }
}
