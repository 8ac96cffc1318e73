//! A flood: requests or packets that are meant to keep others out.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// A flood against one service, with what tells it from ordinary traffic and what would keep it out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Flood {
    /// Its name within the case; the same for the same flood.
    pub key: String,
    /// What it is, in a few words.
    pub title: String,
    /// What it is counted in.
    #[serde(default)]
    pub unit: Unit,
    /// What it was sent to: a virtual host, or a log where none is logged; an address or a network.
    pub service: String,
    /// When it begins: for requests the first ten seconds that are above chance, for packets the first of them.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// By when there was enough of it to be called a flood.
    pub seen: Timestamp,
    /// How many requests or packets it came to.
    pub requests: u64,
    /// Requests a second, at most, over ten seconds; packets a second, at most, over a minute.
    pub peak: f64,
    /// As many a second are usual there at that time.
    pub usual: f64,
    /// What `usual` was learned from, in words.
    pub learned_from: String,
    /// What tells its requests from others.
    pub fingerprint: Vec<Trait>,
    /// How many addresses sent it; an estimate beyond 65,536.
    pub sources: u64,
    /// How many networks (/24, /48) these are in.
    pub networks: u64,
    /// The addresses that sent most of it, with their requests.
    pub loudest: Vec<(String, u64)>,
    /// Why it is called a flood and not a crowd.
    pub signs: Vec<String>,
    /// What would keep it out; the one to prefer first.
    pub filters: Vec<Filter>,
    /// Its course.
    pub plot: Plot,
}

/// What a flood is counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Requests, as servers log them.
    #[default]
    Requests,
    /// Packets, as flows and captures count them.
    Packets,
}

impl Unit {
    /// The word for one: `packet`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requests => "request",
            Self::Packets => "packet",
        }
    }
}

/// Something that the requests of a flood have in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    /// What was compared: `path`, `agent`.
    pub dimension: String,
    /// The value.
    pub value: String,
    /// The share of what is ordinary there that has it too; `None` where nothing ordinary is known.
    pub usual: Option<f64>,
}

/// Something that keeps a flood out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// What it goes by, in words: `what its requests have in common`.
    pub by: String,
    /// What to put where, as text for one product each.
    pub rules: Vec<Rule>,
    /// When it should be taken out again.
    pub expires: Timestamp,
    /// The share of the flood's requests that it keeps out.
    pub stops: f64,
    /// How many requests or packets outside the flood it was replayed over.
    pub replayed_requests: u64,
    /// How many of these it would have blocked.
    pub blocked_requests: u64,
    /// How many clients outside the flood it was replayed over, 0 where that is not known; an estimate beyond 65,536.
    pub replayed_clients: u64,
    /// How many of these it would have blocked at least once.
    pub blocked_clients: u64,
}

impl Filter {
    /// The share of what is ordinary that it would have blocked.
    pub fn harm(&self) -> f64 {
        self.blocked_requests as f64 / (self.replayed_requests.max(1)) as f64
    }
}

/// The text of a filter for one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// `nginx`, `HAProxy`, `nftables`, `FlowSpec`.
    pub product: String,
    /// Its configuration.
    pub text: String,
}

/// The course of a flood, in steps of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plot {
    /// When the first step begins.
    pub start: Timestamp,
    /// The length of a step.
    pub step_seconds: u32,
    /// What came to the service in each step.
    pub rate: Vec<u32>,
    /// What is usual in each step.
    pub usual: Vec<u32>,
    /// What the preferred filter leaves in each step.
    pub left: Vec<u32>,
}
