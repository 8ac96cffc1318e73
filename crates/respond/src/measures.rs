//! The measures that plans are made of: `content/respond/measures.toml`, and names that nothing may block.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use blackrod_model::ActionKind;
use serde::Deserialize;

/// One measure of the table.
#[derive(Debug, Deserialize)]
pub(crate) struct Measure {
    pub(crate) id: String,
    pub(crate) kind: ActionKind,
    pub(crate) on: On,
    #[serde(default)]
    pub(crate) techniques: Vec<String>,
    pub(crate) what: String,
    pub(crate) care: String,
}

/// What a measure is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum On {
    Account,
    Host,
    Ip,
    Domain,
    Address,
    Mail,
    Person,
    Estate,
}

impl Measure {
    /// Whether `technique` or its parent calls for it.
    pub(crate) fn answers(&self, technique: &str) -> bool {
        let parent = technique.split('.').next().unwrap_or(technique);
        let mut named = self.techniques.iter();
        named.any(|one| one == technique || one == parent)
    }
}

/// The built-in measures, in the order of the table; a test makes sure that it can be read.
pub(crate) static MEASURES: LazyLock<Vec<Measure>> = LazyLock::new(|| {
    #[derive(Default, Deserialize)]
    struct Table {
        measure: Vec<Measure>,
    }
    table::<Table>(include_str!("../../../content/respond/measures.toml")).measure
});

/// Whether `domain` belongs to a service that many use: public mail, mass mail, what honest traffic is full of.
pub fn is_shared(domain: &str) -> bool {
    let mut zone = domain;
    loop {
        if SHARED.contains(zone) {
            return true;
        }
        match zone.split_once('.') {
            Some((_, above)) => zone = above,
            None => return false,
        }
    }
}

static SHARED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    #[derive(Default, Deserialize)]
    struct Services {
        service: Vec<Service>,
    }
    #[derive(Deserialize)]
    struct Service {
        hosts: Vec<String>,
    }
    #[derive(Default, Deserialize)]
    struct Hosts {
        #[serde(rename = "free-mail")]
        free_mail: Vec<String>,
    }
    let services: Services = table(include_str!("../../../content/mail/bulk-services.toml"));
    let hosts: Hosts = table(include_str!("../../../content/mail/hosts.toml"));
    let exceptions = include_str!("../../../content/lists/indicator-exceptions.txt").lines();
    let exceptions = exceptions
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let services = services.service.into_iter().flat_map(|service| service.hosts);
    let mut shared: BTreeSet<String> = exceptions.map(str::to_owned).collect();
    shared.extend(services);
    shared.extend(hosts.free_mail);
    shared
});

fn table<T: serde::de::DeserializeOwned + Default>(text: &str) -> T {
    toml::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use blackrod_model::Technique;

    use super::*;

    #[test]
    fn the_tables_can_be_read_and_name_known_techniques() {
        assert!(MEASURES.len() > 10);
        let ids: BTreeSet<&str> = MEASURES.iter().map(|measure| measure.id.as_str()).collect();
        assert_eq!(ids.len(), MEASURES.len());
        for measure in MEASURES.iter() {
            for technique in &measure.techniques {
                let known = Technique::parse(technique).and_then(|technique| technique.name());
                assert!(known.is_some(), "{}: {technique}", measure.id);
            }
        }
        assert!(is_shared("gmail.com") && is_shared("u1.ct.sendgrid.net") && !is_shared("desk.example"));
    }
}
