//! Chunks: finding the records, and what is left of them.
//!
//! The records of a chunk follow each other without gaps. Where one is damaged, the next whole one
//! is searched for (a record ends with a copy of its length, so chance hits are rare), and the
//! numbers of the records before and behind the gap say how many are lost in it. The chunk's header
//! is needed for nothing else than to count records lost at its end; what it says is doubted, for
//! in the log of a running system, or of one that lost power, it lags behind the records.

use blackrod_model::{Position, Refusal};

use super::bytes::{Fault, u32_at, u64_at};
use super::record::{self, Header, Scratch};
use super::split::Checksums;
use super::template::Templates;
use super::{CHUNK_LEN, CHUNK_MAGIC, Memory, fallback};
use crate::Sink;

/// Reads all records of `chunk`, which lies at `offset` of the evidence. It may be shorter than a
/// chunk, and may be none at all.
pub(super) fn parse(
    chunk: &[u8],
    offset: u64,
    checksums: Checksums,
    memory: &mut Memory,
    sink: &mut dyn Sink,
) {
    let header = ChunkHeader::of(chunk);
    let Records { found, lost } = records(chunk, header.as_ref());
    match &header {
        None => sink.refuse(Refusal {
            at: Position { offset, record: 0 },
            records: 0,
            reason: headless(chunk.len(), found.len()),
        }),
        Some(header) if checksums == Checksums::Expected && !header.is_intact(chunk) => {
            sink.refuse(Refusal {
                at: Position { offset, record: 0 },
                records: 0,
                reason:
                    "checksum wrong: the chunk was changed after it was written; it was read nevertheless"
                        .to_owned(),
            })
        }
        Some(_) => {}
    }
    for gap in lost {
        sink.refuse(Refusal {
            at: Position {
                offset: offset + gap.at as u64,
                record: gap.first_id,
            },
            records: gap.records,
            reason: gap.reason.to_owned(),
        });
    }

    memory.chunk.reset();
    let mut templates = Templates::new(chunk, &memory.chunk);
    let mut scratch = Scratch::default();
    let mut unusual = Vec::new();
    for record in found {
        memory.record.reset();
        match record::read(
            record,
            offset,
            &mut templates,
            &mut scratch,
            &memory.record,
            memory.fields,
        ) {
            Ok(event) => {
                memory.fields = event.fields.len();
                sink.event(event);
            }
            Err(fault @ Fault::Limit(_)) => refuse(record, offset, &fault.to_string(), sink),
            Err(_) => unusual.push(record),
        }
    }
    if !unusual.is_empty() {
        fallback::read(chunk, offset, &unusual, sink);
    }
}

/// The records of `chunk`.
#[cfg(test)]
pub(super) fn found(chunk: &[u8]) -> Vec<Header> {
    records(chunk, ChunkHeader::of(chunk).as_ref()).found
}

/// Refuses one record.
pub(super) fn refuse(record: Header, offset: u64, reason: &str, sink: &mut dyn Sink) {
    sink.refuse_record(
        Position {
            offset: offset + record.at as u64,
            record: record.id,
        },
        format!("record cannot be read: {reason}"),
    );
}

fn headless(len: usize, found: usize) -> String {
    match found {
        0 => format!("{len} bytes that are no chunk, and no record in them"),
        _ => format!("{len} bytes without a chunk header; {found} records were found in them"),
    }
}

/// What a chunk's header says.
#[derive(Debug)]
struct ChunkHeader {
    /// The numbers of its first and last record, if they can be true.
    ids: Option<(u64, u64)>,
    /// Where its free space begins, if that can be true.
    end: Option<usize>,
}

impl ChunkHeader {
    const LEN: usize = 512;

    fn of(chunk: &[u8]) -> Option<Self> {
        if !chunk.starts_with(CHUNK_MAGIC) || chunk.len() < Self::LEN {
            return None;
        }
        let (first, last) = (u64_at(chunk, 24)?, u64_at(chunk, 32)?);
        let most = (CHUNK_LEN / MIN_RECORD_LEN) as u64;
        let can_be = first > 0 && last.checked_sub(first).is_some_and(|more| more < most);
        let end = u32_at(chunk, 48)? as usize;
        Some(Self {
            ids: can_be.then_some((first, last)),
            end: (Self::LEN..=CHUNK_LEN).contains(&end).then_some(end),
        })
    }

    /// Whether the checksums of header and records are right, or the chunk says it has none.
    fn is_intact(&self, chunk: &[u8]) -> bool {
        const DIRTY_OR_NO_CRC: u32 = 1 | 4;
        if u32_at(chunk, 120).is_some_and(|flags| flags & DIRTY_OR_NO_CRC != 0) {
            return true;
        }
        let parts = || {
            Some((
                chunk.get(..120)?,
                chunk.get(128..Self::LEN)?,
                chunk.get(Self::LEN..self.end?)?,
            ))
        };
        let Some((head, tables, records)) = parts() else {
            return false;
        };
        u32_at(chunk, 124) == Some(crc32(&[head, tables])) && u32_at(chunk, 52) == Some(crc32(&[records]))
    }
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.sum()
}

/// The records of a chunk.
#[derive(Debug, Default)]
struct Records {
    found: Vec<Header>,
    lost: Vec<Gap>,
}

/// A stretch in which records are lost.
#[derive(Debug, PartialEq)]
struct Gap {
    at: usize,
    /// The number of the first record lost; 0 if not known.
    first_id: u64,
    records: u64,
    reason: &'static str,
}

const RECORD_MAGIC: &[u8] = b"\x2a\x2a\0\0";
/// Header and the copy of the length.
const MIN_RECORD_LEN: usize = Header::LEN + 4;

fn records(chunk: &[u8], header: Option<&ChunkHeader>) -> Records {
    let ids = header.and_then(|header| header.ids);
    let end = header.and_then(|header| header.end).unwrap_or(CHUNK_LEN);
    let mut records = Records::default();
    let mut last_id = ids.map(|(first, _)| first - 1);
    let mut pos = if header.is_some() { ChunkHeader::LEN } else { 0 };
    loop {
        let is_behind_the_last = pos >= end || ids.is_some_and(|(_, last)| last_id == Some(last));
        let here = record_at(chunk, pos);
        let next_id = last_id.map(|last| last.wrapping_add(1));
        let continues = here.is_some_and(|here| Some(here.id) == next_id);
        let is_confirmed = here.is_some_and(|here| here.is_confirmed(chunk));
        if is_behind_the_last && !(continues && is_confirmed) {
            return records;
        }
        if let Some(here) = here.filter(|_| continues || is_confirmed) {
            let (skipped, id) = skipped(here.id, next_id, ids.map(|(_, last)| last));
            if skipped > 0 {
                records.lost.push(Gap {
                    at: pos,
                    first_id: next_id.unwrap_or_default(),
                    records: skipped,
                    reason: "missing: the numbers of the records leave them out",
                });
            }
            records.found.push(here);
            last_id = Some(id);
            pos += here.len;
            continue;
        }
        let next = next_record(chunk, pos + 1, last_id, ids.map(|(_, last)| last));
        let gap_end = next.map_or(end, |next| next.at);
        let next_id = next
            .map(|next| next.id)
            .or(ids.map(|(_, last)| last.saturating_add(1)));
        let is_cut_off = next.is_none() && chunk.len() < end;
        if let Some(gap) = gap(chunk, pos, gap_end, last_id, next_id, is_cut_off) {
            records.lost.push(gap);
        }
        let Some(next) = next else { return records };
        pos = next.at;
        last_id = next.id.checked_sub(1);
    }
}

/// How many numbers lie between the one expected next and `id`, and the record's true number: a
/// record that is whole but for its number is still a record.
fn skipped(id: u64, expected: Option<u64>, last: Option<u64>) -> (u64, u64) {
    let Some(expected) = expected else {
        return (0, id);
    };
    let most = last.unwrap_or_else(|| expected.saturating_add((CHUNK_LEN / MIN_RECORD_LEN) as u64));
    match (expected..=most).contains(&id) {
        true => (id - expected, id),
        false => (0, expected),
    }
}

/// What is lost between `at` and `end`, between the records numbered `last_id` and `next_id`.
fn gap(
    chunk: &[u8],
    at: usize,
    end: usize,
    last_id: Option<u64>,
    next_id: Option<u64>,
    is_cut_off: bool,
) -> Option<Gap> {
    let content = chunk.get(at..end.min(chunk.len())).unwrap_or_default();
    let is_zeroed = content.iter().all(|byte| *byte == 0);
    let most = (end.saturating_sub(at) / MIN_RECORD_LEN) as u64;
    let counted = last_id
        .zip(next_id)
        .map(|(last, next)| next.saturating_sub(last).saturating_sub(1).min(most));
    if counted.is_none() && is_zeroed {
        return None;
    }
    let reason = match (is_cut_off, is_zeroed) {
        (true, _) => "cut off: the evidence ends within the chunk",
        (false, true) => "overwritten with zeroes",
        (false, false) => "damaged: no whole record here",
    };
    Some(Gap {
        at,
        first_id: last_id.map_or(0, |last| last.saturating_add(1)),
        records: counted.unwrap_or_default(),
        reason,
    })
}

/// The record that begins at `at`, if its header can be true.
fn record_at(chunk: &[u8], at: usize) -> Option<Header> {
    if !chunk.get(at..)?.starts_with(RECORD_MAGIC) {
        return None;
    }
    let len = u32_at(chunk, at + 4)? as usize;
    let fits = len >= MIN_RECORD_LEN && at.checked_add(len)? <= chunk.len();
    let (id, written) = (u64_at(chunk, at + 8)?, u64_at(chunk, at + 16)?);
    fits.then_some(Header { at, len, id, written })
}

/// The next whole record from `from` on whose number lies behind `last_id` and not behind `most`.
fn next_record(chunk: &[u8], from: usize, last_id: Option<u64>, most: Option<u64>) -> Option<Header> {
    let rest = chunk.get(from..)?;
    memchr::memmem::find_iter(rest, RECORD_MAGIC)
        .filter_map(|at| record_at(chunk, from + at))
        .find(|record| {
            let is_later = last_id.is_none_or(|last| record.id > last);
            is_later && most.is_none_or(|most| record.id <= most) && record.is_confirmed(chunk)
        })
}

impl Header {
    /// Whether the copy of the length at the record's end is the same.
    fn is_confirmed(&self, chunk: &[u8]) -> bool {
        u32_at(chunk, self.at + self.len - 4) == u32::try_from(self.len).ok()
    }
}
