//! Attachments, by their content: a file's name and declared type are claims of its sender.
//!
//! [`look`] finds what each file is ([`sniff`]) and hands it to the format's own page, which adds signals and
//! links. Whatever is decompressed or decoded counts against one [`Budget`] for the whole message, so that no
//! message costs more than a bounded time; a bound that was reached is itself a signal.

mod archive;
mod html;
mod iso;
mod listing;
mod name;
mod office;
mod ole;
mod other;
mod password;
mod pdf;
mod qr;
mod rar;
mod rtf;
mod sniff;

use std::borrow::Cow;

use blackrod_model::mail::{Attachment, Facts, LinkRole, Part, Signal};

use super::token::Derivations;
use super::url::Target;
use super::{Anatomy, View, links};
use crate::clip;

/// Attachments listed of one message.
const MAX_FILES: usize = 200;
/// Signals that attachments may add to one message.
const MAX_SIGNALS: usize = 64;
/// Signals of one code: the tenth file with a macro says nothing new.
const MAX_SAME: usize = 3;
/// Links out of attachments of one message.
const MAX_LINKS: usize = 64;
/// Files larger than this are named, not looked into.
const MAX_SIZE: usize = 32 << 20;
/// Places in one picture that look like the corner of a QR code: a large code has some by chance; each three that may
/// belong together cost a copy of the picture.
const MAX_CORNERS: usize = 40;
/// Bytes that a signal quotes (see [`Signal::seen`]).
const MAX_SEEN: usize = 300;
/// Bytes of a file's name that are kept (see [`Attachment::name`]).
const MAX_NAME: usize = 200;

/// A file that came with a message.
#[derive(Clone, Copy)]
struct File<'a> {
    /// The declared name; may be empty.
    name: &'a str,
    /// What it is: see [`sniff::kind`].
    kind: &'static str,
    /// Its content.
    bytes: &'a [u8],
}

/// What may still be spent on one message.
struct Budget {
    /// Bytes that may be decompressed.
    inflate: usize,
    /// Pixels that may be decoded and searched for QR codes.
    pixels: usize,
    /// What looks like the corner of a QR code that may be looked into.
    corners: usize,
}

/// What attachments add to a message's facts.
struct Notes<'n> {
    facts: &'n mut Facts,
    budget: Budget,
    /// The text that a reader of the message sees, in lower case.
    text: &'n str,
    signals: usize,
    links: usize,
    derivations: &'n Derivations<'n>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            inflate: 16 << 20,
            pixels: 12_000_000,
            corners: 120,
        }
    }
}

impl Notes<'_> {
    /// Adds a signal; `seen` is what a person should be shown.
    fn signal(&mut self, code: &str, seen: &str) {
        let same = || self.facts.signals.iter().filter(|signal| signal.code == code);
        let seen = clipped(seen, MAX_SEEN);
        if self.signals >= MAX_SIGNALS
            || same().count() >= MAX_SAME
            || same().any(|signal| signal.seen == seen)
        {
            return;
        }
        self.signals += 1;
        self.facts.signals.push(Signal {
            code: code.to_owned(),
            seen,
        });
    }

    /// Adds where a file leads to or what it loads, with `found_in` for [`blackrod_model::mail::Link::found_in`].
    fn link(&mut self, url: &str, role: LinkRole, found_in: &str) {
        if self.links >= MAX_LINKS {
            return;
        }
        self.links += 1;
        if let Some(target) = Target::parse(url) {
            links::add(self.facts, self.derivations, role, &target, found_in, false);
        }
    }

    /// Takes up to `wanted` bytes from what may be decompressed.
    fn take_inflate(&mut self, wanted: usize) -> usize {
        let granted = wanted.min(self.budget.inflate);
        self.budget.inflate -= granted;
        if granted < wanted {
            self.signal("content/too-much", "more compressed content than is looked into");
        }
        granted
    }

    /// Takes the pixels of an image; false where too many were decoded already.
    fn take_pixels(&mut self, wanted: usize) -> bool {
        if wanted > self.budget.pixels {
            return false;
        }
        self.budget.pixels -= wanted;
        true
    }

    /// Takes what looks like the corners of QR codes in one image; false where there were too many already.
    fn take_corners(&mut self, wanted: usize) -> bool {
        let most = MAX_CORNERS.min(self.budget.corners);
        if wanted > most {
            self.signal(
                "content/too-much",
                "a picture with too much that looks like QR codes",
            );
            return false;
        }
        self.budget.corners -= wanted;
        true
    }
}

/// Looks at all attachments of a message, and at what it says about them.
pub(super) fn look(_anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let files: Vec<&Part<'_>> = view.message.attachments().take(MAX_FILES + 1).collect();
    if files.is_empty() {
        return;
    }
    let text = view.text.to_lowercase();
    let mut notes = Notes {
        facts,
        budget: Budget::default(),
        text: &text,
        signals: 0,
        links: 0,
        derivations: &view.derivations,
    };
    if files.len() > MAX_FILES {
        notes.signal("content/too-much", &format!("more than {MAX_FILES} attachments"));
    }
    for part in files.into_iter().take(MAX_FILES) {
        one(part, &mut notes);
    }
}

/// Looks at one attachment.
fn one(part: &Part<'_>, notes: &mut Notes<'_>) {
    let name = part.name.as_deref().unwrap_or_default();
    let sniffed = sniff::kind(&part.content);
    let kind = match sniffed {
        Some(kind) => Cow::Borrowed(kind),
        None => Cow::Borrowed(declared(&part.content_type)),
    };
    notes.facts.attachments.push(Attachment {
        name: clipped(name, MAX_NAME),
        kind: kind.clone().into_owned(),
        digest: part
            .sha256
            .map(|digest| first_bytes(&digest.0))
            .unwrap_or_default(),
        size: part.content.len() as u64,
    });
    name::look(name, sniffed, notes);
    let file = File {
        name,
        kind: sniffed.unwrap_or_default(),
        bytes: &part.content,
    };
    if file.bytes.len() > MAX_SIZE {
        notes.signal("content/too-much", &format!("{name}: larger than is looked into"));
        return;
    }
    match file.kind {
        "pdf" => pdf::look(file, notes),
        "rtf" => rtf::look(file, notes),
        "html" | "svg" | "mht" => html::look(file, notes),
        kind if sniff::is_image(kind) => qr::look(file, notes),
        kind if office::KINDS.contains(&kind) => office::look(file, notes),
        kind if ole::KINDS.contains(&kind) => ole::look(file, notes),
        kind if archive::KINDS.contains(&kind) => archive::look(file, notes),
        _ => other::look(file, notes),
    }
    refine(notes, file);
}

/// An OLE or ZIP file is told apart only by looking inside: those that did say what it is.
fn refine(notes: &mut Notes<'_>, file: File<'_>) {
    let inner = match file.kind {
        "ole" => ole::inner_kind(file.bytes),
        _ => None,
    };
    if let (Some(inner), Some(listed)) = (inner, notes.facts.attachments.last_mut()) {
        inner.clone_into(&mut listed.kind);
    }
}

/// What a sender calls it, where its content does not say.
fn declared(content_type: &str) -> &str {
    match content_type {
        "message/rfc822" | "message/global" => "message",
        "text/plain" => "text",
        other => other,
    }
}

fn first_bytes(digest: &[u8; 32]) -> u64 {
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// [`clip`], with an ellipsis where something was cut off, and without control characters.
fn clipped(text: &str, limit: usize) -> String {
    let cut = if text.len() > limit {
        format!("{}…", clip(text, limit.saturating_sub('…'.len_utf8())))
    } else {
        text.to_owned()
    };
    cut.replace(char::is_control, " ")
}

/// The little-endian numbers at `at`, where there are so many bytes.
fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let raw = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_le_bytes(raw)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let raw = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(raw)).ok()
}

#[cfg(test)]
mod tests;
