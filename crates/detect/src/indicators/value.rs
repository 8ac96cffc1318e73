//! What can be an indicator, and its one canonical form.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an indicator names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// An IPv4 address or prefix.
    Ipv4 = 1,
    /// An IPv6 address or prefix.
    Ipv6 = 2,
    /// A DNS name and everything below it.
    Domain = 3,
    /// A URL, whatever its scheme.
    Url = 4,
    /// A mail address.
    Mail = 5,
    /// A file's MD5.
    Md5 = 6,
    /// A file's SHA-1.
    Sha1 = 7,
    /// A file's SHA-256.
    Sha256 = 8,
    /// A file's name without its folder.
    FileName = 9,
}

impl Kind {
    /// What it is called in a finding's title.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Ipv4 | Self::Ipv6 => "IP address",
            Self::Domain => "Domain",
            Self::Url => "URL",
            Self::Mail => "Mail address",
            Self::Md5 | Self::Sha1 | Self::Sha256 => "File digest",
            Self::FileName => "File name",
        }
    }

    pub(crate) const fn from_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Self::Ipv4,
            2 => Self::Ipv6,
            3 => Self::Domain,
            4 => Self::Url,
            5 => Self::Mail,
            6 => Self::Md5,
            7 => Self::Sha1,
            8 => Self::Sha256,
            9 => Self::FileName,
            _ => return None,
        })
    }
}

/// A kind and the bytes by which the table knows the value: an address preceded by its prefix
/// length, the raw digest, or lower-case text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
}

/// Why a value cannot serve as an indicator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The text is no value of its kind.
    #[error("not {expected}: {found:?}")]
    Malformed {
        /// What was wanted, with its article.
        expected: &'static str,
        /// The beginning of what was there.
        found: String,
    },
    /// The type is not one that blackrod compares.
    #[error("blackrod compares no indicators of type {0:?}")]
    UnknownKind(String),
    /// The address belongs to everybody's own network.
    #[error("{0} is a private, local or reserved address and would mark one's own machines")]
    OwnAddress(String),
    /// The prefix covers too much of the internet.
    #[error("{0} covers too many addresses to tell anything")]
    TooWide(String),
    /// The value is on the list of things that honest traffic is full of.
    #[error("{0} is used by millions; taken alone it would mark honest traffic")]
    Common(String),
}

/// Reads a value of the type that a feed calls `type_name`; `None` or an empty name lets the value
/// speak for itself.
pub(crate) fn parse(type_name: Option<&str>, text: &str) -> Result<Key, Unusable> {
    const LONGEST: usize = 4_096;
    if text.len() > LONGEST {
        return Err(malformed("an indicator of a sensible length", text));
    }
    let refanged = refang(text);
    let value = refanged.trim();
    match type_name.map(fold_type).as_deref() {
        None | Some("" | "ioc" | "indicator" | "unknown" | "other") => guess(value),
        Some(
            "ip" | "ipv4" | "ipv6" | "ipaddr" | "ipaddress" | "ipv4addr" | "ipv6addr" | "ipsrc" | "ipdst"
            | "cidr" | "prefix" | "ipport" | "ipdstport" | "ipsrcport" | "network" | "ipv4cidr" | "ipv6cidr",
        ) => address(value),
        Some("domain" | "domainname" | "hostname" | "host" | "fqdn" | "dns") => domain(value),
        Some("url" | "uri" | "link") => url(value),
        Some(
            "email" | "emailaddr" | "emailaddress" | "mail" | "mailaddress" | "emailsrc" | "emaildst"
            | "emailreplyto" | "sender",
        ) => mail(value),
        Some("md5" | "filehashmd5") => digest(value, Kind::Md5),
        Some("sha1" | "filehashsha1") => digest(value, Kind::Sha1),
        Some("sha256" | "filehashsha256") => digest(value, Kind::Sha256),
        Some("hash" | "filehash" | "digest") => any_digest(value),
        Some("filename" | "file") => file_name(value),
        Some(_) => Err(Unusable::UnknownKind(
            type_name.unwrap_or_default().chars().take(60).collect(),
        )),
    }
}

/// The text form of a key: what a finding shows and is identified by.
pub(crate) fn display(kind: Kind, bytes: &[u8]) -> String {
    match (kind, bytes) {
        (Kind::Ipv4, [length, a, b, c, d]) => {
            let address = Ipv4Addr::new(*a, *b, *c, *d);
            if *length == 32 {
                address.to_string()
            } else {
                format!("{address}/{length}")
            }
        }
        (Kind::Ipv6, [length, octets @ ..]) => {
            let address = <[u8; 16]>::try_from(octets).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from);
            if *length == 128 {
                address.to_string()
            } else {
                format!("{address}/{length}")
            }
        }
        (Kind::Md5 | Kind::Sha1 | Kind::Sha256, digest) => {
            digest.iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Whether `text` is the name of an indicator type, and not an indicator itself.
pub(crate) fn is_type_name(text: &str) -> bool {
    !text.is_empty() && !text.contains('.') && !matches!(parse(Some(text), ""), Err(Unusable::UnknownKind(_)))
}

/// Undoes the common ways of making an indicator unclickable: `hxxp`, `[.]`, `(dot)`, `[at]`, `[:]`.
pub(crate) fn refang(text: &str) -> String {
    const MARKS: [(&str, &str); 18] = [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[.", "."),
        (".]", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("{dot}", "."),
        ("\\.", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[@]", "@"),
        ("(@)", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("{at}", "@"),
        ("[/]", "/"),
        ("__dot__", "."),
    ];
    let mut plain = text.trim().trim_matches(['"', '\'', '<', '>']).to_owned();
    if plain.contains(['[', '(', '{', '\\', '_']) {
        for (mark, meaning) in MARKS {
            while let Some(at) = plain.to_ascii_lowercase().find(mark) {
                plain.replace_range(at..at + mark.len(), meaning);
            }
        }
    }
    let scheme_end = plain.find("://").unwrap_or(0);
    let scheme = plain[..scheme_end].to_ascii_lowercase();
    match scheme.as_str() {
        "hxxp" | "h**p" | "htxp" | "hxtp" | "meow" => format!("http{}", &plain[scheme_end..]),
        "hxxps" | "h**ps" | "htxps" | "hxtps" | "meows" => format!("https{}", &plain[scheme_end..]),
        "fxp" => format!("ftp{}", &plain[scheme_end..]),
        _ => plain,
    }
}

fn fold_type(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

fn guess(value: &str) -> Result<Key, Unusable> {
    let without_port = value.rsplit_once(':').map_or(value, |(host, _)| host);
    let (host, length) = value.split_once('/').unwrap_or((value, "0"));
    let looks_like_address = host.parse::<IpAddr>().is_ok() && length.parse::<u8>().is_ok();
    if looks_like_address || without_port.parse::<Ipv4Addr>().is_ok() {
        return address(value);
    }
    if value.contains("://") || (value.contains('/') && !value.starts_with('/')) {
        return url(value);
    }
    if value.contains('@') {
        return mail(value);
    }
    match any_digest(value) {
        Err(Unusable::Malformed { .. }) => domain(value)
            .map_err(|_| malformed("an address, prefix, domain, URL, digest or mail address", value)),
        digest => digest,
    }
}

fn malformed(expected: &'static str, found: &str) -> Unusable {
    Unusable::Malformed {
        expected,
        found: found.chars().take(120).collect(),
    }
}

fn address(value: &str) -> Result<Key, Unusable> {
    const WANTED: &str = "an IP address or prefix";
    let (host, length) = match value.split_once('/') {
        Some((host, length)) => (
            host,
            Some(length.parse::<u8>().map_err(|_| malformed(WANTED, value))?),
        ),
        None => (value, None),
    };
    let parsed = host.parse::<IpAddr>().or_else(|error| {
        // `192.0.2.1:443` and `192.0.2.1|443`: the port is not compared.
        let without_port = host
            .rsplit_once([':', '|'])
            .map(|(address, _)| address.parse::<Ipv4Addr>());
        match without_port {
            Some(Ok(v4)) => Ok(IpAddr::V4(v4)),
            _ => Err(error),
        }
    });
    let ip = match parsed.map_err(|_| malformed(WANTED, value))? {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    match ip {
        IpAddr::V4(v4) => {
            let bits = length.unwrap_or(32);
            if bits > 32 {
                return Err(malformed(WANTED, value));
            }
            if bits < 8 {
                return Err(Unusable::TooWide(value.to_owned()));
            }
            let network = v4.to_bits() & mask_v4(bits);
            if is_own_v4(Ipv4Addr::from_bits(network)) {
                return Err(Unusable::OwnAddress(value.to_owned()));
            }
            Ok(key_v4(bits, network))
        }
        IpAddr::V6(v6) => {
            let bits = length.unwrap_or(128);
            if bits > 128 {
                return Err(malformed(WANTED, value));
            }
            let network = v6.to_bits() & mask_v6(bits);
            if is_own_v6(Ipv6Addr::from_bits(network)) {
                return Err(Unusable::OwnAddress(value.to_owned()));
            }
            if bits < 19 {
                return Err(Unusable::TooWide(value.to_owned()));
            }
            Ok(key_v6(bits, network))
        }
    }
}

fn key_v4(bits: u8, network: u32) -> Key {
    let mut bytes = vec![bits];
    bytes.extend(network.to_be_bytes());
    Key {
        kind: Kind::Ipv4,
        bytes,
    }
}

fn key_v6(bits: u8, network: u128) -> Key {
    let mut bytes = vec![bits];
    bytes.extend(network.to_be_bytes());
    Key {
        kind: Kind::Ipv6,
        bytes,
    }
}

/// The netmask of an IPv4 prefix of `bits` bits.
pub(crate) fn mask_v4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0)
}

/// The netmask of an IPv6 prefix of `bits` bits.
pub(crate) fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0)
}

/// RFC 6890 special-purpose addresses that a parliament's own machines may have. The documentation
/// networks (RFC 5737) stay usable: examples need them and nobody has them.
fn is_own_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let is_carrier_grade = a == 100 && (64..128).contains(&b);
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || a == 0
        || a >= 240
        || is_carrier_grade
}

fn is_own_v6(ip: Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    let is_unique_local = first & 0xfe00 == 0xfc00;
    let is_link_local = first & 0xffc0 == 0xfe80;
    ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || is_unique_local || is_link_local
}

fn domain(value: &str) -> Result<Key, Unusable> {
    let stripped = value.trim_start_matches("*.").trim_matches('.');
    let ascii = canonical_domain(stripped).ok_or_else(|| malformed("a domain name", value))?;
    Ok(Key {
        kind: Kind::Domain,
        bytes: ascii.into_bytes(),
    })
}

/// A DNS name in lower case and in its ASCII form (RFC 5890); `None` if it cannot be one.
fn canonical_domain(name: &str) -> Option<String> {
    let ascii = if name.is_ascii() {
        name.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(name).ok()?
    };
    let labels_are_sound = ascii.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    });
    let top = ascii.rsplit_once('.')?.1;
    let top_is_sound = top.len() >= 2 && top.bytes().any(|byte| byte.is_ascii_alphabetic());
    (ascii.len() <= 253 && labels_are_sound && top_is_sound).then_some(ascii)
}

fn url(value: &str) -> Result<Key, Unusable> {
    const WANTED: &str = "a URL with a host name or IPv4 address";
    let after_scheme = value.split_once("://").map_or(value, |(_, rest)| rest);
    let host_end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
    let (authority, rest) = after_scheme.split_at(host_end);
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host_and_port.split_once(':').unwrap_or((host_and_port, ""));
    let known_host = match host.parse::<Ipv4Addr>() {
        Ok(v4) => v4.to_string(),
        Err(_) => canonical_domain(host.trim_end_matches('.')).ok_or_else(|| malformed(WANTED, value))?,
    };
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(WANTED, value));
    }
    Ok(Key {
        kind: Kind::Url,
        bytes: url_key(&known_host, port, rest).into_bytes(),
    })
}

/// A URL as the table knows it: host in lower case, port unless it is 80 or 443, path and query as
/// they are, no scheme, user or fragment.
pub(crate) fn url_key(host: &str, port: &str, rest: &str) -> String {
    let mut key = host.to_ascii_lowercase();
    if !matches!(port, "" | "80" | "443") {
        key.push(':');
        key.push_str(port);
    }
    if !rest.starts_with('/') {
        key.push('/');
    }
    key.push_str(rest.split('#').next().unwrap_or_default());
    key
}

fn mail(value: &str) -> Result<Key, Unusable> {
    let bare = value.strip_prefix("mailto:").unwrap_or(value);
    let parts = bare
        .rsplit_once('@')
        .filter(|(local, _)| !local.is_empty() && local.len() <= 64);
    let canonical = parts.and_then(|(local, host)| {
        let is_plain = !local.contains(|c: char| c.is_whitespace() || c == '@' || c == '"');
        is_plain.then(|| canonical_domain(host).map(|name| format!("{}@{name}", local.to_lowercase())))?
    });
    Ok(Key {
        kind: Kind::Mail,
        bytes: canonical
            .ok_or_else(|| malformed("a mail address", value))?
            .into_bytes(),
    })
}

fn any_digest(value: &str) -> Result<Key, Unusable> {
    match value.len() {
        32 => digest(value, Kind::Md5),
        40 => digest(value, Kind::Sha1),
        64 => digest(value, Kind::Sha256),
        _ => Err(malformed("an MD5, SHA-1 or SHA-256", value)),
    }
}

fn digest(value: &str, kind: Kind) -> Result<Key, Unusable> {
    const OF_NOTHING: [&str; 3] = [
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    let (expected, length) = match kind {
        Kind::Md5 => ("an MD5", 32),
        Kind::Sha1 => ("a SHA-1", 40),
        _ => ("a SHA-256", 64),
    };
    if value.len() != length {
        return Err(malformed(expected, value));
    }
    if OF_NOTHING.iter().any(|empty| value.eq_ignore_ascii_case(empty)) {
        return Err(Unusable::Common(format!("the digest of an empty file, {value},")));
    }
    let bytes = decode_hex(value.as_bytes()).ok_or_else(|| malformed(expected, value))?;
    Ok(Key { kind, bytes })
}

/// The bytes that hexadecimal digits spell.
pub(crate) fn decode_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(nibble(*high)? * 16 + nibble(*low)?).ok(),
            _ => None,
        })
        .collect()
}

fn file_name(value: &str) -> Result<Key, Unusable> {
    let name = value
        .rsplit(['\\', '/'])
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    if name.len() < 4 || name.len() > 255 || !name.contains('.') {
        return Err(malformed("a file name that tells anything", value));
    }
    Ok(Key {
        kind: Kind::FileName,
        bytes: name.into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn canonical(type_name: Option<&str>, text: &str) -> Result<String, Unusable> {
        parse(type_name, text).map(|key| display(key.kind, &key.bytes))
    }

    #[test]
    fn values_speak_for_themselves() {
        for (text, kind, expected) in [
            ("198.51.100.7", Kind::Ipv4, "198.51.100.7"),
            ("198.51.100[.]7:8443", Kind::Ipv4, "198.51.100.7"),
            ("198.51.100.77/24", Kind::Ipv4, "198.51.100.0/24"),
            ("2001:DB8::1", Kind::Ipv6, "2001:db8::1"),
            ("2001:db8:1::/48", Kind::Ipv6, "2001:db8:1::/48"),
            ("::ffff:198.51.100.7", Kind::Ipv4, "198.51.100.7"),
            ("Evil[.]Example", Kind::Domain, "evil.example"),
            ("*.evil(dot)example", Kind::Domain, "evil.example"),
            ("bücher.example", Kind::Domain, "xn--bcher-kva.example"),
            ("hxxps://Evil[.]example/A?b=C#d", Kind::Url, "evil.example/A?b=C"),
            ("evil.example/path", Kind::Url, "evil.example/path"),
            ("http://evil.example:80", Kind::Url, "evil.example/"),
            ("http://198.51.100.7:8080/x", Kind::Url, "198.51.100.7:8080/x"),
            ("Anna(at)evil[.]example", Kind::Mail, "anna@evil.example"),
            (
                "0123456789ABCDEF0123456789abcdef",
                Kind::Md5,
                "0123456789abcdef0123456789abcdef",
            ),
        ] {
            let key = parse(None, text).unwrap();
            assert_eq!(key.kind, kind, "{text}");
            assert_eq!(display(key.kind, &key.bytes), expected, "{text}");
        }
    }

    #[test]
    fn values_that_would_mark_the_innocent_are_refused() {
        for text in [
            "10.1.2.3",
            "127.0.0.1",
            "192.168.0.0/16",
            "100.64.1.1",
            "::1",
            "fe80::1",
            "fd00::/8",
        ] {
            assert!(
                matches!(parse(None, text), Err(Unusable::OwnAddress(_))),
                "{text}"
            );
        }
        for text in ["0.0.0.0/0", "64.0.0.0/2", "2000::/3"] {
            assert!(matches!(parse(None, text), Err(Unusable::TooWide(_))), "{text}");
        }
        assert!(matches!(
            parse(None, "d41d8cd98f00b204e9800998ecf8427e"),
            Err(Unusable::Common(_))
        ));
        for text in [
            "",
            "evil",
            "evil.123",
            "a b.example",
            "http://",
            "@evil.example",
            "192.0.2.1/33",
            "x..y",
        ] {
            assert!(
                matches!(parse(None, text), Err(Unusable::Malformed { .. })),
                "{text:?}"
            );
        }
        assert_eq!(
            canonical(Some("mutex"), "x"),
            Err(Unusable::UnknownKind("mutex".to_owned()))
        );
    }

    #[test]
    fn feeds_may_spell_their_types_as_they_like() {
        assert_eq!(canonical(Some("ip-dst"), "198.51.100.7").unwrap(), "198.51.100.7");
        assert_eq!(
            canonical(Some("Email-Src"), "a@b.example").unwrap(),
            "a@b.example"
        );
        assert_eq!(canonical(Some("filename"), r"C:\x\Evil.EXE").unwrap(), "evil.exe");
        assert!(canonical(Some("sha256"), "abc").is_err());
        assert!(is_type_name("IPv4-Addr"));
        assert!(!is_type_name("evil.example"));
    }

    #[test]
    fn masks_at_their_ends() {
        assert_eq!((mask_v4(0), mask_v4(32)), (0, u32::MAX));
        assert_eq!((mask_v6(0), mask_v6(128)), (0, u128::MAX));
        assert_eq!(mask_v4(24), 0xffff_ff00);
    }
}
