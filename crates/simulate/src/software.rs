//! What sending software leaves behind: shapes of Message-IDs and boundaries, the order of header fields.

use std::fmt::Write as _;

use crate::random::{Draw as _, Random, mix};
use crate::url::{letters, uuid};

/// The traits of one installation of some mail software.
#[derive(Clone, Debug)]
pub(crate) struct Software {
    id: IdShape,
    /// The part of Message-IDs after the `@`; the sender's domain where there is none.
    id_host: Option<String>,
    boundary: BoundaryShape,
    /// Which of the orders of header fields it writes.
    pub(crate) order: usize,
    pub(crate) mailer: Option<Mailer>,
    /// Minutes east of UTC.
    pub(crate) zone: i32,
    pub(crate) charset: Charset,
    pub(crate) encoding: Encoding,
    /// `Q` instead of `B` in encoded words.
    pub(crate) q_words: bool,
}

/// A header field that names the software.
#[derive(Clone, Debug)]
pub(crate) struct Mailer {
    pub(crate) field: &'static str,
    pub(crate) value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// Falls back to UTF-8 where a letter is missing.
    Latin1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    QuotedPrintable,
    Base64,
    EightBit,
}

#[derive(Clone, Copy, Debug)]
enum IdShape {
    WebMail,
    Exchange,
    Uuid,
    UpperUuid,
    Queue,
    Php,
    Java,
    Cloud,
    Geopod,
    Python,
    Hex,
    Decimal,
}

#[derive(Clone, Copy, Debug)]
enum BoundaryShape {
    Zeros,
    Part,
    Outlook,
    Equals,
    Php,
    Dashes,
    Uuid,
    Apple,
}

const ID_SHAPES: [IdShape; 12] = [
    IdShape::WebMail,
    IdShape::Exchange,
    IdShape::Uuid,
    IdShape::UpperUuid,
    IdShape::Queue,
    IdShape::Php,
    IdShape::Java,
    IdShape::Cloud,
    IdShape::Geopod,
    IdShape::Python,
    IdShape::Hex,
    IdShape::Decimal,
];
const BOUNDARY_SHAPES: [BoundaryShape; 8] = [
    BoundaryShape::Zeros,
    BoundaryShape::Part,
    BoundaryShape::Outlook,
    BoundaryShape::Equals,
    BoundaryShape::Php,
    BoundaryShape::Dashes,
    BoundaryShape::Uuid,
    BoundaryShape::Apple,
];

impl Software {
    /// What a person writes with.
    pub(crate) fn desk(random: &mut Random) -> Self {
        let zone = *random.pick(&[0, 60, 60, 60, 120, -300]);
        match random.usize(..5) {
            0 => Self::of(
                IdShape::WebMail,
                Some("mail.webpost.example"),
                BoundaryShape::Zeros,
                1,
                None,
                zone,
            ),
            1 | 2 => {
                let host = format!(
                    "PR{:02}MB{:04}.hosted.example",
                    random.usize(1..20),
                    random.usize(1..9999)
                );
                Self::of(
                    IdShape::Exchange,
                    Some(&host),
                    BoundaryShape::Outlook,
                    0,
                    None,
                    zone,
                )
            }
            3 => {
                let version = format!("Invented Mail {}.{}", random.usize(90..128), random.usize(0..9));
                Self::of(
                    IdShape::Uuid,
                    None,
                    BoundaryShape::Dashes,
                    2,
                    Some(("User-Agent", version)),
                    zone,
                )
            }
            _ => {
                let version = format!("Pear Mail (2.{}.120.41)", random.usize(3600..3774));
                Self::of(
                    IdShape::UpperUuid,
                    None,
                    BoundaryShape::Apple,
                    3,
                    Some(("X-Mailer", version)),
                    zone,
                )
            }
        }
        .varied(random)
    }

    /// What a program sends with: a shop, a service, a script.
    pub(crate) fn program(random: &mut Random) -> Self {
        let id = *random.pick(&ID_SHAPES);
        let boundary = *random.pick(&BOUNDARY_SHAPES);
        let mailer = match random.usize(..4) {
            0 => Some((
                "X-Mailer",
                format!(
                    "PHPMail {}.{}.{}",
                    random.usize(5..7),
                    random.usize(0..9),
                    random.usize(0..30)
                ),
            )),
            1 => Some((
                "X-Mailer",
                format!("Merge {}.{}", random.usize(1..9), random.usize(0..9)),
            )),
            _ => None,
        };
        let zone = *random.pick(&[0, 0, 0, 60, 120, -420, 480]);
        Self::of(id, None, boundary, random.usize(..8), mailer, zone).varied(random)
    }

    /// What the machines of a mass-mail service send with.
    pub(crate) fn service(random: &mut Random, domain: &str) -> Self {
        let mut software = Self::program(random);
        software.id_host = random.chance(0.7).then(|| format!("mail.{domain}"));
        software.charset = Charset::Utf8;
        software
    }

    /// The Message-ID of the message `key`, without angle brackets.
    pub(crate) fn message_id(&self, key: u64, micros: i64, domain: &str) -> String {
        const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        const BASE62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        const HEX: &[u8] = b"0123456789abcdef";
        const DIGITS: &[u8] = b"0123456789";
        let host = self.id_host.as_deref().unwrap_or(domain);
        let seconds = micros.div_euclid(1_000_000);
        let mut id = String::with_capacity(80);
        match self.id {
            IdShape::WebMail => {
                id.push_str("CA");
                letters(
                    key,
                    46,
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=",
                    &mut id,
                );
            }
            IdShape::Exchange => letters(key, 38, UPPER, &mut id),
            IdShape::Uuid => uuid(key, &mut id),
            IdShape::UpperUuid => {
                uuid(key, &mut id);
                id.make_ascii_uppercase();
            }
            IdShape::Queue => {
                let _ = write!(id, "{}.", crate::date::compact(seconds));
                letters(key, 11, UPPER, &mut id);
            }
            IdShape::Php => letters(key, 43, BASE62, &mut id),
            IdShape::Java => {
                let _ = write!(
                    id,
                    "{}.{}.{}.JavaMail.app",
                    mix(key, &[1]) >> 33,
                    key % 90,
                    seconds * 1000 + (key % 1000) as i64
                );
            }
            IdShape::Cloud => {
                let _ = write!(id, "01000{:011x}-", seconds * 1000);
                uuid(key, &mut id);
                id.push_str("-000000");
            }
            IdShape::Geopod => {
                letters(key, 22, BASE62, &mut id);
                let _ = write!(id, ".relay-{}-0", key % 40);
            }
            IdShape::Python => {
                let _ = write!(id, "{}.{}.{}", seconds * 100, key % 32_768, mix(key, &[1]));
            }
            IdShape::Hex => letters(key, 32, HEX, &mut id),
            IdShape::Decimal => {
                letters(key, 10, DIGITS, &mut id);
                let _ = write!(id, ".{seconds}");
            }
        }
        id.push('@');
        id.push_str(host);
        id
    }

    /// The boundary of the `level`-th multipart of the message `key`.
    pub(crate) fn boundary(&self, key: u64, level: usize) -> String {
        const BASE62: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        const HEX: &[u8] = b"0123456789abcdef";
        const UPPER_HEX: &[u8] = b"0123456789ABCDEF";
        let key = mix(key, &[77, level as u64]);
        let mut text = String::with_capacity(48);
        match self.boundary {
            BoundaryShape::Zeros => {
                text.push_str("000000000000");
                letters(key, 16, HEX, &mut text);
            }
            BoundaryShape::Part => {
                let _ = write!(
                    text,
                    "----=_Part_{}_{}.{}",
                    key % 99_999,
                    key >> 40,
                    mix(key, &[1]) >> 24
                );
            }
            BoundaryShape::Outlook => {
                let _ = write!(text, "_{level:03}_");
                letters(key, 40, UPPER_HEX, &mut text);
                text.push('_');
            }
            BoundaryShape::Equals => {
                text.push_str("===============");
                letters(key, 19, b"0123456789", &mut text);
                text.push_str("==");
            }
            BoundaryShape::Php => {
                let _ = write!(text, "b{}_", level + 1);
                letters(key, 43, BASE62, &mut text);
            }
            BoundaryShape::Dashes => {
                text.push_str("------------");
                letters(key, 24, BASE62, &mut text);
            }
            BoundaryShape::Uuid => uuid(key, &mut text),
            BoundaryShape::Apple => {
                text.push_str("Apple-Mail=_");
                uuid(key, &mut text);
                text.make_ascii_uppercase();
            }
        }
        text
    }

    /// Names the shapes, for the prints of the facts.
    pub(crate) fn shapes(&self) -> (usize, usize) {
        (self.id as usize, self.boundary as usize)
    }

    fn of(
        id: IdShape,
        id_host: Option<&str>,
        boundary: BoundaryShape,
        order: usize,
        mailer: Option<(&'static str, String)>,
        zone: i32,
    ) -> Self {
        Self {
            id,
            id_host: id_host.map(str::to_owned),
            boundary,
            order,
            mailer: mailer.map(|(field, value)| Mailer { field, value }),
            zone,
            charset: Charset::Utf8,
            encoding: Encoding::QuotedPrintable,
            q_words: false,
        }
    }

    fn varied(mut self, random: &mut Random) -> Self {
        self.charset = if random.chance(0.12) {
            Charset::Latin1
        } else {
            Charset::Utf8
        };
        self.encoding = *random.pick(&[
            Encoding::QuotedPrintable,
            Encoding::QuotedPrintable,
            Encoding::Base64,
            Encoding::EightBit,
            Encoding::EightBit,
        ]);
        self.q_words = random.chance(0.5);
        self
    }
}
