//! What is protected: the organisations, people, networks, systems and registers of one estate.

mod csv_people;
mod enrichment;
mod error;
mod index;
mod names;
mod parse;
mod prefix;
mod reader;
mod warnings;

#[cfg(test)]
mod tests;

pub use enrichment::{Enrichment, Hypergeometric, Traits};
pub use error::{EstateError, EstateErrors, Place};
pub use index::Index;
pub use prefix::{InvalidPrefix, Prefix};

/// What is protected. Read from `estate.toml`; people also from CSV.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estate {
    /// The institutions: a parliament, a party, an electoral authority.
    pub organisations: Vec<Organisation>,
    /// What people belong to: committees, caucuses, offices.
    pub groups: Vec<Group>,
    /// The people.
    pub people: Vec<Person>,
    /// Own address ranges.
    pub networks: Vec<Network>,
    /// Servers and services that matter.
    pub systems: Vec<System>,
    /// Registers of personal data: electoral rolls, member lists.
    pub registers: Vec<Register>,
    /// Domains of others with whom the estate writes often.
    pub partners: Vec<Partner>,
}

impl Estate {
    /// An estate file to start from, with a comment on everything in it.
    pub const EXAMPLE: &'static str = include_str!("example.toml");

    /// Reads an estate file. `read_csv` is asked for the text of each file of people that it names,
    /// or for the reason why that cannot be read.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, not the first thing only.
    pub fn parse(
        toml: &str,
        read_csv: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Self, EstateErrors> {
        parse::parse(toml, read_csv)
    }

    /// What is not wrong but probably not meant: a person without any address, a group of one.
    pub fn warnings(&self) -> Vec<String> {
        warnings::warnings(self)
    }
}

/// An institution of the estate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Organisation {
    /// Short name used to refer to it.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Its mail and web domains, lower case.
    pub domains: Vec<String>,
}

/// A group of people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Short name used to refer to it.
    pub id: String,
    /// Full name.
    pub name: String,
}

/// A person of the estate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// Short name used to refer to them; the first address where none is given.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Mail addresses, lower case, own and private ones.
    pub addresses: Vec<String>,
    /// Account names in logs, lower case, without domain.
    pub accounts: Vec<String>,
    /// Ids of the groups they belong to.
    pub groups: Vec<String>,
    /// What they do: `member`, `clerk`, `admin`.
    pub roles: Vec<String>,
    /// Whose office they work for: the id of a person.
    pub office: Option<String>,
    /// The id of their organisation.
    pub organisation: Option<String>,
    /// Whether the national guidance counts them as a high-risk individual.
    pub high_risk: bool,
}

/// An address range of the estate.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// What it is called.
    pub name: String,
    /// Its prefixes.
    pub prefixes: Vec<Prefix>,
}

/// A server or service of the estate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct System {
    /// What it is called.
    pub name: String,
    /// What it does: `exchange`, `domain-controller`, `web`, `database`, `file-server`.
    pub kind: String,
    /// Host names, lower case, with and without domain as logs may write them.
    pub hosts: Vec<String>,
    /// Addresses.
    pub addresses: Vec<std::net::IpAddr>,
}

/// A register of personal data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Register {
    /// What it is called.
    pub name: String,
    /// How many people are in it.
    pub records: u64,
    /// The system that keeps it.
    pub system: Option<String>,
    /// The databases that it belongs in, lower case. Loaded into another, it is a copy.
    pub databases: Vec<String>,
    /// Its tables, lower case, without schema.
    pub tables: Vec<String>,
    /// The column that numbers its records, lower case.
    pub key: Option<String>,
    /// The smallest and the largest number, both included: 1 to `records` where the file does not say.
    pub keys: (i64, i64),
    /// Its columns, as they are called in its tables.
    pub columns: Vec<String>,
    /// Accounts that copy it as their task (backup, printing, replication), lower case.
    pub exporters: Vec<String>,
    /// The hours in which people work with it, UTC, from the first up to but without the second.
    pub hours: (u8, u8),
}

/// Somebody the estate writes with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partner {
    /// What it is called.
    pub name: String,
    /// Its domains, lower case.
    pub domains: Vec<String>,
}
