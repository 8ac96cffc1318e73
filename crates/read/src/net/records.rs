//! Records of NetFlow v5 and of data sets → flows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use blackrod_model::{Flow, Timestamp};

use super::templates::{Meaning, Template, VARIABLE};
use super::{be16, be32, number};

/// The length of a v5 record.
pub(super) const V5_RECORD: usize = 48;

/// The clock of an exporter: when it sent, and how long it had been running then (ms).
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Microseconds since 1970.
    pub(super) sent: i64,
    pub(super) uptime: u32,
}

impl Clock {
    /// The time of something that happened so many milliseconds after the exporter started. The counter runs over
    /// after 49 days: what seems to be in the future was before it did.
    fn at(self, milliseconds: u32) -> Timestamp {
        let before = self.uptime.wrapping_sub(milliseconds);
        // More than a month is no age of a flow, but a clock that was set: take it as just sent.
        let before = if before > 2_678_400_000 { 0 } else { before };
        Timestamp::from_micros(self.sent - i64::from(before) * 1_000)
    }

    fn now(self) -> Timestamp {
        Timestamp::from_micros(self.sent)
    }
}

/// A v5 record of [`V5_RECORD`] bytes; counts are multiplied by `sampling`.
#[inline]
pub(super) fn v5(record: &[u8], clock: Clock, sampling: u64) -> Option<Flow> {
    let record: &[u8; V5_RECORD] = record.try_into().ok()?;
    let word = |at: usize| be32(record, at).unwrap_or_default();
    let half = |at: usize| be16(record, at).unwrap_or_default();
    Some(Flow {
        start: clock.at(word(24)),
        end: clock.at(word(28)),
        src: Ipv4Addr::from_bits(word(0)).into(),
        dst: Ipv4Addr::from_bits(word(4)).into(),
        src_port: half(32),
        dst_port: half(34),
        tcp_flags: record[37],
        protocol: record[38],
        packets: u64::from(word(16)).saturating_mul(sampling),
        bytes: u64::from(word(20)).saturating_mul(sampling),
    })
}

/// What a record of a data set comes to.
pub(super) struct Decoded {
    /// Bytes that it took.
    pub(super) length: usize,
    /// The flow; `None` where the record names no two addresses.
    pub(super) flow: Option<Flow>,
    /// What went back, where the record tells of both directions.
    pub(super) back: Option<Flow>,
}

/// The record that `bytes` begin with; `None` where it is cut off.
pub(super) fn decode(bytes: &[u8], template: &Template, clock: Clock) -> Option<Decoded> {
    let mut at = 0;
    let mut draft = Draft::default();
    for field in &template.fields {
        let length = match field.length {
            VARIABLE => variable_length(bytes, &mut at)?,
            length => usize::from(length),
        };
        let value = bytes.get(at..at.checked_add(length)?)?;
        at += length;
        match field.meaning {
            Meaning::Standard => draft.field(field.id, value, clock),
            Meaning::Reverse => draft.reverse(field.id, value),
            Meaning::Vendors => {}
        }
    }
    let (flow, back) = draft.flows(clock);
    Some(Decoded {
        length: at,
        flow,
        back,
    })
}

/// One byte, or 255 and two (RFC 7011 7).
fn variable_length(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let short = *bytes.get(*at)?;
    *at += 1;
    if short < u8::MAX {
        return Some(usize::from(short));
    }
    let long = be16(bytes, *at)?;
    *at += 2;
    Some(usize::from(long))
}

/// What is known of a flow so far.
#[derive(Default)]
struct Draft {
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    src_port: u16,
    dst_port: u16,
    protocol: u8,
    tcp_flags: u8,
    packets: u64,
    bytes: u64,
    back_packets: u64,
    back_bytes: u64,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    sampling: u64,
}

impl Draft {
    /// Takes a field, by IANA's number for its element.
    #[inline]
    fn field(&mut self, id: u16, value: &[u8], clock: Clock) {
        let millis = |value| {
            Some(Timestamp::from_micros(
                i64::try_from(value).ok()?.checked_mul(1_000)?,
            ))
        };
        match id {
            // octetDeltaCount, octetTotalCount, initiatorOctets.
            1 | 85 | 231 => self.bytes = self.bytes.max(number(value)),
            2 | 86 | 298 => self.packets = self.packets.max(number(value)),
            // What left, for exporters that have no other count.
            23 if self.bytes == 0 => self.bytes = number(value),
            24 if self.packets == 0 => self.packets = number(value),
            232 => self.back_bytes = number(value),
            299 => self.back_packets = number(value),
            4 => self.protocol = small(value),
            6 => self.tcp_flags = small(value),
            7 | 180 | 182 => self.src_port = port(value),
            11 | 181 | 183 => self.dst_port = port(value),
            8 => self.src = v4(value).or(self.src),
            12 => self.dst = v4(value).or(self.dst),
            27 => self.src = v6(value).or(self.src),
            28 => self.dst = v6(value).or(self.dst),
            22 => self.start = u32::try_from(number(value)).ok().map(|ms| clock.at(ms)),
            21 => self.end = u32::try_from(number(value)).ok().map(|ms| clock.at(ms)),
            150 => self.start = i64::try_from(number(value)).ok().map(Timestamp::from_seconds),
            151 => self.end = i64::try_from(number(value)).ok().map(Timestamp::from_seconds),
            152 | 323 => self.start = millis(number(value)),
            153 => self.end = millis(number(value)),
            154 | 156 => self.start = ntp(value),
            155 | 157 => self.end = ntp(value),
            34 | 305 => self.sampling = number(value),
            _ => {}
        }
    }

    fn reverse(&mut self, id: u16, value: &[u8]) {
        match id {
            1 | 85 => self.back_bytes = number(value),
            2 | 86 => self.back_packets = number(value),
            _ => {}
        }
    }

    fn flows(self, clock: Clock) -> (Option<Flow>, Option<Flow>) {
        let (Some(src), Some(dst)) = (self.src, self.dst) else {
            return (None, None);
        };
        let sampling = self.sampling.max(1);
        let start = self.start.or(self.end).unwrap_or_else(|| clock.now());
        let flow = Flow {
            start,
            end: self.end.unwrap_or(start).max(start),
            src,
            dst,
            src_port: self.src_port,
            dst_port: self.dst_port,
            protocol: self.protocol,
            tcp_flags: self.tcp_flags,
            packets: self.packets.saturating_mul(sampling),
            bytes: self.bytes.saturating_mul(sampling),
        };
        let has_back = self.back_bytes > 0 || self.back_packets > 0;
        let back = has_back.then_some(Flow {
            src: dst,
            dst: src,
            src_port: self.dst_port,
            dst_port: self.src_port,
            packets: self.back_packets.saturating_mul(sampling),
            bytes: self.back_bytes.saturating_mul(sampling),
            ..flow
        });
        (Some(flow), back)
    }
}

fn small(value: &[u8]) -> u8 {
    value.last().copied().unwrap_or_default()
}

fn port(value: &[u8]) -> u16 {
    u16::try_from(number(value)).unwrap_or_default()
}

fn v4(value: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 4] = value.try_into().ok()?;
    Some(Ipv4Addr::from(octets).into())
}

fn v6(value: &[u8]) -> Option<IpAddr> {
    let octets: [u8; 16] = value.try_into().ok()?;
    // Exporters that send both families in one template leave the other's field empty.
    let address = Ipv6Addr::from(octets);
    (!address.is_unspecified()).then(|| IpAddr::V6(address).to_canonical())
}

/// Seconds since 1900 and a fraction of 2^-32 (RFC 7011 6.1.9).
fn ntp(value: &[u8]) -> Option<Timestamp> {
    const FROM_1900_TO_1970: i64 = 2_208_988_800;
    let seconds = i64::from(be32(value, 0)?) - FROM_1900_TO_1970;
    let micros = (u64::from(be32(value, 4)?) * 1_000_000) >> 32;
    let micros = i64::try_from(micros).ok()?;
    Some(Timestamp::from_micros(seconds * 1_000_000 + micros))
}
