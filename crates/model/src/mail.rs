//! A mail message, taken apart.

use std::borrow::Cow;

/// A message as its reader took it apart (RFC 5322, RFC 2045): decoded, borrowed where possible,
/// bodies included for the detectors' eyes only: the store keeps them only where the user asks.
#[derive(Clone, Debug, Default)]
pub struct Message<'a> {
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
    /// The leaves of the MIME tree, in their order.
    pub parts: Vec<Part<'a>>,
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

/// A leaf of the MIME tree.
#[derive(Clone, Debug)]
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
}

impl Part<'_> {
    /// The content as text, where it is UTF-8 (every text part is).
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }
}

/// What a MIME part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartRole {
    /// Plain text that a client shows.
    Text,
    /// HTML that a client shows.
    Html,
    /// Anything else.
    Attachment,
}
