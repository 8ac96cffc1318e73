//! Bytes of a message → content: line ends, transfer encodings, charsets.

use std::borrow::Cow;
use std::cell::OnceCell;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode_char;

/// Keeps decoded bytes alive and in place while a message borrows from them.
#[derive(Default)]
pub(super) struct Buffers(OnceCell<Box<(Vec<u8>, Buffers)>>);

impl Buffers {
    /// Takes `bytes` and lends them out. Walks all earlier ones: meant for a handful.
    pub(super) fn keep(&self, bytes: Vec<u8>) -> &[u8] {
        let mut slot = self;
        while let Some(kept) = slot.0.get() {
            slot = &kept.1;
        }
        &slot.0.get_or_init(|| Box::new((bytes, Self::default()))).0
    }
}

/// Content whose transfer encoding is undone.
pub(super) struct Decoded<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// The encoding was broken; `bytes` are a best effort.
    pub(super) damaged: bool,
}

/// Undoes `encoding`, the value of a `Content-Transfer-Encoding` field (RFC 2045 6). Broken base64 and
/// quoted-printable are decoded as far as they go, as mail clients do.
pub(super) fn transfer<'a>(body: &'a [u8], encoding: Option<&str>) -> Decoded<'a> {
    let encoding = encoding.unwrap_or_default();
    if is_base64(encoding) {
        return match base64_decode(body) {
            Some(bytes) => Decoded {
                bytes: Cow::Owned(bytes),
                damaged: false,
            },
            None => Decoded {
                bytes: lenient_base64(body),
                damaged: true,
            },
        };
    }
    if is_quoted_printable(encoding) {
        let (bytes, damaged) = quoted_printable(body);
        return Decoded {
            bytes: Cow::Owned(bytes),
            damaged,
        };
    }
    Decoded {
        bytes: Cow::Borrowed(body),
        damaged: false,
    }
}

/// Whether `encoding` changes the bytes that it is applied to.
pub(super) fn is_encoded(encoding: Option<&str>) -> bool {
    encoding.is_some_and(|encoding| is_base64(encoding) || is_quoted_printable(encoding))
}

/// Text in `charset` as UTF-8. Bytes that the charset lacks become U+FFFD; without a declared charset what
/// is not UTF-8 is taken for windows-1252.
pub(super) fn charset<'a>(bytes: Cow<'a, [u8]>, charset: Option<&str>) -> Cow<'a, [u8]> {
    let name = charset.unwrap_or_default().trim().to_ascii_lowercase();
    let shifts = [
        "utf-7", "utf7", "utf-16", "utf16", "iso-2022", "iso2022", "hz-", "unicode",
    ];
    let keeps_ascii = !shifts.iter().any(|prefix| name.starts_with(prefix));
    if keeps_ascii && bytes.is_ascii() {
        return bytes;
    }
    let may_be_utf8 = matches!(name.as_str(), "" | "utf-8" | "utf8" | "us-ascii" | "ascii");
    if may_be_utf8 && std::str::from_utf8(&bytes).is_ok() {
        return bytes;
    }
    let decoder = match name.as_str() {
        "" | "us-ascii" | "ascii" => charset_decoder(b"windows-1252"),
        _ => charset_decoder(name.as_bytes()),
    };
    let text = match decoder {
        Some(decode) => decode(&bytes),
        None => String::from_utf8_lossy(&bytes).into_owned(),
    };
    Cow::Owned(text.into_bytes())
}

/// `bytes` with lines that end in LF: UTF-16 with a byte-order mark becomes UTF-8, and text without any LF
/// has its CRs replaced. Anything else stays as it is.
pub(super) fn as_lines(bytes: &[u8]) -> Cow<'_, [u8]> {
    let from_utf16 = |content: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = content
            .chunks_exact(2)
            .map(|pair| unit(pair.try_into().unwrap_or_default()));
        let text: String = char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xff, 0xfe, content @ ..] => from_utf16(content, u16::from_le_bytes),
        [0xfe, 0xff, content @ ..] => from_utf16(content, u16::from_be_bytes),
        _ if memchr::memchr(b'\n', bytes).is_none() && memchr::memchr(b'\r', bytes).is_some() => Cow::Owned(
            bytes
                .iter()
                .map(|&byte| if byte == b'\r' { b'\n' } else { byte })
                .collect(),
        ),
        _ => Cow::Borrowed(bytes),
    }
}

fn is_base64(encoding: &str) -> bool {
    encoding.trim().eq_ignore_ascii_case("base64")
}

fn is_quoted_printable(encoding: &str) -> bool {
    encoding.trim().eq_ignore_ascii_case("quoted-printable")
}

/// Decodes the letters of the base64 alphabet and passes over the rest; text that is mostly something else
/// stays as it is.
fn lenient_base64(body: &[u8]) -> Cow<'_, [u8]> {
    let letters: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
        .collect();
    let blanks = body.iter().filter(|byte| byte.is_ascii_whitespace()).count();
    let strangers = body.len() - blanks - letters.len();
    match base64_decode(&letters) {
        Some(decoded) if strangers < letters.len() => Cow::Owned(decoded),
        _ => Cow::Borrowed(body),
    }
}

/// Undoes quoted-printable (RFC 2045 6.7): decodes what is well-formed and keeps the rest as it stands, as
/// mail clients do. Says whether there was any such rest. `mail-parser`'s decoder gives up on it, so that
/// one `==` would hide a body.
fn quoted_printable(body: &[u8]) -> (Vec<u8>, bool) {
    let mut decoded = Vec::with_capacity(body.len());
    let mut damaged = false;
    let mut rest = body;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        let (plain, escape) = rest.split_at(equals);
        decoded.extend_from_slice(plain);
        let after = escape.get(1..).unwrap_or_default();
        rest = if let Some((byte, behind)) = hex_byte(after) {
            decoded.push(byte);
            behind
        } else if let Some(behind) = soft_break(after) {
            behind
        } else {
            decoded.push(b'=');
            damaged = true;
            after
        };
    }
    decoded.extend_from_slice(rest);
    (decoded, damaged)
}

fn hex_byte(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], behind) = bytes.split_first_chunk()?;
    Some((quoted_printable_decode_char(high, low)?, behind))
}

/// What follows the end of a line that is to be joined with the next; blanks may stand before that end.
fn soft_break(bytes: &[u8]) -> Option<&[u8]> {
    let blanks = bytes
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .count();
    match bytes.get(blanks..)? {
        [b'\n', behind @ ..] => Some(behind),
        [] => Some(&[]),
        _ => None,
    }
}
