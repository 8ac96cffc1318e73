//! From records of web servers' logs to what is kept of them.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hash};
use std::net::IpAddr;

use blackrod_model::{Class, Column, Event, EvidenceId, Fact, Flow, Position, Value};
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::chunk::{Columns, KIND_PARTS, Packer, Requests};
use super::shape;
use crate::clip;

/// How many requests a stretch holds at most. Also bounds what a hostile choice of values can cost: a dictionary is
/// thrown away after so many.
const MOST_ROWS: usize = 16_384;
/// The longest agent kept, in bytes.
const LONGEST_AGENT: usize = 160;
/// From here on a small answer was taken slowly, in seconds.
const SLOW: f64 = 30.0;
/// A small answer, in bytes.
const SMALL: i64 = 64 * 1024;

/// How a request ended whose client did not wait for the answer.
pub(super) const BROKEN_OFF: &str = "broken off by the client";

/// Keeps requests of one log until a stretch is full.
#[derive(Default)]
pub(crate) struct Collector {
    evidence: EvidenceId,
    at: Position,
    last: i64,
    columns: Columns,
    packer: Packer,
    /// By [`Flow::bits`].
    clients: FxHashMap<u128, u32>,
    paths: Dictionary,
    agents: Dictionary,
    words: Dictionary,
    kinds: FxHashMap<[u32; KIND_PARTS], u32>,
    /// Digests of the texts that kinds were made from.
    known_kinds: FxHashMap<u64, u32>,
    scratch: String,
}

impl Collector {
    /// Keeps `event` if it is a request; a stretch that this completes goes to `facts`.
    pub(crate) fn event(&mut self, evidence: EvidenceId, event: &Event<'_>, facts: &mut Vec<Fact>) {
        if event.class != Class::HTTP_ACTIVITY {
            return;
        }
        let Some(request) = Request::of(event) else {
            return;
        };
        if evidence != self.evidence || self.columns.times.len() >= MOST_ROWS {
            self.flush(facts);
        }
        if self.columns.times.is_empty() {
            self.evidence = evidence;
            self.at = event.at;
        }
        self.push(&request);
    }

    /// Hands over what was kept so far.
    pub(crate) fn flush(&mut self, facts: &mut Vec<Fact>) {
        if self.columns.times.is_empty() {
            return;
        }
        let columns = &mut self.columns;
        columns.paths = self.paths.take();
        columns.agents = self.agents.take();
        columns.words = self.words.take();
        let first = columns.times.first().copied().unwrap_or_default();
        let kept = self.packer.pack(columns).and_then(|body| {
            Fact::of(&Requests {
                evidence: self.evidence,
                at: self.at,
                time: blackrod_model::Timestamp::from_seconds(first),
                body,
            })
        });
        facts.extend(kept);
        self.columns.clear();
        self.clients.clear();
        self.kinds.clear();
        self.known_kinds.clear();
        self.last = 0;
    }

    fn push(&mut self, request: &Request<'_>) {
        let columns = &mut self.columns;
        let client = *self.clients.entry(Flow::bits(request.client)).or_insert_with(|| {
            columns.clients.push(request.client);
            columns.clients.len() as u32 - 1
        });
        let scratch = &mut self.scratch;
        let path = self.paths.index_by(request.path, scratch, shape::path);
        let agent = self.agents.index(clip(request.agent, LONGEST_AGENT));
        shape::arguments(request.query, scratch);
        let words = [
            clip(request.host, 100),
            scratch.as_str(),
            clip(referrer(request.referrer), 100),
            clip(request.method, 16),
            clip(request.version, 16),
            clip(&request.status, 8),
            request.ended(),
            clip(request.tls, 64),
        ];
        let digest = FxBuildHasher.hash_one(words);
        let kind = *self.known_kinds.entry(digest).or_insert_with(|| {
            let kind = words.map(|word| self.words.index(word));
            *self.kinds.entry(kind).or_insert_with(|| {
                columns.kinds.push(kind);
                columns.kinds.len() as u32 - 1
            })
        });
        columns.times.push(request.time - self.last);
        self.last = request.time;
        columns.client_of.push(client);
        columns.path_of.push(path);
        columns.agent_of.push(agent);
        columns.kind_of.push(kind);
    }
}

/// Texts and their numbers.
#[derive(Default)]
struct Dictionary {
    texts: Vec<String>,
    numbers: FxHashMap<Box<str>, u32>,
    /// Digests of what texts were made from.
    known: FxHashMap<u64, u32>,
}

impl Dictionary {
    fn index(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The number of what `make` makes of `text`, which is made once.
    fn index_by(&mut self, text: &str, scratch: &mut String, make: fn(&str, &mut String)) -> u32 {
        let digest = FxBuildHasher.hash_one(TextKey(text));
        if let Some(number) = self.known.get(&digest) {
            return *number;
        }
        make(text, scratch);
        let number = self.index(scratch);
        self.known.insert(digest, number);
        number
    }

    fn take(&mut self) -> Vec<String> {
        self.numbers.clear();
        self.known.clear();
        std::mem::take(&mut self.texts)
    }
}

#[derive(Hash)]
struct TextKey<'t>(&'t str);

/// What a record says of a request.
struct Request<'e> {
    time: i64,
    client: IpAddr,
    host: &'e str,
    path: &'e str,
    query: &'e str,
    agent: &'e str,
    referrer: &'e str,
    method: &'e str,
    version: &'e str,
    status: Cow<'e, str>,
    /// HAProxy's two letters on how it ended.
    termination: &'e str,
    win32_status: &'e str,
    tls: &'e str,
    seconds: Option<f64>,
    bytes: Option<&'e Value<'e>>,
}

impl<'e> Request<'e> {
    fn of(event: &'e Event<'_>) -> Option<Self> {
        let time = event.time.seconds()?;
        let text = |column| event.column(column).and_then(|value| value.as_str());
        let client = crate::entities::parse_ip(text(Column::SrcIp)?)?;
        let mut request = Self {
            time,
            client: client.to_canonical(),
            host: text(Column::DstHost).unwrap_or_default(),
            path: text(Column::Url)?,
            query: "",
            agent: "",
            referrer: "",
            method: text(Column::Action).unwrap_or_default(),
            version: "",
            status: event
                .column(Column::Status)
                .and_then(|value| value.to_text())
                .unwrap_or_default(),
            termination: "",
            win32_status: "",
            tls: "",
            seconds: None,
            bytes: None,
        };
        for field in &event.fields {
            let value = || field.value.as_str().unwrap_or_default();
            match field.name.as_ref() {
                "cs-uri-stem" => request.path = value(),
                "cs-uri-query" | "cs-query" => request.query = value(),
                "cs-version" => request.version = value(),
                "cs(User-Agent)" => request.agent = value(),
                "cs(Referer)" | "cs(Referrer)" => request.referrer = value(),
                "time-taken" => request.seconds = number(value()).map(|millis| millis / 1_000.0),
                "sc-bytes" => request.bytes = Some(&field.value),
                "sc-win32-status" => request.win32_status = value(),
                "x-termination-state" => request.termination = value(),
                "x-ja3" | "x-ja4" => request.tls = value(),
                _ => {}
            }
        }
        // Logs of requests write path and query in one; W3C logs apart.
        if let Some((path, query)) = request.path.split_once('?') {
            (request.path, request.query) = (path, query);
        } else if let Some(query) = request.query.strip_prefix(request.path) {
            request.query = query.strip_prefix('?').unwrap_or_default();
        }
        if request.query == "-" {
            request.query = "";
        }
        Some(request)
    }

    /// How it ended, where not as it should.
    fn ended(&self) -> &'static str {
        let is_aborted = self.status == "499"
            || matches!(self.win32_status, "64" | "995" | "1236")
            || self.termination.starts_with('C');
        if is_aborted {
            return BROKEN_OFF;
        }
        let is_small = || {
            let bytes = self.bytes.and_then(Value::as_int);
            bytes.is_none_or(|bytes| bytes < SMALL)
        };
        let is_slow = self.seconds.is_some_and(|seconds| seconds >= SLOW) && is_small();
        if self.status == "408" || self.termination.starts_with('c') || is_slow {
            return "slow client";
        }
        ""
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The host of a referrer, `none` where the client sent none, empty where it is not logged.
fn referrer(text: &str) -> &str {
    if text == "-" {
        return "none";
    }
    let mut colons = memchr::memchr_iter(b':', text.as_bytes());
    let authority = colons.find_map(|colon| text.get(colon..)?.strip_prefix("://"));
    let Some(rest) = authority else {
        return text;
    };
    let end = memchr::memchr3(b'/', b'?', b'#', rest.as_bytes());
    end.and_then(|end| rest.get(..end)).unwrap_or(rest)
}
