//! Which logs hold what rules call a log source.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::alias::Alias;

/// The table, as data: adding a log source takes no Rust.
const TABLE: &str = include_str!("../../../../content/sigma/logsources.toml");

/// Log sources of all products that have a table.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct LogSources {
    products: BTreeMap<String, Product>,
}

/// Log sources of one product.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    /// Sigma's `service`: the logs that it stands for.
    services: BTreeMap<String, Service>,
    /// Sigma's `category`: the records that it stands for.
    categories: BTreeMap<String, Vec<Records>>,
    /// Other names for fields.
    #[serde(default)]
    aliases: Vec<AliasGroup>,
    /// From a channel, or where a record names none from a provider, to the channel's name in the table.
    #[serde(skip)]
    logs: FxHashMap<String, Box<str>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    channels: Vec<String>,
    /// The provider by which to know the log where a record names no channel.
    provider: Option<String>,
}

/// Some records of a service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Records {
    service: String,
    /// Event ids; all where empty.
    #[serde(default)]
    pub(super) events: Vec<u32>,
    /// Texts that fields must have for the record to count.
    #[serde(default, rename = "where")]
    pub(super) condition: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasGroup {
    service: String,
    /// Event ids; all where empty.
    #[serde(default)]
    events: Vec<u32>,
    fields: Vec<Alias>,
}

impl LogSources {
    /// The table that blackrod comes with.
    pub(super) fn builtin() -> Self {
        let mut table: Self = toml::from_str(TABLE).unwrap_or_default();
        for product in table.products.values_mut() {
            product.index();
        }
        table
    }

    /// The table of a product.
    pub(super) fn product(&self, name: &str) -> Option<&Product> {
        self.products.get(name)
    }

    /// All tables.
    pub(super) fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }
}

impl Product {
    fn index(&mut self) {
        let by_provider = self.services.values().filter_map(|service| {
            let channel = service.channels.first()?;
            Some((service.provider.as_ref()?, channel))
        });
        let by_channel = self
            .services
            .values()
            .flat_map(|service| service.channels.iter().map(|channel| (channel, channel)));
        self.logs = by_provider
            .chain(by_channel)
            .map(|(name, channel)| (name.to_lowercase(), channel.to_lowercase().into()))
            .collect();
    }

    /// The table's name for a log, or an empty one for a log that is not in the table.
    pub(super) fn log(&self, channel: &str, provider: &str) -> &str {
        let name = if channel.is_empty() { provider } else { channel };
        self.logs.get(&name.to_lowercase()).map_or("", |log| log)
    }

    /// Whether the table knows the service.
    pub(super) fn has_service(&self, service: &str) -> bool {
        self.services.contains_key(service)
    }

    /// Whether a service stands for a log, by the table's name for it.
    pub(super) fn is_in(&self, service: &str, log: &str) -> bool {
        self.services.get(service).is_some_and(|service| {
            service
                .channels
                .iter()
                .any(|channel| channel.to_lowercase() == log)
        })
    }

    /// The records of a category, if the table knows it.
    pub(super) fn category(&self, category: &str) -> Option<&[Records]> {
        self.categories.get(category).map(Vec::as_slice)
    }

    /// The records of `category` that stand in `log` under `event_id`.
    pub(super) fn records<'t>(
        &'t self,
        category: &str,
        log: &'t str,
        event_id: u32,
    ) -> impl Iterator<Item = &'t Records> {
        self.category(category)
            .unwrap_or_default()
            .iter()
            .filter(move |records| {
                self.is_in(&records.service, log)
                    && (records.events.is_empty() || records.events.contains(&event_id))
            })
    }

    /// All records of all categories.
    pub(super) fn all_records(&self) -> impl Iterator<Item = &Records> {
        self.categories.values().flatten()
    }

    /// The event ids that aliases speak of.
    pub(super) fn alias_events(&self) -> impl Iterator<Item = u32> {
        self.aliases.iter().flat_map(|group| group.events.iter().copied())
    }

    /// Other names for the fields of records in `log` under `event_id`.
    pub(super) fn aliases(&self, log: &str, event_id: Option<u32>) -> Vec<Alias> {
        self.aliases
            .iter()
            .filter(|group| {
                let is_among = event_id.is_some_and(|event_id| group.events.contains(&event_id));
                self.is_in(&group.service, log) && (group.events.is_empty() || is_among)
            })
            .flat_map(|group| group.fields.iter().cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_builtin_table_is_well_formed() {
        let table: LogSources = toml::from_str(TABLE).unwrap();
        assert!(table.products.len() >= 7, "{:?}", table.products.keys());
        for product in table.products.values() {
            for records in product.all_records() {
                assert!(product.has_service(&records.service), "{}", records.service);
            }
            for group in &product.aliases {
                assert!(product.has_service(&group.service), "{}", group.service);
            }
        }
    }

    #[test]
    fn a_log_is_known_by_its_channel_and_without_one_by_its_provider() {
        let table = LogSources::builtin();
        let windows = table.product("windows").unwrap();
        let sysmon = "microsoft-windows-sysmon/operational";
        assert_eq!(windows.log("Microsoft-Windows-Sysmon/Operational", ""), sysmon);
        assert_eq!(windows.log("", "Microsoft-Windows-Sysmon"), sysmon);
        assert_eq!(
            windows.log("Nobody-Knows/Operational", "Microsoft-Windows-Sysmon"),
            ""
        );
    }
}
