//! Mail between people and from services: what most mail is.

use std::sync::Arc;

use super::{DAY, HISTORY_DAYS, Plan, SECOND, World, is_weekend, moment, plan};
use crate::START_MICROS;
use crate::mailing::{Attached, Content, Earlier, Extras, Mailing, Recipient};
use crate::patterns;
use crate::random::{Draw as _, Random, mix};
use crate::sender::Sender;
use crate::words::TOPICS;

/// A message of a conversation.
struct Turn {
    sender: Arc<Sender>,
    to: Vec<Recipient>,
}

impl World {
    /// Fills `day` up to its share of all messages.
    pub(super) fn plan_daily(&self, day: i64, plans: &mut Vec<Plan>) {
        let weight = |day: i64| if is_weekend(day) { 0.35 } else { 1.0 };
        let all: f64 = (0..self.assumptions.days as i64).map(weight).sum();
        let budget = (self.assumptions.messages as f64 * weight(day) / all) as usize;
        let internal = plans.len() + (budget as f64 * self.assumptions.internal_share) as usize;
        let personal = internal + (budget as f64 * self.assumptions.personal_share) as usize;
        let mut random = self.random(&[40, day as u64]);
        while plans.len() < internal.min(budget) {
            self.internal(day, &mut random, plans);
        }
        while plans.len() < personal.min(budget) {
            self.personal(day, &mut random, plans);
        }
        let machines: usize = self.machines.iter().map(|(_, weight)| weight).sum();
        while plans.len() < budget {
            self.transaction(day, machines, &mut random, plans);
        }
    }

    /// A few messages of everybody who is known, long before the first day.
    pub(super) fn plan_history(&self, day: i64, plans: &mut Vec<Plan>) {
        let mut random = self.random(&[41, (day + 1_000) as u64]);
        for (index, contact) in self.contacts.iter().enumerate() {
            if mix(self.seed, &[42, index as u64]) % HISTORY_DAYS as u64
                != day.unsigned_abs() % HISTORY_DAYS as u64
            {
                continue;
            }
            let person = *random.pick(&contact.known_to);
            self.conversation(
                day,
                vec![
                    self.outside_writes(index, person),
                    self.inside_writes(person, index),
                ],
                contact.topic,
                "personal",
                &mut random,
                plans,
            );
        }
        for (index, (machine, _)) in self.machines.iter().enumerate() {
            if mix(self.seed, &[43, index as u64, day.unsigned_abs() / 7]) % 7 == day.unsigned_abs() % 7 {
                self.notice(day, machine, &mut random, plans);
            }
        }
    }

    /// A conversation among people of the parliament: an office, a group, or anybody.
    fn internal(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let people = &self.parliament.people;
        let author = random.usize(..people.len());
        let topic = self.parliament.topic_of(author, random);
        let around: Vec<usize> = match (random.f64(), people[author].office) {
            (share, Some(member)) if share < 0.5 => vec![member],
            (share, _) if share < 0.85 && !people[author].groups.is_empty() => {
                let group = *random.pick(&people[author].groups);
                self.parliament.groups[group].people.clone()
            }
            _ => Vec::new(),
        };
        let count = if random.chance(0.04) {
            random.usize(8..40)
        } else {
            random.usize(1..4)
        };
        let mut others: Vec<usize> = Vec::with_capacity(count);
        for _ in 0..count {
            let other = match around.is_empty() {
                true => random.usize(..people.len()),
                false => *random.pick(&around),
            };
            if other != author && !others.contains(&other) {
                others.push(other);
            }
        }
        if others.is_empty() {
            return;
        }
        let turns = 1 + [0, 0, 0, 1, 1, 2, 3][random.usize(..7)].min(others.len() * 2);
        let mut speaker = author;
        let mut circle = others;
        let mut conversation = Vec::with_capacity(turns);
        for _ in 0..turns {
            let to = circle
                .iter()
                .map(|person| self.mailboxes[*person].clone())
                .collect();
            conversation.push(Turn {
                sender: Arc::clone(&self.insiders[speaker]),
                to,
            });
            let next = random.usize(..circle.len());
            std::mem::swap(&mut speaker, &mut circle[next]);
        }
        self.conversation(day, conversation, topic, "internal", random, plans);
    }

    /// A conversation with somebody outside, or with a stranger who writes once.
    fn personal(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let index = random.usize(..self.contacts.len());
        let contact = &self.contacts[index];
        let person = *random.pick(&contact.known_to);
        let turns = random.usize(1..5);
        let starts_outside = random.chance(0.65);
        let conversation = (0..turns)
            .map(|turn| match (turn % 2 == 0) == starts_outside {
                true => self.outside_writes(index, person),
                false => self.inside_writes(person, index),
            })
            .collect();
        self.conversation(day, conversation, contact.topic, "personal", random, plans);
    }

    fn outside_writes(&self, contact: usize, person: usize) -> Turn {
        Turn {
            sender: Arc::clone(&self.contacts[contact].sender),
            to: vec![self.mailboxes[person].clone()],
        }
    }

    fn inside_writes(&self, person: usize, contact: usize) -> Turn {
        Turn {
            sender: Arc::clone(&self.insiders[person]),
            to: vec![self.contacts[contact].recipient.clone()],
        }
    }

    /// Plans the messages of a conversation, each the answer to the one before, as far as the day goes.
    fn conversation(
        &self,
        day: i64,
        turns: Vec<Turn>,
        topic: usize,
        kind: &'static str,
        random: &mut Random,
        plans: &mut Vec<Plan>,
    ) {
        let ends = START_MICROS + (day + 1) * DAY;
        let mut micros = moment(day, random);
        let mut answers: Vec<Earlier> = Vec::new();
        let voice = match random.f64() {
            share if share < 0.04 => patterns::GERMAN,
            share if share < 0.08 => patterns::FRENCH,
            _ => patterns::PERSONAL,
        };
        for turn in turns {
            if micros >= ends {
                break;
            }
            let key = random.u64(..);
            let sentences = random.usize(1..8);
            let extras = Extras {
                attachment: random.chance(0.07).then(|| {
                    *random.pick(&[
                        Attached::Pdf,
                        Attached::Pdf,
                        Attached::Table,
                        Attached::Invitation,
                        Attached::Picture,
                    ])
                }),
                logo: turn.sender.key % 6 == 1 && random.chance(0.7),
                personal: random.chance(0.5),
                ..Extras::default()
            };
            let mailing = Arc::new(Mailing {
                key,
                sender: turn.sender,
                content: Content::Drawn {
                    kind: voice,
                    topic: topic % TOPICS.len(),
                    sentences,
                    extras,
                },
                to: turn.to,
                is_joint: true,
                answers: answers.clone(),
                kind,
                campaign: None,
                marks: None,
            });
            plan(plans, micros, &mailing, 0);
            answers.push(Earlier {
                sender: Arc::clone(&mailing.sender),
                mailing: key,
                micros,
                sentences,
            });
            micros += random.log_uniform(60.0, 20_000.0) as i64 * SECOND;
        }
    }

    fn transaction(&self, day: i64, weights: usize, random: &mut Random, plans: &mut Vec<Plan>) {
        let mut rest = random.usize(..weights.max(1));
        for (machine, weight) in &self.machines {
            if rest < *weight {
                return self.notice(day, machine, random, plans);
            }
            rest -= weight;
        }
    }

    fn notice(&self, day: i64, machine: &Arc<Sender>, random: &mut Random, plans: &mut Vec<Plan>) {
        let person = random.usize(..self.parliament.people.len());
        let extras = Extras {
            links: random.usize(1..4),
            personal: random.chance(0.6),
            ..Extras::default()
        };
        let mailing = Arc::new(Mailing {
            key: random.u64(..),
            sender: Arc::clone(machine),
            content: Content::Drawn {
                kind: patterns::TRANSACTIONAL,
                topic: random.usize(..TOPICS.len()),
                sentences: random.usize(1..4),
                extras,
            },
            to: vec![self.mailbox(person, 0.05, random)],
            is_joint: false,
            answers: Vec::new(),
            kind: "transactional",
            campaign: None,
            marks: None,
        });
        plan(plans, moment(day, random), &mailing, 0);
    }
}
