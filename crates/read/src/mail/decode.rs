//! Bytes of a message → content: line ends, transfer encodings, charsets.

use std::borrow::Cow;
use std::cell::OnceCell;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::parsers::MessageStream;

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
        let (end, bytes) = MessageStream::new(body).decode_base64_mime(b"");
        if end != usize::MAX {
            return Decoded {
                bytes: Cow::Owned(bytes.into_owned()),
                damaged: false,
            };
        }
        return Decoded {
            bytes: lenient_base64(body),
            damaged: true,
        };
    }
    if is_quoted_printable(encoding) {
        let (end, bytes) = MessageStream::new(body).decode_quoted_printable_mime(b"");
        if end != usize::MAX {
            return Decoded {
                bytes: Cow::Owned(bytes.into_owned()),
                damaged: false,
            };
        }
        return Decoded {
            bytes: Cow::Owned(lenient_quoted_printable(body)),
            damaged: true,
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

/// Decodes what is well-formed and keeps the rest as it stands.
fn lenient_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(equals) = memchr::memchr(b'=', rest) {
        decoded.extend_from_slice(rest.get(..equals).unwrap_or_default());
        rest = rest.get(equals + 1..).unwrap_or_default();
        let digit = |byte: u8| {
            char::from(byte)
                .to_digit(16)
                .and_then(|digit| u8::try_from(digit).ok())
        };
        rest = match rest {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => after,
            [high, low, after @ ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    after
                }
                _ => {
                    decoded.push(b'=');
                    rest
                }
            },
            _ => {
                decoded.push(b'=');
                rest
            }
        };
    }
    decoded.extend_from_slice(rest);
    decoded
}
