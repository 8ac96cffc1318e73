//! Datagrams of exporters: what version they are, where they end, what is in them.

use std::hash::Hasher as _;

use blackrod_model::{Position, Timestamp};

use super::batch::Batch;
use super::records::{self, Clock, V5_RECORD};
use super::sflow;
use super::templates::{SetKind, Templates};
use super::{be16, be32};

/// No datagram is longer.
pub(super) const MAX_DATAGRAM: usize = 65_535;

const V5_HEADER: usize = 24;
/// Records of one v5 datagram, at most. A header that counts more is damaged, and so is what follows it.
const V5_RECORDS: u16 = 30;
const V9_HEADER: usize = 20;
const IPFIX_HEADER: usize = 16;

/// What an exporter speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Version {
    V5,
    V9,
    Ipfix,
    Sflow,
}

/// The version of the datagram that `bytes` begin with, where they look like one.
pub(super) fn version(bytes: &[u8]) -> Option<Version> {
    match be16(bytes, 0)? {
        5 => {
            let count = be16(bytes, 2)?;
            (bytes.len() >= V5_HEADER && (1..=V5_RECORDS).contains(&count)).then_some(Version::V5)
        }
        9 => {
            let is_set = is_v9_set(be16(bytes, V9_HEADER)?) && be16(bytes, V9_HEADER + 2)? >= 4;
            is_set.then_some(Version::V9)
        }
        10 => {
            let set = be16(bytes, IPFIX_HEADER)?;
            let is_set = matches!(set, 2 | 3 | 256..) && be16(bytes, IPFIX_HEADER + 2)? >= 4;
            let length = usize::from(be16(bytes, 2)?);
            (is_set && length >= IPFIX_HEADER + 4).then_some(Version::Ipfix)
        }
        0 => sflow::is_datagram(bytes).then_some(Version::Sflow),
        _ => None,
    }
}

/// Where the datagram of this version that `bytes` begin with ends. It may be cut off: what is there of it counts.
pub(super) fn length(version: Version, bytes: &[u8]) -> usize {
    let most = bytes.len().min(MAX_DATAGRAM);
    let length = match version {
        Version::V5 => V5_HEADER + usize::from(be16(bytes, 2).unwrap_or_default()) * V5_RECORD,
        Version::V9 => v9_length(bytes),
        Version::Ipfix => usize::from(be16(bytes, 2).unwrap_or_default()),
        Version::Sflow => sflow::length(bytes),
    };
    length.clamp(1, most.max(1))
}

/// A v9 header does not say how long the datagram is: it ends where its sets end, and the next begins with the
/// number 9, which is not one of a set.
fn v9_length(bytes: &[u8]) -> usize {
    let mut at = V9_HEADER;
    while at < MAX_DATAGRAM {
        let (Some(id), Some(length)) = (be16(bytes, at), be16(bytes, at + 2)) else {
            return bytes.len();
        };
        if id == 0 && length == 0 {
            // Exporters fill up with zeros.
            let zeros = bytes.get(at..).unwrap_or_default();
            return at + zeros.iter().position(|byte| *byte != 0).unwrap_or(zeros.len()) / 4 * 4;
        }
        if !is_v9_set(id) || length < 4 {
            return at;
        }
        at += usize::from(length);
    }
    at
}

fn is_v9_set(id: u16) -> bool {
    id <= 1 || id >= 256
}

/// Which exporter, and which of its domains, a datagram is from. Templates are only its own.
fn source(version: Version, datagram: &[u8], exporter: u64) -> u64 {
    let domain = match version {
        Version::V9 => be32(datagram, 16),
        _ => be32(datagram, 12),
    };
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write_u64(exporter);
    hasher.write_u32(domain.unwrap_or_default());
    hasher.write_u8(version as u8);
    hasher.finish()
}

/// Takes a set's number, place and content.
type VisitSet<'a> = dyn FnMut(u16, usize, Result<&[u8], String>) + 'a;

/// Calls `visit` with the number, the place and the content of each set of a v9 or IPFIX datagram; the content is
/// an error where the set does not end within the datagram.
fn each_set(version: Version, datagram: &[u8], visit: &mut VisitSet<'_>) {
    let (mut at, end) = match version {
        Version::V9 => (V9_HEADER, datagram.len()),
        Version::Ipfix => (
            IPFIX_HEADER,
            usize::from(be16(datagram, 2).unwrap_or_default()).min(datagram.len()),
        ),
        Version::V5 | Version::Sflow => return,
    };
    while let (Some(id), Some(length)) = (be16(datagram, at), be16(datagram, at + 2)) {
        if at + 4 > end || (id == 0 && length == 0) {
            return;
        }
        let content = datagram.get(at + 4..at + usize::from(length));
        let Some(content) = content else {
            let left = datagram.len() - at;
            let reason = format!("a set of {length} bytes (number {id}) of which {left} are there");
            return visit(id, at, Err(reason));
        };
        visit(id, at, Ok(content));
        at += usize::from(length);
    }
}

fn template_set(version: Version, id: u16) -> Option<SetKind> {
    match (version, id) {
        (Version::V9, 0) => Some(SetKind::V9Template),
        (Version::V9, 1) => Some(SetKind::V9Options),
        (Version::Ipfix, 2) => Some(SetKind::IpfixTemplate),
        (Version::Ipfix, 3) => Some(SetKind::IpfixOptions),
        _ => None,
    }
}

/// Learns the templates of a datagram, so that later blocks can be read without this one. Whether there is anything
/// else in it.
pub(super) fn learn(version: Version, datagram: &[u8], exporter: u64, templates: &mut Templates) -> bool {
    if !matches!(version, Version::V9 | Version::Ipfix) {
        return true;
    }
    let source = source(version, datagram, exporter);
    let mut has_more = false;
    each_set(version, datagram, &mut |id, _, content| {
        match (template_set(version, id), content) {
            // What is wrong with a template is told when the datagram is read.
            (Some(kind), Ok(content)) => drop(templates.learn(source, kind, content)),
            _ => has_more = true,
        }
    });
    has_more
}

/// Reads a datagram that stands at `at` and arrived, where that is known, at `arrived`.
pub(super) fn read(
    version: Version,
    datagram: &[u8],
    (at, arrived): (Position, Timestamp),
    exporter: u64,
    templates: &mut Templates,
    batch: &mut Batch<'_>,
) {
    match version {
        Version::V5 => read_v5(datagram, at, batch),
        Version::Sflow => sflow::read(datagram, at, arrived, batch),
        Version::V9 | Version::Ipfix => {
            let reading = Reading {
                version,
                source: source(version, datagram, exporter),
                clock: clock(version, datagram),
            };
            reading.sets(datagram, at, templates, batch);
        }
    }
}

fn clock(version: Version, datagram: &[u8]) -> Clock {
    let word = |at| be32(datagram, at).unwrap_or_default();
    match version {
        Version::Ipfix => Clock {
            sent: i64::from(word(4)) * 1_000_000,
            uptime: 0,
        },
        _ => Clock {
            sent: i64::from(word(8)) * 1_000_000,
            uptime: word(4),
        },
    }
}

fn read_v5(datagram: &[u8], at: Position, batch: &mut Batch<'_>) {
    let count = usize::from(be16(datagram, 2).unwrap_or_default());
    let word = |at| be32(datagram, at).unwrap_or_default();
    let nanoseconds = i64::from(word(12).min(999_999_999));
    let clock = Clock {
        sent: i64::from(word(8)) * 1_000_000 + nanoseconds / 1_000,
        uptime: word(4),
    };
    let sampling = u64::from(be16(datagram, 22).unwrap_or_default() & 0x3fff).max(1);
    let records = datagram.get(V5_HEADER..).unwrap_or_default();
    let mut place = Position {
        offset: at.offset + V5_HEADER as u64,
        ..at
    };
    let mut read = 0;
    for record in records.chunks_exact(V5_RECORD).take(count) {
        if let Some(flow) = records::v5(record, clock, sampling) {
            batch.push(place, flow);
        }
        place.offset += V5_RECORD as u64;
        read += 1;
    }
    if read < count {
        batch.refuse(
            place,
            format!("a NetFlow v5 datagram of {count} records is cut off after {read}"),
        );
    }
}

/// A datagram of v9 or IPFIX while it is read.
struct Reading {
    version: Version,
    source: u64,
    clock: Clock,
}

impl Reading {
    fn sets(&self, datagram: &[u8], at: Position, templates: &mut Templates, batch: &mut Batch<'_>) {
        each_set(self.version, datagram, &mut |id, start, content| {
            let place = Position {
                offset: at.offset + start as u64,
                ..at
            };
            match (content, template_set(self.version, id)) {
                (Err(reason), _) => batch.refuse(place, reason),
                (Ok(content), Some(kind)) => {
                    if let Err(reason) = templates.learn(self.source, kind, content) {
                        batch.refuse(place, reason);
                    }
                }
                (Ok(_), None) if id < 256 => {
                    batch.refuse(place, format!("a set with the reserved number {id}"))
                }
                (Ok(content), None) => self.data(id, content, place, templates, batch),
            }
        });
    }

    fn data(&self, id: u16, content: &[u8], set: Position, templates: &Templates, batch: &mut Batch<'_>) {
        let Some(template) = templates.get((self.source, id)) else {
            let length = content.len();
            let reason = format!("a data set of {length} bytes whose template {id} did not come before it");
            return batch.refuse(set, reason);
        };
        let least = template.least();
        if least == 0 {
            return batch.refuse(set, format!("a data set whose template {id} has no fields"));
        }
        let mut rest = content;
        while rest.len() >= least {
            let place = Position {
                offset: set.offset + 4 + (content.len() - rest.len()) as u64,
                ..set
            };
            let Some(record) = records::decode(rest, template, self.clock) else {
                return batch.refuse(place, format!("a record of template {id} is cut off"));
            };
            rest = rest.get(record.length..).unwrap_or_default();
            match record.flow {
                _ if template.is_options => {
                    batch.refuse(
                        place,
                        format!("no flow: about the exporter itself (options template {id})"),
                    );
                }
                // A field of an address that was left empty is none; 0.0.0.0 on one side alone is a host that has none yet.
                Some(flow) if !(flow.src.is_unspecified() && flow.dst.is_unspecified()) => {
                    batch.push(place, flow);
                }
                _ => batch.refuse(place, format!("no flow: template {id} names no two IP addresses")),
            }
            if let Some(back) = record.back {
                batch.push(place, back);
            }
        }
        // Sets are filled up to four bytes.
        if rest.len() >= 4 && rest.iter().any(|byte| *byte != 0) {
            let place = Position {
                offset: set.offset + 4 + (content.len() - rest.len()) as u64,
                ..set
            };
            batch.refuse(
                place,
                format!("{} bytes after the last record of template {id}", rest.len()),
            );
        }
    }
}
