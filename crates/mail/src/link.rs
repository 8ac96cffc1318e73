//! Where links lead, and what is odd about it; forms and scripts.

use blackrod_model::mail::{Facts, LinkRole, PartRole};
use rustc_hash::FxHashSet;

use super::hosts::{LISTS, way};
use super::page::{Anchor, Page};
use super::url::{Target, registrable};
use super::{Anatomy, View, begins, links, signal_once};

const TEXT_URL_LIMIT: usize = 200;
const TEXT_LIMIT: usize = 1 << 20;
/// Labels of a host above its registrable domain, from which it is deep.
const DEEP: usize = 4;
/// Different domains that a message leads to, from which they are many.
const MANY: usize = 12;
/// Hidden characters from which hidden text is told.
const HIDDEN_TEXT: usize = 40;

/// Adds links, forms and their signals.
pub(super) fn look(_: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    for anchor in view.pages.iter().flat_map(|page| &page.anchors) {
        clicked(view, facts, anchor, "a");
    }
    for (_, page) in view.attached {
        for anchor in &page.anchors {
            clicked(view, facts, anchor, "attachment");
        }
    }
    let texts = view
        .message
        .parts
        .iter()
        .filter(|part| part.role == PartRole::Text && part.depth == 0);
    for text in texts.filter_map(|part| part.text()) {
        let text = text
            .get(..text.floor_char_boundary(TEXT_LIMIT))
            .unwrap_or_default();
        for url in links::in_text(text, TEXT_URL_LIMIT) {
            let anchor = Anchor {
                url: url.to_owned(),
                ..Anchor::default()
            };
            clicked(view, facts, &anchor, "text");
        }
    }
    for url in view
        .message
        .headers_named("List-Unsubscribe")
        .flat_map(|value| links::in_text(value, 5))
    {
        if let Some(target) = Target::parse(url) {
            links::add(
                facts,
                &view.derivations,
                LinkRole::Unsubscribe,
                &target,
                "header",
                false,
            );
        }
    }
    for page in view.pages {
        forms(view, facts, page, "form", "");
        scripts(facts, page, "");
        disguise(facts, page);
    }
    for (name, page) in view.attached {
        forms(view, facts, page, "attachment", name);
        scripts(facts, page, name);
    }
    many(facts);
}

fn clicked(view: &View<'_>, facts: &mut Facts, anchor: &Anchor, found_in: &'static str) {
    let Some(target) = Target::parse(&anchor.url) else {
        return without_host(facts, &anchor.url);
    };
    let way = way(target);
    let link = &way.link;
    let derived = links::add(
        facts,
        &view.derivations,
        LinkRole::Click,
        link,
        found_in,
        anchor.hidden,
    );
    if let Some(how) = derived {
        signal_once(facts, "link/names-recipient", &format!("{}: {how}", link.host));
    }
    host(facts, link);
    let last = way.onward.as_ref().map_or(link, |(target, _)| target);
    if let Some((target, over)) = &way.onward {
        let code = match LISTS.redirectors.has(over) {
            true => "link/redirector",
            false => "link/leads-on",
        };
        signal_once(facts, code, &format!("{over} leads on to {}", target.host));
        host(facts, target);
    }
    if let Some(shown) = shown_domain(&anchor.text) {
        let from = facts
            .from
            .rsplit_once('@')
            .map_or("", |(_, domain)| registrable(domain));
        let is_told = shown != last.domain && shown != link.domain;
        // A sender that counts clicks leads over its own host: that is told apart.
        let code = match link.domain == from {
            true => "link/shows-other-domain-tracked",
            false => "link/shows-other-domain",
        };
        if is_told {
            signal_once(facts, code, &format!("shows {shown}, leads to {}", last.host));
        }
    }
}

fn without_host(facts: &mut Facts, url: &str) {
    let start: String = url
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .take(30)
        .collect();
    let scheme = start.split(':').next().unwrap_or_default().to_ascii_lowercase();
    match scheme.as_str() {
        "javascript" | "vbscript" => signal_once(facts, "link/script", url),
        "data" => signal_once(facts, "link/data", &start),
        _ => {}
    }
}

fn host(facts: &mut Facts, target: &Target) {
    let host = target.host.as_str();
    let url = &target.url;
    let seen = url.as_str();
    if target.is_address() {
        signal_once(facts, "link/address-host", seen);
    }
    if !url.username().is_empty() {
        signal_once(facts, "link/user-information", seen);
    }
    if url.port().is_some_and(|port| !matches!(port, 80 | 443)) {
        signal_once(facts, "link/odd-port", seen);
    }
    if url.scheme() == "file" {
        signal_once(facts, "link/file-share", seen);
    }
    if LISTS.shorteners.has(host) {
        signal_once(facts, "link/shortener", host);
    }
    if LISTS.free_hosts.has(host) {
        signal_once(facts, "link/free-host", host);
    }
    if LISTS.content_addressed.has(host) || url.path().starts_with("/ipfs/") {
        signal_once(facts, "link/content-addressed", host);
    }
    if host.split('.').any(|label| label.starts_with("xn--")) {
        let (shown, _) = idna::domain_to_unicode(host);
        let code = match mixes_scripts(&shown) {
            true => "link/mixed-scripts",
            false => "link/international-host",
        };
        signal_once(facts, code, &shown);
    }
    let own: Vec<&str> = host
        .strip_suffix(&target.domain)
        .unwrap_or_default()
        .split_terminator('.')
        .collect();
    if own.len() >= DEEP {
        signal_once(facts, "link/deep-host", host);
    }
    let within = own
        .windows(2)
        .find(|pair| matches!(pair[1], "com" | "org" | "net" | "gov" | "edu" | "int"));
    if let Some(pair) = within.filter(|pair| pair[0].len() > 2 && pair[0] != "www") {
        signal_once(
            facts,
            "link/domain-within-host",
            &format!("{}.{} in {host}", pair[0], pair[1]),
        );
    }
}

/// Latin letters together with look-alikes from Cyrillic or Greek in one label.
fn mixes_scripts(host: &str) -> bool {
    host.split('.').any(|label| {
        let latin = label.chars().any(|c| c.is_ascii_alphabetic());
        latin
            && label
                .chars()
                .any(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{13a0}'..='\u{13ff}'))
    })
}

/// The registrable domain that the text of a link names, where it is nothing but a domain or URL.
fn shown_domain(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches(['.', '/', ',']);
    let has_scheme = begins(text, "http");
    if text.len() > 300 || text.contains(char::is_whitespace) || !text.contains('.') || text.contains('@') {
        return None;
    }
    let target = match has_scheme {
        true => Target::parse(text)?,
        false => Target::parse(&format!("http://{text}"))?,
    };
    // `report.zip` and `Readme.md` are no domains to a reader.
    let is_file = !has_scheme && !text.contains('/') && target.host.split('.').count() == 2 && {
        let suffix = target.host.rsplit('.').next().unwrap_or_default();
        matches!(
            suffix,
            "zip" | "mov" | "md" | "sh" | "py" | "pl" | "rs" | "ps" | "app" | "doc" | "ai"
        )
    };
    let is_known = psl::domain(target.host.as_bytes()).is_some_and(|domain| domain.suffix().is_known());
    ((has_scheme || is_known) && !is_file).then_some(target.domain)
}

fn forms(view: &View<'_>, facts: &mut Facts, page: &Page, found_in: &'static str, name: &str) {
    for form in &page.forms {
        let target = Target::parse(&form.action);
        if let Some(target) = &target {
            links::add(facts, &view.derivations, LinkRole::Form, target, found_in, false);
        }
        let to = target.as_ref().map_or("a script", |target| target.host.as_str());
        let seen = format!("{name} asks for {} and sends it to {to}", form.fields.join(", "));
        if form.asks_password {
            signal_once(facts, "page/asks-password", seen.trim_start());
        } else if !form.fields.is_empty() {
            signal_once(facts, "page/form", seen.trim_start());
        }
    }
}

fn scripts(facts: &mut Facts, page: &Page, name: &str) {
    let has = |words: &[&str]| {
        page.scripts.iter().any(|script| {
            words
                .iter()
                .any(|word| memchr::memmem::find(script.as_bytes(), word.as_bytes()).is_some())
        })
    };
    if page.scripts.is_empty() {
        return;
    }
    let decodes = has(&[
        "atob(",
        "atob ",
        "unescape(",
        "fromCharCode",
        "decodeURIComponent(",
        "charCodeAt",
        "TextDecoder",
    ]);
    let saves = has(&[
        "new Blob",
        "createObjectURL",
        "msSaveOrOpenBlob",
        "msSaveBlob",
        "new File(",
    ]);
    let shows = has(&[
        "document.write",
        "eval(",
        "innerHTML",
        "location",
        "new Function",
        "srcdoc",
    ]);
    let code = match (decodes, saves, shows) {
        (true, true, _) => "page/smuggles",
        (true, _, true) => "page/unpacks",
        _ if name.is_empty() => "page/script",
        _ => "page/script-attached",
    };
    let first = page
        .scripts
        .first()
        .map(|script| script.trim())
        .unwrap_or_default();
    let first = first.get(..first.floor_char_boundary(120)).unwrap_or_default();
    signal_once(facts, code, format!("{name} {first}").trim_start());
}

fn disguise(facts: &mut Facts, page: &Page) {
    if page.hidden_characters >= HIDDEN_TEXT && page.hidden_characters > page.text.len() / 4 {
        let seen = format!(
            "{} characters hidden, {} shown",
            page.hidden_characters,
            page.text.len()
        );
        signal_once(facts, "page/hidden-text", &seen);
    }
    if page.zero_width >= 3 {
        let seen = format!("{} characters without width inside words", page.zero_width);
        signal_once(facts, "page/broken-words", &seen);
    }
    if page.cut {
        signal_once(facts, "page/cut", "more than is looked at");
    }
}

fn many(facts: &mut Facts) {
    let domains: FxHashSet<&str> = facts
        .links
        .iter()
        .filter(|link| link.role == LinkRole::Click)
        .map(|link| link.domain.as_str())
        .collect();
    if domains.len() >= MANY {
        let seen = format!("{} different domains", domains.len());
        signal_once(facts, "link/many-domains", &seen);
    }
}
