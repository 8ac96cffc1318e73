//! Calendars (RFC 5545) and contact cards (RFC 6350) without what a client fetches for them.

use super::Log;

/// Properties whose address a client loads by itself. `URL`, `LOCATION` and `CONFERENCE` wait for a click.
const LOADING: [&str; 12] = [
    "ATTACH",
    "IMAGE",
    "KEY",
    "LOGO",
    "PHOTO",
    "REFRESH-INTERVAL",
    "SOUND",
    "SOURCE",
    "STYLED-DESCRIPTION",
    "X-ALT-DESC",
    "X-PUBLISHED-TTL",
    "X-WR-RELCALID",
];

/// `content` without the lines that load something; `None` where there are none.
pub(super) fn clean(content: &[u8], log: &mut Log) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(content.len());
    let mut is_dropped = false;
    let mut dropped = 0;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        // Folded lines belong to the one before them.
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            is_dropped = loads(line);
            if is_dropped {
                dropped += 1;
                log.removed("calendar or card", &String::from_utf8_lossy(line));
            }
        }
        if !is_dropped {
            out.extend_from_slice(line);
        }
    }
    (dropped > 0).then_some(out)
}

fn loads(line: &[u8]) -> bool {
    let end = line
        .iter()
        .position(|byte| matches!(byte, b':' | b';'))
        .unwrap_or(line.len());
    let name = String::from_utf8_lossy(line.get(..end).unwrap_or_default()).to_ascii_uppercase();
    let name = name.rsplit('.').next().unwrap_or_default().trim();
    if !LOADING.contains(&name) {
        return false;
    }
    let value = String::from_utf8_lossy(line.get(end..).unwrap_or_default()).to_ascii_lowercase();
    // Content that lies in the line itself is loaded from nowhere.
    let is_inside = value.contains("encoding=b") || value.trim_start_matches(':').starts_with("data:image/");
    !is_inside || value.contains("value=uri")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_properties_go_with_their_folds() {
        let calendar = b"BEGIN:VEVENT\r\nSUMMARY:Vote\r\nATTACH;FMTTYPE=text/html:http://t.example/\r\n  more\r\nURL:http://x.example/\r\nEND:VEVENT\r\n";
        let cleaned = clean(calendar, &mut Log::default());
        let expected = b"BEGIN:VEVENT\r\nSUMMARY:Vote\r\nURL:http://x.example/\r\nEND:VEVENT\r\n";
        assert_eq!(cleaned.as_deref(), Some(&expected[..]));
        assert_eq!(clean(expected, &mut Log::default()), None);
        assert_eq!(
            clean(b"item1.PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n", &mut Log::default()),
            None
        );
        assert!(
            clean(
                b"item1.photo;value=uri:https://t.example/p.png\n",
                &mut Log::default()
            )
            .is_some()
        );
    }
}
