//! Captures: pcap and pcapng. Of a packet only its headers are read, and it is a flow of one.
//!
//! Where a UDP packet carries a datagram of NetFlow, IPFIX or sFlow, what that tells is read as well, whatever the
//! port. A position is the number of the packet and the place of its header.

use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Position, Refusal, Timestamp};
use pcap_parser::pcapng::{parse_block_be, parse_block_le};
use pcap_parser::traits::PcapNGPacketBlock as _;
use pcap_parser::{parse_pcap_frame, parse_pcap_frame_be};

use super::batch::Batch;
use super::sflow::exporter;
use super::templates::Templates;
use super::{be32, export, packet};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Captures.
pub(crate) struct Capture;

/// Blocks are cut as soon as they are this long.
const BLOCK_LEN: usize = 1 << 20;

/// No packet or block of a capture is longer (tcpdump's limit is 256 KiB; blocks of keys and names are longer).
const MAX_UNIT: usize = 4 << 20;

/// A packet in a capture takes about so many bytes.
const PACKETS_LEN: usize = 512;
const PCAP_HEADER: usize = 24;
const PCAP_RECORD: usize = 16;
const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

impl Format for Capture {
    fn name(&self) -> &str {
        "pcap"
    }

    fn description(&self) -> &str {
        "Captures, pcap and pcapng: headers of packets, and the flows that exporters send in them"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        Layout::of(head).is_some()
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut buffer = Vec::new();
        let mut outcome = SplitOutcome::default();
        let mut at = Position { offset: 0, record: 1 };
        let mut layout: Option<Layout> = None;
        let mut templates = Templates::default();
        loop {
            let wanted = (BLOCK_LEN + MAX_UNIT).saturating_sub(buffer.len()) as u64;
            let read = (&mut *input).take(wanted).read_to_end(&mut buffer);
            let read = read.map_err(|source| ReadError::Io {
                offset: at.offset + buffer.len() as u64,
                source,
            })?;
            let is_last = (read as u64) < wanted;
            if layout.is_none() {
                layout = Layout::of(&buffer);
                if matches!(layout, Some(Layout::Pcap { .. })) {
                    buffer.drain(..PCAP_HEADER);
                    at.offset = PCAP_HEADER as u64;
                }
            }
            let Some(layout) = layout.as_mut() else {
                return Ok(outcome);
            };
            let context = context(layout, &templates);
            let mut end = 0;
            let mut packets = 0;
            let mut fault = None;
            while end < buffer.len() && (is_last || end < BLOCK_LEN) {
                let rest = buffer.get(end..).unwrap_or_default();
                let length = match layout.unit_length(rest) {
                    Ok(length) if length <= rest.len() => length,
                    Ok(_) => {
                        fault = Some("the capture ends within a packet".to_owned());
                        break;
                    }
                    Err(reason) => {
                        fault = Some(reason);
                        break;
                    }
                };
                let unit = rest.get(..length).unwrap_or_default();
                if let Some(frame) = layout.take(unit) {
                    packets += 1;
                    learn(&frame, &mut templates);
                }
                end += length;
            }
            let rest = buffer.split_off(end);
            let block = Block {
                offset: at.offset,
                first_record: at.record,
                context,
                bytes: std::mem::replace(&mut buffer, rest),
            };
            at.offset += end as u64;
            at.record += packets;
            if end > 0 && emit(block).is_break() {
                outcome.incomplete = true;
                return Ok(outcome);
            }
            if let Some(reason) = fault {
                outcome.incomplete = true;
                outcome.refusals.push(Refusal {
                    at,
                    records: 1,
                    reason,
                });
                return Ok(outcome);
            }
            if is_last {
                return Ok(outcome);
            }
        }
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let Some((mut layout, mut templates)) = from_context(&block.context) else {
            return;
        };
        let mut batch = Batch::new(sink, block.bytes.len() / PACKETS_LEN);
        let mut at = Position {
            offset: block.offset,
            record: block.first_record,
        };
        let mut rest = block.bytes.as_slice();
        while let Ok(length) = layout.unit_length(rest) {
            let Some((unit, after)) = rest.split_at_checked(length) else {
                break;
            };
            if let Some(frame) = layout.take(unit) {
                read(&frame, at, &mut templates, &mut batch);
                at.record += 1;
            }
            at.offset += length as u64;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        batch.finish();
    }
}

fn read(frame: &Frame<'_>, at: Position, templates: &mut Templates, batch: &mut Batch<'_>) {
    let packet = match &frame.content {
        Ok((link, bytes)) => packet::read(*link, bytes),
        Err(reason) => Err(reason.clone()),
    };
    let packet = match packet {
        Ok(packet) => packet,
        Err(reason) => return batch.refuse(at, reason),
    };
    batch.push(at, packet.flow(frame.time));
    let Some((version, datagram)) = exported(&packet) else {
        return;
    };
    let exporter = exporter(packet.src);
    export::read(version, datagram, (at, frame.time), exporter, templates, batch);
}

fn learn(frame: &Frame<'_>, templates: &mut Templates) {
    let Ok((link, bytes)) = &frame.content else {
        return;
    };
    let Ok(packet) = packet::read(*link, bytes) else {
        return;
    };
    if let Some((version, datagram)) = exported(&packet) {
        let _ = export::learn(version, datagram, exporter(packet.src), templates);
    }
}

/// The datagram of an exporter in a packet: it fills the packet, which hardly anything else does by chance.
fn exported<'p>(packet: &packet::Packet<'p>) -> Option<(export::Version, &'p [u8])> {
    let datagram = packet.datagram?;
    let version = export::version(datagram)?;
    (export::length(version, datagram) == datagram.len()).then_some((version, datagram))
}

/// A packet with what its capture says of it.
struct Frame<'a> {
    time: Timestamp,
    /// The link type and the bytes that were kept; or why they cannot be read.
    content: Result<(i32, &'a [u8]), String>,
}

/// How the units of a capture are written: packets of pcap, blocks of pcapng.
#[derive(Clone, Debug, PartialEq)]
enum Layout {
    Pcap {
        is_big: bool,
        /// Ticks in a second.
        resolution: u64,
        link: i32,
    },
    Pcapng {
        is_big: bool,
        interfaces: Vec<Interface>,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Interface {
    link: i32,
    resolution: u64,
    offset: i64,
}

impl Layout {
    fn of(head: &[u8]) -> Option<Self> {
        let (is_big, resolution) = match *head.first_chunk::<4>()? {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1_000_000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1_000_000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1_000_000_000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1_000_000_000),
            SECTION => {
                let is_big = section_is_big(head)?;
                return Some(Self::Pcapng {
                    is_big,
                    interfaces: Vec::new(),
                });
            }
            _ => return None,
        };
        let link = word(head, 20, is_big)? & 0x0fff_ffff;
        Some(Self::Pcap {
            is_big,
            resolution,
            link: i32::try_from(link).ok()?,
        })
    }

    /// The length of the unit that `bytes` begin with, which may be more than is there.
    fn unit_length(&self, bytes: &[u8]) -> Result<usize, String> {
        let (length, least) = match self {
            Self::Pcap { is_big, .. } => {
                let Some(kept) = word(bytes, 8, *is_big) else {
                    return Ok(PCAP_RECORD);
                };
                (PCAP_RECORD + kept as usize, PCAP_RECORD)
            }
            Self::Pcapng { is_big, .. } => {
                let is_big = match bytes.starts_with(&SECTION) {
                    true => section_is_big(bytes).unwrap_or(*is_big),
                    false => *is_big,
                };
                let Some(length) = word(bytes, 4, is_big) else {
                    return Ok(12);
                };
                // pcapng fills blocks up to four bytes.
                ((length as usize).saturating_add(3) / 4 * 4, 12)
            }
        };
        match length {
            _ if length < least || length > MAX_UNIT => Err(format!(
                "a packet of {length} bytes, which cannot be: the capture is damaged, the rest of it cannot be read"
            )),
            length => Ok(length),
        }
    }

    /// Takes a unit: remembers what it says of later ones, and returns the packet that it is.
    fn take<'a>(&mut self, unit: &'a [u8]) -> Option<Frame<'a>> {
        match self {
            Self::Pcap {
                is_big,
                resolution,
                link,
            } => {
                let parsed = match is_big {
                    true => parse_pcap_frame_be(unit),
                    false => parse_pcap_frame(unit),
                };
                let (_, record) = parsed.ok()?;
                let ticks = u64::from(record.ts_usec) * (1_000_000_000 / *resolution) / 1_000;
                let micros = i64::from(record.ts_sec) * 1_000_000 + i64::try_from(ticks).unwrap_or_default();
                Some(Frame {
                    time: Timestamp::from_micros(micros),
                    content: Ok((*link, record.data)),
                })
            }
            Self::Pcapng { is_big, interfaces } => take_block(unit, is_big, interfaces),
        }
    }
}

fn take_block<'a>(unit: &'a [u8], is_big: &mut bool, interfaces: &mut Vec<Interface>) -> Option<Frame<'a>> {
    use pcap_parser::pcapng::Block as Ng;
    /// No machine has more interfaces.
    const MAX_INTERFACES: usize = 65_536;
    if unit.starts_with(&SECTION) {
        *is_big = section_is_big(unit).unwrap_or(*is_big);
        interfaces.clear();
        return None;
    }
    let parsed = match is_big {
        true => parse_block_be(unit),
        false => parse_block_le(unit),
    };
    let unreadable = |reason: &str| {
        Some(Frame {
            time: Timestamp::UNKNOWN,
            content: Err(reason.to_owned()),
        })
    };
    let is_packet = matches!(word(unit, 0, *is_big), Some(2 | 3 | 6));
    match parsed {
        Ok((_, Ng::InterfaceDescription(description))) => {
            if interfaces.len() < MAX_INTERFACES {
                interfaces.push(Interface {
                    link: description.linktype.0,
                    resolution: description.ts_resolution().unwrap_or(1_000_000).max(1),
                    offset: description.ts_offset(),
                });
            }
            None
        }
        Ok((_, Ng::EnhancedPacket(block))) => {
            let Some(interface) = interfaces.get(block.if_id as usize) else {
                return unreadable("a packet of an interface that the capture does not describe");
            };
            let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
            let micros = u128::from(ticks) * 1_000_000 / u128::from(interface.resolution);
            let shift = interface.offset.saturating_mul(1_000_000);
            let time = i64::try_from(micros)
                .ok()
                .and_then(|micros| micros.checked_add(shift));
            let kept = unit.get(28..).unwrap_or_default();
            let kept = kept.get(..block.caplen as usize).unwrap_or_default();
            Some(Frame {
                time: time.map_or(Timestamp::UNKNOWN, Timestamp::from_micros),
                content: Ok((interface.link, kept)),
            })
        }
        Ok((_, Ng::SimplePacket(block))) => {
            let kept = block.packet_data().len();
            let kept = unit.get(12..12 + kept).unwrap_or_default();
            match interfaces.first() {
                Some(interface) => Some(Frame {
                    time: Timestamp::UNKNOWN,
                    content: Ok((interface.link, kept)),
                }),
                None => unreadable("a packet of an interface that the capture does not describe"),
            }
        }
        _ if is_packet => unreadable("a packet that cannot be read"),
        _ => None,
    }
}

fn section_is_big(bytes: &[u8]) -> Option<bool> {
    match be32(bytes, 8)? {
        0x1a2b_3c4d => Some(true),
        0x4d3c_2b1a => Some(false),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize, is_big: bool) -> Option<u32> {
    let word = be32(bytes, at)?;
    Some(if is_big { word } else { word.swap_bytes() })
}

/// What a block needs to know of what came before it: the layout, then the templates.
fn context(layout: &Layout, templates: &Templates) -> Arc<[u8]> {
    let mut bytes = Vec::new();
    match layout {
        Layout::Pcap {
            is_big,
            resolution,
            link,
        } => {
            bytes.extend([0, u8::from(*is_big)]);
            bytes.extend(1_u32.to_be_bytes());
            put(
                &mut bytes,
                &Interface {
                    link: *link,
                    resolution: *resolution,
                    offset: 0,
                },
            );
        }
        Layout::Pcapng { is_big, interfaces } => {
            bytes.extend([1, u8::from(*is_big)]);
            bytes.extend(u32::try_from(interfaces.len()).unwrap_or_default().to_be_bytes());
            interfaces.iter().for_each(|interface| put(&mut bytes, interface));
        }
    }
    bytes.extend(templates.encode());
    bytes.into()
}

const INTERFACE_LEN: usize = 20;

fn put(bytes: &mut Vec<u8>, interface: &Interface) {
    bytes.extend(interface.link.to_be_bytes());
    bytes.extend(interface.resolution.to_be_bytes());
    bytes.extend(interface.offset.to_be_bytes());
}

/// What [`context`] made.
fn from_context(bytes: &[u8]) -> Option<(Layout, Templates)> {
    let is_big = *bytes.get(1)? == 1;
    let count = be32(bytes, 2)? as usize;
    let (interfaces, templates) = bytes
        .get(6..)?
        .split_at_checked(count.checked_mul(INTERFACE_LEN)?)?;
    let interface = |bytes: &[u8]| {
        Some(Interface {
            link: i32::from_be_bytes(bytes.get(..4)?.try_into().ok()?),
            resolution: u64::from_be_bytes(bytes.get(4..12)?.try_into().ok()?),
            offset: i64::from_be_bytes(bytes.get(12..20)?.try_into().ok()?),
        })
    };
    let interfaces: Vec<Interface> = interfaces
        .chunks_exact(INTERFACE_LEN)
        .filter_map(interface)
        .collect();
    let layout = match bytes.first()? {
        0 => {
            let only = interfaces.first()?;
            Layout::Pcap {
                is_big,
                resolution: only.resolution,
                link: only.link,
            }
        }
        _ => Layout::Pcapng { is_big, interfaces },
    };
    Some((layout, Templates::decode(templates)))
}
