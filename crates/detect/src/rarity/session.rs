//! Sessions, not lines: scores add up along a logon session, and sessions of one account, or tied by moves from host
//! to host, are one operation.
//!
//! Within a session scores are summed as in Page's CUSUM (1954): the sum never falls below zero, so ordinary work
//! before does not pay for what comes after, and ten commands that are each a little odd come to something. What the
//! same session did before counts once. An operation adds up what its sessions reached; half of it is
//! forgotten after a week.

use blackrod_model::process::{Act, ProcessFacts};
use blackrod_model::{EvidenceId, Position, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::baseline::{day_of, mix};
use super::score::{Score, Term};
use super::table::Can;

/// A session that is silent for so long has ended.
const SESSION_ENDS: i64 = 8 * HOUR;
const HOUR: i64 = 3_600_000_000;

/// What an operation must have come to lately before it ties others to it.
const WARM: f32 = 4.0;

/// What a session must reach before it says anything about its operation.
const SESSION_FLOOR: f32 = 1.0;

/// Ordinary commands between odd ones take away only so much: an intruder shares the session with its owner.
const ORDINARY: f32 = 0.5;

/// The most sessions and operations that are remembered; the weakest go first.
const MOST: usize = 200_000;

/// The most commands of an operation that are kept for showing.
const MOST_STEPS: usize = 64;

/// The most commands of a session that are told apart.
const MOST_SHAPES: usize = 256;

/// How long a move to another host, or the use of another account, ties what follows there.
const TIE_LASTS: i64 = 12 * HOUR;

/// All sessions and operations.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: FxHashMap<u64, Session>,
    operations: Vec<Operation>,
    by_actor: FxHashMap<String, usize>,
    /// Hosts and accounts that somebody reached for: by whom and when.
    reached: FxHashMap<String, (String, Timestamp)>,
    /// Logons from a host that is unusual for the account: how unusual, from where.
    arrivals: FxHashMap<u64, Arrival>,
}

#[derive(Clone, Debug)]
struct Arrival {
    at: Timestamp,
    value: f32,
    from: String,
}

/// One logon session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) host: String,
    pub(super) actor: String,
    pub(super) id: String,
    pub(super) peak: f32,
    sum: f32,
    last: Timestamp,
    shapes: FxHashSet<u64>,
    can: Can,
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

/// What one command came to besides its own score.
pub(super) struct Added {
    /// Everything together.
    pub(super) value: f32,
    /// The terms that its session added.
    pub(super) terms: Vec<Term>,
    /// How much stronger its operation became.
    pub(super) gain: f32,
    operation: usize,
}

impl Sessions {
    /// Somebody logged on to `host` from `from`; `value` says how unusual that is for the account.
    pub(super) fn arrive(&mut self, host: &str, actor: &str, from: &str, value: f32, at: Timestamp) {
        if value <= 0.0 {
            return;
        }
        bound(&mut self.arrivals, |arrival| arrival.at);
        let arrival = Arrival {
            at,
            value,
            from: from.to_owned(),
        };
        self.arrivals.insert(place_key(host, actor), arrival);
    }

    /// `actor` reached for another account or host.
    pub(super) fn reach(&mut self, actor: &str, other: &str, at: Timestamp) {
        if other.is_empty() || other == actor {
            return;
        }
        bound(&mut self.reached, |(_, at)| *at);
        self.reached.insert(other.to_owned(), (actor.to_owned(), at));
    }

    /// Takes in a command with its score.
    pub(super) fn command(
        &mut self,
        facts: &ProcessFacts,
        actor: &str,
        shape: u64,
        score: &Score,
        extra: Vec<Term>,
    ) -> Added {
        let mut terms = extra;
        let key = session_key(facts, actor);
        let session = self.open.entry(key).or_insert_with(|| Session::new(facts, actor));
        if since(session.last, facts.time) > SESSION_ENDS {
            *session = Session::new(facts, actor);
        }
        session.last = facts.time;
        let is_new = if session.shapes.len() < MOST_SHAPES {
            session.shapes.insert(shape)
        } else {
            !session.shapes.contains(&shape)
        };
        let own = score.total + terms.iter().map(|term| term.value).sum::<f32>();
        let unusual = own > -0.5;
        if is_new && unusual {
            terms.extend(session.chain(score.can));
            if own > 0.0
                && let Some(arrival) = self.arrivals.remove(&place_key(&facts.host, actor))
                && since(arrival.at, facts.time) < TIE_LASTS / 2
            {
                terms.push(Term {
                    what: format!(
                        "the account came from {}, from where it seldom comes",
                        arrival.from
                    ),
                    value: arrival.value,
                });
            }
        }
        let value = score.total + terms.iter().map(|term| term.value).sum::<f32>();
        let before = session.peak;
        let step = if value < 0.0 {
            value * ORDINARY
        } else if is_new {
            value
        } else {
            0.0
        };
        session.sum = (session.sum + step).max(0.0);
        session.peak = session.peak.max(session.sum);
        let gain = (session.peak - before.max(SESSION_FLOOR)).max(0.0);
        let operation = self.grow(facts, actor, gain);
        if self.open.len() > MOST {
            self.close_weakest();
        }
        Added {
            value,
            terms,
            gain,
            operation,
        }
    }

    /// Keeps a command for showing.
    pub(super) fn keep(&mut self, added: &Added, step: Step) {
        let Some(operation) = self.operations.get_mut(added.operation) else {
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

    /// All operations that came to anything.
    pub(super) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(|operation| operation.into.is_none() && !operation.days.is_empty())
    }

    /// All sessions that are still remembered.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.open.values()
    }

    /// Adds `gain` to the operation of `actor`, tying it to whoever reached for this account or host.
    fn grow(&mut self, facts: &ProcessFacts, actor: &str, gain: f32) -> usize {
        if gain <= 0.0 {
            return usize::MAX;
        }
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
        let Some(operation) = self.operations.get_mut(own) else {
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
        let index = self.operations.len();
        self.operations.push(Operation {
            actors: vec![actor.to_owned()],
            ..Operation::default()
        });
        self.by_actor.insert(actor.to_owned(), index);
        index
    }

    fn root(&self, mut index: usize) -> usize {
        while let Some(next) = self.operations.get(index).and_then(|operation| operation.into) {
            index = next;
        }
        index
    }

    /// Makes one operation of two, if the other came to anything.
    fn tie(&mut self, own: usize, other: usize, now: Timestamp) -> usize {
        let (own, other) = (self.root(own), self.root(other));
        let today = day_of(now);
        let is_warm = self
            .operations
            .get(other)
            .and_then(|operation| operation.days.last())
            .is_some_and(|last| last.day + 1 >= today && last.gain >= WARM);
        if own == other || !is_warm {
            return own;
        }
        let (keep, gone) = (own.min(other), own.max(other));
        let Some(mut merged) = self.operations.get_mut(gone).map(std::mem::take) else {
            return own;
        };
        if let Some(emptied) = self.operations.get_mut(gone) {
            emptied.into = Some(keep);
        }
        let Some(operation) = self.operations.get_mut(keep) else {
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

    /// Forgets sessions that ended, and the weaker half of the rest where that is not enough.
    fn close_weakest(&mut self) {
        let latest = self
            .open
            .values()
            .map(|session| session.last)
            .max()
            .unwrap_or_default();
        self.open
            .retain(|_, session| since(session.last, latest) < SESSION_ENDS || session.peak > SESSION_FLOOR);
        if self.open.len() > MOST / 2 {
            let mut peaks: Vec<f32> = self.open.values().map(|session| session.peak).collect();
            let middle = peaks.len() / 2;
            let (_, &mut median, _) = peaks.select_nth_unstable_by(middle, f32::total_cmp);
            self.open.retain(|_, session| session.peak > median);
        }
    }
}

impl Session {
    fn new(facts: &ProcessFacts, actor: &str) -> Self {
        Self {
            host: facts.host.clone(),
            actor: actor.to_owned(),
            id: facts.session.clone(),
            peak: 0.0,
            sum: 0.0,
            last: facts.time,
            shapes: FxHashSet::default(),
            can: Can::default(),
        }
    }

    /// What a step adds because of what came before it in the session: each further kind of step of an intrusion.
    fn chain(&mut self, can: Can) -> Option<Term> {
        let fresh = can.but_not(self.can);
        let had = self.can.len();
        self.can.add(can);
        if fresh.is_empty() || had == 0 {
            return None;
        }
        let names: Vec<&str> = fresh.names().collect();
        Some(Term {
            what: format!("a further kind of step in this session: {}", names.join(", ")),
            value: 0.4 * (fresh.len() as f32).sqrt() + 0.1 * had as f32,
        })
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

/// Microseconds from `earlier` to `later`; 0 where either is unknown.
pub(super) fn since(earlier: Timestamp, later: Timestamp) -> i64 {
    match (earlier.micros(), later.micros()) {
        (Some(from), Some(to)) => to.saturating_sub(from),
        _ => 0,
    }
}

/// A session by its number where the record has one that is somebody's own, else the account on the host.
fn session_key(facts: &ProcessFacts, actor: &str) -> u64 {
    let text = blackrod_model::mail::hash;
    let is_numbered = !facts.session.is_empty() && !actor.ends_with('$') && facts.act != Act::LogCleared;
    let own = if is_numbered { text(&facts.session) } else { 1 };
    mix(mix(text(&facts.host), text(actor)), own)
}

fn place_key(host: &str, actor: &str) -> u64 {
    mix(
        blackrod_model::mail::hash(host),
        blackrod_model::mail::hash(actor),
    )
}

/// Forgets the older half of a map that grew too large.
fn bound<K: std::hash::Hash + Eq, V>(map: &mut FxHashMap<K, V>, at: impl Fn(&V) -> Timestamp) {
    if map.len() < MOST {
        return;
    }
    let mut times: Vec<Timestamp> = map.values().map(&at).collect();
    let middle = times.len() / 2;
    let (_, &mut median, _) = times.select_nth_unstable(middle);
    map.retain(|_, value| at(value) > median);
}
