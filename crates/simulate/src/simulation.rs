//! A run.

use std::sync::Arc;

use blackrod_model::Estate;
use rustc_hash::FxHashMap;

use crate::assumptions::Assumptions;
use crate::body::Body;
use crate::mail::Mail;
use crate::parliament;
use crate::truth::{HiddenCampaign, Truth};
use crate::world::{HISTORY_DAYS, Plan, World};

/// One run: an estate, its mail, and what is hidden in it.
pub struct Simulation {
    world: Arc<World>,
    estate: Estate,
}

impl Simulation {
    /// The run of `seed`.
    pub fn new(seed: u64, assumptions: Assumptions) -> Self {
        let world = World::new(seed, &assumptions);
        Self {
            estate: world.parliament.estate(&world.partners),
            world: Arc::new(world),
        }
    }

    /// What is protected.
    pub fn estate(&self) -> &Estate {
        &self.estate
    }

    /// The same as an estate file.
    pub fn estate_toml(&self) -> String {
        parliament::to_toml(&self.estate)
    }

    /// The first moment of the first day: what is before is history.
    pub fn starts_micros(&self) -> i64 {
        crate::START_MICROS
    }

    /// What is hidden where.
    pub fn truth(&self) -> Truth {
        let campaigns = self.world.campaigns.iter().enumerate().map(|(number, campaign)| {
            let mut plans: Vec<&Plan> = campaign.plans.iter().collect();
            plans.sort_by_key(|plan| (plan.micros, plan.mailing.key, plan.index));
            let seconds = |plan: Option<&&Plan>| plan.map_or(0, |plan| plan.micros.div_euclid(1_000_000));
            HiddenCampaign {
                number,
                hosts: campaign.hosts,
                group: self.estate.groups[campaign.group].id.clone(),
                in_group: campaign.in_group,
                identities: campaign.identities,
                recipients: campaign
                    .recipients
                    .iter()
                    .map(|recipient| recipient.address.to_string())
                    .collect(),
                unsubscribe: campaign.unsubscribe,
                headline_image: campaign.headline_image,
                texts: campaign.texts.to_owned(),
                begins: seconds(plans.first()),
                ends: seconds(plans.last()),
                messages: plans
                    .iter()
                    .map(|plan| plan.mailing.message_id(plan.index, plan.micros))
                    .collect(),
            }
        });
        Truth {
            seed: self.world.seed,
            assumptions: self.world.assumptions.clone(),
            campaigns: campaigns.collect(),
        }
    }

    /// All messages in the order of time, the history first.
    pub fn messages(&self) -> Messages {
        Messages {
            day: if self.world.assumptions.history {
                -HISTORY_DAYS
            } else {
                0
            },
            world: Arc::clone(&self.world),
            plans: Vec::new().into_iter(),
            bodies: FxHashMap::default(),
            number: 0,
        }
    }
}

/// The messages of a run in the order of time.
pub struct Messages {
    world: Arc<World>,
    day: i64,
    plans: std::vec::IntoIter<Plan>,
    /// The bodies of today's mailings that go to more than one.
    bodies: FxHashMap<u64, Arc<Body>>,
    number: u64,
}

impl Iterator for Messages {
    type Item = Mail;

    fn next(&mut self) -> Option<Mail> {
        let plan = loop {
            if let Some(plan) = self.plans.next() {
                break plan;
            }
            if self.day >= self.world.assumptions.days as i64 {
                return None;
            }
            self.plans = self.world.day(self.day).into_iter();
            self.bodies.clear();
            self.day += 1;
        };
        self.number += 1;
        let mailing = plan.mailing;
        let body = match mailing.is_joint || mailing.to.len() == 1 {
            true => Arc::new(Body::new(&mailing)),
            false => Arc::clone(
                self.bodies
                    .entry(mailing.key)
                    .or_insert_with(|| Arc::new(Body::new(&mailing))),
            ),
        };
        Some(Mail {
            body,
            mailing,
            index: plan.index,
            micros: plan.micros,
            number: self.number,
        })
    }
}
