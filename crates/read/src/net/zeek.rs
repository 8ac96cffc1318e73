//! Zeek's logs: tab-separated with a header, and JSON.
//!
//! Names are Zeek's (`id.orig_h`). The log is known by `#path` or `_path`, else by the fields that it alone has. Of
//! `conn` what went there and back is added under OCSF's names: packets of IP where they were counted, else their content.

use std::borrow::Cow;
use std::io::BufRead;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Field, Position, Raw, Timestamp, Value};

use super::traffic;
use crate::cloud::fill_columns;
use crate::cloud::service::{Service, has};
use crate::text::lines::{self, Header};
use crate::textinput::decode_head;
use crate::times::read_time;
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Logs in JSON.
pub(crate) static JSON: Service = Service {
    name: "zeek-json",
    description: "Zeek logs in JSON: conn, http, dns, ssl and others",
    unwrapped: &[],
    named: &[],
    rename: |_| None,
    is_record: |fields| {
        let is_connected = has(fields, "id.orig_h") && has(fields, "id.resp_h");
        has(fields, "ts") && (is_connected || has(fields, "_path"))
    },
    is_table: |_| false,
    describe: |event| {
        let path = event.get("_path").and_then(Value::as_str).map(str::to_owned);
        describe(event, path.as_deref().unwrap_or_default());
    },
};

/// Logs with a header.
pub(crate) struct Tsv;

impl Format for Tsv {
    fn name(&self) -> &str {
        "zeek"
    }

    fn description(&self) -> &str {
        "Zeek logs, tab-separated: conn, http, dns, ssl and others"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let text = decode_head(head);
        let lines = lines::first_lines(&text, 12);
        let has = |start: &str| lines.iter().any(|line| line.starts_with(start));
        has("#separator ") && has("#fields\t")
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        lines::split(
            input,
            &mut Header::of([b"#path\t", b"#fields\t", b"#unset_field\t"]),
            emit,
        )
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let context = lines::context(block);
        let directive = |name: &str| {
            let found = context.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default()
        };
        let path = directive("#path\t").trim();
        let names: Vec<&str> = directive("#fields\t").split('\t').map(str::trim_end).collect();
        let unset = Some(directive("#unset_field\t").trim_end())
            .filter(|text| !text.is_empty())
            .unwrap_or("-");
        let is_directive = |line: &[u8]| line.starts_with(b"#");
        lines::each_line(
            block,
            &is_directive,
            &mut |at, line| match row(at, line, &names, unset) {
                Some(mut event) => {
                    describe(&mut event, path);
                    sink.event(event);
                }
                None => sink.refuse_record(at, format!("not {} fields separated by tabs", names.len())),
            },
        );
    }
}

fn row<'a>(at: Position, line: &'a str, names: &[&'a str], unset: &str) -> Option<Event<'a>> {
    if line.split('\t').count() != names.len() {
        return None;
    }
    let mut event = Event::new(Class::BASE_EVENT, Timestamp::UNKNOWN, at);
    event.raw = Raw::Text(line);
    let cells = names.iter().zip(line.split('\t'));
    let cells = cells.filter(|(_, value)| *value != unset && *value != "(empty)");
    event.fields = cells
        .map(|(name, value)| Field {
            name: Cow::Owned((*name).to_owned()),
            value: Value::text(value),
        })
        .collect();
    Some(event)
}

fn describe(event: &mut Event<'_>, path: &str) {
    let has = |name: &str| event.get(name).is_some();
    let path = match path {
        "" if has("conn_state") => "conn",
        "" if has("uri") || has("user_agent") => "http",
        "" if has("query") => "dns",
        "" if has("server_name") || has("cipher") => "ssl",
        "" if has("note") => "notice",
        known => known,
    };
    event.source.product = "zeek";
    event.source.channel = Cow::Owned(path.to_owned());
    event.class = match path {
        "conn" | "ssl" | "tunnel" => Class::NETWORK_ACTIVITY,
        "http" => Class::HTTP_ACTIVITY,
        "dns" => Class::DNS_ACTIVITY,
        "ssh" => Class::SSH_ACTIVITY,
        "rdp" => Class::RDP_ACTIVITY,
        "smtp" => Class::EMAIL_ACTIVITY,
        "kerberos" | "ntlm" | "radius" => Class::AUTHENTICATION,
        "notice" | "signatures" => Class::DETECTION_FINDING,
        path if path.starts_with("smb") => Class::SMB_ACTIVITY,
        _ => Class::BASE_EVENT,
    };
    event.time = event.get("ts").and_then(read_time).unwrap_or_default();
    if path == "conn" {
        add_traffic(event);
    }
    fill_columns(event, role);
}

fn add_traffic(event: &mut Event<'_>) {
    let counts = [
        ("traffic.bytes_out", ["orig_ip_bytes", "orig_bytes"]),
        ("traffic.bytes_in", ["resp_ip_bytes", "resp_bytes"]),
    ];
    for (name, own) in counts {
        let count = traffic::number(event, &own);
        traffic::add(event, name, count);
    }
    for (name, own) in [
        ("traffic.packets_out", "orig_pkts"),
        ("traffic.packets_in", "resp_pkts"),
    ] {
        let count = traffic::number(event, &[own]);
        traffic::add(event, name, count);
    }
    let seconds = event.get("duration").and_then(|value| match value {
        Value::Float(seconds) => Some(*seconds),
        other => other.to_text()?.parse::<f64>().ok(),
    });
    let milliseconds = seconds
        .filter(|seconds| (0.0..1e9).contains(seconds))
        .map(|seconds| (seconds * 1e3) as i64);
    if event.get("duration").is_some() {
        event.fields.retain(|field| field.name != "duration");
    }
    traffic::add(event, "duration", milliseconds);
    let text = |name: &str| {
        event
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (protocol, state) = (text("proto"), text("conn_state"));
    traffic::add_protocol(event, &protocol);
    if protocol == "tcp" {
        // SYN and nothing back; all else was at least answered.
        let is_half = matches!(state.as_str(), "S0" | "SH" | "REJ");
        traffic::add(
            event,
            "connection_info.tcp_flags",
            Some(if is_half { 0x02 } else { 0x1b }),
        );
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "id.orig_h" => (Column::SrcIp, 0),
        "id.orig_p" => (Column::SrcPort, 0),
        "id.resp_h" => (Column::DstIp, 0),
        "id.resp_p" => (Column::DstPort, 0),
        "host" | "server_name" => (Column::DstHost, 0),
        "query" => (Column::Domain, 0),
        "uri" => (Column::Url, 0),
        "user_agent" => (Column::UserAgent, 0),
        "method" => (Column::Action, 0),
        "conn_state" | "status_code" | "rcode_name" => (Column::Status, 0),
        "username" | "client" => (Column::User, 0),
        "mailfrom" => (Column::MailFrom, 0),
        "rcptto" => (Column::MailTo, 0),
        "subject" => (Column::Subject, 1),
        "uid" => (Column::Session, 0),
        "filename" => (Column::File, 0),
        _ => return None,
    })
}
