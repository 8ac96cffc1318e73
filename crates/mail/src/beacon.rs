//! What reports that a message was opened: all that a client may load by itself.

use blackrod_model::mail::{Facts, LinkRole, Part};

use super::page::Resource;
use super::url::Target;
use super::{Anatomy, View, links, signal_once};

const CALENDAR_LIMIT: usize = 1 << 20;
const CARD_URL_LIMIT: usize = 50;
const RECEIPTS: [&str; 3] = [
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "X-Confirm-Reading-To",
];

/// Adds beacons and their signals.
pub(super) fn look(_: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    for resource in view.pages.iter().flat_map(|page| &page.resources) {
        resource_of(view, facts, resource, resource.found_in);
    }
    for (name, page) in view.attached {
        for resource in &page.resources {
            let Some(target) = Target::parse(&resource.url) else {
                continue;
            };
            links::add(
                facts,
                &view.derivations,
                LinkRole::Beacon,
                &target,
                "attachment",
                resource.hidden,
            );
            signal_once(facts, "beacon/in-attachment", &format!("{name}: {}", target.host));
        }
    }
    lone(facts);
    for part in &view.message.parts {
        match part.content_type.as_ref() {
            "message/external-body" => external_body(view, facts, part),
            "text/calendar" | "text/vcard" | "text/x-vcard" | "text/directory" => card(view, facts, part),
            _ => {}
        }
    }
    let receipt = RECEIPTS
        .iter()
        .find_map(|name| Some((name, view.message.header(name)?)));
    if let Some((name, value)) = receipt {
        signal_once(facts, "beacon/receipt-requested", &format!("{name}: {value}"));
    }
    exfiltration(view, facts);
}

fn resource_of(view: &View<'_>, facts: &mut Facts, resource: &Resource, found_in: &'static str) {
    let Some(target) = Target::parse(&resource.url) else {
        return;
    };
    let derived = links::add(
        facts,
        &view.derivations,
        LinkRole::Beacon,
        &target,
        found_in,
        resource.hidden,
    );
    if resource.hidden {
        signal_once(facts, "beacon/hidden", &target.host);
    }
    if let Some(way) = derived {
        signal_once(
            facts,
            "beacon/names-recipient",
            &format!("{}: {way}", target.host),
        );
    }
    if target.url.scheme() == "file" {
        signal_once(facts, "beacon/file-share", &resource.url);
    }
    match found_in {
        "css url" | "css import" | "css font" | "link" => signal_once(facts, "beacon/style", &target.host),
        "iframe" | "object" | "embed" | "script" | "media" | "src" => {
            signal_once(facts, "beacon/active", &format!("{found_in}: {}", target.host));
        }
        "meta refresh" => signal_once(facts, "beacon/refresh", &target.host),
        _ => {}
    }
}

/// One remote thing, and it can be told apart: a message that is made to report its opening and for nothing else.
fn lone(facts: &mut Facts) {
    let mut beacons = facts.links.iter().filter(|link| link.role == LinkRole::Beacon);
    let (Some(only), None) = (beacons.next(), beacons.next()) else {
        return;
    };
    if !only.tokens.is_empty() {
        let template = only.template.clone();
        signal_once(facts, "beacon/lone", &template);
    }
}

/// `message/external-body` with `access-type=URL` (RFC 2017).
fn external_body(view: &View<'_>, facts: &mut Facts, part: &Part<'_>) {
    let declared = part.headers.iter().map(|header| header.value.as_ref());
    for url in declared.flat_map(|value| links::in_text(value, CARD_URL_LIMIT)) {
        if let Some(target) = Target::parse(url) {
            links::add(
                facts,
                &view.derivations,
                LinkRole::Beacon,
                &target,
                "external body",
                false,
            );
            signal_once(facts, "beacon/external-body", &target.host);
        }
    }
}

/// Calendars (RFC 5545) and cards (RFC 6350): pictures are loaded, the rest is clicked.
fn card(view: &View<'_>, facts: &mut Facts, part: &Part<'_>) {
    let Some(text) = part.text() else { return };
    let text = text
        .get(..text.floor_char_boundary(CALENDAR_LIMIT))
        .unwrap_or_default();
    let unfolded = text.replace("\r\n ", "").replace("\n ", "");
    let mut seen = 0;
    for line in unfolded.lines().filter(|line| line.contains("://")) {
        let property = line
            .split([':', ';'])
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        let is_loaded = matches!(property.as_str(), "PHOTO" | "LOGO" | "SOUND" | "IMAGE" | "KEY");
        let role = if is_loaded {
            LinkRole::Beacon
        } else {
            LinkRole::Click
        };
        for url in links::in_text(line, CARD_URL_LIMIT) {
            seen += 1;
            let Some(target) = Target::parse(url).filter(|_| seen <= CARD_URL_LIMIT) else {
                continue;
            };
            links::add(facts, &view.derivations, role, &target, "calendar or card", false);
            if is_loaded {
                signal_once(facts, "beacon/card", &format!("{property}: {}", target.host));
            }
        }
    }
}

/// An attribute that is never closed swallows what follows it; where that is an encrypted part, a client that joins
/// the parts after decryption sends the plain text to the attribute's host (EFAIL: Poddebniak et al., 2018).
fn exfiltration(view: &View<'_>, facts: &mut Facts) {
    let parts = &view.message.parts;
    let is_encrypted = |part: &Part<'_>| {
        matches!(
            part.content_type.as_ref(),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" | "application/pgp-encrypted"
        )
    };
    for (at, part) in parts
        .iter()
        .enumerate()
        .filter(|(_, part)| part.content_type == "text/html")
    {
        let Some(url) = part.text().and_then(unclosed) else {
            continue;
        };
        let code = match parts.iter().skip(at + 1).any(is_encrypted) {
            true => "beacon/swallows-encrypted",
            false => "beacon/unclosed",
        };
        signal_once(facts, code, url);
    }
}

/// The last tag of `html` where it ends within a URL in an attribute.
fn unclosed(html: &str) -> Option<&str> {
    let tail = html.get(html.rfind('<')?..)?;
    let (_, value) = tail.split_once("=\"").or_else(|| tail.split_once("='"))?;
    let is_open = !value.contains(['"', '\'', '>']) && value.contains("//");
    is_open.then_some(tail)
}
