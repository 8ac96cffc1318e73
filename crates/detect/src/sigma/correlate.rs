//! Rules about several events (Sigma correlations, specification 2.0).

use blackrod_model::{Class, Entity, EntityKind, Finding, FindingId, Premise, Reason, RuleProblem};
use rsigma_eval::{
    CorrelationAction, CorrelationConfig, CorrelationEngine, DetectionBody, EvaluationResult, MapEvent,
    ResultBody, RuleHeader,
};
use rsigma_parser::{CorrelationCondition, CorrelationRule, SigmaRule};
use rustc_hash::FxHashMap;

use super::CORRELATION_CODE as CODE;
use super::rule::{Rule, severity, techniques};

/// Groups that a correlation may keep apart at once; beyond it those that were quiet longest are dropped.
const MAX_GROUPS: usize = 100_000;
/// Matches of one group that a window keeps.
const MAX_GROUP_ENTRIES: usize = 10_000;

/// Correlation rules with the rules that they refer to.
#[derive(Debug, Default)]
pub(super) struct Correlations {
    rules: Vec<CorrelationRule>,
    bases: Vec<SigmaRule>,
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
        let is_correlation = |name: &str| {
            correlations
                .iter()
                .any(|rule| rule.id.as_deref() == Some(name) || rule.name.as_deref() == Some(name))
        };
        let mut kept = Vec::new();
        let mut bases: Vec<usize> = Vec::new();
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
            for &index in correlation
                .rules
                .iter()
                .filter_map(|name| by_name.get(name.as_str()))
            {
                let base = &mut loaded[index];
                let needed = base.premise.get_or_insert_default();
                needed.extend(fields.iter().cloned());
                needed.sort_unstable();
                needed.dedup();
                // A rule that several correlations refer to speaks for itself if one of them asks for it.
                let is_first = !bases.contains(&index);
                base.fires = correlation.generate || (base.fires && !is_first);
                if is_first {
                    bases.push(index);
                }
            }
            kept.push(correlation.clone());
        }
        let bases = bases.into_iter().map(|index| sources[index].clone()).collect();
        Self { rules: kept, bases }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// What the matches, in the order of their times, come to together. The record of a finding is
    /// that of the match that completed it; counting begins anew after that.
    pub(super) fn findings(&self, premises: impl Iterator<Item = Premise>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.rules.is_empty() {
            return findings;
        }
        let mut engine = CorrelationEngine::new(CorrelationConfig {
            max_state_entries: MAX_GROUPS,
            max_group_entries: Some(MAX_GROUP_ENTRIES),
            action_on_match: CorrelationAction::Reset,
            ..CorrelationConfig::default()
        });
        // They compiled when they were loaded; an error here leaves the rule out, as there.
        for base in &self.bases {
            let _ = engine.add_rule(base);
        }
        for rule in &self.rules {
            let _ = engine.add_correlation(rule);
        }
        for premise in premises {
            let Some(seconds) = premise.time.seconds() else {
                continue;
            };
            let fields: FxHashMap<String, String> = premise.fields.iter().cloned().collect();
            let event = MapEvent::new(fields.into_iter().collect());
            let results = engine.process_with_detections(&event, vec![matched(&premise)], seconds);
            findings.extend(results.iter().filter_map(|result| finding(result, &premise)));
        }
        findings
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
