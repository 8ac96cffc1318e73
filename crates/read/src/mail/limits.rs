//! Refusing to take apart what would cost more than it could be worth.
//!
//! The MIME parser is linear in the size of real mail. A message made for the purpose can make it search
//! the rest of the message again for every part or encoded word, or fill the memory with empty parts.
//! Before parsing, the work that each of these could cost is bounded from above.

use memchr::{memchr, memchr_iter, memchr2_iter, memmem};

/// Up to this size nothing that a message holds can take long.
const HARMLESS: usize = 16 * 1024;
/// Bytes that may be looked at a second time, per kind of repeated work: less than half a second.
const REPEATED: usize = 1 << 26;
/// Lines of one message. Each may start a part, at 200 bytes of memory.
const LINES: usize = 3_000_000;
/// Lines with a colon. Each may be a header field, at 150 bytes of memory.
const FIELDS: usize = 500_000;
/// Parameters of one content type, which the parser merges pair by pair.
const CONTINUATIONS: usize = 4_000;
/// Where only the header is read, a field that is longer than this is left out.
const FIELD_LENGTH: usize = 4 * 1024;
/// Where only the header is read, this much of it.
const HEADER_LENGTH: usize = 64 * 1024;

/// Whether `message` may be parsed as a whole.
///
/// # Errors
///
/// What it has too much of, in words for a person.
pub(super) fn check(message: &[u8]) -> Result<(), String> {
    if message.len() <= HARMLESS {
        return Ok(());
    }
    let lines = memchr_iter(b'\n', message).count();
    if lines > LINES {
        return Err(format!("it has {lines} lines, more than {LINES}"));
    }
    if lines > FIELDS {
        let fields = message
            .split(|&byte| byte == b'\n')
            .filter(|line| memchr(b':', line).is_some())
            .count();
        if fields > FIELDS {
            return Err(format!(
                "it has {fields} lines that may be header fields, more than {FIELDS}"
            ));
        }
    }
    if encoded_word_work(message) > REPEATED {
        return Err("it has too many unfinished encoded words in one field".to_owned());
    }
    if let Some(count) = continuations(message).filter(|count| *count > CONTINUATIONS) {
        return Err(format!(
            "a content type has {count} parameters, more than {CONTINUATIONS}"
        ));
    }
    if boundary_work(message) > REPEATED {
        return Err("it declares too many boundaries that do not occur in it".to_owned());
    }
    Ok(())
}

/// The header of a message that failed the [`check`], without its overlong fields; safe to parse.
pub(super) fn safe_header(message: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    let mut field = 0..0;
    let mut keep = |field: std::ops::Range<usize>| {
        let fits = field.len() <= FIELD_LENGTH && header.len() + field.len() <= HEADER_LENGTH;
        if let Some(bytes) = message.get(field).filter(|_| fits) {
            header.extend_from_slice(bytes);
        }
    };
    for newline in memchr_iter(b'\n', message).take(FIELDS) {
        let line = message.get(field.end..newline).unwrap_or_default();
        if line.trim_ascii().is_empty() {
            break;
        }
        if !matches!(line, [b' ' | b'\t', ..]) {
            keep(field.clone());
            field.start = field.end;
        }
        field.end = newline + 1;
    }
    keep(field);
    header.push(b'\n');
    header
}

/// How many bytes are read over again if every `=?` begins an encoded word (RFC 2047) that ends at the
/// next `?=` or at the end of its unfolded line.
fn encoded_word_work(message: &[u8]) -> usize {
    let (mut work, mut segment, mut begun) = (0_usize, 0, 0_usize);
    for position in memchr2_iter(b'?', b'\n', message) {
        let next = message.get(position + 1);
        let ends = match message.get(position) {
            Some(b'\n') => !matches!(next, Some(b' ' | b'\t')),
            _ => {
                let before = message.get(..position).unwrap_or_default();
                begun += usize::from(before.ends_with(b"="));
                let opens_data =
                    matches!(before, [.., b'?', kind] if matches!(kind, b'q' | b'Q' | b'b' | b'B'));
                next == Some(&b'=') && !opens_data
            }
        };
        if ends {
            work = work.saturating_add(begun.saturating_sub(1).saturating_mul(position - segment));
            (segment, begun) = (position, 0);
        }
    }
    work.saturating_add(begun.saturating_mul(message.len() - segment))
}

/// The most `*`s (RFC 2231 continuations) of any unfolded line that begins like `Content-`.
fn continuations(message: &[u8]) -> Option<usize> {
    if memchr_iter(b'*', message).count() <= CONTINUATIONS {
        return None;
    }
    let mut most = 0;
    let mut here = 0;
    for line in message.split(|&byte| byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            here = 0;
        }
        here += memchr_iter(b'*', line).count();
        most = most.max(here);
    }
    Some(most)
}

/// How many bytes are searched for boundaries, if every mention of a boundary is one.
fn boundary_work(message: &[u8]) -> usize {
    const NAME: &[u8] = b"boundary";
    let mentions = || {
        memchr2_iter(b'y', b'Y', message).filter_map(|last| {
            let end = last + 1;
            let word = message.get(end.checked_sub(NAME.len())?..end)?;
            word.eq_ignore_ascii_case(NAME).then_some(end)
        })
    };
    let at_most = mentions().count().saturating_mul(message.len());
    if at_most <= REPEATED {
        return longest_match_work(message, mentions());
    }
    let mut work = longest_match_work(message, mentions());
    for end in mentions() {
        let rest = message.get(end..).unwrap_or_default();
        work = work.saturating_add(match plain_value(rest) {
            Some(value) => memmem::find(rest, &[b"--", value].concat()).unwrap_or(rest.len()),
            None => rest.len(),
        });
        if work > REPEATED {
            break;
        }
    }
    work
}

/// How many bytes are compared if all hyphens in the message begin a long boundary. 64 bytes are compared
/// in about the time that the search takes for one.
fn longest_match_work(message: &[u8], mentions: impl Iterator<Item = usize>) -> usize {
    let longest = mentions
        .filter_map(|end| {
            let rest = message.get(end..)?;
            let line_end = |from: usize| memchr(b'\n', rest.get(from..)?).map(|found| from + found);
            let mut length = line_end(0).unwrap_or(rest.len());
            while matches!(rest.get(length + 1), Some(b' ' | b'\t')) && length < REPEATED {
                length = line_end(length + 1).unwrap_or(rest.len());
            }
            Some(length)
        })
        .take(10_000)
        .max()
        .unwrap_or_default();
    if longest < 1_024 {
        return 0;
    }
    memmem::find_iter(message, b"--")
        .count()
        .saturating_mul(2 * longest / 64)
}

/// The value of a parameter `=value` or `="value"` that holds nothing that would need decoding.
fn plain_value(rest: &[u8]) -> Option<&[u8]> {
    let assigned = rest.strip_prefix(b"=")?;
    let (value, ends): (&[u8], &[u8]) = match assigned.strip_prefix(b"\"") {
        Some(quoted) => (quoted, b"\""),
        None => (assigned, b"; \t\r\n"),
    };
    let length = value.iter().take(1_000).position(|byte| ends.contains(byte))?;
    let value = value.get(..length)?;
    (length > 0 && !value.iter().any(|byte| b"\\\r\n(".contains(byte))).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_large_mail_passes() {
        let mut mail = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n".to_vec();
        for _ in 0..50 {
            mail.extend_from_slice(b"--x\r\nContent-Type: multipart/related; boundary=y\r\n\r\n--y\r\n\r\n");
            mail.extend_from_slice(
                &b"TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcw==\r\n".repeat(2_000),
            );
            mail.extend_from_slice(b"--y--\r\n");
        }
        assert_eq!(check(&mail), Ok(()));
    }

    #[test]
    fn repeated_work_is_seen() {
        let words = [b"Subject: ".to_vec(), b"=?aa?q?x".repeat(100_000)].concat();
        assert!(check(&words).is_err());
        let straddled = [b"Subject: ".to_vec(), b"=?aa?q?=41x".repeat(100_000)].concat();
        assert!(encoded_word_work(&straddled) > 0);
        let boundaries = b"Content-Type: multipart/mixed; boundary=nowhere\n\n--x\n".repeat(20_000);
        assert!(check(&boundaries).is_err());
        let hyphens = [
            b"Content-Type: multipart/mixed; boundary=".to_vec(),
            b"-".repeat(1_000_000),
            b"\n\n".to_vec(),
            b"-".repeat(1_000_000),
        ]
        .concat();
        assert!(check(&hyphens).is_err());
        let parameters = [b"Content-Type: a/b".to_vec(), b"; a*0=b".repeat(20_000)].concat();
        assert!(check(&parameters).is_err());
        assert!(check(&b"a:\n".repeat(600_000)).is_err());
        assert!(check(&b"a\n".repeat(4_000_000)).is_err());
    }

    #[test]
    fn the_safe_header_is_the_header_without_long_fields() {
        let message = [
            b"A: 1\n 2\nLong: ".to_vec(),
            b"x".repeat(5_000),
            b"\n y\nB: 3\r\n\r\nC: 4\n".to_vec(),
        ];
        assert_eq!(safe_header(&message.concat()), b"A: 1\n 2\nB: 3\r\n\n");
        assert_eq!(safe_header(b""), b"\n");
        assert!(safe_header(&b"a:\n".repeat(600_000)).len() <= HEADER_LENGTH + 1);
    }
}
