//! What is kept of a message after its bodies are gone.

use crate::{EvidenceId, Position, Timestamp};

/// The anatomy of one message: everything that judging it, alone and among others, needs. Small and
/// owned, without bodies; kept in the case and judged in the order of time.
///
/// All addresses, domains and hosts are in lower case. Every list is bounded by whoever fills it, and
/// a bound that was reached is itself a [`Signal`].
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// The evidence that the message is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it was sent, or received where that is not to be believed.
    pub time: Timestamp,
    /// `Message-ID:` without its angle brackets; empty where there is none.
    pub message_id: String,
    /// The display name of `From:`, decoded, at most 200 bytes.
    pub from_name: String,
    /// The address of `From:`.
    pub from: String,
    /// The address of `Reply-To:` where it differs from `From:`.
    pub reply_to: Option<String>,
    /// The envelope sender where it differs from `From:`.
    pub return_path: Option<String>,
    /// Everybody it went to, each once, those it was delivered to first.
    pub recipients: Vec<String>,
    /// `Subject:`, decoded, at most 200 bytes.
    pub subject: String,
    /// The messages that it says it answers, as [`hash`]es of their Message-IDs, oldest first.
    pub references: Vec<u64>,
    /// What the receiving servers that are trusted said about its origin, or what was recomputed.
    pub authentication: Authentication,
    /// Where it entered from.
    pub origin: Origin,
    /// What the sending software leaves behind.
    pub prints: Vec<Print>,
    /// What it loads and where it leads, by template.
    pub links: Vec<Link>,
    /// What is near-identical in near-identical texts.
    pub text: TextSketch,
    /// Attachments.
    pub attachments: Vec<Attachment>,
    /// How it was sent in bulk, where it was.
    pub bulk: Bulk,
    /// What is remarkable about it by itself.
    pub signals: Vec<Signal>,
}

/// The 64-bit hash by which facts refer to texts (Message-IDs, features): SipHash-1-3 with the zero key,
/// the same on every machine and in every run.
pub fn hash(text: &str) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = siphasher::sip::SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// SPF, DKIM, DMARC and ARC (RFC 7208, 6376, 7489, 8617), as RFC 8601 words them.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Authentication {
    /// Result of SPF for the envelope sender.
    pub spf: AuthResult,
    /// The best result among the DKIM signatures.
    pub dkim: AuthResult,
    /// Result of DMARC for the domain of `From:`.
    pub dmarc: AuthResult,
    /// Result of the ARC chain.
    pub arc: AuthResult,
    /// The domains (`d=`) of signatures that passed, or that are there where nobody checked them.
    pub signers: Vec<String>,
    /// A domain that passed is in line with that of `From:` (relaxed alignment, RFC 7489 3.1).
    pub aligned: bool,
}

/// One result of RFC 8601 2.7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AuthResult {
    /// Nobody who is trusted said anything.
    #[default]
    Unknown,
    /// Checked; there was nothing to check.
    None,
    /// Passed.
    Pass,
    /// Failed.
    Fail,
    /// SPF only: probably not authorised.
    SoftFail,
    /// SPF only: the domain says nothing about it.
    Neutral,
    /// A lookup failed for now.
    TempError,
    /// The record or signature is broken.
    PermError,
}

/// Where a message entered the estate's mail servers.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The first address outside, counted from the estate's own servers.
    pub ip: Option<std::net::IpAddr>,
    /// The name by which that server was known (reverse lookup, else HELO).
    pub host: Option<String>,
    /// How many `Received:` fields there are.
    pub hops: u16,
}

/// A trait of the sending software: two messages with the same rare trait may have one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Print {
    /// Which trait.
    pub kind: PrintKind,
    /// [`hash`] of its value.
    pub value: u64,
}

/// Which trait of the sending software.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum PrintKind {
    /// The shape of the Message-ID: lengths and classes of its runs, its domain replaced.
    MessageIdShape,
    /// The shapes of the MIME boundaries.
    BoundaryShape,
    /// The order of the header fields that the sender wrote.
    HeaderOrder,
    /// `X-Mailer:` or `User-Agent:`.
    Mailer,
    /// The offset of `Date:` from UTC.
    TimeZone,
    /// The charsets and transfer encodings of the parts.
    Encoding,
    /// The tree of MIME types.
    Structure,
    /// The skeleton of the HTML: the sequence of its elements, texts left out.
    HtmlSkeleton,
    /// The account at the mass-mail service, where headers or URLs name it.
    BulkAccount,
    /// The mass-mail service itself.
    BulkService,
}

/// Something that the message loads or leads to, as a template.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Link {
    /// Whether a client loads it by itself.
    pub role: LinkRole,
    /// The host, `www.example.org`; empty for content that lies in the message.
    pub host: String,
    /// The registrable domain of the host (public suffix list): `example.org`.
    pub domain: String,
    /// Scheme, host, path and parameters with every part that may vary replaced by its class:
    /// `https://img.example.org/o/{hex:32}.png?u={b64}`. At most 300 bytes.
    pub template: String,
    /// The parts that were replaced, in their order.
    pub tokens: Vec<Token>,
    /// It cannot be seen: hidden, transparent, at most 2 × 2 pixels, or outside the page.
    pub hidden: bool,
    /// Where it was found: `img`, `css url`, `a`, `srcset`, `text`, `qr`, …
    pub found_in: String,
}

/// Whether a client loads a link by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum LinkRole {
    /// Loaded when the message is shown: reports that it was opened.
    Beacon,
    /// Followed when somebody clicks.
    #[default]
    Click,
    /// A form sends to it.
    Form,
    /// The list's own means of leaving it (RFC 2369, RFC 8058).
    Unsubscribe,
}

/// A part of a URL that may vary between messages.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Token {
    /// Where it stands: `host 0`, `path 2`, `query u`, `fragment`.
    pub place: String,
    /// [`hash`] of its value: equal values have equal hashes.
    pub value: u64,
    /// Its length in characters.
    pub length: u16,
    /// How it follows from a recipient's address: `md5`, `base64`, `sha256(lower)`, `plain`; none where
    /// no such way was found.
    pub derived: Option<String>,
}

/// A MinHash sketch (Broder, 1997) of the text that a reader sees, names, numbers and URLs left out.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TextSketch {
    /// The least hash of the text's word triples under each of 32 permutations; empty for texts too
    /// short to compare (under 12 words).
    pub minima: Vec<u32>,
    /// Words seen.
    pub words: u32,
    /// ISO 639-3 code of the language, where it is clear.
    pub language: Option<String>,
    /// [`hash`]es of its most telling words (at most 8): what it is about.
    pub topic: Vec<u64>,
    /// [`hash`] of the subject with names, numbers and reply marks left out.
    pub subject: u64,
}

impl TextSketch {
    /// The estimated Jaccard similarity of two texts, 0 to 1; 0 where either is too short.
    pub fn similarity(&self, other: &Self) -> f32 {
        if self.minima.is_empty() || self.minima.len() != other.minima.len() {
            return 0.0;
        }
        let equal = self
            .minima
            .iter()
            .zip(&other.minima)
            .filter(|(a, b)| a == b)
            .count();
        equal as f32 / self.minima.len() as f32
    }
}

/// A file that came with the message.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Attachment {
    /// Its declared name, at most 200 bytes.
    pub name: String,
    /// What it is by its content: `pdf`, `zip`, `ole`, `docx`, `html`, `lnk`, …; the declared type where the content
    /// does not say.
    pub kind: String,
    /// The first 8 bytes of its SHA-256.
    pub digest: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// How a message was sent in bulk.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bulk {
    /// It has `List-Unsubscribe:` (RFC 2369).
    pub unsubscribe: bool,
    /// `List-Id:` (RFC 2919), the part in angle brackets.
    pub list: Option<String>,
    /// The mass-mail service, by name, where its headers or hosts are known.
    pub service: Option<String>,
    /// The sender's account at that service, where the message names it.
    pub account: Option<String>,
}

/// Something remarkable about a message. What a code means, how much it says and what would make it
/// innocent stands in the table of signals (`content/mail/signals.toml`).
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Signal {
    /// The facet and the trait: `sender/lookalike-own-domain`.
    pub code: String,
    /// What was seen, at most 300 bytes.
    pub seen: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH_OF_ANNA: u64 = 9_765_154_149_352_258_346;

    #[test]
    fn hashes_are_the_same_in_every_run() {
        assert_eq!(hash("anna@example.org"), HASH_OF_ANNA);
    }

    #[test]
    fn similarity_is_the_share_of_equal_minima() {
        let a = TextSketch {
            minima: vec![1, 2, 3, 4],
            ..TextSketch::default()
        };
        let b = TextSketch {
            minima: vec![1, 2, 9, 8],
            ..TextSketch::default()
        };
        assert_eq!(a.similarity(&b), 0.5);
        assert_eq!(a.similarity(&TextSketch::default()), 0.0);
    }
}
