//! Transfer encodings (RFC 2045 6) and charsets of parts that change.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding as Charset;
use mail_parser::Encoding;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

const LINE: usize = 76;

/// The content of a part's body; `None` where it is broken.
pub(super) fn decode(body: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::None => Some(body.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(body),
        Encoding::Base64 => base64_decode(body),
    }
}

/// `content` as a body. `before` is the body that it replaces, whose line ends it takes over.
pub(super) fn encode(content: &[u8], encoding: Encoding, before: &[u8]) -> Vec<u8> {
    let end = line_end(before);
    let mut body = match encoding {
        Encoding::None => return content.to_vec(),
        Encoding::QuotedPrintable => quoted_printable(content, end),
        Encoding::Base64 => base64_lines(content, end),
    };
    if before.ends_with(b"\n") && !body.ends_with(b"\n") {
        body.extend_from_slice(end);
    }
    body
}

/// Whether `content`, put into a message as it is, could be taken for a boundary where `before` could not.
pub(super) fn may_part(content: &[u8], before: &[u8]) -> bool {
    let dashes = |bytes: &[u8]| {
        let starts = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        starts.filter(|line| line.starts_with(b"--")).count()
    };
    dashes(content) > dashes(before)
}

/// How lines of `text` end.
pub(super) fn line_end(text: &[u8]) -> &'static [u8] {
    match memchr::memchr(b'\n', text) {
        Some(at) if at == 0 || text.get(at - 1) != Some(&b'\r') => b"\n",
        _ => b"\r\n",
    }
}

/// What `Content-Transfer-Encoding:` says of an encoding.
pub(super) fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::None => "8bit",
        Encoding::QuotedPrintable => "quoted-printable",
        Encoding::Base64 => "base64",
    }
}

/// How the text of a part is to be read.
pub(super) enum Reading {
    /// As its charset says; its bytes can be cut as they are.
    Direct(&'static Charset),
    /// As ISO-2022-JP: decoded first, encoded again.
    Shifted,
    /// In a charset that clients read in several ways, or that hides markup from those that do not know it (UTF-7, UTF-16):
    /// decoded, and UTF-8 from then on.
    Doubtful(Option<&'static Charset>),
}

/// How `content` is read that declares `charset`.
pub(super) fn reading(content: &[u8], charset: Option<&str>) -> Reading {
    if let Some((marked, _)) = Charset::for_bom(content) {
        return match marked == encoding_rs::UTF_8 {
            true => Reading::Direct(marked),
            false => Reading::Doubtful(Some(marked)),
        };
    }
    let label = charset.map(|label| label.trim().trim_matches(['"', '\'']).to_ascii_lowercase());
    if label
        .as_deref()
        .is_some_and(|label| label.contains("utf-7") || label.contains("utf7") || label == "cp65000")
    {
        return Reading::Doubtful(None);
    }
    let named = label
        .and_then(|label| Charset::for_label(label.as_bytes()))
        .or_else(|| in_page(content));
    match named {
        Some(charset) if charset.is_ascii_compatible() => Reading::Direct(charset),
        Some(charset) if charset == encoding_rs::ISO_2022_JP => Reading::Shifted,
        Some(charset) => Reading::Doubtful(Some(charset)),
        None if std::str::from_utf8(content).is_ok() => Reading::Direct(encoding_rs::UTF_8),
        None => Reading::Direct(encoding_rs::WINDOWS_1252),
    }
}

/// The charset that a page names in its first kilobyte, as browsers look for it (HTML 13.2.3.2).
fn in_page(content: &[u8]) -> Option<&'static Charset> {
    let start = String::from_utf8_lossy(content.get(..1024).unwrap_or(content)).to_ascii_lowercase();
    let (_, after) = start.split_once("charset=")?;
    let label = after.trim_start_matches(['"', '\'', ' ']);
    let end = label
        .find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)))
        .unwrap_or(label.len());
    let charset = Charset::for_label(label.get(..end)?.as_bytes())?;
    // A page that could be read so far is not UTF-16.
    Some(
        if charset.is_ascii_compatible() || charset == encoding_rs::ISO_2022_JP {
            charset
        } else {
            encoding_rs::UTF_8
        },
    )
}

fn base64_lines(content: &[u8], end: &[u8]) -> Vec<u8> {
    let text = STANDARD.encode(content);
    let mut body = Vec::with_capacity(text.len() + text.len() / LINE * end.len());
    for (at, line) in text.as_bytes().chunks(LINE).enumerate() {
        if at > 0 {
            body.extend_from_slice(end);
        }
        body.extend_from_slice(line);
    }
    body
}

fn quoted_printable(content: &[u8], end: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut body = Vec::with_capacity(content.len() + content.len() / 8);
    for whole in content.split_inclusive(|byte| *byte == b'\n') {
        let ended = whole.strip_suffix(b"\n");
        let line = ended.map_or(whole, |line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut width = 0;
        for (column, byte) in line.iter().enumerate() {
            let is_plain = matches!(byte, b' '..=b'<' | b'>'..=b'~' | b'\t')
                && !(matches!(byte, b' ' | b'\t') && column + 1 == line.len())
                // A dot or a dash may mean something to who transports lines.
                && !(width == 0 && matches!(byte, b'.' | b'-'));
            let length = if is_plain { 1 } else { 3 };
            if width + length >= LINE {
                body.push(b'=');
                body.extend_from_slice(end);
                width = 0;
            }
            match is_plain {
                true => body.push(*byte),
                false => {
                    body.extend_from_slice(&[b'=', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
                }
            }
            width += length;
        }
        if ended.is_some() {
            body.extend_from_slice(end);
        }
    }
    body
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_short_and_end_as_before() {
        let content = "ä = b ".repeat(40);
        let body = encode(content.as_bytes(), Encoding::QuotedPrintable, b"x\n");
        assert!(body.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE));
        assert!(body.ends_with(b"\n") && !body.contains(&b'\r'));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "([ -~äß\t]{0,90}\r\n){0,4}[ -~.-]{0,100}") {
            for encoding in [Encoding::None, Encoding::QuotedPrintable, Encoding::Base64] {
                let body = encode(text.as_bytes(), encoding, b"x\r\ny");
                prop_assert_eq!(decode(&body, encoding).unwrap(), text.as_bytes());
            }
        }
    }
}
