//! Which addresses are the estate's.

use std::net::IpAddr;

use blackrod_model::estate::Prefix;
use blackrod_model::{Estate, Flow};

/// The estate's networks and systems, and all private addresses: whoever collects flows collects those of his own.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    /// Address and mask.
    v4: Vec<(u32, u32)>,
    v6: Vec<Prefix>,
}

impl Inside {
    pub(crate) fn new(estate: &Estate) -> Self {
        let mut inside = Self {
            v4: vec![
                (0x0a00_0000, 0xff00_0000),
                (0xac10_0000, 0xfff0_0000),
                (0xc0a8_0000, 0xffff_0000),
            ],
            v6: Vec::new(),
        };
        let of_networks = estate
            .networks
            .iter()
            .flat_map(|network| network.prefixes.iter().copied());
        let addresses = estate.systems.iter().flat_map(|system| system.addresses.iter());
        let of_systems =
            addresses.filter_map(|address| Prefix::new(*address, if address.is_ipv4() { 32 } else { 128 }));
        for prefix in of_networks.chain(of_systems) {
            match prefix.address {
                IpAddr::V4(v4) => {
                    let mask = u32::MAX.checked_shl(32 - u32::from(prefix.length)).unwrap_or(0);
                    inside.v4.push((v4.to_bits(), mask));
                }
                IpAddr::V6(_) => inside.v6.push(prefix),
            }
        }
        inside
    }

    #[inline]
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => {
                let bits = v4.to_bits();
                self.v4.iter().any(|(network, mask)| bits & mask == *network)
            }
            IpAddr::V6(v6) => v6.is_unique_local() || self.v6.iter().any(|prefix| prefix.contains(address)),
        }
    }
}

/// Whether packets to an address leave the network: not those to all, to groups, to neighbours.
pub(crate) fn is_routed(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast() || v4.is_link_local() || v4.is_loopback()),
        IpAddr::V6(v6) => !(v6.is_multicast() || v6.is_unicast_link_local() || v6.is_loopback()),
    }
}

/// The network that an address lies in: /24 of IPv4, of `v6` bits of IPv6.
#[inline]
pub(crate) fn network(address: IpAddr, v6: u32) -> IpAddr {
    Flow::address(network_bits(Flow::bits(address), v6))
}

/// [`network`] of an address that is given as [`Flow::bits`].
#[inline]
pub(crate) fn network_bits(address: u128, v6: u32) -> u128 {
    match address >> 32 {
        0xffff => address & !0xff,
        _ => address & u128::MAX.checked_shl(128 - v6).unwrap_or(0),
    }
}
