//! Rules about several events (Sigma correlations, specification 2.0).

use std::hash::{BuildHasher as _, RandomState};

use blackrod_model::{Class, Entity, EntityKind, Finding, FindingId, Premise, Reason, RuleProblem};
use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};
use rsigma_eval::{
    CorrelationAction, CorrelationConfig, CorrelationEngine, DetectionBody, EvaluationResult, MapEvent,
    ResultBody, RuleHeader,
};
use rsigma_parser::{CorrelationCondition, CorrelationRule, CorrelationType, SigmaRule};
use rustc_hash::{FxHashMap, FxHashSet};

use super::CORRELATION_CODE as CODE;
use super::rule::{Rule, severity, techniques};

/// Groups that a correlation may keep apart at once; beyond it those that were quiet longest are dropped.
const MAX_GROUPS: usize = 100_000;
/// Matches of one group that a window keeps.
const MAX_GROUP_ENTRIES: usize = 10_000;

/// Premises that are gone through at a time: enough that threads seldom wait for each other, few enough to forget about.
const BATCH: usize = 16_384;

/// Correlation rules with the rules that they refer to.
#[derive(Debug, Default)]
pub(super) struct Correlations {
    parts: Vec<Part>,
}

/// Correlation rules that have to do with each other, and with none of another part: parts can be gone through at the
/// same time.
#[derive(Debug, Default)]
struct Part {
    rules: Vec<CorrelationRule>,
    bases: Vec<SigmaRule>,
    /// The ids by which premises know the rules of `bases`.
    ids: FxHashSet<String>,
}

impl Correlations {
    /// Takes the correlation rules that refer to loaded rules only, and tells those rules which
    /// fields are needed of their matches. `sources` are the texts behind `loaded`.
    pub(super) fn new(
        correlations: Vec<CorrelationRule>,
        sources: &[&SigmaRule],
        loaded: &mut [Rule],
        problems: &mut Vec<RuleProblem>,
    ) -> Self {
        let mut by_name: FxHashMap<&str, usize> = FxHashMap::default();
        for (index, source) in sources.iter().enumerate() {
            let names = [
                Some(source.title.as_str()),
                source.name.as_deref(),
                source.id.as_deref(),
            ];
            by_name.extend(names.into_iter().flatten().map(|name| (name, index)));
        }
        let is_correlation = |name: &str| correlations.iter().any(|rule| is_called(rule, name));
        let mut kept = Vec::new();
        let mut used: FxHashSet<usize> = FxHashSet::default();
        for correlation in &correlations {
            let unknown = correlation
                .rules
                .iter()
                .find(|name| !by_name.contains_key(name.as_str()) && !is_correlation(name));
            if let Some(name) = unknown {
                problems.push(RuleProblem {
                    rule: correlation
                        .id
                        .clone()
                        .unwrap_or_else(|| correlation.title.clone()),
                    title: correlation.title.clone(),
                    reason: format!("refers to the rule `{name}`, which is not loaded"),
                });
                continue;
            }
            let fields = fields_of(correlation);
            let bases: Vec<usize> = correlation
                .rules
                .iter()
                .filter_map(|name| by_name.get(name.as_str()).copied())
                .collect();
            for &index in &bases {
                let base = &mut loaded[index];
                let needed = base.premise.get_or_insert_default();
                needed.extend(fields.iter().cloned());
                needed.sort_unstable();
                needed.dedup();
                // A rule that several correlations refer to speaks for itself if one of them asks for it.
                let is_first = used.insert(index);
                base.fires = correlation.generate || (base.fires && !is_first);
            }
            kept.push((correlation, bases));
        }
        let part = |members: Vec<&(&CorrelationRule, Vec<usize>)>| {
            let mut bases: Vec<usize> = members.iter().flat_map(|(_, bases)| bases).copied().collect();
            bases.sort_unstable();
            bases.dedup();
            Part {
                rules: members.iter().map(|(rule, _)| (*rule).clone()).collect(),
                ids: bases.iter().map(|&index| loaded[index].id.clone()).collect(),
                bases: bases.into_iter().map(|index| sources[index].clone()).collect(),
            }
        };
        Self {
            parts: apart(&kept).into_iter().map(part).collect(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.rules.len()).sum()
    }

    /// Goes through premises.
    pub(super) fn correlator(&self) -> Correlator {
        Correlator {
            parts: self.parts.iter().map(Running::new).collect(),
            batch: Vec::new(),
        }
    }
}

fn is_called(rule: &CorrelationRule, name: &str) -> bool {
    rule.id.as_deref() == Some(name) || rule.name.as_deref() == Some(name)
}

/// Rules that one refers to the other of, together.
fn apart<'k, 'r>(
    rules: &'k [(&'r CorrelationRule, Vec<usize>)],
) -> Vec<Vec<&'k (&'r CorrelationRule, Vec<usize>)>> {
    let mut parts: Vec<Vec<&(&CorrelationRule, Vec<usize>)>> = Vec::new();
    for rule in rules {
        let refers = |one: &CorrelationRule, other: &CorrelationRule| {
            one.rules.iter().any(|name| is_called(other, name))
        };
        let (mut own, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| {
            part.iter()
                .any(|(known, _)| refers(known, rule.0) || refers(rule.0, known))
        });
        own.push(vec![rule]);
        parts = others;
        parts.push(own.concat());
    }
    parts
}

/// Goes through premises in the order of their times, and finds what they come to together. The record of a finding is
/// that of the match that completed it; counting begins anew after that.
pub struct Correlator {
    parts: Vec<Running>,
    batch: Vec<Premise>,
}

impl Correlator {
    /// Takes in the next premise.
    pub fn push(&mut self, premise: Premise) {
        self.batch.push(premise);
        if self.batch.len() >= BATCH {
            self.work_off();
        }
    }

    /// What they came to.
    pub fn finish(mut self) -> Vec<Finding> {
        self.work_off();
        self.parts.into_iter().flat_map(|part| part.findings).collect()
    }

    fn work_off(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        self.parts.par_iter_mut().for_each(|part| {
            for premise in &batch {
                part.push(premise);
            }
        });
    }
}

/// A part with what it remembers.
struct Running {
    ids: FxHashSet<String>,
    engine: CorrelationEngine,
    /// A premise like one of the same second changes nothing: that something was there is all that the rules ask.
    ignores_repeats: bool,
    /// Of the second `now`, since something was found.
    seen: FxHashSet<u64>,
    /// With a key of its own: evidence must not be able to make two premises look alike.
    hasher: RandomState,
    now: i64,
    findings: Vec<Finding>,
}

impl Running {
    fn new(part: &Part) -> Self {
        let mut engine = CorrelationEngine::new(CorrelationConfig {
            max_state_entries: MAX_GROUPS,
            max_group_entries: Some(MAX_GROUP_ENTRIES),
            action_on_match: CorrelationAction::Reset,
            ..CorrelationConfig::default()
        });
        // They compiled when they were loaded; an error here leaves the rule out, as there.
        for base in &part.bases {
            let _ = engine.add_rule(base);
        }
        for rule in &part.rules {
            let _ = engine.add_correlation(rule);
        }
        let asks_what_was_there = |rule: &CorrelationRule| {
            matches!(
                rule.correlation_type,
                CorrelationType::ValueCount | CorrelationType::Temporal | CorrelationType::TemporalOrdered
            )
        };
        Self {
            ids: part.ids.clone(),
            engine,
            ignores_repeats: part.rules.iter().all(asks_what_was_there),
            seen: FxHashSet::default(),
            hasher: RandomState::new(),
            now: i64::MIN,
            findings: Vec::new(),
        }
    }

    fn push(&mut self, premise: &Premise) {
        let Some(seconds) = premise.time.seconds() else {
            return;
        };
        if !self.ids.contains(&premise.rule_id) || (self.ignores_repeats && self.repeats(premise, seconds)) {
            return;
        }
        let fields: FxHashMap<String, String> = premise.fields.iter().cloned().collect();
        let event = MapEvent::new(fields.into_iter().collect());
        let results = self
            .engine
            .process_with_detections(&event, vec![matched(premise)], seconds);
        let before = self.findings.len();
        self.findings
            .extend(results.iter().filter_map(|result| finding(result, premise)));
        if self.findings.len() > before {
            // Counting begins anew: what was there counts again.
            self.seen.clear();
        }
    }

    fn repeats(&mut self, premise: &Premise, seconds: i64) -> bool {
        if self.now != seconds {
            self.now = seconds;
            self.seen.clear();
        }
        let key = self.hasher.hash_one((&premise.rule_id, &premise.fields));
        !self.seen.insert(key)
    }
}

/// The fields that a correlation groups by or counts, under all their names.
fn fields_of(correlation: &CorrelationRule) -> Vec<String> {
    let mut fields = correlation.group_by.clone();
    if let CorrelationCondition::Threshold {
        field: Some(counted), ..
    } = &correlation.condition
    {
        fields.extend(counted.iter().cloned());
    }
    for alias in &correlation.aliases {
        fields.extend(alias.mapping.values().cloned());
    }
    fields.extend(correlation.fields.iter().cloned());
    fields
}

/// A premise as rsigma's detection result.
fn matched(premise: &Premise) -> EvaluationResult {
    EvaluationResult {
        header: RuleHeader {
            rule_title: String::new(),
            rule_id: Some(premise.rule_id.clone()),
            level: None,
            tags: Vec::new(),
            custom_attributes: std::sync::Arc::default(),
            enrichments: None,
        },
        body: ResultBody::Detection(DetectionBody {
            matched_selections: Vec::new(),
            matched_fields: Vec::new(),
            event: None,
        }),
    }
}

fn finding(result: &EvaluationResult, last: &Premise) -> Option<Finding> {
    let body = result.as_correlation()?;
    let header = &result.header;
    let rule_id = header
        .rule_id
        .clone()
        .unwrap_or_else(|| header.rule_title.clone());
    let mut reasons: Vec<Reason> = body
        .group_key
        .iter()
        .map(|(field, value)| Reason::new(field.clone(), value))
        .collect();
    let group: String = body
        .group_key
        .iter()
        .map(|(field, value)| format!("{field}={value}\n"))
        .collect();
    reasons.push(Reason::new(
        body.correlation_type.as_str(),
        &body.aggregated_value.to_string(),
    ));
    reasons.push(Reason::new("timespan", &format!("{} s", body.timespan_secs)));
    Some(Finding {
        id: FindingId::new(CODE, &rule_id, last.evidence, last.at, &group),
        code: CODE.to_owned(),
        rule_id,
        title: header.rule_title.clone(),
        severity: severity(header.level),
        time: last.time,
        evidence: last.evidence,
        at: last.at,
        class: Class::DETECTION_FINDING.0,
        attack: techniques(&header.tags),
        reasons,
        entities: last
            .fields
            .iter()
            .filter_map(|(field, value)| entity(field, value))
            .collect(),
    })
}

/// What a field that rules group by names.
fn entity(field: &str, value: &str) -> Option<Entity> {
    let kind = match field {
        "User" | "SubjectUserName" | "TargetUserName" | "AccountName" => EntityKind::Account,
        "Computer" | "WorkstationName" | "Hostname" => EntityKind::Host,
        "IpAddress" | "SourceIp" | "DestinationIp" | "SourceAddress" => EntityKind::Ip,
        "Image" | "ParentImage" | "ProcessName" => EntityKind::Process,
        _ => return None,
    };
    Entity::new(kind, value)
}
