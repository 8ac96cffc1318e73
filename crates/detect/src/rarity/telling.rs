//! An operation in words: a finding that shows every term of its score.

use blackrod_model::process::{Act, ProcessFacts};
use blackrod_model::{Class, Entity, EntityKind, Finding, FindingId, Reason, Severity};

use super::baseline::day_of;
use super::budget::Alert;
use super::operation::Step;
use super::score::{Term, is_system};
use super::shape::stem;
use super::table::Table;
use super::{COMMAND_CODE, DAYS_OF_HISTORY, SESSION_CODE};

/// The most commands that a finding quotes.
const MOST_QUOTED: usize = 12;

/// The most entities of a finding.
const MOST_ENTITIES: usize = 48;

/// Tells `alert`; `history` is for how many days there is anything to compare with.
pub(super) fn finding(alert: &Alert<'_>, history: usize) -> Finding {
    let Alert {
        operation,
        day,
        score,
        told,
    } = alert;
    let is_due = |step: &&Step| {
        let of = day_of(step.time);
        of <= day.day && told.is_none_or(|told| of > told)
    };
    let mut steps: Vec<&Step> = operation.steps.iter().filter(is_due).collect();
    steps.sort_by(|left, right| {
        right
            .value
            .total_cmp(&left.value)
            .then(left.time.cmp(&right.time))
    });
    let attack = sorted(steps.iter().flat_map(|step| step.attack.iter()));
    let hosts = sorted(steps.iter().map(|step| &step.host)).len();
    let code = match steps.as_slice() {
        [_] => COMMAND_CODE,
        _ => SESSION_CODE,
    };
    let who = operation.actors.join(", ");
    let title = match steps.as_slice() {
        [only] => format!("Unusual command by {who}: {}", only.image),
        _ => format!("{} unusual commands by {who} on {hosts} host(s)", steps.len()),
    };
    steps.truncate(MOST_QUOTED);
    steps.sort_by_key(|step| (step.time, step.evidence, step.at));
    let mut reasons = vec![
        Reason::new("score", &format!("{score:+.1}")),
        Reason::new("history", &in_words(history)),
    ];
    reasons.extend(steps.iter().map(|step| reason(step)));
    let first = operation.actors.first().map_or("", String::as_str);
    Finding {
        id: FindingId::new(code, first, day.evidence, day.at, ""),
        code: code.to_owned(),
        rule_id: code.to_owned(),
        title,
        severity: severity(*score),
        time: day.time,
        evidence: day.evidence,
        at: day.at,
        class: steps.last().map_or(Class::PROCESS_ACTIVITY.0, |step| step.class),
        attack,
        reasons,
        entities: entities(&steps),
    }
}

/// The techniques that a step speaks for: what its arguments mean, or where nothing is known of these, its program.
pub(super) fn attack(facts: &ProcessFacts, table: &Table) -> Vec<String> {
    let uses = facts.uses.iter().filter_map(|name| table.use_named(name));
    let mut ids: Vec<&String> = uses.flat_map(|entry| &entry.attack).collect();
    if ids.is_empty() {
        let programs = facts.programs.iter();
        let classes = programs.filter_map(|program| table.class_of(program));
        ids.extend(classes.flat_map(|class| &class.attack));
    }
    if let Some(lineage) = table.lineage(stem(&facts.parent), stem(&facts.image)) {
        ids.extend(&lineage.attack);
    }
    let cleared = "T1070.001".to_owned();
    if facts.act == Act::LogCleared {
        ids.push(&cleared);
    }
    sorted(ids.into_iter())
}

fn sorted<'s>(texts: impl Iterator<Item = &'s String>) -> Vec<String> {
    let mut sorted: Vec<&String> = texts.collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().cloned().collect()
}

fn in_words(days: usize) -> String {
    if days < DAYS_OF_HISTORY {
        format!(
            "{days} day(s) of history: too few to say what is normal here, so mostly what a command can do and how it is built counted"
        )
    } else {
        format!("{days} days of history")
    }
}

fn reason(step: &Step) -> Reason {
    let mut terms: Vec<&Term> = step.terms.iter().filter(|term| term.value.abs() >= 0.1).collect();
    terms.sort_by(|left, right| right.value.total_cmp(&left.value));
    let terms: Vec<String> = terms
        .iter()
        .map(|term| format!("{:+.1} {}", term.value, term.what))
        .collect();
    let shown = &step.command[..step.command.floor_char_boundary(300)];
    Reason::new(
        format!("{:+.1} {} {} on {}", step.value, step.time, step.user, step.host),
        &format!("{shown} [{}]", terms.join("; ")),
    )
}

fn entities(steps: &[&Step]) -> Vec<Entity> {
    let mut found: Vec<Entity> = Vec::new();
    let mut add = |kind: EntityKind, value: &str| {
        if let Some(entity) = Entity::new(kind, value)
            && found.len() < MOST_ENTITIES
            && !found.contains(&entity)
        {
            found.push(entity);
        }
    };
    for step in steps {
        add(EntityKind::Host, &step.host);
        if !is_system(&step.user) {
            add(EntityKind::Account, &step.user);
            if !step.session.is_empty() {
                add(EntityKind::Session, &format!("{}/{}", step.host, step.session));
            }
        }
        for target in &step.targets {
            match crate::entities::parse_ip(target) {
                Some(address) => add(EntityKind::Ip, &address.to_string()),
                None if target.contains('.') => add(EntityKind::Domain, target),
                None => add(EntityKind::Host, target),
            }
        }
    }
    found
}

/// e^8 is three thousand to one, e^14 a million to one.
fn severity(score: f32) -> Severity {
    match score {
        score if score >= 14.0 => Severity::High,
        score if score >= 8.0 => Severity::Medium,
        _ => Severity::Low,
    }
}
