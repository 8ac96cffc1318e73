//! Values that tie nothing together: `content/lists/common.txt`.

use std::net::IpAddr;
use std::sync::LazyLock;

use blackrod_model::EntityKind;
use rustc_hash::{FxHashMap, FxHashSet};

/// The list as it is built in.
pub(crate) static COMMON: LazyLock<Common> =
    LazyLock::new(|| Common::parse(include_str!("../../../content/lists/common.txt")));

/// Common values, by kind.
pub(crate) struct Common {
    exact: FxHashMap<EntityKind, FxHashSet<String>>,
    /// Domains that stand for every name below them too.
    zones: FxHashSet<String>,
    prefixes: Vec<(IpAddr, u8)>,
}

impl Common {
    /// Reads the list; a line that is neither comment nor `kind value` is passed over (a test holds
    /// the built-in list to having none).
    fn parse(text: &str) -> Self {
        let mut common = Self {
            exact: FxHashMap::default(),
            zones: FxHashSet::default(),
            prefixes: Vec::new(),
        };
        for line in text.lines() {
            common.add_line(line);
        }
        common
    }

    /// Whether `value` (in an entity's canonical form) is on the list for its kind.
    pub(crate) fn contains(&self, kind: EntityKind, value: &str) -> bool {
        self.exact.get(&kind).is_some_and(|values| values.contains(value))
    }

    /// Whether `name` is a common domain or lies below one that stands for all names below it.
    pub(crate) fn contains_domain(&self, name: &str) -> bool {
        self.contains(EntityKind::Domain, name) || in_zones(name, |zone| self.zones.contains(zone))
    }

    /// Whether `address` lies in a common prefix.
    pub(crate) fn contains_ip(&self, address: IpAddr) -> bool {
        self.prefixes
            .iter()
            .any(|&(prefix, length)| in_prefix(address, prefix, length))
    }

    fn add_line(&mut self, line: &str) -> Option<()> {
        let entry = line.split('#').next()?.trim();
        let (kind_name, value) = entry.split_once(' ')?;
        let kind = EntityKind::from_name(kind_name)?;
        match kind {
            EntityKind::Ip => self.prefixes.push(parse_prefix(value)?),
            EntityKind::Domain if value.starts_with('.') => {
                self.zones.insert(value.trim_start_matches('.').to_owned());
            }
            _ => {
                self.exact.entry(kind).or_default().insert(value.to_owned());
            }
        }
        Some(())
    }
}

/// Whether `known` holds for `name` or for any domain above it.
pub(crate) fn in_zones(name: &str, known: impl Fn(&str) -> bool) -> bool {
    let mut zone = name;
    loop {
        if known(zone) {
            return true;
        }
        match zone.split_once('.') {
            Some((_, above)) => zone = above,
            None => return false,
        }
    }
}

/// Whether the first `length` bits of `address` are those of `prefix`.
pub(crate) fn in_prefix(address: IpAddr, prefix: IpAddr, length: u8) -> bool {
    match (address, prefix) {
        (IpAddr::V4(address), IpAddr::V4(prefix)) => {
            let differing = address.to_bits() ^ prefix.to_bits();
            differing.leading_zeros() >= u32::from(length)
        }
        (IpAddr::V6(address), IpAddr::V6(prefix)) => {
            let differing = address.to_bits() ^ prefix.to_bits();
            differing.leading_zeros() >= u32::from(length)
        }
        _ => false,
    }
}

fn parse_prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (address_text, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address = address_text.parse::<IpAddr>().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(bits);
    (length <= bits).then_some((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_has_no_line_that_is_not_understood() {
        let mut common = Common::parse("");
        for line in include_str!("../../../content/lists/common.txt").lines() {
            let is_comment = line.trim().is_empty() || line.starts_with('#');
            assert!(is_comment || common.add_line(line).is_some(), "{line}");
        }
    }

    #[test]
    fn a_leading_dot_stands_for_every_name_below() {
        assert!(COMMON.contains_domain("mail.gmail.com"));
        assert!(COMMON.contains_domain("gmail.com"));
        assert!(!COMMON.contains_domain("notgmail.com"));
        assert!(COMMON.contains_domain("github.io"));
        assert!(!COMMON.contains_domain("harvest.github.io"));
    }

    #[test]
    fn prefixes_hold_their_addresses_and_no_others() {
        for (text, expected) in [
            ("127.0.0.1", true),
            ("127.255.1.2", true),
            ("::1", true),
            ("8.8.8.8", true),
            ("209.85.220.41", true),
            ("203.0.113.7", false),
            ("8.8.8.9", false),
            ("2001:db8::1", false),
        ] {
            let found = text.parse().is_ok_and(|address| COMMON.contains_ip(address));
            assert_eq!(found, expected, "{text}");
        }
    }
}
