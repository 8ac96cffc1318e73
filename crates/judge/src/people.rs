//! Who is who in the estate, looked up by what logs and mail call them.

use std::net::IpAddr;

use blackrod_model::Estate;
use blackrod_model::estate::Person;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::common::{in_prefix, in_zones};

/// The estate, indexed for the questions that judging asks.
pub(crate) struct People<'a> {
    estate: &'a Estate,
    by_address: FxHashMap<&'a str, u32>,
    by_account: FxHashMap<&'a str, u32>,
    own_domains: FxHashSet<&'a str>,
    partner_domains: FxHashSet<&'a str>,
    servers: FxHashSet<&'a str>,
}

impl<'a> People<'a> {
    pub(crate) fn new(estate: &'a Estate) -> Self {
        let mut people = Self {
            estate,
            by_address: FxHashMap::default(),
            by_account: FxHashMap::default(),
            own_domains: estate
                .organisations
                .iter()
                .flat_map(|organisation| &organisation.domains)
                .map(String::as_str)
                .collect(),
            partner_domains: estate
                .partners
                .iter()
                .flat_map(|partner| &partner.domains)
                .map(String::as_str)
                .collect(),
            servers: estate
                .systems
                .iter()
                .flat_map(|system| &system.hosts)
                .map(|host| short_host(host))
                .collect(),
        };
        for (index, person) in (0..).zip(&estate.people) {
            for address in &person.addresses {
                people.by_address.entry(address).or_insert(index);
            }
            for account in &person.accounts {
                people.by_account.entry(account).or_insert(index);
            }
        }
        people
    }

    /// The index of the person who has this mail address.
    pub(crate) fn by_address(&self, address: &str) -> Option<u32> {
        self.by_address.get(address).copied()
    }

    /// The index of the person whose account this is; also where a log writes the account as a
    /// mail address (a user principal name).
    pub(crate) fn by_account(&self, account: &str) -> Option<u32> {
        let known = self.by_account.get(account).copied();
        known.or_else(|| self.by_address(account))
    }

    pub(crate) fn person(&self, index: u32) -> Option<&'a Person> {
        self.estate.people.get(index as usize)
    }

    /// Whether `name` is a domain of the estate or below one.
    pub(crate) fn is_own_domain(&self, name: &str) -> bool {
        in_zones(name, |zone| self.own_domains.contains(zone))
    }

    /// Whether `name` is a domain of somebody the estate often writes with, or below one.
    pub(crate) fn is_partner_domain(&self, name: &str) -> bool {
        in_zones(name, |zone| self.partner_domains.contains(zone))
    }

    /// Whether `address` lies in a network of the estate or is that of one of its systems.
    pub(crate) fn is_own_ip(&self, address: IpAddr) -> bool {
        let networks = &self.estate.networks;
        let mut prefixes = networks.iter().flat_map(|network| &network.prefixes);
        prefixes.any(|prefix| in_prefix(address, prefix.address, prefix.length))
            || self
                .estate
                .systems
                .iter()
                .any(|system| system.addresses.contains(&address))
    }

    /// Whether the host of this short name is a server of the estate, which many people use.
    pub(crate) fn is_server(&self, short_name: &str) -> bool {
        self.servers.contains(short_name)
    }
}

/// A host's name without its domain: logs of one host write it now with, now without.
pub(crate) fn short_host(host: &str) -> &str {
    if host.parse::<IpAddr>().is_ok() {
        return host;
    }
    host.split('.')
        .next()
        .filter(|label| !label.is_empty())
        .unwrap_or(host)
}
