//! Flows → the events that stand for them.
//!
//! A conversation is what one address sent another within a minute, to or from one service. Of each window of
//! flows the largest become an event of their own; the rest is summed up by receiver and service, with the number
//! of its senders, and what remains by protocol. The sums of packets, bytes and flows over all events are those of
//! the flows.
//!
//! Most conversations of a window are small, and nothing is kept of one of them by itself: [`Cells`] tell first which may be
//! large.
//!
//! Fields: `src_ip`, `src_port`, `dst_ip`, `dst_port` (a port only where all flows have the same), `protocol`
//! (`tcp`), `tcp_flags`, `packets`, `bytes`, `flows`, `end`; of sums by receiver `sources` in place of `src_ip`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher as _, Hash, Hasher};

use blackrod_model::{Cells, Class, Column, Event, Field, Flow, Position, Timestamp, Value, protocol_name};
use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::Sink;

/// So many conversations, and so many sums of the rest, become events of their own.
const MOST: usize = 256;

/// So many that may be among these are looked at by themselves.
const CLOSELY: usize = 4 * MOST;

const MINUTE: i64 = 60_000_000;

/// In the order of first flows.
type Table = IndexMap<Key, Conversation, FxBuildHasher>;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    src: u128,
    dst: u128,
    minute: i64,
    service: u16,
    protocol: u8,
    to_service: bool,
}

/// In place of an address that is not one: the unspecified one, which sends and gets nothing.
const NOBODY: u128 = 0;

#[derive(Clone, Copy)]
struct Conversation {
    at: Position,
    start: Timestamp,
    end: Timestamp,
    packets: u64,
    bytes: u64,
    flows: u64,
    /// Senders, in a sum by receiver.
    sources: u64,
    src_port: u16,
    dst_port: u16,
    /// Not all flows have the same port at the end that is not the service's.
    ports_differ: bool,
    tcp_flags: u8,
}

/// What tells which conversations of a window may be large.
pub(super) struct Sketch {
    conversations: Sizes,
    receivers: Sizes,
}

impl Sketch {
    /// For about so many flows.
    pub(super) fn new(flows: usize) -> Self {
        Self {
            conversations: Sizes::new(flows),
            receivers: Sizes::new(flows),
        }
    }

    /// Takes the next flow of the window.
    #[inline]
    pub(super) fn add(&mut self, flow: &Flow) {
        let key = Key::of(flow);
        self.conversations.add(&key, flow.bytes);
        self.receivers.add(&key.receiver(), flow.bytes);
    }

    /// Tells `sink` of the conversations of the window, and forgets it. `flows` are those that were added, `places` where
    /// they stand.
    pub(super) fn tell(&mut self, places: &[Position], flows: &[Flow], sink: &mut dyn Sink) {
        let mut sums = Sums::default();
        let least = (self.conversations.least(), self.receivers.least());
        let cells = self.conversations.each().zip(self.receivers.each());
        for ((at, flow), (by_pair, by_receiver)) in places.iter().zip(flows).zip(cells) {
            let (key, one) = (Key::of(flow), Conversation::of(*at, flow));
            if by_pair >= least.0 {
                merge(&mut sums.conversations, key, &one);
            } else {
                sums.rest(key, &one, by_receiver >= least.1);
            }
        }
        for (key, one) in tell_largest(std::mem::take(&mut sums.conversations), sink) {
            let is_large = self.receivers.of(&key.receiver()) >= least.1;
            sums.rest(key, &one, is_large);
        }
        for (key, one) in tell_largest(std::mem::take(&mut sums.receivers), sink) {
            merge(&mut sums.protocols, key.protocol(), &one);
        }
        sums.protocols.sort_by(|_, a, _, b| a.at.cmp(&b.at));
        for (key, one) in &sums.protocols {
            sink.summary(event(key, one));
        }
        self.conversations.clear();
        self.receivers.clear();
    }
}

/// What a window comes to.
#[derive(Default)]
struct Sums {
    conversations: Table,
    receivers: Table,
    /// Receivers by index, with those who sent to them.
    senders: FxHashSet<(usize, u128)>,
    protocols: Table,
    /// The one of `protocols` that was added to last: nearly always it is the next one's too.
    latest: usize,
}

impl Sums {
    /// Takes what is no event of its own.
    fn rest(&mut self, key: Key, one: &Conversation, is_receiver_large: bool) {
        if !is_receiver_large {
            let key = key.protocol();
            match self.protocols.get_index_mut(self.latest) {
                Some((known, sum)) if *known == key => sum.add(one),
                _ => self.latest = merge(&mut self.protocols, key, one),
            }
            return;
        }
        let index = merge(&mut self.receivers, key.receiver(), one);
        if self.senders.insert((index, key.src))
            && let Some((_, sum)) = self.receivers.get_index_mut(index)
        {
            sum.sources += 1;
        }
    }
}

/// Makes events of the largest, in the order of their places, and returns the others.
fn tell_largest(table: Table, sink: &mut dyn Sink) -> impl Iterator<Item = (Key, Conversation)> {
    // Of two of one size the one that stands first is the larger.
    let mut largest = BinaryHeap::with_capacity(MOST + 1);
    for (index, one) in table.values().enumerate() {
        let size = Reverse((one.bytes, Reverse(one.at), index));
        if largest.len() < MOST {
            largest.push(size);
        } else if let Some(mut smallest) = largest.peek_mut()
            && size < *smallest
        {
            *smallest = size;
        }
    }
    let mut told: Vec<(Position, usize)> = largest
        .into_iter()
        .map(|Reverse((_, Reverse(at), index))| (at, index))
        .collect();
    told.sort_unstable();
    for (key, one) in told.iter().filter_map(|(_, index)| table.get_index(*index)) {
        sink.summary(event(key, one));
    }
    told.sort_unstable_by_key(|(_, index)| *index);
    let mut told = told.into_iter().map(|(_, index)| index).peekable();
    let is_left = move |(index, _): &(usize, _)| told.next_if_eq(index).is_none();
    table
        .into_iter()
        .enumerate()
        .filter(is_left)
        .map(|(_, left)| left)
}

/// How many bytes at least belong to each of what was added, in units of 16.
struct Sizes {
    /// The cells of what was added, in its order.
    added: Vec<u16>,
    cells: Cells,
}

impl Sizes {
    fn new(flows: usize) -> Self {
        Self {
            added: Vec::with_capacity(flows),
            cells: Cells::default(),
        }
    }

    #[inline]
    fn add(&mut self, key: &Key, bytes: u64) {
        let cell = Cells::of(FxBuildHasher.hash_one(key));
        self.added.push(cell);
        self.cells.add(cell, bytes.div_ceil(16));
    }

    /// The size from which on something is looked at by itself.
    fn least(&self) -> u32 {
        match self.added.len() <= CLOSELY {
            true => 0,
            false => self.cells.largest_after(CLOSELY),
        }
    }

    fn of(&self, key: &Key) -> u32 {
        self.cells.sum(Cells::of(FxBuildHasher.hash_one(key)))
    }

    /// Those of what was added, in its order.
    fn each(&self) -> impl Iterator<Item = u32> {
        self.added.iter().map(|cell| self.cells.sum(*cell))
    }

    fn clear(&mut self) {
        self.added.clear();
        self.cells.clear();
    }
}

impl Hash for Key {
    /// Fewer rounds than for each field by itself.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let service =
            u64::from(self.service) << 16 | u64::from(self.protocol) << 8 | u64::from(self.to_service);
        state.write_u64(Flow::folded(self.src));
        state.write_u64(Flow::folded(self.dst));
        state.write_u64((self.minute as u64).rotate_left(32) ^ service);
    }
}

impl Key {
    #[inline]
    fn of(flow: &Flow) -> Self {
        let (service, to_service) = flow.service();
        Self {
            src: Flow::bits(flow.src),
            dst: Flow::bits(flow.dst),
            minute: flow.start.micros().unwrap_or_default().div_euclid(MINUTE),
            service,
            protocol: flow.protocol,
            to_service,
        }
    }

    /// The same of all senders.
    #[inline]
    fn receiver(self) -> Self {
        Self { src: NOBODY, ..self }
    }

    /// The same of all addresses and services.
    #[inline]
    fn protocol(self) -> Self {
        Self {
            src: NOBODY,
            dst: NOBODY,
            service: 0,
            to_service: false,
            ..self
        }
    }
}

impl Conversation {
    #[inline]
    fn of(at: Position, flow: &Flow) -> Self {
        Self {
            at,
            start: flow.start,
            end: flow.end,
            packets: flow.packets,
            bytes: flow.bytes,
            flows: 1,
            sources: 0,
            src_port: flow.src_port,
            dst_port: flow.dst_port,
            ports_differ: false,
            tcp_flags: flow.tcp_flags,
        }
    }

    #[inline]
    fn add(&mut self, one: &Self) {
        self.at = self.at.min(one.at);
        self.start = self.start.min(one.start);
        self.end = self.end.max(one.end);
        self.packets = self.packets.saturating_add(one.packets);
        self.bytes = self.bytes.saturating_add(one.bytes);
        self.flows += one.flows;
        self.ports_differ |=
            one.ports_differ || (self.src_port, self.dst_port) != (one.src_port, one.dst_port);
        self.tcp_flags |= one.tcp_flags;
    }
}

/// Adds to a sum; returns its index.
#[inline]
fn merge(table: &mut Table, key: Key, one: &Conversation) -> usize {
    let entry = table.entry(key);
    let index = entry.index();
    entry.and_modify(|sum| sum.add(one)).or_insert(*one);
    index
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
            Flow::address(key.src).to_string().into(),
        );
    } else if has_receiver {
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
            Flow::address(key.dst).to_string().into(),
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
