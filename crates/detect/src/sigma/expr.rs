//! The condition of a rule, compiled: rsigma's matchers under a tree of our own.
//!
//! rsigma looks every field up by its name, folds case anew for every matcher and resolves `1 of
//! selection_*` at every evaluation. Here fields are numbers, case is folded once per event and
//! selectors are resolved when the rule is loaded. What matches stays rsigma's business: its
//! compiled matchers are used as they are, and a test compares the verdicts with those of its engine.

use blackrod_model::{Reason, Value};
use rsigma_eval::matcher::{ExpandPart, GroupMode};
use rsigma_eval::{CompiledDetection, CompiledDetectionItem, CompiledMatcher, CompiledRule};
use rsigma_parser::{ConditionExpr, Quantifier};

use super::event::{View, any_text, event_value, push_lower};
use super::names::{FieldId, Names};

/// A condition on one event.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    /// All hold; true when empty.
    All(Vec<Expr>),
    /// One holds; false when empty.
    Any(Vec<Expr>),
    /// So many hold.
    AtLeast(u64, Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// The field's value matches.
    Field(FieldId, CompiledMatcher),
    /// The field is there and not null, or is not.
    Present(FieldId, bool),
    /// Some text of the event matches.
    Keyword(CompiledMatcher),
    /// The rule quantifies over the members of a list; rsigma evaluates it whole.
    Whole(Box<CompiledRule>),
}

/// What an expression looks at.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// These fields.
    pub(super) fields: Vec<FieldId>,
    /// And everything else in the event.
    pub(super) everything: bool,
}

impl Expr {
    /// The condition of `rule`, its field names numbered in `names`.
    pub(super) fn compile(rule: &CompiledRule, names: &mut Names) -> Self {
        if rule.detections.values().any(quantifies) {
            return Self::Whole(Box::new(rule.clone()));
        }
        any(rule
            .conditions
            .iter()
            .map(|condition| compile_condition(condition, rule, names))
            .collect())
    }

    /// The field's value is one of `texts`, in any case.
    pub(super) fn one_of(field: FieldId, texts: &[String]) -> Self {
        any(texts
            .iter()
            .map(|text| {
                let matcher = CompiledMatcher::Exact {
                    value: text.to_lowercase(),
                    case_insensitive: true,
                };
                Self::Field(field, matcher)
            })
            .collect())
    }

    /// Whether the event satisfies it.
    pub(super) fn matches(&self, view: View<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(view)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(view)),
            Self::AtLeast(count, parts) => {
                let mut missing = *count;
                missing == 0
                    || parts.iter().any(|part| {
                        missing -= u64::from(part.matches(view));
                        missing == 0
                    })
            }
            Self::Not(part) => !part.matches(view),
            Self::Field(field, matcher) => match view.value(*field) {
                Some(value) => value_matches(matcher, *field, value, view),
                None => matches!(matcher, CompiledMatcher::Null),
            },
            Self::Present(field, expected) => {
                let present = view.value(*field).is_some_and(|value| *value != Value::Null);
                present == *expected
            }
            Self::Keyword(matcher) => view
                .event
                .fields
                .iter()
                .any(|field| any_text(&field.value, &|text| raw_matches(matcher, text))),
            Self::Whole(rule) => rsigma_eval::evaluate_rule(rule, &view).is_some(),
        }
    }

    /// The fields that satisfy an expression that holds, each once.
    pub(super) fn reasons(&self, view: View<'_>, out: &mut Vec<Reason>) {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                for part in parts.iter().filter(|part| part.matches(view)) {
                    part.reasons(view, out);
                }
            }
            Self::Not(_) | Self::Present(_, false) => {}
            Self::Field(field, matcher) => {
                let name = view.names.name(*field);
                match view.value(*field) {
                    Some(value) => push_reason(name, &value.to_string(), Some(matcher), out),
                    None => push_reason(name, "", None, out),
                }
            }
            Self::Present(field, true) => {
                if let Some(value) = view.value(*field) {
                    push_reason(view.names.name(*field), &value.to_string(), None, out);
                }
            }
            Self::Keyword(matcher) => {
                for field in &view.event.fields {
                    if any_text(&field.value, &|text| raw_matches(matcher, text)) {
                        push_reason(&field.name, &field.value.to_string(), Some(matcher), out);
                    }
                }
            }
            Self::Whole(rule) => {
                let result = rsigma_eval::evaluate_rule(rule, &view);
                let body = result.as_ref().and_then(|result| result.as_detection());
                for found in body.iter().flat_map(|body| &body.matched_fields) {
                    push_reason(&found.field, &found.value.to_string(), None, out);
                }
            }
        }
    }

    /// Left to rsigma as a whole: which fields it reads is not known here.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// Adds what the expression looks at.
    pub(super) fn reads(&self, names: &mut Names, out: &mut Reads) {
        match self {
            Self::All(parts) | Self::Any(parts) | Self::AtLeast(_, parts) => {
                for part in parts {
                    part.reads(names, out);
                }
            }
            Self::Not(part) => part.reads(names, out),
            Self::Present(field, _) => out.fields.push(*field),
            Self::Field(field, matcher) => {
                out.fields.push(*field);
                matcher_reads(matcher, names, out);
            }
            Self::Keyword(_) | Self::Whole(_) => out.everything = true,
        }
    }
}

fn quantifies(detection: &CompiledDetection) -> bool {
    match detection {
        CompiledDetection::ArrayMatch { .. } | CompiledDetection::Conditional { .. } => true,
        CompiledDetection::AnyOf(parts) | CompiledDetection::And(parts) => parts.iter().any(quantifies),
        CompiledDetection::AllOf(_) | CompiledDetection::Keywords(_) => false,
    }
}

fn compile_condition(condition: &ConditionExpr, rule: &CompiledRule, names: &mut Names) -> Expr {
    match condition {
        ConditionExpr::And(parts) => all(compile_parts(parts, rule, names)),
        ConditionExpr::Or(parts) => any(compile_parts(parts, rule, names)),
        ConditionExpr::Not(part) => Expr::Not(Box::new(compile_condition(part, rule, names))),
        ConditionExpr::Identifier(name) => match rule.detections.get(name) {
            Some(detection) => compile_detection(detection, names),
            None => Expr::Any(Vec::new()),
        },
        ConditionExpr::Selector { quantifier, pattern } => {
            let mut selected: Vec<_> = rule
                .detections
                .iter()
                .filter(|(name, _)| pattern.matches_detection_name(name))
                .collect();
            selected.sort_by_key(|(name, _)| *name);
            let parts = selected
                .into_iter()
                .map(|(_, detection)| compile_detection(detection, names))
                .collect();
            match quantifier {
                Quantifier::Any => any(parts),
                Quantifier::All => all(parts),
                Quantifier::Count(count) => Expr::AtLeast(*count, parts),
            }
        }
    }
}

fn compile_parts(parts: &[ConditionExpr], rule: &CompiledRule, names: &mut Names) -> Vec<Expr> {
    parts
        .iter()
        .map(|part| compile_condition(part, rule, names))
        .collect()
}

fn compile_detection(detection: &CompiledDetection, names: &mut Names) -> Expr {
    match detection {
        CompiledDetection::AllOf(items) => all(items.iter().map(|item| compile_item(item, names)).collect()),
        CompiledDetection::AnyOf(parts) => {
            any(parts.iter().map(|part| compile_detection(part, names)).collect())
        }
        CompiledDetection::And(parts) => {
            all(parts.iter().map(|part| compile_detection(part, names)).collect())
        }
        CompiledDetection::Keywords(matcher) => Expr::Keyword(matcher.clone()),
        // Rules with these are kept whole and do not get here.
        CompiledDetection::ArrayMatch { .. } | CompiledDetection::Conditional { .. } => Expr::Any(Vec::new()),
    }
}

fn compile_item(item: &CompiledDetectionItem, names: &mut Names) -> Expr {
    match (&item.field, item.exists) {
        (Some(field), Some(expected)) => Expr::Present(names.intern(field), expected),
        (Some(field), None) => Expr::Field(names.intern(field), item.matcher.clone()),
        // A keyword that must not exist always holds, one that must never does.
        (None, Some(true)) => Expr::Any(Vec::new()),
        (None, Some(false)) => Expr::All(Vec::new()),
        (None, None) => Expr::Keyword(item.matcher.clone()),
    }
}

fn all(mut parts: Vec<Expr>) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Expr::All(parts)
        }
        None => Expr::All(parts),
    }
}

fn any(mut parts: Vec<Expr>) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            Expr::Any(parts)
        }
        None => Expr::Any(parts),
    }
}

fn value_matches(matcher: &CompiledMatcher, field: FieldId, value: &Value<'_>, view: View<'_>) -> bool {
    match (matcher, value) {
        (CompiledMatcher::AnyOf(parts), _) => {
            parts.iter().any(|part| value_matches(part, field, value, view))
        }
        (CompiledMatcher::AllOf(parts), _) => {
            parts.iter().all(|part| value_matches(part, field, value, view))
        }
        (CompiledMatcher::Not(part), _) => !value_matches(part, field, value, view),
        (_, Value::Str(raw)) if is_textual(matcher) => view
            .slots
            .lower(field)
            .next()
            .is_some_and(|lower| text_matches(matcher, raw, lower)),
        _ => matcher.matches(&event_value(value), &view),
    }
}

/// Matchers that look at nothing but one text.
fn is_textual(matcher: &CompiledMatcher) -> bool {
    matches!(
        matcher,
        CompiledMatcher::Exact { .. }
            | CompiledMatcher::Contains { .. }
            | CompiledMatcher::StartsWith { .. }
            | CompiledMatcher::EndsWith { .. }
            | CompiledMatcher::Regex(_)
            | CompiledMatcher::AhoCorasickSet { .. }
            | CompiledMatcher::RegexSetMatch { .. }
            | CompiledMatcher::CaseInsensitiveGroup { .. }
    )
}

/// Whether a text as it was written matches, for keywords.
fn raw_matches(matcher: &CompiledMatcher, raw: &str) -> bool {
    let mut lower = String::with_capacity(raw.len());
    push_lower(raw, &mut lower);
    text_matches(matcher, raw, &lower)
}

/// Whether a text matches; `lower` is `raw` in lower case. The literals of case-insensitive
/// matchers are in lower case already.
fn text_matches(matcher: &CompiledMatcher, raw: &str, lower: &str) -> bool {
    let cased = |ignore_case: &bool| if *ignore_case { lower } else { raw };
    match matcher {
        CompiledMatcher::Exact {
            value,
            case_insensitive,
        } => cased(case_insensitive) == value,
        CompiledMatcher::Contains {
            value,
            case_insensitive,
        } => memchr::memmem::find(cased(case_insensitive).as_bytes(), value.as_bytes()).is_some(),
        CompiledMatcher::StartsWith {
            value,
            case_insensitive,
        } => cased(case_insensitive).starts_with(value.as_str()),
        CompiledMatcher::EndsWith {
            value,
            case_insensitive,
        } => cased(case_insensitive).ends_with(value.as_str()),
        CompiledMatcher::Regex(regex) => regex.is_match(raw),
        CompiledMatcher::AhoCorasickSet {
            automaton,
            case_insensitive,
            ..
        } => automaton.is_match(cased(case_insensitive)),
        CompiledMatcher::RegexSetMatch { set, mode } => match mode {
            GroupMode::Any => set.is_match(raw),
            GroupMode::All => set.matches(raw).iter().count() == set.len(),
        },
        CompiledMatcher::Not(part) => !text_matches(part, raw, lower),
        CompiledMatcher::AnyOf(parts) => parts.iter().any(|part| text_matches(part, raw, lower)),
        CompiledMatcher::AllOf(parts) => parts.iter().all(|part| text_matches(part, raw, lower)),
        // Everything in such a group ignores case, its regular expressions too.
        CompiledMatcher::CaseInsensitiveGroup { children, mode } => match mode {
            GroupMode::Any => children.iter().any(|part| text_matches(part, lower, lower)),
            GroupMode::All => children.iter().all(|part| text_matches(part, lower, lower)),
        },
        _ => false,
    }
}

fn matcher_reads(matcher: &CompiledMatcher, names: &mut Names, out: &mut Reads) {
    match matcher {
        CompiledMatcher::FieldRef { field, .. } => out.fields.push(names.intern(field)),
        CompiledMatcher::Expand { template, .. } => {
            for part in template {
                if let ExpandPart::Placeholder(field) = part {
                    out.fields.push(names.intern(field));
                }
            }
        }
        CompiledMatcher::Not(part) | CompiledMatcher::TimestampPart { inner: part, .. } => {
            matcher_reads(part, names, out);
        }
        CompiledMatcher::AnyOf(parts)
        | CompiledMatcher::AllOf(parts)
        | CompiledMatcher::CaseInsensitiveGroup { children: parts, .. } => {
            for part in parts {
                matcher_reads(part, names, out);
            }
        }
        _ => {}
    }
}

/// Adds a reason unless the field already is one. Of a long value the stretch that matched is kept.
fn push_reason(name: &str, value: &str, matcher: Option<&CompiledMatcher>, out: &mut Vec<Reason>) {
    if out.iter().any(|reason| reason.field == name) {
        return;
    }
    let start = match matcher {
        Some(matcher) if value.len() > Reason::MAX_VALUE => {
            let hit = first_hit(matcher, value).unwrap_or(0);
            value.floor_char_boundary(hit.saturating_sub(Reason::MAX_VALUE / 4))
        }
        _ => 0,
    };
    let mut reason = Reason::new(name, &value[start..]);
    if start > 0 {
        reason.value.insert(0, '…');
    }
    out.push(reason);
}

/// Where in `value` the first literal or pattern of the matcher stands, as far as that is cheap to say.
fn first_hit(matcher: &CompiledMatcher, value: &str) -> Option<usize> {
    match matcher {
        CompiledMatcher::Regex(regex) => regex.find(value).map(|found| found.start()),
        CompiledMatcher::Contains { value: literal, .. } => {
            // Folding ASCII only keeps offsets; a literal beyond ASCII just is not pointed at.
            value.to_ascii_lowercase().find(&literal.to_ascii_lowercase())
        }
        CompiledMatcher::AhoCorasickSet { automaton, .. } => automaton
            .find(&value.to_ascii_lowercase())
            .map(|found| found.start()),
        CompiledMatcher::AnyOf(parts)
        | CompiledMatcher::AllOf(parts)
        | CompiledMatcher::CaseInsensitiveGroup { children: parts, .. } => {
            parts.iter().filter_map(|part| first_hit(part, value)).min()
        }
        _ => None,
    }
}
