//! Marks on messages that are passed on.

/// `message` with `fields` put before its header, and `mark` before its subject where it is not there yet. The body and all other
/// fields stay byte by byte. Line ends in values are made blanks.
pub fn tag(message: &[u8], fields: &[(&str, &str)], mark: Option<&str>) -> Vec<u8> {
    let end: &[u8] = match memchr::memchr(b'\n', message) {
        Some(at) if at == 0 || message.get(at - 1) != Some(&b'\r') => b"\n",
        _ => b"\r\n",
    };
    let mut out = Vec::with_capacity(message.len() + 200);
    for (name, value) in fields {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.replace(['\r', '\n'], " ").as_bytes());
        out.extend_from_slice(end);
    }
    let subject = mark.and_then(|mark| marked_subject(message, mark));
    match subject {
        Some((at, mark)) => {
            out.extend_from_slice(message.get(..at).unwrap_or_default());
            out.extend_from_slice(mark.as_bytes());
            out.extend_from_slice(message.get(at..).unwrap_or_default());
        }
        None => out.extend_from_slice(message),
    }
    out
}

/// Where the mark goes, and the mark; none where it stands already or there is no subject.
fn marked_subject(message: &[u8], mark: &str) -> Option<(usize, String)> {
    let mark = mark.replace(['\r', '\n'], " ");
    let mut at = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii_end().is_empty() {
            return None;
        }
        let name = line.get(..8).unwrap_or_default();
        if name.eq_ignore_ascii_case(b"subject:") {
            let value = line.get(8..).unwrap_or_default();
            let blanks = value.iter().take_while(|byte| **byte == b' ').count();
            let is_marked = value
                .get(blanks..)
                .is_some_and(|text| text.starts_with(mark.trim_end().as_bytes()));
            let space = if blanks == 0 { " " } else { "" };
            return (!is_marked).then(|| (at + 8 + blanks, format!("{space}{} ", mark.trim_end())));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_put_once() {
        let message = b"From: a\nSubject: =?utf-8?Q?x?=\n\nSubject: body\n";
        let once = tag(message, &[("X-Blackrod", "defused\nx: y")], Some("[external]"));
        let expected =
            b"X-Blackrod: defused x: y\nFrom: a\nSubject: [external] =?utf-8?Q?x?=\n\nSubject: body\n";
        assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(expected));
        assert_eq!(tag(&once, &[], Some("[external]")), once);
    }
}
