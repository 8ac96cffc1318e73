//! URLs with tokens.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use blackrod_model::mail::{Link, LinkRole, Token, hash};
use md5::Digest as _;

use crate::random::{Draw as _, Random, mix};

/// A URL in which some parts follow from whom it is sent to, from the message, the mailing or the sender.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
    template: String,
    host: String,
    domain: String,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Part {
        scope: Scope,
        coding: Coding,
        place: String,
    },
}

/// What a token follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Recipient,
    Message,
    Mailing,
    Sender,
    Link,
}

/// How a token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Hex(usize),
    Base62(usize),
    Base64(usize),
    Digits(usize),
    Uuid,
    Md5,
    Sha1,
    Sha256,
    PlainBase64,
    PlainHex,
    Plain,
    Rot13,
}

/// What the tokens of one message follow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys<'k> {
    pub(crate) recipient: u64,
    pub(crate) message: u64,
    pub(crate) mailing: u64,
    pub(crate) sender: u64,
    pub(crate) link: u64,
    pub(crate) address: &'k str,
}

impl Pattern {
    /// From its text, in which `{r:hex:32}` is a token: `r` recipient, `m` message, `i` issue (mailing), `s`
    /// sender, `l` link, then the coding and its length.
    pub(crate) fn new(text: &str) -> Self {
        let after_scheme = text.find("://").map_or(0, |at| at + 3);
        let host_end = text[after_scheme..]
            .find('/')
            .map_or(text.len(), |at| after_scheme + at);
        let host = &text[after_scheme..host_end];
        let labels: Vec<&str> = host.rsplitn(3, '.').collect();
        let domain = match labels.as_slice() {
            [top, second, ..] => format!("{second}.{top}"),
            _ => host.to_owned(),
        };
        let mut pattern = Self {
            pieces: Vec::new(),
            template: String::new(),
            host: host.to_owned(),
            domain,
        };
        let mut at = 0;
        while let Some(open) = text[at..].find('{') {
            let open = at + open;
            let close = text[open..].find('}').map_or(text.len(), |end| open + end);
            pattern.push_text(&text[at..open]);
            pattern.push_token(&text[open + 1..close], place(text, after_scheme, host_end, open));
            at = (close + 1).min(text.len());
        }
        pattern.push_text(&text[at..]);
        pattern
    }

    /// The URL for these keys, appended to `out`; for HTML with `&` written as `&amp;`.
    pub(crate) fn write(&self, keys: &Keys<'_>, html: bool, out: &mut String) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) if html && text.contains('&') => {
                    out.push_str(&text.replace('&', "&amp;"));
                }
                Piece::Text(text) => out.push_str(text),
                Piece::Part { scope, coding, .. } => coding.write(keys.of(*scope), keys.address, out),
            }
        }
    }

    /// What the facts of a message say about it.
    pub(crate) fn link(&self, keys: &Keys<'_>, role: LinkRole, found_in: &str, hidden: bool) -> Link {
        let mut tokens = Vec::new();
        let mut host = self.host.clone();
        let mut value = String::new();
        for piece in &self.pieces {
            let Piece::Part { scope, coding, place } = piece else {
                continue;
            };
            value.clear();
            coding.write(keys.of(*scope), keys.address, &mut value);
            if place.starts_with("host")
                && let (Some(open), Some(close)) = (host.find('{'), host.find('}'))
            {
                host.replace_range(open..=close, &value);
            }
            tokens.push(Token {
                place: place.clone(),
                value: hash(&value),
                length: u16::try_from(value.len()).unwrap_or(u16::MAX),
                derived: coding.derived().map(str::to_owned),
            });
        }
        Link {
            role,
            host,
            domain: self.domain.clone(),
            template: self.template.clone(),
            tokens,
            hidden,
            found_in: found_in.to_owned(),
        }
    }

    fn push_text(&mut self, text: &str) {
        if !text.is_empty() {
            self.template.push_str(text);
            self.pieces.push(Piece::Text(text.to_owned()));
        }
    }

    fn push_token(&mut self, code: &str, place: String) {
        let mut parts = code.split(':');
        let scope = match parts.next() {
            Some("r") => Scope::Recipient,
            Some("m") => Scope::Message,
            Some("i") => Scope::Mailing,
            Some("s") => Scope::Sender,
            _ => Scope::Link,
        };
        let name = parts.next().unwrap_or("hex");
        let length = parts.next().and_then(|text| text.parse().ok()).unwrap_or(16);
        let coding = match name {
            "b62" => Coding::Base62(length),
            "b64" => Coding::Base64(length),
            "n" => Coding::Digits(length),
            "uuid" => Coding::Uuid,
            "md5" => Coding::Md5,
            "sha1" => Coding::Sha1,
            "sha256" => Coding::Sha256,
            "base64" => Coding::PlainBase64,
            "hexaddress" => Coding::PlainHex,
            "plain" => Coding::Plain,
            "rot13" => Coding::Rot13,
            _ => Coding::Hex(length),
        };
        self.template.push_str(&coding.class());
        self.pieces.push(Piece::Part { scope, coding, place });
    }
}

impl Keys<'_> {
    fn of(&self, scope: Scope) -> u64 {
        match scope {
            Scope::Recipient => mix(self.recipient, &[self.sender]),
            Scope::Message => self.message,
            Scope::Mailing => self.mailing,
            Scope::Sender => self.sender,
            Scope::Link => mix(self.mailing, &[self.link]),
        }
    }
}

impl Coding {
    fn write(self, key: u64, address: &str, out: &mut String) {
        const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        match self {
            Self::Hex(length) => letters(key, length, &b"0123456789abcdef"[..], out),
            Self::Base62(length) => letters(key, length, &BASE64[..62], out),
            Self::Base64(length) => letters(key, length, &BASE64[..], out),
            Self::Digits(length) => letters(key, length, b"123456789", out),
            Self::Uuid => uuid(key, out),
            Self::Md5 => hex(&md5::Md5::digest(address), out),
            Self::Sha1 => hex(&sha1::Sha1::digest(address), out),
            Self::Sha256 => hex(&sha2::Sha256::digest(address), out),
            Self::PlainBase64 => URL_SAFE_NO_PAD.encode_string(address, out),
            Self::PlainHex => hex(address.as_bytes(), out),
            Self::Plain => out.push_str(address),
            Self::Rot13 => out.extend(address.chars().map(rot13)),
        }
    }

    fn class(self) -> String {
        match self {
            Self::Hex(length) => format!("{{hex:{length}}}"),
            Self::Base62(length) | Self::Base64(length) => format!("{{b64:{length}}}"),
            Self::Digits(_) => "{n}".to_owned(),
            Self::Uuid => "{uuid}".to_owned(),
            Self::Md5 => "{hex:32}".to_owned(),
            Self::Sha1 => "{hex:40}".to_owned(),
            Self::Sha256 => "{hex:64}".to_owned(),
            Self::PlainBase64 => "{b64}".to_owned(),
            Self::PlainHex => "{hex}".to_owned(),
            Self::Plain | Self::Rot13 => "{address}".to_owned(),
        }
    }

    fn derived(self) -> Option<&'static str> {
        match self {
            Self::Md5 => Some("md5"),
            Self::Sha1 => Some("sha1"),
            Self::Sha256 => Some("sha256"),
            Self::PlainBase64 => Some("base64"),
            Self::PlainHex => Some("hex"),
            Self::Plain => Some("plain"),
            Self::Rot13 => Some("rot13"),
            _ => None,
        }
    }
}

/// How a bulk sender sees who opened and who clicked.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    /// Loaded when the message is opened.
    pub(crate) open: Option<Pattern>,
    /// Every link goes through it; straight links without it.
    pub(crate) click: Option<Pattern>,
    /// Pictures, the same for everybody.
    pub(crate) image: Pattern,
    pub(crate) unsubscribe: Pattern,
    /// What is loaded is the headline picture instead of one pixel.
    pub(crate) headline_image: bool,
}

impl Tracker {
    /// A tracker on hosts below `domain`, of one of the shapes that tracking URLs have; images lie at
    /// `image_host` where one is given.
    pub(crate) fn own(random: &mut Random, domain: &str, image_host: Option<&str>) -> Self {
        let host = match random.usize(..8) {
            0 => domain.to_owned(),
            1 => format!("track.{domain}"),
            2 => format!("img.{domain}"),
            3 => format!("click.{domain}"),
            4 => format!("links.{domain}"),
            5 => format!("news.{domain}"),
            6 => format!("e{}.{domain}", random.usize(1..9)),
            _ => format!("static.{domain}"),
        };
        let token = token(random);
        let word = random.word(&[
            "o", "open", "view", "t", "px", "img", "e", "a", "media", "r", "news", "b",
        ]);
        let file = random.word(&["gif", "png", "jpg", "jpeg", "webp"]);
        let picture = random.word(&[
            "header", "logo", "top", "banner", "pixel", "spacer", "title", "photo",
        ]);
        let open = match random.usize(..10) {
            0 | 1 => format!("https://{host}/{word}/{token}.{file}"),
            2 => format!(
                "https://{host}/{word}.php?{}={token}",
                random.word(&["u", "id", "e", "uid", "x"])
            ),
            3 if !token.contains(":plain") && !token.contains("64") && !token.contains("rot13") => {
                format!("https://{token}.{domain}/{picture}.{file}")
            }
            3 | 4 => format!("https://{host}/{word}/{token}/{picture}.{file}"),
            5 => format!(
                "https://{host}/{word}?{}={{i:n:5}}&{}={token}",
                random.word(&["c", "cid", "m"]),
                random.word(&["u", "s", "h"])
            ),
            6 => format!(
                "https://{host}/{picture}.{file}?{}={token}",
                random.word(&["v", "t", "k", "ref"])
            ),
            7 => format!("https://{host}/{token}/{word}"),
            8 => format!("https://{host}/{word}/{{i:hex:8}}/{token}.{file}"),
            _ => format!("http://{host}/{word}/{token}"),
        };
        let click = match random.usize(..5) {
            0 => format!("https://{host}/c/{token}/{{l:b62:6}}"),
            1 => format!(
                "https://{host}/click?{}={token}&l={{l:n:3}}",
                random.word(&["u", "id", "e"])
            ),
            2 => format!("https://{host}/l/{{l:hex:8}}/{token}"),
            3 => format!("https://{host}/go.php?t={token}&to={{l:n:4}}"),
            _ => format!("https://{host}/{token}/{{l:b62:8}}"),
        };
        let pictures = image_host.map_or_else(
            || format!("https://{host}/images"),
            |host| format!("https://{host}/{}", random.word(&["uploads", "u", "files"])),
        );
        Self {
            open: Some(Pattern::new(&open)),
            click: random.chance(0.8).then(|| Pattern::new(&click)),
            image: Pattern::new(&format!("{pictures}/{{i:hex:12}}.png")),
            unsubscribe: Pattern::new(&format!("https://{host}/unsubscribe/{token}")),
            headline_image: random.chance(0.3),
        }
    }
}

/// One way of marking a recipient.
fn token(random: &mut Random) -> String {
    match random.usize(..14) {
        0 | 1 => format!("{{r:hex:{}}}", random.pick(&[8, 16, 24, 32, 40])),
        2..=4 => format!("{{r:b62:{}}}", random.usize(6..28)),
        5 => format!("{{r:b64:{}}}", random.usize(16..80)),
        6 => format!("{{r:n:{}}}", random.usize(6..12)),
        7 => "{r:uuid}".to_owned(),
        8 => format!("{{m:b62:{}}}", random.usize(8..24)),
        9 => format!("{{m:hex:{}}}", random.pick(&[16, 32])),
        10 => "{r:md5}".to_owned(),
        11 => random
            .word(&["{r:sha1}", "{r:sha256}", "{r:hexaddress}"])
            .to_owned(),
        12 => "{r:base64}".to_owned(),
        _ => random.word(&["{r:plain}", "{r:rot13}", "{r:base64}"]).to_owned(),
    }
}

/// Where the token at `at` stands.
fn place(text: &str, after_scheme: usize, host_end: usize, at: usize) -> String {
    if at < host_end {
        return format!("host {}", text[after_scheme..at].matches('.').count());
    }
    let Some(query) = text.find('?').filter(|query| *query < at) else {
        if text[..at].contains('#') {
            return "fragment".to_owned();
        }
        return format!(
            "path {}",
            text[host_end..at].matches('/').count().saturating_sub(1)
        );
    };
    let before = &text[query + 1..at];
    let name = before.rsplit('&').next().unwrap_or(before);
    format!("query {}", name.trim_end_matches('='))
}

/// `length` letters of `alphabet` that follow from `key`.
pub(crate) fn letters(key: u64, length: usize, alphabet: &[u8], out: &mut String) {
    let mut state = 0;
    for index in 0..length {
        if index.is_multiple_of(8) {
            state = mix(key, &[index as u64 + 1]);
        }
        out.push(char::from(alphabet[(state & 0xff) as usize % alphabet.len()]));
        state >>= 8;
    }
}

/// A version-4 UUID (RFC 9562) that follows from `key`.
pub(crate) fn uuid(key: u64, out: &mut String) {
    let (high, low) = (mix(key, &[1]), mix(key, &[2]));
    let _ = write!(
        out,
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    );
}

/// Base64 without padding of bytes that follow from `key`: what a signature looks like.
pub(crate) fn noise(key: u64, bytes: usize) -> String {
    let raw: Vec<u8> = (0..bytes.div_ceil(8))
        .flat_map(|index| mix(key, &[index as u64]).to_le_bytes())
        .take(bytes)
        .collect();
    STANDARD_NO_PAD.encode(raw)
}

fn hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
}

fn rot13(character: char) -> char {
    match character {
        'a'..='m' => char::from(character as u8 + 13),
        'n'..='z' => char::from(character as u8 - 13),
        other => other,
    }
}
