//! Records of sensors and firewalls → flows.

use std::net::IpAddr;

use blackrod_model::{Class, Column, Event, Flow};

/// What a record says went there and back, by OCSF's names, which readers add: `traffic.bytes_out`,
/// `traffic.packets_out` from source to destination, `traffic.bytes_in`, `traffic.packets_in` back,
/// `connection_info.protocol_num`, `connection_info.tcp_flags`, `duration` (ms).
pub(crate) fn flows(event: &Event<'_>) -> [Option<Flow>; 2] {
    if event.class != Class::NETWORK_ACTIVITY {
        return [None, None];
    }
    let number = |name: &str| {
        let value = event.get(name).and_then(blackrod_model::Value::as_int)?;
        u64::try_from(value).ok()
    };
    let (out, packets_out) = (number("traffic.bytes_out"), number("traffic.packets_out"));
    let (back, packets_back) = (number("traffic.bytes_in"), number("traffic.packets_in"));
    if out.is_none() && back.is_none() {
        return [None, None];
    }
    let address = |column| event.column_text(column)?.parse::<IpAddr>().ok();
    let (Some(src), Some(dst)) = (address(Column::SrcIp), address(Column::DstIp)) else {
        return [None, None];
    };
    let port = |column| event.column(column).and_then(blackrod_model::Value::as_int);
    let port = |column| {
        port(column)
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or_default()
    };
    let small = |name: &str| {
        number(name)
            .and_then(|value| u8::try_from(value).ok())
            .unwrap_or_default()
    };
    let lasted = number("duration").unwrap_or_default().saturating_mul(1_000);
    let end = event
        .time
        .micros()
        .map(|start| start.saturating_add_unsigned(lasted));
    let there = Flow {
        start: event.time,
        end: end.map_or(event.time, blackrod_model::Timestamp::from_micros),
        src: src.to_canonical(),
        dst: dst.to_canonical(),
        src_port: port(Column::SrcPort),
        dst_port: port(Column::DstPort),
        protocol: small("connection_info.protocol_num"),
        tcp_flags: small("connection_info.tcp_flags"),
        packets: packets_out.unwrap_or(1),
        bytes: out.unwrap_or_default(),
    };
    let has_back = packets_back.or(back).is_some_and(|count| count > 0);
    let back = has_back.then_some(Flow {
        src: there.dst,
        dst: there.src,
        src_port: there.dst_port,
        dst_port: there.src_port,
        packets: packets_back.unwrap_or(1),
        bytes: back.unwrap_or_default(),
        ..there
    });
    [Some(there), back]
}
