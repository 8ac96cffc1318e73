//! The people of an invented parliament.

use std::fmt::Write as _;

use blackrod_model::{Estate, estate};
use rustc_hash::FxHashSet;

use crate::assumptions::Assumptions;
use crate::names;
use crate::random::{Draw as _, Random, random};
use crate::words::TOPICS;

/// The domain of the parliament.
pub(crate) const DOMAIN: &str = "assembly.example";
/// Its mail exchanger, whose word about authentication counts.
pub(crate) const EXCHANGER: &str = "mx1.assembly.example";
/// The topic of those who keep the house running.
pub(crate) const ADMINISTRATION: usize = 19;

/// Places are invented until there are as many: of a few hundred each is new.
const MOST_CAUCUSES: usize = 200;

/// Somebody of the parliament.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) private: Option<String>,
    /// Indices of groups.
    pub(crate) groups: Vec<usize>,
    pub(crate) kind: Kind,
    /// The member whose office they work for.
    pub(crate) office: Option<usize>,
    pub(crate) high_risk: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Member,
    Assistant,
    Official,
}

/// A committee, caucus, party or unit.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    id: String,
    name: String,
    pub(crate) kind: GroupKind,
    pub(crate) topic: usize,
    pub(crate) people: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupKind {
    Committee,
    Caucus,
    Party,
    Unit,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Parliament {
    pub(crate) people: Vec<Person>,
    pub(crate) groups: Vec<Group>,
}

const PARTIES: [&str; 6] = ["Progress", "Heritage", "Green", "Centre", "Liberty", "Regions"];
const UNITS: [&str; 6] = [
    "secretariat",
    "it-operations",
    "research-service",
    "security",
    "facilities",
    "press-office",
];

impl Parliament {
    /// The parliament of a run.
    pub(crate) fn new(seed: u64, assumptions: &Assumptions) -> Self {
        let mut random = random(seed, &[10]);
        let mut parliament = Self {
            people: people(assumptions, &mut random),
            groups: Vec::new(),
        };
        parliament.found_groups(assumptions, &mut random);
        parliament
    }

    /// The people of a kind.
    pub(crate) fn of_kind(&self, kind: Kind) -> Vec<usize> {
        (0..self.people.len())
            .filter(|index| self.people[*index].kind == kind)
            .collect()
    }

    /// What somebody's mail is mostly about.
    pub(crate) fn topic_of(&self, person: usize, random: &mut Random) -> usize {
        match self.people[person].groups.as_slice() {
            [] => ADMINISTRATION,
            groups => self.groups[*random.pick(groups)].topic,
        }
    }

    fn found_groups(&mut self, assumptions: &Assumptions, random: &mut Random) {
        let scale = self.people.len() as f64 / assumptions.sized_for.max(1) as f64;
        let members = self.of_kind(Kind::Member);
        let officials = self.of_kind(Kind::Official);
        let mut places = FxHashSet::default();
        for (topic, about) in TOPICS
            .iter()
            .enumerate()
            .take(assumptions.committees.min(ADMINISTRATION))
        {
            let (least, most) = assumptions.committee_members;
            let size = random.usize(least..=most) as f64 * scale;
            let (least, most) = assumptions.committee_officials;
            let mut people = drawn(&members, size as usize, random);
            people.extend(drawn(
                &officials,
                (random.usize(least..=most) as f64 * scale) as usize,
                random,
            ));
            let id = names::ascii(about.name).replace(' ', "-");
            self.found(
                &id,
                format!("Committee on {}", about.name),
                GroupKind::Committee,
                topic,
                people,
            );
        }
        while places.len() < assumptions.caucuses.min(MOST_CAUCUSES) {
            let mut place = String::new();
            names::place(random, &mut place);
            if !places.insert(place.clone()) {
                continue;
            }
            let topic = *random.pick(&[0, 0, 10, 10, 1, 11, 3, 7, 13]);
            let (least, most) = assumptions.caucus_members;
            let size = random.log_uniform(least, most) * scale;
            let mut people = drawn(&members, size as usize, random);
            people.extend(drawn(&officials, usize::from(random.bool()), random));
            let name = match random.usize(..3) {
                0 => format!("Friends of {place}"),
                1 => format!("Caucus for the Freedom of {place}"),
                _ => format!("Inter-Party Group on {place}"),
            };
            let id = format!("caucus-{}", place.to_lowercase());
            self.found(&id, name, GroupKind::Caucus, topic, people);
        }
        let mut parties: Vec<Vec<usize>> = vec![Vec::new(); assumptions.parties.clamp(1, PARTIES.len())];
        for member in &members {
            // Two large parties, four small ones.
            let party = *random.pick(&[0, 0, 0, 1, 1, 1, 2, 3, 4, 5]);
            let count = parties.len();
            parties[party % count].push(*member);
        }
        for (index, people) in parties.into_iter().enumerate() {
            let name = PARTIES[index];
            let topic = 15 + index % 3;
            self.found(
                &format!("party-{}", name.to_lowercase()),
                format!("{name} Party"),
                GroupKind::Party,
                topic,
                people,
            );
        }
        let mut units: Vec<Vec<usize>> = vec![Vec::new(); assumptions.units.clamp(1, UNITS.len())];
        for official in &officials {
            let unit = random.usize(..units.len());
            units[unit].push(*official);
        }
        for (name, people) in UNITS.iter().zip(units) {
            self.found(
                name,
                name.replace('-', " "),
                GroupKind::Unit,
                ADMINISTRATION,
                people,
            );
        }
    }

    fn found(&mut self, id: &str, name: String, kind: GroupKind, topic: usize, mut people: Vec<usize>) {
        people.sort_unstable();
        people.dedup();
        for person in &people {
            self.people[*person].groups.push(self.groups.len());
        }
        self.groups.push(Group {
            id: id.to_owned(),
            name,
            kind,
            topic,
            people,
        });
    }

    /// As the model has it.
    pub(crate) fn estate(&self, partners: &[names::House]) -> Estate {
        let organisation = estate::Organisation {
            id: "assembly".to_owned(),
            name: "The Assembly".to_owned(),
            domains: vec![DOMAIN.to_owned()],
        };
        let group = |group: &Group| estate::Group {
            id: group.id.clone(),
            name: group.name.clone(),
        };
        let partner = |house: &names::House| estate::Partner {
            name: house.name.clone(),
            domains: vec![house.domain.clone()],
        };
        Estate {
            organisations: vec![organisation],
            groups: self.groups.iter().map(group).collect(),
            people: self.people.iter().map(|person| self.described(person)).collect(),
            networks: vec![estate::Network {
                name: "offices".to_owned(),
                prefixes: "192.0.2.0/24".parse().into_iter().collect(),
            }],
            systems: vec![estate::System {
                name: "mx1".to_owned(),
                kind: "exchange".to_owned(),
                hosts: vec![
                    "mx1".to_owned(),
                    EXCHANGER.to_owned(),
                    "mbx1.assembly.example".to_owned(),
                ],
                addresses: "192.0.2.25".parse().into_iter().collect(),
            }],
            registers: Vec::new(),
            partners: partners.iter().map(partner).collect(),
        }
    }

    fn described(&self, person: &Person) -> estate::Person {
        let role = match person.kind {
            Kind::Member => "member",
            Kind::Assistant => "assistant",
            Kind::Official => "official",
        };
        let addresses = [Some(&person.address), person.private.as_ref()];
        estate::Person {
            id: id_of(person),
            name: person.name.clone(),
            addresses: addresses.into_iter().flatten().cloned().collect(),
            accounts: Vec::new(),
            groups: person
                .groups
                .iter()
                .map(|group| self.groups[*group].id.clone())
                .collect(),
            roles: vec![role.to_owned()],
            office: person.office.map(|member| id_of(&self.people[member])),
            organisation: Some("assembly".to_owned()),
            high_risk: person.high_risk,
        }
    }
}

/// `estate` as an estate file.
pub(crate) fn to_toml(estate: &Estate) -> String {
    let mut out = String::from("# An invented parliament; none of its people exists.\n");
    for organisation in &estate.organisations {
        let _ = write!(
            out,
            "\n[[organisation]]\nid = {:?}\nname = {:?}\ndomains = {:?}\n",
            organisation.id, organisation.name, organisation.domains
        );
    }
    for network in &estate.networks {
        let prefixes: Vec<String> = network.prefixes.iter().map(ToString::to_string).collect();
        let _ = write!(
            out,
            "\n[[network]]\nname = {:?}\nprefixes = {prefixes:?}\n",
            network.name
        );
    }
    for system in &estate.systems {
        let addresses: Vec<String> = system.addresses.iter().map(ToString::to_string).collect();
        let _ = write!(
            out,
            "\n[[system]]\nname = {:?}\nkind = {:?}\nhosts = {:?}\naddresses = {addresses:?}\n",
            system.name, system.kind, system.hosts
        );
    }
    for partner in &estate.partners {
        let _ = write!(
            out,
            "\n[[partner]]\nname = {:?}\ndomains = {:?}\n",
            partner.name, partner.domains
        );
    }
    for group in &estate.groups {
        let _ = write!(out, "\n[[group]]\nid = {:?}\nname = {:?}\n", group.id, group.name);
    }
    for person in &estate.people {
        let _ = write!(
            out,
            "\n[[person]]\nid = {:?}\nname = {:?}\naddresses = {:?}\ngroups = {:?}\nroles = {:?}\norganisation = \"assembly\"\n",
            person.id, person.name, person.addresses, person.groups, person.roles
        );
        if let Some(office) = &person.office {
            let _ = writeln!(out, "office = {office:?}");
        }
        if person.high_risk {
            out.push_str("high_risk = true\n");
        }
    }
    out
}

fn people(assumptions: &Assumptions, random: &mut Random) -> Vec<Person> {
    let count = assumptions.people.max(60);
    let mut taken = FxHashSet::default();
    let mut people: Vec<Person> = Vec::with_capacity(count);
    let members = ((count as f64 * assumptions.members) as usize).max(1);
    while people.len() < count {
        let name = names::person(random);
        let local = names::local_part(&name, 0);
        if !taken.insert(local.clone()) {
            continue;
        }
        let share = people.len() as f64 / count as f64;
        let kind = match share {
            share if share < assumptions.members => Kind::Member,
            share if share < assumptions.members + assumptions.assistants => Kind::Assistant,
            _ => Kind::Official,
        };
        let is_member = kind == Kind::Member;
        people.push(Person {
            address: format!("{local}@{DOMAIN}"),
            private: random
                .chance(if is_member { 0.25 } else { 0.05 })
                .then(|| format!("{}@{}", local.replace('.', ""), random.pick(&FREE_MAIL))),
            name,
            groups: Vec::new(),
            kind,
            office: (kind == Kind::Assistant).then(|| random.usize(..members)),
            high_risk: is_member && random.chance(0.14),
        });
    }
    people
}

/// Providers of free mailboxes.
pub(crate) const FREE_MAIL: [&str; 5] = [
    "webpost.example",
    "mailbox.example",
    "freemail.example",
    "inboxly.test",
    "postfach.example",
];

fn id_of(person: &Person) -> String {
    person.address.split('@').next().unwrap_or_default().to_owned()
}

fn drawn(from: &[usize], count: usize, random: &mut Random) -> Vec<usize> {
    random
        .sample(from.len(), count.max(2))
        .into_iter()
        .map(|index| from[index])
        .collect()
}
