//! Links in plain text.

use url::Url;

use super::{DefusePolicy, Log, link};

/// `text` with the personal parts of its links cut; `None` where there are none.
pub(super) fn cut_links(text: &[u8], policy: &DefusePolicy, log: &mut Log) -> Option<Vec<u8>> {
    if policy.personal.is_empty() {
        return None;
    }
    let mut out = Vec::new();
    let mut copied = 0;
    for start in memchr::memmem::find_iter(text, b"http") {
        let rest = text.get(start..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || b"<>\"".contains(byte))
            .unwrap_or(rest.len());
        let Some(written) = rest.get(..end).and_then(|url| std::str::from_utf8(url).ok()) else {
            continue;
        };
        let Some(mut url) = Url::parse(written)
            .ok()
            .filter(|_| start >= copied && written.contains("://"))
        else {
            continue;
        };
        if link::cut(&mut url, policy) {
            log.removed("token", written);
            out.extend_from_slice(text.get(copied..start).unwrap_or_default());
            out.extend_from_slice(url.as_str().as_bytes());
            copied = start + end;
        }
    }
    (copied > 0).then(|| {
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
        out
    })
}
