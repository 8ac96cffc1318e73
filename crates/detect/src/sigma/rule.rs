//! One loaded rule.

use blackrod_model::{Severity, Technique};
use rsigma_eval::CompiledRule;
use rsigma_parser::{Level, SigmaRule};

use super::expr::{Expr, Reads};
use super::gate::{Commonness, Gate, gate, numbers_of};
use super::names::{FieldId, Names};

/// A rule, ready to be matched.
#[derive(Debug)]
pub(super) struct Rule {
    /// The rule's id; where it has none its name, by which correlations know it, or its title.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) severity: Severity,
    /// ATT&CK technique ids, sorted.
    pub(super) attack: Vec<String>,
    /// In lower case, as are category and service.
    pub(super) product: Option<String>,
    pub(super) category: Option<String>,
    pub(super) service: Option<String>,
    pub(super) expr: Expr,
    /// The event ids it can match; `None` where it does not say.
    pub(super) event_ids: Option<Vec<u32>>,
    /// The named fields it reads, sorted.
    pub(super) fields: Vec<FieldId>,
    /// It looks at texts wherever they stand.
    pub(super) reads_everything: bool,
    /// What an event must have for the rule to be looked at.
    pub(super) gate: Gate,
    /// Fields that correlation rules need of its matches; `None` where no correlation refers to it.
    pub(super) premise: Option<Vec<String>>,
    /// It makes findings of its own.
    pub(super) fires: bool,
    about: About,
}

/// What the rule's author says about it.
#[derive(Debug)]
struct About {
    file: String,
    description: String,
    false_positives: Vec<String>,
    references: Vec<String>,
}

impl Rule {
    /// From rsigma's forms of the rule in `file`. Its gate is set by [`Rule::set_gate`], when all
    /// rules are known.
    pub(super) fn new(
        file: &str,
        source: &SigmaRule,
        compiled: &CompiledRule,
        event_id: FieldId,
        names: &mut Names,
    ) -> Self {
        let expr = Expr::compile(compiled, names);
        let mut reads = Reads::default();
        expr.reads(names, &mut reads);
        reads.fields.sort_unstable();
        reads.fields.dedup();
        let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        Self {
            id: [&source.id, &source.name]
                .into_iter()
                .flatten()
                .next()
                .unwrap_or(&source.title)
                .clone(),
            title: compiled.title.clone(),
            severity: severity(compiled.level),
            attack: techniques(&compiled.tags),
            product: lower(&compiled.logsource.product),
            category: lower(&compiled.logsource.category),
            service: lower(&compiled.logsource.service),
            event_ids: numbers_of(event_id, &expr),
            expr,
            fields: reads.fields,
            reads_everything: reads.everything,
            gate: None,
            premise: None,
            fires: true,
            about: About {
                file: file.to_owned(),
                description: source.description.clone().unwrap_or_default(),
                false_positives: source.falsepositives.clone(),
                references: source.references.clone(),
            },
        }
    }

    /// What its author says about it, as Markdown.
    pub(super) fn explain(&self) -> String {
        let about = &self.about;
        let mut text = format!(
            "{}\n\n# What it finds\n\n{}\n\n",
            self.title,
            about.description.trim()
        );
        text += &format!(
            "Severity {}. Log source: {}. ATT&CK: {}.\nRule {} in {}\n",
            self.severity,
            self.log_source(),
            if self.attack.is_empty() {
                "none named".to_owned()
            } else {
                self.attack.join(", ")
            },
            self.id,
            about.file,
        );
        for (heading, lines) in [
            ("False positives", &about.false_positives),
            ("References", &about.references),
        ] {
            if !lines.is_empty() {
                text += &format!("\n# {heading}\n\n");
                text.extend(lines.iter().map(|line| format!("- {line}\n")));
            }
        }
        text
    }

    /// Chooses what an event must have for the rule to be looked at.
    pub(super) fn set_gate(&mut self, commonness: &Commonness) {
        self.gate = gate(&self.expr, commonness);
    }

    /// The log source in words: `windows, process_creation`.
    pub(super) fn log_source(&self) -> String {
        let parts = [&self.product, &self.category, &self.service];
        let named: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        named.join(", ")
    }
}

/// The severity that a Sigma level stands for. The specification makes the level optional; a rule
/// without one is worth a look.
pub(super) fn severity(level: Option<Level>) -> Severity {
    match level {
        Some(Level::Informational) => Severity::Informational,
        Some(Level::Low) => Severity::Low,
        Some(Level::Medium) | None => Severity::Medium,
        Some(Level::High) => Severity::High,
        Some(Level::Critical) => Severity::Critical,
    }
}

/// The ATT&CK technique ids among tags, sorted.
pub(super) fn techniques(tags: &[String]) -> Vec<String> {
    let mut ids: Vec<String> = tags
        .iter()
        .filter_map(|tag| Technique::parse(tag))
        .map(|technique| technique.to_string())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
