//! Flows → the events that stand for them.
//!
//! A conversation is what one address sent another within a minute, to or from one service. Of each window of
//! flows the largest become an event of their own; the rest is summed up by receiver and service, with the number
//! of its senders, and what remains by protocol. The sums of packets, bytes and flows over all events are those of
//! the flows.
//!
//! Fields: `src_ip`, `src_port`, `dst_ip`, `dst_port` (a port only where all flows have the same), `protocol`
//! (`tcp`), `tcp_flags`, `packets`, `bytes`, `flows`, `end`; of sums `sources` in place of `src_ip`.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};

use blackrod_model::{Class, Column, Event, Field, Flow, Position, Timestamp, Value, protocol_name};
use rustc_hash::FxHashMap;

use crate::Sink;

/// So many conversations, and so many sums of the rest, become events of their own.
const MOST: usize = 256;

const MINUTE: i64 = 60_000_000;

/// The conversations of a window.
#[derive(Default)]
pub(super) struct Conversations {
    table: FxHashMap<Key, Conversation>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    src: u128,
    dst: u128,
    minute: i64,
    service: u16,
    protocol: u8,
    to_service: bool,
}

struct Conversation {
    at: Position,
    start: Timestamp,
    end: Timestamp,
    packets: u64,
    bytes: u64,
    flows: u64,
    /// Senders, in a sum.
    sources: u64,
    src_port: u16,
    dst_port: u16,
    /// Not all flows have the same port at the end that is not the service's.
    ports_differ: bool,
    tcp_flags: u8,
}

impl Conversations {
    #[inline]
    pub(super) fn add(&mut self, at: Position, flow: &Flow) {
        let (service, to_service) = flow.service();
        let key = Key {
            src: bits(flow.src),
            dst: bits(flow.dst),
            minute: flow.start.micros().unwrap_or_default().div_euclid(MINUTE),
            service,
            protocol: flow.protocol,
            to_service,
        };
        let one = Conversation {
            at,
            start: flow.start,
            end: flow.end,
            packets: flow.packets,
            bytes: flow.bytes,
            flows: 1,
            sources: 1,
            src_port: flow.src_port,
            dst_port: flow.dst_port,
            ports_differ: false,
            tcp_flags: flow.tcp_flags,
        };
        merge(&mut self.table, key, one);
    }

    /// Tells `sink` of all conversations and forgets them.
    pub(super) fn tell(&mut self, sink: &mut dyn Sink) {
        let rest = tell_largest(self.table.drain().collect(), sink);
        let mut by_receiver = FxHashMap::default();
        for (key, one) in rest {
            merge(&mut by_receiver, Key { src: NOBODY, ..key }, one);
        }
        let rest = tell_largest(by_receiver.into_iter().collect(), sink);
        let mut by_protocol = FxHashMap::default();
        for (key, one) in rest {
            let key = Key {
                dst: NOBODY,
                service: 0,
                to_service: false,
                ..key
            };
            merge(&mut by_protocol, key, one);
        }
        let mut left: Vec<_> = by_protocol.into_iter().collect();
        left.sort_by_key(|(_, one)| one.at);
        for (key, one) in left {
            sink.summary(event(&key, &one));
        }
    }
}

/// In place of an address that is not one: the unspecified one, which sends and gets nothing.
const NOBODY: u128 = 0;

#[inline]
fn merge(table: &mut FxHashMap<Key, Conversation>, key: Key, one: Conversation) {
    use std::collections::hash_map::Entry;
    match table.entry(key) {
        Entry::Vacant(slot) => {
            slot.insert(one);
        }
        Entry::Occupied(mut slot) => {
            let sum = slot.get_mut();
            sum.at = sum.at.min(one.at);
            sum.start = sum.start.min(one.start);
            sum.end = sum.end.max(one.end);
            sum.packets = sum.packets.saturating_add(one.packets);
            sum.bytes = sum.bytes.saturating_add(one.bytes);
            sum.flows += one.flows;
            sum.sources += one.sources;
            sum.ports_differ |=
                one.ports_differ || (sum.src_port, sum.dst_port) != (one.src_port, one.dst_port);
            sum.tcp_flags |= one.tcp_flags;
        }
    }
}

/// Makes the largest events and returns the others.
fn tell_largest(mut all: Vec<(Key, Conversation)>, sink: &mut dyn Sink) -> Vec<(Key, Conversation)> {
    let by_size = |a: &(Key, Conversation), b: &(Key, Conversation)| {
        b.1.bytes.cmp(&a.1.bytes).then_with(|| a.1.at.cmp(&b.1.at))
    };
    let mut rest = Vec::new();
    if all.len() > MOST {
        all.select_nth_unstable_by(MOST, by_size);
        rest = all.split_off(MOST);
    }
    all.sort_by_key(|(_, one)| one.at);
    for (key, one) in &all {
        sink.summary(event(key, one));
    }
    rest
}

fn event<'a>(key: &Key, one: &Conversation) -> Event<'a> {
    let mut event = Event::new(Class::NETWORK_ACTIVITY, one.start, one.at);
    event.source.channel = "flow".into();
    event.fields = Vec::with_capacity(12);
    let is_one = key.src != NOBODY;
    let has_receiver = key.dst != NOBODY;
    if is_one {
        push(
            &mut event,
            Column::SrcIp,
            "src_ip",
            address(key.src).to_string().into(),
        );
    } else {
        push_plain(&mut event, "sources", one.sources);
    }
    let port_of = |is_service: bool, port: u16| {
        let is_known = port != 0 && (is_service && (is_one || has_receiver) || is_one && !one.ports_differ);
        is_known.then_some(Value::Int(i64::from(port)))
    };
    if let Some(port) = port_of(!key.to_service, one.src_port).filter(|_| has_receiver) {
        push(&mut event, Column::SrcPort, "src_port", port);
    }
    if has_receiver {
        push(
            &mut event,
            Column::DstIp,
            "dst_ip",
            address(key.dst).to_string().into(),
        );
    }
    if let Some(port) = port_of(key.to_service, one.dst_port).filter(|_| has_receiver) {
        push(&mut event, Column::DstPort, "dst_port", port);
    }
    push(
        &mut event,
        Column::Action,
        "protocol",
        Value::Str(protocol_name(key.protocol)),
    );
    if key.protocol == Flow::TCP {
        event
            .fields
            .push(Field::new("tcp_flags", flag_names(one.tcp_flags)));
    }
    push_plain(&mut event, "packets", one.packets);
    push_plain(&mut event, "bytes", one.bytes);
    push_plain(&mut event, "flows", one.flows);
    event.fields.push(Field::new("end", one.end.to_string()));
    event
}

fn push<'a>(event: &mut Event<'a>, column: Column, name: &'static str, value: Value<'a>) {
    event.columns.set_first(column, event.fields.len());
    event.fields.push(Field::new(name, value));
}

fn push_plain(event: &mut Event<'_>, name: &'static str, count: u64) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    event.fields.push(Field::new(name, Value::Int(count)));
}

/// `SA` for SYN and ACK, in the order in which tcpdump has them.
fn flag_names(flags: u8) -> String {
    let names = [
        (0x02, 'S'),
        (0x10, 'A'),
        (0x01, 'F'),
        (0x04, 'R'),
        (0x08, 'P'),
        (0x20, 'U'),
    ];
    names
        .iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, name)| name)
        .collect()
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) | 0xffff_0000_0000,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn address(bits: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(bits)).to_canonical()
}
