//! A mail message, taken apart.

mod campaign;
mod facts;

pub use campaign::{CampaignMessage, Fired, MailCampaign, TemplateUse, Term, TokenUse, Variation};
pub use facts::{
    Attachment, AuthResult, Authentication, Bulk, Facts, Link, LinkRole, Origin, Print, PrintKind, Signal,
    TextSketch, Token, hash,
};

use std::borrow::Cow;
use std::net::IpAddr;

use crate::{Sha256, Timestamp};

/// A message as its reader took it apart (RFC 5322, RFC 2045): decoded, borrowed where possible,
/// bodies included for the detectors' eyes only: the store keeps them only where the user asks.
#[derive(Clone, Debug, Default)]
pub struct Message<'a> {
    /// The message as it was sent; empty for one within another.
    pub raw: &'a [u8],
    /// The header fields in their order, folded lines joined, encoded words as they were written.
    pub headers: Vec<Header<'a>>,
    /// `From:` (RFC 5322 3.6.2), as many as it names.
    pub from: Vec<Mailbox<'a>>,
    /// `Sender:`.
    pub sender: Option<Mailbox<'a>>,
    /// `Reply-To:`.
    pub reply_to: Vec<Mailbox<'a>>,
    /// `Return-Path:`, the envelope sender as the delivering server recorded it.
    pub return_path: Option<Cow<'a, str>>,
    /// `To:`.
    pub to: Vec<Mailbox<'a>>,
    /// `Cc:`.
    pub cc: Vec<Mailbox<'a>>,
    /// `Bcc:`, `Delivered-To:`, `X-Original-To:` and `Envelope-To:`: whom it reached besides.
    pub delivered_to: Vec<Cow<'a, str>>,
    /// `Subject:`, decoded.
    pub subject: Option<Cow<'a, str>>,
    /// `Message-ID:` without its angle brackets.
    pub message_id: Option<Cow<'a, str>>,
    /// `In-Reply-To:` and `References:`, without angle brackets, oldest first.
    pub references: Vec<Cow<'a, str>>,
    /// `Date:` as the sender's clock had it, where it can be read.
    pub date: Option<Timestamp>,
    /// The `Received:` fields that could be read, top (latest) first.
    pub received: Vec<Hop<'a>>,
    /// The leaves of the MIME tree, in their order, of this message and of all it contains.
    pub parts: Vec<Part<'a>>,
    /// The multiparts of the MIME tree, in their order, of this message and of all it contains.
    pub multiparts: Vec<Multipart<'a>>,
    /// The messages it contains (`message/rfc822`, forwarded or bounced), in their order. Their parts
    /// are in the outermost message's `parts` and `multiparts`; their own lists are empty.
    pub embedded: Vec<Message<'a>>,
}

impl<'a> Message<'a> {
    /// The unfolded value of the first header field of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_ref())
    }

    /// The unfolded values of all header fields of this name, top first.
    pub fn headers_named<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_ref())
    }

    /// Everybody the message says it went to: `To`, `Cc` and the delivery headers.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.to
            .iter()
            .chain(&self.cc)
            .map(|mailbox| mailbox.address.as_ref())
            .chain(self.delivered_to.iter().map(Cow::as_ref))
    }

    /// The parts that are attachments: not text to be shown in the body.
    pub fn attachments(&self) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| part.role == PartRole::Attachment)
    }
}

/// A header field.
#[derive(Clone, Debug, PartialEq)]
pub struct Header<'a> {
    /// As written.
    pub name: Cow<'a, str>,
    /// Unfolded; not decoded.
    pub value: Cow<'a, str>,
}

/// A name and an address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mailbox<'a> {
    /// The display name, decoded.
    pub name: Option<Cow<'a, str>>,
    /// The address, as written; may be empty or malformed in hostile mail.
    pub address: Cow<'a, str>,
}

impl Mailbox<'_> {
    /// The part after the last `@`.
    pub fn domain(&self) -> Option<&str> {
        self.address.rsplit_once('@').map(|(_, domain)| domain)
    }
}

/// One station on a message's way: a `Received:` field (RFC 5321 4.4), taken apart. Only those above the
/// first one that an outsider could write are to be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop<'a> {
    /// What the sending server called itself, by name or as an address literal.
    pub from: Option<Cow<'a, str>>,
    /// The sending server's address as the receiving one saw it.
    pub ip: Option<IpAddr>,
    /// The name that the receiving server's own lookup gave for that address.
    pub reverse: Option<Cow<'a, str>>,
    /// The receiving server.
    pub by: Option<Cow<'a, str>>,
    /// The protocol, in upper case: `ESMTPS`.
    pub protocol: Option<Cow<'a, str>>,
    /// The receiving server's number for the transaction.
    pub id: Option<Cow<'a, str>>,
    /// The recipient it was for.
    pub recipient: Option<Cow<'a, str>>,
    /// When it was received, by the receiving server's clock.
    pub time: Option<Timestamp>,
}

/// A node of the MIME tree that holds others (RFC 2046 5.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Multipart<'a> {
    /// `multipart/subtype`, lower case.
    pub content_type: Cow<'a, str>,
    /// The boundary, without the leading hyphens.
    pub boundary: Option<Cow<'a, str>>,
    /// The multipart it lies in, as an index into the outermost message's `multiparts`; none for the
    /// outermost of its message.
    pub parent: Option<usize>,
    /// Which message it belongs to, as [`Part::message`].
    pub message: usize,
}

/// A leaf of the MIME tree.
#[derive(Clone, Debug, Default)]
pub struct Part<'a> {
    /// What it is for.
    pub role: PartRole,
    /// `type/subtype` as declared, lower case; `text/plain` where nothing is declared.
    pub content_type: Cow<'a, str>,
    /// The declared file name, decoded.
    pub name: Option<Cow<'a, str>>,
    /// `Content-ID:` without angle brackets.
    pub content_id: Option<Cow<'a, str>>,
    /// The content after transfer decoding; for text also after charset decoding (UTF-8).
    pub content: Cow<'a, [u8]>,
    /// How many `message/rfc822` layers it lies under: 0 for the message itself.
    pub depth: u8,
    /// Which message it belongs to: 0 for the outermost, n for the n-th of its `embedded`.
    pub message: usize,
    /// The multipart it lies in, as an index into the outermost message's `multiparts`.
    pub parent: Option<usize>,
    /// The part's own header fields, as in [`Message::headers`]; empty for a message that is one
    /// part, whose fields are the message's.
    pub headers: Vec<Header<'a>>,
    /// The charset that its content type declares, as written.
    pub charset: Option<Cow<'a, str>>,
    /// `Content-Transfer-Encoding:`, as written.
    pub transfer_encoding: Option<Cow<'a, str>>,
    /// The type of its `Content-Disposition:`, lower case: `inline`, `attachment`.
    pub disposition: Option<Cow<'a, str>>,
    /// The declared encoding or structure was broken, so that `content` is a best effort.
    pub damaged: bool,
    /// For attachments: the digest of the content after transfer decoding and before any charset
    /// decoding, as the file would be on disk.
    pub sha256: Option<Sha256>,
}

impl Part<'_> {
    /// The content as text, where it is UTF-8 (every text part is).
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }
}

/// What a MIME part is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartRole {
    /// Plain text that a client shows.
    Text,
    /// HTML that a client shows.
    Html,
    /// Anything else; also an embedded message as a whole.
    #[default]
    Attachment,
}
