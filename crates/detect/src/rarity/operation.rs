//! What belongs together: the sessions of one account, and those that moves from host to host or borrowed accounts tie
//! to it.

use blackrod_model::process::ProcessFacts;
use blackrod_model::{EvidenceId, Position, Timestamp};
use rustc_hash::FxHashMap;

use super::HOUR;
use super::baseline::day_of;
use super::lately::{bound, since};
use super::score::Term;

/// What an operation must have come to lately before it ties others to it.
const WARM: f32 = 4.0;

/// The most operations that are remembered; the weaker go first.
const MOST: usize = 50_000;

/// The most commands of an operation that are kept for showing.
const MOST_STEPS: usize = 64;

/// How long a move to another host, or the use of another account, ties what follows there.
pub(super) const TIE_LASTS: i64 = 12 * HOUR;

/// All operations.
#[derive(Debug, Default)]
pub(super) struct Operations {
    all: Vec<Operation>,
    by_actor: FxHashMap<String, usize>,
    /// Hosts and accounts that somebody reached for: by whom and when.
    reached: FxHashMap<String, (String, Timestamp)>,
    /// Hosts on which somebody did something odd: who and when.
    stirred: FxHashMap<String, (String, Timestamp)>,
}

/// What belongs together.
#[derive(Clone, Debug, Default)]
pub(super) struct Operation {
    pub(super) actors: Vec<String>,
    pub(super) steps: Vec<Step>,
    pub(super) days: Vec<Day>,
    /// Merged into this other one.
    into: Option<usize>,
}

/// A command that made an operation stronger.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) evidence: EvidenceId,
    pub(super) at: Position,
    pub(super) time: Timestamp,
    pub(super) class: u32,
    pub(super) host: String,
    pub(super) user: String,
    pub(super) session: String,
    pub(super) image: String,
    pub(super) command: String,
    pub(super) targets: Vec<String>,
    pub(super) value: f32,
    pub(super) terms: Vec<Term>,
    pub(super) attack: Vec<String>,
}

/// What one day added to an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Day {
    pub(super) day: u32,
    pub(super) gain: f32,
    strongest: f32,
    /// The command that added most.
    pub(super) evidence: EvidenceId,
    pub(super) at: Position,
    pub(super) time: Timestamp,
}

impl Operations {
    /// `actor` reached for another account or host.
    pub(super) fn reach(&mut self, actor: &str, other: &str, at: Timestamp) {
        if other.is_empty() || other == actor {
            return;
        }
        bound(&mut self.reached, |(_, at)| *at);
        self.reached.insert(other.to_owned(), (actor.to_owned(), at));
    }

    /// `actor` did something odd on `host`.
    pub(super) fn stirred(&mut self, host: &str, actor: &str, at: Timestamp) {
        bound(&mut self.stirred, |(_, at)| *at);
        self.stirred.insert(host.to_owned(), (actor.to_owned(), at));
    }

    /// `actor` came from `host`: whoever did something odd there lately may have taken that account too.
    pub(super) fn came_from(&mut self, host: &str, actor: &str, at: Timestamp) {
        let Some((by, when)) = self.stirred.get(host) else {
            return;
        };
        if since(*when, at) < TIE_LASTS {
            let by = by.clone();
            self.reach(&by, actor, at);
        }
    }

    /// All operations that came to anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.all
            .iter()
            .filter(|operation| operation.into.is_none() && !operation.days.is_empty())
    }

    /// Keeps a command of the operation at `place` for showing.
    pub(super) fn keep(&mut self, place: usize, step: Step) {
        let Some(operation) = self.all.get_mut(place) else {
            return;
        };
        if operation.steps.len() < MOST_STEPS {
            operation.steps.push(step);
            return;
        }
        let weakest = operation
            .steps
            .iter_mut()
            .min_by(|left, right| left.value.total_cmp(&right.value));
        if let Some(weakest) = weakest.filter(|weakest| weakest.value < step.value) {
            *weakest = step;
        }
    }

    /// Adds `gain` to the operation of `actor`, tying it to whoever reached for this account or host. Returns its
    /// place.
    pub(super) fn grow(&mut self, facts: &ProcessFacts, actor: &str, gain: f32) -> usize {
        let mut own = self.operation_of(actor);
        let tied: Vec<String> = [actor, facts.host.as_str()]
            .iter()
            .filter_map(|name| self.reached.get(*name))
            .filter(|(by, at)| by != actor && since(*at, facts.time) < TIE_LASTS)
            .map(|(by, _)| by.clone())
            .collect();
        for by in tied {
            if let Some(&other) = self.by_actor.get(&by) {
                own = self.tie(own, other, facts.time);
            }
        }
        let Some(operation) = self.all.get_mut(own) else {
            return own;
        };
        let added = Day {
            day: day_of(facts.time),
            gain,
            strongest: gain,
            evidence: facts.evidence,
            at: facts.at,
            time: facts.time,
        };
        match operation.days.last_mut() {
            Some(last) if last.day == added.day => last.add(&added),
            _ => operation.days.push(added),
        }
        own
    }

    fn operation_of(&mut self, actor: &str) -> usize {
        if let Some(&index) = self.by_actor.get(actor) {
            return self.root(index);
        }
        if self.all.len() >= MOST {
            self.forget_weaker();
        }
        let index = self.all.len();
        self.all.push(Operation {
            actors: vec![actor.to_owned()],
            ..Operation::default()
        });
        self.by_actor.insert(actor.to_owned(), index);
        index
    }

    fn root(&self, mut index: usize) -> usize {
        while let Some(next) = self.all.get(index).and_then(|operation| operation.into) {
            index = next;
        }
        index
    }

    /// Forgets the weaker half of the operations, and those that are part of others.
    fn forget_weaker(&mut self) {
        let mut order: Vec<(f32, usize)> = self
            .all
            .iter()
            .enumerate()
            .filter(|(_, operation)| operation.into.is_none())
            .map(|(place, operation)| (operation.days.iter().map(|day| day.gain).sum(), place))
            .collect();
        order.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
        order.truncate(MOST / 2);
        let mut places: Vec<usize> = order.into_iter().map(|(_, place)| place).collect();
        places.sort_unstable();
        let kept: Vec<Operation> = places
            .into_iter()
            .filter_map(|place| self.all.get_mut(place).map(std::mem::take))
            .collect();
        self.by_actor.clear();
        for (place, operation) in kept.iter().enumerate() {
            let actors = operation.actors.iter().cloned();
            self.by_actor.extend(actors.map(|actor| (actor, place)));
        }
        self.all = kept;
    }

    /// Makes one operation of two, if the other came to anything.
    fn tie(&mut self, own: usize, other: usize, now: Timestamp) -> usize {
        let (own, other) = (self.root(own), self.root(other));
        let today = day_of(now);
        let is_warm = self
            .all
            .get(other)
            .and_then(|operation| operation.days.last())
            .is_some_and(|last| last.day + 1 >= today && last.gain >= WARM);
        if own == other || !is_warm {
            return own;
        }
        let (keep, gone) = (own.min(other), own.max(other));
        let Some(mut merged) = self.all.get_mut(gone).map(std::mem::take) else {
            return own;
        };
        if let Some(emptied) = self.all.get_mut(gone) {
            emptied.into = Some(keep);
        }
        let Some(operation) = self.all.get_mut(keep) else {
            return own;
        };
        operation.actors.append(&mut merged.actors);
        operation.steps.append(&mut merged.steps);
        operation
            .steps
            .sort_by(|left, right| right.value.total_cmp(&left.value));
        operation.steps.truncate(MOST_STEPS);
        for day in merged.days {
            match operation.days.iter_mut().find(|known| known.day == day.day) {
                Some(known) => known.add(&day),
                None => operation.days.push(day),
            }
        }
        operation.days.sort_by_key(|day| day.day);
        keep
    }
}

impl Day {
    /// Adds what another operation came to on the same day, or a further command.
    fn add(&mut self, other: &Self) {
        if other.strongest > self.strongest {
            let gain = self.gain;
            *self = *other;
            self.gain = gain;
        }
        self.gain += other.gain;
    }
}
