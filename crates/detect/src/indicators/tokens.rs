//! Finding things in text that could be indicators, without looking at most of the text.
//!
//! Dots, colons and every 32nd byte are enough to start from: no name or IPv4 address is without a
//! dot, no IPv6 address without a colon, and a run of 32 hexadecimal digits covers a byte whose
//! place is a multiple of 32. Every byte is visited a constant number of times, whatever the text.

use std::ops::Range;

const LABEL: u8 = 1;
const HEX: u8 = 2;
const LOCAL: u8 = 4;

/// Which bytes can stand in a DNS label, a hexadecimal number, the local part of a mail address.
/// Bytes beyond ASCII count as parts of labels: names may be written in Unicode.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        if b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b >= 0x80 {
            class[byte] |= LABEL;
        }
        if b.is_ascii_hexdigit() {
            class[byte] |= HEX;
        }
        if b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+') || b >= 0x80 {
            class[byte] |= LOCAL;
        }
        byte += 1;
    }
    class
};

#[inline]
fn is(byte: u8, class: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

/// Calls `visit` with the place of every run of labels joined by dots: names, IPv4 addresses, file
/// names, version numbers.
#[inline]
pub(crate) fn dotted(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    let mut floor = 0;
    while let Some(found) = text.get(floor..).and_then(|rest| memchr::memchr(b'.', rest)) {
        let dot = floor + found;
        let before = text[floor..dot]
            .iter()
            .rev()
            .take_while(|byte| is(**byte, LABEL))
            .count();
        let after = text[dot..]
            .iter()
            .take_while(|byte| is(**byte, LABEL) || **byte == b'.')
            .count();
        let end = dot + after;
        let start = without_escape(text, dot - before, end);
        let leading = text[start..end]
            .iter()
            .take_while(|byte| matches!(byte, b'.' | b'-' | b'_'))
            .count();
        let trailing = text[start + leading..end]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'.')
            .count();
        visit(start + leading..end - trailing);
        floor = end;
    }
}

/// Calls `visit` with the place of every run of hexadecimal digits that is as long as a digest and
/// stands alone.
#[inline]
pub(crate) fn digests(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    const SHORTEST: usize = 32;
    let mut floor = 0;
    let mut at = SHORTEST - 1;
    while let Some(byte) = text.get(at) {
        if !is(*byte, HEX) {
            at += SHORTEST;
            continue;
        }
        let before = text[floor..at]
            .iter()
            .rev()
            .take_while(|byte| is(**byte, HEX))
            .count();
        let after = text[at..].iter().take_while(|byte| is(**byte, HEX)).count();
        let run = at - before..at + after;
        let follows_word = run.start > 0 && text[run.start - 1].is_ascii_alphanumeric();
        let precedes_word = text.get(run.end).is_some_and(u8::is_ascii_alphanumeric);
        if matches!(run.len(), 32 | 40 | 64) && !follows_word && !precedes_word {
            visit(run.clone());
        }
        floor = run.end;
        at = run.end + SHORTEST;
    }
}

/// Calls `visit` with the place of everything that could be an IPv6 address.
#[inline]
pub(crate) fn colons(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    let mut floor = 0;
    while let Some(found) = text.get(floor..).and_then(|rest| memchr::memchr(b':', rest)) {
        let colon = floor + found;
        let before = text[floor..colon]
            .iter()
            .rev()
            .take_while(|byte| is(**byte, HEX))
            .count();
        let run = text[colon..]
            .iter()
            .take_while(|byte| is(**byte, HEX) || **byte == b':');
        let (mut length, mut colons, mut is_short, mut last) = (0, 0, false, 0);
        for byte in run {
            length += 1;
            colons += usize::from(*byte == b':');
            is_short |= *byte == b':' && last == b':';
            last = *byte;
        }
        let end = colon + length;
        if colons == 7 || (is_short && colons < 8) {
            visit(colon - before..end);
        }
        floor = end;
    }
}

/// Where the local part before the `@` at `at` begins; at most 64 bytes before it (RFC 5321 4.5.3).
pub(crate) fn local_part_start(text: &[u8], at: usize) -> usize {
    let length = text[..at]
        .iter()
        .rev()
        .take(65)
        .take_while(|byte| is(**byte, LOCAL))
        .count();
    let start = at - length;
    start + text[start..at].iter().take_while(|byte| **byte == b'.').count()
}

/// Where a URL whose host ends at `from` ends.
pub(crate) fn url_end(text: &[u8], from: usize) -> usize {
    const MAX_URL: usize = 8 * 1024;
    let ends = |byte: &u8| {
        *byte <= b' '
            || matches!(
                byte,
                b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'\\' | b'^' | 0x7f
            )
    };
    let rest = text.get(from..).unwrap_or_default();
    let length = rest.iter().take(MAX_URL).take_while(|byte| !ends(byte)).count();
    from + length
}

/// In `%2F%2Fevil.example` (percent-encoded, RFC 3986 2.1, perhaps twice: `%252F`) the name begins
/// after the escape.
fn without_escape(text: &[u8], start: usize, end: usize) -> usize {
    if start == 0 || text[start - 1] != b'%' {
        return start;
    }
    let mut begin = start;
    while text[begin..end].starts_with(b"25") && end - begin > 4 {
        begin += 2;
    }
    let is_escape = text[begin..end]
        .iter()
        .take(2)
        .filter(|byte| is(**byte, HEX))
        .count()
        == 2;
    if is_escape { begin + 2 } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, scan: impl Fn(&[u8], &mut dyn FnMut(Range<usize>))) -> Vec<String> {
        let mut found = Vec::new();
        scan(text.as_bytes(), &mut |range| {
            found.push(String::from_utf8_lossy(&text.as_bytes()[range]).into_owned());
        });
        found
    }

    fn names(text: &str) -> Vec<String> {
        all(text, |text, visit| dotted(text, visit))
    }

    #[test]
    fn names_stand_between_whatever_is_no_label() {
        for (text, expected) in [
            (
                "curl http://a.evil.example/x.txt",
                vec!["a.evil.example", "x.txt"],
            ),
            (r"C:\Windows\cmd.exe", vec!["cmd.exe"]),
            ("Go to evil.example.", vec!["evil.example"]),
            ("x=1.2.3.4;y", vec!["1.2.3.4"]),
            ("u=https%3A%2F%2Fevil.example%2Fx", vec!["evil.example"]),
            ("u=https%253A%252F%252Fevil.example", vec!["evil.example"]),
            ("..evil.example..", vec!["evil.example"]),
            ("no dots here", vec![]),
            ("naïve.example", vec!["naïve.example"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn digests_stand_alone_and_have_the_right_length() {
        let md5 = "0123456789abcdef0123456789ABCDEF";
        let sha1 = "0123456789abcdef0123456789abcdef01234567";
        let found = |text: &str| all(text, |text, visit| digests(text, visit));
        for pad in 0..70 {
            let text = format!("{} {md5},{sha1}", "-".repeat(pad));
            assert_eq!(found(&text), [md5, sha1], "{pad}");
        }
        assert_eq!(found(&format!("x{md5}")), Vec::<String>::new());
        assert_eq!(found(&format!("{md5}0")), Vec::<String>::new());
        assert_eq!(
            found("{01234567-89ab-cdef-0123-456789abcdef}"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn addresses_with_colons() {
        let found = |text: &str| all(text, |text, visit| colons(text, visit));
        assert_eq!(found("from [2001:db8::1]:443"), ["2001:db8::1"]);
        assert_eq!(found("2001:db8:0:0:0:0:0:1"), ["2001:db8:0:0:0:0:0:1"]);
        assert_eq!(
            found("12:30:45 C:\\x http://y 00:11:22:33:44:55"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn hostile_text_is_passed_over_in_linear_time() {
        let long = "a".repeat(4 << 20);
        let started = std::time::Instant::now();
        let mut count = 0;
        for text in [
            long.clone(),
            ".".repeat(4 << 20),
            "a.".repeat(2 << 20),
            ":".repeat(4 << 20),
        ] {
            dotted(text.as_bytes(), |_| count += 1);
            digests(text.as_bytes(), |_| count += 1);
            colons(text.as_bytes(), |_| count += 1);
        }
        assert!(count < 10);
        assert!(started.elapsed().as_secs() < 20);
    }
}
