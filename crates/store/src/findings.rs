//! Findings out of a case: all, some by id, or as many as memory should hold.

use std::collections::HashMap;

use blackrod_model::{Finding, FindingId, FindingTotal, Severity};
use rusqlite::OptionalExtension as _;

use crate::casebook::read;
use crate::{Case, StoreError};

impl Case {
    /// All findings, earliest first.
    ///
    /// # Errors
    ///
    /// This and all below: when the casebook cannot be read.
    pub fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        self.each_finding(&mut |finding| findings.push(finding))?;
        Ok(findings)
    }

    /// Hands each finding to `visit`, earliest first, without holding them all in memory.
    pub fn each_finding(&self, visit: &mut dyn FnMut(Finding)) -> Result<(), StoreError> {
        self.read(|book| {
            let sql = format!("SELECT {} FROM findings ORDER BY time, id", read::FINDING);
            let mut statement = book.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                visit(read::finding(row)?);
            }
            Ok(())
        })
    }

    /// Hands findings to `visit`, earliest first: all of them, or where there are more than `limit`, those of the rules that
    /// fire most thinned out evenly over time until the limit is kept. A rule that fires seldom loses none, and each keeps
    /// its first; [`Case::finding_totals`] counts them all.
    pub fn each_finding_within(
        &self,
        limit: usize,
        visit: &mut dyn FnMut(Finding),
    ) -> Result<(), StoreError> {
        let mut rules: HashMap<(String, String), Rule> = HashMap::new();
        for total in self.finding_totals()? {
            rules.entry((total.code, total.rule_id)).or_default().findings += total.findings;
        }
        let most = most_of_a_rule(rules.values().map(|rule| rule.findings).collect(), limit as u64);
        self.each_finding(&mut |finding| {
            // What a correlation added since it was counted belongs to a rule of its own.
            let rule = rules
                .entry((finding.code.clone(), finding.rule_id.clone()))
                .or_default();
            if rule.keeps_next(most) {
                visit(finding);
            }
        })
    }

    /// How many findings there are of each rule and severity, and from when to when.
    pub fn finding_totals(&self) -> Result<Vec<FindingTotal>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare(
                "SELECT code, rule_id, severity, count(*), min(time), max(time) FROM findings
                 GROUP BY code, rule_id, severity ORDER BY code, rule_id, severity",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(FindingTotal {
                    code: row.get(0)?,
                    rule_id: row.get(1)?,
                    severity: read::parse::<Severity>(row, 2)?,
                    findings: read::unsigned(row, 3)?,
                    first: read::time(row, 4)?,
                    last: read::time(row, 5)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The findings with these ids that are in the case, in the order asked for.
    pub fn findings_of(&self, ids: &[FindingId]) -> Result<Vec<Finding>, StoreError> {
        self.read(|book| {
            let sql = format!("SELECT {} FROM findings WHERE id = ?", read::FINDING);
            let mut statement = book.prepare_cached(&sql)?;
            let mut findings = Vec::with_capacity(ids.len());
            for id in ids {
                findings.extend(statement.query_row([id.0], read::finding).optional()?);
            }
            Ok(findings)
        })
    }
}

/// How far the findings of one rule were gone through.
#[derive(Default)]
struct Rule {
    findings: u64,
    passed: u64,
}

impl Rule {
    /// Whether the next finding is among the at most `most` that are kept, spread evenly.
    fn keeps_next(&mut self, most: u64) -> bool {
        let place = u128::from(self.passed);
        self.passed += 1;
        let (findings, most) = (u128::from(self.findings), u128::from(most));
        findings <= most || place * most % findings < most
    }
}

/// The largest share of one rule with which all together stay within `limit`, at least one.
fn most_of_a_rule(mut counts: Vec<u64>, limit: u64) -> u64 {
    counts.sort_unstable();
    let mut left = limit;
    for (place, &count) in counts.iter().enumerate() {
        let share = left / (counts.len() - place) as u64;
        if count > share {
            return share.max(1);
        }
        left -= count;
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(counts: &[u64], limit: u64) -> Vec<u64> {
        let most = most_of_a_rule(counts.to_vec(), limit);
        let of = |&findings: &u64| {
            let mut rule = Rule { findings, passed: 0 };
            (0..findings).filter(|_| rule.keeps_next(most)).count() as u64
        };
        counts.iter().map(of).collect()
    }

    #[test]
    fn only_rules_that_fire_most_are_thinned() {
        assert_eq!(kept(&[3, 5, 2], 10), [3, 5, 2], "all fit");
        assert_eq!(kept(&[1_000, 3, 5, 700], 108), [50, 3, 5, 50]);
        assert_eq!(kept(&[100, 100, 100], 2), [1, 1, 1], "each rule keeps its first");
        assert!(kept(&[], 5).is_empty());
    }

    #[test]
    fn what_is_kept_is_spread_over_time_and_begins_with_the_first() {
        let mut rule = Rule {
            findings: 10,
            passed: 0,
        };
        let places: Vec<usize> = (0..10).filter(|_| rule.keeps_next(4)).collect();
        assert_eq!(places, [0, 3, 5, 8]);
    }
}
