//! Sessions, not lines: scores add up along a logon session.
//!
//! Within a session scores are summed as in Page's CUSUM (1954): the sum never falls below zero, so ordinary work
//! before does not pay for what comes after, and ten commands that are each a little odd come to something. What the
//! same session did before counts once. What sessions reached adds up to an operation ([`super::operation`]).

use blackrod_model::Timestamp;
use blackrod_model::process::{Act, ProcessFacts};
use rustc_hash::{FxHashMap, FxHashSet};

use super::HOUR;
use super::baseline::mix;
use super::lately::{bound, since};
use super::operation::{Operations, TIE_LASTS};
use super::score::{Score, Term};
use super::table::Can;

/// A session that is silent for so long has ended.
const SESSION_ENDS: i64 = 8 * HOUR;

/// What a session must reach before it says anything about its operation.
const SESSION_FLOOR: f32 = 1.0;

/// Ordinary commands between odd ones take away only so much: an intruder shares the session with its owner.
const ORDINARY: f32 = 0.5;

/// The most sessions that are remembered; the weakest go first.
const MOST: usize = 200_000;

/// The most commands of a session that are told apart.
const MOST_SHAPES: usize = 256;

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: FxHashMap<u64, Session>,
    /// Logons from a host that is unusual for the account: how unusual, from where.
    arrivals: FxHashMap<u64, Arrival>,
    pub(super) operations: Operations,
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

/// What one command came to besides its own score.
pub(super) struct Added {
    /// Everything together.
    pub(super) value: f32,
    /// The terms that its session added.
    pub(super) terms: Vec<Term>,
    /// How much stronger its operation became.
    pub(super) gain: f32,
    /// Where in [`Operations`] that is.
    pub(super) operation: usize,
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
        let operation = match gain {
            gain if gain > 0.0 => self.operations.grow(facts, actor, gain),
            _ => usize::MAX,
        };
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

    /// All sessions that are still remembered.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.open.values()
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
