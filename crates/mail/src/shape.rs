//! How pictures, words and links stand to each other, and where the links lead.

use blackrod_model::mail::{Facts, PartRole};

use super::circle::{Circle, domain_of, same_organisation};
use super::lookalike::{Kin, Trick, registrable};
use super::sender::is_random;
use super::{Anatomy, View, begins, signal};

/// No more links of a message are looked at.
const LIMIT: usize = 60;
/// A text of so few words says nothing by itself.
const FEW_WORDS: usize = 40;

/// Looks at the message as a whole.
pub(super) fn look(anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let circle = anatomy.circle();
    let links = web_links(view);
    if links.is_empty() {
        return;
    }
    let hosts: Vec<String> = links.iter().filter_map(|link| host_of(link)).collect();
    targets(circle, &links, &hosts, facts);
    proportions(view, &links, facts);
    imitations(circle, &hosts, facts);
}

/// The web addresses that the pages and plain texts lead to, in order, each occurrence.
fn web_links<'v>(view: &'v View<'_>) -> Vec<&'v str> {
    let anchors = view
        .pages
        .iter()
        .flat_map(|page| page.anchors.iter().map(|anchor| anchor.url.trim()));
    let is_web = |url: &&str| begins(url, "http://") || begins(url, "https://");
    let mut links: Vec<&str> = anchors.filter(is_web).take(LIMIT).collect();
    if view.pages.is_empty() {
        let texts = view
            .message
            .parts
            .iter()
            .filter(|part| part.role == PartRole::Text && part.depth == 0);
        let words = texts
            .filter_map(|part| part.text())
            .flat_map(|text| super::clip(text, 64 * 1024).split([' ', '\n', '\t', '<', '>', '"']));
        links.extend(words.filter(is_web).take(LIMIT));
    }
    links
}

fn host_of(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.trim_end_matches('.').to_lowercase())
}

/// Where they lead: to one place only, and not to the sender's.
fn targets(circle: &Circle, links: &[&str], hosts: &[String], facts: &mut Facts) {
    let from = domain_of(&facts.from).unwrap_or_default();
    let is_service = |host: &String| circle.lists.service_of(host).is_some();
    let Some(first) = hosts.first() else { return };
    let is_one_domain = hosts.iter().all(|host| same_organisation(host, first));
    if is_one_domain && !same_organisation(first, &from) && !is_service(first) {
        signal(facts, "shape/all-elsewhere", &format!("{from} leads to {first}"));
    }
    let target = |link: &str| link.split(['?', '#']).next().unwrap_or(link).to_owned();
    let is_one_target = links
        .iter()
        .all(|link| target(link) == target(links.first().unwrap_or(link)));
    if links.len() > 2 && is_one_target {
        signal(facts, "shape/one-target", links.first().unwrap_or(&""));
    }
    let gibberish = hosts.iter().find(|host| {
        let own = registrable(host)
            .and_then(|own| own.split('.').next())
            .unwrap_or_default();
        is_random(own) && !same_organisation(host, &from)
    });
    if let Some(host) = gibberish {
        signal(facts, "shape/gibberish-link", host);
    }
}

/// How much text there is beside pictures and links.
fn proportions(view: &View<'_>, links: &[&str], facts: &mut Facts) {
    let words: usize = match view.pages.is_empty() {
        false => view
            .pages
            .iter()
            .map(|page| page.text.split_whitespace().take(1000).count())
            .sum(),
        true => return,
    };
    let pictures = view
        .pages
        .iter()
        .flat_map(|page| &page.resources)
        .filter(|resource| !resource.hidden && resource.found_in == "img")
        .count();
    if words < FEW_WORDS && pictures > 0 && links.len() <= 4 {
        signal(
            facts,
            "shape/picture-and-link",
            &format!("{words} words, {pictures} pictures"),
        );
    } else if words < FEW_WORDS && links.len() <= 2 {
        signal(facts, "shape/one-link-little-text", &format!("{words} words"));
    }
}

/// Links to domains made to be taken for others.
fn imitations(circle: &Circle, hosts: &[String], facts: &mut Facts) {
    let mut seen: Vec<&String> = Vec::new();
    for host in hosts {
        if seen.contains(&host) || seen.len() > 20 {
            continue;
        }
        seen.push(host);
        let Some(found) = circle
            .lookalikes
            .find(host)
            .filter(|found| found.trick != Trick::Suffix)
        else {
            continue;
        };
        let code = match found.kin {
            Kin::Own | Kin::Partner => "shape/link-imitates-own",
            Kin::Brand | Kin::Correspondent => "shape/link-imitates-brand",
        };
        return signal(
            facts,
            code,
            &format!("{host} for {} ({:?})", found.of, found.trick),
        );
    }
}
