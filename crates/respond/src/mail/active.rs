//! Attachments that do something when they are opened.

use super::{office, pdf};

/// What becomes of an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Active {
    /// Text that a program would run or render: it becomes plain text.
    Text,
    /// A file that reaches out, and by what: it opens only after it was renamed.
    File(String),
}

/// Endings of files whose text is rendered or run.
const TEXT_ENDINGS: [&str; 40] = [
    "html",
    "htm",
    "shtml",
    "xhtml",
    "xht",
    "mht",
    "mhtml",
    "hta",
    "svg",
    "svgz",
    "xml",
    "xsl",
    "xslt",
    "js",
    "jse",
    "mjs",
    "vbs",
    "vbe",
    "wsf",
    "wsh",
    "wsc",
    "sct",
    "ps1",
    "bat",
    "cmd",
    "url",
    "website",
    "webloc",
    "desktop",
    "library-ms",
    "search-ms",
    "searchconnector-ms",
    "iqy",
    "slk",
    "rdp",
    "application",
    "appref-ms",
    "scf",
    "inf",
    "reg",
];
/// Endings of files that are run.
const FILE_ENDINGS: [&str; 12] = [
    "lnk",
    "chm",
    "exe",
    "scr",
    "com",
    "pif",
    "cpl",
    "msi",
    "jar",
    "jnlp",
    "hlp",
    "settingcontent-ms",
];
/// Media types whose text is rendered or run.
const TYPES: [&str; 14] = [
    "text/xml",
    "text/javascript",
    "text/ecmascript",
    "text/vbscript",
    "text/x-vbscript",
    "application/xml",
    "application/hta",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "image/svg+xml",
    "image/svg",
    "application/xslt+xml",
    "application/x-mswebsite",
];
/// Endings under which nothing opens by itself.
const INERT: [&str; 2] = ["txt", "blocked"];

/// Whether an attachment of this media type (lower case), name and content is active.
pub(super) fn judge(kind: &str, name: Option<&str>, content: &[u8]) -> Option<Active> {
    let ending = name.and_then(ending).unwrap_or_default();
    let is_inert =
        INERT.contains(&ending.as_str()) && matches!(kind, "text/plain" | "application/octet-stream");
    if is_inert {
        return None;
    }
    if FILE_ENDINGS.contains(&ending.as_str()) {
        return Some(Active::File(format!(".{ending}")));
    }
    if TEXT_ENDINGS.contains(&ending.as_str()) || TYPES.contains(&kind) || is_markup(kind) {
        return Some(Active::Text);
    }
    if memchr::memmem::find(content.get(..1024).unwrap_or(content), b"%PDF").is_some() {
        return pdf::action(content).map(|action| Active::File(format!("/{action}")));
    }
    if content.starts_with(b"PK\x03\x04") {
        return office::remote_part(content).map(Active::File);
    }
    if content.starts_with(b"{\\rt") {
        return office::rtf_word(content).map(Active::File);
    }
    let is_guessed = kind == "application/octet-stream" || ending.is_empty() && !kind.starts_with("text/");
    (is_guessed && !kind.starts_with("image/") && looks_like_markup(content)).then_some(Active::Text)
}

/// HTML by its media type.
pub(super) fn is_markup(kind: &str) -> bool {
    kind.contains("html")
}

/// HTML, SVG or XML by its first characters, as browsers guess (WHATWG MIME Sniffing 7.1).
pub(super) fn looks_like_markup(content: &[u8]) -> bool {
    const STARTS: [&[u8]; 14] = [
        b"<!doctype",
        b"<html",
        b"<head",
        b"<script",
        b"<iframe",
        b"<body",
        b"<svg",
        b"<?xml",
        b"<style",
        b"<title",
        b"<table",
        b"<div",
        b"<!--",
        b"<meta",
    ];
    let content = content
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(content)
        .trim_ascii_start();
    let start = content.get(..9).unwrap_or(content).to_ascii_lowercase();
    STARTS.iter().any(|one| start.starts_with(one))
}

fn ending(name: &str) -> Option<String> {
    // Windows drops dots and blanks at the end of a name.
    let name = name.trim_end_matches(|c: char| c == '.' || c.is_whitespace() || c.is_control());
    let (_, ending) = name.rsplit_once('.')?;
    Some(ending.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_types_and_content_tell() {
        assert_eq!(
            judge("application/octet-stream", Some("a.svg"), b""),
            Some(Active::Text)
        );
        assert_eq!(judge("image/svg+xml", None, b""), Some(Active::Text));
        assert_eq!(judge("text/plain", Some("a.html. "), b""), Some(Active::Text));
        assert_eq!(
            judge("application/octet-stream", None, b"\n<HTML>"),
            Some(Active::Text)
        );
        assert_eq!(
            judge("application/pdf", Some("a.pdf"), b"%PDF-1.4 /JS"),
            Some(Active::File("/JS".into()))
        );
        for (kind, name, content) in [
            ("text/plain", Some("a.svg.txt"), &b"<svg>"[..]),
            ("application/octet-stream", Some("a.pdf.blocked"), b"%PDF /JS"),
            ("application/pdf", Some("a.pdf"), b"%PDF-1.4"),
            ("image/png", Some("a.png"), b"<html>"),
            ("text/plain", None, b"<html>"),
        ] {
            assert_eq!(judge(kind, name, content), None, "{kind} {name:?}");
        }
    }
}
