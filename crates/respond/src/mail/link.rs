//! Links: where they lead, and without what tells the reader apart.

use url::Url;

use super::DefusePolicy;

/// Schemes that do nothing until somebody clicks, and then what a reader expects.
const SCHEMES: [&str; 11] = [
    "http", "https", "mailto", "tel", "sms", "cid", "mid", "ftp", "news", "xmpp", "geo",
];
/// Bytes of a destination that are shown.
const SHOWN: usize = 200;

/// What becomes of a link.
pub(super) enum Link {
    /// It stays; where it leads, if to the web.
    Kept(Option<Url>),
    /// It leads nowhere any more: runs code, opens files or reaches for a share.
    Dead(&'static str),
    /// It leads to `target` still.
    Changed {
        href: String,
        what: &'static str,
        target: Url,
    },
}

/// What becomes of `href` (references resolved) in a page with `base`.
pub(super) fn judge(href: &str, base: Option<&Url>, policy: &DefusePolicy) -> Link {
    let href: String = href
        .trim_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !"\t\r\n".contains(*c))
        .collect();
    if href.is_empty() || href.starts_with('#') {
        return Link::Kept(None);
    }
    let slashes = href
        .bytes()
        .take_while(|byte| matches!(byte, b'/' | b'\\'))
        .count();
    if slashes >= 2 && href.get(..slashes).is_some_and(|start| start.contains('\\')) {
        return Link::Dead("share");
    }
    let absolute = match scheme(&href) {
        Some(scheme) if !SCHEMES.contains(&scheme.as_str()) => return Link::Dead("link"),
        Some(scheme) if !scheme.starts_with("http") => return Link::Kept(None),
        Some(_) => Url::parse(&href),
        None if slashes >= 2 => Url::parse(&format!("https:{href}")),
        None => match base {
            Some(base) => base.join(&href),
            None => return Link::Kept(None),
        },
    };
    let Some(mut target) = absolute
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
    else {
        return Link::Kept(None);
    };
    if let Some(page) = policy.click_warning.as_deref().filter(|page| !page.is_empty()) {
        if href.starts_with(page) {
            return Link::Kept(None);
        }
        cut(&mut target, policy);
        let encoded =
            percent_encoding::utf8_percent_encode(target.as_str(), percent_encoding::NON_ALPHANUMERIC);
        return Link::Changed {
            href: format!("{page}{encoded}"),
            what: "link warned of",
            target,
        };
    }
    if cut(&mut target, policy) {
        return Link::Changed {
            href: target.to_string(),
            what: "token",
            target,
        };
    }
    if scheme(&href).is_none() {
        return Link::Changed {
            href: target.to_string(),
            what: "relative link",
            target,
        };
    }
    Link::Kept(Some(target))
}

/// Cuts the personal parts out of `url`; tells whether there were any that could be cut.
pub(super) fn cut(url: &mut Url, policy: &DefusePolicy) -> bool {
    let mut is_cut = false;
    for part in &policy.personal {
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        let is_below = host
            .strip_suffix(part.host.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        if part.host.is_empty() || !is_below {
            continue;
        }
        if part.place.starts_with("fragment") && url.fragment().is_some() {
            url.set_fragment(None);
            is_cut = true;
        } else if let Some(name) = part.place.strip_prefix("query") {
            is_cut |= cut_parameter(url, name.trim_start());
        }
    }
    is_cut
}

fn cut_parameter(url: &mut Url, name: &str) -> bool {
    let Some(query) = url.query() else {
        return false;
    };
    let is_named = |pair: &&str| {
        let key = pair.split_once('=').map_or(*pair, |(key, _)| key);
        percent_encoding::percent_decode_str(key)
            .decode_utf8_lossy()
            .eq_ignore_ascii_case(name)
            || (name.is_empty() && !pair.contains('='))
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_named(pair)).collect();
    if kept.len() == query.split('&').count() {
        return false;
    }
    let kept = kept.join("&");
    url.set_query((!kept.is_empty()).then_some(kept.as_str()));
    true
}

/// The tooltip of a link.
pub(super) fn title(target: &Url) -> String {
    let target = target.as_str();
    let shown = target.get(..SHOWN).unwrap_or(target);
    let dots = if shown.len() < target.len() { "..." } else { "" };
    format!("Leads to {shown}{dots}")
}

/// What is to be added to the text of a link that names another domain than `host`, which it leads to.
pub(super) fn note(text: &str, host: &str) -> Option<String> {
    let text: String = text
        .chars()
        .filter(|c| !c.is_control() && !"\u{ad}\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}".contains(*c))
        .collect();
    let note = format!(" [leads to {host}]");
    let named = text.trim();
    if named.ends_with(note.trim_start()) || named.contains(char::is_whitespace) || !named.contains('.') {
        return None;
    }
    let rest = named.split_once("://").map_or(named, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next()?;
    let named_host = rest.rsplit('@').next()?.split(':').next()?.to_ascii_lowercase();
    let has_known_suffix = psl::suffix(named_host.as_bytes()).is_some_and(|suffix| suffix.is_known());
    (has_known_suffix && domain(&named_host) != domain(host)).then_some(note)
}

fn domain(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

fn scheme(href: &str) -> Option<String> {
    let (scheme, _) = href.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::PersonalPart;
    use super::*;

    #[test]
    fn tokens_are_cut_where_the_link_works_without() {
        let part = |place: &str| PersonalPart {
            host: "news.example".into(),
            place: place.into(),
        };
        let policy = DefusePolicy {
            personal: vec![part("query u"), part("fragment"), part("path 1")],
            ..DefusePolicy::default()
        };
        let cut_of = |url: &str| {
            let mut url = Url::parse(url).unwrap();
            cut(&mut url, &policy);
            url.to_string()
        };
        assert_eq!(
            cut_of("https://a.news.example/x/y?u=4f&v=1#me"),
            "https://a.news.example/x/y?v=1"
        );
        assert_eq!(cut_of("https://news.example/?u=4f"), "https://news.example/");
        assert_eq!(
            cut_of("https://othernews.example/?u=4f"),
            "https://othernews.example/?u=4f"
        );
    }

    #[test]
    fn links_that_do_more_than_lead_are_dead() {
        let policy = DefusePolicy::default();
        for href in [
            "javascript:alert(1)",
            "java\nscript:x",
            " data:text/html,x",
            "file:///c:/",
            "\\\\host\\share",
            "/\\host/x",
            "ms-word:ofe|u|x",
            "search-ms:q",
        ] {
            assert!(matches!(judge(href, None, &policy), Link::Dead(_)), "{href}");
        }
        for href in ["mailto:a@b.example", "#top", "page.html", "tel:1", ""] {
            assert!(matches!(judge(href, None, &policy), Link::Kept(None)), "{href}");
        }
    }

    #[test]
    fn a_text_that_names_another_domain_is_contradicted_once() {
        assert_eq!(
            note("www.bank.com", "evil.example.net").as_deref(),
            Some(" [leads to evil.example.net]")
        );
        assert_eq!(
            note("www.bank.com [leads to evil.example.net]", "evil.example.net"),
            None
        );
        assert_eq!(note("https://www.bank.com/login", "login.bank.com"), None);
        assert_eq!(note("Read more...", "x.example.net"), None);
    }
}
