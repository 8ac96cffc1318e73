//! A line cut into commands and words.

/// A word of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word<'t> {
    /// The word, outer quotes removed.
    pub(super) text: &'t str,
    /// How it came.
    pub(super) kind: Kind,
}

/// How a word came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As it is.
    Plain,
    /// Between quotes.
    Quoted,
    /// After `>` or `>>`.
    Output,
    /// Here a new command begins: after `&`, `|`, `;`, a line's end.
    Break,
}

/// Cuts `line` into words; at most `max` of them.
pub(super) fn words(line: &str, max: usize) -> Vec<Word<'_>> {
    let bytes = line.as_bytes();
    let mut found = Vec::with_capacity(16);
    let mut at = 0;
    let mut output = false;
    while at < bytes.len() && found.len() < max {
        match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' if !starts_value(bytes, at) => at += 1,
            b'&' | b'|' | b';' => {
                found.push(Word {
                    text: "",
                    kind: Kind::Break,
                });
                at += 1;
            }
            b'>' | b'<' => {
                output = bytes[at] == b'>';
                at += 1;
                // `2>&1`: the ampersand belongs to the redirection.
                if bytes.get(at) == Some(&b'&') {
                    at += 2;
                    output = false;
                }
            }
            quote @ (b'"' | b'\'') => {
                let end = closing(bytes, at, quote);
                if end == bytes.len() {
                    // A quote that nothing closes is an apostrophe or an accident.
                    at += 1;
                    continue;
                }
                let inner = &line[at + 1..end];
                let kind = if output { Kind::Output } else { Kind::Quoted };
                output = false;
                found.push(Word { text: inner, kind });
                at = (end + 1).min(bytes.len());
            }
            _ => {
                let end = plain_end(bytes, at);
                let text = &line[at..end];
                let is_handle = matches!(text, "1" | "2") && bytes.get(end) == Some(&b'>');
                if !is_handle {
                    let kind = if output { Kind::Output } else { Kind::Plain };
                    output = false;
                    found.push(Word { text, kind });
                }
                at = end.max(at + 1);
            }
        }
    }
    found
}

/// A comma within a word (`x.dll,Run`) is part of it.
fn starts_value(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b','
        && at > 0
        && !bytes[at - 1].is_ascii_whitespace()
        && bytes.get(at + 1).is_some_and(|next| !next.is_ascii_whitespace())
}

/// Where the quoted text that begins at `at` ends. A quote that is escaped, or that opens a quoted text within a
/// quoted text (after a blank, before a letter), does not end it.
fn closing(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        let escaped =
            bytes[end - 1] == b'\\' && end + 1 < bytes.len() && !bytes[end + 1].is_ascii_whitespace();
        if bytes[end] == quote && !escaped {
            return end;
        }
        end += 1;
    }
    bytes.len()
}

/// Where the unquoted word that begins at `at` ends; quotes within it (`/node:"a b"`) keep blanks together.
fn plain_end(bytes: &[u8], at: usize) -> usize {
    let mut quoted = false;
    let mut in_url = false;
    let mut end = at;
    while end < bytes.len() {
        match bytes[end] {
            b'"' => quoted = !quoted,
            b':' => in_url |= bytes[end..].starts_with(b"://"),
            b'&' if in_url => {}
            b' ' | b'\t' | b'\r' | b'\n' | b'&' | b'|' | b';' | b'>' | b'<' if !quoted => break,
            _ => {}
        }
        end += 1;
    }
    end
}

/// The file name of a path without `.exe`: `certutil` of `C:\Windows\System32\certutil.exe`.
pub(in crate::rarity) fn stem(path: &str) -> &str {
    let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
    name.strip_suffix(".exe")
        .or_else(|| name.strip_suffix(".com"))
        .unwrap_or(name)
}
