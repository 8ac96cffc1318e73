//! What could be put in a flood's way.

use blackrod_model::Timestamp;
use blackrod_model::flood::{Filter, Rule};

use super::kinds::Kind;
use super::lasting::Usual;

/// What filters are for.
pub(super) struct Against {
    pub(super) kind: Kind,
    /// With its length: `192.0.2.7/32`.
    pub(super) victim: String,
    pub(super) is_v6: bool,
    /// The victim's port that gets at least half of it.
    pub(super) port: Option<u16>,
    /// The share of its packets that go there; 1 where the filter does not go by port.
    pub(super) reaches: f64,
}

/// Filters, the one to prefer first, replayed over what came to the victim in quieter minutes. What is only made less
/// counts as blocked: the figures are upper bounds.
pub(super) fn proposed(against: &Against, usual: &Usual, expires: Timestamp) -> Vec<Filter> {
    let (by, goes_by_port, rules) = rules(against);
    let rule = |(product, text): (&str, String)| Rule {
        product: product.to_owned(),
        text,
    };
    vec![
        Filter {
            by,
            rules: rules.into_iter().map(rule).collect(),
            expires,
            stops: if goes_by_port { against.reaches } else { 1.0 },
            replayed_requests: usual.packets,
            blocked_requests: usual.of_its_kind,
            ..Filter::default()
        },
        Filter {
            by: "giving the victim up, so that its neighbours stay up".to_owned(),
            rules: vec![rule(("RTBH", blackhole(against)))],
            expires,
            stops: 1.0,
            replayed_requests: usual.packets,
            blocked_requests: usual.packets,
            ..Filter::default()
        },
    ]
}

/// What a filter goes by, in words; whether by the victim's port; its text for each product.
fn rules(against: &Against) -> (String, bool, Vec<(&'static str, String)>) {
    let Against {
        kind,
        ref victim,
        is_v6,
        port,
        ..
    } = *against;
    let family = if is_v6 { "ip6" } else { "ip" };
    let protocol = match kind.protocol().as_ref() {
        "icmp" if is_v6 => "icmpv6".to_owned(),
        other => other.to_owned(),
    };
    let (nft, flowspec) = match (kind.reflected_from(), kind, port) {
        (Some(source), ..) => (
            format!("{family} daddr {victim} udp sport {source} drop"),
            format!("destination {victim}; protocol udp; source-port ={source};"),
        ),
        (_, Kind::SYN_ACK, _) => (
            format!(
                "{family} daddr {victim} tcp flags & (syn | ack) == syn | ack ct state != established drop"
            ),
            format!("destination {victim}; protocol tcp; tcp-flags [ syn+ack ];"),
        ),
        (_, Kind::SYN, Some(port)) => (
            format!(
                "{family} daddr {victim} tcp dport {port} tcp flags syn synproxy mss 1460 wscale 7 timestamp sack-perm"
            ),
            format!("destination {victim}; protocol tcp; destination-port ={port}; tcp-flags [ syn ];"),
        ),
        (_, Kind::FRAGMENT, _) => (
            format!(
                "{family} daddr {victim} {} drop",
                if is_v6 {
                    "exthdr frag exists"
                } else {
                    "ip frag-off & 0x1fff != 0"
                }
            ),
            format!("destination {victim}; protocol udp; fragment [ is-fragment ];"),
        ),
        (_, Kind::TCP | Kind::UDP, Some(port)) => (
            format!(
                "{family} daddr {victim} {protocol} dport {port} ct state invalid,new limit rate over 1000/second drop"
            ),
            format!("destination {victim}; protocol {protocol}; destination-port ={port};"),
        ),
        _ => (
            format!("{family} daddr {victim} meta l4proto {protocol} limit rate over 1000/second drop"),
            format!("destination {victim}; protocol {protocol};"),
        ),
    };
    let act = match kind {
        // Real clients send these packets too: fewer of them, not none.
        Kind::SYN | Kind::TCP | Kind::UDP | Kind::ICMP => "rate-limit 1000000",
        _ => "discard",
    };
    let by = match (kind.reflected_from(), kind, port) {
        (Some(source), ..) => format!("source port {source}"),
        (_, Kind::SYN_ACK, _) => "TCP flags SYN and ACK of no connection".to_owned(),
        (_, Kind::SYN, Some(port)) => {
            format!("SYN to port {port}: answered with cookies, made less upstream")
        }
        (_, Kind::FRAGMENT, _) => "fragments".to_owned(),
        (_, Kind::TCP | Kind::UDP, Some(port)) => format!("{protocol} to port {port}: made less"),
        _ => format!("{protocol}: made less"),
    };
    let goes_by_port = port.is_some() && matches!(kind, Kind::SYN | Kind::TCP | Kind::UDP);
    let rules = vec![
        ("nftables", format!("nft add rule inet filter input {nft}")),
        (
            "FlowSpec",
            format!("flow route {{ match {{ {flowspec} }} then {{ {act}; }} }}"),
        ),
    ];
    (by, goes_by_port, rules)
}

/// A route that drops all packets to the victim (RFC 7999).
fn blackhole(against: &Against) -> String {
    let next_hop = if against.is_v6 { "100::1" } else { "192.0.2.1" };
    format!(
        "route {} next-hop {next_hop} community [65535:666]",
        against.victim
    )
}

/// When filters should go: as long after the flood as it lasted, at least an hour, at most a day.
pub(super) fn expiry(start: i64, end: i64) -> Timestamp {
    const HOUR: i64 = 3_600_000_000;
    let lasted = end.saturating_sub(start).clamp(HOUR, 24 * HOUR);
    Timestamp::from_micros(end.saturating_add(lasted))
}
