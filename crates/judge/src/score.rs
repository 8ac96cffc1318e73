//! How strong a campaign is, and what it did.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::{Finding, Severity, Tactic, Target, Technique};

/// What a campaign's findings add up to. Only the order of scores means something.
///
/// Each rule counts once by its severity, and further findings of it by their logarithm: a rule
/// that fires a thousand times is one claim, made often. The sum is raised for every further
/// tactic and technique, because an operation does different things and a false alarm the same
/// thing, and for the number of targets, more so for people at high risk.
pub(crate) fn score(
    findings: &[&Finding],
    tactics: &TacticWeights,
    targets: &[Target],
    high_risk_people: usize,
) -> f64 {
    let mut rules: BTreeMap<(&str, &str), (usize, Severity)> = BTreeMap::new();
    for finding in findings {
        let rule = rules
            .entry((&finding.code, &finding.rule_id))
            .or_insert((0, finding.severity));
        rule.0 += 1;
        rule.1 = rule.1.max(finding.severity);
    }
    let by_rule: f64 = rules
        .values()
        .map(|&(count, severity)| severity.weight() * (1.0 + 0.5 * (count as f64).ln()))
        .sum();

    let techniques: BTreeSet<&str> = findings
        .iter()
        .flat_map(|finding| &finding.attack)
        .map(String::as_str)
        .collect();
    let further_tactics = tactics.len().saturating_sub(1).min(10) as f64;
    let further_techniques = techniques.len().saturating_sub(1).min(20) as f64;
    let variety = 1.0 + 0.15 * further_tactics + 0.05 * further_techniques;
    let reach = 1.0 + 0.1 * (targets.len() as f64).ln_1p() + 0.2 * high_risk_people.min(5) as f64;
    by_rule * variety * reach
}

/// How much of a campaign serves each tactic.
pub(crate) type TacticWeights = BTreeMap<Tactic, f64>;

/// The tactics of `findings`: each finding's severity weight, shared out among its techniques'
/// tactics, repeats of a rule counting by their logarithm.
pub(crate) fn tactics(findings: &[&Finding]) -> TacticWeights {
    let mut repeats: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut weights = TacticWeights::new();
    for finding in findings {
        let seen = repeats.entry((&finding.code, &finding.rule_id)).or_insert(0);
        *seen += 1;
        // 1 + 1/2 + 1/3 + … grows as the logarithm does.
        let share = finding.severity.weight() / *seen as f64;
        let served: Vec<Tactic> = finding
            .attack
            .iter()
            .filter_map(|id| Technique::parse(id))
            .flat_map(|technique| technique.tactics())
            .copied()
            .collect();
        for tactic in &served {
            *weights.entry(*tactic).or_insert(0.0) += share / served.len() as f64;
        }
    }
    weights
}
