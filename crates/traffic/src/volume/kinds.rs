//! Kinds of packets that floods are made of.

use std::borrow::Cow;

use blackrod_model::{Flow, protocol_name};

/// Services that answer over UDP with more than they were asked (Rossow 2014; CISA TA14-017A): port and name.
const REFLECTORS: &[(u16, &str)] = &[
    (17, "QOTD"),
    (19, "CHARGEN"),
    (53, "DNS"),
    (69, "TFTP"),
    (111, "portmapper"),
    (123, "NTP"),
    (137, "NetBIOS"),
    (161, "SNMP"),
    (177, "XDMCP"),
    (389, "CLDAP"),
    (427, "SLP"),
    (520, "RIP"),
    (623, "IPMI"),
    (1_434, "MS SQL"),
    (1_900, "SSDP"),
    (3_283, "Apple Remote Desktop"),
    (3_702, "WS-Discovery"),
    (5_093, "Sentinel"),
    (5_351, "NAT-PMP"),
    (5_353, "mDNS"),
    (5_683, "CoAP"),
    (10_001, "Ubiquiti discovery"),
    (11_211, "memcached"),
    (27_015, "Steam"),
    (32_414, "Plex"),
    (37_810, "DVR-IP"),
];

/// What a flood is made of. The number stands in facts: families in the high half, a port or protocol in the low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Kind(pub(crate) u32);

impl Kind {
    pub(crate) const SYN: Self = Self(1 << 16);
    pub(crate) const SYN_ACK: Self = Self(2 << 16);
    pub(crate) const TCP: Self = Self(3 << 16);
    pub(crate) const UDP: Self = Self(4 << 16);
    pub(crate) const FRAGMENT: Self = Self(5 << 16);
    pub(crate) const ICMP: Self = Self(6 << 16);
    const REFLECTION: u32 = 7 << 16;
    const OTHER: u32 = 8 << 16;

    /// The kind of packets that a flow is for who gets it.
    #[inline]
    pub(crate) fn of(flow: &Flow) -> Self {
        match flow.protocol {
            Flow::TCP => match flow.tcp_flags & 0x3f {
                Flow::SYN => Self::SYN,
                // With nothing after it: the connection did not come to be.
                0x12 | 0x16 => Self::SYN_ACK,
                _ => Self::TCP,
            },
            Flow::UDP if flow.src_port == 0 && flow.dst_port == 0 => Self::FRAGMENT,
            Flow::UDP => match reflector(flow.src_port) {
                Some(_) if flow.dst_port != flow.src_port => Self::reflection(flow.src_port),
                _ => Self::UDP,
            },
            Flow::ICMP | Flow::ICMP6 => Self::ICMP,
            other => Self(Self::OTHER | u32::from(other)),
        }
    }

    /// The kind that the sender of this flow may get as an answer to it.
    #[inline]
    pub(crate) fn asked_for(flow: &Flow) -> Self {
        match flow.protocol {
            Flow::TCP if flow.tcp_flags & Flow::SYN != 0 && flow.tcp_flags & Flow::ACK == 0 => Self::SYN_ACK,
            Flow::UDP => match reflector(flow.dst_port) {
                Some(_) if flow.dst_port != flow.src_port => Self::reflection(flow.dst_port),
                _ => Self::UDP,
            },
            Flow::TCP => Self::TCP,
            _ => Self::of(flow),
        }
    }

    fn reflection(port: u16) -> Self {
        Self(Self::REFLECTION | u32::from(port))
    }

    /// The port that reflected packets come from.
    pub(crate) fn reflected_from(self) -> Option<u16> {
        (self.0 & 0xffff_0000 == Self::REFLECTION).then_some((self.0 & 0xffff) as u16)
    }

    /// Whether somebody else was asked in the victim's name.
    pub(crate) fn is_reflected(self) -> bool {
        self == Self::SYN_ACK || self.reflected_from().is_some()
    }

    /// The IP protocol: `udp`.
    pub(crate) fn protocol(self) -> Cow<'static, str> {
        match self {
            Self::SYN | Self::SYN_ACK | Self::TCP => "tcp".into(),
            Self::ICMP => "icmp".into(),
            Self(other) if other & 0xffff_0000 == Self::OTHER => protocol_name((other & 0xff) as u8),
            _ => "udp".into(),
        }
    }

    /// The TCP flags that its packets carry, where the kind is known by them.
    pub(crate) fn flags(self) -> Option<&'static str> {
        match self {
            Self::SYN => Some("SYN"),
            Self::SYN_ACK => Some("SYN, ACK"),
            _ => None,
        }
    }

    /// What a flood of it is called: `SNMP reflection`.
    pub(crate) fn name(self) -> String {
        if let Some(port) = self.reflected_from() {
            return format!("{} reflection", reflector(port).unwrap_or("UDP"));
        }
        match self {
            Self::SYN => "SYN flood".to_owned(),
            Self::SYN_ACK => "SYN-ACK reflection".to_owned(),
            Self::FRAGMENT => "flood of UDP fragments".to_owned(),
            other => format!("{} flood", other.protocol().to_uppercase()),
        }
    }

    /// A short name for rules and identifiers: `reflection/161`.
    pub(crate) fn key(self) -> String {
        if let Some(port) = self.reflected_from() {
            return format!("reflection/{port}");
        }
        match self {
            Self::SYN => "syn".to_owned(),
            Self::SYN_ACK => "reflection/syn-ack".to_owned(),
            Self::FRAGMENT => "fragments".to_owned(),
            other => other.protocol().into_owned(),
        }
    }

    /// ATT&CK's techniques for it.
    pub(crate) fn techniques(self) -> &'static [&'static str] {
        match self {
            Self::SYN => &["T1498.001", "T1499.001"],
            kind if kind.is_reflected() => &["T1498.002"],
            _ => &["T1498.001"],
        }
    }
}

fn reflector(port: u16) -> Option<&'static str> {
    let index = REFLECTORS.binary_search_by_key(&port, |(port, _)| *port).ok()?;
    REFLECTORS.get(index).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflectors_are_in_order() {
        assert!(REFLECTORS.is_sorted_by_key(|(port, _)| *port));
        assert_eq!(reflector(11_211), Some("memcached"));
        assert_eq!(reflector(443), None);
    }
}
