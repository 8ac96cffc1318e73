//! The hidden campaigns: who opens what, told by one image for each recipient.
//!
//! After the facts of 2021: ten accounts of a mass-mail service, mails that looked like news from journalists and
//! held real article text, more than a thousand messages to some four hundred people.

use std::sync::Arc;

use super::newcomers::{Writing, unmarked};
use super::{DAY, Plan, REPUTABLE_HOSTS, SECOND, World};
use crate::START_MICROS;
use crate::mailing::{Content, Extras, Recipient};
use crate::names::{self, House};
use crate::parliament::GroupKind;
use crate::random::{Draw as _, Random};
use crate::sender::{Design, Identity, Origin, Sender, Service, ServiceKind};
use crate::software::Software;
use crate::truth::Hosts;
use crate::url::Tracker;

/// A campaign and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Campaign {
    pub(crate) hosts: Hosts,
    pub(crate) group: usize,
    pub(crate) in_group: usize,
    pub(crate) identities: usize,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) unsubscribe: bool,
    pub(crate) headline_image: bool,
    pub(crate) texts: &'static str,
    pub(crate) plans: Vec<Plan>,
}

/// What all of a campaign's identities share.
struct Means {
    hosts: Hosts,
    trackers: Vec<Arc<Tracker>>,
    /// For campaigns with servers of their own.
    software: Software,
    design: Design,
    unsubscribe: bool,
    /// For fronts: the service, and what they are called. Two identities may be of one newspaper.
    service: Option<Arc<Service>>,
    fronts: Vec<House>,
}

/// Of the campaigns with fronts, the share through a service that writes to nobody else here.
const UNKNOWN_SERVICE: f64 = 0.6;

impl World {
    pub(super) fn plan_campaigns(&mut self) {
        for index in 0..self.assumptions.campaigns {
            let mut random = self.random(&[70, index as u64]);
            let campaign = self.campaign(index, &mut random);
            self.take(campaign.plans.clone());
            self.campaigns.push(campaign);
        }
    }

    fn campaign(&self, index: usize, random: &mut Random) -> Campaign {
        let assumed = &self.assumptions;
        let hosts = self.draw_hosts(random);
        let wanted = match random.f64() {
            share if share < 0.45 => GroupKind::Caucus,
            share if share < 0.95 => GroupKind::Committee,
            _ => GroupKind::Party,
        };
        let groups = &self.parliament.groups;
        let of_kind: Vec<usize> = (0..groups.len())
            .filter(|group| groups[*group].kind == wanted)
            .collect();
        let group = *random.pick(&of_kind);
        let (least, most) = assumed.campaign_recipients;
        let count = random.log_uniform(least as f64, most as f64 + 1.0) as usize;
        let of_group = (groups[group].people.len() as f64 * assumed.campaign_of_group) as usize;
        let count = count.min(of_group.max(least));
        let share = match random.chance(assumed.campaign_mixed) {
            true => 0.5 + random.f64() * 0.3,
            false => 0.8 + random.f64() * 0.2,
        };
        let people = self.readers(group, share, count, random);
        let in_group = people
            .iter()
            .filter(|person| groups[group].people.contains(person))
            .count();
        let recipients: Vec<Recipient> = people
            .iter()
            .map(|person| self.mailbox(*person, 0.05, random))
            .collect();
        let most_identities = assumed.campaign_identities.min(recipients.len()).max(2);
        let identities = match hosts {
            Hosts::Partner | Hosts::OneAccount => 1,
            Hosts::SeveralAccounts | Hosts::Fronts => random.usize(2..=most_identities),
            _ => random.usize(1..=most_identities),
        };
        let means = self.means(hosts, random);
        let (texts, content) = self.stories(group, identities, hosts, random);
        let key = random.u64(..);
        let marks = matches!(hosts, Hosts::Own | Hosts::Reputable | Hosts::Partner).then_some(key);
        let senders: Vec<Arc<Sender>> = (0..identities)
            .map(|number| Arc::new(self.identity(&means, number, recipients.first(), random)))
            .collect();

        let lasts = random.log_uniform(2.0 / 24.0, assumed.campaign_days) * DAY as f64;
        let last_start = assumed.days as f64 * DAY as f64 - lasts - DAY as f64 / 4.0;
        let first_start =
            (assumed.first_campaign_day.min(assumed.days.saturating_sub(1)) as i64 * DAY) as f64;
        let begins = START_MICROS + (first_start + random.f64() * (last_start - first_start).max(0.0)) as i64;
        let is_burst = random.chance(0.7);

        // Who writes to whom: everybody is written to once, many again by somebody else.
        let mut letters: Vec<Vec<Recipient>> = vec![Vec::new(); identities];
        for (number, recipient) in recipients.iter().enumerate() {
            let times = (1
                + random.round(assumed.campaign_messages_per_recipient - 1.0)
                + usize::from(random.chance(0.1)))
            .min(identities.max(1));
            for time in 0..times {
                letters[(number + time * 3 + random.usize(..2)) % identities].push(recipient.clone());
            }
        }
        let mut plans = Vec::new();
        for ((sender, to), content) in senders.iter().zip(letters).zip(content) {
            if to.is_empty() {
                continue;
            }
            let starts = begins + (random.f64() * lasts * 0.9) as i64;
            let room = (begins as f64 + lasts - starts as f64) / SECOND as f64;
            let spread = if is_burst {
                random.log_uniform(30.0, 7_200.0).min(room)
            } else {
                room
            };
            let writing = Writing {
                sender: Arc::clone(sender),
                content,
                to,
                kind: "campaign",
                campaign: Some(index),
                marks,
            };
            self.send(writing, starts, spread.max(1.0), random, &mut plans);
        }
        Campaign {
            hosts,
            group,
            in_group,
            identities,
            recipients,
            unsubscribe: senders
                .iter()
                .any(|sender| sender.bulk.as_ref().is_some_and(|bulk| bulk.unsubscribe)),
            headline_image: senders.iter().any(|sender| {
                sender
                    .tracker
                    .as_ref()
                    .is_some_and(|tracker| tracker.headline_image)
            }),
            texts,
            plans,
        }
    }

    fn draw_hosts(&self, random: &mut Random) -> Hosts {
        let assumed = &self.assumptions;
        if assumed.campaign_fronts > 0.0 && random.chance(assumed.campaign_fronts) {
            return Hosts::Fronts;
        }
        if random.chance(assumed.campaign_shared_service) {
            return match random.chance(assumed.campaign_several_accounts) {
                true => Hosts::SeveralAccounts,
                false => Hosts::OneAccount,
            };
        }
        match random.f64() {
            share if share < assumed.campaign_reputable_host => Hosts::Reputable,
            share if share < assumed.campaign_reputable_host + assumed.campaign_partner => Hosts::Partner,
            _ => Hosts::Own,
        }
    }

    fn means(&self, hosts: Hosts, random: &mut Random) -> Means {
        let unsubscribe = random.chance(0.25);
        let software = Software::program(random);
        let design = *random.pick(&[Design::Bare, Design::Note, Design::Styled(random.clone().u64(..))]);
        let mut service = None;
        let mut fronts = Vec::new();
        if hosts == Hosts::Fronts {
            service = Some(match random.chance(UNKNOWN_SERVICE) {
                true => Arc::new(Service::new(random, 0, 1.0).without_feedback()),
                false => Arc::clone(self.service(ServiceKind::Newsletter, random)),
            });
            fronts = (0..random.usize(2..5)).map(|_| names::outlet(random)).collect();
        }
        let trackers = match hosts {
            Hosts::Fronts => Vec::new(),
            Hosts::OneAccount | Hosts::SeveralAccounts => {
                let kind = *random.pick(&[ServiceKind::Merge, ServiceKind::Newsletter]);
                vec![Arc::clone(&self.service(kind, random).tracker)]
            }
            _ => {
                // Most have one host; some a few of them.
                let count = if random.chance(0.75) {
                    1
                } else {
                    random.usize(2..4)
                };
                let shape = random.u64(..);
                (0..count)
                    .map(|_| {
                        let domain = names::plain_domain(random);
                        let mut alike = Random::with_seed(shape);
                        let is_reputable = hosts == Hosts::Reputable;
                        let pictures = is_reputable.then(|| *alike.pick(&REPUTABLE_HOSTS));
                        let mut tracker = Tracker::own(&mut alike, &domain, pictures);
                        tracker.headline_image = shape.is_multiple_of(2);
                        if is_reputable {
                            tracker.open = None;
                            let marked = tracker.unsubscribe.clone();
                            tracker.click.get_or_insert(marked);
                        }
                        Arc::new(tracker)
                    })
                    .collect()
            }
        };
        Means {
            hosts,
            trackers,
            software,
            design,
            unsubscribe,
            service,
            fronts,
        }
    }

    /// Somebody who writes for a newspaper that was founded to be written for.
    fn front(service: &Arc<Service>, house: &House, unsubscribe: bool, random: &mut Random) -> Sender {
        let who = match random.bool() {
            true => Identity::of_house(random, house),
            false => {
                let mut who = Identity::at_house(random, house, 0);
                who.name = format!("{}, {}", who.name, house.name);
                who
            }
        };
        let mut sender = service.branded_account(random, who);
        if let Some(bulk) = &mut sender.bulk {
            bulk.unsubscribe = unsubscribe;
            bulk.list = None;
        }
        sender
    }

    /// What each identity sends: one text for all, told in other words, or one text each.
    fn stories(
        &self,
        group: usize,
        identities: usize,
        hosts: Hosts,
        random: &mut Random,
    ) -> (&'static str, Vec<Content>) {
        let topic = match random.chance(0.85) {
            true => self.parliament.groups[group].topic,
            false => random.usize(..18),
        };
        let day = random.i64(0..self.assumptions.days as i64);
        let number = random.usize(..6);
        let strength = *random.pick(&[0.0, 0.1, 0.25, 0.4]);
        let sentences = random.usize(4..13);
        let texts = match random.usize(..10) {
            _ if hosts == Hosts::Fronts => "a text for each identity",
            0..6 => "one text, paraphrased",
            6..8 => "two texts",
            _ => "a text for each identity",
        };
        let article = |identity: usize, random: &mut Random| match texts {
            "one text, paraphrased" => self.news(day, topic, number).paraphrased(strength, random),
            "two texts" => self.news(day, topic, number + identity % 2),
            _ => self.news(day, topic, identity),
        };
        let pictures = usize::from(random.bool());
        let personal = random.bool();
        let contents = (0..identities).map(|identity| Content::Told {
            articles: vec![article(identity, random)],
            sentences,
            subject: None,
            extras: Extras {
                pictures,
                personal,
                ..Extras::default()
            },
        });
        (texts, contents.collect())
    }

    /// Somebody who claims to be a journalist.
    fn identity(
        &self,
        means: &Means,
        number: usize,
        recipient: Option<&Recipient>,
        random: &mut Random,
    ) -> Sender {
        if let Some(service) = &means.service {
            let house = &means.fronts[number % means.fronts.len()];
            return Self::front(service, house, means.unsubscribe, random);
        }
        let outlet = random.pick(&self.outlets);
        let mut who = Identity::private(random);
        match random.f64() {
            share if share < 0.35 => {}
            share if share < 0.65 => {
                let domain = names::lookalike(random, outlet);
                who.address = format!("{}@{domain}", names::local_part(&who.name, random.usize(..4)));
                who.web = domain;
            }
            _ => {
                let domain = names::plain_domain(random);
                who.address = format!("{}@{domain}", names::local_part(&who.name, random.usize(..4)));
                who.web = domain;
            }
        }
        match random.f64() {
            share if share < 0.35 => who.name = format!("{} | {}", who.name, outlet.name),
            share if share < 0.5 => who.name = outlet.name.clone(),
            share if share < 0.8 => who.imprint = format!("{}, {}", who.name, outlet.name),
            _ => {}
        }
        let tracker = &means.trackers[number % means.trackers.len()];
        if matches!(means.hosts, Hosts::OneAccount | Hosts::SeveralAccounts) {
            let used = self
                .services
                .iter()
                .find(|service| Arc::ptr_eq(&service.tracker, tracker));
            if let Some(service) = used {
                return service.account(random, who);
            }
        }
        let mut sender = Sender::program(random, who);
        if random.chance(0.8) {
            sender.software = means.software.clone();
            sender.design = means.design;
        }
        if means.hosts == Hosts::Partner
            && let Some(partner) = self.partner_of(recipient, random)
        {
            sender = Sender {
                design: Design::Note,
                ..partner
            };
        }
        if sender.design == Design::Plain {
            sender.design = Design::Bare;
        }
        if sender.origin.dkim != blackrod_model::mail::AuthResult::Pass && means.hosts != Hosts::Partner {
            sender.origin = Origin::own(random, sender.domain());
        }
        sender.tracker = Some(Arc::clone(tracker));
        sender.bulk = means.unsubscribe.then(|| unmarked(true));
        sender
    }

    /// Somebody at a partner organisation whom people know.
    fn partner_of(&self, recipient: Option<&Recipient>, random: &mut Random) -> Option<Sender> {
        let person = self
            .mailboxes
            .iter()
            .position(|own| Some(&own.address) == recipient.map(|to| &to.address));
        let is_partner = |sender: &Sender| self.partners.iter().any(|house| house.domain == sender.domain());
        let known: Vec<&super::Contact> = self
            .contacts
            .iter()
            .filter(|contact| is_partner(&contact.sender))
            .collect();
        if known.is_empty() {
            return None;
        }
        let knows_one = known
            .iter()
            .find(|contact| person.is_some_and(|person| contact.known_to.contains(&person)));
        let chosen = knows_one
            .copied()
            .unwrap_or_else(|| known[random.usize(..known.len())]);
        Some((*chosen.sender).clone())
    }
}
