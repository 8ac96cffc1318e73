//! Encodings of mail: transfer encodings (RFC 2045), encoded words (RFC 2047), folding (RFC 5322).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Quoted-printable (RFC 2045 6.7) of text with `\n` line ends.
pub(crate) fn quoted_printable(text: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (index, byte) in text.iter().enumerate() {
        if *byte == b'\n' {
            out.push(b'\n');
            column = 0;
            continue;
        }
        let ends_line = matches!(text.get(index + 1), None | Some(b'\n'));
        let is_plain = match byte {
            b'=' => false,
            b' ' | b'\t' => !ends_line,
            33..=126 => true,
            _ => false,
        };
        let width = if is_plain { 1 } else { 3 };
        if column + width > 75 {
            out.extend_from_slice(b"=\n");
            column = 0;
        }
        if is_plain {
            out.push(*byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend_from_slice(&[b'=', HEX[high], HEX[low]]);
        }
        column += width;
    }
}

/// Base64 in lines of 76 (RFC 2045 6.8).
pub(crate) fn base64_lines(bytes: &[u8], out: &mut Vec<u8>) {
    let mut line = [0; 76];
    for chunk in bytes.chunks(57) {
        let length = STANDARD.encode_slice(chunk, &mut line).unwrap_or(0);
        out.extend_from_slice(&line[..length]);
        out.push(b'\n');
    }
}

/// `text` as the value of a header field that starts at `column`: folded, and as encoded words where it is not ASCII.
pub(crate) fn header_text(text: &str, column: usize, q_words: bool, out: &mut Vec<u8>) {
    if text.is_ascii() {
        return folded(text, column, out);
    }
    // An encoded word is at most 75 characters long and holds whole characters.
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        let room = if q_words { 20 } else { 42 };
        let mut end = rest.len().min(room);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        if !first {
            out.extend_from_slice(b"\n ");
        }
        first = false;
        word(&rest[..end], q_words, out);
        rest = &rest[end..];
    }
}

/// A display name: as it is, quoted, or as encoded words.
pub(crate) fn display_name(name: &str, always_quoted: bool, q_words: bool, out: &mut Vec<u8>) {
    if !name.is_ascii() {
        return header_text(name, 0, q_words, out);
    }
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b" -'".contains(&byte));
    if is_plain && !always_quoted {
        return out.extend_from_slice(name.as_bytes());
    }
    out.push(b'"');
    out.extend_from_slice(name.replace(['"', '\\'], "").as_bytes());
    out.push(b'"');
}

fn folded(text: &str, column: usize, out: &mut Vec<u8>) {
    let mut column = column;
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            if column + word.len() + 1 > 76 {
                out.extend_from_slice(b"\n ");
                column = 1;
            } else {
                out.push(b' ');
                column += 1;
            }
        }
        out.extend_from_slice(word.as_bytes());
        column += word.len();
    }
}

fn word(text: &str, q_words: bool, out: &mut Vec<u8>) {
    if !q_words {
        out.extend_from_slice(b"=?UTF-8?B?");
        out.extend_from_slice(STANDARD.encode(text).as_bytes());
        return out.extend_from_slice(b"?=");
    }
    let mut encoded = String::from("=?utf-8?Q?");
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('_'),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => {
                let _ = write!(encoded, "={byte:02X}");
            }
        }
    }
    encoded.push_str("?=");
    out.extend_from_slice(encoded.as_bytes());
}
