//! Hosts that say something about a link, from `content/mail/links.toml`, and what links that lead on lead to.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use rustc_hash::FxHashSet;

use super::begins;
use super::url::Target;
use super::with_parents;

const TABLE: &str = include_str!("../../../content/mail/links.toml");
/// How many links are unwrapped, one within the other.
const UNWRAP_LIMIT: usize = 4;

pub(super) static LISTS: LazyLock<Lists> =
    // A test reads the table; what is built in cannot be broken by a user.
    LazyLock::new(|| toml::from_str(TABLE).unwrap_or_default());

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Lists {
    pub(super) wrappers: Hosts,
    pub(super) redirectors: Hosts,
    pub(super) shorteners: Hosts,
    pub(super) free_hosts: Hosts,
    pub(super) content_addressed: Hosts,
}

/// Host names; each counts for all below it.
#[derive(Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Hosts(FxHashSet<String>);

impl Hosts {
    pub(super) fn has(&self, host: &str) -> bool {
        with_parents(host).any(|name| self.0.contains(name))
    }
}

/// Where a link leads in the end, as far as the link itself tells.
pub(super) struct Way {
    /// The link without what a protecting service wrapped it in.
    pub(super) link: Target,
    /// Where that leads on to, and over which host, where it names another domain itself.
    pub(super) onward: Option<(Target, String)>,
}

pub(super) fn way(target: Target) -> Way {
    let mut link = target;
    for _ in 0..UNWRAP_LIMIT {
        if !LISTS.wrappers.has(&link.host) {
            break;
        }
        let Some(inner) = inner(&link) else { break };
        link = inner;
    }
    let mut onward: Option<(Target, String)> = None;
    for _ in 0..UNWRAP_LIMIT {
        let current = onward.as_ref().map_or(&link, |(target, _)| target);
        let Some(next) = inner(current).filter(|next| next.domain != current.domain) else {
            break;
        };
        let over = current.host.clone();
        onward = Some((next, over));
    }
    Way { link, onward }
}

/// The URL that a URL holds in its path, parameters or fragment: plain, in base64, or as Proofpoint writes it.
fn inner(target: &Target) -> Option<Target> {
    let url = &target.url;
    let of_proofpoint = url
        .path()
        .strip_prefix("/v3/__")
        .and_then(|rest| rest.split_once("__"));
    if let Some((inner, _)) = of_proofpoint {
        return Target::parse(&inner.replacen(":/", "://", 1).replace(":///", "://"));
    }
    let values = url
        .query()
        .into_iter()
        .chain(url.fragment())
        .flat_map(|text| text.split('&'))
        .map(|parameter| parameter.split_once('=').map_or(parameter, |(_, value)| value));
    for value in values.take(30) {
        if let Some(found) = embedded(value) {
            return Some(found);
        }
    }
    let path = percent_decode_str(url.path()).decode_utf8_lossy();
    let at = path.find("http")?;
    let rest = path.get(at..)?;
    let (scheme, after) = rest.split_once(":/")?;
    let is_scheme = matches!(scheme, "http" | "https");
    is_scheme.then(|| Target::parse(&format!("{scheme}://{}", after.trim_start_matches('/'))))?
}

fn embedded(value: &str) -> Option<Target> {
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    if starts_as_url(&decoded) {
        return Target::parse(&decoded);
    }
    if decoded.starts_with("https-3A__") || decoded.starts_with("http-3A__") {
        let escaped = decoded.replace('-', "%").replace('_', "/");
        return Target::parse(&percent_decode_str(&escaped).decode_utf8_lossy());
    }
    // "http" in base64, with whatever follows it.
    if !decoded.starts_with("aHR0c") {
        return None;
    }
    let text = decoded.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    starts_as_url(&text).then(|| Target::parse(&text))?
}

fn starts_as_url(text: &str) -> bool {
    ["http://", "https://", "//"]
        .iter()
        .any(|start| begins(text, start))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn leads(url: &str) -> (String, Option<String>) {
        let way = way(Target::parse(url).unwrap());
        (way.link.host, way.onward.map(|(target, _)| target.host))
    }

    #[test]
    fn the_table_can_be_read() {
        let lists: Lists = toml::from_str(TABLE).unwrap();
        assert!(lists.shorteners.has("bit.ly"));
        assert!(lists.free_hosts.has("a.b.web.app"));
        assert!(!lists.free_hosts.has("app"));
        assert!(!lists.shorteners.has("notbit.ly"));
    }

    #[test]
    fn links_are_unwrapped() {
        let cases = [
            (
                "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.example%2Fx&data=05",
                "a.example",
                None,
            ),
            (
                "https://urldefense.proofpoint.com/v2/url?u=https-3A__a.example_x&d=D",
                "a.example",
                None,
            ),
            (
                "https://urldefense.com/v3/__https://a.example/x__;!!abc",
                "a.example",
                None,
            ),
            (
                "https://www.google.com/url?q=https://b.example/&sa=D",
                "www.google.com",
                Some("b.example"),
            ),
            (
                "https://t.example/r/aHR0?x=aHR0cHM6Ly9iLmV4YW1wbGUv",
                "t.example",
                Some("b.example"),
            ),
            (
                "https://t.example/go/https://b.example/x",
                "t.example",
                Some("b.example"),
            ),
            (
                "https://t.example/go?next=https://www.t.example/x",
                "t.example",
                None,
            ),
            ("https://t.example/plain", "t.example", None),
        ];
        for (url, link, onward) in cases {
            assert_eq!(leads(url), (link.to_owned(), onward.map(str::to_owned)), "{url}");
        }
    }
}
