//! The lists in `content/mail/`: names that phishing borrows, hosts that anybody can use, mass-mail services.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use blackrod_model::estate::Prefix;

use super::with_parents;

/// An organisation that others claim to be.
#[derive(Debug, Deserialize)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) domains: Vec<String>,
    /// Other names, each enough by itself.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    /// The name is also an ordinary word.
    #[serde(default)]
    pub(crate) word: bool,
}

/// The mail servers of a hosting provider.
#[derive(Debug)]
pub(crate) struct MailHost {
    pub(crate) domains: Vec<String>,
    /// Addresses that only its own servers have.
    pub(crate) prefixes: Vec<Prefix>,
}

/// A mass-mail service.
#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) account: Vec<AccountPlace>,
}

/// Where a message names the sender's account at a mass-mail service.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountPlace {
    #[serde(rename = "in")]
    pub(crate) place: String,
    #[serde(deserialize_with = "regex")]
    pub(crate) pattern: regex::Regex,
}

/// All lists.
pub(crate) struct Lists {
    pub(crate) brands: Vec<Known>,
    pub(crate) press: Vec<Known>,
    pub(crate) service_words: FxHashSet<String>,
    pub(crate) organisation_words: FxHashSet<String>,
    pub(crate) free_mail: FxHashSet<String>,
    pub(crate) mail_hosts: Vec<MailHost>,
    pub(crate) services: Vec<Service>,
    /// For each host of a service the first that has it.
    service_hosts: FxHashMap<String, usize>,
}

#[derive(Default, Deserialize)]
struct Brands {
    brand: Vec<Known>,
}

#[derive(Default, Deserialize)]
struct Press {
    press: Vec<Known>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Words {
    service_words: FxHashSet<String>,
    organisation_words: FxHashSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Hosts {
    free_mail: FxHashSet<String>,
    mail_host: Vec<MailHostText>,
}

#[derive(Deserialize)]
struct MailHostText {
    domains: Vec<String>,
    prefixes: Vec<String>,
}

#[derive(Default, Deserialize)]
struct Services {
    service: Vec<Service>,
}

impl Lists {
    /// The built-in lists.
    pub(crate) fn load() -> Self {
        let brands: Brands = table(include_str!("../../../content/mail/brands.toml"));
        let press: Press = table(include_str!("../../../content/mail/press.toml"));
        let words: Words = table(include_str!("../../../content/mail/words.toml"));
        let hosts: Hosts = table(include_str!("../../../content/mail/hosts.toml"));
        let services: Services = table(include_str!("../../../content/mail/bulk-services.toml"));
        let mail_hosts = hosts.mail_host.into_iter().map(|host| MailHost {
            domains: host.domains,
            prefixes: host
                .prefixes
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect(),
        });
        let mut service_hosts = FxHashMap::default();
        for (number, service) in services.service.iter().enumerate() {
            for host in &service.hosts {
                service_hosts.entry(host.clone()).or_insert(number);
            }
        }
        Self {
            brands: brands.brand,
            press: press.press,
            service_words: words.service_words,
            organisation_words: words.organisation_words,
            free_mail: hosts.free_mail,
            mail_hosts: mail_hosts.collect(),
            services: services.service,
            service_hosts,
        }
    }

    /// Which of the services a host belongs to, or lies below a host of: the first of the list.
    pub(crate) fn service_of(&self, host: &str) -> Option<usize> {
        with_parents(host)
            .filter_map(|name| self.service_hosts.get(name).copied())
            .min()
    }
}

/// A built-in table; a test makes sure that each can be read.
pub(super) fn table<T: DeserializeOwned + Default>(text: &str) -> T {
    toml::from_str(text).unwrap_or_default()
}

fn regex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<regex::Regex, D::Error> {
    let pattern = String::deserialize(deserializer)?;
    regex::RegexBuilder::new(&pattern)
        .case_insensitive(true)
        .build()
        .map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_can_be_read() {
        let lists = Lists::load();
        assert!(lists.brands.len() > 100 && lists.press.len() > 50);
        assert!(lists.service_words.len() > 50 && lists.organisation_words.len() > 50);
        assert!(lists.free_mail.contains("gmail.com"));
        assert!(lists.mail_hosts.iter().all(|host| !host.prefixes.is_empty()));
        assert!(lists.services.len() > 20);
    }

    #[test]
    fn domains_are_registrable_and_lower_case() {
        let lists = Lists::load();
        for known in lists.brands.iter().chain(&lists.press) {
            for domain in &known.domains {
                assert_eq!(&domain.to_lowercase(), domain);
                assert!(
                    psl::domain_str(domain).is_some() || psl::suffix_str(domain).is_some(),
                    "{domain}"
                );
            }
        }
    }
}
