//! The headers of one packet.

use std::net::IpAddr;

use blackrod_model::Flow;
use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};

use super::be16;

/// Link types (tcpdump.org/linktypes.html).
pub(super) const ETHERNET: i32 = 1;
pub(super) const RAW: i32 = 101;

/// What the headers of a packet say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packet<'a> {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    /// 0 in later fragments, which carry no ports.
    pub(super) src_port: u16,
    pub(super) dst_port: u16,
    pub(super) protocol: u8,
    pub(super) tcp_flags: u8,
    /// The length of the IP packet as its header has it, whatever of it was kept.
    pub(super) bytes: u64,
    /// What a UDP packet carries.
    pub(super) datagram: Option<&'a [u8]>,
}

/// The packet in a frame.
///
/// # Errors
///
/// Why there is none, in words.
pub(super) fn read(link: i32, frame: &[u8]) -> Result<Packet<'_>, String> {
    let short = || "a frame that is shorter than its header".to_owned();
    let sliced = match link {
        ETHERNET => LaxSlicedPacket::from_ethernet(frame).map_err(|_| short())?,
        RAW | 12 | 14 | 228 | 229 => from_ip(frame)?,
        // BSD loopback: four bytes for the family.
        0 | 108 => from_ip(frame.get(4..).ok_or_else(short)?)?,
        // Linux "any".
        113 => from_type(frame, 14, 16).ok_or_else(short)?,
        276 => from_type(frame, 0, 20).ok_or_else(short)?,
        other => return Err(format!("link type {other} is not read")),
    };
    let (src, dst, length, payload): (IpAddr, IpAddr, _, _) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            let header = ip.header();
            let length = match header.total_len() {
                // Sent by the machine that captured, which leaves the cutting to its network card.
                0 => header.slice().len() + ip.payload().payload.len(),
                length => usize::from(length),
            };
            (
                header.source_addr().into(),
                header.destination_addr().into(),
                length,
                ip.payload(),
            )
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            let header = ip.header();
            let length = 40 + usize::from(header.payload_length());
            (
                IpAddr::from(header.source_addr()).to_canonical(),
                IpAddr::from(header.destination_addr()).to_canonical(),
                length,
                ip.payload(),
            )
        }
        Some(LaxNetSlice::Arp(_)) => return Err("no IP packet: ARP".to_owned()),
        None => {
            let kind = sliced.ether_payload().map(|payload| payload.ether_type.0);
            return Err(match kind {
                Some(kind) => format!("no IP packet: EtherType 0x{kind:04x}"),
                None => "no IP packet".to_owned(),
            });
        }
    };
    let mut packet = Packet {
        src,
        dst,
        src_port: 0,
        dst_port: 0,
        protocol: payload.ip_number.0,
        tcp_flags: 0,
        bytes: length as u64,
        datagram: None,
    };
    match &sliced.transport {
        Some(TransportSlice::Tcp(tcp)) => {
            packet.src_port = tcp.source_port();
            packet.dst_port = tcp.destination_port();
            packet.tcp_flags = tcp.slice().get(13).copied().unwrap_or_default();
        }
        Some(TransportSlice::Udp(udp)) => {
            packet.src_port = udp.source_port();
            packet.dst_port = udp.destination_port();
            packet.datagram = Some(udp.payload());
        }
        // The first fragment has the ports, and amplified answers come in fragments.
        None if is_first_fragment(&sliced) && matches!(packet.protocol, Flow::TCP | Flow::UDP) => {
            packet.src_port = be16(payload.payload, 0).unwrap_or_default();
            packet.dst_port = be16(payload.payload, 2).unwrap_or_default();
        }
        _ => {}
    }
    Ok(packet)
}

fn is_first_fragment(sliced: &LaxSlicedPacket<'_>) -> bool {
    match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => ip.payload().fragmented && ip.header().fragments_offset().value() == 0,
        _ => false,
    }
}

fn from_ip(bytes: &[u8]) -> Result<LaxSlicedPacket<'_>, String> {
    LaxSlicedPacket::from_ip(bytes).map_err(|error| format!("no IP packet: {error}"))
}

fn from_type(frame: &[u8], type_at: usize, payload_at: usize) -> Option<LaxSlicedPacket<'_>> {
    let kind = EtherType(be16(frame, type_at)?);
    Some(LaxSlicedPacket::from_ether_type(kind, frame.get(payload_at..)?))
}
