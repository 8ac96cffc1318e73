//! Parts of URLs that follow from a recipient's address (after Englehardt, Han and Narayanan, 2018).
//!
//! Encodings are undone and not guessed: what a part decodes to is compared with the address, its local part, and
//! their digests, so that chains such as `base64(md5)` cost nothing more. Digests are computed only for the
//! algorithms whose length occurs in the message, once for each recipient.

use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use sha2::Digest as _;

/// How many recipients of one message are compared.
const RECIPIENT_LIMIT: usize = 50;
/// How many encodings are undone, one upon the other.
const DEPTH_LIMIT: u8 = 3;
/// A shorter part says nothing about an address.
const SHORTEST: usize = 5;
/// A digest of which at least so many bytes are given is recognised.
const PREFIX: usize = 5;
/// Local parts of functions: as words they stand in URLs for other reasons.
const FUNCTIONS: [&str; 14] = [
    "admin",
    "contact",
    "events",
    "hello",
    "image",
    "images",
    "media",
    "office",
    "press",
    "sales",
    "service",
    "support",
    "public",
    "secretariat",
];

/// What can be derived from the addresses of a message's recipients.
pub struct Derivations<'r> {
    recipients: &'r [String],
    forms: OnceCell<Vec<Form>>,
    /// For each algorithm the digests of the forms.
    tables: [OnceCell<Vec<Vec<u8>>>; ALGORITHMS.len()],
}

/// What senders compute digests of, and how it follows from an address.
type Form = (&'static str, Vec<u8>);

struct Algorithm {
    name: &'static str,
    length: usize,
    digest: fn(&[u8]) -> Vec<u8>,
}

const ALGORITHMS: [Algorithm; 7] = [
    Algorithm {
        name: "crc32",
        length: 4,
        digest: |input| crc32fast::hash(input).to_be_bytes().to_vec(),
    },
    Algorithm {
        name: "md5",
        length: 16,
        digest: |input| md5::Md5::digest(input).to_vec(),
    },
    Algorithm {
        name: "sha1",
        length: 20,
        digest: |input| sha1::Sha1::digest(input).to_vec(),
    },
    Algorithm {
        name: "sha224",
        length: 28,
        digest: |input| sha2::Sha224::digest(input).to_vec(),
    },
    Algorithm {
        name: "sha256",
        length: 32,
        digest: |input| sha2::Sha256::digest(input).to_vec(),
    },
    Algorithm {
        name: "sha384",
        length: 48,
        digest: |input| sha2::Sha384::digest(input).to_vec(),
    },
    Algorithm {
        name: "sha512",
        length: 64,
        digest: |input| sha2::Sha512::digest(input).to_vec(),
    },
];

impl<'r> Derivations<'r> {
    /// For `recipients`, lower case; the first 50 of them.
    pub fn of(recipients: &'r [String]) -> Self {
        Self {
            recipients: recipients.get(..RECIPIENT_LIMIT).unwrap_or(recipients),
            forms: OnceCell::new(),
            tables: Default::default(),
        }
    }

    /// How `value` follows from a recipient's address: `plain`, `base64`, `md5`, `sha256(upper)`, `base64(md5)`;
    /// `None` where no such way is found.
    pub fn find(&self, value: &str) -> Option<String> {
        if self.recipients.is_empty() || value.len() < SHORTEST {
            return None;
        }
        self.undo(value.as_bytes(), 0)
    }

    /// The value is a recipient's address or its local part, as it is.
    pub fn is_name(&self, value: &str) -> bool {
        value.len() >= SHORTEST && self.plain(value).is_some()
    }

    fn undo(&self, value: &[u8], depth: u8) -> Option<String> {
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| !text.contains('\0'));
        if let Some(way) = self
            .digest(value)
            .or_else(|| text.and_then(|text| self.named(text)))
        {
            return Some(way);
        }
        let text = text.filter(|text| depth < DEPTH_LIMIT && text.len() >= SHORTEST)?;
        let decoded = |name: &str, bytes: Option<Vec<u8>>| {
            let way = self.undo(&bytes?, depth + 1)?;
            // A digest is written in hexadecimal as a matter of course.
            let is_digest = name == "hex" && ALGORITHMS.iter().any(|one| way.starts_with(one.name));
            Some(match (is_digest, way.as_str()) {
                (true, _) => way,
                (false, "plain") => name.to_owned(),
                (false, _) => format!("{name}({way})"),
            })
        };
        decoded("hex", from_hex(text))
            .or_else(|| decoded("base64", from_base64(text)))
            .or_else(|| decoded("base32", from_base32(text)))
            .or_else(|| {
                let plain = text.contains('%').then(|| percent_decode_str(text).collect());
                decoded("percent", plain)
            })
    }

    /// Text that is or holds an address, straight, turned round or in rot13.
    fn named(&self, text: &str) -> Option<String> {
        if let Some(way) = self.plain(text) {
            return Some(way.to_owned());
        }
        let crc = text
            .parse::<u32>()
            .ok()
            .and_then(|number| self.digest(&number.to_be_bytes()));
        crc.or_else(|| {
            let reversed: String = text.chars().rev().collect();
            self.plain(&reversed).map(|way| turned("reversed", way))
        })
        .or_else(|| self.plain(&rot13(text)).map(|way| turned("rot13", way)))
    }

    fn plain(&self, text: &str) -> Option<&'static str> {
        let text = text.trim().to_lowercase();
        for recipient in self.recipients {
            let local = recipient.split('@').next().unwrap_or_default();
            if text == *recipient {
                return Some("plain");
            }
            if text == local && local.len() >= SHORTEST && !FUNCTIONS.contains(&local) {
                return Some("local");
            }
            if text.len() > recipient.len()
                && recipient.len() > SHORTEST
                && (text.contains(recipient.as_str()) || text.contains(&recipient.replace('@', "=")))
            {
                return Some("within");
            }
        }
        None
    }

    fn digest(&self, bytes: &[u8]) -> Option<String> {
        if bytes.len() < 4 || bytes.len() > 64 {
            return None;
        }
        for (algorithm, table) in ALGORITHMS.iter().zip(&self.tables) {
            let is_whole = bytes.len() == algorithm.length;
            let may_be_prefix = matches!(algorithm.name, "md5" | "sha1" | "sha256")
                && (PREFIX..algorithm.length).contains(&bytes.len());
            if !is_whole && !may_be_prefix {
                continue;
            }
            let forms = self
                .forms
                .get_or_init(|| self.recipients.iter().flat_map(|one| forms(one)).collect());
            let digests = || forms.iter().map(|(_, input)| (algorithm.digest)(input)).collect();
            let table: &Vec<Vec<u8>> = table.get_or_init(digests);
            let found = table.iter().position(|digest| digest.starts_with(bytes));
            let Some((form, _)) = found.and_then(|at| forms.get(at)) else {
                continue;
            };
            let way = match *form {
                "" => algorithm.name.to_owned(),
                form => format!("{}({form})", algorithm.name),
            };
            return Some(match is_whole {
                true => way,
                false => format!("{way}[..{}]", bytes.len()),
            });
        }
        None
    }
}

fn forms(recipient: &str) -> Vec<Form> {
    let local = recipient.split('@').next().unwrap_or_default();
    let mut forms: Vec<Form> = vec![
        ("", recipient.into()),
        ("upper", recipient.to_uppercase().into()),
        ("local", local.into()),
        ("line", format!("{recipient}\n").into()),
        (
            "base64",
            base64::engine::general_purpose::STANDARD.encode(recipient).into(),
        ),
        ("hex", hex(recipient.as_bytes()).into()),
        ("reversed", recipient.chars().rev().collect::<String>().into()),
        ("rot13", rot13(recipient).into()),
    ];
    for algorithm in ALGORITHMS
        .iter()
        .filter(|one| matches!(one.name, "md5" | "sha1" | "sha256"))
    {
        forms.push((
            algorithm.name,
            hex(&(algorithm.digest)(recipient.as_bytes())).into(),
        ));
    }
    forms
}

fn turned(how: &str, way: &str) -> String {
    match way {
        "plain" => how.to_owned(),
        way => format!("{how}({way})"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            for nibble in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(nibble.into(), 16));
            }
            text
        })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() < 8 || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let nibble = |byte: u8| (byte as char).to_digit(16);
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8))
        .collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches(['=', '.']);
    if text.len() < 6 {
        return None;
    }
    let standard = STANDARD_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text));
    standard.ok()
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() < 8 {
        return None;
    }
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0u32, 0);
    for byte in text.bytes() {
        let value = match byte.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        buffer = (buffer << 5 | u32::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

fn rot13(text: &str) -> String {
    let turn = |c: char, base: u8| char::from((c as u8 - base + 13) % 26 + base);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "anna.berg@example.org";

    fn found(value: &str) -> Option<String> {
        let recipients = ["boris@example.org".to_owned(), ANNA.to_owned()];
        Derivations::of(&recipients).find(value)
    }

    #[test]
    fn what_follows_from_an_address_is_recognised() {
        let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let md5 = |text: &str| md5::Md5::digest(text.as_bytes()).to_vec();
        let cases = [
            (ANNA.to_owned(), "plain"),
            ("Anna.Berg@Example.ORG".to_owned(), "plain"),
            ("anna.berg".to_owned(), "local"),
            ("bounce-anna.berg=example.org".to_owned(), "within"),
            (base64(ANNA.as_bytes()), "base64"),
            (
                URL_SAFE_NO_PAD.encode(format!("{ANNA}|campaign12")),
                "base64(within)",
            ),
            (base64(base64(ANNA.as_bytes()).as_bytes()), "base64(base64)"),
            (hex(ANNA.as_bytes()), "hex"),
            ("MFXG4YJOMJSXEZ2AMV4GC3LQNRSS433SM4======".to_owned(), "base32"),
            (rot13(ANNA), "rot13"),
            (ANNA.chars().rev().collect(), "reversed"),
            (hex(&md5(ANNA)), "md5"),
            (hex(&md5(ANNA)).to_uppercase(), "md5"),
            (hex(&md5(&ANNA.to_uppercase())), "md5(upper)"),
            (hex(&md5(&hex(&md5(ANNA)))), "md5(md5)"),
            (base64(&md5(ANNA)), "base64(md5)"),
            (base64(hex(&md5(ANNA)).as_bytes()), "base64(md5)"),
            (hex(&sha1::Sha1::digest(ANNA)), "sha1"),
            (hex(&sha2::Sha256::digest(format!("{ANNA}\n"))), "sha256(line)"),
            (hex(&sha2::Sha512::digest("anna.berg")), "sha512(local)"),
            (hex(&sha2::Sha256::digest(ANNA))[..16].to_owned(), "sha256[..8]"),
            (crc32fast::hash(ANNA.as_bytes()).to_string(), "crc32"),
            (format!("{:08x}", crc32fast::hash(ANNA.as_bytes())), "crc32"),
            ("anna.berg%40example.org".to_owned(), "percent"),
        ];
        for (value, way) in cases {
            assert_eq!(found(&value).as_deref(), Some(way), "{value}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for value in [
            "",
            "anna",
            "newsletter",
            "example.org",
            "12345678",
            "9f86d081884c7d659a2feaa0c55ad015",
            "clara@example.org",
        ] {
            assert_eq!(found(value), None, "{value}");
        }
        let recipients = ["press@example.org".to_owned()];
        assert_eq!(Derivations::of(&recipients).find("press"), None);
        assert_eq!(Derivations::of(&[]).find("anna.berg@example.org"), None);
    }
}
