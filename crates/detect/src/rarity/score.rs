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

mod history;

use blackrod_model::process::{Act, ProcessFacts, Traits};

use super::baseline::Baseline;
use super::shape::stem;
use super::table::{Can, Table};
use history::History;
pub(super) use history::Keys;

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
    /// Whether its shape was never seen before.
    pub is_new: bool,
    history: History,
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

/// The score of a step against what was normal before it, which then is learnt.
pub(super) fn score(facts: &ProcessFacts, keys: &Keys, baseline: &mut Baseline, table: &Table) -> Score {
    let cold = cold(facts, table);
    let (mut history, is_new) = History::meet(keys, baseline, facts.time);
    // What nobody can do harm with is not made harmful by being rare.
    let able = ((cold.total - table.base + 1.3) / 2.0).clamp(0.25, 1.0);
    Score {
        total: cold.total + history.weighed(able),
        cold: cold.total,
        can: cold.can,
        is_new,
        history,
    }
}

impl Score {
    /// The terms of history, for people, strongest first; those that say next to nothing are left out.
    pub fn rare_terms(&self) -> Vec<Term> {
        self.history.terms()
    }
}
