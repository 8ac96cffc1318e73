//! The way a message took, as far as it can be believed.
//!
//! Each server writes its `Received:` field above those that were there, so only those above the first hop from outside
//! are the word of servers that the estate trusts; what lies below, anybody can have written (RFC 5321 7.6).

use std::net::IpAddr;

use blackrod_model::Timestamp;
use blackrod_model::mail::{Facts, Hop, Message};

use super::circle::{Circle, same_organisation};
use super::lookalike::registrable;
use super::{Anatomy, View, signal};

/// A clock may be wrong by so much, in microseconds.
const CLOCK_ERROR: i64 = 15 * 60 * 1_000_000;
/// A message does not take longer, in microseconds.
const LONG_WAY: i64 = 3 * 24 * 3600 * 1_000_000;

/// Fills where the message came from, and says what is odd about its way.
pub(super) fn look(anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let message = view.message;
    facts.origin.hops = u16::try_from(message.received.len()).unwrap_or(u16::MAX);
    let Some(hop) = boundary(anatomy.circle(), message).and_then(|at| message.received.get(at)) else {
        return clocks(message, facts);
    };
    let helo = hop.from.as_deref().map(host_name);
    let reverse = hop
        .reverse
        .as_deref()
        .map(host_name)
        .filter(|name| name.contains('.'));
    facts.origin.ip = hop.ip;
    facts.origin.host = reverse.clone().or(helo.clone()).filter(|name| !name.is_empty());
    greeting(anatomy.circle(), helo.as_deref(), reverse.as_deref(), facts);
    clocks(message, facts);
}

/// Which of `message.received` is the first one from outside, counted from the estate's own servers.
pub(super) fn boundary(circle: &Circle, message: &Message<'_>) -> Option<usize> {
    message
        .received
        .iter()
        .position(|hop| is_from_outside(circle, hop))
}

fn is_from_outside(circle: &Circle, hop: &Hop<'_>) -> bool {
    let Some(ip) = hop.ip.map(|ip| ip.to_canonical()) else {
        return false;
    };
    if is_private(ip) || circle.is_own_ip(ip) {
        return false;
    }
    let by = hop.by.as_deref().map(host_name).unwrap_or_default();
    let reverse = hop.reverse.as_deref().map(host_name);
    if reverse.is_some_and(|name| same_organisation(&name, &by) && registrable(&by).is_some()) {
        return false;
    }
    !circle
        .lists
        .mail_hosts
        .iter()
        .any(|host| host.prefixes.iter().any(|prefix| prefix.contains(ip)))
}

/// The greeting of the server outside.
fn greeting(circle: &Circle, helo: Option<&str>, reverse: Option<&str>, facts: &mut Facts) {
    let Some(helo) = helo else { return };
    let literal = helo.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if literal {
        signal(facts, "path/greeting-is-address", helo);
    } else if !helo.contains('.') {
        signal(facts, "path/greeting-is-no-host", helo);
    }
    if circle.is_own_host(helo) {
        signal(facts, "path/greeting-is-ours", helo);
    }
    let Some(reverse) = reverse else { return };
    if !literal && helo.contains('.') && !same_organisation(helo, reverse) {
        signal(facts, "path/greeting-is-other", &format!("{helo} is {reverse}"));
    }
    if looks_dynamic(reverse) {
        signal(facts, "path/dynamic-host", reverse);
    }
}

/// Time runs upwards through the fields.
fn clocks(message: &Message<'_>, facts: &mut Facts) {
    let times: Vec<i64> = message
        .received
        .iter()
        .filter_map(|hop| hop.time?.micros())
        .collect();
    let backwards = times
        .windows(2)
        .any(|pair| matches!(pair, [later, earlier] if *earlier > later.saturating_add(CLOCK_ERROR)));
    if backwards {
        signal(facts, "path/time-runs-backwards", "");
    }
    let (Some(arrived), Some(sent)) = (times.first(), message.date.and_then(Timestamp::micros)) else {
        return;
    };
    if sent > arrived.saturating_add(3_600_000_000) {
        signal(facts, "path/sent-after-arrival", "");
    } else if arrived.saturating_sub(LONG_WAY) > sent {
        signal(facts, "path/sent-long-before", "");
    }
}

/// The name of a host: lower case, without a final dot or a port.
fn host_name(text: &str) -> String {
    text.trim().trim_end_matches('.').to_lowercase()
}

/// Names that providers give to the addresses of their customers: most of the address is in them.
fn looks_dynamic(host: &str) -> bool {
    let numbers = host.split(['.', '-', '_']).filter(|piece| {
        let digits = piece.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let word = [
        "dyn",
        "dhcp",
        "pool",
        "dsl",
        "cable",
        "ppp",
        "dialup",
        "customer",
        "broadband",
    ];
    let has_word = host
        .split(['.', '-'])
        .any(|piece| word.iter().any(|word| piece.starts_with(word)));
    let count = numbers.count();
    count >= 4 || (count >= 2 && has_word)
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified()
        }
    }
}
