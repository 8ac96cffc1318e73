//! Everything that sends and is written to in one run, and what they send on each day.

mod campaigns;
mod daily;
mod lists;
mod newcomers;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub(crate) use campaigns::Campaign;

use crate::assumptions::Assumptions;
use crate::mailing::{Mailing, Recipient};
use crate::names::{self, House};
use crate::parliament::{GroupKind, Parliament};
use crate::random::{Draw as _, Random, mix, random};
use crate::sender::{Design, Identity, Origin, Sender, Service, ServiceKind};
use crate::software::Software;
use crate::text::Article;
use crate::words::TOPICS;
use crate::{START_MICROS, patterns};

use lists::List;

/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;
/// How many days of thin history there are.
pub(crate) const HISTORY_DAYS: i64 = 28;
/// Organisations that the estate names as partners.
const PARTNERS: usize = 60;
/// Hosts where anybody may put pictures.
pub(crate) const REPUTABLE_HOSTS: [&str; 4] = [
    "storage.bigcloud.example",
    "cdn.imageshare.example",
    "files.docspace.test",
    "pictures.bigcloud.example",
];

/// One message to come.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) micros: i64,
    pub(crate) mailing: Arc<Mailing>,
    pub(crate) index: usize,
}

/// Somebody outside whom people know.
pub(crate) struct Contact {
    pub(crate) sender: Arc<Sender>,
    pub(crate) recipient: Recipient,
    pub(crate) known_to: Vec<usize>,
    pub(crate) topic: usize,
}

/// All of a run.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) assumptions: Assumptions,
    pub(crate) parliament: Parliament,
    pub(crate) partners: Vec<House>,
    outlets: Vec<House>,
    services: Vec<Arc<Service>>,
    /// The people as senders and as recipients.
    insiders: Vec<Arc<Sender>>,
    mailboxes: Vec<Recipient>,
    contacts: Vec<Contact>,
    machines: Vec<(Arc<Sender>, usize)>,
    lists: Vec<List>,
    /// Mail that is planned in full beforehand, by day.
    planned: FxHashMap<i64, Vec<Plan>>,
    pub(crate) campaigns: Vec<Campaign>,
}

impl World {
    /// The world of `seed`.
    pub(crate) fn new(seed: u64, assumptions: &Assumptions) -> Self {
        let parliament = Parliament::new(seed, assumptions);
        let mut random = random(seed, &[20]);
        let outlets: Vec<House> = (0..assumptions.outlets.max(2))
            .map(|_| names::outlet(&mut random))
            .collect();
        let organisations: Vec<House> = (0..assumptions.organisations.max(20))
            .map(|index| match index % 3 {
                0 => names::firm(&mut random),
                _ => names::organisation(&mut random, &TOPICS[index % TOPICS.len()]),
            })
            .collect();
        let services = (0..12)
            .map(|number| Arc::new(Service::new(&mut random, number, assumptions.branded)))
            .collect();
        let mailboxes = parliament
            .people
            .iter()
            .map(|person| Recipient {
                name: person.name.as_str().into(),
                address: person.address.as_str().into(),
            })
            .collect();
        let mut world = Self {
            seed,
            assumptions: assumptions.clone(),
            partners: organisations.iter().take(PARTNERS).cloned().collect(),
            insiders: insiders(&parliament, &mut random),
            parliament,
            outlets,
            services,
            mailboxes,
            contacts: Vec::new(),
            machines: Vec::new(),
            lists: Vec::new(),
            planned: FxHashMap::default(),
            campaigns: Vec::new(),
        };
        world.contacts = world.known_people(&organisations, &mut random);
        world.machines = (0..assumptions.many(assumptions.services))
            .map(|_| world.machine(&mut random))
            .collect();
        world.found_lists(&mut random);
        world.plan_newcomers();
        world.plan_campaigns();
        world
    }

    /// What is sent on `day` (0 is the first one; before it lies the history), in the order of time.
    pub(crate) fn day(&self, day: i64) -> Vec<Plan> {
        let mut plans = self.planned.get(&day).cloned().unwrap_or_default();
        self.plan_lists(day, &mut plans);
        if day < 0 {
            self.plan_history(day, &mut plans);
        } else {
            self.plan_daily(day, &mut plans);
        }
        plans.sort_by_key(|plan| (plan.micros, plan.mailing.key, plan.index));
        plans
    }

    /// A generator for what `parts` name.
    fn random(&self, parts: &[u64]) -> Random {
        random(self.seed, parts)
    }

    /// The `number`-th piece of news on `topic` of that day: newspapers, newsletters and campaigns take from the same.
    fn news(&self, day: i64, topic: usize, number: usize) -> Article {
        let seed = mix(
            self.seed,
            &[30, (day + 1_000) as u64, topic as u64, number as u64],
        );
        Article::new(seed, topic, patterns::NEWS)
    }

    /// A mailbox of somebody: now and then the private one.
    fn mailbox(&self, person: usize, private: f64, random: &mut Random) -> Recipient {
        let own = &self.mailboxes[person];
        match &self.parliament.people[person].private {
            Some(address) if random.chance(private) => Recipient {
                name: Arc::clone(&own.name),
                address: address.as_str().into(),
            },
            _ => own.clone(),
        }
    }

    /// A group that somebody outside would write to about its subject.
    fn topical_group(&self, random: &mut Random) -> usize {
        let wanted = match random.f64() {
            share if share < 0.60 => GroupKind::Committee,
            share if share < 0.85 => GroupKind::Caucus,
            share if share < 0.95 => GroupKind::Unit,
            _ => GroupKind::Party,
        };
        let groups: Vec<usize> = (0..self.parliament.groups.len())
            .filter(|index| self.parliament.groups[*index].kind == wanted)
            .collect();
        *random.pick(&groups)
    }

    /// `count` people, `share` of them from `group`, the others from anywhere, members first in line.
    fn readers(&self, group: usize, share: f64, count: usize, random: &mut Random) -> Vec<usize> {
        let inside = &self.parliament.groups[group].people;
        let from_group = ((count as f64 * share).round() as usize).clamp(1, inside.len());
        let mut readers: Vec<usize> = random
            .sample(inside.len(), from_group)
            .into_iter()
            .map(|index| inside[index])
            .collect();
        for _ in 0..count.saturating_sub(from_group) {
            let other = random.usize(..self.parliament.people.len());
            if !readers.contains(&other) {
                readers.push(other);
            }
        }
        random.shuffle(&mut readers);
        readers
    }

    /// How many people something goes to that would go to between `least` and `most` in a large house.
    fn audience(&self, least: f64, most: f64, random: &mut Random) -> usize {
        let of_house = |count: f64| (count * self.assumptions.audience).max(1.0);
        random.log_uniform(of_house(least), of_house(most)) as usize
    }

    fn service(&self, kind: ServiceKind, random: &mut Random) -> &Arc<Service> {
        let of_kind: Vec<&Arc<Service>> = self
            .services
            .iter()
            .filter(|service| service.kind == kind)
            .collect();
        of_kind[random.usize(..of_kind.len())]
    }

    fn known_people(&self, organisations: &[House], random: &mut Random) -> Vec<Contact> {
        let habits: Vec<usize> = organisations.iter().map(|_| random.usize(..4)).collect();
        let mut templates: FxHashMap<usize, Sender> = FxHashMap::default();
        (0..self.assumptions.many(self.assumptions.correspondents))
            .map(|index| {
                let house = random.usize(..organisations.len());
                let is_private = index % 4 == 3;
                let who = match is_private {
                    true => Identity::private(random),
                    false => Identity::at_house(random, &organisations[house], habits[house]),
                };
                let mut sender = Sender::desk(random, who);
                if !is_private {
                    // One house has one mail system.
                    let first = templates.entry(house).or_insert_with(|| sender.clone());
                    sender.software = first.software.clone();
                    sender.origin = first.origin.clone();
                    sender.design = first.design;
                }
                let group = self.topical_group(random);
                let known_to = match random.chance(0.1) {
                    true => {
                        let count = random.usize(5..20);
                        self.readers(group, 0.8, count, random)
                    }
                    false => {
                        let count = random.usize(1..5);
                        random.sample(self.parliament.people.len(), count)
                    }
                };
                Contact {
                    recipient: Recipient {
                        name: sender.name.as_str().into(),
                        address: sender.address.as_str().into(),
                    },
                    sender: Arc::new(sender),
                    known_to,
                    topic: self.parliament.groups[group].topic,
                }
            })
            .collect()
    }

    /// A service that writes to single people, and how many know it.
    fn machine(&self, random: &mut Random) -> (Arc<Sender>, usize) {
        let house = names::firm(random);
        let mut who = Identity::of_house(random, &house);
        let local = random.word(&[
            "no-reply",
            "noreply",
            "notifications",
            "service",
            "orders",
            "support",
            "alerts",
        ]);
        who.address = format!("{local}@{}", house.domain);
        let mut sender = match random.chance(0.35) {
            true => self.service(ServiceKind::Newsletter, random).account(random, who),
            false => Sender::program(random, who),
        };
        if let Some(bulk) = &mut sender.bulk {
            bulk.unsubscribe = false;
            bulk.list = None;
        }
        (Arc::new(sender), random.log_uniform(1.0, 200.0) as usize)
    }
}

fn insiders(parliament: &Parliament, random: &mut Random) -> Vec<Arc<Sender>> {
    let software = Software::desk(random);
    let people = parliament.people.iter().map(|person| {
        let who = Identity {
            name: person.name.clone(),
            address: person.address.clone(),
            reply_to: None,
            web: "www.assembly.example".to_owned(),
            imprint: if random.chance(0.4) {
                "The Assembly, Parliament Square 1".to_owned()
            } else {
                String::new()
            },
        };
        let mut sender = Sender::desk(random, who);
        if random.chance(0.8) {
            sender.software = software.clone();
        }
        sender.origin = Origin::inside(random);
        sender.design = if random.chance(0.3) {
            Design::Plain
        } else {
            Design::Note
        };
        Arc::new(sender)
    });
    people.collect()
}

/// A moment of `day`: in the hours of work mostly.
fn moment(day: i64, random: &mut Random) -> i64 {
    let hour = match random.chance(0.9) {
        true => 6.5 + 6.0 * (random.f64() + random.f64()),
        false => random.f64() * 23.9,
    };
    START_MICROS + day * DAY + (hour * 3_600.0 * 1e6) as i64
}

/// Whether `day` is a Saturday or Sunday.
fn is_weekend(day: i64) -> bool {
    day.rem_euclid(7) >= 5
}

fn plan(plans: &mut Vec<Plan>, micros: i64, mailing: &Arc<Mailing>, index: usize) {
    plans.push(Plan {
        micros,
        mailing: Arc::clone(mailing),
        index,
    });
}
