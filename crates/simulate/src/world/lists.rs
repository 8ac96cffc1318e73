//! Lists that come regularly: newsletters, old and new.

use std::sync::Arc;

use super::{DAY, Plan, SECOND, World, is_weekend, plan};
use crate::START_MICROS;
use crate::mailing::{Content, Extras, Mailing};
use crate::names;
use crate::patterns;
use crate::random::{Draw as _, Random, mix};
use crate::sender::{Identity, Sender, ServiceKind};
use crate::text::Article;
use crate::words::TOPICS;

/// A list and its readers.
pub(super) struct List {
    pub(super) sender: Arc<Sender>,
    pub(super) readers: Vec<usize>,
    pub(super) cadence: Cadence,
    /// The second of the day when an issue starts.
    pub(super) hour: i64,
    /// Seconds that sending an issue takes.
    pub(super) spread: i64,
    pub(super) topic: usize,
    /// Articles in an issue.
    pub(super) articles: usize,
    /// It takes them from the news of the day instead of writing its own.
    pub(super) is_press: bool,
    pub(super) voice: &'static [&'static str],
    pub(super) extras: Extras,
    /// Day of the first issue.
    pub(super) first: i64,
    pub(super) kind: &'static str,
}

/// When issues come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cadence {
    Once,
    Workdays,
    /// On these two days of the week.
    Twice(i64, i64),
    Weekly(i64),
    /// Every four weeks, on this day.
    Monthly(i64),
}

impl Cadence {
    pub(super) fn draw(random: &mut Random) -> Self {
        let day = if random.chance(0.9) {
            random.i64(0..5)
        } else {
            random.i64(5..7)
        };
        match random.f64() {
            share if share < 0.12 => Self::Workdays,
            share if share < 0.30 => Self::Twice(day, (day + 2) % 7),
            share if share < 0.75 => Self::Weekly(day),
            _ => Self::Monthly(random.i64(0..28)),
        }
    }

    fn falls_on(self, day: i64, first: i64) -> bool {
        match self {
            Self::Once => day == first,
            Self::Workdays => !is_weekend(day),
            Self::Twice(a, b) => [a, b].contains(&day.rem_euclid(7)),
            Self::Weekly(weekday) => day.rem_euclid(7) == weekday,
            Self::Monthly(of_four_weeks) => day.rem_euclid(28) == of_four_weeks,
        }
    }
}

impl World {
    /// The newsletters that people have long read.
    pub(super) fn found_lists(&mut self, random: &mut Random) {
        let count = self.assumptions.many(self.assumptions.newsletters);
        self.lists = (0..count).map(|index| self.newsletter(index, random)).collect();
    }

    fn newsletter(&self, index: usize, random: &mut Random) -> List {
        let is_press = index.is_multiple_of(12);
        let topic = random.usize(..TOPICS.len() - 1);
        let house = match (is_press, index % 3) {
            (true, _) => random.pick(&self.outlets).clone(),
            (_, 0) => names::firm(random),
            _ => names::organisation(random, &TOPICS[topic]),
        };
        let who = Identity::of_house(random, &house);
        let sender = match random.chance(0.75) {
            true => self.service(ServiceKind::Newsletter, random).account(random, who),
            false => Sender::own_list(random, who),
        };
        let size = self.audience(4.0, 90.0, random);
        let is_topical = random.chance(self.assumptions.topical_newsletters);
        let group = self.topical_group(random);
        let (readers, topic) = match is_topical {
            true => (
                self.readers(group, random.f64() * 0.4 + 0.6, size, random),
                self.parliament.groups[group].topic,
            ),
            false => (random.sample(self.parliament.people.len(), size), topic),
        };
        List {
            sender: Arc::new(sender),
            readers,
            cadence: Cadence::draw(random),
            hour: random.i64(4 * 3_600..19 * 3_600),
            spread: random.log_uniform(10.0, 3_000.0) as i64,
            topic,
            articles: random.usize(1..6),
            is_press,
            voice: if random.chance(0.5) {
                patterns::NEWS
            } else {
                patterns::NGO
            },
            extras: Extras {
                links: random.usize(0..4),
                pictures: random.usize(0..4),
                ..Extras::default()
            },
            first: i64::MIN,
            kind: "newsletter",
        }
    }

    /// The issues of `day`. In the history each goes to a few readers only.
    pub(super) fn plan_lists(&self, day: i64, plans: &mut Vec<Plan>) {
        const HISTORY_READERS: usize = 3;
        for (number, list) in self.lists.iter().enumerate() {
            if day < list.first || !list.cadence.falls_on(day, list.first) {
                continue;
            }
            let key = mix(self.seed, &[31, number as u64, (day + 1_000) as u64]);
            let mut random = Random::with_seed(key);
            let readers: Vec<usize> = match day < 0 {
                true => {
                    let chosen = random.sample(list.readers.len(), HISTORY_READERS);
                    chosen.into_iter().map(|index| list.readers[index]).collect()
                }
                // Some have left, some mailboxes bounce.
                false => list
                    .readers
                    .iter()
                    .copied()
                    .filter(|_| random.chance(0.97))
                    .collect(),
            };
            let articles = (0..list.articles)
                .map(|article| match list.is_press {
                    true => self.news(day, (list.topic + article) % TOPICS.len(), random.usize(..4)),
                    false => Article::new(mix(key, &[article as u64]), list.topic, list.voice),
                })
                .collect();
            let to = readers
                .into_iter()
                .map(|person| self.mailbox(person, 0.05, &mut random))
                .collect();
            let mailing = Arc::new(Mailing {
                key,
                sender: Arc::clone(&list.sender),
                content: Content::Told {
                    articles,
                    sentences: random.usize(2..7),
                    subject: None,
                    extras: list.extras,
                },
                to,
                is_joint: false,
                answers: Vec::new(),
                kind: list.kind,
                campaign: None,
                marks: None,
            });
            let begins = START_MICROS + day * DAY + (list.hour + random.i64(0..600)) * SECOND;
            for index in 0..mailing.to.len() {
                plan(
                    plans,
                    begins + random.i64(0..list.spread.max(1)) * SECOND,
                    &mailing,
                    index,
                );
            }
        }
    }
}
