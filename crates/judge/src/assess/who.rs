//! The judgements of who it was, what for, and who is at risk.

use std::collections::BTreeSet;

use blackrod_model::Campaign;
use blackrod_model::assessment::{
    Ceilings, Confidence, EvidenceClass, EvidenceItem, Hypothesis, Judgement, PersonAtRisk, Question,
};
use blackrod_model::estate::Enrichment;

use super::ceiling::ceilings;
use super::hypotheses::{Hypotheses, Priors, Who};
use super::items::Draft;
use super::weigh::{Weighed, posterior};
use super::{Context, weigh};
use crate::actors::{Actors, Day, FeatureKind};

/// How many groups stand in the matrix; the others are one line.
const MAX_GROUPS: usize = 8;

/// Below this nobody is named as the likeliest.
const NAMED_FROM: f64 = 0.40;

pub(super) struct Found {
    pub(super) judgements: Vec<Judgement>,
    pub(super) hypotheses: Vec<Hypothesis>,
    pub(super) items: Vec<EvidenceItem>,
    pub(super) ceilings: Ceilings,
    pub(super) would_change: Vec<String>,
    /// The likeliest state and its probability after the ceiling.
    pub(super) leading_state: Option<(String, f64)>,
}

pub(super) fn judge(
    hypotheses: &Hypotheses,
    weighed: &[Weighed],
    drafts: &[Draft],
    actors: &Actors,
    campaign: &Campaign,
    context: &Context,
) -> Found {
    let after = posterior(hypotheses, weighed, None);
    let shown = shown(hypotheses, &after);
    let state = hypotheses.leading_state(actors, &after);
    let group = hypotheses.leading_group(&after);
    let group_place = |at: usize| hypotheses.all.iter().position(|(who, _)| *who == Who::Group(at));

    let items: Vec<EvidenceItem> = drafts
        .iter()
        .zip(weighed)
        .enumerate()
        .map(|(at, (draft, weighed_item))| {
            let without = posterior(hypotheses, weighed, Some(at));
            let ratio_of = |place: &usize| weighed_item.ln_ratios.get(*place).copied().unwrap_or(0.0);
            let ln_ratios: Vec<f64> = shown.iter().map(ratio_of).collect();
            let most = ln_ratios.iter().copied().fold(0.0, f64::max);
            let least = ln_ratios.iter().copied().fold(0.0, f64::min);
            EvidenceItem {
                id: draft.id.clone(),
                class: draft.class,
                claim: draft.claim.clone(),
                findings: draft.findings.clone(),
                grade: draft.grade,
                forgeable: draft.forgeable,
                ln_ratios,
                diagnosticity: most - least,
                state_without: state
                    .as_ref()
                    .map_or(0.0, |(state, _)| hypotheses.of_state(actors, &without, state)),
                group_without: group
                    .and_then(|(at, _)| group_place(at))
                    .and_then(|place| without.get(place))
                    .copied()
                    .unwrap_or(0.0),
            }
        })
        .collect();
    let ceilings = ceilings(&items, context.signed_off.contains(&campaign.id));
    let (confidence, why) = confidence(&items);

    let mut judgements = Vec::new();
    let mut leading_state = None;
    if let Some((letters, probability)) = &state {
        let name = actors
            .states
            .get(letters)
            .map_or(letters.as_str(), |state| state.adjective.as_str());
        let mut judgement = capped(
            Question::State,
            "state",
            format!("an actor that is affiliated with the {name} state was behind this campaign"),
            *probability,
            ceilings.state,
            &ceilings.reason,
        );
        judgement.confidence = confidence;
        judgement.why.clone_from(&why);
        let supports = |item: &EvidenceItem| item.state_without < *probability;
        carry(&mut judgement, &items, supports);
        leading_state = Some((letters.clone(), judgement.probability));
        judgements.push(judgement);
    }
    if let Some((at, probability)) = group {
        let name = actors.actors.get(at).map_or("", |actor| actor.name.as_str());
        let mut judgement = capped(
            Question::Group,
            "group",
            format!("the group known as {name} was behind this campaign"),
            probability,
            ceilings.group,
            &ceilings.reason,
        );
        judgement.confidence = confidence;
        judgement.why.clone_from(&why);
        let supports = |item: &EvidenceItem| item.group_without < probability;
        carry(&mut judgement, &items, supports);
        let is_named = judgement.probability >= NAMED_FROM;
        judgements.push(judgement);
        if !is_named {
            let mut unknown = capped(
                Question::Group,
                "unknown",
                "none of the groups that are known here was behind it, or it is ordinary crime or no attack at all".to_owned(),
                hypotheses.unknown(&after),
                0.95,
                "what is not known cannot be excluded by it",
            );
            unknown.confidence = confidence;
            unknown.why = why;
            judgements.push(unknown);
        }
    }
    Found {
        judgements,
        hypotheses: in_words(hypotheses, &after, &shown, actors),
        would_change: would_change(&items, &ceilings),
        items,
        ceilings,
        leading_state,
    }
}

/// Where no state stands out.
pub(super) const UNKNOWN_USE: &str = "What would be done with what was obtained is not known: it depends on who holds it, and the evidence names no state.";

/// What would be done with what was obtained: a judgement of its own, by how such actors are reported to have used such data.
pub(super) fn use_of(
    obtained: &[Judgement],
    leading: &Option<(String, f64)>,
    actors: &Actors,
) -> Option<Judgement> {
    if obtained.is_empty() {
        return None;
    }
    let (letters, probability) = leading.as_ref()?;
    let state = actors
        .states
        .get(letters)
        .filter(|state| !state.uses.is_empty())?;
    if *probability < NAMED_FROM {
        return None;
    }
    let mut findings: Vec<_> = obtained
        .iter()
        .flat_map(|judgement| judgement.findings.clone())
        .collect();
    findings.sort_unstable();
    findings.dedup();
    Some(Judgement {
        question: Question::Use,
        about: "use".to_owned(),
        statement: format!(
            "what was obtained would, if an actor of the {} state holds it, be used for {}",
            state.adjective, state.uses
        ),
        probability: state.uses_base_rate.clamp(0.01, 0.95),
        confidence: Confidence::Low,
        why: format!(
            "rests on a stated base rate of {:.0} % for reported cases and not on the evidence of this case; it holds only if the \
             judgement of the state does.",
            100.0 * state.uses_base_rate
        ),
        items: Vec::new(),
        findings,
        held_down: None,
    })
}

/// Who is at risk, in one sentence.
pub(super) fn risk(at_risk: &[PersonAtRisk], targeting: &[Enrichment]) -> Option<Judgement> {
    let hit = at_risk.iter().filter(|person| person.was_hit).count();
    let first = at_risk.first()?;
    let others = at_risk.len() - hit;
    let statement = match (targeting.first(), others) {
        (Some(enrichment), 1..) => format!(
            "each of the {hit} people who were hit will be tried again, and {others} more share with them that they are in {}",
            enrichment.name
        ),
        _ if hit == 1 => "the person who was hit will be tried again".to_owned(),
        _ => format!("each of the {hit} people who were hit will be tried again"),
    };
    Some(Judgement {
        question: Question::AtRisk,
        about: "people".to_owned(),
        statement,
        probability: first.probability,
        confidence: if targeting.is_empty() {
            Confidence::Low
        } else {
            Confidence::Moderate
        },
        why: match targeting.first() {
            Some(enrichment) => format!(
                "{}; that people are tried again is a judgement from reported cases.",
                enrichment.sentence("people who were hit")
            ),
            None => {
                "a judgement from reported cases; no group stands out among those who were hit.".to_owned()
            }
        },
        items: Vec::new(),
        findings: Vec::new(),
        held_down: None,
    })
}

/// Whose doing `features` are, by techniques and software alone: what [`super::assess`] would make of them, for measuring.
#[derive(Clone, Debug)]
pub struct Suspects {
    /// Id and probability of each group, in the order of the actors.
    pub groups: Vec<(String, f64)>,
    /// The probability that it was none of them.
    pub unknown: f64,
    /// The probability of somebody posing as one of them.
    pub false_flag: f64,
}

/// See [`Suspects`]. `day` is when the features were seen.
pub fn suspects(
    actors: &Actors,
    features: &[(String, FeatureKind)],
    day: Option<Day>,
    priors: &Priors,
) -> Suspects {
    let hypotheses = Hypotheses::new(actors, priors, day);
    let ratios = weigh::Ratios::default();
    let weighed: Vec<Weighed> = features
        .iter()
        .map(|(id, kind)| Weighed {
            id: id.clone(),
            class: match kind {
                FeatureKind::Technique => EvidenceClass::Technique,
                FeatureKind::Tool => EvidenceClass::Tool,
                FeatureKind::Malware => EvidenceClass::Malware,
            },
            forgeable: true,
            ln_ratios: ratios.of(
                &weigh::Support::Feature(id.clone(), *kind),
                0.9,
                &hypotheses,
                actors,
            ),
        })
        .collect();
    let after = posterior(&hypotheses, &weighed, None);
    let of = |wanted: &dyn Fn(&Who) -> bool| -> f64 {
        let both = hypotheses.all.iter().zip(&after);
        both.filter(|((who, _), _)| wanted(who))
            .map(|(_, probability)| probability)
            .sum()
    };
    let group = |at: usize, id: &str| (id.to_owned(), of(&|who| *who == Who::Group(at)));
    Suspects {
        groups: actors
            .actors
            .iter()
            .enumerate()
            .map(|(at, actor)| group(at, &actor.id))
            .collect(),
        unknown: hypotheses.unknown(&after),
        false_flag: of(&|who| matches!(who, Who::FalseFlag(_))),
    }
}

/// The places of the hypotheses that the matrix shows: the likeliest groups, whoever poses as the first of them, and all unknown ones.
fn shown(hypotheses: &Hypotheses, after: &[f64]) -> Vec<usize> {
    let mut groups: Vec<(usize, f64)> = hypotheses
        .all
        .iter()
        .zip(after)
        .enumerate()
        .filter(|(_, ((who, _), _))| matches!(who, Who::Group(_)))
        .map(|(place, (_, probability))| (place, *probability))
        .collect();
    groups.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    groups.truncate(MAX_GROUPS);
    let posed = groups
        .first()
        .and_then(|(place, _)| match hypotheses.all.get(*place) {
            Some((Who::Group(at), _)) => Some(*at),
            _ => None,
        });
    let is_shown = |who: &Who| match who {
        Who::Group(_) => false,
        Who::FalseFlag(at) => Some(*at) == posed,
        Who::Aligned(_) | Who::Unknown | Who::Crime => true,
    };
    let others = hypotheses
        .all
        .iter()
        .enumerate()
        .filter(|(_, (who, _))| is_shown(who))
        .map(|(place, _)| place);
    let mut places: Vec<usize> = groups.into_iter().map(|(place, _)| place).chain(others).collect();
    places.sort_by(|a, b| after[*b].total_cmp(&after[*a]).then(a.cmp(b)));
    places
}

fn in_words(hypotheses: &Hypotheses, after: &[f64], shown: &[usize], actors: &Actors) -> Vec<Hypothesis> {
    let state_name = |letters: &str| {
        actors
            .states
            .get(letters)
            .map_or(letters.to_owned(), |state| state.name.clone())
    };
    let actor = |at: &usize| actors.actors.get(*at);
    let mut lines: Vec<Hypothesis> = shown
        .iter()
        .filter_map(|place| {
            let (who, prior) = hypotheses.all.get(*place)?;
            let (id, name, state) = match who {
                Who::Group(at) => {
                    let actor = actor(at)?;
                    (
                        format!("group/{}", actor.id),
                        actor.name.clone(),
                        actor.state().map(str::to_owned),
                    )
                }
                Who::FalseFlag(at) => {
                    let actor = actor(at)?;
                    (
                        format!("false-flag/{}", actor.id),
                        format!("somebody posing as {}", actor.name),
                        None,
                    )
                }
                Who::Aligned(letters) => (
                    format!("aligned/{letters}"),
                    format!("an unknown actor aligned with {}", state_name(letters)),
                    Some(letters.clone()),
                ),
                Who::Unknown => ("unknown".to_owned(), "another unknown actor".to_owned(), None),
                Who::Crime => (
                    "crime".to_owned(),
                    "ordinary crime, or no attack".to_owned(),
                    None,
                ),
            };
            Some(Hypothesis {
                id,
                name,
                state,
                prior: *prior,
                posterior: after.get(*place).copied().unwrap_or(0.0),
            })
        })
        .collect();
    let rest = |of: &dyn Fn(&Hypothesis) -> f64| (1.0 - lines.iter().map(of).sum::<f64>()).max(0.0);
    let others = Hypothesis {
        id: "others".to_owned(),
        name: "one of all other known groups, or somebody posing as one".to_owned(),
        state: None,
        prior: rest(&|line| line.prior),
        posterior: rest(&|line| line.posterior),
    };
    lines.push(others);
    lines
}

fn capped(
    question: Question,
    about: &str,
    statement: String,
    probability: f64,
    ceiling: f64,
    reason: &str,
) -> Judgement {
    Judgement {
        question,
        about: about.to_owned(),
        statement,
        probability: probability.min(ceiling).clamp(0.01, 0.99),
        confidence: Confidence::Low,
        why: String::new(),
        items: Vec::new(),
        findings: Vec::new(),
        held_down: (probability > ceiling).then(|| format!("held at {:.0} %: {reason}", 100.0 * ceiling)),
    }
}

fn carry(judgement: &mut Judgement, items: &[EvidenceItem], supports: impl Fn(&EvidenceItem) -> bool) {
    for item in items.iter().filter(|item| supports(item)) {
        judgement.items.push(item.id.clone());
        judgement.findings.extend(&item.findings);
    }
    judgement.findings.sort_unstable();
    judgement.findings.dedup();
}

/// By how many kinds of evidence there are, from how many good sources, and whether one is hard to forge.
fn confidence(items: &[EvidenceItem]) -> (Confidence, String) {
    let classes: BTreeSet<EvidenceClass> = items.iter().map(|item| item.class).collect();
    let outside: BTreeSet<&str> = items
        .iter()
        .filter(|item| item.findings.is_empty() || item.class == EvidenceClass::Infrastructure)
        .filter_map(|item| item.id.split('/').nth(1))
        .collect();
    let is_hard_to_forge = items.iter().any(|item| !item.forgeable);
    let reliable = items.iter().filter(|item| item.grade.is_reliable()).count();
    let level = match classes.len() {
        3.. if is_hard_to_forge && reliable >= 2 => Confidence::High,
        2.. if reliable >= 2 => Confidence::Moderate,
        _ => Confidence::Low,
    };
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    let kinds = match names[..] {
        [] => "no evidence speaks of who it was".to_owned(),
        [one] => format!("one kind of evidence ({one})"),
        _ => format!("{} kinds of evidence ({})", names.len(), names.join(", ")),
    };
    let forging = if is_hard_to_forge {
        "one of them hard to forge"
    } else {
        "all of which somebody else could have planted"
    };
    let why = if items.is_empty() {
        format!("{kinds}.")
    } else {
        format!(
            "{kinds}, {forging}; {} beyond the records of the estate.",
            match outside.len() {
                0 => "no source".to_owned(),
                1 => "one source".to_owned(),
                more => format!("{more} sources"),
            }
        )
    };
    (level, why)
}

fn would_change(items: &[EvidenceItem], ceilings: &Ceilings) -> Vec<String> {
    let classes: BTreeSet<EvidenceClass> = items.iter().map(|item| item.class).collect();
    let mut lines = Vec::new();
    let mut lacking = |class, line: &str| {
        if !classes.contains(&class) {
            lines.push(line.to_owned());
        }
    };
    lacking(
        EvidenceClass::Malware,
        "A sample of malware that only one group is known to use.",
    );
    lacking(
        EvidenceClass::Infrastructure,
        "A partner's report that ties the addresses or domains to a group.",
    );
    lacking(
        EvidenceClass::NonPublic,
        "Evidence that is hard to forge: a seized server, a service's own records, a human source.",
    );
    lacking(
        EvidenceClass::Victimology,
        "More people of one committee or list among those who were hit.",
    );
    if ceilings.group < 0.95 {
        lines.push(format!(
            "Until then no group is named with more than {:.0} %: {}.",
            100.0 * ceilings.group,
            ceilings.reason
        ));
    }
    let heaviest = items
        .iter()
        .filter(|item| item.diagnosticity > 0.5)
        .max_by(|a, b| {
            a.diagnosticity
                .total_cmp(&b.diagnosticity)
                .then_with(|| b.id.cmp(&a.id))
        });
    if let Some(item) = heaviest {
        lines.push(format!("If this proved wrong: {}.", item.claim));
    }
    lines
}
