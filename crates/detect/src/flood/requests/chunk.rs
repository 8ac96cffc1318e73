//! Requests, kept column by column.

use std::hash::Hasher as _;
use std::net::IpAddr;

use blackrod_model::{EvidenceId, Keep, Position, Timestamp};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::shape;

/// A stretch of one log: what is compared of each of its requests, compressed. About seven bytes for a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    pub(super) evidence: EvidenceId,
    pub(super) at: Position,
    pub(super) time: Timestamp,
    /// [`Columns`] in postcard's wire format, by Zstandard.
    pub(super) body: Vec<u8>,
}

impl Keep for Requests {
    const KIND: &'static str = "web-requests";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

/// What is kept of requests. Rows refer to dictionaries by index.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Columns {
    pub(super) clients: Vec<IpAddr>,
    pub(super) paths: Vec<String>,
    pub(super) agents: Vec<String>,
    /// What few values exist of, together: indices into `words`.
    pub(super) kinds: Vec<[u32; KIND_PARTS]>,
    pub(super) words: Vec<String>,
    /// Seconds since the row before; the first since the epoch.
    pub(super) times: Vec<i64>,
    pub(super) client_of: Vec<u32>,
    pub(super) path_of: Vec<u32>,
    pub(super) agent_of: Vec<u32>,
    pub(super) kind_of: Vec<u32>,
}

pub(super) const KIND_PARTS: usize = 8;

/// No stretch takes more, in bytes: rows are at most 16,384 and texts are cut.
const MAX_BODY: usize = 64 * 1024 * 1024;

impl Columns {
    /// Forgets the requests, and keeps the room.
    pub(super) fn clear(&mut self) {
        self.clients.clear();
        self.paths.clear();
        self.agents.clear();
        self.kinds.clear();
        self.words.clear();
        self.times.clear();
        self.client_of.clear();
        self.path_of.clear();
        self.agent_of.clear();
        self.kind_of.clear();
    }

    fn unpack(body: &[u8]) -> Option<Self> {
        let length = zstd::zstd_safe::get_frame_content_size(body).ok().flatten()?;
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= MAX_BODY)?;
        let plain = zstd::bulk::decompress(body, length).ok()?;
        postcard::from_bytes(&plain).ok()
    }
}

/// Brings columns into the form that is kept, with tools that are made once.
#[derive(Default)]
pub(super) struct Packer {
    compressor: Option<zstd::bulk::Compressor<'static>>,
    plain: Vec<u8>,
}

impl Packer {
    /// `None` only where serialising or Zstandard refuses, for lack of memory.
    pub(super) fn pack(&mut self, columns: &Columns) -> Option<Vec<u8>> {
        if self.compressor.is_none() {
            self.compressor = zstd::bulk::Compressor::new(1).ok();
        }
        let mut plain = std::mem::take(&mut self.plain);
        plain.clear();
        let plain = postcard::to_extend(columns, plain).ok()?;
        let packed = self.compressor.as_mut()?.compress(&plain).ok();
        self.plain = plain;
        packed
    }
}

/// What requests are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Dim(pub(super) usize);

impl Dim {
    pub(super) const PATH: Self = Self(0);
    pub(super) const PATH_SHAPE: Self = Self(1);
    pub(super) const ARGUMENTS: Self = Self(2);
    pub(super) const ARGUMENTS_SHAPE: Self = Self(3);
    pub(super) const AGENT: Self = Self(4);
    pub(super) const AGENT_FAMILY: Self = Self(5);
    pub(super) const REFERRER: Self = Self(6);
    pub(super) const METHOD: Self = Self(7);
    pub(super) const VERSION: Self = Self(8);
    pub(super) const ENDED: Self = Self(10);
    pub(super) const TLS: Self = Self(11);
    pub(super) const NETWORK: Self = Self(12);
    pub(super) const CLIENT: Self = Self(13);
    pub(super) const COUNT: usize = 14;

    /// All of them.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }

    pub(super) fn name(self) -> &'static str {
        const NAMES: [&str; Dim::COUNT] = [
            "path",
            "shape of the path",
            "arguments",
            "shape of the arguments",
            "agent",
            "kind of agent",
            "referrer",
            "method",
            "version",
            "status",
            "ended",
            "TLS fingerprint",
            "network",
            "client",
        ];
        NAMES.get(self.0).copied().unwrap_or_default()
    }
}

/// A request: a salted digest of each value, 0 where the log says nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) service: u32,
    pub(super) dims: [u32; Dim::COUNT],
    pub(super) is_asset: bool,
    pub(super) has_referrer: bool,
}

impl Row {
    pub(super) fn get(&self, dim: Dim) -> u32 {
        self.dims.get(dim.0).copied().unwrap_or_default()
    }
}

/// A request, as places in the dictionaries of its stretch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) time: i64,
    pub(super) client: usize,
    pub(super) path: usize,
    pub(super) agent: usize,
    pub(super) kind: usize,
}

/// Digests of values. The salt comes from the content of evidence, so that who floods cannot know it, and a second run
/// has the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Salt(u64, u64);

impl Salt {
    pub(super) fn of(evidence: EvidenceId) -> Self {
        let (left, right) = evidence.0.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Self(number(left), number(right))
    }

    /// Of a text; 0 for none.
    pub(super) fn digest(self, text: &[u8]) -> u32 {
        if text.is_empty() {
            return 0;
        }
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write(text);
        (hasher.finish() as u32).max(1)
    }

    fn digest_address(self, address: IpAddr) -> u32 {
        match address {
            IpAddr::V4(v4) => self.digest(&v4.octets()),
            IpAddr::V6(v6) => self.digest(&v6.octets()),
        }
    }
}

/// A stretch, opened: each dictionary's values as digests.
pub(super) struct Chunk {
    columns: Columns,
    label: String,
    clients: Vec<[u32; 2]>,
    paths: Vec<([u32; 2], bool)>,
    agents: Vec<[u32; 2]>,
    kinds: Vec<Kind>,
}

struct Kind {
    service: u32,
    arguments: [u32; 2],
    /// Referrer, method, version, status, ended, TLS.
    rest: [u32; 6],
    has_referrer: bool,
}

impl Chunk {
    /// `label` names the log, for requests whose host is not logged. `None` where what was kept is not whole.
    pub(super) fn open(requests: &Requests, salt: Salt, label: String) -> Option<Self> {
        let columns = Columns::unpack(&requests.body)?;
        let both =
            |value: &str, shape: String| [salt.digest(value.as_bytes()), salt.digest(shape.as_bytes())];
        let kinds = columns.kinds.iter().map(|kind| {
            let words = kind.map(|word| columns.words.get(word as usize).map_or("", String::as_str));
            let [host, arguments, rest @ ..] = words;
            let service = if host.is_empty() { label.as_str() } else { host };
            Kind {
                service: salt.digest(service.as_bytes()).max(1),
                arguments: both(arguments, shape::arguments_shape(arguments)),
                rest: rest.map(|word| salt.digest(word.as_bytes())),
                has_referrer: rest
                    .first()
                    .is_some_and(|referrer| !matches!(*referrer, "" | "none")),
            }
        });
        Some(Self {
            clients: columns
                .clients
                .iter()
                .map(|client| {
                    [
                        salt.digest_address(network(*client)),
                        salt.digest_address(*client),
                    ]
                })
                .collect(),
            paths: columns
                .paths
                .iter()
                .map(|path| (both(path, shape::path_shape(path)), shape::is_asset(path)))
                .collect(),
            agents: columns
                .agents
                .iter()
                .map(|agent| both(agent, shape::agent_family(agent)))
                .collect(),
            kinds: kinds.collect(),
            columns,
            label,
        })
    }

    /// Hands each request to `visit`, as places in the dictionaries. What refers to a place that is not there is left out.
    pub(super) fn each_request(&self, visit: &mut dyn FnMut(Request)) {
        let columns = &self.columns;
        let mut time = 0;
        let rows = columns
            .times
            .iter()
            .zip(&columns.client_of)
            .zip(&columns.path_of)
            .zip(&columns.agent_of)
            .zip(&columns.kind_of);
        for ((((since, client), path), agent), kind) in rows {
            time += since;
            let request = Request {
                time,
                client: *client as usize,
                path: *path as usize,
                agent: *agent as usize,
                kind: *kind as usize,
            };
            let is_whole = request.client < self.clients.len()
                && request.path < self.paths.len()
                && request.agent < self.agents.len()
                && request.kind < self.kinds.len();
            if is_whole {
                visit(request);
            }
        }
    }

    /// All that is compared of a request, and its client's address.
    pub(super) fn row(&self, request: Request) -> Option<(Row, IpAddr)> {
        let [network, client] = *self.clients.get(request.client)?;
        let ([path, path_shape], is_asset) = *self.paths.get(request.path)?;
        let [agent, agent_family] = *self.agents.get(request.agent)?;
        let kind = self.kinds.get(request.kind)?;
        let [arguments, arguments_shape] = kind.arguments;
        let [referrer, method, version, status, ended, tls] = kind.rest;
        let row = Row {
            time: request.time,
            service: kind.service,
            dims: [
                path,
                path_shape,
                arguments,
                arguments_shape,
                agent,
                agent_family,
                referrer,
                method,
                version,
                status,
                ended,
                tls,
                network,
                client,
            ],
            is_asset,
            has_referrer: kind.has_referrer,
        };
        Some((row, *self.columns.clients.get(request.client)?))
    }

    /// The service that requests of a kind went to.
    pub(super) fn service(&self, kind: usize) -> Option<u32> {
        self.kinds.get(kind).map(|kind| kind.service)
    }

    /// A client's value.
    pub(super) fn client(&self, index: usize) -> Option<u32> {
        self.clients.get(index).map(|[_, client]| *client)
    }

    /// A path's value.
    pub(super) fn path(&self, index: usize) -> Option<u32> {
        self.paths.get(index).map(|([path, _], _)| *path)
    }

    /// An agent's value.
    pub(super) fn agent(&self, index: usize) -> Option<u32> {
        self.agents.get(index).map(|[agent, _]| *agent)
    }

    /// How requests of a kind ended.
    pub(super) fn ended(&self, kind: usize) -> Option<u32> {
        let [.., ended, _] = self.kinds.get(kind)?.rest;
        Some(ended)
    }

    /// The text of a value, if it occurs here.
    pub(super) fn text(&self, dim: Dim, digest: u32) -> Option<String> {
        let columns = &self.columns;
        let at = |values: &[[u32; 2]], part: usize| {
            values.iter().position(|value| value.get(part) == Some(&digest))
        };
        let word = |place: usize, shape: bool| {
            let value = |kind: &Kind| match place {
                1 => kind.arguments.get(usize::from(shape)).copied(),
                place => kind.rest.get(place - 2).copied(),
            };
            let index = self.kinds.iter().position(|kind| value(kind) == Some(digest))?;
            let word = *columns.kinds.get(index)?.get(place)?;
            columns.words.get(word as usize)
        };
        Some(match dim {
            Dim::PATH | Dim::PATH_SHAPE => {
                let index = self
                    .paths
                    .iter()
                    .position(|(path, _)| path.get(dim.0) == Some(&digest))?;
                let path = columns.paths.get(index)?;
                if dim == Dim::PATH {
                    path.clone()
                } else {
                    shape::path_shape(path)
                }
            }
            Dim::ARGUMENTS => word(1, false)?.clone(),
            Dim::ARGUMENTS_SHAPE => shape::arguments_shape(word(1, true)?),
            Dim::AGENT => columns.agents.get(at(&self.agents, 0)?)?.clone(),
            Dim::AGENT_FAMILY => shape::agent_family(columns.agents.get(at(&self.agents, 1)?)?),
            Dim::NETWORK => network_text(*columns.clients.get(at(&self.clients, 0)?)?),
            Dim::CLIENT => columns.clients.get(at(&self.clients, 1)?)?.to_string(),
            dim => word(dim.0 - Dim::REFERRER.0 + 2, false)?.clone(),
        })
    }

    /// The name of a service, if it occurs here.
    pub(super) fn service_name(&self, service: u32) -> Option<&str> {
        let index = self.kinds.iter().position(|kind| kind.service == service)?;
        let host = *self.columns.kinds.get(index)?.first()?;
        let host = self.columns.words.get(host as usize)?;
        Some(if host.is_empty() { &self.label } else { host })
    }
}

/// The network of an address: /24 of IPv4, /48 of IPv6.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            IpAddr::from([a, b, c, 0, 0, 0, 0, 0])
        }
    }
}

fn network_text(address: IpAddr) -> String {
    let length = if address.is_ipv4() { 24 } else { 48 };
    format!("{}/{length}", network(address))
}
