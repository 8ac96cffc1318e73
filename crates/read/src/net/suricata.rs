//! Suricata's EVE log, JSON, an event a line.
//!
//! Names are Suricata's (`flow.bytes_toserver`). Of `flow` and `netflow` what went there and back is added under
//! OCSF's names; the flow's time is its start.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Value};

use super::traffic;
use crate::cloud::fill_columns;
use crate::cloud::service::{Service, first_of, has};
use crate::times::read_time;

/// The EVE log.
pub(crate) static EVE: Service = Service {
    name: "suricata",
    description: "Suricata EVE: flow, netflow, http, dns, tls, alert and others",
    unwrapped: &[],
    named: &[],
    rename: |_| None,
    is_record: |fields| {
        has(fields, "event_type")
            && has(fields, "timestamp")
            && (has(fields, "src_ip") || has(fields, "flow_id"))
    },
    is_table: |_| false,
    describe,
};

fn describe(event: &mut Event<'_>) {
    let kind = event
        .get("event_type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    event.source.product = "suricata";
    event.class = match kind.as_str() {
        "flow" | "netflow" | "tls" | "drop" => Class::NETWORK_ACTIVITY,
        "http" => Class::HTTP_ACTIVITY,
        "dns" => Class::DNS_ACTIVITY,
        "ssh" => Class::SSH_ACTIVITY,
        "smb" => Class::SMB_ACTIVITY,
        "rdp" => Class::RDP_ACTIVITY,
        "smtp" => Class::EMAIL_ACTIVITY,
        "alert" => Class::DETECTION_FINDING,
        _ => Class::BASE_EVENT,
    };
    let times: &[&str] = match kind.as_str() {
        "flow" => &["flow.start", "timestamp"],
        "netflow" => &["netflow.start", "timestamp"],
        _ => &["timestamp"],
    };
    event.time = first_of(event, times).and_then(read_time).unwrap_or_default();
    if matches!(kind.as_str(), "flow" | "netflow") {
        add_traffic(event, &kind);
    }
    event.source.channel = Cow::Owned(kind);
    fill_columns(event, role);
}

fn add_traffic(event: &mut Event<'_>, kind: &str) {
    for (name, own) in [
        ("traffic.bytes_out", ["flow.bytes_toserver", "netflow.bytes"]),
        ("traffic.bytes_in", ["flow.bytes_toclient", ""]),
        ("traffic.packets_out", ["flow.pkts_toserver", "netflow.pkts"]),
        ("traffic.packets_in", ["flow.pkts_toclient", ""]),
    ] {
        let count = traffic::number(event, &own);
        traffic::add(event, name, count);
    }
    let time = |name: String| event.get(&name).and_then(read_time)?.micros();
    if let (Some(start), Some(end)) = (time(format!("{kind}.start")), time(format!("{kind}.end"))) {
        traffic::add(event, "duration", Some((end - start).max(0) / 1_000));
    }
    let text = |name: &str| {
        event
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (protocol, flags) = (text("proto"), text("tcp.tcp_flags"));
    traffic::add_protocol(event, &protocol);
    let flags = i64::from_str_radix(&flags, 16).ok();
    traffic::add(event, "connection_info.tcp_flags", flags);
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "src_ip" => (Column::SrcIp, 0),
        "src_port" => (Column::SrcPort, 0),
        "dest_ip" => (Column::DstIp, 0),
        "dest_port" => (Column::DstPort, 0),
        "host" => (Column::Host, 0),
        "http.hostname" | "tls.sni" => (Column::DstHost, 0),
        "http.url" => (Column::Url, 0),
        "http.http_user_agent" => (Column::UserAgent, 0),
        "http.http_method" => (Column::Action, 0),
        "alert.action" => (Column::Action, 1),
        "http.status" | "dns.rcode" => (Column::Status, 0),
        "dns.rrname" | "dns.queries.rrname" | "dns.query.rrname" => (Column::Domain, 0),
        "smtp.mail_from" => (Column::MailFrom, 0),
        "email.subject" => (Column::Subject, 0),
        "fileinfo.filename" => (Column::File, 0),
        "fileinfo.sha256" => (Column::Hash, 0),
        "flow_id" => (Column::Session, 0),
        _ => return None,
    })
}
