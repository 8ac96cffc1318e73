//! Flows: what a router, a switch or a capture says of packets, without what was in them.

use std::net::{IpAddr, Ipv6Addr};

use crate::{EvidenceId, Keep, Position, Timestamp};

/// Packets of one direction between two addresses, as an exporter or a capture counted them. Small, because there
/// are millions of them: they are not stored one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// When the first packet passed.
    pub start: Timestamp,
    /// When the last one did.
    pub end: Timestamp,
    /// Who sent; an IPv4 address is never written as an IPv6 one.
    pub src: IpAddr,
    /// Who was sent to.
    pub dst: IpAddr,
    /// The sender's port; 0 where the protocol has none or the packet was a later fragment.
    pub src_port: u16,
    /// The receiver's port.
    pub dst_port: u16,
    /// The IP protocol's number (IANA): 6 TCP, 17 UDP, 1 ICMP.
    pub protocol: u8,
    /// All TCP flags that were seen, the lower eight bits.
    pub tcp_flags: u8,
    /// How many packets, scaled up where the exporter sampled.
    pub packets: u64,
    /// How many bytes of IP, scaled up as well.
    pub bytes: u64,
}

impl Flow {
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// ICMP for IPv6.
    pub const ICMP6: u8 = 58;
    /// TCP's flag for the first packet of a connection.
    pub const SYN: u8 = 0x02;
    /// TCP's flag for "got it".
    pub const ACK: u8 = 0x10;
    /// TCP's flag for "no such connection".
    pub const RST: u8 = 0x04;

    /// The port that names the service, and whether it is the receiver's: the lower of the two, because clients use
    /// high ones.
    pub fn service(&self) -> (u16, bool) {
        let is_receivers = self.dst_port != 0 && (self.dst_port <= self.src_port || self.src_port == 0);
        match is_receivers {
            true => (self.dst_port, true),
            false => (self.src_port, false),
        }
    }

    /// An address as a number that hashes and compares faster: one of IPv4 as the IPv6 address that maps it.
    #[inline]
    pub fn bits(address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()) | 0xffff_0000_0000,
            IpAddr::V6(v6) => v6.to_bits(),
        }
    }

    /// Half of [`bits`](Self::bits), for a hash: one round in place of two.
    #[inline]
    pub const fn folded(bits: u128) -> u64 {
        bits as u64 ^ ((bits >> 64) as u64).rotate_left(32)
    }

    /// The address that [`bits`](Self::bits) made a number of.
    #[inline]
    pub fn address(bits: u128) -> IpAddr {
        Ipv6Addr::from_bits(bits).to_canonical()
    }
}

/// The usual name of an IP protocol, in lower case; its number where it has none here.
pub fn protocol_name(protocol: u8) -> std::borrow::Cow<'static, str> {
    match protocol {
        Flow::ICMP => "icmp".into(),
        2 => "igmp".into(),
        4 => "ipip".into(),
        Flow::TCP => "tcp".into(),
        Flow::UDP => "udp".into(),
        41 => "ipv6".into(),
        47 => "gre".into(),
        50 => "esp".into(),
        51 => "ah".into(),
        Flow::ICMP6 => "icmp6".into(),
        89 => "ospf".into(),
        132 => "sctp".into(),
        other => other.to_string().into(),
    }
}

/// What came in at one address or network within a minute, of one kind of packets: kept of many flows together.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Inrush {
    /// The evidence that the flows are in.
    pub evidence: EvidenceId,
    /// Where in that evidence the first of them stands, within some hundred records.
    pub at: Position,
    /// The minute's beginning.
    pub time: Timestamp,
    /// Who was sent to: an address, or the first of a network.
    pub victim: Option<IpAddr>,
    /// How many bits of `victim` count.
    pub length: u8,
    /// Whether the estate's own networks hold it.
    pub is_own: bool,
    /// The kind of packets: what it means only the detector knows.
    pub kind: u32,
    /// The first and the last packet, microseconds since 1970.
    pub span: (i64, i64),
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// Packets that the victim sent which could have asked for these, or that answer them.
    pub answering: u64,
    /// The ports of the victim that most packets went to, with the packets.
    pub ports: Vec<(u16, u64)>,
    /// The senders of most packets, with the packets.
    pub loudest: Vec<(IpAddr, u64)>,
    /// A sample of the senders, each as likely as any other, by the order of a salted hash.
    pub sample: Vec<(u64, IpAddr)>,
    /// Addresses of the network that got some of it, where the victim is one.
    pub addresses: u32,
}

impl Keep for Inrush {
    const KIND: &'static str = "inrush";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

/// What addresses of the estate exchanged with the outside within a day, or a part of it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Outflow {
    /// The evidence that the flows are in.
    pub evidence: EvidenceId,
    /// Where in that evidence the first of them stands, within some hundred records.
    pub at: Position,
    /// The first of the flows.
    pub time: Timestamp,
    /// An inner address, an outer network (/24 of IPv4, /48 of IPv6), bytes to it and bytes from it; in the order of
    /// inner addresses.
    pub rows: Vec<(IpAddr, IpAddr, u64, u64)>,
}

impl Keep for Outflow {
    const KIND: &'static str = "outflow";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_service_is_the_lower_port() {
        let flow = |src_port, dst_port| Flow {
            start: Timestamp::UNKNOWN,
            end: Timestamp::UNKNOWN,
            src: Ipv4Addr::LOCALHOST.into(),
            dst: Ipv4Addr::LOCALHOST.into(),
            src_port,
            dst_port,
            protocol: Flow::TCP,
            tcp_flags: 0,
            packets: 1,
            bytes: 40,
        };
        assert_eq!(flow(50_000, 443).service(), (443, true));
        assert_eq!(flow(53, 50_000).service(), (53, false));
        assert_eq!(flow(0, 771).service(), (771, true));
        assert_eq!(flow(0, 0).service(), (0, false));
    }

    #[test]
    fn an_address_is_the_same_after_being_a_number() {
        for text in ["192.0.2.7", "0.0.0.0", "2001:db8::1", "::"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(Flow::address(Flow::bits(address)), address);
        }
    }
}
