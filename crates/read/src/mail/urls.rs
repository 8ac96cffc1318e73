//! URLs in bodies.

use std::borrow::Cow;
use std::collections::HashSet;

/// How many different URLs of one message are listed.
pub(super) const URL_LIMIT: usize = 500;
/// A longer URL is cut off.
const LENGTH_LIMIT: usize = 4_096;

/// The URLs of a message, each once, in the order in which they stand.
#[derive(Default)]
pub(super) struct Urls<'t> {
    list: Vec<Cow<'t, str>>,
    seen: HashSet<Cow<'t, str>>,
}

impl<'t> Urls<'t> {
    /// Adds every `scheme://…` of `text` with a scheme that a mail client follows or loads. In `html` they
    /// end at the quote that encloses them and have `&amp;` undone; that covers attributes, style sheets
    /// and shown text alike. URLs that are relative or otherwise disguised are the detectors' business.
    pub(super) fn add(&mut self, text: &'t str, html: bool) {
        let bytes = text.as_bytes();
        let mut searched = 0;
        while self.list.len() < URL_LIMIT {
            let rest = bytes.get(searched..).unwrap_or_default();
            let Some(found) = memchr::memmem::find(rest, b"://") else {
                return;
            };
            let colon = searched + found;
            searched = colon + 3;
            let Some(start) = scheme_start(bytes.get(..colon).unwrap_or_default()) else {
                continue;
            };
            let quote = start.checked_sub(1).and_then(|before| bytes.get(before)).copied();
            let end = end_of(bytes, searched, quote.filter(|byte| matches!(byte, b'"' | b'\'')));
            let Some(url) = text.get(start..end).filter(|_| end > searched) else {
                continue;
            };
            searched = end;
            let url = if html && url.contains("&amp;") {
                Cow::Owned(url.replace("&amp;", "&"))
            } else {
                Cow::Borrowed(url)
            };
            if self.seen.insert(url.clone()) {
                self.list.push(url);
            }
        }
    }

    pub(super) fn into_list(self) -> Vec<Cow<'t, str>> {
        self.list
    }
}

/// The host of `url` in lower case, without user information and port (RFC 3986 3.2).
pub(super) fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|literal| literal.split_once(']')) {
        Some((literal, _)) => literal,
        None => host.split(':').next()?,
    };
    let host = host.trim_end_matches('.');
    (!host.is_empty()).then(|| host.to_lowercase())
}

fn scheme_start(before: &[u8]) -> Option<usize> {
    const SCHEMES: [&[u8]; 5] = [b"https", b"http", b"ftp", b"wss", b"file"];
    SCHEMES.iter().find_map(|scheme| {
        let start = before.len().checked_sub(scheme.len())?;
        before.get(start..)?.eq_ignore_ascii_case(scheme).then_some(start)
    })
}

/// Where the URL ends whose authority begins at `from`.
fn end_of(bytes: &[u8], from: usize, quote: Option<u8>) -> usize {
    let limit = bytes.len().min(from + LENGTH_LIMIT);
    let window = bytes.get(from..limit).unwrap_or_default();
    let ends = |byte: &u8| match quote {
        Some(quote) => *byte == quote || byte.is_ascii_control() || matches!(byte, b'<' | b'>'),
        None => byte.is_ascii_control() || matches!(byte, b' ' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\'),
    };
    let mut end = from + window.iter().position(ends).unwrap_or(window.len());
    if quote.is_none() {
        // What closes a sentence or a parenthesis around it is not the URL's.
        while end > from
            && matches!(
                bytes.get(end - 1),
                Some(b'.' | b',' | b';' | b':' | b'!' | b')' | b']')
            )
        {
            end -= 1;
        }
    }
    while end > from && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(text: &str, html: bool) -> Vec<String> {
        let mut urls = Urls::default();
        urls.add(text, html);
        urls.into_list().into_iter().map(Cow::into_owned).collect()
    }

    #[test]
    fn urls_end_where_a_reader_would_end_them() {
        assert_eq!(
            urls(
                "See http://a.example/x?y=1. (https://b.example/) and <HTTP://c.example>, http://a.example/x?y=1",
                false
            ),
            ["http://a.example/x?y=1", "https://b.example/", "HTTP://c.example"]
        );
        assert_eq!(
            urls(
                r#"<img src="https://t.example/p?a=1&amp;b=2"><a href='http://u.example/a b'>x</a><p style="background:url(https://v.example/w.png)">"#,
                true
            ),
            [
                "https://t.example/p?a=1&b=2",
                "http://u.example/a b",
                "https://v.example/w.png"
            ]
        );
        assert_eq!(urls("http:// https://", false), [""; 0]);
    }

    #[test]
    fn many_and_long_urls_are_bounded() {
        let many: String = (0..2_000).map(|n| format!("http://h{n}.example/ ")).collect();
        assert_eq!(urls(&many, false).len(), URL_LIMIT);
        let long = format!("http://h.example/{}", "ä".repeat(10_000));
        assert!(urls(&long, true).iter().all(|url| url.len() <= LENGTH_LIMIT + 10));
    }

    #[test]
    fn hosts_are_without_disguise() {
        assert_eq!(
            host("https://www.bank.example@Evil.example:8080/x").as_deref(),
            Some("evil.example")
        );
        assert_eq!(host("http://[2001:db8::1]:80/").as_deref(), Some("2001:db8::1"));
        assert_eq!(host("http://a.example.?q=@b").as_deref(), Some("a.example"));
        assert_eq!(host("http:///x"), None);
    }
}
