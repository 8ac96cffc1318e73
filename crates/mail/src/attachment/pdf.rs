//! PDF (ISO 32000): what it does when it is opened, where it leads, what it carries.
//!
//! Looked at as readers of broken files do: all objects, wherever they stand, in the file and in its compressed object
//! streams, without following the cross-reference table, which an attacker may break at will.

use std::io::Read as _;

use blackrod_model::mail::LinkRole;
use memchr::memmem;

use super::{File, Notes, password, qr};

/// Compressed streams that are unpacked.
const MAX_STREAMS: usize = 200;
/// Bytes unpacked of one object stream.
const MAX_OBJECTS: usize = 1 << 20;
/// Images that are searched for QR codes.
const MAX_IMAGES: usize = 8;
/// How far before its content a stream's dictionary may begin.
const DICTIONARY: usize = 1_024;
/// Links that are taken.
const MAX_LINKS: usize = 32;
/// Bytes of one link.
const MAX_URL: usize = 2_048;

/// A stream with the dictionary before it.
struct Stream<'a> {
    dictionary: &'a [u8],
    content: &'a [u8],
}

/// Looks at a PDF file.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    let mut objects = Vec::new();
    let mut images = 0;
    for stream in streams(file.bytes).take(MAX_STREAMS) {
        if has_name(stream.dictionary, b"ObjStm") {
            if let Some(inner) = inflated(stream.content, MAX_OBJECTS, notes) {
                objects.extend_from_slice(&inner);
                objects.push(b'\n');
            }
        } else if has_name(stream.dictionary, b"Image") && images < MAX_IMAGES {
            images += 1;
            image(&stream, notes);
        }
    }
    let plain = without_streams(file.bytes);
    actions(file, &plain, &objects, notes);
    links(&plain, &objects, notes);
}

/// What names (`/Launch`) the objects hold.
fn actions(file: File<'_>, plain: &[u8], objects: &[u8], notes: &mut Notes<'_>) {
    let has = |name: &[u8]| has_name(plain, name) || has_name(objects, name);
    let script = has(b"JavaScript") || has(b"JS");
    let opens = has(b"OpenAction") || has(b"AA");
    let facts = [
        (script, "content/pdf-script"),
        (script && opens, "content/pdf-script-on-open"),
        (has(b"Launch"), "content/pdf-launch"),
        (has(b"EmbeddedFile"), "content/pdf-embedded-file"),
        (has(b"SubmitForm"), "content/pdf-form"),
        (has(b"GoToE") || has(b"GoToR"), "content/pdf-goes-elsewhere"),
        (has(b"XFA"), "content/pdf-xfa"),
        (has(b"RichMedia"), "content/pdf-media"),
    ];
    for (_, code) in facts.iter().filter(|(fits, _)| *fits) {
        notes.signal(code, file.name);
    }
    if has(b"Encrypt") {
        notes.signal("content/pdf-encrypted", file.name);
        password::look(file.name, notes);
    }
}

/// The targets of `/URI` and `/F` of `/SubmitForm` actions.
fn links(plain: &[u8], objects: &[u8], notes: &mut Notes<'_>) {
    let mut seen: Vec<String> = Vec::new();
    for text in [plain, objects] {
        for at in memmem::find_iter(text, b"/URI") {
            let rest = text.get(at + 4..).unwrap_or_default().trim_ascii_start();
            let Some(url) = string(rest).filter(|url| url.contains(':')) else {
                continue;
            };
            if seen.len() >= MAX_LINKS {
                return;
            }
            if !seen.contains(&url) {
                notes.link(&url, LinkRole::Click, "pdf");
                seen.push(url);
            }
        }
    }
}

/// A string object: `(text)` with escapes, or `<hexadecimal>` (ISO 32000-1 7.3.4).
fn string(bytes: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    let (first, rest) = bytes.split_first()?;
    match first {
        b'(' => {
            let mut depth = 0;
            let mut escaped = false;
            for byte in rest.iter().take(MAX_URL) {
                match byte {
                    _ if escaped => {
                        escaped = false;
                        out.push(*byte);
                        continue;
                    }
                    b'\\' => {
                        escaped = true;
                        continue;
                    }
                    b'(' => depth += 1,
                    b')' if depth == 0 => return Some(String::from_utf8_lossy(&out).trim().to_owned()),
                    b')' => depth -= 1,
                    _ => {}
                }
                out.push(*byte);
            }
            None
        }
        b'<' if rest.first() != Some(&b'<') => {
            let end = memchr::memchr(b'>', rest.get(..rest.len().min(2 * MAX_URL))?)?;
            let digits: Vec<u32> = rest
                .get(..end)?
                .iter()
                .filter_map(|byte| char::from(*byte).to_digit(16))
                .collect();
            out.extend(digits.chunks(2).filter_map(|pair| {
                let (high, low) = (pair.first()?, pair.get(1).unwrap_or(&0));
                u8::try_from(high << 4 | low).ok()
            }));
            Some(String::from_utf8_lossy(&out).trim().to_owned())
        }
        _ => None,
    }
}

/// All streams of a file: the bytes between `stream` and `endstream`, and what stands before.
fn streams(bytes: &[u8]) -> impl Iterator<Item = Stream<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let word = from + memmem::find(bytes.get(from..)?, b"stream")?;
            let after = word + b"stream".len();
            from = after;
            let start = match bytes.get(after..)? {
                [b'\r', b'\n', ..] => after + 2,
                [b'\n' | b'\r', ..] => after + 1,
                _ => continue,
            };
            if bytes.get(..word)?.ends_with(b"end") {
                continue;
            }
            let end =
                memmem::find(bytes.get(start..)?, b"endstream").map_or(bytes.len(), |length| start + length);
            let before = bytes.get(word.saturating_sub(DICTIONARY)..word)?;
            let object = memmem::rfind(before, b"obj")
                .and_then(|at| before.get(at..))
                .unwrap_or(before);
            from = end;
            return Some(Stream {
                dictionary: object,
                content: bytes.get(start..end)?,
            });
        }
    })
}

/// The file without the content of its streams, in which any letters may stand by chance.
fn without_streams(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut from = 0;
    let base = bytes.as_ptr() as usize;
    for stream in streams(bytes) {
        let start = stream.content.as_ptr() as usize - base;
        out.extend_from_slice(bytes.get(from..start).unwrap_or_default());
        from = start + stream.content.len();
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out
}

/// Whether `/name` stands in `bytes` as a whole name, its `#xx` escapes resolved.
fn has_name(bytes: &[u8], name: &[u8]) -> bool {
    let ends = |rest: &[u8]| {
        rest.first()
            .is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'#')
    };
    memchr::memchr_iter(b'/', bytes).any(|at| {
        let mut rest = bytes.get(at + 1..).unwrap_or_default();
        for wanted in name {
            let (byte, after) = match rest {
                [b'#', high, low, after @ ..] => {
                    let digit = |byte: &u8| char::from(*byte).to_digit(16);
                    let value = digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low);
                    (
                        value
                            .and_then(|value| u8::try_from(value).ok())
                            .unwrap_or_default(),
                        after,
                    )
                }
                [byte, after @ ..] => (*byte, after),
                [] => return false,
            };
            if byte != *wanted {
                return false;
            }
            rest = after;
        }
        ends(rest)
    })
}

fn inflated(content: &[u8], limit: usize, notes: &mut Notes<'_>) -> Option<Vec<u8>> {
    let room = notes.take_inflate(limit.min(content.len().saturating_mul(20)));
    let mut out = Vec::new();
    // What was unpacked before an error counts: readers show it, too.
    let _ = flate2::read::ZlibDecoder::new(content)
        .take(room as u64)
        .read_to_end(&mut out);
    (!out.is_empty()).then_some(out)
}

/// Searches an image for QR codes: JPEG as it is, and raw grey, black-and-white or RGB pixels.
fn image(stream: &Stream<'_>, notes: &mut Notes<'_>) {
    const FOUND_IN: &str = "qr in pdf";
    if has_name(stream.dictionary, b"DCTDecode") {
        qr::image(stream.content, FOUND_IN, notes);
        return;
    }
    let number = |name: &[u8]| number_of(stream.dictionary, name);
    let (Some(width), Some(height)) = (number(b"/Width"), number(b"/Height")) else {
        return;
    };
    let bits = number(b"/BitsPerComponent").unwrap_or(1);
    if !qr::is_plausible(width, height) || has_name(stream.dictionary, b"Predictor") {
        return;
    }
    let pixels = if has_name(stream.dictionary, b"FlateDecode") {
        inflated(stream.content, width * height * 4 + height, notes)
    } else {
        Some(stream.content.to_vec())
    };
    let Some(pixels) = pixels else { return };
    let rows = Rows::of(&pixels, width, height, bits);
    if let Some(rows) = rows {
        qr::grey(width, height, |x, y| rows.grey(x, y), FOUND_IN, notes);
    }
}

/// Rows of raw pixels, without the predictors of PNG.
struct Rows<'a> {
    pixels: &'a [u8],
    /// Bytes of one row.
    stride: usize,
    /// Bytes of one pixel; 0 for one bit.
    depth: usize,
}

impl<'a> Rows<'a> {
    /// How `height` rows of `width` pixels lie in `pixels`: the colour space is seen from the size.
    fn of(pixels: &'a [u8], width: usize, height: usize, bits: usize) -> Option<Self> {
        let depths: &[usize] = if bits == 1 { &[0] } else { &[1, 3, 4] };
        let rows = depths.iter().map(|depth| Self {
            pixels,
            stride: if *depth == 0 {
                width.div_ceil(8)
            } else {
                width * depth
            },
            depth: *depth,
        });
        // Some writers end with a line feed.
        let mut rows = rows.filter(|_| matches!(bits, 1 | 8));
        rows.find(|rows| {
            pixels
                .len()
                .checked_sub(rows.stride * height)
                .is_some_and(|rest| rest <= 2)
        })
    }

    fn grey(&self, x: usize, y: usize) -> u8 {
        let row = y * self.stride;
        if self.depth == 0 {
            let byte = self.pixels.get(row + x / 8).copied().unwrap_or_default();
            return if byte >> (7 - x % 8) & 1 == 1 { 255 } else { 0 };
        }
        self.pixels.get(row + x * self.depth).copied().unwrap_or(255)
    }
}

/// The whole number after `name` in a dictionary.
fn number_of(dictionary: &[u8], name: &[u8]) -> Option<usize> {
    let at = memmem::find(dictionary, name)?;
    let rest = dictionary.get(at + name.len()..)?.trim_ascii_start();
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_and_may_be_escaped() {
        assert!(has_name(b"<< /S /JavaScript >>", b"JavaScript"));
        assert!(has_name(b"<< /S /J#61vaScript/JS 1 0 R>>", b"JavaScript"));
        assert!(!has_name(b"<< /JavaScripts >>", b"JavaScript"));
        assert!(!has_name(b"<< /AAPL:Keywords >>", b"AA"));
    }

    #[test]
    fn strings_are_read_in_both_forms() {
        assert_eq!(
            string(b"(https://x.example/a\\(b\\))").as_deref(),
            Some("https://x.example/a(b)")
        );
        assert_eq!(string(b"<68747470733a2f2f78>").as_deref(), Some("https://x"));
        assert_eq!(string(b"<< /S /URI >>"), None);
        assert_eq!(string(b"(never ends"), None);
    }

    #[test]
    fn contents_of_streams_are_no_objects() {
        let file = b"1 0 obj << /Length 7 >> stream\n/Launch\nendstream endobj 2 0 obj << /S /URI >> endobj";
        let plain = without_streams(file);
        assert!(!has_name(&plain, b"Launch"));
        assert!(has_name(&plain, b"URI"));
    }
}
