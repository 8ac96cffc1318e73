//! Firewalls' messages: netfilter (nftables and iptables `LOG`), pf (`filterlog`), Cisco ASA.

use blackrod_model::{Class, Column, Event};

use super::message::{push, push_to};
use crate::net::traffic;

/// No message has more members.
const MOST: usize = 64;

/// `IN=eth0 OUT= MAC=… SRC=192.0.2.7 DST=198.51.100.1 LEN=60 … PROTO=TCP SPT=4711 DPT=22 … SYN URGP=0`, after the
/// rule's prefix.
pub(super) fn netfilter<'a>(message: &'a str, event: &mut Event<'a>) {
    if !(message.contains("SRC=") && message.contains("DST=")) {
        return;
    }
    event.class = Class::NETWORK_ACTIVITY;
    let start = message.find("IN=").unwrap_or_default();
    let prefix = message.get(..start).unwrap_or_default();
    // After the time since the start: `[ 123.456] `.
    let prefix = prefix.rsplit("] ").next().unwrap_or(prefix).trim();
    if !prefix.is_empty() {
        push_to(event, Column::Action, "prefix", prefix);
    }
    let mut flags = 0;
    let mut length = None;
    let mut protocol = "";
    for word in message.get(start..).unwrap_or_default().split(' ').take(MOST) {
        let Some((name, value)) = word.split_once('=') else {
            flags |= flag(word);
            continue;
        };
        match name {
            // ICMP errors quote the packet that they are about, in brackets.
            _ if word.starts_with('[') => break,
            "SRC" => push_to(event, Column::SrcIp, name, value),
            "DST" => push_to(event, Column::DstIp, name, value),
            "SPT" => push_to(event, Column::SrcPort, name, value),
            "DPT" => push_to(event, Column::DstPort, name, value),
            "LEN" if length.is_none() => {
                length = value.parse().ok();
                push(event, name, value);
            }
            "PROTO" => {
                protocol = value;
                push(event, name, value);
            }
            "" => {}
            _ => {
                push(event, name, value);
            }
        }
    }
    traffic::add(event, "traffic.bytes_out", length);
    traffic::add(event, "traffic.packets_out", Some(1));
    traffic::add_protocol(event, protocol);
    if protocol == "TCP" {
        traffic::add(event, "connection_info.tcp_flags", Some(flags));
    }
}

fn flag(word: &str) -> i64 {
    match word {
        "FIN" => 0x01,
        "SYN" => 0x02,
        "RST" => 0x04,
        "PSH" => 0x08,
        "ACK" => 0x10,
        "URG" => 0x20,
        _ => 0,
    }
}

/// `5,,,1000000103,em0,match,block,in,4,0x0,,64,12345,0,DF,6,tcp,60,192.0.2.7,198.51.100.1,4711,22,0,S,…`
/// (OPNsense and pfSense).
pub(super) fn filterlog<'a>(message: &'a str, event: &mut Event<'a>) {
    let parts: Vec<&str> = message.splitn(26, ',').collect();
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let (number, protocol, length, addresses) = match part(8) {
        "4" => (15, 16, 17, 18),
        "6" => (13, 12, 14, 15),
        _ => return,
    };
    if parts.len() < addresses + 2 {
        return;
    }
    event.class = Class::NETWORK_ACTIVITY;
    push(event, "rule", part(0));
    push(event, "interface", part(4));
    push_to(event, Column::Action, "action", part(6));
    push(event, "direction", part(7));
    push(event, "protocol", part(protocol));
    push_to(event, Column::SrcIp, "src_ip", part(addresses));
    push_to(event, Column::DstIp, "dst_ip", part(addresses + 1));
    let has_ports = matches!(part(protocol), "tcp" | "udp" | "TCP" | "UDP");
    if has_ports {
        push_to(event, Column::SrcPort, "src_port", part(addresses + 2));
        push_to(event, Column::DstPort, "dst_port", part(addresses + 3));
    }
    traffic::add(event, "traffic.bytes_out", part(length).parse().ok());
    traffic::add(event, "traffic.packets_out", Some(1));
    traffic::add_protocol(event, part(number));
    if part(protocol).eq_ignore_ascii_case("tcp") {
        let letters = part(addresses + 5).bytes();
        let flags = letters.fold(0, |flags, letter| {
            flags
                | match letter {
                    b'F' => 0x01,
                    b'S' => 0x02,
                    b'R' => 0x04,
                    b'P' => 0x08,
                    b'A' => 0x10,
                    b'U' => 0x20,
                    _ => 0,
                }
        });
        traffic::add(event, "connection_info.tcp_flags", Some(flags));
    }
}

/// `%ASA-6-302013: Built outbound TCP connection 9 for outside:203.0.113.5/443 (203.0.113.5/443) to
/// inside:10.0.0.5/51234 (…)`, `Teardown …`, `Deny tcp src outside:192.0.2.7/4711 dst inside:10.0.0.1/80 by …`,
/// `access-list x denied tcp outside/192.0.2.7(4711) -> inside/10.0.0.1(80) …`. `program` is `%ASA-6-302013`.
pub(super) fn asa<'a>(program: &'a str, message: &'a str, event: &mut Event<'a>) {
    let words: Vec<&str> = message.split_ascii_whitespace().take(MOST).collect();
    if let Some(number) = program.rsplit('-').next() {
        event.source.event_id = number.parse().unwrap_or_default();
    }
    event.source.product = "cisco";
    let after = |word: &str| {
        let at = words.iter().position(|own| *own == word)?;
        words.get(at + 1).copied()
    };
    let ends = match (after("src"), after("dst")) {
        (Some(src), Some(dst)) => Some((src, dst)),
        _ => match words.iter().position(|word| *word == "->") {
            Some(arrow) => arrow
                .checked_sub(1)
                .and_then(|before| Some((*words.get(before)?, *words.get(arrow + 1)?))),
            None => match (after("from"), after("for"), after("to")) {
                (Some(src), _, Some(dst)) => Some((src, dst)),
                // The outer end stands first, whoever began.
                (None, Some(outer), Some(inner)) => match words.contains(&"inbound") {
                    true => Some((outer, inner)),
                    false => Some((inner, outer)),
                },
                _ => None,
            },
        },
    };
    let Some((src, dst)) = ends else {
        return;
    };
    let ((Some(src), src_port), (Some(dst), dst_port)) = (end(src), end(dst)) else {
        return;
    };
    event.class = Class::NETWORK_ACTIVITY;
    let denied = ["denied", "Deny", "deny"]
        .into_iter()
        .find(|word| words.contains(word));
    let action = denied.or(words.first().copied()).unwrap_or_default();
    push_to(event, Column::Action, "action", action);
    let protocol = words.iter().copied().find(|word| {
        ["tcp", "udp", "icmp"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    });
    if let Some(protocol) = protocol {
        push(event, "protocol", protocol);
        traffic::add_protocol(event, protocol);
    }
    push_to(event, Column::SrcIp, "src_ip", src);
    push_to(event, Column::DstIp, "dst_ip", dst);
    for (column, name, port) in [
        (Column::SrcPort, "src_port", src_port),
        (Column::DstPort, "dst_port", dst_port),
    ] {
        if let Some(port) = port {
            push_to(event, column, name, port);
        }
    }
    if let Some(bytes) = after("bytes") {
        push(event, "bytes", bytes);
    }
    if let Some(duration) = after("duration") {
        push(event, "lasted", duration);
    }
}

/// `outside:192.0.2.7/4711`, `outside/192.0.2.7(4711)`, `192.0.2.7/4711`.
fn end(text: &str) -> (Option<&str>, Option<&str>) {
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    let text = text.trim_end_matches([',', ';']);
    let (text, port) = match text.split_once('(') {
        Some((text, port)) => (text, Some(port.trim_end_matches(')'))),
        None => (text, None),
    };
    if is_address(text) {
        return (Some(text), port);
    }
    // IPv6 addresses have colons too: only the first may end the interface's name.
    for bare in [
        Some(text),
        text.split_once(':').map(|(_, rest)| rest),
        text.split_once('/').map(|(_, rest)| rest),
    ]
    .into_iter()
    .flatten()
    {
        if is_address(bare) {
            return (Some(bare), port);
        }
        if let Some((address, port)) = bare.rsplit_once('/')
            && is_address(address)
        {
            return (Some(address), Some(port));
        }
    }
    (None, None)
}
