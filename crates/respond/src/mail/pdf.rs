//! PDF files that do something by themselves (ISO 32000).

use std::io::Read as _;

use memchr::memmem;

/// Compressed streams that are unpacked, and bytes of each.
const STREAMS: usize = 200;
const UNPACKED: u64 = 1 << 20;
/// Names of actions that run, send, start or fetch something.
const ACTIONS: [&str; 11] = [
    "JavaScript",
    "JS",
    "Launch",
    "SubmitForm",
    "ImportData",
    "GoToR",
    "GoToE",
    "RichMedia",
    "XFA",
    "Rendition",
    "Movie",
];

/// What `pdf` does by itself; `None` where nothing was found.
pub(super) fn action(pdf: &[u8]) -> Option<&'static str> {
    named(pdf).or_else(|| {
        let starts = memmem::find_iter(pdf, b"stream").take(STREAMS * 2);
        starts
            .filter_map(|at| inflated(pdf.get(at + 6..)?))
            .find_map(|objects| named(&objects))
    })
}

fn inflated(after: &[u8]) -> Option<Vec<u8>> {
    let content = after
        .strip_prefix(b"\r\n")
        .or_else(|| after.strip_prefix(b"\n"))?;
    if content.first()? & 0x0f != 8 {
        return None;
    }
    let mut objects = Vec::new();
    // What could be unpacked of a broken stream counts.
    let _ = flate2::read::ZlibDecoder::new(content)
        .take(UNPACKED)
        .read_to_end(&mut objects);
    Some(objects)
}

fn named(objects: &[u8]) -> Option<&'static str> {
    memchr::memchr_iter(b'/', objects).find_map(|at| {
        let name = name(objects.get(at + 1..)?);
        ACTIONS.into_iter().find(|action| action.as_bytes() == name)
    })
}

/// The name that begins here, `#xx` resolved (7.3.5).
fn name(bytes: &[u8]) -> Vec<u8> {
    let mut name = Vec::new();
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        if name.len() > 16 || byte.is_ascii_whitespace() || b"()<>[]{}/%\0".contains(byte) {
            break;
        }
        let escaped = after
            .get(..2)
            .filter(|_| *byte == b'#')
            .and_then(|two| std::str::from_utf8(two).ok());
        match escaped.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(meant) => {
                name.push(meant);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                name.push(*byte);
                rest = after;
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_found_however_they_are_written() {
        assert_eq!(
            action(b"%PDF-1.7 1 0 obj <</S/JavaScript/JS(app.alert(1))>>"),
            Some("JavaScript")
        );
        assert_eq!(action(b"%PDF-1.7 <</S /L#61unch>>"), Some("Launch"));
        assert_eq!(
            action(b"%PDF-1.7 <</OpenAction [3 0 R /Fit] /URI (http://x.example/)>>"),
            None
        );
    }
}
