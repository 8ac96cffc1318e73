//! The way through a message: which part becomes what, and how the pieces are put back.

use mail_parser::{Encoding, HeaderName, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::active::{self, Active};
use super::transfer::{self, Reading};
use super::{DefuseError, DefusePolicy, Defused, Log, header, html, lines, text};

/// Messages in transfer-encoded messages that are gone into.
pub(super) const NESTED_LIMIT: u8 = 3;
/// Levels of the MIME tree.
const DEPTH_LIMIT: usize = 60;
/// Messages within the message.
const EMBEDDED_LIMIT: usize = 200;
/// Bytes that the parser may look at again for boundaries that do not occur.
const REPEATED: usize = 1 << 28;
const LINES: usize = 3_000_000;

/// Fields that ask for a sign that the message was read, or that name a picture to be fetched beside it.
const REPORTING: [&str; 14] = [
    "Disposition-Notification-To",
    "Disposition-Notification-Options",
    "Return-Receipt-To",
    "Return-Receipt-Requested",
    "Read-Receipt-To",
    "Registered-Mail-Reply-Requested-By",
    "Generate-Delivery-Report",
    "X-Confirm-Reading-To",
    "X-Confirm-Delivery-To",
    "X-Pmrqc",
    "X-Receipt-To",
    "X-Image-Url",
    "BIMI-Location",
    "Content-Base",
];

pub(super) fn defuse(raw: &[u8], policy: &DefusePolicy, nested: u8) -> Result<Defused, DefuseError> {
    check(raw, policy)?;
    let message = MessageParser::new().parse(raw).ok_or(DefuseError::NotAMessage)?;
    let mut job = Job {
        raw,
        policy,
        nested,
        log: Log::default(),
        edits: Vec::new(),
        embedded: 0,
    };
    job.message(&message, "", 0)?;
    let Job { log, edits, .. } = job;
    let bytes = apply(raw, edits);
    let changed = bytes != raw;
    if changed {
        let after = MessageParser::new().parse(&bytes).ok_or(DefuseError::Structure)?;
        if skeleton(&message) != skeleton(&after) {
            return Err(DefuseError::Structure);
        }
    }
    Ok(Defused {
        bytes,
        changed,
        removed: log.removed,
        untouched: log.untouched,
    })
}

/// Bounds what the parser may have to do.
fn check(raw: &[u8], policy: &DefusePolicy) -> Result<(), DefuseError> {
    if raw.len() > policy.max_size {
        return Err(DefuseError::TooLarge {
            size: raw.len(),
            limit: policy.max_size,
        });
    }
    if memchr::memchr_iter(b'\n', raw).count() > LINES {
        return Err(DefuseError::TooComplex("too many lines"));
    }
    let boundaries = memchr::memmem::find_iter(raw, b"oundary").count();
    if boundaries.saturating_mul(raw.len()) > REPEATED && boundaries > 1_000 {
        return Err(DefuseError::TooComplex("too many boundaries"));
    }
    let embedded = memchr::memmem::find_iter(raw, b"rfc822").count();
    if embedded > 20 * EMBEDDED_LIMIT {
        return Err(DefuseError::TooComplex("too many messages within it"));
    }
    Ok(())
}

struct Job<'a> {
    raw: &'a [u8],
    policy: &'a DefusePolicy,
    nested: u8,
    log: Log,
    edits: Vec<header::Edit>,
    embedded: usize,
}

impl Job<'_> {
    /// A message whose parts lie in `raw`.
    fn message(&mut self, message: &Message<'_>, path: &str, depth: usize) -> Result<(), DefuseError> {
        self.embedded += 1;
        if self.embedded > EMBEDDED_LIMIT {
            return Err(DefuseError::TooComplex("too many messages within it"));
        }
        let Some(root) = message.parts.first() else {
            return Ok(());
        };
        self.log.part = if path.is_empty() {
            "0".to_owned()
        } else {
            path.to_owned()
        };
        for field in &root.headers {
            let name = field.name.as_str();
            if REPORTING.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                let what = if name.to_ascii_lowercase().contains("base") {
                    "base"
                } else {
                    "receipt"
                };
                self.log.removed(what, name);
                self.edits.push((header::span(field), Vec::new()));
            }
        }
        self.part(message, 0, path, depth)
    }

    fn part(&mut self, message: &Message<'_>, id: u32, path: &str, depth: usize) -> Result<(), DefuseError> {
        if depth > DEPTH_LIMIT {
            return Err(DefuseError::TooComplex("too deeply nested"));
        }
        let Some(part) = message.parts.get(id as usize) else {
            return Ok(());
        };
        let below = |n: usize| {
            if path.is_empty() {
                n.to_string()
            } else {
                format!("{path}.{n}")
            }
        };
        self.log.part = if path.is_empty() {
            "1".to_owned()
        } else {
            path.to_owned()
        };
        match &part.body {
            PartType::Multipart(ids) => {
                if is_sealed(message, part, ids) {
                    self.log.untouched(&kind(part));
                    return Ok(());
                }
                self.settle(part);
                self.boundaries(part);
                for (n, id) in ids.iter().enumerate() {
                    self.part(message, *id, &below(n + 1), depth + 1)?;
                }
                Ok(())
            }
            PartType::Message(inner) if part.encoding == Encoding::None => {
                self.message(inner, path, depth + 1)
            }
            PartType::Message(inner) => self.encoded_message(part, inner),
            _ => {
                self.leaf(part);
                Ok(())
            }
        }
    }

    /// A message in a transfer encoding, which is undone and done again.
    fn encoded_message(&mut self, part: &MessagePart<'_>, inner: &Message<'_>) -> Result<(), DefuseError> {
        let Some(nested) = self.nested.checked_sub(1) else {
            return Err(DefuseError::TooComplex("too many encodings"));
        };
        let defused = defuse(&inner.raw_message, self.policy, nested)?;
        let path = self.log.part.clone();
        self.log.changes += usize::from(defused.changed);
        for mut removed in defused.removed {
            removed.part = format!("{path}.{}", removed.part);
            self.log.removed.push(removed);
        }
        self.log.untouched.extend(defused.untouched);
        if defused.changed {
            self.replace(part, &defused.bytes);
        }
        Ok(())
    }

    fn leaf(&mut self, part: &MessagePart<'_>) {
        let kind = kind(part);
        self.settle(part);
        if is_cipher(&kind) {
            self.log.untouched(&kind);
            return;
        }
        let body = self.body(part);
        let Some(content) = transfer::decode(body, part.encoding) else {
            // Nobody knows what a client makes of it: shown as text, it is harmless.
            if active::is_markup(&kind) {
                self.flatten(part, &Active::Text, "broken encoding");
            }
            return;
        };
        let name = part.attachment_name();
        let is_attached = part.content_disposition().is_some_and(|one| one.is_attachment());
        if active::is_markup(&kind) && !is_attached {
            return self.html(part, &kind, &content);
        }
        if kind.starts_with("multipart/")
            || matches!(kind.as_str(), "message/external-body" | "message/partial")
        {
            if kind.starts_with("message/") || active_text(&content) {
                self.log.removed("external body", &kind);
                self.set(part, "Content-Type", "text/plain; charset=utf-8");
            }
            return;
        }
        let is_record = [
            "text/calendar",
            "application/ics",
            "text/vcard",
            "text/x-vcard",
            "text/directory",
            "text/x-vcalendar",
        ]
        .contains(&kind.as_str())
            || name.is_some_and(|name| {
                [".ics", ".vcf", ".vcs"]
                    .iter()
                    .any(|end| name.to_ascii_lowercase().ends_with(end))
            });
        if is_record {
            if let Some(cleaned) = lines::clean(&content, &mut self.log) {
                self.replace(part, &cleaned);
            }
            return;
        }
        if let Some(found) = active::judge(&kind, name, &content) {
            let why = match &found {
                Active::Text => name.unwrap_or(&kind).to_owned(),
                Active::File(why) => format!("{}: {why}", name.unwrap_or(&kind)),
            };
            return self.flatten(part, &found, &why);
        }
        if kind == "text/plain"
            && let Some(cut) = text::cut_links(&content, self.policy, &mut self.log)
        {
            self.replace(part, &cut);
        }
    }

    /// HTML that a client shows.
    fn html(&mut self, part: &MessagePart<'_>, kind: &str, content: &[u8]) {
        let charset = part.content_type().and_then(|one| one.attribute("charset"));
        let is_known = matches!(kind, "text/html" | "text/x-amp-html");
        let utf8 = |text: &str, policy: &DefusePolicy, log: &mut Log| {
            html::rewrite(text.as_bytes(), encoding_rs::UTF_8, policy, log)
        };
        match transfer::reading(content, charset) {
            Reading::Direct(encoding) => {
                if let Some(rewritten) = html::rewrite(content, encoding, self.policy, &mut self.log) {
                    self.replace(part, &rewritten);
                }
                if !is_known {
                    self.log.removed("media type", kind);
                    self.set(
                        part,
                        "Content-Type",
                        &header::content_type(part, "text/html", &[], &[]),
                    );
                }
            }
            Reading::Shifted => {
                let (decoded, _, _) = encoding_rs::ISO_2022_JP.decode(content);
                if let Some(rewritten) = utf8(&decoded, self.policy, &mut self.log) {
                    let rewritten = String::from_utf8_lossy(&rewritten);
                    let (encoded, _, _) = encoding_rs::ISO_2022_JP.encode(&rewritten);
                    self.replace(part, &encoded);
                }
            }
            Reading::Doubtful(encoding) => {
                let decoded = match (encoding, &part.body) {
                    (Some(encoding), _) => encoding.decode(content).0.into_owned(),
                    (None, PartType::Html(text) | PartType::Text(text)) => text.clone().into_owned(),
                    (None, _) => String::from_utf8_lossy(content).into_owned(),
                };
                self.log.removed("charset", charset.unwrap_or("byte order mark"));
                let rewritten =
                    utf8(&decoded, self.policy, &mut self.log).unwrap_or_else(|| decoded.into_bytes());
                self.replace(part, &rewritten);
                let value = header::content_type(part, "text/html", &[("charset", "utf-8")], &[]);
                self.set(part, "Content-Type", &value);
            }
        }
    }

    /// Makes an attachment open as text, or not at all.
    fn flatten(&mut self, part: &MessagePart<'_>, active: &Active, why: &str) {
        self.log.removed("attachment", why);
        let (kind, ending) = match active {
            Active::Text => ("text/plain", "txt"),
            Active::File(_) => ("application/octet-stream", "blocked"),
        };
        let name = format!("{}.{ending}", part.attachment_name().unwrap_or("attachment"));
        let charset = part
            .content_type()
            .and_then(|one| one.attribute("charset"))
            .unwrap_or("utf-8");
        let mut value = kind.to_owned();
        if *active == Active::Text {
            value.push_str(&header::parameter("charset", charset));
        }
        value.push_str(&header::parameter("name", &name));
        self.set(part, "Content-Type", &value);
        let disposition = format!("attachment{}", header::parameter("filename", &name));
        self.set(part, "Content-Disposition", &disposition);
    }

    /// A boundary in the middle of a line ends a part for the parser and not for most clients, who would show what comes
    /// behind it as more of the same part. On a line of its own it is one for all.
    fn boundaries(&mut self, part: &MessagePart<'_>) {
        let Some(boundary) = part.content_type().and_then(|one| one.attribute("boundary")) else {
            return;
        };
        let (body, start) = (self.body(part), part.offset_body as usize);
        let end = transfer::line_end(body);
        let delimiter = format!("--{boundary}");
        let within = memchr::memmem::find_iter(body, delimiter.as_bytes())
            .filter(|at| *at > 0 && body.get(at - 1) != Some(&b'\n'));
        let edits: Vec<header::Edit> = within.map(|at| (start + at..start + at, end.to_vec())).collect();
        if !edits.is_empty() {
            self.log.removed("boundary within a line", boundary);
            self.edits.extend(edits);
        }
    }

    /// Fields that clients could read in two ways are made to be read in one: ours.
    fn settle(&mut self, part: &MessagePart<'_>) {
        for name in [HeaderName::ContentType, HeaderName::ContentTransferEncoding] {
            let all: Vec<_> = part.headers.iter().filter(|field| field.name == name).collect();
            let used = part.headers.iter().rev().find(|field| field.name == name);
            for field in all.iter().filter(|_| all.len() > 1) {
                if used.is_some_and(|used| used.offset_field != field.offset_field) {
                    self.log.removed("repeated field", name.as_str());
                    self.edits.push((header::span(field), Vec::new()));
                }
            }
        }
        const KNOWN: [&str; 5] = ["7bit", "8bit", "binary", "quoted-printable", "base64"];
        let declared = part
            .content_transfer_encoding()
            .map(|declared| declared.trim().to_ascii_lowercase());
        let is_odd = declared.is_some_and(|declared| !KNOWN.contains(&declared.as_str()));
        if is_odd && !matches!(part.body, PartType::Multipart(_) | PartType::Message(_)) {
            let declared = part.content_transfer_encoding().unwrap_or_default();
            self.log.removed("transfer encoding", declared);
            self.set(part, "Content-Transfer-Encoding", transfer::name(part.encoding));
        }
    }

    fn body(&self, part: &MessagePart<'_>) -> &[u8] {
        self.raw
            .get(part.offset_body as usize..part.offset_end as usize)
            .unwrap_or_default()
    }

    /// Puts `content` in the place of the part's.
    fn replace(&mut self, part: &MessagePart<'_>, content: &[u8]) {
        let before = self.body(part);
        let mut encoding = part.encoding;
        if encoding == Encoding::None && transfer::may_part(content, before) {
            encoding = Encoding::Base64;
        }
        let body = transfer::encode(content, encoding, before);
        if encoding != part.encoding {
            self.set(part, "Content-Transfer-Encoding", transfer::name(encoding));
        }
        self.edits
            .push((part.offset_body as usize..part.offset_end as usize, body));
    }

    fn set(&mut self, part: &MessagePart<'_>, name: &str, value: &str) {
        header::set(self.raw, part, name, value, &mut self.edits);
    }
}

/// Whether a part that the parser could not take apart may hold what another one would show.
fn active_text(content: &[u8]) -> bool {
    memchr::memchr(b'<', content).is_some()
}

/// The media type of a part, lower case.
fn kind(part: &MessagePart<'_>) -> String {
    let Some(declared) = part.content_type() else {
        return "text/plain".to_owned();
    };
    let subtype = declared.subtype().unwrap_or_default();
    format!("{}/{subtype}", declared.ctype()).to_ascii_lowercase()
}

fn is_cipher(kind: &str) -> bool {
    matches!(
        kind,
        "application/pkcs7-mime" | "application/x-pkcs7-mime" | "application/pgp-encrypted"
    )
}

/// Signed or encrypted as a whole (RFC 1847), and not only called so.
fn is_sealed(message: &Message<'_>, part: &MessagePart<'_>, ids: &[u32]) -> bool {
    let [first, second] = ids else {
        return false;
    };
    let at = |id: &u32| message.parts.get(*id as usize);
    let (Some(first), Some(second)) = (at(first), at(second)) else {
        return false;
    };
    let has_content = second.offset_end > second.offset_body;
    match kind(part).as_str() {
        "multipart/signed" => {
            const SIGNATURES: [&str; 3] = [
                "application/pgp-signature",
                "application/pkcs7-signature",
                "application/x-pkcs7-signature",
            ];
            has_content && SIGNATURES.contains(&kind(second).as_str())
        }
        "multipart/encrypted" => has_content && is_cipher(&kind(first)),
        _ => false,
    }
}

/// The shape of a message: how many parts each part has, and how messages lie in it.
fn skeleton(message: &Message<'_>) -> Vec<usize> {
    let mut shape = Vec::new();
    for part in &message.parts {
        match &part.body {
            PartType::Multipart(ids) => shape.push(ids.len() + 1),
            PartType::Message(inner) => {
                shape.push(0);
                shape.extend(skeleton(inner));
                shape.push(0);
            }
            _ => shape.push(1),
        }
    }
    shape
}

/// `raw` with `edits` made; of edits that overlap, the first stands.
fn apply(raw: &[u8], mut edits: Vec<header::Edit>) -> Vec<u8> {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut out = Vec::with_capacity(raw.len());
    let mut copied = 0;
    for (span, text) in edits {
        if span.start < copied {
            continue;
        }
        out.extend_from_slice(raw.get(copied..span.start).unwrap_or_default());
        out.extend_from_slice(&text);
        copied = span.end;
    }
    out.extend_from_slice(raw.get(copied..).unwrap_or_default());
    out
}
