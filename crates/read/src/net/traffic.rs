//! What records of sensors and firewalls say went there and back, under OCSF's names for it.

use std::borrow::Cow;

use blackrod_model::{Event, Field, Flow, Value};

/// Adds a count under OCSF's name; nothing where there is none.
pub(crate) fn add(event: &mut Event<'_>, name: &'static str, count: Option<i64>) {
    if let Some(count) = count {
        event.fields.push(Field {
            name: Cow::Borrowed(name),
            value: Value::Int(count),
        });
    }
}

/// Adds the number of a protocol that is named, or numbered, in any case.
pub(crate) fn add_protocol(event: &mut Event<'_>, name: &str) {
    let number = match name.to_ascii_lowercase().as_str() {
        "tcp" => Some(Flow::TCP),
        "udp" => Some(Flow::UDP),
        "icmp" => Some(Flow::ICMP),
        "icmp6" | "ipv6-icmp" | "icmpv6" => Some(Flow::ICMP6),
        other => other.parse().ok(),
    };
    add(event, "connection_info.protocol_num", number.map(i64::from));
}

/// The whole number that the first of these fields holds.
pub(crate) fn number(event: &Event<'_>, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| event.get(name)?.as_int())
}
