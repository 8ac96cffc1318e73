//! Addresses as texts.

use std::net::Ipv4Addr;

/// The address that `text` is where it is nothing else: four numbers without leading zeros (as [`Ipv4Addr`] parses it, in a
/// third of the time; logs have one in every record).
#[inline]
pub fn plain_v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut rest = text.as_bytes();
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let (number, digits) = match rest {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
                (100 * digit(*a) + 10 * digit(*b) + digit(*c), 3)
            }
            [a @ b'0'..=b'9', b @ b'0'..=b'9', ..] => (10 * digit(*a) + digit(*b), 2),
            [a @ b'0'..=b'9', ..] => (digit(*a), 1),
            _ => return None,
        };
        if digits > 1 && rest.starts_with(b"0") {
            return None;
        }
        *octet = u8::try_from(number).ok()?;
        rest = rest.get(digits..)?;
    }
    rest.is_empty().then(|| Ipv4Addr::from(octets))
}

const fn digit(byte: u8) -> u16 {
    (byte - b'0') as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_standard_library_parses() {
        for text in [
            "0.0.0.0",
            "1.2.3.4",
            "255.255.255.255",
            "192.0.2.70",
            "10.20.30.40",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1.2.3.04",
            "1.2.3.00",
            "1..2.3",
            "",
            ".",
            "1.2.3.4 ",
            " 1.2.3.4",
            "1.2.3.4:80",
            "a.b.c.d",
            "1.2.3.1000",
            "+1.2.3.4",
            "1.2.3.4\n",
            "999.1.1.1",
            "::1",
            "1.2.3.",
            "１.2.3.4",
        ] {
            assert_eq!(plain_v4(text), text.parse().ok(), "{text:?}");
        }
    }
}
