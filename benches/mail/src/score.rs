//! Alerts against the truth.
//!
//! - An alert is right about a campaign if at least half of its messages are of that campaign, at the end of the run.
//! - A campaign is found if some alert is right about it; the first such alert counts, any further one is a fragment.
//! - An alert is false if less than half of its messages are of campaigns. Of those, the ones with mostly untargeted
//!   phishing are also counted apart. The rest (half hostile, no campaign with half of it) is called mixed: it finds nothing and is not false.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use blackrod_simulate::Hosts;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::detector::Alert;
use crate::run::Outcome;

/// Alerts a day that somebody may look at.
pub(crate) const BUDGETS: [usize; 3] = [1, 3, 10];

/// What a detector achieved over runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Score {
    /// One for each campaign of each run.
    pub(crate) campaigns: Vec<Found>,
    pub(crate) false_alerts: usize,
    pub(crate) of_phishing: usize,
    pub(crate) mixed: usize,
    pub(crate) fragments: usize,
    pub(crate) messages: usize,
    pub(crate) days: f64,
    /// False alerts by the kind of mail that most of their messages are.
    pub(crate) false_kinds: BTreeMap<&'static str, usize>,
}

/// What came of one campaign.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) seed: u64,
    pub(crate) number: usize,
    pub(crate) hosts: Hosts,
    pub(crate) recipients: usize,
    pub(crate) is_found: bool,
    /// People of the campaign who had its mail when it was first called one.
    pub(crate) delivered: usize,
    /// Recipients of the alert at that time.
    pub(crate) at_alert: usize,
    /// Found with only so many alerts a day, the strongest of each day.
    pub(crate) within: [bool; BUDGETS.len()],
}

enum Verdict {
    Right(u8),
    False(&'static str),
    Mixed,
}

impl Score {
    /// Adds the alerts of one detector in one run.
    pub(crate) fn add(&mut self, outcome: &Outcome, alerts: &[Alert]) {
        self.messages += outcome.messages;
        self.days += outcome.days;
        let within = within_budgets(alerts, outcome.starts);
        let mut first: FxHashMap<u8, &Alert> = FxHashMap::default();
        let mut found_within: FxHashSet<(u8, usize)> = FxHashSet::default();
        for (index, alert) in alerts.iter().enumerate() {
            match judge(alert, outcome) {
                Verdict::Right(campaign) => {
                    match first.entry(campaign) {
                        Entry::Occupied(_) => self.fragments += 1,
                        Entry::Vacant(none) => {
                            none.insert(alert);
                        }
                    }
                    for (budget, kept) in within.iter().enumerate() {
                        if kept.contains(&index) {
                            found_within.insert((campaign, budget));
                        }
                    }
                }
                Verdict::False(kind) => {
                    self.false_alerts += 1;
                    self.of_phishing += usize::from(kind == "phishing");
                    *self.false_kinds.entry(kind).or_default() += 1;
                }
                Verdict::Mixed => self.mixed += 1,
            }
        }
        for campaign in &outcome.truth.campaigns {
            let number = campaign.number as u8;
            let alert = first.get(&number);
            let delivered = alert.map_or(0, |alert| {
                let reached = outcome.reached.get(&number).map_or(&[][..], Vec::as_slice);
                let until = reached
                    .iter()
                    .take_while(|(seconds, _)| *seconds <= alert.seconds);
                until.map(|(_, address)| address).collect::<FxHashSet<_>>().len()
            });
            self.campaigns.push(Found {
                seed: outcome.truth.seed,
                number: campaign.number,
                hosts: campaign.hosts,
                recipients: campaign.recipients.len(),
                is_found: alert.is_some(),
                delivered,
                at_alert: alert.map_or(0, |alert| alert.recipients),
                within: std::array::from_fn(|budget| found_within.contains(&(number, budget))),
            });
        }
    }
}

/// The title of a false alert and what kind of mail it is made of.
pub(crate) fn describe(alert: &Alert, outcome: &Outcome) -> Option<String> {
    match judge(alert, outcome) {
        Verdict::False(kind) => Some(format!(
            "false: {} messages, {} recipients when called, score {:.1}, mostly {kind}: {}",
            alert.messages.len(),
            alert.recipients,
            alert.score,
            alert.title
        )),
        _ => None,
    }
}

fn judge(alert: &Alert, outcome: &Outcome) -> Verdict {
    let mut campaigns: FxHashMap<u8, usize> = FxHashMap::default();
    let mut kinds: BTreeMap<&'static str, usize> = BTreeMap::new();
    for number in &alert.messages {
        let Some(label) = outcome.labels.get(*number as usize) else {
            continue;
        };
        match label.campaign {
            Some(campaign) => *campaigns.entry(campaign).or_default() += 1,
            None => *kinds.entry(label.kind).or_default() += 1,
        }
    }
    let all = alert.messages.len();
    let hostile: usize = campaigns.values().sum();
    let largest = campaigns
        .into_iter()
        .max_by_key(|(campaign, count)| (*count, *campaign));
    match largest {
        Some((campaign, count)) if count * 2 >= all => Verdict::Right(campaign),
        _ if hostile * 2 < all || all == 0 => {
            let most = kinds.into_iter().max_by_key(|(_, count)| *count);
            Verdict::False(most.map_or("(nothing)", |(kind, _)| kind))
        }
        _ => Verdict::Mixed,
    }
}

/// For each budget the indices of the alerts that are among the strongest of their day.
fn within_budgets(alerts: &[Alert], starts: i64) -> [FxHashSet<usize>; BUDGETS.len()] {
    let mut by_day: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, alert) in alerts.iter().enumerate() {
        by_day
            .entry((alert.seconds - starts).div_euclid(86_400))
            .or_default()
            .push(index);
    }
    for day in by_day.values_mut() {
        day.sort_by(|a, b| alerts[*b].score.total_cmp(&alerts[*a].score));
    }
    BUDGETS.map(|budget| {
        by_day
            .values()
            .flat_map(|day| day.iter().take(budget).copied())
            .collect()
    })
}
