#![doc = include_str!("explain.md")]
//!
//! # How it works
//!
//! Rules are parsed and compiled by rsigma; here they are routed to the records that they are
//! about, indexed, and matched against borrowed fields.
//!
//! ```text
//! record ──route──▶ rules about it ──memo──▶ verdict
//!                        │ not remembered            │
//!                        └─index─▶ candidates ─expr──┘──▶ findings, premises ──correlate──▶ findings
//! ```

mod alias;
mod correlate;
mod event;
mod expr;
mod gate;
mod index;
mod load;
mod logsources;
mod memo;
mod names;
mod route;
mod rule;
mod scanner;

use blackrod_model::{RuleProblem, Source};
use correlate::Correlations;
use names::Names;
use route::{Route, Router};
use rule::Rule;

pub use correlate::Correlator;
pub use route::LogKey;
pub use scanner::{Scanner, Stats};

/// The code of findings of this detector.
pub const CODE: &str = "SIGMA";

/// The code of findings about several records.
pub const CORRELATION_CODE: &str = "SIGMA-CORRELATION";

/// What `blackrod explain SIGMA` prints.
pub const EXPLAIN: &str = include_str!("explain.md");

/// Compiled rules: immutable, shared by threads.
pub struct Rules {
    rules: Vec<Rule>,
    names: Names,
    router: Router,
    correlations: Correlations,
}

impl Rules {
    /// Whether any rule or correlation reads this field by its name.
    pub fn reads(&self, field: &str) -> bool {
        let may_need = |rule: &Rule| {
            let mut needed = rule.premise.iter().flatten();
            rule.expr.is_whole() || needed.any(|name| name == field)
        };
        self.names.find(field).is_some() || self.rules.iter().any(may_need)
    }

    /// The memory of one thread that matches events against these rules.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner::new(self)
    }

    /// Finds what matches that mean something only together come to.
    pub fn correlator(&self) -> Correlator {
        self.correlations.correlator()
    }

    /// The rules that can never match evidence that holds only these kinds of records.
    pub fn idle<'k>(&self, seen: impl Iterator<Item = &'k LogKey> + Clone) -> Vec<RuleProblem> {
        let is_idle = |rule: &&Rule| {
            self.router.unroutable(rule).is_none() && !self.router.reaches(rule, &self.names, seen.clone())
        };
        self.rules
            .iter()
            .filter(is_idle)
            .map(|rule| RuleProblem {
                rule: rule.id.clone(),
                title: rule.title.clone(),
                reason: format!(
                    "no record of its log source in the evidence: {}",
                    rule.log_source()
                ),
            })
            .collect()
    }

    /// What the author of a rule says about it, by its id or title.
    pub fn explain(&self, rule: &str) -> Option<String> {
        let by_id = self.rules.iter().find(|known| known.id == rule);
        let found = by_id.or_else(|| {
            self.rules
                .iter()
                .find(|known| known.title.eq_ignore_ascii_case(rule))
        })?;
        Some(found.explain())
    }

    /// The ids of the rules that are about records of this log.
    pub fn applicable(&self, source: &Source<'_>) -> Vec<&str> {
        let route = self.router.route(source, &self.rules, &self.names);
        let numbers = route.members.iter().map(|(number, _)| *number as usize);
        numbers
            .filter_map(|number| self.rules.get(number).map(|rule| rule.id.as_str()))
            .collect()
    }

    /// The rule behind a member of a route.
    fn member(&self, route: &Route, member: u32) -> Option<&Rule> {
        let (number, _) = route.members.get(member as usize)?;
        self.rules.get(*number as usize)
    }
}
