//! What must be in an event for a rule to match, so that most rules need not be looked at.

use rsigma_eval::CompiledMatcher;
use rsigma_eval::matcher::GroupMode;
use rustc_hash::FxHashMap;

use super::expr::Expr;
use super::names::FieldId;

/// A necessary condition that an index can find.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Atom {
    /// The field's text in lower case is this.
    Exact(FieldId, String),
    /// The field's text in lower case contains this.
    Contains(FieldId, String),
    /// The field is there.
    Present(FieldId),
    /// Some text of the event in lower case contains this.
    Keyword(String),
}

/// One of these holds for every event that a rule matches; `None` where nothing is known.
pub(super) type Gate = Option<Vec<Atom>>;

/// How many rules name a literal. One that many rules name is one that many logs hold, so it makes
/// a poor gate.
#[derive(Debug, Default)]
pub(super) struct Commonness(FxHashMap<Atom, u32>);

impl Commonness {
    /// Counts the literals of one rule.
    pub(super) fn count(&mut self, expr: &Expr) {
        match expr {
            Expr::All(parts) | Expr::Any(parts) | Expr::AtLeast(_, parts) => {
                parts.iter().for_each(|part| self.count(part));
            }
            Expr::Field(field, matcher) => {
                for atom in matcher_gate(matcher, Some(*field), &Self::default())
                    .into_iter()
                    .flatten()
                {
                    *self.0.entry(atom).or_default() += 1;
                }
            }
            Expr::Not(_) | Expr::Present(..) | Expr::Keyword(_) | Expr::Whole(_) => {}
        }
    }

    /// How much work a gate is expected to cause, in no particular unit.
    fn cost(&self, gate: &[Atom]) -> f64 {
        gate.iter()
            .map(|atom| {
                let rules = f64::from(1 + self.0.get(atom).copied().unwrap_or(0));
                match atom {
                    Atom::Exact(..) => rules,
                    Atom::Contains(_, literal) | Atom::Keyword(literal) => {
                        rules * (1.0 + 40.0 / (literal.len() * literal.len()) as f64)
                    }
                    Atom::Present(_) => 100_000.0,
                }
            })
            .sum()
    }
}

/// The cheapest necessary condition of `expr`.
pub(super) fn gate(expr: &Expr, commonness: &Commonness) -> Gate {
    match expr {
        Expr::All(parts) => cheapest(parts.iter().map(|part| gate(part, commonness)), commonness),
        Expr::Any(parts) => union(parts.iter().map(|part| gate(part, commonness))),
        Expr::AtLeast(0, _) | Expr::Not(_) | Expr::Present(_, false) | Expr::Whole(_) => None,
        Expr::AtLeast(_, parts) => union(parts.iter().map(|part| gate(part, commonness))),
        Expr::Present(field, true) => Some(vec![Atom::Present(*field)]),
        // The one matcher that an absent field satisfies.
        Expr::Field(_, CompiledMatcher::Null) => None,
        Expr::Field(field, matcher) => {
            matcher_gate(matcher, Some(*field), commonness).or_else(|| Some(vec![Atom::Present(*field)]))
        }
        Expr::Keyword(matcher) => matcher_gate(matcher, None, commonness),
    }
}

/// The numbers that `field` may have in an event that satisfies `expr`; `None` where it does not say.
pub(super) fn numbers_of(field: FieldId, expr: &Expr) -> Option<Vec<u32>> {
    match expr {
        Expr::All(parts) => parts
            .iter()
            .filter_map(|part| numbers_of(field, part))
            .min_by_key(Vec::len),
        Expr::Any(parts) | Expr::AtLeast(1.., parts) => {
            let mut numbers = Vec::new();
            for part in parts {
                numbers.extend(numbers_of(field, part)?);
            }
            Some(numbers)
        }
        Expr::Field(id, matcher) if *id == field => matcher_numbers(matcher),
        _ => None,
    }
}

fn matcher_numbers(matcher: &CompiledMatcher) -> Option<Vec<u32>> {
    match matcher {
        // Event ids are small whole numbers; anything else can never be one.
        CompiledMatcher::NumericEq(number) => Some(vec![*number as u32]),
        CompiledMatcher::Exact { value, .. } => value.parse().ok().map(|number| vec![number]),
        CompiledMatcher::AnyOf(parts) => {
            let mut numbers = Vec::new();
            for part in parts {
                numbers.extend(matcher_numbers(part)?);
            }
            Some(numbers)
        }
        _ => None,
    }
}

/// All must hold, so any one of the gates will do.
fn cheapest(gates: impl Iterator<Item = Gate>, commonness: &Commonness) -> Gate {
    gates
        .flatten()
        .map(|gate| (commonness.cost(&gate), gate))
        .min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, gate)| gate)
}

/// One must hold, it is not known which.
fn union(gates: impl Iterator<Item = Gate>) -> Gate {
    let mut all = Vec::new();
    for gate in gates {
        all.extend(gate?);
    }
    Some(all)
}

fn matcher_gate(matcher: &CompiledMatcher, field: Option<FieldId>, commonness: &Commonness) -> Gate {
    match matcher {
        CompiledMatcher::Exact {
            value,
            case_insensitive,
        } => {
            let literal = fold(value, *case_insensitive)?;
            Some(vec![match field {
                Some(field) => Atom::Exact(field, literal),
                None => Atom::Keyword(literal),
            }])
        }
        CompiledMatcher::Contains {
            value,
            case_insensitive,
        }
        | CompiledMatcher::StartsWith {
            value,
            case_insensitive,
        }
        | CompiledMatcher::EndsWith {
            value,
            case_insensitive,
        } => Some(vec![contains(fold(value, *case_insensitive)?, field)]),
        CompiledMatcher::AhoCorasickSet {
            needles,
            case_insensitive,
            ..
        } => needles
            .iter()
            .map(|needle| Some(contains(fold(needle, *case_insensitive)?, field)))
            .collect(),
        CompiledMatcher::Regex(regex) => regex_gate(regex.as_str(), field),
        CompiledMatcher::RegexSetMatch { set, mode } => {
            let gates = set.patterns().iter().map(|pattern| regex_gate(pattern, field));
            combine(gates, *mode, commonness)
        }
        CompiledMatcher::AnyOf(parts) => {
            let gates = parts.iter().map(|part| matcher_gate(part, field, commonness));
            combine(gates, GroupMode::Any, commonness)
        }
        CompiledMatcher::AllOf(parts) => {
            let gates = parts.iter().map(|part| matcher_gate(part, field, commonness));
            combine(gates, GroupMode::All, commonness)
        }
        CompiledMatcher::CaseInsensitiveGroup { children, mode } => {
            let gates = children.iter().map(|part| matcher_gate(part, field, commonness));
            combine(gates, *mode, commonness)
        }
        _ => None,
    }
}

fn combine(gates: impl Iterator<Item = Gate>, mode: GroupMode, commonness: &Commonness) -> Gate {
    match mode {
        GroupMode::Any => union(gates),
        GroupMode::All => cheapest(gates, commonness),
    }
}

fn contains(literal: String, field: Option<FieldId>) -> Atom {
    match field {
        Some(field) => Atom::Contains(field, literal),
        None => Atom::Keyword(literal),
    }
}

/// A literal in lower case. Beyond ASCII a case-sensitive literal has no lower case that is sure to
/// be found (a Greek sigma changes with its place in the word).
fn fold(literal: &str, is_folded: bool) -> Option<String> {
    match literal {
        "" => None,
        _ if is_folded => Some(literal.to_owned()),
        _ => literal.is_ascii().then(|| literal.to_ascii_lowercase()),
    }
}

fn regex_gate(pattern: &str, field: Option<FieldId>) -> Gate {
    let hir = regex_syntax::parse(pattern).ok()?;
    let literals = regex_literals(&hir)?;
    // A single letter is in nearly every text.
    if literals.iter().any(|literal| literal.len() < 2) {
        return None;
    }
    Some(
        literals
            .into_iter()
            .map(|literal| contains(literal, field))
            .collect(),
    )
}

/// Literals in lower case of which every text that matches contains at least one.
fn regex_literals(hir: &regex_syntax::hir::Hir) -> Option<Vec<String>> {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => single(hir).map(|literal| vec![literal]),
        HirKind::Repetition(repetition) if repetition.min >= 1 => regex_literals(&repetition.sub),
        HirKind::Capture(capture) => regex_literals(&capture.sub),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(regex_literals(part)?);
            }
            Some(all)
        }
        HirKind::Concat(parts) => {
            // `(?i)abc` arrives as three classes in a row, which make one literal again.
            let mut choices: Vec<Vec<String>> = Vec::new();
            let mut run = String::new();
            for part in parts {
                if let Some(literal) = single(part) {
                    run.push_str(&literal);
                    continue;
                }
                choices.push(vec![std::mem::take(&mut run)]);
                choices.extend(regex_literals(part));
            }
            choices.push(vec![run]);
            let weakest = |literals: &Vec<String>| literals.iter().map(String::len).min().unwrap_or(0);
            choices
                .into_iter()
                .filter(|literals| weakest(literals) > 0)
                .max_by_key(|literals| (weakest(literals), std::cmp::Reverse(literals.len())))
        }
        _ => None,
    }
}

/// The one text in lower case that this part of a pattern stands for, if it is ASCII.
fn single(hir: &regex_syntax::hir::Hir) -> Option<String> {
    use regex_syntax::hir::{Class, HirKind};
    match hir.kind() {
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            text.is_ascii().then(|| text.to_ascii_lowercase())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut letter = None;
            for range in class.ranges() {
                // A case-insensitive `s` also stands for the long s, whose lower case is another
                // letter; such a class is no literal.
                if range.start() != range.end() {
                    return None;
                }
                let mut folded = range.start().to_lowercase();
                let lower = folded.next().filter(char::is_ascii)?;
                if folded.next().is_some() || letter.is_some_and(|known| known != lower) {
                    return None;
                }
                letter = Some(lower);
            }
            letter.map(String::from)
        }
        _ => None,
    }
}
