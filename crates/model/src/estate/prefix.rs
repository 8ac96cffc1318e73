//! Address ranges.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An IP prefix: an address and how many leading bits of it count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The address, with all bits beyond the length zero.
    pub address: IpAddr,
    /// Bits that count.
    pub length: u8,
}

impl Prefix {
    /// The prefix of `length` bits that `address` lies in; `None` if the address has fewer bits.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        let address = match address {
            IpAddr::V4(v4) if length <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4((v4.to_bits() & mask).into())
            }
            IpAddr::V6(v6) if length <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6((v6.to_bits() & mask).into())
            }
            _ => return None,
        };
        Some(Self { address, length })
    }

    /// Whether `address` lies in the prefix. An IPv4 address written as an IPv6 one
    /// (`::ffff:192.0.2.1`, RFC 4291 2.5.5.2) counts as the IPv4 address that it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::new(address.to_canonical(), self.length) == Some(*self)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// Why text is not a prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrefix {
    /// Not an address, or not a number after the slash.
    #[error("not an address range; write it like 192.0.2.0/24 or 2001:db8::/32")]
    Malformed,
    /// The length is larger than the address.
    #[error("/{length} is too long: an {family} address has {bits} bits")]
    TooLong {
        /// The length.
        length: u8,
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// Bits of an address of that family.
        bits: u8,
    },
    /// The address has bits beyond the length: more likely a slip in one of the two than meant.
    #[error("has bits set beyond /{0}; did you mean {1}?", .meant.length, .meant)]
    HostBits {
        /// The prefix without them.
        meant: Prefix,
    },
}

/// An address with or without a length; without one it stands for itself alone.
impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let (address_text, length_text) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address_text.parse().map_err(|_| InvalidPrefix::Malformed)?;
        let (family, bits) = if address.is_ipv4() {
            ("IPv4", 32)
        } else {
            ("IPv6", 128)
        };
        let length = match length_text {
            None => bits,
            Some(digits) => digits.parse().map_err(|_| InvalidPrefix::Malformed)?,
        };
        let prefix = Self::new(address, length).ok_or(InvalidPrefix::TooLong { length, family, bits })?;
        if prefix.address != address {
            return Err(InvalidPrefix::HostBits { meant: prefix });
        }
        Ok(prefix)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_prefix_contains_what_shares_its_bits() {
        let cases = [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false),
            ("::/0", "2001:db8::1", true),
            ("198.51.100.7", "198.51.100.7", true),
            ("198.51.100.7", "198.51.100.6", false),
        ];
        for (prefix, address, expected) in cases {
            let prefix: Prefix = prefix.parse().unwrap();
            assert_eq!(
                prefix.contains(address.parse().unwrap()),
                expected,
                "{prefix} {address}"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_prefix_is_said() {
        let message = |text: &str| text.parse::<Prefix>().unwrap_err().to_string();
        assert!(message("192.0.2.1/24").contains("did you mean 192.0.2.0/24?"));
        assert!(message("192.0.2.0/33").contains("IPv4 address has 32 bits"));
        for malformed in [
            "",
            "/8",
            "192.0.2/24",
            "192.0.2.0/",
            "192.0.2.0/x",
            "192.0.2.0/256",
            "a",
        ] {
            assert_eq!(
                malformed.parse::<Prefix>(),
                Err(InvalidPrefix::Malformed),
                "{malformed}"
            );
        }
    }
}
