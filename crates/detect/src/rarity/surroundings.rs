//! What stands around a command: whether what it names lies outside the estate, and whether its host was silent before.

use std::net::IpAddr;

use blackrod_model::estate;
use blackrod_model::process::{ProcessFacts, Traits};
use blackrod_model::{Estate, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::HOUR;
use super::lately::since;
use super::score::Term;

/// The most hosts, and the most accounts, that are remembered.
const MOST: usize = 100_000;

/// The estate, and how regularly each host writes.
pub(super) struct Surroundings<'e> {
    estate: estate::Index<'e>,
    /// The first labels of the names of all systems.
    servers: FxHashSet<String>,
    roles: FxHashMap<String, Option<String>>,
    hosts: FxHashMap<String, Pulse>,
}

/// How regularly a host writes.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    first: Timestamp,
    last: Timestamp,
    longest: i64,
}

impl<'e> Surroundings<'e> {
    pub(super) fn new(estate: &'e Estate) -> Self {
        let hosts = estate.systems.iter().flat_map(|system| &system.hosts);
        let first_label = |host: &String| host.split('.').next().unwrap_or(host).to_lowercase();
        Self {
            servers: hosts.map(first_label).collect(),
            estate: estate::Index::new(estate),
            roles: FxHashMap::default(),
            hosts: FxHashMap::default(),
        }
    }

    /// What the estate says that `user` does.
    pub(super) fn role_of(&mut self, user: &str) -> Option<String> {
        if let Some(known) = self.roles.get(user) {
            return known.clone();
        }
        let person = self.estate.person_by_account(user);
        let role = person.and_then(|person| person.roles.first().cloned());
        if self.roles.len() < MOST {
            self.roles.insert(user.to_owned(), role.clone());
        }
        role
    }

    /// Whether the command names something outside the estate. Only where the estate says what is inside.
    pub(super) fn outside(&self, facts: &ProcessFacts) -> Option<Term> {
        let names_something = Traits::URL
            .with(Traits::UNC)
            .with(Traits::REMOTE)
            .with(Traits::ADDRESS);
        if !facts.traits.any(names_something) {
            return None;
        }
        if let Some(target) = facts.targets.iter().find(|target| self.is_inside(target)) {
            return Some(Term {
                what: format!("{target} is inside the estate"),
                value: -1.0,
            });
        }
        let outside = facts
            .targets
            .iter()
            .find(|target| match target.parse::<IpAddr>() {
                Ok(address) => !is_private(address),
                Err(_) => target.contains('.'),
            })?;
        Some(Term {
            what: format!("{outside} is outside the estate"),
            value: 0.5,
        })
    }

    fn is_inside(&self, target: &str) -> bool {
        match target.parse::<IpAddr>() {
            Ok(address) => self.estate.contains_ip(address),
            Err(_) => self.estate.is_own_domain(target) || self.estate.system_by_host(target).is_some(),
        }
    }

    /// Whether both are workstations, as far as the estate says which machines are not.
    pub(super) fn are_workstations(&self, host: &str, peer: &str) -> bool {
        let may_be = |name: &str| name.parse::<IpAddr>().is_err() && !self.servers.contains(name);
        !self.servers.is_empty() && may_be(host) && may_be(peer)
    }

    /// A host that always writes was silent for longer than ever before.
    pub(super) fn silence(&mut self, facts: &ProcessFacts) -> Option<Term> {
        const LEAST: i64 = 2 * HOUR;
        const KNOWN: i64 = 5 * 24 * HOUR;
        let Some(pulse) = self.hosts.get_mut(&facts.host) else {
            if self.hosts.len() < MOST {
                let pulse = Pulse {
                    first: facts.time,
                    last: facts.time,
                    longest: 0,
                };
                self.hosts.insert(facts.host.clone(), pulse);
            }
            return None;
        };
        let gap = since(pulse.last, facts.time);
        let (before, known) = (pulse.longest, since(pulse.first, pulse.last));
        pulse.longest = before.max(gap);
        pulse.last = pulse.last.max(facts.time);
        let is_odd = known > KNOWN && gap > LEAST && gap > 3 * before.max(HOUR / 4);
        is_odd.then(|| Term {
            what: format!(
                "the host's log was silent for {} hours before, never over {:.1}",
                gap / HOUR,
                before as f64 / HOUR as f64
            ),
            value: 1.5,
        })
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}
