//! Senders whom nobody has heard of before and who mean no harm, and those who mean harm to everybody alike.

use std::sync::Arc;

use super::lists::{Cadence, List};
use super::{DAY, Plan, REPUTABLE_HOSTS, SECOND, World, moment};
use crate::START_MICROS;
use crate::mailing::{Attached, Content, Extras, Mailing, Recipient};
use crate::names::{self, House};
use crate::parliament::Kind;
use crate::patterns;
use crate::random::{Draw as _, Random, mix};
use crate::sender::{Bulk, Design, Identity, Sender, ServiceKind};
use crate::text::Article;
use crate::url::{Pattern, Tracker};
use crate::words::TOPICS;

/// A text that one sender writes to some.
pub(super) struct Writing {
    pub(super) sender: Arc<Sender>,
    pub(super) content: Content,
    pub(super) to: Vec<Recipient>,
    pub(super) kind: &'static str,
    pub(super) campaign: Option<usize>,
    pub(super) marks: Option<u64>,
}

impl World {
    /// Plans all of them for all days.
    pub(super) fn plan_newcomers(&mut self) {
        let mut plans = Vec::new();
        let assumed = self.assumptions.clone();
        let rate = |mean: f64| mean * assumed.scale;
        for day in 0..assumed.days as i64 {
            let mut random = self.random(&[50, day as u64]);
            let quiet = if super::is_weekend(day) { 0.3 } else { 1.0 };
            let mut times = |mean: f64| random.round(rate(mean) * quiet);
            let counts = [
                times(assumed.new_bulk_senders),
                times(assumed.press_releases),
                times(assumed.shared_templates),
                times(assumed.citizen_letters),
                times(assumed.sales),
                times(assumed.journalists),
                times(assumed.merging_journalists),
                times(assumed.phishing),
                times(assumed.strangers),
            ];
            for _ in 0..counts[0] {
                let list = self.new_list(day, &mut random);
                self.lists.push(list);
            }
            type Make = fn(&World, i64, &mut Random, &mut Vec<Plan>);
            let makers: [Make; 8] = [
                Self::press_release,
                Self::colleagues,
                Self::citizens,
                Self::sales,
                Self::journalist,
                Self::merging_journalist,
                Self::phishing,
                Self::stranger,
            ];
            for (make, count) in makers.iter().zip(&counts[1..]) {
                for _ in 0..*count {
                    make(self, day, &mut random, &mut plans);
                }
            }
        }
        self.take(plans);
    }

    /// Puts plans to the days that they fall on.
    pub(super) fn take(&mut self, plans: Vec<Plan>) {
        for plan in plans {
            let day = (plan.micros - START_MICROS).div_euclid(DAY);
            self.planned.entry(day).or_default().push(plan);
        }
    }

    /// Plans one message to each recipient from `begins` on, over about `spread` seconds.
    pub(super) fn send(
        &self,
        writing: Writing,
        begins: i64,
        spread: f64,
        random: &mut Random,
        plans: &mut Vec<Plan>,
    ) {
        let mailing = Arc::new(Mailing {
            key: random.u64(..),
            sender: writing.sender,
            content: writing.content,
            to: writing.to,
            is_joint: false,
            answers: Vec::new(),
            kind: writing.kind,
            campaign: writing.campaign,
            marks: writing.marks,
        });
        for index in 0..mailing.to.len() {
            let after = (random.f64() * spread) as i64;
            super::plan(plans, begins + after * SECOND, &mailing, index);
        }
    }

    /// A new list: an NGO, a newsletter, an invitation, a survey.
    fn new_list(&self, day: i64, random: &mut Random) -> List {
        let is_topical = random.chance(self.assumptions.new_topical);
        let group = self.topical_group(random);
        let topic = if is_topical {
            self.parliament.groups[group].topic
        } else {
            random.usize(..TOPICS.len() - 1)
        };
        let house = match random.chance(0.7) {
            true => names::organisation(random, &TOPICS[topic]),
            false => names::firm(random),
        };
        let mut who = Identity::of_house(random, &house);
        if random.chance(0.3) {
            let person = Identity::at_house(random, &house, 0);
            who.name = if random.bool() {
                format!("{} | {}", person.name, house.name)
            } else {
                person.name
            };
            who.address = person.address;
        }
        let (kind, voice, cadence): (_, &'static [&'static str], _) = match random.f64() {
            share if share < 0.35 => (
                "new-ngo",
                patterns::NGO,
                *random.pick(&[Cadence::Once, Cadence::Weekly(day.rem_euclid(7))]),
            ),
            share if share < 0.60 => (
                "new-newsletter",
                patterns::NEWS,
                *random.pick(&[
                    Cadence::Weekly(day.rem_euclid(7)),
                    Cadence::Workdays,
                    Cadence::Twice(day.rem_euclid(7), (day + 3).rem_euclid(7)),
                ]),
            ),
            share if share < 0.85 => ("invitation", patterns::EVENT, Cadence::Once),
            _ => (
                "survey",
                patterns::NGO,
                *random.pick(&[Cadence::Once, Cadence::Weekly(day.rem_euclid(7))]),
            ),
        };
        let mut sender = match random.f64() {
            share if share < 0.55 => self.service(ServiceKind::Newsletter, random).account(random, who),
            share if share < 0.75 => self.service(ServiceKind::Merge, random).account(random, who),
            _ => Sender::own_list(random, who),
        };
        if sender.bulk.as_ref().is_some_and(|bulk| bulk.service.is_none()) && random.chance(0.2) {
            let domain = sender.domain().to_owned();
            let pictures = random.word(&REPUTABLE_HOSTS);
            sender.tracker = Some(Arc::new(Tracker::own(random, &domain, Some(pictures))));
        }
        let readers = match is_topical {
            true => {
                let (share, count) = (random.f64() * 0.4 + 0.6, self.audience(3.0, 40.0, random));
                self.readers(group, share, count, random)
            }
            false => {
                let count = self.audience(2.0, 60.0, random);
                random.sample(self.parliament.people.len(), count)
            }
        };
        List {
            sender: Arc::new(sender),
            readers,
            cadence,
            hour: random.i64(6 * 3_600..18 * 3_600),
            spread: random.log_uniform(5.0, 15_000.0) as i64,
            topic,
            articles: if kind == "new-newsletter" {
                random.usize(1..5)
            } else {
                1
            },
            is_press: kind == "new-newsletter" && random.chance(0.3),
            voice,
            extras: Extras {
                links: random.usize(0..3),
                pictures: random.usize(0..3),
                personal: random.chance(0.4),
                ..Extras::default()
            },
            first: day,
            kind,
        }
    }

    /// An agency sends a client's release to people of a committee, and so do others who are named in it.
    fn press_release(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let group = self.topical_group(random);
        let topic = self.parliament.groups[group].topic;
        let article = Article::new(random.u64(..), topic, patterns::NEWS);
        let begins = moment(day, random);
        for sender in 0..*random.pick(&[1, 1, 1, 2, 3]) {
            let house = names::organisation(random, &TOPICS[topic]);
            let mut who = Identity::of_house(random, &house);
            if random.bool() {
                who.name = format!("{} press office", house.name);
            }
            let sender_of = match random.f64() {
                share if share < 0.5 => self.service(ServiceKind::Newsletter, random).account(random, who),
                share if share < 0.65 => self.service(ServiceKind::Merge, random).account(random, who),
                _ => Sender::desk(random, who),
            };
            let strength = if sender == 0 { 0.0 } else { 0.15 };
            let to = self.topical_mailboxes(group, 5.0, 30.0, random);
            let content = told(
                article.paraphrased(strength, random),
                Extras {
                    attachment: random.chance(0.4).then_some(Attached::Pdf),
                    ..Extras::default()
                },
            );
            let later = (random.f64() * 20_000.0) as i64 * SECOND * i64::from(sender > 0);
            let spread = random.log_uniform(5.0, 2_000.0);
            self.send(
                writing(sender_of, content, to, "press-release"),
                begins + later,
                spread,
                random,
                plans,
            );
        }
    }

    /// Several people of one organisation write to members with one template, some through a tool that tracks.
    fn colleagues(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let group = self.topical_group(random);
        let topic = self.parliament.groups[group].topic;
        let house = names::organisation(random, &TOPICS[topic]);
        let article = Article::new(random.u64(..), topic, patterns::NGO);
        let tool = random
            .chance(0.4)
            .then(|| Arc::clone(self.service(ServiceKind::Merge, random)));
        let habit = random.usize(..4);
        let subject: Arc<str> = article.headline().into();
        for _ in 0..random.usize(2..6) {
            let who = Identity::at_house(random, &house, habit);
            let sender = match &tool {
                Some(service) => service.account(random, who),
                None => Sender::desk(random, who),
            };
            let to = self.topical_mailboxes(group, 1.0, 7.0, random);
            let content = Content::Told {
                articles: vec![article.paraphrased(0.1, random)],
                sentences: 8,
                subject: Some(Arc::clone(&subject)),
                extras: Extras {
                    personal: true,
                    ..Extras::default()
                },
            };
            let begins = moment(day, random);
            self.send(
                writing(sender, content, to, "colleagues"),
                begins,
                3_000.0,
                random,
                plans,
            );
        }
    }

    /// Citizens write what an organiser wrote for them; in some cases through its platform.
    fn citizens(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let group = self.topical_group(random);
        let topic = self.parliament.groups[group].topic;
        let article = Article::new(random.u64(..), topic, patterns::CITIZEN);
        let subject: Arc<str> = article.headline().into();
        let platform = random.chance(0.35).then(|| {
            let house = names::organisation(random, &TOPICS[topic]);
            let who = Identity::of_house(random, &house);
            Sender::own_list(random, who)
        });
        for _ in 0..random.usize(20..120) {
            let who = Identity::private(random);
            let sender = match &platform {
                Some(platform) => {
                    let mut sender = platform.clone();
                    sender.reply_to = Some(who.address);
                    sender.name = format!("{} via {}", who.name, platform.name);
                    sender.design = Design::Bare;
                    sender
                }
                None => Sender::desk(random, who),
            };
            let to = self.topical_mailboxes(group, 1.0, 4.0, random);
            let content = Content::Told {
                articles: vec![article.paraphrased(0.15, random)],
                sentences: 9,
                subject: Some(Arc::clone(&subject)),
                extras: Extras {
                    personal: true,
                    ..Extras::default()
                },
            };
            let later = random.i64(0..2);
            let begins = moment(day + later, random);
            self.send(
                writing(sender, content, to, "citizens"),
                begins,
                600.0,
                random,
                plans,
            );
        }
    }

    /// Somebody sells something, one mail after the other, and asks again three days later.
    fn sales(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let house = names::firm(random);
        let who = Identity::at_house(random, &house, 0);
        let mut sender = self.service(ServiceKind::Merge, random).account(random, who);
        sender.design = Design::Note;
        if random.chance(0.3) {
            let domain = sender.domain().to_owned();
            sender.tracker = Some(Arc::new(Tracker::own(random, &domain, None)));
            sender.bulk = None;
        }
        let sender = Arc::new(sender);
        let topic = random.usize(..TOPICS.len());
        let count = random.usize(1..7);
        let people = match random.chance(0.3) {
            // They sell to those who buy.
            true => {
                let group = self.topical_group(random);
                self.readers(group, 0.8, count, random)
            }
            false => random.sample(self.parliament.people.len(), count),
        };
        for follow_up in 0..2 {
            if follow_up == 1 && random.bool() {
                break;
            }
            for person in &people {
                let writing = Writing {
                    sender: Arc::clone(&sender),
                    content: Content::Drawn {
                        kind: patterns::SALES,
                        topic,
                        sentences: random.usize(3..6),
                        extras: Extras {
                            links: 1,
                            personal: true,
                            ..Extras::default()
                        },
                    },
                    to: vec![self.mailboxes[*person].clone()],
                    kind: "sales",
                    campaign: None,
                    marks: None,
                };
                let begins = moment(day + follow_up * 3, random);
                self.send(writing, begins, 1.0, random, plans);
            }
        }
    }

    /// A journalist of a known outlet whom nobody knows yet asks a few people.
    fn journalist(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let outlet = random.pick(&self.outlets);
        let mut who = Identity::at_house(random, outlet, 0);
        if random.chance(0.4) {
            who.name = format!("{} ({})", who.name, outlet.name);
        }
        let sender = Sender::desk(random, who);
        let group = self.topical_group(random);
        let topic = self.parliament.groups[group].topic;
        let article = self.news(day, topic, random.usize(..6));
        let to = self.topical_mailboxes(group, 1.0, 9.0, random);
        let content = Content::Told {
            articles: vec![article],
            sentences: random.usize(2..6),
            subject: None,
            extras: Extras {
                personal: true,
                ..Extras::default()
            },
        };
        let begins = moment(day, random);
        self.send(
            writing(sender, content, to, "journalist"),
            begins,
            7_000.0,
            random,
            plans,
        );
    }

    /// A real journalist on a free mailbox with a mail-merge tool: what a campaign pretends to be.
    fn merging_journalist(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let outlet = random.pick(&self.outlets);
        let mut who = Identity::private(random);
        if random.bool() {
            who.name = format!("{} | {}", who.name, outlet.name);
        }
        let sender = self.service(ServiceKind::Merge, random).account(random, who);
        let group = self.topical_group(random);
        let topic = self.parliament.groups[group].topic;
        let to = self.topical_mailboxes(group, 4.0, 15.0, random);
        let content = told(
            self.news(day, topic, random.usize(..6)),
            Extras {
                personal: true,
                ..Extras::default()
            },
        );
        let begins = moment(day, random);
        self.send(
            writing(sender, content, to, "merging-journalist"),
            begins,
            3_000.0,
            random,
            plans,
        );
    }

    /// A wave of phishing to whoever is on a list that was bought.
    fn phishing(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let brand = names::firm(random);
        let host = names::plain_domain(random);
        let mark = random.word(&[
            "{r:plain}",
            "{r:base64}",
            "{r:hexaddress}",
            "{r:b62:18}",
            "{i:hex:10}",
        ]);
        let click = format!(
            "https://{host}/{}{mark}",
            random.word(&["login/", "?e=", "v/", "secure.php?u=", "#"])
        );
        let mut tracker = Tracker::own(random, &host, None);
        tracker.click = Some(Pattern::new(&click));
        if !random.chance(self.assumptions.phishing_tracked) {
            tracker.open = None;
        }
        let tracker = Arc::new(tracker);
        let design = *random.pick(&[
            Design::Bare,
            Design::Bare,
            Design::Styled(mix(brand.domain.len() as u64, &[day as u64])),
        ]);
        let begins = moment(day, random);
        for _ in 0..random.usize(1..5) {
            let taken = names::firm(random);
            let mut who = match random.chance(0.7) {
                true => Identity::of_house(random, &taken),
                false => Identity::private(random),
            };
            who.name = brand.name.clone();
            who.imprint = brand.name.clone();
            let mut sender = Sender::program(random, who);
            sender.tracker = Some(Arc::clone(&tracker));
            sender.design = design;
            let count = self.audience(2.0, 30.0, random);
            let to = self.anybody(count, random);
            let content = Content::Drawn {
                kind: patterns::PHISHING,
                topic: random.usize(..TOPICS.len()),
                sentences: random.usize(2..5),
                extras: Extras {
                    links: 1,
                    ..Extras::default()
                },
            };
            let spread = random.log_uniform(60.0, 20_000.0);
            self.send(
                writing(sender, content, to, "phishing"),
                begins,
                spread,
                random,
                plans,
            );
        }
    }

    /// Somebody unknown writes to one person.
    fn stranger(&self, day: i64, random: &mut Random, plans: &mut Vec<Plan>) {
        let who = match random.bool() {
            true => Identity::private(random),
            false => {
                let house: House = names::firm(random);
                Identity::at_house(random, &house, 1)
            }
        };
        let sender = Sender::desk(random, who);
        let members = self.parliament.of_kind(Kind::Member);
        let person = *random.pick(&members);
        let content = Content::Drawn {
            kind: if random.bool() {
                patterns::PERSONAL
            } else {
                patterns::CITIZEN
            },
            topic: random.usize(..TOPICS.len()),
            sentences: random.usize(2..8),
            extras: Extras {
                personal: true,
                attachment: random.chance(0.1).then_some(Attached::Pdf),
                ..Extras::default()
            },
        };
        let to = vec![self.mailboxes[person].clone()];
        let begins = moment(day, random);
        self.send(
            writing(sender, content, to, "stranger"),
            begins,
            1.0,
            random,
            plans,
        );
    }

    fn topical_mailboxes(&self, group: usize, least: f64, most: f64, random: &mut Random) -> Vec<Recipient> {
        let (share, count) = (random.f64() * 0.4 + 0.6, self.audience(least, most, random));
        let readers = self.readers(group, share, count, random);
        readers
            .into_iter()
            .map(|person| self.mailbox(person, 0.03, random))
            .collect()
    }

    fn anybody(&self, count: usize, random: &mut Random) -> Vec<Recipient> {
        let people = random.sample(self.parliament.people.len(), count);
        people
            .into_iter()
            .map(|person| self.mailbox(person, 0.1, random))
            .collect()
    }
}

fn writing(sender: Sender, content: Content, to: Vec<Recipient>, kind: &'static str) -> Writing {
    Writing {
        sender: Arc::new(sender),
        content,
        to,
        kind,
        campaign: None,
        marks: None,
    }
}

fn told(article: Article, extras: Extras) -> Content {
    Content::Told {
        articles: vec![article],
        sentences: 12,
        subject: None,
        extras,
    }
}

/// A list's own marks, as bulk mail without a service has them.
pub(super) fn unmarked(unsubscribe: bool) -> Bulk {
    Bulk {
        service: None,
        account: String::new(),
        list: None,
        unsubscribe,
    }
}
