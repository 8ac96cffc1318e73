//! What history says of a step: how often its program, command, parent, account, host and hour were seen, in how many
//! chances.

use blackrod_model::process::ProcessFacts;
use blackrod_model::{Timestamp, mail};

use super::Term;
use crate::rarity::baseline::{Baseline, Met, SELDOM, mix};

/// The answers to all questions.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct History([Rare; ASKED]);

#[derive(Clone, Copy, Debug, Default)]
struct Rare {
    value: f32,
    seen: f32,
    chances: f32,
}

/// What history is asked.
struct Question {
    what: &'static str,
    /// How often an intruder would do it.
    share: f32,
    /// After how many chances history counts as much as `share`.
    patience: f32,
    least: f32,
    most: f32,
    /// How much of what an intruder does is new in this respect; 0 where that is not asked.
    new: f32,
}

/// How many questions there are.
const ASKED: usize = 8;

const QUESTIONS: [Question; ASKED] = [
    question(
        "this program, among all that are started here",
        0.002,
        500.0,
        -1.0,
        2.0,
        0.1,
    ),
    question(
        "this command, among those of its program",
        0.02,
        50.0,
        -2.0,
        3.5,
        0.7,
    ),
    question("this parent of the program", 0.05, 20.0, -1.0, 2.0, 0.3),
    question(
        "this program, among those of the account",
        0.02,
        50.0,
        -1.5,
        2.5,
        0.4,
    ),
    question(
        "this program, among those of the account's role",
        0.02,
        100.0,
        -1.0,
        1.0,
        0.0,
    ),
    question(
        "this host, among those of the account",
        0.05,
        20.0,
        -1.0,
        2.0,
        0.3,
    ),
    question(
        "this command, among those of the host",
        0.01,
        100.0,
        -2.0,
        1.5,
        0.8,
    ),
    question(
        "this hour of the week, for the account",
        1.0 / 42.0,
        84.0,
        -0.5,
        1.2,
        0.0,
    ),
];

const fn question(
    what: &'static str,
    share: f32,
    patience: f32,
    least: f32,
    most: f32,
    new: f32,
) -> Question {
    Question {
        what,
        share,
        patience,
        least,
        most,
        new,
    }
}

/// Where something is seen for the first time, what counts is how often that happens: some programs are told
/// something new every day, some accounts are on another host each hour, others never.
fn value(question: &Question, met: Met, chances: f32) -> f32 {
    let ratio = if met.seen < SELDOM && question.new > 0.0 {
        question.new / ((met.new + 1.0) / (chances + 2.0)).min(1.0)
    } else {
        question.share * (chances + question.patience) / (met.seen + question.share * question.patience)
    };
    let few = chances / (chances + 10.0);
    ratio.ln().clamp(question.least, question.most) * few
}

impl History {
    /// Asks `baseline` everything about a step, as of `now`, and counts the step.
    pub(super) fn meet(keys: &Keys, baseline: &mut Baseline, now: Timestamp) -> (Self, bool) {
        baseline.fetch(&keys.spread());
        let mut meet = |key: u64, context: u64| match context {
            0 => baseline.meet(key, 0, now),
            context => baseline.meet(key, novelty(context), now),
        };
        let all = meet(ALL, 0).seen;
        let program = meet(keys.program, ALL);
        let shape = meet(keys.shape, keys.program);
        let parent = meet(keys.parent, mix(keys.program, 15));
        let actor = meet(keys.actor, 0).seen;
        let actor_program = meet(keys.actor_program, keys.actor);
        let role = keys
            .role
            .map(|(role, role_program)| (meet(role_program, 0), meet(role, 0).seen));
        let actor_host = meet(keys.actor_host, mix(keys.actor, 16));
        let host = meet(keys.host, 0).seen;
        let host_shape = meet(keys.host_shape, keys.host);
        let hour = meet(keys.hour, 0);
        let asked = [
            (program, all),
            (shape, program.seen),
            (parent, program.seen),
            (actor_program, actor),
            role.unwrap_or_default(),
            (actor_host, actor),
            (host_shape, host),
            (hour, actor),
        ];
        let mut answers = [Rare::default(); ASKED];
        for ((answer, (met, chances)), question) in answers.iter_mut().zip(asked).zip(&QUESTIONS) {
            *answer = Rare {
                value: value(question, met, chances),
                seen: met.seen,
                chances,
            };
        }
        (Self(answers), shape.is_new)
    }

    /// Everything together, where what speaks for an intruder counts `able` of what it would.
    pub(super) fn weighed(&mut self, able: f32) -> f32 {
        for answer in self.0.iter_mut().filter(|answer| answer.value > 0.0) {
            answer.value *= able;
        }
        self.0.iter().map(|answer| answer.value).sum()
    }

    /// For people, strongest first; what says next to nothing is left out.
    pub(super) fn terms(&self) -> Vec<Term> {
        let answers = self.0.iter().zip(&QUESTIONS);
        let telling = answers.filter(|(answer, _)| answer.value.abs() >= 0.1);
        let mut terms: Vec<Term> = telling
            .map(|(answer, question)| Term {
                what: format!("{}: {:.0} of {:.0}", question.what, answer.seen, answer.chances),
                value: answer.value,
            })
            .collect();
        terms.sort_by(|left, right| right.value.abs().total_cmp(&left.value.abs()));
        terms
    }
}

/// The keys of one step.
pub(in crate::rarity) struct Keys {
    program: u64,
    shape: u64,
    parent: u64,
    actor: u64,
    actor_program: u64,
    role: Option<(u64, u64)>,
    actor_host: u64,
    host: u64,
    host_shape: u64,
    hour: u64,
}

/// The key of all events.
const ALL: u64 = 0x5eed;

impl Keys {
    /// `actor` is who did it (see [`super::actor_of`]); `role` what the estate says they are.
    pub(in crate::rarity) fn of(facts: &ProcessFacts, actor: &str, role: Option<&str>) -> Self {
        let text = mail::hash;
        let program = mix(text(&facts.image), 1);
        let shape = mix(mix(text(&facts.skeleton), program), 2);
        let parent = mix(mix(text(&facts.parent), program), 3);
        let actor = mix(text(actor), 4);
        let host = mix(text(&facts.host), 7);
        Self {
            program,
            shape,
            parent,
            actor,
            actor_program: mix(mix(actor, program), 5),
            role: role.map(|name| {
                let role = mix(text(name), 6);
                (role, mix(mix(role, program), 13))
            }),
            actor_host: mix(mix(actor, host), 10),
            host,
            host_shape: mix(mix(host, shape), 8),
            hour: mix(mix(actor, stretch_of_week(facts.time)), 9),
        }
    }

    /// Those of which a large estate has too many for the processor's cache.
    const fn spread(&self) -> [u64; 6] {
        [
            self.actor,
            self.actor_program,
            self.actor_host,
            self.host,
            self.host_shape,
            self.hour,
        ]
    }
}

/// The key that counts what is new in a context.
const fn novelty(context: u64) -> u64 {
    mix(context, 12)
}

/// Four-hour stretches of the week, 42 of them.
fn stretch_of_week(time: Timestamp) -> u64 {
    let hours = time.seconds().unwrap_or(0).div_euclid(3_600);
    hours.rem_euclid(168).div_euclid(4).unsigned_abs()
}
