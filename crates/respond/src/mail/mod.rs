//! Mail made harmless: it can be read and answered, and reports nothing.

mod active;
mod header;
mod html;
mod lines;
mod link;
mod office;
mod pdf;
mod text;
mod transfer;
mod walk;

pub use header::{HeaderChange, header_changes};

/// How a message is defused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DefusePolicy {
    /// Parts of URLs that tell the recipient apart; they are cut from links where the link works without.
    pub personal: Vec<PersonalPart>,
    /// Links lead through this page first: the address that the percent-encoded target is appended to.
    pub click_warning: Option<String>,
    /// Links carry their true destination as a tooltip. Where their text names another domain, it is always shown.
    pub show_destinations: bool,
    /// Bytes of a message beyond which it is not taken apart.
    pub max_size: usize,
}

impl Default for DefusePolicy {
    fn default() -> Self {
        Self {
            personal: Vec::new(),
            click_warning: None,
            show_destinations: true,
            max_size: 64 << 20,
        }
    }
}

/// A part of a URL that differs from recipient to recipient, as the facts of a mail campaign name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PersonalPart {
    /// The host, in lower case; a host below it counts too.
    pub host: String,
    /// Where it stands, as [`Token::place`](blackrod_model::mail::Token): `query u`, `fragment`, `path 2`, `host 0`. Only the first two
    /// can be cut: without the others a link leads nowhere.
    pub place: String,
}

/// A message made harmless.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defused {
    /// The whole message. Equal to what came in, byte by byte, where nothing had to be removed; else only the parts and fields
    /// that something was removed from differ.
    pub bytes: Vec<u8>,
    /// What was removed, in the order of the message; at most 1,000.
    pub removed: Vec<Removed>,
    /// Whether `bytes` differ from what came in. A link that only gained its destination counts too.
    pub changed: bool,
    /// Parts that are signed or encrypted, and so left as they were: the message should be tagged.
    pub untouched: Vec<Untouched>,
}

/// Something that was removed or made harmless.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Removed {
    /// The MIME part, counted as in IMAP (RFC 9051 6.4.5): `1.2`; `0` for the message's own header.
    pub part: String,
    /// What it was: `img`, `css url`, `link`, `receipt`, `script`, `attachment`, …
    pub what: String,
    /// Its address or name, at most 300 bytes.
    pub value: String,
}

/// A part that was left as it was.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Untouched {
    /// The MIME part, as in [`Removed::part`].
    pub part: String,
    /// Its media type.
    pub media_type: String,
}

/// Why a message was not defused. It should be held: passed on, it would report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefuseError {
    /// Larger than the policy allows.
    #[error("the message has {size} bytes, more than {limit}")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// It would cost more to take apart than it can be worth.
    #[error("the message is too entangled: {0}")]
    TooComplex(&'static str),
    /// It has no header.
    #[error("this is not a message")]
    NotAMessage,
    /// What came out has other parts than what went in.
    #[error("the structure of the message did not survive")]
    Structure,
}

/// Makes a message harmless: whatever a client would load, run or answer by itself is removed, or replaced by something
/// that lies in the message; what a reader sees stays.
///
/// - HTML (also AMP): pictures, style sheets, fonts, media, frames, scripts, forms' targets, prefetching, pings, refreshes,
///   base addresses, conditional comments. Links stay and say where they lead. HTML that cannot be rewritten with certainty becomes
///   its text.
/// - Calendars and contact cards lose their remote attachments, pictures and HTML.
/// - HTML, SVG, XML, scripts and shortcuts that are attached become text files: type `text/plain`, `.txt` behind the name, content
///   unchanged. Office and RTF files with remote parts and PDF files with actions become `application/octet-stream` with
///   `.blocked` behind the name, content unchanged: they open only after somebody has renamed them.
/// - Requests for receipts go; external bodies and partial messages become text.
/// - What is signed or encrypted with S/MIME or PGP is left alone and listed.
///
/// Defusing what was defused changes nothing.
///
/// # Errors
///
/// When the message cannot be taken apart within bounds.
pub fn defuse(raw: &[u8], policy: &DefusePolicy) -> Result<Defused, DefuseError> {
    walk::defuse(raw, policy, walk::NESTED_LIMIT)
}

/// Collects what is removed.
#[derive(Default)]
struct Log {
    part: String,
    removed: Vec<Removed>,
    untouched: Vec<Untouched>,
    /// Changes so far, also beyond the limit of `removed`.
    changes: usize,
}

impl Log {
    const LIMIT: usize = 1_000;
    const VALUE: usize = 300;

    fn removed(&mut self, what: &str, value: &str) {
        self.changes += 1;
        if self.removed.len() < Self::LIMIT {
            let value = value.trim();
            let value = value
                .get(..value.floor_char_boundary(Self::VALUE))
                .unwrap_or_default();
            self.removed.push(Removed {
                part: self.part.clone(),
                what: what.to_owned(),
                value: value.to_owned(),
            });
        }
    }

    fn untouched(&mut self, media_type: &str) {
        if self.untouched.len() < Self::LIMIT {
            self.untouched.push(Untouched {
                part: self.part.clone(),
                media_type: media_type.to_owned(),
            });
        }
    }
}
