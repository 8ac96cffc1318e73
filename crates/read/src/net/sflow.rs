//! sFlow version 5 (sflow.org): sampled packets, each of which stands for as many as the sampling rate says.
//!
//! Counters of interfaces are no flows and are refused as such. A datagram carries no time of day: it is the one at
//! which a capture saw it, and unknown in a bare file.

use blackrod_model::{Flow, Position, Timestamp};
use sflow_parser::models::core::FlowData;
use sflow_parser::models::record_flows::HeaderProtocol;
use sflow_parser::{SampleData, parse_datagram};

use super::batch::Batch;
use super::packet::{self, Packet};
use super::{be32, number};

/// Version, agent, sub-agent, sequence, uptime, number of samples.
fn header_length(bytes: &[u8]) -> Option<usize> {
    match be32(bytes, 4)? {
        1 => Some(28),
        2 => Some(40),
        _ => None,
    }
}

/// Whether `bytes` begin with a datagram.
pub(super) fn is_datagram(bytes: &[u8]) -> bool {
    let samples = || be32(bytes, header_length(bytes)? - 4);
    be32(bytes, 0) == Some(5) && samples().is_some_and(|count| count <= 1_024)
}

/// The length of the datagram that `bytes` begin with: each of its samples says how long it is.
pub(super) fn length(bytes: &[u8]) -> usize {
    let Some(mut at) = header_length(bytes) else {
        return bytes.len();
    };
    for _ in 0..be32(bytes, at - 4).unwrap_or_default() {
        let Some(length) = be32(bytes, at + 4) else {
            return bytes.len();
        };
        at = at.saturating_add(8).saturating_add(length as usize);
        if at > bytes.len() {
            return bytes.len();
        }
    }
    at
}

/// Reads a datagram.
pub(super) fn read(bytes: &[u8], at: Position, arrived: Timestamp, batch: &mut Batch<'_>) {
    let datagram = match parse_datagram(bytes) {
        Ok(datagram) => datagram,
        Err(error) => return batch.refuse(at, format!("an sFlow datagram that cannot be read: {error}")),
    };
    for sample in &datagram.samples {
        let (rate, records) = match &sample.sample_data {
            SampleData::FlowSample(sample) => (sample.sampling_rate, &sample.flow_records),
            SampleData::FlowSampleExpanded(sample) => (sample.sampling_rate, &sample.flow_records),
            SampleData::CountersSample(_) | SampleData::CountersSampleExpanded(_) => {
                batch.refuse(at, "no flow: counters of an interface (sFlow)");
                continue;
            }
            _ => {
                let format = sample.sample_type.0;
                batch.refuse(
                    at,
                    format!(
                        "an sFlow sample of the format {}:{}",
                        format >> 12,
                        format & 0xfff
                    ),
                );
                continue;
            }
        };
        let flow = records.iter().find_map(|record| sampled(&record.flow_data));
        match flow {
            Some(packet) => {
                let rate = u64::from(rate.max(1));
                let mut flow = packet.flow(arrived);
                flow.packets = rate;
                flow.bytes = flow.bytes.saturating_mul(rate);
                batch.push(at, flow);
            }
            None => batch.refuse(at, "no flow: an sFlow sample without an IP packet"),
        }
    }
}

/// The packet that a record of a sample tells of.
fn sampled(record: &FlowData) -> Option<Packet<'_>> {
    let port = |port: u32| u16::try_from(port).unwrap_or_default();
    let byte = |number: u32| u8::try_from(number).unwrap_or_default();
    match record {
        FlowData::SampledHeader(sampled) => {
            let link = match sampled.protocol {
                HeaderProtocol::EthernetIso88023 => packet::ETHERNET,
                HeaderProtocol::Ipv4 | HeaderProtocol::Ipv6 => packet::RAW,
                _ => return None,
            };
            packet::read(link, &sampled.header).ok()
        }
        FlowData::SampledIpv4(sampled) => Some(Packet {
            src: sampled.src_ip.into(),
            dst: sampled.dst_ip.into(),
            src_port: port(sampled.src_port),
            dst_port: port(sampled.dst_port),
            protocol: byte(sampled.protocol),
            tcp_flags: byte(sampled.tcp_flags),
            bytes: u64::from(sampled.length),
            datagram: None,
        }),
        FlowData::SampledIpv6(sampled) => Some(Packet {
            src: sampled.src_ip.into(),
            dst: sampled.dst_ip.into(),
            src_port: port(sampled.src_port),
            dst_port: port(sampled.dst_port),
            protocol: byte(sampled.protocol),
            tcp_flags: byte(sampled.tcp_flags),
            bytes: u64::from(sampled.length),
            datagram: None,
        }),
        _ => None,
    }
}

/// A number that tells exporters apart.
pub(super) fn exporter(address: std::net::IpAddr) -> u64 {
    match address {
        std::net::IpAddr::V4(v4) => u64::from(v4.to_bits()),
        std::net::IpAddr::V6(v6) => number(&v6.octets()),
    }
}

impl Packet<'_> {
    /// The packet as a flow of one, at `time`.
    pub(super) fn flow(&self, time: Timestamp) -> Flow {
        Flow {
            start: time,
            end: time,
            src: self.src,
            dst: self.dst,
            src_port: self.src_port,
            dst_port: self.dst_port,
            protocol: self.protocol,
            tcp_flags: self.tcp_flags,
            packets: 1,
            bytes: self.bytes,
        }
    }
}
