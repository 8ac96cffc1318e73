//! HTML and SVG as attachments: a page that opens in the browser, outside of what mail clients forbid.

use super::{File, Notes, sniff};

/// Characters that are looked at.
const MAX_TEXT: usize = 4 << 20;
/// Characters of Base64 or hexadecimal in a row that can only be a file.
const LONG_LITERAL: usize = 2_000;

/// Words by which a script makes a file of its own text and hands it to the reader.
const MAKES_FILE: &[&str] = &[
    "new blob(",
    "createobjecturl",
    "mssaveoropenblob",
    "mssaveblob",
    ".download",
    "new file(",
    "data:application/",
    "setattribute(\"download",
    "setattribute('download",
];
/// Words by which a script turns letters into bytes.
const DECODES: &[&str] = &[
    "atob(",
    "fromcharcode",
    "unescape(",
    "decodeuricomponent(",
    "uint8array",
    "parseint(",
    "textdecoder",
    "charcodeat",
];
/// Words by which a script runs or writes what it decoded.
const RUNS: &[&str] = &[
    "eval(",
    "document.write(",
    "new function(",
    "settimeout(",
    ".innerhtml",
    "insertadjacenthtml",
    "document.open(",
    ".srcdoc",
];
/// Words by which a page goes elsewhere without a click.
const LEAVES: &[&str] = &[
    "window.location",
    "location.href",
    "location.replace(",
    "location.assign(",
    "http-equiv=\"refresh\"",
    "http-equiv='refresh'",
    "http-equiv=refresh",
    "top.location",
];
/// Words by which a script sends what was typed.
const SENDS: &[&str] = &[
    "xmlhttprequest",
    "fetch(",
    "$.ajax",
    "$.post",
    "sendbeacon(",
    "api.telegram.org/bot",
];

/// Looks at an attached page or drawing.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    let Some(text) = sniff::text_of(file.bytes, MAX_TEXT) else {
        return;
    };
    let lower = text.to_ascii_lowercase();
    let any = |words: &[&'static str]| words.iter().copied().find(|word| lower.contains(word));
    let is_drawing = file.kind == "svg";
    notes.signal(
        if is_drawing {
            "content/svg"
        } else {
            "content/html-attachment"
        },
        file.name,
    );
    let has_script = lower.contains("<script") || lower.contains("javascript:") || has_handler(&lower);
    let literal = longest_literal(&lower);
    let smuggles = any(MAKES_FILE).is_some() && (any(DECODES).is_some() || literal >= LONG_LITERAL);
    let hides = any(RUNS).is_some() && any(DECODES).is_some() && literal >= LONG_LITERAL;
    if has_script && (smuggles || hides) {
        let words: Vec<&str> = [any(MAKES_FILE), any(DECODES), any(RUNS)]
            .into_iter()
            .flatten()
            .collect();
        notes.signal(
            "content/html-smuggling",
            &format!("{}: {}, {literal} characters of data", file.name, words.join(" ")),
        );
    }
    if is_drawing && (has_script || lower.contains("<foreignobject")) {
        notes.signal("content/svg-script", file.name);
    }
    if let Some(word) = any(LEAVES) {
        notes.signal("content/html-redirect", &format!("{}: {word}", file.name));
    }
    if lower.contains("type=\"password\"")
        || lower.contains("type='password'")
        || lower.contains("type=password")
    {
        notes.signal("content/html-password-form", file.name);
        if let Some(word) = any(SENDS) {
            notes.signal("content/html-sends", &format!("{}: {word}", file.name));
        }
    }
}

/// Whether an element has an event handler: `onload=` and its like.
fn has_handler(lower: &str) -> bool {
    [
        "onload=",
        "onerror=",
        "onclick=",
        "onmouseover=",
        "onbegin=",
        "onfocus=",
        "ontoggle=",
    ]
    .iter()
    .any(|handler| lower.contains(handler))
}

/// The length of the longest run of letters and digits that hold no word.
fn longest_literal(text: &str) -> usize {
    let is_data =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'%' | b'\\');
    text.as_bytes()
        .split(|byte| !is_data(byte))
        .map(<[u8]>::len)
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_longer_than_words() {
        assert_eq!(longest_literal("var a = 'QUJD';"), 4);
        assert_eq!(longest_literal(&"A".repeat(3_000)), 3_000);
    }
}
