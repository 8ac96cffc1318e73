//! Facts in the order of time → findings within the alert budget.

use blackrod_model::process::{Act, ProcessFacts, Traits};
use blackrod_model::{Estate, Finding, NewShape, Timestamp, UsualShape, mail};
use rustc_hash::FxHashMap;

use super::baseline::{Baseline, mix};
use super::budget;
use super::news::News;
use super::operation::Step;
use super::score::{self, Keys, Term, actor_of, is_system};
use super::session::Sessions;
use super::surroundings::Surroundings;
use super::table::Table;
use super::telling;

/// What a command that names another machine must be worth before it ties what happens there.
const MOVE: f32 = 4.0;

/// What an unusual way from one workstation to another is worth more than one to a server.
const BETWEEN_WORKSTATIONS: f32 = 1.0;

/// The most sessions that are ranked.
const MOST_RANKED: usize = 1_000;

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many alerts a day somebody will look at, for the whole estate.
    pub alerts_per_day: u32,
    /// What somebody said is usual here.
    pub usual: Vec<UsualShape>,
    /// The capability table.
    pub table: &'static Table,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            alerts_per_day: 5,
            usual: Vec::new(),
            table: Table::builtin(),
        }
    }
}

/// A session with what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The host.
    pub host: String,
    /// The account; the host with `$` for the system itself.
    pub actor: String,
    /// The session's number, where it has one.
    pub session: String,
    /// What it came to.
    pub score: f32,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, within the alert budget, in the order of time.
    pub findings: Vec<Finding>,
    /// What is new this week, strongest first.
    pub new_shapes: Vec<NewShape>,
    /// The strongest sessions, strongest first, whether or not they were worth an alert.
    pub sessions: Vec<Ranked>,
    /// What is normal here, as learnt.
    pub baseline: Baseline,
    /// How many records were judged.
    pub records: u64,
}

/// Judges facts that are pushed in the order of time, those of one time by evidence and position.
pub struct Stream<'e> {
    options: Options,
    surroundings: Surroundings<'e>,
    /// Places in [`Options::usual`], by the shape's key.
    usual: FxHashMap<u64, Vec<usize>>,
    baseline: Baseline,
    sessions: Sessions,
    news: News,
    latest: Timestamp,
    records: u64,
}

impl<'e> Stream<'e> {
    /// With no history.
    pub fn new(estate: &'e Estate, options: Options) -> Self {
        Self::with_baseline(estate, options, Baseline::default())
    }

    /// With what other evidence taught.
    pub fn with_baseline(estate: &'e Estate, options: Options, baseline: Baseline) -> Self {
        let mut usual: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        for (place, known) in options.usual.iter().enumerate() {
            let key = shape_key(&known.shape.image, &known.shape.skeleton);
            usual.entry(key).or_default().push(place);
        }
        Self {
            options,
            surroundings: Surroundings::new(estate),
            usual,
            baseline,
            sessions: Sessions::default(),
            news: News::default(),
            latest: Timestamp::UNKNOWN,
            records: 0,
        }
    }

    /// Judges the next record, then learns it.
    pub fn push(&mut self, facts: &ProcessFacts) {
        self.records += 1;
        self.latest = self.latest.max(facts.time);
        self.baseline.note_day(facts.time);
        let actor = actor_of(facts);
        match facts.act {
            Act::Logon => self.arrival(facts, &actor, 20),
            // What is listed is opened by everybody; what is administered is opened by few.
            Act::Share if facts.command.ends_with('$') && !facts.command.ends_with("ipc$") => {
                self.arrival(facts, &actor, 22);
            }
            Act::Share => {}
            Act::ExplicitLogon => {
                if !is_system(&facts.other_user) {
                    self.sessions
                        .operations
                        .reach(&actor, &facts.other_user, facts.time);
                }
            }
            Act::Start | Act::Script | Act::Service | Act::Task | Act::LogCleared => {
                self.command(facts, &actor)
            }
        }
    }

    /// The findings within the budget, and what was learnt.
    pub fn finish(self) -> Outcome {
        let history = self.baseline.days();
        let alerts = budget::alerts(self.sessions.operations.iter(), self.options.alerts_per_day);
        let mut findings: Vec<Finding> = alerts
            .iter()
            .map(|alert| telling::finding(alert, history))
            .collect();
        findings.sort_by(|left, right| {
            let place = |finding: &Finding| (finding.time, finding.evidence, finding.at);
            place(left)
                .cmp(&place(right))
                .then_with(|| left.title.cmp(&right.title))
        });
        Outcome {
            findings,
            new_shapes: self.news.listed(self.latest),
            sessions: ranked(&self.sessions),
            baseline: self.baseline,
            records: self.records,
        }
    }

    fn command(&mut self, facts: &ProcessFacts, actor: &str) {
        let role = self.surroundings.role_of(&facts.user);
        let keys = Keys::of(facts, actor, role.as_deref());
        let score = score::score(facts, &keys, &mut self.baseline, self.options.table);
        let shape = shape_key(&facts.image, &facts.skeleton);
        let mut extra = Vec::new();
        extra.extend(self.surroundings.outside(facts));
        extra.extend(self.surroundings.silence(facts));
        if self.is_usual(shape, actor) {
            return;
        }
        let added = self.sessions.command(facts, actor, shape, &score, extra);
        if score.is_new {
            self.news.first(shape, facts, actor, &score, added.value);
        } else {
            self.news.again(shape, &facts.host, actor);
        }
        if added.gain <= 0.0 {
            return;
        }
        if added.value >= MOVE {
            self.sessions.operations.stirred(&facts.host, actor, facts.time);
        }
        let moves = facts.traits.any(Traits::REMOTE.with(Traits::UNC)) && added.value >= MOVE;
        for target in facts.targets.iter().filter(|_| moves) {
            let name = target.split('.').next().unwrap_or(target);
            // Only what the machine itself then does there, as a service does: others have accounts of their own.
            self.sessions
                .operations
                .reach(actor, &format!("{name}$"), facts.time);
        }
        let mut terms = score::cold_terms(facts, self.options.table);
        terms.extend(score.rare_terms());
        terms.extend(added.terms.iter().cloned());
        terms.push(Term {
            what: "most commands are ordinary".to_owned(),
            value: self.options.table.base,
        });
        self.sessions.operations.keep(
            added.operation,
            Step {
                evidence: facts.evidence,
                at: facts.at,
                time: facts.time,
                class: facts.class,
                host: facts.host.clone(),
                user: facts.user.clone(),
                session: facts.session.clone(),
                image: facts.image.clone(),
                command: facts.command.clone(),
                targets: facts.targets.clone(),
                value: added.value,
                terms,
                attack: telling::attack(facts, self.options.table),
            },
        );
    }

    /// Somebody came from elsewhere: how unusual the way is for the account. `kind` keeps kinds of ways apart.
    fn arrival(&mut self, facts: &ProcessFacts, actor: &str, kind: u64) {
        if facts.peer.is_empty() || facts.peer == "-" || facts.peer == facts.host {
            return;
        }
        let all = mix(mail::hash(actor), kind);
        let way = mix(
            mix(mail::hash(actor), mail::hash(&facts.peer)),
            mail::hash(&facts.host),
        );
        let edge = mix(way, kind + 1);
        let seen = self.baseline.count(edge, facts.time);
        let chances = self.baseline.count(all, facts.time);
        let mut value = (0.05 * (chances + 20.0) / (seen + 1.0)).ln().clamp(-1.0, 2.0);
        // Administration goes from workstations to servers.
        if value > 0.0 && self.surroundings.are_workstations(&facts.host, &facts.peer) {
            value += BETWEEN_WORKSTATIONS;
        }
        self.baseline.add(all, facts.time);
        self.baseline.add(edge, facts.time);
        // Whoever did something odd on the machine that another account comes from may be who comes.
        if value >= 0.0 {
            self.sessions.operations.came_from(&facts.peer, actor, facts.time);
        }
        self.sessions
            .arrive(&facts.host, actor, &facts.peer, value, facts.time);
    }

    fn is_usual(&self, shape: u64, actor: &str) -> bool {
        let places = self.usual.get(&shape).map_or(&[][..], Vec::as_slice);
        let mut known = places.iter().filter_map(|place| self.options.usual.get(*place));
        known.any(|usual| usual.is_for(actor))
    }
}

fn ranked(sessions: &Sessions) -> Vec<Ranked> {
    let strong = sessions.sessions().filter(|session| session.peak > 0.0);
    let mut ranked: Vec<Ranked> = strong
        .map(|session| Ranked {
            host: session.host.clone(),
            actor: session.actor.clone(),
            session: session.id.clone(),
            score: session.peak,
        })
        .collect();
    ranked.sort_by(|left, right| {
        let name = |ranked: &Ranked| (ranked.host.clone(), ranked.actor.clone(), ranked.session.clone());
        let by_name = || name(left).cmp(&name(right));
        right.score.total_cmp(&left.score).then_with(by_name)
    });
    ranked.truncate(MOST_RANKED);
    ranked
}

fn shape_key(image: &str, skeleton: &str) -> u64 {
    mix(mail::hash(image), mail::hash(skeleton))
}

#[cfg(test)]
mod tests;
