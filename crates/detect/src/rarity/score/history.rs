//! What history says of a step: how often its program, command, parent, account, host and hour were seen, in how many
//! chances.

use blackrod_model::process::ProcessFacts;
use blackrod_model::{Timestamp, mail};

use super::Term;
use crate::rarity::baseline::{Baseline, mix};

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
fn value(question: &Question, seen: f32, chances: f32, new: f32) -> f32 {
    let ratio = if seen < 0.3 && question.new > 0.0 {
        question.new / ((new + 1.0) / (chances + 2.0)).min(1.0)
    } else {
        question.share * (chances + question.patience) / (seen + question.share * question.patience)
    };
    let few = chances / (chances + 10.0);
    ratio.ln().clamp(question.least, question.most) * few
}

impl History {
    /// Asks `baseline` everything about a step, as of `now`.
    pub(super) fn of(keys: &Keys, baseline: &Baseline, now: Timestamp) -> Self {
        let count = |key: u64| baseline.count(key, now);
        let (programs, actor, host) = (count(keys.program), count(keys.actor), count(keys.host));
        let asked = [
            (programs, count(ALL), ALL),
            (count(keys.shape), programs, keys.program),
            (count(keys.parent), programs, mix(keys.program, 15)),
            (count(keys.actor_program), actor, keys.actor),
            keys.role.map_or((0.0, 0.0, 0), |(role, role_program)| {
                (count(role_program), count(role), 0)
            }),
            (count(keys.actor_host), actor, mix(keys.actor, 16)),
            (count(keys.host_shape), host, keys.host),
            (count(keys.hour), actor, 0),
        ];
        let mut answers = [Rare::default(); ASKED];
        for ((answer, (seen, chances, context)), question) in answers.iter_mut().zip(asked).zip(&QUESTIONS) {
            let is_new = seen < 0.3 && question.new > 0.0;
            let new = if is_new { count(novelty(context)) } else { 0.0 };
            *answer = Rare {
                value: value(question, seen, chances, new),
                seen,
                chances,
            };
        }
        Self(answers)
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
    pub(in crate::rarity) shape: u64,
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

    /// Counts the step.
    pub(in crate::rarity) fn learn(&self, baseline: &mut Baseline, time: Timestamp) {
        for (key, context) in [
            (self.program, ALL),
            (self.shape, self.program),
            (self.parent, mix(self.program, 15)),
            (self.actor_program, self.actor),
            (self.actor_host, mix(self.actor, 16)),
            (self.host_shape, self.host),
        ] {
            baseline.add_new(key, novelty(context), time);
        }
        for key in [ALL, self.actor, self.host, self.hour] {
            baseline.add(key, time);
        }
        if let Some((role, role_program)) = self.role {
            baseline.add(role, time);
            baseline.add(role_program, time);
        }
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
