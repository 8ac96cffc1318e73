//! Whom the estate knows, indexed for questions that every message asks.

use std::net::IpAddr;

use rustc_hash::FxHashSet;

use blackrod_model::Estate;
use blackrod_model::estate::Prefix;

use super::lists::Lists;
use super::lookalike::{Kin, Lookalikes, registrable};
use super::names::Names;
use super::with_parents;

/// The estate, its partners and the built-in lists, as the facets of the sender ask for them.
pub(crate) struct Circle {
    pub(crate) lists: Lists,
    pub(crate) names: Names,
    pub(crate) lookalikes: Lookalikes,
    domains: FxHashSet<String>,
    hosts: FxHashSet<String>,
    addresses: FxHashSet<IpAddr>,
    prefixes: Vec<Prefix>,
}

impl Circle {
    /// Indexes `estate` and the built-in lists.
    pub(crate) fn new(estate: &Estate) -> Self {
        let lists = Lists::load();
        let names = Names::new(estate, &lists);
        let own_domains = || {
            estate
                .organisations
                .iter()
                .flat_map(|organisation| &organisation.domains)
        };
        let systems = || estate.systems.iter();
        Self {
            lookalikes: lookalikes(estate, &lists),
            names,
            lists,
            domains: own_domains().cloned().collect(),
            hosts: systems().flat_map(|system| system.hosts.clone()).collect(),
            addresses: systems().flat_map(|system| system.addresses.clone()).collect(),
            prefixes: estate
                .networks
                .iter()
                .flat_map(|network| network.prefixes.clone())
                .collect(),
        }
    }

    /// Whether `host` (lower case) is a domain of the estate or lies below one.
    pub(crate) fn is_own_domain(&self, host: &str) -> bool {
        is_below(host, |name| self.domains.contains(name))
    }

    /// Whether `host` (lower case) is a server of the estate by its name.
    pub(crate) fn is_own_host(&self, host: &str) -> bool {
        self.hosts.contains(host) || self.is_own_domain(host)
    }

    /// Whether `ip` is a server of the estate or lies in its networks.
    pub(crate) fn is_own_ip(&self, ip: IpAddr) -> bool {
        self.addresses.contains(&ip) || self.prefixes.iter().any(|prefix| prefix.contains(ip))
    }

    /// Whether the estate file says what servers there are.
    pub(crate) fn names_servers(&self) -> bool {
        !(self.hosts.is_empty()
            && self.addresses.is_empty()
            && self.prefixes.is_empty()
            && self.domains.is_empty())
    }

    /// Whether `domain` (lower case) gives mail to anybody.
    pub(crate) fn is_free_mail(&self, domain: &str) -> bool {
        self.lists.free_mail.contains(domain)
    }

    /// Whether `domain` is one of `owned`, or lies below one.
    pub(crate) fn is_one_of(domain: &str, owned: &[String]) -> bool {
        is_below(domain, |name| owned.iter().any(|own| own == name))
    }
}

/// Whether two domains belong to one organisation (RFC 7489 3.2: the same registrable domain).
pub(crate) fn same_organisation(a: &str, b: &str) -> bool {
    a == b || registrable(a).is_some_and(|own| registrable(b) == Some(own))
}

/// The domain of an address in lower case, without a final dot.
pub(crate) fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    let domain = domain.trim().trim_end_matches(['.', '>']).to_lowercase();
    (!domain.is_empty()).then_some(domain)
}

fn is_below(host: &str, is_it: impl Fn(&str) -> bool) -> bool {
    with_parents(host).any(is_it)
}

/// The estate's own domains first: the first owner of a name keeps it.
fn lookalikes(estate: &Estate, lists: &Lists) -> Lookalikes {
    let mut index = Lookalikes::new(lists.service_words.iter().cloned());
    for organisation in &estate.organisations {
        organisation
            .domains
            .iter()
            .for_each(|domain| index.add(domain, Kin::Own));
    }
    for partner in &estate.partners {
        partner
            .domains
            .iter()
            .for_each(|domain| index.add(domain, Kin::Partner));
    }
    for known in lists.brands.iter().chain(&lists.press) {
        known
            .domains
            .iter()
            .for_each(|domain| index.add(domain, Kin::Brand));
    }
    for domain in &lists.free_mail {
        index.add(domain, Kin::Brand);
    }
    index
}
