//! Accounts of one mass-mail service that nothing links but whom they write to.
//!
//! One new account that writes to a few people of a committee says nothing. Several within days, each telling the same to all whom
//! it writes to, and none with anything that belongs to the name it bears, are no chance: a scan statistic (Kulldorff, 1997) over
//! the service's accounts, for each circle of people.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::history::DAY;
use super::link::Sources;
use super::people::{People, Recipient};
use super::source::{Relation, Source, SourceId, Standing};
use super::targeting::ON_TARGET;

/// How far back accounts are taken together, and the shorter times within which they may have begun: a campaign is sent over a week or
/// within the hour, and in an hour few others begin.
const WINDOW: u32 = 7 * DAY;
const SPANS: [u32; 3] = [WINDOW, DAY, DAY / 8];
/// How long an account must have been silent before it is compared: a list that is being sent looks small at its begin.
pub(super) const SILENT: u32 = 1_800;
/// Accounts with more recipients are judged by themselves.
const MOST_RECIPIENTS: usize = 12;
/// The latest accounts of a service that are compared.
const MOST: usize = 96;
/// Services that are followed; beyond, those whose accounts are all forgotten go.
const SERVICES: usize = 4_096;
/// The share of ordinary senders who write to one circle, and the least and most circles that they choose from: an estate file may
/// name few, and lists of the same people are many.
const AIMED: f64 = 0.3;
const CHOICES: (usize, usize) = (16, 64);
/// The share of an account's recipients whom a campaign's other accounts have written to, as far as they have.
const AGAIN: f64 = 0.5;
/// The most accounts that are taken together: twice what is known of any campaign.
const MOST_MEMBERS: usize = 20;
/// What it must say, in nats, after all that was tried.
const TOGETHER: f64 = 3.0;

/// The latest accounts of each service.
#[derive(Default)]
pub(super) struct Pools {
    of_service: FxHashMap<u64, VecDeque<Account>>,
}

/// An account, and how many messages it had when it was compared last.
struct Account {
    id: SourceId,
    compared_at: u32,
}

/// Accounts that are taken for one sender's.
pub(super) struct Pooled {
    pub(super) members: Vec<SourceId>,
    /// Against chance, in nats.
    pub(super) weight: f64,
}

impl Pools {
    /// A new source that uses `service`.
    pub(super) fn add(&mut self, service: u64, id: SourceId, sources: &Sources) {
        if self.of_service.len() >= SERVICES && !self.of_service.contains_key(&service) {
            self.of_service
                .retain(|_, accounts| accounts.iter().any(|one| sources.get(one.id).is_some()));
            if self.of_service.len() >= SERVICES {
                return;
            }
        }
        let accounts = self.of_service.entry(service).or_default();
        if accounts.len() >= MOST {
            accounts.pop_front();
        }
        accounts.push_back(Account { id, compared_at: 0 });
    }

    /// The services with accounts, in order.
    pub(super) fn services(&self) -> Vec<u64> {
        let mut services: Vec<u64> = self.of_service.keys().copied().collect();
        services.sort_unstable();
        services
    }

    /// The accounts of `service` that have fallen silent since they were compared last.
    pub(super) fn silent(&mut self, service: u64, sources: &Sources, now: u32) -> Vec<SourceId> {
        let accounts = self.of_service.get_mut(&service).into_iter().flatten();
        let silent = accounts.filter_map(|account| {
            let source = sources.get(account.id)?;
            let is_due = is_silent(source, now) && source.messages != account.compared_at;
            is_due.then(|| {
                account.compared_at = source.messages;
                account.id
            })
        });
        silent.collect()
    }

    /// The accounts that together with `id` write to one circle beyond chance.
    pub(super) fn look(
        &self,
        id: SourceId,
        sources: &Sources,
        people: &People<'_>,
        now: u32,
    ) -> Option<Pooled> {
        let source = sources.get(id).filter(|source| is_unaccountable(source))?;
        let since = now.saturating_sub(WINDOW);
        let recent: Vec<&Source> = self
            .of_service
            .get(&source.service?)?
            .iter()
            .filter_map(|account| sources.get(account.id))
            .filter(|one| one.last >= since && is_silent(one, now) && is_unaccountable(one))
            .collect();
        if recent.len() < 2 {
            return None;
        }
        let own = people.hits(&source.recipients, since);
        let mut fitting: FxHashMap<u64, Vec<(f64, &Source)>> = FxHashMap::default();
        for one in &recent {
            let drawn = one.recipients.len();
            for (circle, hit) in people.hits(&one.recipients, since) {
                let weight = aimed(hit, drawn, people.share_of(circle), people.circles());
                if weight > 0.0 && own.contains_key(&circle) {
                    fitting.entry(circle).or_default().push((weight, one));
                }
            }
        }
        let tried = (people.circles() * self.of_service.len() * SPANS.len()).max(1) as f64;
        let pooled = SPANS.iter().flat_map(|span| {
            let began_then = |one: &Source| one.first.abs_diff(source.first) <= *span;
            let all = recent.iter().filter(|one| began_then(one)).count();
            fitting.iter().filter_map(move |(circle, fitting)| {
                let members = people.share_of(*circle) * people.population() as f64;
                let then = fitting.iter().filter(|(_, one)| began_then(one));
                together(source, then.copied().collect(), members, all, tried)
            })
        });
        pooled.max_by(|a, b| {
            let by_members = || a.members.cmp(&b.members);
            a.weight.total_cmp(&b.weight).then_with(by_members)
        })
    }
}

/// A new sender to a few that tells them all the same and has nothing of the name that it bears: no domain, no account, no page.
fn is_unaccountable(source: &Source) -> bool {
    let tells_the_same = source.texts.len() <= 1 + usize::from(source.messages >= 6);
    let is_nobodys = source.relation != Relation::Owned || source.home_is_shared || source.is_borrowing;
    let is_small = source.recipients.len() <= MOST_RECIPIENTS;
    source.standing == Standing::New && is_small && tells_the_same && is_nobodys
}

fn is_silent(source: &Source, now: u32) -> bool {
    source.last.saturating_add(SILENT) <= now
}

/// ln of the likelihood of a sender's hits if it aims at the circle, over that of an ordinary sender, who may aim there too.
fn aimed(hit: usize, drawn: usize, share: f64, circles: usize) -> f64 {
    let missed = drawn.saturating_sub(hit);
    let raw = hit as f64 * (ON_TARGET / share.max(1e-6) + 1.0 - ON_TARGET).ln()
        + missed as f64 * (1.0 - ON_TARGET).ln();
    let by_chance = AIMED / circles.clamp(CHOICES.0, CHOICES.1) as f64;
    -((1.0 - AIMED) * (-raw).exp() + by_chance).ln()
}

/// `first` and those of the `fitting` accounts that raise the sum most, less what it costs to choose so many out of `all`. One house's accounts
/// count once.
fn together(
    first: &Source,
    mut fitting: Vec<(f64, &Source)>,
    in_circle: f64,
    all: usize,
    tried: f64,
) -> Option<Pooled> {
    let at = fitting.iter().position(|(_, one)| one.id == first.id)?;
    let (mut sum, _) = fitting.swap_remove(at);
    let mut chosen = vec![first];
    let mut reached: FxHashSet<Recipient> = first.recipients.iter().copied().collect();
    let mut ways = (all.max(1) as f64).ln();
    let mut best: Option<(usize, f64)> = None;
    while chosen.len() < MOST_MEMBERS {
        let is_of_house =
            |one: &Source| !one.home_is_shared && chosen.iter().any(|known| known.home == one.home);
        fitting.retain(|(_, one)| !is_of_house(one));
        let worth = |weight: f64, one: &Source| weight + same_people(&one.recipients, &reached, in_circle);
        let next = fitting
            .iter()
            .enumerate()
            .map(|(at, (weight, one))| (at, worth(*weight, one), one.id))
            .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.2.cmp(&a.2)));
        let Some((at, worth, _)) = next else { break };
        let (_, one) = fitting.swap_remove(at);
        sum += worth;
        let left = all.saturating_sub(chosen.len()).max(1) as f64;
        ways += (left / (chosen.len() + 1) as f64).ln();
        chosen.push(one);
        reached.extend(&one.recipients);
        let total = sum - ways - tried.ln();
        if total >= TOGETHER && best.is_none_or(|(_, most)| total > most) {
            best = Some((chosen.len(), total));
        }
    }
    let (count, weight) = best?;
    Some(Pooled {
        members: chosen.iter().take(count).map(|one| one.id).collect(),
        weight,
    })
}

/// What it says of one sender that an account writes to people whom the others have `reached`, and not to more of the circle.
fn same_people(recipients: &[Recipient], reached: &FxHashSet<Recipient>, in_circle: f64) -> f64 {
    let by_chance = (reached.len() as f64 / in_circle.max(1.0)).clamp(0.01, 0.9);
    let again = recipients.iter().filter(|one| reached.contains(one)).count();
    let others = recipients.len() - again;
    again as f64 * (AGAIN / by_chance).ln() + others as f64 * ((1.0 - AGAIN) / (1.0 - by_chance)).ln()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// An account that writes to `recipients` of a circle of thirty out of 1,500 people; there are forty circles.
    fn account(id: SourceId, recipients: std::ops::Range<Recipient>) -> Source {
        Source {
            id,
            home: u64::from(id),
            recipients: recipients.collect(),
            ..Source::default()
        }
    }

    fn pooled(accounts: &[Source], all: usize) -> Option<Vec<SourceId>> {
        let weigh = |one: &Source| {
            let drawn = one.recipients.len();
            let hit = one.recipients.iter().filter(|person| **person < 30).count();
            aimed(hit, drawn, 0.02, 40)
        };
        let fitting = accounts.iter().map(|one| (weigh(one), one)).collect();
        together(accounts.first()?, fitting, 30.0, all, 480.0).map(|pooled| pooled.members)
    }

    #[test]
    fn many_accounts_on_one_circle_are_one_sender() {
        let accounts: Vec<Source> = (0..5).map(|id| account(id, id * 2..id * 2 + 3)).collect();
        assert_eq!(pooled(accounts.get(..2).unwrap(), 20), None);
        let mut members = pooled(&accounts, 20).unwrap();
        members.sort_unstable();
        assert_eq!(members, [0, 1, 2, 3, 4]);
        assert_eq!(pooled(&accounts, 5_000), None);
    }

    #[test]
    fn who_writes_to_others_is_left_out_and_a_house_counts_once() {
        let mut accounts: Vec<Source> = (0..5).map(|id| account(id, id..id + 2)).collect();
        accounts.push(account(9, 29..33));
        let mut members = pooled(&accounts, 30).unwrap();
        members.sort_unstable();
        assert_eq!(members, [0, 1, 2, 3, 4]);
        accounts.iter_mut().for_each(|one| one.home = 1);
        assert_eq!(pooled(&accounts, 30), None);
    }
}
