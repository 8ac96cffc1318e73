//! What could be put in a flood's way.

use blackrod_model::Timestamp;

use super::kinds::Kind;

/// The filters for a flood of `kind` against `victim` (with its length, `192.0.2.7/32`), each with the words that say
/// what it does; `ports` are the victim's that get most of it.
pub(super) fn proposed(
    kind: Kind,
    victim: &str,
    is_v6: bool,
    port: Option<u16>,
) -> Vec<(&'static str, String)> {
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
    // The last resort: it keeps the victim's neighbours up by giving up the victim.
    let rtbh = format!(
        "route {victim} next-hop {} community [65535:666]",
        if is_v6 { "100::1" } else { "192.0.2.1" }
    );
    let act = match kind {
        // Real clients send these packets too: fewer of them, not none.
        Kind::SYN | Kind::TCP | Kind::UDP | Kind::ICMP => "rate-limit 1000000",
        _ => "discard",
    };
    vec![
        ("filter nftables", format!("nft add rule inet filter input {nft}")),
        (
            "filter FlowSpec",
            format!("flow route {{ match {{ {flowspec} }} then {{ {act}; }} }}"),
        ),
        ("filter RTBH (gives the victim up)", rtbh),
    ]
}

/// When filters should go: as long after the flood as it lasted, at least an hour, at most a day.
pub(super) fn expiry(start: i64, end: i64) -> Timestamp {
    const HOUR: i64 = 3_600_000_000;
    let lasted = end.saturating_sub(start).clamp(HOUR, 24 * HOUR);
    Timestamp::from_micros(end.saturating_add(lasted))
}
