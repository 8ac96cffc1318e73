//! What would tell the corpora apart without telling phishing from honest mail.

/// The address that stands for the recipient in the corpus of phishing, and what is put in its place: it is no address, so
/// it would look malformed wherever it stands.
const REDACTED: &[u8] = b"phishing@pot";
const RECIPIENT: &[u8] = b"anna.lind@mailbox.example";

/// Fields that the receiving side wrote; their kinds differ between 2002 and now.
const OF_RECEIVERS: [&str; 13] = [
    "received",
    "arc-",
    "authentication-results",
    "x-ms-",
    "x-microsoft-",
    "x-forefront-",
    "x-eop",
    "x-incoming",
    "x-sid-",
    "x-message-",
    "x-sender-ip",
    "x-spam",
    "x-originatororg",
];

/// A message without the recipient's redaction and the receivers' fields.
pub(crate) fn normalise(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut in_head = true;
    let mut dropped = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if in_head {
            let is_blank = line.iter().all(u8::is_ascii_whitespace);
            let is_folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
            in_head = !is_blank;
            dropped = in_head && if is_folded { dropped } else { is_of_receivers(line) };
            if dropped {
                continue;
            }
        }
        out.extend_from_slice(line);
    }
    replace(&out)
}

fn is_of_receivers(line: &[u8]) -> bool {
    let name: Vec<u8> = line.iter().take(40).map(u8::to_ascii_lowercase).collect();
    OF_RECEIVERS
        .iter()
        .any(|start| name.starts_with(start.as_bytes()))
}

fn replace(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(REDACTED.len()).position(|window| window == REDACTED) {
        let (before, behind) = rest.split_at(at);
        out.extend_from_slice(before);
        out.extend_from_slice(RECIPIENT);
        rest = behind.get(REDACTED.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_fields_go_and_bodies_stay() {
        let mail = b"Received: a\n b\nX-MS-Exchange-X: c\nTo: phishing@pot\n\nReceived: stays\n";
        let want: &[u8] = b"To: anna.lind@mailbox.example\n\nReceived: stays\n";
        assert_eq!(normalise(mail), want);
    }
}
