//! Mail and web servers: asked in the form of a known attack, entered, and used afterwards.
//!
//! [`extract::act`] keeps what stands out in a record; all threads do that at once. [`Stream`] takes these acts in the order
//! of time, and what was read in mailboxes, and makes of each server one thing with its evidence listed.

mod attacks;
pub mod extract;
mod pages;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use blackrod_model::{
    AccountAct, ActKind, Entity, EntityKind, Estate, EvidenceId, Finding, FindingId, Reason, ServerAct,
    ServerActKind as Kind, Severity,
};
use rustc_hash::FxHashMap;

pub use attacks::Memory;

/// What the detectors of this module find and miss.
pub const EXPLAIN: &str = include_str!("explain.md");

/// Servers, and signs and clients of one server, that are remembered.
const MAX_SERVERS: usize = 10_000;
const MAX_SIGNS: usize = 2_000;
const MAX_CLIENTS: usize = 1_000;
/// Addresses whose reading of mailboxes is remembered.
const MAX_READERS: usize = 100_000;
/// A page that more clients ask for is one of the site's own.
const FEW_CLIENTS: usize = 3;
/// Findings about one attack on one server, at most: each for one client.
const MAX_PER_ATTACK: usize = 20;

/// Acts in the order of time.
pub struct Stream {
    /// The names of systems by their hosts and addresses.
    names: FxHashMap<String, String>,
    servers: BTreeMap<String, Server>,
    readers: FxHashMap<IpAddr, Reader>,
}

/// What is known of the case beside the acts.
pub struct Surroundings<'a> {
    /// Whether the case holds records of this log: `exchange/httpproxy`, `windows/Security`.
    pub has: &'a dyn Fn(&str) -> bool,
    /// The path of a piece of evidence.
    pub path: &'a dyn Fn(EvidenceId) -> String,
}

/// One server.
#[derive(Default)]
struct Server {
    /// Its name, or the best there is.
    name: String,
    /// By kind and what it was.
    signs: BTreeMap<(Kind, String), Sign>,
}

/// Something that was seen once or more often.
struct Sign {
    first: ServerAct,
    last: ServerAct,
    times: u64,
    sent_unled: u64,
    /// Each client's first act, and how many there were.
    clients: BTreeMap<IpAddr, (ServerAct, u64)>,
    users: BTreeSet<String>,
}

/// What was read from one address.
struct Reader {
    first: AccountAct,
    mailboxes: BTreeSet<String>,
    items: u64,
    folders: u64,
    uncounted: bool,
}

impl Stream {
    /// For the servers of `estate`, and all others.
    pub fn new(estate: &Estate) -> Self {
        let mut names = FxHashMap::default();
        for system in &estate.systems {
            let hosts = system.hosts.iter().map(|host| short(host).to_owned());
            let addresses = system.addresses.iter().map(ToString::to_string);
            for known_as in hosts.chain(addresses) {
                names.insert(known_as, system.name.to_lowercase());
            }
        }
        Self {
            names,
            servers: BTreeMap::new(),
            readers: FxHashMap::default(),
        }
    }

    /// Takes an act. They must come in the order of their times.
    pub fn push(&mut self, act: &ServerAct) {
        let (key, name) = self.server_of(act);
        if !self.servers.contains_key(&key) && self.servers.len() >= MAX_SERVERS {
            return;
        }
        let server = self.servers.entry(key).or_insert_with(|| Server {
            name,
            signs: BTreeMap::new(),
        });
        let kind_and_what = (act.kind, act.what.clone());
        if !server.signs.contains_key(&kind_and_what) && server.signs.len() >= MAX_SIGNS {
            return;
        }
        let sign = server.signs.entry(kind_and_what).or_insert_with(|| Sign {
            first: act.clone(),
            last: act.clone(),
            times: 0,
            sent_unled: 0,
            clients: BTreeMap::new(),
            users: BTreeSet::new(),
        });
        sign.last = act.clone();
        sign.times += 1;
        sign.sent_unled += u64::from(act.sent_unled);
        if let Some(client) = act.client
            && (sign.clients.contains_key(&client) || sign.clients.len() < MAX_CLIENTS)
        {
            sign.clients.entry(client).or_insert_with(|| (act.clone(), 0)).1 += 1;
        }
        if !act.user.is_empty() && sign.users.len() < MAX_CLIENTS {
            sign.users.insert(act.user.clone());
        }
    }

    /// Takes note of who read mailboxes from where. In the order of time.
    pub fn read(&mut self, act: &AccountAct) {
        let is_reading = matches!(
            act.kind,
            ActKind::MailRead | ActKind::MailSynchronised | ActKind::MailReadUncounted
        );
        let Some(address) = act.address.filter(|_| is_reading) else {
            return;
        };
        if !self.readers.contains_key(&address) && self.readers.len() >= MAX_READERS {
            return;
        }
        let reader = self.readers.entry(address).or_insert_with(|| Reader {
            first: act.clone(),
            mailboxes: BTreeSet::new(),
            items: 0,
            folders: 0,
            uncounted: false,
        });
        let items = u64::from(act.items.max(1));
        match act.kind {
            ActKind::MailSynchronised => reader.folders += items,
            ActKind::MailReadUncounted => {
                reader.items += items;
                reader.uncounted = true;
            }
            _ => reader.items += items,
        }
        let mailbox = act.target.as_ref().unwrap_or(&act.user);
        if reader.mailboxes.len() < MAX_CLIENTS {
            reader.mailboxes.insert(mailbox.clone());
        }
    }

    /// What all acts come to: findings about requests and pages, and one for each server that was asked in the form of an
    /// attack or did what servers do not.
    pub fn finish(self, about: &Surroundings<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for server in self.servers.values() {
            verdict::judge(server, &self.readers, about, &mut findings);
        }
        findings
    }

    /// The server that an act is about: by its name in the estate, its host, its address, or else the log that it is in.
    fn server_of(&self, act: &ServerAct) -> (String, String) {
        let host = short(&act.host).to_owned();
        let address = act.address.map(|ip| ip.to_string()).unwrap_or_default();
        let known = self.names.get(&host).or_else(|| self.names.get(&address));
        if let Some(name) = known {
            return (name.clone(), name.clone());
        }
        if !host.is_empty() {
            return (host.clone(), host);
        }
        if !address.is_empty() {
            return (address.clone(), address);
        }
        (format!("log {}", act.evidence), String::new())
    }
}

/// A host's name without its domain; addresses stay whole.
fn short(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() {
        return host;
    }
    host.split('.').next().unwrap_or(host)
}

/// What a detector of this module says about one record.
struct Claim<'a> {
    code: &'static str,
    title: String,
    severity: Severity,
    attack: &'a [&'a str],
    reasons: Vec<Reason>,
    act: &'a ServerAct,
    /// Tells claims of one kind about one record apart.
    detail: String,
}

impl Claim<'_> {
    fn into_finding(self, server: &Server) -> Finding {
        let act = self.act;
        let mut attack: Vec<String> = self.attack.iter().map(|id| (*id).to_owned()).collect();
        attack.sort();
        attack.dedup();
        Finding {
            id: FindingId::new(self.code, self.code, act.evidence, act.at, &self.detail),
            code: self.code.to_owned(),
            rule_id: self.code.to_owned(),
            title: self.title,
            severity: self.severity,
            time: act.time,
            evidence: act.evidence,
            at: act.at,
            class: act.class,
            attack,
            reasons: self.reasons,
            entities: entities(server, act),
        }
    }
}

/// What an act shares with others.
fn entities(server: &Server, act: &ServerAct) -> Vec<Entity> {
    let is_address = server.name.parse::<IpAddr>().is_ok();
    let kind = if is_address {
        EntityKind::Ip
    } else {
        EntityKind::Host
    };
    let file = matches!(act.kind, Kind::PageWritten | Kind::DataPlaced).then_some(act.what.as_str());
    let client = act.client.map(|ip| ip.to_string());
    [
        Entity::new(kind, &server.name),
        client.and_then(|client| Entity::new(EntityKind::Ip, &client)),
        file.and_then(|file| Entity::new(EntityKind::File, file)),
        Entity::new(EntityKind::Account, account(&act.user)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An account without its domain; nothing for the system's own and machines' accounts.
fn account(user: &str) -> &str {
    let bare = user.rsplit(['\\', '/']).next().unwrap_or(user);
    let is_own = matches!(bare, "system" | "network service" | "local service") || bare.ends_with('$');
    if is_own { "" } else { bare }
}

#[cfg(test)]
mod tests;
