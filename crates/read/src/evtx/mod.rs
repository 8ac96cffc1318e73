//! Windows event logs (`.evtx`, Windows Vista and later).
//!
//! A file is a header of 4 KiB and then chunks of 64 KiB, each with a header of 512 bytes and the
//! records behind it; a chunk refers to nothing outside itself. A record's content is binary XML
//! (MS-EVEN6 2.2.12): a template, stored once per chunk, and the values that fill its gaps.
//!
//! Each template is compiled once per chunk to the list of fields it yields ([`template`], [`compile`]), and a
//! record is then no more than its values put into that list ([`record`]). What is too unusual for
//! that, the `evtx` crate reads ([`fallback`]); it is also what the tests compare every field with.
//!
//! Field names are those that Sigma rules use: the names of `EventData` and the leaf elements of
//! `UserData` as they are, unnamed data as `Data`, and of `System`: `EventID`, `Channel`,
//! `Provider_Name`, `Computer`, `EventRecordID`, `Level`, `Task`, `Opcode`, `Keywords`, `Version`,
//! `TimeCreated`, `Execution_ProcessID`, `Security_UserID`, `Correlation_ActivityID` and so on.
//! Several values under one name become a list.
//!
//! Damage is normal in seized logs. A wrong or missing file header, chunks without a header, torn
//! records and cut-off files cost only what is really gone; see [`chunk`] and [`split`].
//!
//! References: MS-EVEN6 2.2.12 to 2.2.17; Schuster, "Introducing the Microsoft Vista event log
//! file format" (DFRWS 2007); Metz, "Windows XML Event Log (EVTX) format" (libevtx).

#[cfg(test)]
mod agreement;
mod bytes;
mod chunk;
mod compile;
mod fallback;
mod record;
mod split;
mod template;
#[cfg(test)]
mod tests;
mod value;

use std::io::BufRead;
use std::ops::ControlFlow;

use bumpalo::Bump;

use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Windows event logs.
#[derive(Debug)]
pub(crate) struct Evtx;

impl Format for Evtx {
    fn name(&self) -> &'static str {
        "evtx"
    }

    fn description(&self) -> &'static str {
        "Windows event logs (.evtx, Windows Vista and later), damaged ones too"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let at_header = head.get(FILE_HEADER_LEN..).unwrap_or_default();
        head.starts_with(FILE_MAGIC) || head.starts_with(CHUNK_MAGIC) || at_header.starts_with(CHUNK_MAGIC)
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        split::split(input, emit)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let mut memory = Memory::default();
        let checksums = split::checksums_of(&block.context);
        for (index, chunk) in block.bytes.chunks(CHUNK_LEN).enumerate() {
            let offset = block.offset + (index * CHUNK_LEN) as u64;
            chunk::parse(chunk, offset, checksums, &mut memory, sink);
        }
    }
}

/// Where names and texts are kept while they are needed; used again for each chunk.
#[derive(Default)]
struct Memory {
    /// For as long as the chunk is read: names and compiled templates.
    chunk: Bump,
    /// For as long as the record is read: its texts.
    record: Bump,
    /// How many fields the last record had, as a guess for the next.
    fields: usize,
}

const FILE_MAGIC: &[u8] = b"ElfFile\0";
const CHUNK_MAGIC: &[u8] = b"ElfChnk\0";
const FILE_HEADER_LEN: usize = 4096;
const CHUNK_LEN: usize = 64 * 1024;
