//! What is known about networks: who runs them, and in which country they are.

use std::net::IpAddr;
use std::path::PathBuf;

use blackrod_model::estate::Prefix;
use blackrod_model::{AccountAct, Estate};
use maxminddb::{Reader, path};
use rustc_hash::{FxHashMap, FxHashSet};

use super::network;

/// Autonomous systems that rent out machines or hide their users.
const HOSTING: &str = include_str!("../../../../content/accounts/hosting-networks.txt");

/// Tables of networks, the institution's own networks, and what follows from them for an address.
#[derive(Default)]
pub struct Networks {
    tables: Vec<Reader<Vec<u8>>>,
    own: Vec<Prefix>,
    hosting: FxHashSet<u32>,
    known: FxHashMap<IpAddr, Place>,
}

/// A table that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the table of networks {}: {source}", path.display())]
pub struct TableError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: maxminddb::MaxMindDbError,
}

/// Where an act came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The autonomous system; 0 where nobody says.
    pub(super) system: u32,
    /// The country, where at least two sources name it and none names another.
    pub(super) country: Option<[u8; 2]>,
    /// Machines for rent, or a service for hiding: no place where people sit.
    pub(super) is_hosting: bool,
    /// The institution's own network.
    pub(super) is_own: bool,
}

/// Addresses remembered; beyond, they are looked up again.
const MAX_KNOWN: usize = 500_000;

impl Networks {
    /// The networks of `estate`, with tables in MaxMind's format (`.mmdb`) of autonomous systems or countries.
    ///
    /// # Errors
    ///
    /// [`TableError`] when a table cannot be read or is none.
    pub fn open(estate: &Estate, tables: &[PathBuf]) -> Result<Self, TableError> {
        let open = |path: &PathBuf| {
            Reader::open_readfile(path).map_err(|source| TableError {
                path: path.clone(),
                source,
            })
        };
        Ok(Self {
            tables: tables.iter().map(open).collect::<Result<_, _>>()?,
            own: estate
                .networks
                .iter()
                .flat_map(|network| network.prefixes.iter().copied())
                .collect(),
            hosting: hosting(HOSTING),
            known: FxHashMap::default(),
        })
    }

    /// Where `act` came from; nothing is known of acts without an address.
    pub(super) fn place(&mut self, act: &AccountAct) -> Place {
        let Some(address) = act.address else {
            return Place::default();
        };
        let key = network(address);
        if let Some(known) = self.known.get(&key)
            && (act.system == 0 || known.system == act.system)
        {
            return *known;
        }
        let place = self.look_up(address, act);
        if self.known.len() < MAX_KNOWN {
            self.known.insert(key, place);
        }
        place
    }

    fn look_up(&self, address: IpAddr, act: &AccountAct) -> Place {
        let mut system = act.system;
        let mut countries: Vec<[u8; 2]> = act.country.as_deref().and_then(two_letters).into_iter().collect();
        for table in &self.tables {
            let Ok(found) = table.lookup(address) else {
                continue;
            };
            if system == 0
                && let Ok(Some(number)) = found.decode_path::<u32>(&path!["autonomous_system_number"])
            {
                system = number;
            }
            let flat = found.decode_path::<&str>(&path!["country_code"]);
            let nested = found.decode_path::<&str>(&path!["country", "iso_code"]);
            let country = flat.ok().flatten().or(nested.ok().flatten());
            countries.extend(country.and_then(two_letters));
        }
        let agreed = match countries.as_slice() {
            [first, others @ ..] if !others.is_empty() && others.iter().all(|other| other == first) => {
                Some(*first)
            }
            _ => None,
        };
        Place {
            system,
            country: agreed,
            is_hosting: self.hosting.contains(&system),
            is_own: self.own.iter().any(|prefix| prefix.contains(address)),
        }
    }
}

fn two_letters(text: &str) -> Option<[u8; 2]> {
    let upper = text.to_ascii_uppercase();
    <[u8; 2]>::try_from(upper.as_bytes()).ok()
}

/// The numbers at the beginnings of lines.
fn hosting(text: &str) -> FxHashSet<u32> {
    text.lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_source_of_a_country_is_not_believed() {
        let mut networks = Networks::open(&Estate::default(), &[]).unwrap();
        let act = AccountAct {
            address: Some("203.0.113.9".parse().unwrap()),
            country: Some("NL".to_owned()),
            system: 16_276,
            ..AccountAct::default()
        };
        let place = networks.place(&act);
        assert_eq!(place.country, None);
        assert!(place.is_hosting, "OVH rents out machines");
        assert_eq!(two_letters("nld"), None);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = Networks::open(&Estate::default(), &[path]).err().unwrap();
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
