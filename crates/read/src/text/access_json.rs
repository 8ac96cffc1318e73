//! Web servers' access logs as JSON, an object a line: nginx and Apache as they are usually told to write them, Caddy,
//! Traefik, and what Logstash makes of a combined log.
//!
//! What is in every access log is called as in W3C logs, as in [`super::combined`], so that one rule reads all of them: `c-ip`,
//! `cs-method`, `cs-uri-stem` (the path), `cs-uri-query` (path and query), `cs-version`, `cs-host`, `cs-username`, `sc-status`,
//! `sc-bytes`, `time-taken` (milliseconds), `cs(Referer)`, `cs(User-Agent)`, `x-ja3`, `x-ja4`. All else keeps its name, nested
//! names joined with dots.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Field, Value};

use super::combined::{apache_time, request_parts};
use crate::cloud::fill_columns;
use crate::cloud::service::Service;
use crate::times::read_time;

/// Access logs as JSON.
pub(crate) static ACCESS_JSON: Service = Service {
    name: "access-json",
    description: "Web servers' access logs as JSON: nginx, Apache, Caddy, Traefik, Logstash",
    unwrapped: &[],
    named: &[],
    rename: |_| None,
    is_record,
    is_table: |_| false,
    describe,
};

/// Names in use, and what they are called in W3C logs. Of several for one, the first here that a record has.
const NAMES: &[(&str, &str)] = &[
    ("remote_addr", "c-ip"),
    ("remote_ip", "c-ip"),
    ("remoteIP", "c-ip"),
    ("remoteip", "c-ip"),
    ("remote_host", "c-ip"),
    ("client_ip", "c-ip"),
    ("clientip", "c-ip"),
    ("ClientHost", "c-ip"),
    ("ClientAddr", "c-ip"),
    ("request.client_ip", "c-ip"),
    ("request.remote_ip", "c-ip"),
    ("request.remote_addr", "c-ip"),
    ("request_method", "cs-method"),
    ("method", "cs-method"),
    ("verb", "cs-method"),
    ("RequestMethod", "cs-method"),
    ("request.method", "cs-method"),
    ("request_uri", TARGET),
    ("RequestPath", TARGET),
    ("request.uri", TARGET),
    ("request", TARGET),
    ("url", TARGET),
    ("uri", TARGET),
    ("path", TARGET),
    ("args", ARGUMENTS),
    ("query_string", ARGUMENTS),
    ("query", ARGUMENTS),
    ("server_protocol", "cs-version"),
    ("protocol", "cs-version"),
    ("httpversion", "cs-version"),
    ("RequestProtocol", "cs-version"),
    ("request.proto", "cs-version"),
    ("status", "sc-status"),
    ("response", "sc-status"),
    ("DownstreamStatus", "sc-status"),
    ("body_bytes_sent", "sc-bytes"),
    ("bytes_sent", "sc-bytes"),
    ("bytes", "sc-bytes"),
    ("DownstreamContentSize", "sc-bytes"),
    ("size", "sc-bytes"),
    ("http_referer", "cs(Referer)"),
    ("http_referrer", "cs(Referer)"),
    ("referer", "cs(Referer)"),
    ("referrer", "cs(Referer)"),
    ("request_Referer", "cs(Referer)"),
    ("request.headers.Referer", "cs(Referer)"),
    ("http_user_agent", "cs(User-Agent)"),
    ("user_agent", "cs(User-Agent)"),
    ("userAgent", "cs(User-Agent)"),
    ("agent", "cs(User-Agent)"),
    ("request_User-Agent", "cs(User-Agent)"),
    ("request.headers.User-Agent", "cs(User-Agent)"),
    ("http_host", "cs-host"),
    ("server_name", "cs-host"),
    ("vhost", "cs-host"),
    ("RequestHost", "cs-host"),
    ("request.host", "cs-host"),
    ("host", "cs-host"),
    ("remote_user", "cs-username"),
    ("user", "cs-username"),
    ("ClientUsername", "cs-username"),
    ("user_id", "cs-username"),
    ("ja3", "x-ja3"),
    ("ssl_ja3", "x-ja3"),
    ("http_ssl_ja3_hash", "x-ja3"),
    ("ja4", "x-ja4"),
    ("ssl_ja4", "x-ja4"),
];

const TARGET: &str = "cs-uri-query";
const ARGUMENTS: &str = "cs-query";

/// Names of the time, the most exact first.
const TIMES: [&str; 9] = [
    "time_iso8601",
    "StartUTC",
    "msec",
    "ts",
    "@timestamp",
    "timestamp",
    "time",
    "time_local",
    "StartLocal",
];

/// Names of how long an answer took, and how many milliseconds one is.
const DURATIONS: [(&str, f64); 4] = [
    ("request_time", 1_000.0),
    ("duration", 1_000.0),
    ("Duration", 1e-6),
    ("request_time_ms", 1.0),
];

fn is_record(fields: &[Field<'_>]) -> bool {
    let says = |w3c: &str| {
        let mut names = NAMES.iter().filter(|(_, own)| *own == w3c);
        names.any(|(name, _)| fields.iter().any(|field| field.name == *name))
    };
    let request = fields.iter().find(|field| field.name == "request");
    let is_line = request
        .and_then(|field| field.value.as_str())
        .is_some_and(|line| request_parts(line).0 != "-");
    let has_time = TIMES
        .iter()
        .any(|name| fields.iter().any(|field| field.name == *name));
    has_time && says("c-ip") && says("sc-status") && says(TARGET) && (is_line || says("cs-method"))
}

fn describe(event: &mut Event<'_>) {
    event.class = Class::HTTP_ACTIVITY;
    event.source.product = "webserver";
    event.source.channel = Cow::Borrowed("access");
    event.time = TIMES
        .iter()
        .filter_map(|name| event.get(name))
        .find_map(|value| read_time(value).or_else(|| apache_time(value.as_str()?)))
        .unwrap_or_default();
    let taken = DURATIONS.iter().find_map(|(name, millis)| {
        let text = event.get(name)?.to_text()?;
        Some(text.parse::<f64>().ok()? * millis)
    });
    for (name, own) in NAMES {
        if event.fields.iter().any(|field| field.name == *own) {
            continue;
        }
        if let Some(field) = event.fields.iter_mut().find(|field| field.name == *name) {
            field.name = Cow::Borrowed(own);
            // Caddy writes each header as a list.
            if let Value::List(values) = &mut field.value
                && values.len() == 1
                && let Some(only) = values.pop()
            {
                field.value = only;
            }
        }
    }
    name_the_request(event);
    if let Some(millis) = taken {
        event
            .fields
            .push(Field::new("time-taken", format!("{millis:.0}")));
    }
    fill_columns(event, role);
}

/// Takes a request line apart; puts path and query together where they are apart.
fn name_the_request(event: &mut Event<'_>) {
    let Some(target) = event.get(TARGET).and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    let (method, own_target, version) = match request_parts(&target) {
        ("-", ..) => ("", target.as_str(), ""),
        parts => parts,
    };
    let query = event.get(ARGUMENTS).and_then(Value::as_str).unwrap_or_default();
    let query = query.trim_start_matches('?');
    let whole = match own_target.contains('?') || matches!(query, "" | "-") {
        true => own_target.to_owned(),
        false => format!("{own_target}?{query}"),
    };
    let path = whole.split(['?', '#']).next().unwrap_or_default().to_owned();
    if let Some(field) = event.fields.iter_mut().find(|field| field.name == TARGET) {
        field.value = Value::from(whole);
    }
    event.fields.push(Field::new("cs-uri-stem", path));
    for (name, value) in [("cs-method", method), ("cs-version", version)] {
        if !value.is_empty() && event.get(name).is_none() {
            event.fields.push(Field::new(name, value.to_owned()));
        }
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "c-ip" => (Column::SrcIp, 0),
        "cs-method" => (Column::Action, 0),
        TARGET => (Column::Url, 0),
        "sc-status" => (Column::Status, 0),
        "cs(User-Agent)" => (Column::UserAgent, 0),
        "cs-host" => (Column::DstHost, 0),
        "cs-username" => (Column::User, 0),
        _ => return None,
    })
}
