//! Questions that are asked of an estate millions of times.

use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Estate, Person, Prefix, System};

/// An estate, indexed. Names are compared in lower case.
#[derive(Debug)]
pub struct Index<'e> {
    by_address: FxHashMap<&'e str, &'e Person>,
    by_account: FxHashMap<&'e str, &'e Person>,
    by_host: FxHashMap<&'e str, &'e System>,
    by_ip: FxHashMap<IpAddr, &'e System>,
    members: FxHashMap<&'e str, Vec<&'e Person>>,
    domains: FxHashSet<&'e str>,
    prefixes: Vec<Prefix>,
}

impl<'e> Index<'e> {
    /// Indexes `estate`.
    pub fn new(estate: &'e Estate) -> Self {
        let mut index = Self {
            by_address: FxHashMap::default(),
            by_account: FxHashMap::default(),
            by_host: FxHashMap::default(),
            by_ip: FxHashMap::default(),
            members: FxHashMap::default(),
            domains: FxHashSet::default(),
            prefixes: Vec::new(),
        };
        for person in &estate.people {
            for address in &person.addresses {
                index.by_address.insert(address, person);
            }
            for account in &person.accounts {
                index.by_account.insert(account, person);
            }
            for group in &person.groups {
                index.members.entry(group).or_default().push(person);
            }
        }
        for system in &estate.systems {
            for host in &system.hosts {
                index.by_host.insert(host, system);
            }
            for address in &system.addresses {
                index.by_ip.insert(*address, system);
            }
        }
        for organisation in &estate.organisations {
            index
                .domains
                .extend(organisation.domains.iter().map(String::as_str));
        }
        for network in &estate.networks {
            index.prefixes.extend(&network.prefixes);
        }
        index
    }

    /// Who has this mail address.
    pub fn person_by_address(&self, address: &str) -> Option<&'e Person> {
        self.by_address.get(address.to_lowercase().as_str()).copied()
    }

    /// Whose account this is: its bare name, `DOMAIN\name`, or a user principal name.
    pub fn person_by_account(&self, account: &str) -> Option<&'e Person> {
        let lower = account.to_lowercase();
        let bare = lower.rsplit_once('\\').map_or(lower.as_str(), |(_, name)| name);
        if let Some(person) = self.by_account.get(bare) {
            return Some(person);
        }
        let (name, domain) = bare.split_once('@')?;
        let by_address = self.by_address.get(bare);
        let by_own_account = || self.by_account.get(name).filter(|_| self.is_own_domain(domain));
        by_address.or_else(by_own_account).copied()
    }

    /// The system of this host name, or of the name's first label where the whole is unknown.
    pub fn system_by_host(&self, host: &str) -> Option<&'e System> {
        let lower = host.to_lowercase();
        if let Some(system) = self.by_host.get(lower.as_str()) {
            return Some(system);
        }
        let (short, domain) = lower.split_once('.')?;
        self.by_host
            .get(short)
            .filter(|_| self.is_own_domain(domain))
            .copied()
    }

    /// Whether `host` is a domain of the estate or lies below one.
    pub fn is_own_domain(&self, host: &str) -> bool {
        let lower = host.trim_end_matches('.').to_lowercase();
        let mut name = lower.as_str();
        loop {
            if self.domains.contains(name) {
                return true;
            }
            match name.split_once('.') {
                Some((_, parent)) => name = parent,
                None => return false,
            }
        }
    }

    /// Whether `address` lies in a network of the estate or is that of one of its systems.
    pub fn contains_ip(&self, address: IpAddr) -> bool {
        self.by_ip.contains_key(&address.to_canonical())
            || self.prefixes.iter().any(|prefix| prefix.contains(address))
    }

    /// The people of the group `id`.
    pub fn members_of(&self, id: &str) -> &[&'e Person] {
        self.members.get(id).map_or(&[], Vec::as_slice)
    }
}
