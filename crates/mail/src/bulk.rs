//! Whether and how a message was sent in bulk: through which service, from whose account there.
//!
//! Bulk hygiene speaks for a sender but does not excuse it: the campaign of January 2021 came through a mass-mail service.

use blackrod_model::mail::{Facts, LinkRole, Message, Print, PrintKind, hash};

use super::circle::domain_of;
use super::lists::Service;
use super::{Anatomy, View, clip};

/// No more hosts and links are asked.
const LIMIT: usize = 40;

/// Fills [`Facts::bulk`].
pub(super) fn look(anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let message = view.message;
    facts.bulk.unsubscribe = message.header("list-unsubscribe").is_some();
    facts.bulk.list = message.header("list-id").map(list_id);
    let hosts = hosts(message, facts);
    let lists = &anatomy.circle().lists;
    let by_header = lists.services.iter().find(|service| has_header(service, message));
    let by_host = || {
        let first = hosts.iter().filter_map(|host| lists.service_of(host)).min()?;
        lists.services.get(first)
    };
    let Some(service) = by_header.or_else(by_host) else {
        return;
    };
    facts.bulk.service = Some(service.name.clone());
    facts.bulk.account = account(service, view, facts);
    print(facts, PrintKind::BulkService, &service.name);
    if let Some(account) = &facts.bulk.account {
        let value = format!("{}/{account}", service.name);
        print(facts, PrintKind::BulkAccount, &value);
    }
}

fn print(facts: &mut Facts, kind: PrintKind, value: &str) {
    facts.prints.push(Print {
        kind,
        value: hash(value),
    });
}

fn list_id(value: &str) -> String {
    let inner = value.rsplit_once('<').map_or(value, |(_, inner)| inner);
    clip(inner.trim().trim_end_matches('>'), 200).to_lowercase()
}

/// The hosts that took part in sending, and those of its links.
fn hosts(message: &Message<'_>, facts: &Facts) -> Vec<String> {
    let path = message.return_path.as_deref().and_then(domain_of);
    let id = message.message_id.as_deref().and_then(domain_of);
    let sent_from = [path, id, facts.origin.host.clone()].into_iter().flatten();
    let signers = facts.authentication.signers.iter().cloned();
    let links = facts
        .links
        .iter()
        .filter(|link| link.role != LinkRole::Form)
        .map(|link| link.host.clone());
    sent_from
        .chain(signers)
        .chain(links)
        .filter(|host| !host.is_empty())
        .take(LIMIT)
        .collect()
}

fn has_header(service: &Service, message: &Message<'_>) -> bool {
    service.headers.iter().any(|name| message.header(name).is_some())
}

fn account(service: &Service, view: &View<'_>, facts: &Facts) -> Option<String> {
    let message = view.message;
    let anchors = || {
        view.pages
            .iter()
            .flat_map(|page| page.anchors.iter().map(|anchor| anchor.url.as_str()))
    };
    let resources = || {
        view.pages
            .iter()
            .flat_map(|page| page.resources.iter().map(|resource| resource.url.as_str()))
    };
    service.account.iter().find_map(|place| {
        let texts: Vec<&str> = match place.place.as_str() {
            "return-path" => message.return_path.as_deref().into_iter().collect(),
            "message-id" => message.message_id.as_deref().into_iter().collect(),
            "link-host" => facts
                .links
                .iter()
                .take(LIMIT)
                .map(|link| link.host.as_str())
                .collect(),
            "link" => anchors().take(LIMIT).chain(resources().take(LIMIT)).collect(),
            header => message.headers_named(header).take(4).collect(),
        };
        texts.into_iter().find_map(|text| {
            let found = place.pattern.captures(clip(text.trim(), 2000))?.get(1)?;
            Some(clip(found.as_str(), 100).to_lowercase())
        })
    })
}
