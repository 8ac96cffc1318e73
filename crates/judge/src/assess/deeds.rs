//! What was done and what was obtained: judged from the findings alone, whoever did it.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::assessment::{Confidence, Judgement, Phase, Question};
use blackrod_model::estate::Index;
use blackrod_model::{Class, EntityKind, Estate, Finding, FindingId, Severity, Tactic, Technique, Timestamp};

/// How likely a finding of each severity is true of an attack. Judgements: nobody has measured them on this estate.
const fn believed(severity: Severity) -> f64 {
    match severity {
        Severity::Informational => 0.02,
        Severity::Low => 0.10,
        Severity::Medium => 0.40,
        Severity::High => 0.70,
        Severity::Critical => 0.90,
    }
}

/// The code of findings that an invented elector was seen.
const CANARY: &str = "canary/seen";

/// However many detectors agree, they look at the same records.
const MOST: f64 = 0.97;

/// Deeds that are told apart, by the tactics that make them up.
const DEEDS: [(&str, &str, &[Tactic]); 4] = [
    (
        "reconnaissance",
        "people or systems were reconnoitred",
        &[Tactic::Reconnaissance],
    ),
    (
        "access",
        "somebody tried to get into accounts or systems, or got in",
        &[Tactic::InitialAccess, Tactic::CredentialAccess],
    ),
    (
        "control",
        "systems were under the control of the attacker",
        &[
            Tactic::Execution,
            Tactic::Persistence,
            Tactic::PrivilegeEscalation,
            Tactic::LateralMovement,
            Tactic::CommandAndControl,
        ],
    ),
    (
        "damage",
        "data or services were damaged or interrupted",
        &[Tactic::Impact],
    ),
];

/// Things whose loss is judged apart, as the public asks for them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asset {
    Mail,
    Register,
    Credentials,
    Files,
}

impl Asset {
    pub(crate) const ALL: [Self; 4] = [Self::Mail, Self::Register, Self::Credentials, Self::Files];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mail => "e-mail",
            Self::Register => "register",
            Self::Credentials => "passwords and credentials",
            Self::Files => "files",
        }
    }

    /// As the beginning of what was done to it.
    const fn was(self) -> &'static str {
        match self {
            Self::Mail => "e-mail was",
            Self::Register => "the register was",
            Self::Credentials => "passwords and credentials were",
            Self::Files => "files were",
        }
    }

    const fn statement(self, copied: bool) -> &'static str {
        match (self, copied) {
            (Self::Mail, false) => "e-mail was accessed by somebody who had no right to",
            (Self::Mail, true) => "e-mail was copied and taken away",
            (Self::Register, false) => "a register of personal data was accessed",
            (Self::Register, true) => "a register of personal data was copied and taken away",
            (Self::Credentials, false) => "passwords or other credentials were obtained",
            (Self::Credentials, true) => "passwords or other credentials were taken away",
            (Self::Files, false) => "files were read by somebody who had no right to",
            (Self::Files, true) => "files were copied and taken away",
        }
    }
}

/// What was done, by deed.
pub(crate) fn done(members: &[&Finding]) -> Vec<Judgement> {
    DEEDS
        .iter()
        .filter_map(|(about, statement, tactics)| {
            let serving: Vec<&Finding> = members
                .iter()
                .filter(|finding| tactics_of(finding).any(|tactic| tactics.contains(&tactic)))
                .copied()
                .collect();
            judgement(Question::Done, about, statement, &serving)
        })
        .collect()
}

/// What was obtained: for each asset whether it was accessed and whether it was copied.
pub(crate) fn obtained(members: &[&Finding], estate: &Estate, index: &Index<'_>) -> Vec<Judgement> {
    let exfiltrating: Vec<&Finding> = members
        .iter()
        .filter(|finding| {
            // A canary outside is a copy outside.
            finding.code == CANARY || tactics_of(finding).any(|tactic| tactic == Tactic::Exfiltration)
        })
        .copied()
        .collect();
    let mut judgements = Vec::new();
    for asset in Asset::ALL {
        let accessing: Vec<&Finding> = members
            .iter()
            .filter(|finding| is_access(asset, finding, estate, index))
            .copied()
            .collect();
        let name = asset.name();
        let Some(accessed) = judgement(
            Question::Obtained,
            &format!("{name}/accessed"),
            asset.statement(false),
            &accessing,
        ) else {
            continue;
        };
        // What left the house cannot be more certain than that it was reached; without a sign of leaving nothing is claimed.
        let first = accessing
            .iter()
            .map(|finding| finding.time)
            .filter(|time| *time != Timestamp::UNKNOWN)
            .min();
        let leaving: Vec<&Finding> = exfiltrating
            .iter()
            .filter(|finding| {
                finding.time == Timestamp::UNKNOWN || first.is_none_or(|first| finding.time >= first)
            })
            .copied()
            .collect();
        let copied = judgement(
            Question::Obtained,
            &format!("{name}/copied"),
            asset.statement(true),
            &leaving,
        );
        let mut accessed = accessed;
        if asset == Asset::Register
            && let Some(share) = share_read(&accessing)
        {
            accessed.statement = format!("{}: {share}", accessed.statement);
        }
        let reached = accessed.probability;
        judgements.push(accessed);
        if let Some(mut copied) = copied {
            copied.probability *= reached;
            copied.findings.extend(accessing.iter().map(|finding| finding.id));
            copied.findings.sort_unstable();
            copied.findings.dedup();
            judgements.push(copied);
        }
    }
    judgements
}

/// Assets that were reached while nothing tells whether they were copied.
pub(crate) fn unknown_copies(judgements: &[Judgement]) -> Vec<String> {
    let is_about = |about: &str| judgements.iter().any(|judgement| judgement.about == about);
    Asset::ALL
        .iter()
        .filter(|asset| {
            let name = asset.name();
            is_about(&format!("{name}/accessed")) && !is_about(&format!("{name}/copied"))
        })
        .map(|asset| {
            let was = asset.was();
            format!("Whether {was} copied is not known: no record shows data leaving, and not every record is at hand.")
        })
        .collect()
}

/// What was done when.
pub(crate) fn phases(members: &[&Finding]) -> Vec<Phase> {
    let mut phases: BTreeMap<Tactic, Phase> = BTreeMap::new();
    for finding in members {
        let tactics: BTreeSet<Tactic> = tactics_of(finding).collect();
        for tactic in tactics {
            let phase = phases.entry(tactic).or_insert_with(|| Phase {
                tactic: tactic.name().to_owned(),
                first: Timestamp::UNKNOWN,
                last: Timestamp::UNKNOWN,
                findings: 0,
            });
            phase.findings += 1;
            if finding.time == Timestamp::UNKNOWN {
                continue;
            }
            if phase.first == Timestamp::UNKNOWN || finding.time < phase.first {
                phase.first = finding.time;
            }
            phase.last = phase.last.max(finding.time);
        }
    }
    let mut phases: Vec<(Tactic, Phase)> = phases.into_iter().collect();
    phases.sort_by(|a, b| a.1.first.cmp(&b.1.first).then(a.0.cmp(&b.0)));
    phases.into_iter().map(|(_, phase)| phase).collect()
}

/// A claim that findings of several rules make together: each rule counts once, the chance that all are wrong is multiplied.
fn judgement(question: Question, about: &str, statement: &str, serving: &[&Finding]) -> Option<Judgement> {
    let mut rules: BTreeMap<(&str, &str), Severity> = BTreeMap::new();
    for finding in serving {
        let severity = rules
            .entry((&finding.code, &finding.rule_id))
            .or_insert(finding.severity);
        *severity = (*severity).max(finding.severity);
    }
    if rules.values().all(|severity| *severity < Severity::Low) {
        return None;
    }
    let all_wrong: f64 = rules.values().map(|severity| 1.0 - believed(*severity)).product();
    let sources: BTreeSet<Class> = serving.iter().map(|finding| finding.ocsf_class()).collect();
    let confidence = match (rules.len(), sources.len()) {
        (0 | 1, _) => Confidence::Low,
        (_, 1) | (2, _) => Confidence::Moderate,
        _ => Confidence::High,
    };
    let mut findings: Vec<FindingId> = serving.iter().map(|finding| finding.id).collect();
    findings.sort_unstable();
    findings.dedup();
    Some(Judgement {
        question,
        about: about.to_owned(),
        statement: statement.to_owned(),
        probability: (1.0 - all_wrong).clamp(0.01, MOST),
        confidence,
        why: format!(
            "{} in {} of record; how often such rules err here has not been measured.",
            counted(rules.len(), "rule fired", "different rules fired"),
            counted(sources.len(), "kind", "kinds"),
        ),
        items: Vec::new(),
        findings,
        held_down: None,
    })
}

fn is_access(asset: Asset, finding: &Finding, estate: &Estate, index: &Index<'_>) -> bool {
    let does = |prefixes: &[&str]| {
        finding
            .attack
            .iter()
            .any(|id| prefixes.iter().any(|prefix| id.starts_with(prefix)))
    };
    match asset {
        Asset::Mail => does(&["T1114"]),
        // What these detectors find is about a register of the estate.
        Asset::Register if finding.code.starts_with("register/") || finding.code == CANARY => true,
        Asset::Register => {
            does(&["T1005", "T1213", "T1074", "T1560", "T1039", "T1003.003"])
                && names_register(finding, estate, index)
        }
        Asset::Credentials => does(&["T1003", "T1555", "T1552", "T1539", "T1528", "T1056"]),
        Asset::Files => does(&["T1005", "T1039", "T1074", "T1560", "T1213", "T1530"]),
    }
}

/// How much of a register was read, in the words of the finding that tells of most of it.
fn share_read(accessing: &[&Finding]) -> Option<String> {
    let told = |finding: &&&Finding| {
        let reason = finding.reasons.iter().find(|reason| reason.field == "coverage");
        reason.map(|reason| reason.value.clone())
    };
    let most = accessing
        .iter()
        .filter(|finding| finding.code.starts_with("register/"))
        .max_by_key(|finding| (finding.severity, std::cmp::Reverse(finding.time)))?;
    told(&most)
}

fn names_register(finding: &Finding, estate: &Estate, index: &Index<'_>) -> bool {
    let hosts = finding
        .entities
        .iter()
        .filter(|entity| entity.kind == EntityKind::Host);
    let systems: BTreeSet<&str> = hosts
        .filter_map(|host| index.system_by_host(&host.value))
        .map(|system| system.name.as_str())
        .collect();
    estate
        .registers
        .iter()
        .filter_map(|register| register.system.as_deref())
        .any(|system| systems.contains(system))
}

fn tactics_of<'f>(finding: &'f Finding) -> impl Iterator<Item = Tactic> + use<'f> {
    finding
        .attack
        .iter()
        .filter_map(|id| Technique::parse(id))
        .flat_map(|technique| technique.tactics().to_vec())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
