//! What the receiving servers said about a message's origin: RFC 8601 `Authentication-Results:`, RFC 8617's copy of it,
//! RFC 7208's `Received-SPF:`.
//!
//! Only what a trusted server wrote counts. Such fields stand above the `Received:` field of the first hop from outside,
//! or right below it under the name of the server that wrote it, which removes others' fields of its name (RFC 8601 5).
//! What none of them says is worked out again where the records of the DNS are at hand ([`dns`](super::dns)).

use blackrod_model::mail::{AuthResult, Authentication, Facts, Message};

use super::circle::{Circle, domain_of, same_organisation};
use super::dns::{Client, Records, Stated};
use super::path::boundary;
use super::{Anatomy, View, signal};

/// No more results of one field are read.
const RESULT_LIMIT: usize = 64;
/// No more fields are read.
const FIELD_LIMIT: usize = 32;

/// Fills what is known about the origin.
pub(super) fn look(anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let circle = anatomy.circle();
    let mut found = authenticate(circle, view.message, &facts.from);
    if let Some(records) = &anatomy.dns {
        check_again(records, circle, view.message, facts, &mut found);
    }
    judge(circle, &found, facts);
    facts.authentication = found;
}

fn authenticate(circle: &Circle, message: &Message<'_>, from: &str) -> Authentication {
    let mut found = Authentication::default();
    let from_domain = domain_of(from).unwrap_or_default();
    for field in trusted_fields(circle, message) {
        for stated in results(&strip_comments(field)) {
            take(&mut found, &stated, &from_domain);
        }
    }
    if found.spf == AuthResult::Unknown {
        found.spf = received_spf(circle, message);
        let path = message.return_path.as_deref().and_then(domain_of);
        found.aligned |= found.spf == AuthResult::Pass
            && path.is_some_and(|domain| same_organisation(&domain, &from_domain));
    }
    if found.dkim == AuthResult::Unknown {
        found.signers = signers(message);
    }
    found
}

/// Fills what no trusted server said by what records of the DNS say.
fn check_again(
    records: &Records,
    circle: &Circle,
    message: &Message<'_>,
    facts: &Facts,
    found: &mut Authentication,
) {
    let hop = boundary(circle, message).and_then(|at| message.received.get(at));
    let client = Client {
        ip: facts.origin.ip,
        helo: hop.and_then(|hop| hop.from.as_deref()).unwrap_or_default(),
        arrived: facts.time,
    };
    let is_said = |method: &str| match method {
        "spf" => found.spf != AuthResult::Unknown,
        "dkim" => found.dkim != AuthResult::Unknown,
        "dmarc" => found.dmarc != AuthResult::Unknown,
        _ => found.arc != AuthResult::Unknown,
    };
    let mut news = records.check(message, &client);
    news.retain(|stated| stated.result != AuthResult::Unknown && !is_said(stated.method));
    if news.iter().any(|stated| stated.method == "dkim") {
        // These were named by the message alone.
        found.signers.clear();
    }
    let from_domain = domain_of(&facts.from).unwrap_or_default();
    for stated in &news {
        take(found, stated, &from_domain);
    }
}

fn take(found: &mut Authentication, stated: &Stated<'_>, from_domain: &str) {
    let passed = stated.result == AuthResult::Pass;
    let in_line = passed
        && stated
            .domain
            .as_deref()
            .is_some_and(|domain| same_organisation(domain, from_domain));
    match stated.method {
        "spf" if found.spf == AuthResult::Unknown => {
            found.spf = stated.result;
            found.aligned |= in_line;
        }
        "dkim" => {
            if found.dkim != AuthResult::Pass {
                found.dkim = stated.result;
            }
            found.aligned |= in_line;
            if let Some(domain) = stated
                .domain
                .clone()
                .filter(|domain| passed && !found.signers.contains(domain))
            {
                found.signers.push(domain);
            }
        }
        "dmarc" if found.dmarc == AuthResult::Unknown => {
            found.dmarc = stated.result;
            found.aligned |= passed;
        }
        "arc" if found.arc == AuthResult::Unknown => found.arc = stated.result,
        _ => {}
    }
}

/// The fields that the estate's own servers, or those of its provider, wrote.
fn trusted_fields<'m>(circle: &'m Circle, message: &'m Message<'m>) -> impl Iterator<Item = &'m str> {
    let outermost = boundary(circle, message);
    let place_of = |hop: usize| {
        let mut places = message
            .headers
            .iter()
            .enumerate()
            .filter(|(_, header)| header.name.eq_ignore_ascii_case("received"));
        places.nth(hop).map(|(place, _)| place)
    };
    let above = outermost.and_then(place_of);
    let end = outermost.and_then(|at| place_of(at + 1)).unwrap_or(usize::MAX);
    let by = outermost
        .and_then(|at| message.received.get(at))
        .or(message.received.first())
        .and_then(|hop| hop.by.as_deref());
    message
        .headers
        .iter()
        .enumerate()
        .filter(|(_, header)| is_results_field(&header.name))
        .take(FIELD_LIMIT)
        .take_while(move |(place, _)| *place < end)
        .filter(move |(place, header)| {
            let id = server_id(&header.value);
            let is_above = above.is_none_or(|above| *place < above);
            let is_ours = id.is_some_and(|id| circle.is_own_host(&id.to_lowercase()));
            let is_receivers = match (id, by) {
                (Some(id), Some(by)) => same_organisation(&id.to_lowercase(), &by.to_lowercase()),
                (None, Some(by)) => {
                    is_above
                        && circle
                            .lists
                            .mail_hosts
                            .iter()
                            .any(|host| Circle::is_one_of(&by.to_lowercase(), &host.domains))
                }
                _ => false,
            };
            is_ours
                || is_receivers
                || (is_above && above.is_some() && !circle.names_servers() && id.is_none())
        })
        .map(|(_, header)| header.value.as_ref())
}

fn is_results_field(name: &str) -> bool {
    [
        "authentication-results",
        "arc-authentication-results",
        "x-ms-exchange-authentication-results",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

/// The authserv-id (RFC 8601 2.5); none in Exchange Online's fields, which begin with a result.
fn server_id(value: &str) -> Option<&str> {
    let mut pieces = value.split(';').map(str::trim);
    let mut first = pieces.next()?;
    if first.starts_with("i=") {
        first = pieces.next()?;
    }
    let id = first.split_whitespace().next()?;
    (!id.contains('=')).then_some(id)
}

/// RFC 5322 3.2.2: comments, nested; a backslash quotes.
fn strip_comments(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut depth = 0usize;
    let mut escaped = false;
    for character in value.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    plain
}

fn results(plain: &str) -> Vec<Stated<'_>> {
    plain.split(';').take(RESULT_LIMIT).filter_map(stated).collect()
}

/// `dkim=pass header.d=example.org header.s=x`.
fn stated(piece: &str) -> Option<Stated<'_>> {
    let mut words = piece.split_whitespace();
    let (method, result) = words.next()?.split_once('=')?;
    let method = method.split('/').next()?;
    let known = ["spf", "dkim", "dmarc", "arc"]
        .into_iter()
        .find(|known| method.eq_ignore_ascii_case(known))?;
    let property = |names: &[&str]| {
        words.clone().find_map(|word| {
            let (name, value) = word.split_once('=')?;
            let is_it = names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted));
            let host = value.trim_matches('"').trim_start_matches('@');
            is_it.then(|| {
                host.rsplit('@')
                    .next()
                    .unwrap_or(host)
                    .trim_end_matches('.')
                    .to_lowercase()
            })
        })
    };
    let domain = match known {
        "spf" => property(&["smtp.mailfrom", "smtp.helo", "envelope-from"]),
        "dkim" => property(&["header.d", "header.i"]),
        _ => property(&["header.from"]),
    };
    Some(Stated {
        method: known,
        result: result_named(result),
        domain: domain.filter(|domain| !domain.is_empty()),
    })
}

fn result_named(word: &str) -> AuthResult {
    match word.to_ascii_lowercase().as_str() {
        "pass" | "bestguesspass" => AuthResult::Pass,
        "fail" | "hardfail" | "policy" => AuthResult::Fail,
        "softfail" => AuthResult::SoftFail,
        "neutral" => AuthResult::Neutral,
        "temperror" => AuthResult::TempError,
        "permerror" => AuthResult::PermError,
        "none" => AuthResult::None,
        _ => AuthResult::Unknown,
    }
}

/// The first `Received-SPF:` above the first hop from outside, or right below it.
fn received_spf(circle: &Circle, message: &Message<'_>) -> AuthResult {
    let Some(at) = boundary(circle, message) else {
        return AuthResult::Unknown;
    };
    let mut hops = 0;
    for header in &message.headers {
        if header.name.eq_ignore_ascii_case("received") {
            hops += 1;
        }
        if hops > at + 1 {
            break;
        }
        if header.name.eq_ignore_ascii_case("received-spf") {
            return result_named(header.value.split_whitespace().next().unwrap_or_default());
        }
    }
    AuthResult::Unknown
}

/// The domains of the signatures that are there.
fn signers(message: &Message<'_>) -> Vec<String> {
    let mut domains: Vec<String> = Vec::new();
    for value in message.headers_named("dkim-signature").take(8) {
        let tag = value
            .split(';')
            .map(str::trim)
            .find_map(|tag| tag.strip_prefix("d="));
        let domain = tag.map(|domain| domain.trim().to_lowercase()).unwrap_or_default();
        if !domain.is_empty() && !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    domains
}

fn judge(circle: &Circle, found: &Authentication, facts: &mut Facts) {
    let from_domain = domain_of(&facts.from).unwrap_or_default();
    let seen = format!(
        "{from_domain}: SPF {:?}, DKIM {:?}, DMARC {:?}",
        found.spf, found.dkim, found.dmarc
    );
    if circle.is_own_domain(&from_domain) && facts.origin.ip.is_some() && !found.aligned {
        signal(facts, "auth/own-domain-from-outside", &seen);
    }
    match found.dmarc {
        AuthResult::Fail => signal(facts, "auth/dmarc-fails", &seen),
        _ if found.aligned => {}
        _ if found.spf == AuthResult::Fail && found.dkim != AuthResult::Pass => {
            signal(facts, "auth/spf-fails", &seen)
        }
        _ if found.spf == AuthResult::Pass || found.dkim == AuthResult::Pass => {
            signal(facts, "auth/passes-for-another", &seen)
        }
        _ if found.spf == AuthResult::SoftFail => signal(facts, "auth/spf-soft-fails", &seen),
        _ => {}
    }
    if found.dkim == AuthResult::Fail {
        signal(facts, "auth/dkim-fails", &seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_taken_apart() {
        let plain = strip_comments(
            "mx.assembly.example 1; spf=pass (sender IP is 192.0.2.1 (really\\)) ) smtp.mailfrom=bounce@news.example; \
             dkim=pass header.i=@mail.news.example; dkim=fail header.d=x.example; dmarc=fail action=none header.from=evil.example",
        );
        let found = results(&plain);
        assert_eq!(found.len(), 4);
        assert_eq!(found[0].domain.as_deref(), Some("news.example"));
        assert_eq!((found[1].method, found[1].result), ("dkim", AuthResult::Pass));
        assert_eq!(found[1].domain.as_deref(), Some("mail.news.example"));
        assert_eq!((found[3].method, found[3].result), ("dmarc", AuthResult::Fail));
    }

    #[test]
    fn the_server_id_may_be_missing() {
        assert_eq!(server_id("mx.example; spf=pass"), Some("mx.example"));
        assert_eq!(server_id("i=2; mx.example 1; spf=pass"), Some("mx.example"));
        assert_eq!(server_id("spf=pass (x) smtp.mailfrom=a.example; dkim=none"), None);
        assert_eq!(server_id(""), None);
    }
}
