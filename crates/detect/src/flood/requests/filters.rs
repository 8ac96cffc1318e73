//! What would keep a flood out, as configuration of products.

use std::fmt::Write as _;
use std::net::IpAddr;

use blackrod_model::Timestamp;
use blackrod_model::flood::Rule;

use super::chunk::Dim;
use super::shape::expression;

/// Hours after the last request of a flood until its filters expire.
pub(super) const HOURS: i64 = 24;

/// What a proxy in front of a service can go by, the plainest first. How a request ends cannot be known when it begins.
pub(super) const KNOWN_IN_TIME: [Dim; 12] = [
    Dim::PATH,
    Dim::ARGUMENTS,
    Dim::AGENT,
    Dim::CLIENT,
    Dim::NETWORK,
    Dim::TLS,
    Dim::REFERRER,
    Dim::VERSION,
    Dim::METHOD,
    Dim::PATH_SHAPE,
    Dim::ARGUMENTS_SHAPE,
    Dim::AGENT_FAMILY,
];

/// A condition: what is compared, and the text of the value.
pub(super) type Condition<'t> = (Dim, &'t str);

/// Rules that go by what requests have in common.
pub(super) fn by_traits(name: &str, conditions: &[Condition<'_>], expires: Timestamp) -> Vec<Rule> {
    let mut rules = vec![haproxy(name, conditions, expires)];
    if conditions.iter().all(|(dim, _)| *dim != Dim::TLS) {
        rules.insert(0, nginx(name, conditions, expires));
    }
    let networks: Vec<&str> = conditions
        .iter()
        .filter(|(dim, _)| matches!(*dim, Dim::CLIENT | Dim::NETWORK))
        .map(|(_, text)| *text)
        .collect();
    if let ([network], 1) = (networks.as_slice(), conditions.len()) {
        rules.push(nftables(name, std::iter::once((*network).to_owned()), expires));
    }
    rules
}

/// Rules that go by address.
pub(super) fn by_source(name: &str, sources: &[IpAddr], expires: Timestamp) -> Vec<Rule> {
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = sources.iter().partition(|address| address.is_ipv4());
    [v4, v6]
        .into_iter()
        .filter(|addresses| !addresses.is_empty())
        .map(|addresses| nftables(name, addresses.iter().map(IpAddr::to_string), expires))
        .collect()
}

fn nginx(name: &str, conditions: &[Condition<'_>], expires: Timestamp) -> Rule {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# blackrod {name}: goes out of force by itself, {expires} (the server's clock is in UTC)"
    );
    let _ = writeln!(
        out,
        "map $time_iso8601 ${name}_on {{ default 0; \"~{}\" 1; }}",
        hours(expires)
    );
    let mut key = format!("${{{name}_on}}");
    for (index, (dim, text)) in conditions.iter().enumerate() {
        let variable = match *dim {
            Dim::PATH | Dim::PATH_SHAPE => "$uri",
            Dim::ARGUMENTS | Dim::ARGUMENTS_SHAPE => "$args",
            Dim::AGENT | Dim::AGENT_FAMILY => "$http_user_agent",
            Dim::REFERRER => "$http_referer",
            Dim::METHOD => "$request_method",
            Dim::VERSION => "$server_protocol",
            _ => "$remote_addr",
        };
        let matched = match (*dim, *text) {
            (Dim::REFERRER | Dim::AGENT | Dim::AGENT_FAMILY, "none" | "-" | "") => {
                "\"\" 1; \"-\" 1;".to_owned()
            }
            (Dim::REFERRER, host) => format!("\"~{}\" 1;", referrer(host)),
            (Dim::AGENT | Dim::AGENT_FAMILY, text) => format!("\"~{}\" 1;", cut_open(text)),
            (Dim::NETWORK, text) => format!("\"~{}\" 1;", network(text)),
            (_, text) => format!("\"~{}\" 1;", expression(text)),
        };
        let _ = writeln!(out, "map {variable} ${name}_{index} {{ default 0; {matched} }}");
        let _ = write!(key, "${{{name}_{index}}}");
    }
    let all = "1".repeat(conditions.len() + 1);
    let _ = writeln!(out, "map \"{key}\" ${name} {{ default 0; \"{all}\" 1; }}");
    let _ = writeln!(out, "# in the server block:");
    let _ = writeln!(out, "if (${name}) {{ return 429; }}");
    Rule {
        product: "nginx".to_owned(),
        text: out,
    }
}

fn haproxy(name: &str, conditions: &[Condition<'_>], expires: Timestamp) -> Rule {
    let mut out = String::new();
    let until = expires.seconds().unwrap_or_default();
    let _ = writeln!(out, "# blackrod {name}: goes out of force by itself, {expires}");
    let _ = writeln!(out, "acl {name} date lt {until}");
    let mut names = vec![name.to_owned()];
    for (index, (dim, text)) in conditions.iter().enumerate() {
        let own = format!("{name}_{index}");
        let header = match *dim {
            Dim::AGENT | Dim::AGENT_FAMILY => Some("User-Agent"),
            Dim::REFERRER => Some("Referer"),
            _ => None,
        };
        if let (Some(header), "none" | "-" | "") = (header, *text) {
            let _ = writeln!(out, "acl {own} req.hdr({header}) -m found");
            names.push(format!("!{own}"));
            continue;
        }
        // In single quotes HAProxy changes nothing.
        let full = expression(text);
        let condition = match *dim {
            Dim::PATH | Dim::PATH_SHAPE => format!("path -m reg '{full}'"),
            Dim::ARGUMENTS | Dim::ARGUMENTS_SHAPE => format!("query -m reg '{full}'"),
            Dim::AGENT | Dim::AGENT_FAMILY => format!("req.hdr(User-Agent) -m reg '{}'", cut_open(text)),
            Dim::REFERRER => format!("req.hdr(Referer) -m reg '{}'", referrer(text)),
            Dim::METHOD => format!("method -m reg '{full}'"),
            Dim::VERSION => format!(
                "req.ver -m reg '{}'",
                expression(text.trim_start_matches("HTTP/"))
            ),
            Dim::TLS => format!("var(txn.ja3) -m reg '{full}'"),
            _ => format!("src {text}"),
        };
        let _ = writeln!(out, "acl {own} {condition}");
        names.push(own);
    }
    let _ = writeln!(out, "http-request deny deny_status 429 if {}", names.join(" "));
    Rule {
        product: "HAProxy".to_owned(),
        text: out,
    }
}

/// An expression for the addresses of a network.
fn network(text: &str) -> String {
    match text.strip_suffix(".0/24") {
        Some(start) => format!("^{}\\.[0-9]+$", start.replace('.', "\\.")),
        None => format!("^{}:", text.trim_end_matches("/48").trim_end_matches(':')),
    }
}

/// A referrer is known by its host.
fn referrer(host: &str) -> String {
    format!(
        "^https?://{}(/.*)?$",
        expression(host).trim_start_matches('^').trim_end_matches('$')
    )
}

/// An agent may go on after what was kept of it.
fn cut_open(agent: &str) -> String {
    let full = expression(agent);
    match agent.len() >= 150 {
        true => format!("{}.*$", full.trim_end_matches('$')),
        false => full,
    }
}

fn nftables(name: &str, addresses: impl Iterator<Item = String>, expires: Timestamp) -> Rule {
    let elements: Vec<String> = addresses.collect();
    let is_v6 = elements.iter().any(|address| address.contains(':'));
    let (family, kind) = if is_v6 {
        ("ip6", "ipv6_addr")
    } else {
        ("ip", "ipv4_addr")
    };
    let set = if is_v6 {
        format!("{name}_6")
    } else {
        name.to_owned()
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# blackrod {name}: {} addresses, each for {HOURS} hours from when this is loaded; not after {expires}",
        elements.len()
    );
    let _ = writeln!(out, "table inet blackrod {{");
    let _ = writeln!(
        out,
        "  set {set} {{ type {kind}; flags timeout, interval; timeout {HOURS}h; elements = {{ {} }} }}",
        elements.join(", ")
    );
    let _ = writeln!(
        out,
        "  chain {set} {{ type filter hook input priority -10; {family} saddr @{set} drop; }}"
    );
    let _ = writeln!(out, "}}");
    Rule {
        product: "nftables".to_owned(),
        text: out,
    }
}

/// An expression for the hours until `expires`, as `$time_iso8601` begins.
fn hours(expires: Timestamp) -> String {
    let end = expires.seconds().unwrap_or_default();
    let starts: Vec<String> = (0..=2 * HOURS)
        .map(|back| Timestamp::from_seconds(end - 1 - back * 3_600).to_string())
        .filter_map(|text| text.get(..13).map(str::to_owned))
        .collect();
    format!("^({})", starts.join("|"))
}
