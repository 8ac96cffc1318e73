//! Addresses in one spelling.

use std::net::{IpAddr, Ipv6Addr};

use blackrod_model::plain_v4;

/// An address out of a record.
#[derive(Debug, PartialEq)]
pub(crate) struct Address {
    /// The address in its one spelling (RFC 5952; IPv4 where it was mapped into IPv6), if the record
    /// has it in another.
    pub(crate) text: Option<String>,
    /// The port that stood with it.
    pub(crate) port: Option<u16>,
}

/// The address that `text` holds: `192.0.2.7`, `192.0.2.7:5000`, `[2001:db8::1]:443`, `2001:db8::1%3`,
/// `::ffff:192.0.2.7`; of several separated by commas (a chain of proxies) the first.
pub(crate) fn normalise(text: &str) -> Option<Address> {
    let trimmed = text.trim();
    if plain_v4(trimmed).is_some() {
        return Some(Address {
            text: (trimmed.len() != text.len()).then(|| trimmed.to_owned()),
            port: None,
        });
    }
    let first = trimmed.split_once(',').map_or(trimmed, |(first, _)| first.trim());
    let (host, port) = split_port(first);
    let without_zone = host.split_once('%').map_or(host, |(address, _)| address);
    let address: IpAddr = without_zone.parse().ok()?;
    let canonical = canonical(address).to_string();
    Some(Address {
        text: (canonical != text).then_some(canonical),
        port,
    })
}

fn split_port(text: &str) -> (&str, Option<u16>) {
    if let Some(inner) = text.strip_prefix('[') {
        let Some((host, after)) = inner.split_once(']') else {
            return (inner, None);
        };
        let port = after.strip_prefix(':').and_then(|port| port.parse().ok());
        return (host, port);
    }
    match text.split_once(':') {
        Some((host, port)) if host.contains('.') && !port.contains(':') => (host, port.parse().ok()),
        _ => (text, None),
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => mapped(v6),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn mapped(v6: Ipv6Addr) -> IpAddr {
    v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_address() {
        let cases = [
            ("192.0.2.7", None, None),
            ("192.0.2.7:5000", Some("192.0.2.7"), Some(5_000)),
            ("::ffff:192.0.2.7", Some("192.0.2.7"), None),
            ("[::FFFF:192.0.2.7]:443", Some("192.0.2.7"), Some(443)),
            ("[2001:DB8:0::1]:443", Some("2001:db8::1"), Some(443)),
            ("2001:db8::1", None, None),
            ("2001:0db8::1%12", Some("2001:db8::1"), None),
            ("[2001:db8::1]", Some("2001:db8::1"), None),
            (" 192.0.2.7 ", Some("192.0.2.7"), None),
            ("192.0.2.7, 10.0.0.1", Some("192.0.2.7"), None),
        ];
        for (text, expected, port) in cases {
            let expected = Address {
                text: expected.map(str::to_owned),
                port,
            };
            assert_eq!(normalise(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_is_no_address() {
        for text in [
            "",
            "-",
            "<null>",
            "host.example:80",
            "300.1.1.1",
            "1.2.3",
            "[",
            "[]:1",
            ":",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
