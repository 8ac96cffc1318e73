//! `mail-parser`'s tree → [`blackrod_model::mail::Message`].

use std::borrow::Cow;
use std::sync::LazyLock;

use blackrod_model::Sha256;
use blackrod_model::mail::{Header, Message, Multipart, Part, PartRole};
use mail_parser::{HeaderName, HeaderValue, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::decode::{self, Buffers};
use super::limits;

mod fields;

/// How many layers of embedded messages are taken apart.
const DEPTH_LIMIT: u8 = 8;
/// How many parts of one message are listed.
const PART_LIMIT: usize = 100_000;
/// How many embedded messages that are transfer-encoded, against RFC 2045, are decoded.
const ENCODED_MESSAGE_LIMIT: usize = 100;
/// How many embedded messages of one message are taken apart.
const EMBEDDED_LIMIT: usize = 10_000;
/// How many bytes may be parsed again to separate encoded embedded messages from what follows them.
const PARSED_AGAIN: usize = 64 * 1024 * 1024;

/// A message, and what has to be told about it.
pub(super) struct Taken<'a> {
    pub(super) message: Message<'a>,
    /// What was left out, in words for a person.
    pub(super) notes: Vec<String>,
}

/// Takes `raw` apart. What has to be decoded first is kept in `buffers`.
///
/// # Errors
///
/// Why it is no message, in words for a person.
pub(super) fn take_apart<'a>(raw: &'a [u8], buffers: &'a Buffers) -> Result<Taken<'a>, String> {
    let mut dismantler = Dismantler {
        buffers,
        messages: Vec::with_capacity(1),
        parts: Vec::new(),
        multiparts: Vec::new(),
        notes: Vec::new(),
        hash_budget: raw.len().saturating_mul(2),
        too_deep: 0,
        too_many: 0,
        encoded_messages: 0,
    };
    dismantler.document(raw, 0)?;
    let mut taken = dismantler.finish();
    taken.message.raw = raw;
    Ok(taken)
}

/// Transfer encodings are left to [`decode`]; fields that are only listed need no parsing.
static PARSER: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .default_header_ignore()
        .header_content_type(HeaderName::ContentType)
        .header_content_type(HeaderName::ContentDisposition)
        .header_id(HeaderName::ContentId)
        .header_address(HeaderName::From)
        .header_address(HeaderName::Sender)
        .header_address(HeaderName::ReplyTo)
        .header_address(HeaderName::To)
        .header_address(HeaderName::Cc)
        .header_address(HeaderName::Bcc)
        .header_text(HeaderName::Subject)
        .header_date(HeaderName::Date)
        .header_id(HeaderName::MessageId)
        .header_id(HeaderName::InReplyTo)
        .header_id(HeaderName::References)
        .header_id(HeaderName::ReturnPath)
        .header_received(HeaderName::Received)
});

struct Dismantler<'a> {
    buffers: &'a Buffers,
    /// The outermost message, then those that it contains.
    messages: Vec<Message<'a>>,
    parts: Vec<Part<'a>>,
    multiparts: Vec<Multipart<'a>>,
    notes: Vec<String>,
    /// Bytes that may still be hashed: embedded messages are hashed whole and in parts.
    hash_budget: usize,
    too_deep: usize,
    too_many: usize,
    encoded_messages: usize,
}

/// A message whose parts are being gone through.
struct Layer<'a> {
    raw: &'a [u8],
    parts: std::iter::Enumerate<std::vec::IntoIter<MessagePart<'a>>>,
    /// For each part the multipart that it lies in.
    parents: Vec<Option<usize>>,
    message: usize,
    depth: u8,
}

/// What a part's header says about its content.
#[derive(Default)]
struct Mime<'a> {
    content_type: Option<Cow<'a, str>>,
    boundary: Option<Cow<'a, str>>,
    charset: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    content_id: Option<Cow<'a, str>>,
    disposition: Option<Cow<'a, str>>,
    transfer_encoding: Option<Cow<'a, str>>,
}

impl<'a> Dismantler<'a> {
    fn finish(mut self) -> Taken<'a> {
        if self.too_deep > 0 {
            let count = self.too_deep;
            self.notes.push(format!(
                "{count} embedded message(s) were not taken apart: deeper than {DEPTH_LIMIT} layers, or beyond the \
                 first {EMBEDDED_LIMIT} ({ENCODED_MESSAGE_LIMIT} where they are transfer-encoded)"
            ));
        }
        if self.too_many > 0 {
            let count = self.too_many;
            self.notes.push(format!(
                "{count} parts beyond the first {PART_LIMIT} were left out"
            ));
        }
        let mut messages = self.messages.into_iter();
        let mut message = messages.next().unwrap_or_default();
        message.embedded = messages.collect();
        message.parts = self.parts;
        message.multiparts = self.multiparts;
        Taken {
            message,
            notes: self.notes,
        }
    }

    /// Takes apart a message that stands in a buffer of its own.
    fn document(&mut self, raw: &'a [u8], depth: u8) -> Result<(), String> {
        let raw = self.closed(raw);
        let (raw, parsed) = match limits::check(raw) {
            Ok(()) => self.parse(raw),
            Err(reason) => {
                self.notes.push(format!(
                    "only the header was read, without overlong fields: {reason}"
                ));
                let header = self.buffers.keep(limits::safe_header(raw));
                (header, PARSER.parse_headers(header))
            }
        };
        let has_header = |parsed: &mail_parser::Message<'_>| {
            parsed.parts.first().is_some_and(|root| !root.headers.is_empty())
        };
        let parsed = parsed.filter(has_header).ok_or_else(|| {
            let what = if raw.iter().all(u8::is_ascii_whitespace) {
                "empty"
            } else {
                "no header field found"
            };
            format!("not a message: {what}")
        })?;
        let mut layers = vec![self.open(raw, parsed, depth)];
        while let Some(layer) = layers.last_mut() {
            let Some((index, part)) = layer.parts.next() else {
                layers.pop();
                continue;
            };
            if let Some(inner) = self.part(layer, index, part) {
                layers.push(inner);
            }
        }
        Ok(())
    }

    /// `raw`, or where it ends within its header, a copy with that line ended: the parser drops the value
    /// of a field that nothing follows.
    fn closed(&self, raw: &'a [u8]) -> &'a [u8] {
        let has_body = || {
            let blank = |needle: &[u8]| memchr::memmem::find(raw, needle).is_some();
            blank(b"\n\n") || blank(b"\n\r\n")
        };
        if raw.ends_with(b"\n") || has_body() {
            return raw;
        }
        self.buffers.keep([raw, b"\n"].concat())
    }

    /// Parses `raw`. Where an embedded message is transfer-encoded, against RFC 2045 6.4, the parser would
    /// look for its end by reading the encoded text as header and run on into the next part; so in a copy
    /// its type is made one that the parser does not know, and the copy is parsed.
    fn parse(&self, raw: &'a [u8]) -> (&'a [u8], Option<mail_parser::Message<'a>>) {
        let parsed = PARSER.parse(raw);
        let Some(first) = parsed.as_ref().and_then(|parsed| masked(raw, parsed)) else {
            return (raw, parsed);
        };
        parsed.into_iter().for_each(dismiss);
        let mut copy = first;
        // Each round uncovers what ran on into the part before; what is left after the last stays so.
        for _ in 0..ENCODED_MESSAGE_LIMIT.min(PARSED_AGAIN / raw.len().max(1)) {
            let again = PARSER.parse(&copy);
            let next = again.as_ref().and_then(|parsed| masked(&copy, parsed));
            again.into_iter().for_each(dismiss);
            match next {
                Some(next) => copy = next,
                None => break,
            }
        }
        let kept = self.buffers.keep(copy);
        (kept, PARSER.parse(kept))
    }

    /// Begins a message: its place in the list, and its parts still to be gone through.
    fn open(&mut self, raw: &'a [u8], parsed: mail_parser::Message<'a>, depth: u8) -> Layer<'a> {
        self.messages.push(Message::default());
        Layer {
            raw,
            parents: vec![None; parsed.parts.len()],
            parts: parsed.parts.into_iter().enumerate(),
            message: self.messages.len() - 1,
            depth,
        }
    }

    /// Lists one part. Returns the message that it embeds, if it is to be gone through next.
    fn part(&mut self, layer: &mut Layer<'a>, index: usize, part: MessagePart<'a>) -> Option<Layer<'a>> {
        let raw = layer.raw;
        let mime = mime(raw, &part);
        let parent = layer.parents.get(index).copied().flatten();
        let is_root = index == 0;
        let mut headers = Vec::new();
        if let (true, Some(message)) = (is_root, self.messages.get_mut(layer.message)) {
            fields::fill(message, raw, part.headers);
        } else {
            headers = fields::listed(raw, &part.headers);
        }
        if let PartType::Multipart(children) = &part.body {
            for child in children {
                if let Some(slot) = layer.parents.get_mut(*child as usize) {
                    *slot = Some(self.multiparts.len());
                }
            }
            self.multiparts.push(Multipart {
                content_type: mime.content_type.unwrap_or(Cow::Borrowed("text/plain")),
                boundary: mime.boundary,
                parent,
                message: layer.message,
            });
            return None;
        }
        if self.parts.len() >= PART_LIMIT {
            self.too_many += 1;
            if let PartType::Message(inner) = part.body {
                dismiss(inner);
            }
            return None;
        }
        let (start, end) = (part.offset_body as usize, part.offset_end as usize);
        let body = raw.get(start.min(end)..end.min(raw.len())).unwrap_or_default();
        let damaged = part.is_encoding_problem && !is_root;
        let place = Place {
            message: layer.message,
            depth: layer.depth,
            parent,
            is_root,
            damaged,
        };
        match part.body {
            PartType::Message(inner) => {
                self.push(mime, headers, Cow::Borrowed(body), place);
                if layer.depth >= DEPTH_LIMIT || self.messages.len() > EMBEDDED_LIMIT {
                    self.too_deep += 1;
                    dismiss(inner);
                    return None;
                }
                Some(self.open(raw, inner, layer.depth + 1))
            }
            _ if mime.content_type.as_deref().is_some_and(is_masked) => {
                self.encoded_message(mime, headers, body, place);
                None
            }
            _ => {
                self.push(mime, headers, Cow::Borrowed(body), place);
                None
            }
        }
    }

    /// Lists an embedded message that is transfer-encoded, and takes it apart.
    fn encoded_message(
        &mut self,
        mut mime: Mime<'a>,
        headers: Vec<Header<'a>>,
        body: &'a [u8],
        place: Place,
    ) {
        let unmask = |text: &mut Cow<'a, str>| {
            if is_masked(text) {
                text.to_mut().replace_range(..1, "m");
            }
        };
        mime.content_type.iter_mut().for_each(unmask);
        let mut headers = headers;
        headers.iter_mut().for_each(|header| unmask(&mut header.value));
        let depth = place.depth;
        if depth >= DEPTH_LIMIT || self.encoded_messages >= ENCODED_MESSAGE_LIMIT {
            self.too_deep += 1;
            return self.push(mime, headers, Cow::Borrowed(body), place);
        }
        self.encoded_messages += 1;
        let decoded = decode::transfer(body, mime.transfer_encoding.as_deref());
        let damaged = place.damaged || decoded.damaged;
        let kept = self.buffers.keep(decoded.bytes.into_owned());
        // Its content is decoded already; the field says what it was.
        let encoding = mime.transfer_encoding.take();
        self.push(mime, headers, Cow::Borrowed(kept), Place { damaged, ..place });
        let container = self.parts.len() - 1;
        let is_message = self.document(kept, depth + 1).is_ok();
        if let Some(part) = self.parts.get_mut(container) {
            part.transfer_encoding = encoding;
            part.damaged |= !is_message;
        }
    }

    /// Lists a leaf.
    fn push(&mut self, mime: Mime<'a>, headers: Vec<Header<'a>>, body: Cow<'a, [u8]>, place: Place) {
        let content_type = mime.content_type.unwrap_or(Cow::Borrowed("text/plain"));
        let is_text = content_type.starts_with("text/") || content_type == "application/xhtml+xml";
        let embeds = is_embedded_type(&content_type);
        let decoded = match body {
            Cow::Borrowed(body) if !embeds => decode::transfer(body, mime.transfer_encoding.as_deref()),
            bytes => decode::Decoded {
                bytes,
                damaged: false,
            },
        };
        let is_file = mime.disposition.as_deref() == Some("attachment")
            || mime.disposition.is_none() && mime.name.is_some() && !place.is_root;
        let role = match &*content_type {
            "text/plain" if !is_file => PartRole::Text,
            "text/html" | "application/xhtml+xml" if !is_file => PartRole::Html,
            _ => PartRole::Attachment,
        };
        let mut sha256 = None;
        if role == PartRole::Attachment && decoded.bytes.len() <= self.hash_budget {
            self.hash_budget -= decoded.bytes.len();
            sha256 = Some(Sha256::of(&decoded.bytes));
        }
        let content = if is_text {
            decode::charset(decoded.bytes, mime.charset.as_deref())
        } else {
            decoded.bytes
        };
        self.parts.push(Part {
            role,
            content_type,
            name: mime.name,
            content_id: mime.content_id,
            content,
            depth: place.depth,
            message: place.message,
            parent: place.parent,
            headers,
            charset: mime.charset,
            transfer_encoding: mime.transfer_encoding,
            disposition: mime.disposition,
            damaged: place.damaged || decoded.damaged,
            sha256,
        });
    }
}

/// Where a part stands.
#[derive(Clone, Copy)]
struct Place {
    message: usize,
    depth: u8,
    parent: Option<usize>,
    is_root: bool,
    damaged: bool,
}

fn mime<'a>(raw: &'a [u8], part: &MessagePart<'a>) -> Mime<'a> {
    let mut mime = Mime::default();
    for header in &part.headers {
        match (&header.name, &header.value) {
            (HeaderName::ContentType, HeaderValue::ContentType(value)) => {
                let main = value.ctype();
                mime.content_type = Some(match value.subtype() {
                    Some(subtype) => Cow::Owned(format!("{main}/{subtype}")),
                    None => Cow::Owned(main.to_owned()),
                });
                for attribute in value.attributes().unwrap_or_default() {
                    let slot = match &*attribute.name {
                        "boundary" => &mut mime.boundary,
                        "charset" => &mut mime.charset,
                        "name" => &mut mime.name,
                        _ => continue,
                    };
                    slot.get_or_insert_with(|| attribute.value.clone());
                }
            }
            (HeaderName::ContentDisposition, HeaderValue::ContentType(value)) => {
                mime.disposition = Some(Cow::Owned(value.ctype().to_owned()));
                if let Some(name) = part.attachment_name() {
                    mime.name = Some(Cow::Owned(name.to_owned()));
                }
            }
            (HeaderName::ContentId, HeaderValue::Text(id)) => mime.content_id = Some(id.clone()),
            (HeaderName::ContentTransferEncoding, _) => {
                mime.transfer_encoding = Some(fields::unfolded(raw, header));
            }
            _ => {}
        }
    }
    mime
}

/// A copy of `raw` in which the types of transfer-encoded embedded messages are masked; none if there are
/// none.
fn masked(raw: &[u8], parsed: &mail_parser::Message<'_>) -> Option<Vec<u8>> {
    let mut copy: Option<Vec<u8>> = None;
    let mut layers = vec![parsed];
    while let Some(layer) = layers.pop() {
        for part in &layer.parts {
            if let PartType::Message(inner) = &part.body {
                layers.push(inner);
            }
            let mut names = part.headers.iter().filter(|header| {
                header.name == HeaderName::ContentTransferEncoding
                    && decode::is_encoded(Some(&fields::unfolded(raw, header)))
            });
            if names.next().is_none() {
                continue;
            }
            for header in part
                .headers
                .iter()
                .filter(|header| header.name == HeaderName::ContentType)
            {
                let span = header.offset_start as usize..header.offset_end as usize;
                let Some(found) = raw.get(span.clone()).and_then(|value| {
                    let at = value.iter().position(|byte| byte.is_ascii_alphabetic())?;
                    let is_message = value.get(at..at + 8)?.eq_ignore_ascii_case(b"message/");
                    is_message.then_some(span.start + at)
                }) else {
                    continue;
                };
                if let Some(byte) = copy.get_or_insert_with(|| raw.to_vec()).get_mut(found) {
                    *byte = MASK;
                }
            }
        }
    }
    copy
}

/// Stands for the `m` of `message/` in a type that is masked.
const MASK: u8 = b'\x7f';

fn is_masked(content_type: &str) -> bool {
    content_type.strip_prefix('\x7f').is_some_and(|rest| {
        rest.get(..7)
            .is_some_and(|start| start.eq_ignore_ascii_case("essage/"))
    })
}

fn is_embedded_type(content_type: &str) -> bool {
    matches!(content_type, "message/rfc822" | "message/global")
}

/// Drops a message without recursion: the layers of a hostile one would not fit on the stack.
fn dismiss(message: mail_parser::Message<'_>) {
    let mut layers = vec![message];
    while let Some(mut layer) = layers.pop() {
        for part in layer.parts.drain(..) {
            if let PartType::Message(inner) = part.body {
                layers.push(inner);
            }
        }
    }
}
