//! How unusual and how able to do harm a step is: a sum of natural logarithms of likelihood ratios, each of which
//! can be shown.
//!
//! Without history only what a program can be abused for and how its command line is built count
//! ([`Cold`]). With history come ratios of the form
//!
//! ```text
//! ln( π (n + α) / (k + α π) )
//! ```
//!
//! where the thing was seen `k` times in `n` chances, `π` is how often an intruder would do it and `α` how many
//! chances must have passed before history counts as much as that guess. With no history (`n = 0`) the term is 0; what
//! is done all the time comes out below zero, what could have been done a thousand times and never was far above. What was
//! never seen before is compared with how often there is anything new in that respect.

use blackrod_model::process::{Act, ProcessFacts, Traits};
use blackrod_model::{Timestamp, mail};

use super::baseline::{Baseline, mix};
use super::shape::stem;
use super::table::{Can, Table};

/// One term of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What it is about, in words for a person.
    pub what: String,
    /// Natural logarithm of a likelihood ratio.
    pub value: f32,
}

/// What is known without history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cold {
    /// The sum, the base included.
    pub total: f32,
    /// What the step can do, as far as its command line shows it.
    pub can: Can,
}

/// The score of one step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    /// Everything together.
    pub total: f32,
    /// Without history.
    pub cold: f32,
    /// What the step can do.
    pub can: Can,
    /// The terms of history: value, times seen, chances.
    rare: [Rare; ASKED],
}

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

/// The keys of one step.
pub(super) struct Keys {
    pub(super) program: u64,
    pub(super) shape: u64,
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
    /// `actor` is who did it (see [`actor_of`]); `role` what the estate says they are.
    pub(super) fn of(facts: &ProcessFacts, actor: &str, role: Option<&str>) -> Self {
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
    pub(super) fn learn(&self, baseline: &mut Baseline, time: Timestamp) {
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

/// Who did it: the account, or the host where it was the system itself.
pub(super) fn actor_of(facts: &ProcessFacts) -> String {
    let user = facts.user.as_str();
    if is_system(user) {
        format!("{}$", facts.host)
    } else {
        user.to_owned()
    }
}

/// Whether an account is the machine's own.
pub(super) fn is_system(user: &str) -> bool {
    user.is_empty()
        || user.ends_with('$')
        || matches!(
            user,
            "system"
                | "local service"
                | "network service"
                | "localsystem"
                | "root"
                | "système"
                | "lokaler dienst"
                | "netzwerkdienst"
        )
        || [
            "dwm-",
            "umfd-",
            "s-1-5-18",
            "s-1-5-19",
            "s-1-5-20",
            "s-1-5-90-",
            "s-1-5-96-",
            "s-1-5-80-",
        ]
        .iter()
        .any(|start| user.starts_with(start))
}

/// What is known of a step without history.
pub fn cold(facts: &ProcessFacts, table: &Table) -> Cold {
    let mut cold = Cold {
        total: table.base,
        can: Can::default(),
    };
    each_cold(facts, table, &mut |value, can, _| {
        cold.total += value;
        cold.can.add(can);
    });
    cold
}

/// The terms of [`cold`], for people.
pub fn cold_terms(facts: &ProcessFacts, table: &Table) -> Vec<Term> {
    let mut terms = Vec::new();
    each_cold(facts, table, &mut |value, _, what| {
        terms.push(Term { what: what(), value });
    });
    terms
}

type Visit<'v> = dyn FnMut(f32, Can, &dyn Fn() -> String) + 'v;

fn each_cold(facts: &ProcessFacts, table: &Table, visit: &mut Visit<'_>) {
    match facts.act {
        Act::LogCleared => {
            visit(5.0, Can::DELETE_LOGS, &|| {
                "a log was cleared or its policy changed".to_owned()
            });
            return;
        }
        Act::Service => visit(1.0, Can::PERSIST, &|| "a service was installed".to_owned()),
        Act::Task => visit(0.3, Can::PERSIST, &|| {
            "a scheduled task was registered".to_owned()
        }),
        _ => {}
    }
    let class = facts
        .programs
        .iter()
        .filter_map(|program| table.class_of(program))
        .max_by(|left, right| left.prior.total_cmp(&right.prior));
    match class {
        Some(class) => visit(class.prior, class.bits(), &|| {
            format!("{}: {}", class.name, class.about)
        }),
        None => visit(table.unknown, Can::default(), &|| {
            "not known to be abused".to_owned()
        }),
    }
    let expects = class.map_or(Traits::default(), |class| class.expects());
    // Against a program of which nothing is known an argument says less: every program opens files.
    let caution = if class.is_some() { 1.0 } else { 0.6 };
    let mut weights: Vec<(f32, &str)> = Traits::ALL
        .iter()
        .filter(|(single, _, _)| facts.traits.has(*single))
        .map(|(single, _, about)| {
            let expected = if expects.has(*single) { 0.25 } else { 1.0 };
            (table.weight_of(*single) * expected * caution, *about)
        })
        .collect();
    weights.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    for ((weight, about), share) in weights.iter().zip(SHARES) {
        visit(weight * share, Can::default(), &|| (*about).to_owned());
    }
    let mut uses: Vec<_> = facts
        .uses
        .iter()
        .filter_map(|name| table.use_named(name))
        .collect();
    uses.sort_by(|left, right| {
        right
            .weight
            .total_cmp(&left.weight)
            .then(left.name.cmp(&right.name))
    });
    for (entry, share) in uses.iter().zip(SHARES) {
        visit(entry.weight * share, entry.bits(), &|| {
            entry.name.replace('-', " ")
        });
    }
    let child = stem(&facts.image);
    if let Some(lineage) = table.lineage(stem(&facts.parent), child) {
        visit(lineage.weight, Can::default(), &|| {
            format!("{} ({})", lineage.why, facts.parent)
        });
    }
}

/// The strongest of several signs counts whole, the next ones less: they are not independent.
const SHARES: [f32; 6] = [1.0, 0.7, 0.5, 0.35, 0.25, 0.2];

/// The score of a step against what is normal, before it is learnt.
pub(super) fn score(facts: &ProcessFacts, keys: &Keys, baseline: &Baseline, table: &Table) -> Score {
    let cold = cold(facts, table);
    let now = facts.time;
    let count = |key: u64| baseline.count(key, now);
    let (programs, actor, host) = (count(keys.program), count(keys.actor), count(keys.host));
    let all = count(ALL);
    let mut rare = [Rare::default(); ASKED];
    let asked = [
        (programs, all, ALL),
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
    for ((slot, (seen, chances, context)), question) in rare.iter_mut().zip(asked).zip(&QUESTIONS) {
        let is_new = seen < 0.3 && question.new > 0.0;
        let new = if is_new { count(novelty(context)) } else { 0.0 };
        *slot = Rare {
            value: value(question, seen, chances, new),
            seen,
            chances,
        };
    }
    // What nobody can do harm with is not made harmful by being rare.
    let able = ((cold.total - table.base + 1.3) / 2.0).clamp(0.25, 1.0);
    let mut total = cold.total;
    for slot in &mut rare {
        if slot.value > 0.0 {
            slot.value *= able;
        }
        total += slot.value;
    }
    Score {
        total,
        cold: cold.total,
        can: cold.can,
        rare,
    }
}

impl Score {
    /// The terms of history, for people, strongest first; those that say next to nothing are left out.
    pub fn rare_terms(&self) -> Vec<Term> {
        let mut terms: Vec<Term> = self
            .rare
            .iter()
            .zip(&QUESTIONS)
            .filter(|(rare, _)| rare.value.abs() >= 0.1)
            .map(|(rare, question)| Term {
                what: format!("{}: {:.0} of {:.0}", question.what, rare.seen, rare.chances),
                value: rare.value,
            })
            .collect();
        terms.sort_by(|left, right| right.value.abs().total_cmp(&left.value.abs()));
        terms
    }
}

/// Four-hour stretches of the week, 42 of them.
fn stretch_of_week(time: Timestamp) -> u64 {
    let hours = time.seconds().unwrap_or(0).div_euclid(3_600);
    hours.rem_euclid(168).div_euclid(4).unsigned_abs()
}
