//! Identifiers that stay the same when the same evidence is read again.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use crate::Position;

/// A SHA-256 digest (FIPS 180-4), shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// The digest of several byte strings, each preceded by its length so that no two different
    /// lists give the same input.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hasher = sha2::Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

/// Names one piece of evidence: its content and its place below the argument it came in by.
///
/// Two runs over the same folder give the same ids wherever that folder is mounted; two copies of
/// one file in two places are two pieces of evidence, because where a copy was found is a fact too.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvidenceId(pub [u8; 16]);

impl EvidenceId {
    /// The id of what was found at `path`, where `sha256` is the digest of the file on disk: of the
    /// outermost container for members of archives, so that ids are known before members are read.
    pub fn new(sha256: &Sha256, path: &str) -> Self {
        Self(truncate(Sha256::of_parts([&sha256.0[..], path.as_bytes()])))
    }
}

/// Names one finding: the claim (detector code and rule) and the record it is about.
///
/// It does not depend on when or in which order evidence was read, so that a repeated run replaces
/// a finding instead of adding it twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FindingId(pub [u8; 16]);

impl FindingId {
    /// The id of the claim `code`/`rule` about the record at `at` of `evidence`; `detail` tells apart
    /// several claims of one rule about one record (which attachment, which indicator). Forwarded logs hold
    /// records of many machines, each with its own numbers: only with the offset is a record known.
    pub fn new(code: &str, rule: &str, evidence: EvidenceId, at: Position, detail: &str) -> Self {
        Self(truncate(Sha256::of_parts([
            code.as_bytes(),
            rule.as_bytes(),
            &evidence.0,
            &at.record.to_le_bytes(),
            &at.offset.to_le_bytes(),
            detail.as_bytes(),
        ])))
    }
}

/// Why text is not an identifier.
#[derive(Debug, thiserror::Error)]
#[error("expected {expected} hexadecimal digits, found {found:?}")]
pub struct InvalidId {
    expected: usize,
    found: String,
}

macro_rules! hex_text {
    ($name:ident, $bytes:expr) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                decode_hex(text).map(Self).ok_or_else(|| InvalidId {
                    expected: $bytes * 2,
                    found: text.chars().take(80).collect(),
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.0)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    return text.parse().map_err(serde::de::Error::custom);
                }
                let bytes = <&[u8]>::deserialize(deserializer)?;
                bytes.try_into().map(Self).map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_text!(Sha256, 32);
hex_text!(EvidenceId, 16);
hex_text!(FindingId, 16);

fn truncate(digest: Sha256) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&digest.0[..16]);
    short
}

fn decode_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16);
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::try_from(nibble(pair[0])? * 16 + nibble(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        let digest = Sha256::of(b"abc");
        assert_eq!(
            digest.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digest.to_string().parse::<Sha256>().ok(), Some(digest));
        assert!("xyz".parse::<Sha256>().is_err());
        assert!("é".repeat(16).parse::<EvidenceId>().is_err());
    }

    #[test]
    fn parts_are_not_confused_with_their_concatenation() {
        assert_ne!(
            Sha256::of_parts([&b"ab"[..], b"c"]),
            Sha256::of_parts([&b"a"[..], b"bc"])
        );
    }
}
