//! Reading an estate file.

use std::collections::HashMap;
use std::net::IpAddr;

use toml::de::DeTable;

use super::csv_people;
use super::error::{EstateError, EstateErrors, Place};
use super::names;
use super::reader::{Fields, Placed, place_of};
use super::{Estate, Group, Network, Organisation, Partner, Person, Prefix, Register, System};

/// See [`Estate::parse`].
pub(super) fn parse(
    source: &str,
    read_csv: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<Estate, EstateErrors> {
    let (document, faults) = DeTable::parse_recoverable(source);
    let mut draft = Draft::default();
    for fault in faults {
        let span = fault.span().unwrap_or_default();
        draft.errors.push(EstateError {
            place: place_of(source, &span, String::new()),
            problem: format!("not TOML: {}", fault.message()),
            mend: "see https://toml.io, or compare with `blackrod estate example`".to_owned(),
        });
    }
    // What is left of a file with faults of its form would only seem to be wrong.
    if draft.errors.is_empty() {
        draft.read(Fields::new(source, &document, ""), read_csv);
        draft.check_names();
    }
    draft.finish()
}

/// A person as written, before the parts are checked.
#[derive(Debug)]
pub(super) struct WrittenPerson {
    pub(super) place: Place,
    pub(super) id: Option<Placed<String>>,
    pub(super) name: Option<Placed<String>>,
    pub(super) addresses: Vec<Placed<String>>,
    pub(super) accounts: Vec<Placed<String>>,
    pub(super) groups: Vec<Placed<String>>,
    pub(super) roles: Vec<Placed<String>>,
    pub(super) office: Option<Placed<String>>,
    pub(super) organisation: Option<Placed<String>>,
    pub(super) high_risk: bool,
}

/// An estate in the making.
#[derive(Default)]
pub(super) struct Draft {
    estate: Estate,
    pub(super) errors: Vec<EstateError>,
    /// Names that have to be unique, by what they name.
    declared: Vec<(Kind, Placed<String>)>,
    /// Names that have to be declared somewhere.
    references: Vec<(Kind, Placed<String>)>,
}

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Organisation,
    Group,
    Person,
    System,
    Address,
    Account,
    Domain,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Group => "group",
            Self::Person => "person",
            Self::System => "system",
            Self::Address => "address",
            Self::Account => "account",
            Self::Domain => "domain",
        }
    }
}

impl Draft {
    fn read(&mut self, mut file: Fields<'_, '_>, read_csv: &mut dyn FnMut(&str) -> Result<String, String>) {
        for table in file.tables("organisation", &mut self.errors) {
            self.organisation(table);
        }
        for table in file.tables("group", &mut self.errors) {
            self.group(table);
        }
        for table in file.tables("person", &mut self.errors) {
            self.person(table);
        }
        if let Some(mut people) = file.table("people", &mut self.errors) {
            for name in people.texts("csv", &mut self.errors) {
                match read_csv(&name.value) {
                    Ok(text) => csv_people::read(&name.value, &text, self),
                    Err(reason) => self.error(name.place, format!("cannot read it: {reason}"), {
                        "the name is looked up from the folder of the estate file".to_owned()
                    }),
                }
            }
            people.finish(&mut self.errors);
        }
        for table in file.tables("network", &mut self.errors) {
            self.network(table);
        }
        for table in file.tables("system", &mut self.errors) {
            self.system(table);
        }
        for table in file.tables("register", &mut self.errors) {
            self.register(table);
        }
        for table in file.tables("partner", &mut self.errors) {
            self.partner(table);
        }
        file.finish(&mut self.errors);
    }

    fn organisation(&mut self, mut table: Fields<'_, '_>) {
        let id = table.required("id", &mut self.errors);
        let name = table.text("name", &mut self.errors);
        let domains = table.texts("domains", &mut self.errors);
        table.finish(&mut self.errors);
        let id = self.declare(Kind::Organisation, id);
        let domains = self.declare_all(Kind::Domain, domains, names::domain);
        self.estate.organisations.push(Organisation {
            name: name.map_or_else(|| id.clone(), |name| name.value),
            id,
            domains,
        });
    }

    fn group(&mut self, mut table: Fields<'_, '_>) {
        let id = table.required("id", &mut self.errors);
        let name = table.text("name", &mut self.errors);
        table.finish(&mut self.errors);
        let id = self.declare(Kind::Group, id);
        self.estate.groups.push(Group {
            name: name.map_or_else(|| id.clone(), |name| name.value),
            id,
        });
    }

    fn person(&mut self, mut table: Fields<'_, '_>) {
        let errors = &mut self.errors;
        let written = WrittenPerson {
            place: table.place(),
            id: table.text("id", errors),
            name: table.text("name", errors),
            addresses: table.texts("addresses", errors),
            accounts: table.texts("accounts", errors),
            groups: table.texts("groups", errors),
            roles: table.texts("roles", errors),
            office: table.text("office", errors),
            organisation: table.text("organisation", errors),
            high_risk: table.flag("high_risk", errors),
        };
        table.finish(errors);
        self.add_person(written);
    }

    /// Checks a person and takes them in.
    pub(super) fn add_person(&mut self, written: WrittenPerson) {
        let addresses = self.declare_all(Kind::Address, written.addresses, names::address);
        let accounts = self.declare_all(Kind::Account, written.accounts, names::account);
        let id = written.id.or_else(|| {
            addresses.first().map(|address| Placed {
                value: address.clone(),
                place: written.place.clone(),
            })
        });
        if id.is_none() {
            self.error(
                written.place.clone(),
                "a person needs an id or an address".to_owned(),
                "add an id, or the address they write from".to_owned(),
            );
        }
        if written.name.is_none() {
            self.error(
                written.place,
                "a person needs a name".to_owned(),
                "add the name that the report should use".to_owned(),
            );
        }
        let groups = written
            .groups
            .into_iter()
            .map(|group| self.refer(Kind::Group, group));
        let groups = groups.collect();
        let person = Person {
            id: self.declare(Kind::Person, id),
            name: written.name.map(|name| name.value).unwrap_or_default(),
            addresses,
            accounts,
            groups,
            roles: written.roles.into_iter().map(|role| role.value).collect(),
            office: written.office.map(|office| self.refer(Kind::Person, office)),
            organisation: written
                .organisation
                .map(|organisation| self.refer(Kind::Organisation, organisation)),
            high_risk: written.high_risk,
        };
        self.estate.people.push(person);
    }

    fn network(&mut self, mut table: Fields<'_, '_>) {
        let name = table.required("name", &mut self.errors);
        let written = table.texts("prefixes", &mut self.errors);
        table.finish(&mut self.errors);
        let mut prefixes = Vec::with_capacity(written.len());
        for Placed { value, place } in written {
            match value.parse::<Prefix>() {
                Ok(prefix) => prefixes.push(prefix),
                Err(wrong) => self.error(place, format!("{value:?} is no prefix"), wrong.to_string()),
            }
        }
        let name = name.map(|name| name.value).unwrap_or_default();
        self.estate.networks.push(Network { name, prefixes });
    }

    fn system(&mut self, mut table: Fields<'_, '_>) {
        let name = table.required("name", &mut self.errors);
        let kind = table.required("kind", &mut self.errors);
        let hosts = table.texts("hosts", &mut self.errors);
        let written = table.texts("addresses", &mut self.errors);
        table.finish(&mut self.errors);
        let mut addresses = Vec::with_capacity(written.len());
        for Placed { value, place } in written {
            match value.parse::<IpAddr>() {
                Ok(address) => addresses.push(address),
                Err(_) => self.error(
                    place,
                    format!("{value:?} is no address"),
                    "write it like 192.0.2.25 or 2001:db8::25; names belong into `hosts`".to_owned(),
                ),
            }
        }
        let system = System {
            name: self.declare(Kind::System, name),
            kind: kind.map(|kind| kind.value).unwrap_or_default(),
            hosts: hosts.into_iter().map(|host| host.value.to_lowercase()).collect(),
            addresses,
        };
        self.estate.systems.push(system);
    }

    fn register(&mut self, mut table: Fields<'_, '_>) {
        let name = table.required("name", &mut self.errors);
        let records = table.number("records", &mut self.errors);
        let system = table.text("system", &mut self.errors);
        let mut lower = |key| {
            let texts = table.texts(key, &mut self.errors);
            texts.into_iter().map(|text| text.value.to_lowercase()).collect()
        };
        let (databases, tables, exporters) = (lower("databases"), lower("tables"), lower("exporters"));
        let key = table.text("key", &mut self.errors);
        let keys = table.text("keys", &mut self.errors);
        let hours = table.text("hours", &mut self.errors);
        let columns = table.texts("columns", &mut self.errors);
        table.finish(&mut self.errors);
        let whole = (1, i64::try_from(records.max(1)).unwrap_or(i64::MAX));
        let register = Register {
            name: name.map(|name| name.value).unwrap_or_default(),
            records,
            system: system.map(|system| self.refer(Kind::System, system)),
            databases,
            tables,
            key: key.map(|key| key.value.to_lowercase()),
            keys: self.range(keys, "-", "1-40000000").unwrap_or(whole),
            columns: columns.into_iter().map(|column| column.value).collect(),
            exporters,
            hours: self.hours(hours),
        };
        self.estate.registers.push(register);
    }

    /// Two whole numbers, the first not above the second, as `1-40000000`.
    fn range(&mut self, written: Option<Placed<String>>, between: &str, example: &str) -> Option<(i64, i64)> {
        let Placed { value, place } = written?;
        let numbers = value.split_once(between).and_then(|(first, last)| {
            let (first, last) = (
                first.trim().parse::<i64>().ok()?,
                last.trim().parse::<i64>().ok()?,
            );
            (first <= last).then_some((first, last))
        });
        if numbers.is_none() {
            self.error(
                place,
                format!("{value:?} is no range"),
                format!("write the first and the last number, like \"{example}\""),
            );
        }
        numbers
    }

    /// Hours of a day as `7-19`; that is what stands where nothing is written.
    fn hours(&mut self, written: Option<Placed<String>>) -> (u8, u8) {
        const USUAL: (u8, u8) = (7, 19);
        let place = written.as_ref().map(|written| written.place.clone());
        let hours = match self.range(written, "-", "7-19") {
            Some((first, last)) => (u8::try_from(first), u8::try_from(last)),
            None => return USUAL,
        };
        match (hours, place) {
            ((Ok(first), Ok(last)), _) if first < last && last <= 24 => (first, last),
            (_, Some(place)) => {
                let mend = "hours are from 0 to 24, like \"7-19\"".to_owned();
                self.error(place, "these are no hours of a day".to_owned(), mend);
                USUAL
            }
            _ => USUAL,
        }
    }

    fn partner(&mut self, mut table: Fields<'_, '_>) {
        let name = table.required("name", &mut self.errors);
        let domains = table.texts("domains", &mut self.errors);
        table.finish(&mut self.errors);
        let partner = Partner {
            name: name.map(|name| name.value).unwrap_or_default(),
            domains: self.declare_all(Kind::Domain, domains, names::domain),
        };
        self.estate.partners.push(partner);
    }

    pub(super) fn error(&mut self, place: Place, problem: String, mend: String) {
        self.errors.push(EstateError { place, problem, mend });
    }

    fn declare(&mut self, kind: Kind, name: Option<Placed<String>>) -> String {
        let Some(name) = name else {
            return String::new();
        };
        let value = name.value.clone();
        self.declared.push((kind, name));
        value
    }

    fn declare_all(
        &mut self,
        kind: Kind,
        written: Vec<Placed<String>>,
        check: fn(&str) -> Result<String, (String, String)>,
    ) -> Vec<String> {
        let mut checked = Vec::with_capacity(written.len());
        for Placed { value, place } in written {
            match check(&value) {
                Ok(value) => checked.push(self.declare(kind, Some(Placed { value, place }))),
                Err((problem, mend)) => self.error(place, problem, mend),
            }
        }
        checked
    }

    fn refer(&mut self, kind: Kind, name: Placed<String>) -> String {
        let value = name.value.clone();
        self.references.push((kind, name));
        value
    }

    /// Notes names that are given twice and names that name nothing.
    fn check_names(&mut self) {
        let mut first: HashMap<(Kind, &str), &Place> = HashMap::new();
        let mut errors = Vec::new();
        for (kind, Placed { value, place }) in &self.declared {
            let Some(before) = first.get(&(*kind, value.as_str())) else {
                first.insert((*kind, value.as_str()), place);
                continue;
            };
            // An id made from an address is given twice where the address is; once is told.
            if *kind == Kind::Person && value.contains('@') {
                continue;
            }
            let Place {
                file, line, field, ..
            } = before;
            let file = file.as_deref().unwrap_or("the estate file");
            errors.push(EstateError {
                place: place.clone(),
                problem: format!("the {} `{value}` is given twice", kind.name()),
                mend: format!("it also stands in {field}, {file} line {line}; keep one"),
            });
        }
        for (kind, Placed { value, place }) in &self.references {
            if first.contains_key(&(*kind, value.as_str())) {
                continue;
            }
            let known = self.declared.iter().filter(|(declared, _)| declared == kind);
            let mend = match names::closest(value, known.map(|(_, name)| name.value.as_str())) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("add a [[{}]] of this name", kind.name()),
            };
            errors.push(EstateError {
                place: place.clone(),
                problem: format!("there is no {} `{value}`", kind.name()),
                mend,
            });
        }
        self.errors.extend(errors);
    }

    fn finish(mut self) -> Result<Estate, EstateErrors> {
        if self.errors.is_empty() {
            return Ok(self.estate);
        }
        self.errors.sort_by(|a, b| {
            (&a.place.file, a.place.line, a.place.column).cmp(&(&b.place.file, b.place.line, b.place.column))
        });
        Err(EstateErrors(self.errors))
    }
}
