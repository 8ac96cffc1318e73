//! `blackrod report`: what a case says, as a page for people.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use blackrod_detect::analytics::{Analytic, Analytics};
use blackrod_model::assessment::{Assessment, Noted};
use blackrod_model::coverage::Coverage;
use blackrod_model::estate::Organisation;
use blackrod_model::flood::Flood;
use blackrod_model::mail::MailCampaign;
use blackrod_model::{
    Campaign, Estate, Evidence, Finding, FindingTotal, NewShape, Plan, RefusalGroup, RuleSet, Run, Severity,
    Sha256, Timestamp,
};
use blackrod_report::{CaseView, Explanation};
use blackrod_store::Case;

use super::{MOST_FINDINGS, Outcome, estate, plan, questions};
use crate::cli;

pub(crate) fn run(arguments: &cli::Report) -> anyhow::Result<Outcome> {
    let (estate, _) = estate::load_or_empty(arguments.estate.as_deref())?;
    let case = Case::open(&arguments.case)?;
    let (analytics, _) = Analytics::load(&[], true)?;
    if arguments.format == cli::ReportFormat::Stix {
        plan::ensure_own_is_known(&case, &estate)?;
    }
    let gathered = Gathered::from_case(&case, &arguments.case, &estate, &analytics.all)?;
    if arguments.format != cli::ReportFormat::Html {
        return gathered.write_other(arguments);
    }
    let output = arguments
        .output
        .clone()
        .unwrap_or_else(|| default_path(&arguments.case));
    gathered.write_html(&output)?;
    println!("{}", output.display());
    Ok(Outcome::Done)
}

/// Where a case's report is.
pub(super) fn default_path(case: &Path) -> PathBuf {
    case.join("report.html")
}

/// All of a case that the report tells, read once.
pub(super) struct Gathered {
    folder: String,
    organisations: Vec<Organisation>,
    runs: Vec<Run>,
    evidence: Vec<Evidence>,
    refusals: Vec<RefusalGroup>,
    findings: Vec<Finding>,
    totals: Vec<FindingTotal>,
    campaigns: Vec<Campaign>,
    assessments: Vec<Assessment>,
    plan: Plan,
    remarks: Vec<Noted>,
    mail_campaigns: Vec<MailCampaign>,
    floods: Vec<Flood>,
    new_shapes: Vec<NewShape>,
    rule_sets: Vec<RuleSet>,
    coverage: Coverage,
    log_head: Option<Sha256>,
}

impl Gathered {
    pub(super) fn from_case(
        case: &Case,
        folder: &Path,
        estate: &Estate,
        analytics: &[Analytic],
    ) -> anyhow::Result<Self> {
        // Before the findings, so that the memory of the two is not needed at once.
        let hours = questions::hours(folder)?;
        let mut findings = Vec::new();
        case.each_finding_within(MOST_FINDINGS, &mut |finding| findings.push(finding))?;
        Ok(Self {
            coverage: questions::coverage_of(case, &hours, &findings, analytics)?,
            folder: folder.display().to_string(),
            organisations: estate.organisations.clone(),
            runs: case.runs()?,
            plan: plan::plan_of(case, &findings, estate)?,
            evidence: case.evidence()?,
            refusals: case.refusal_groups()?,
            findings,
            totals: case.finding_totals()?,
            campaigns: case.campaigns()?,
            assessments: case.assessments()?,
            remarks: case.remarks()?,
            mail_campaigns: case.mail_campaigns()?,
            floods: case.floods()?,
            new_shapes: case.new_shapes()?,
            rule_sets: case.rule_sets()?,
            log_head: case.log_head()?,
        })
    }

    /// The worst severity of all findings.
    pub(super) fn worst(&self) -> Option<Severity> {
        self.totals.iter().map(|total| total.severity).max()
    }

    /// Calls `use_view` with what the report is made from; `report` is where the page is.
    pub(super) fn view<T>(&self, report: &Path, use_view: impl FnOnce(&CaseView<'_>) -> T) -> T {
        // The estate goes by the name of its first institution; the report lists all of them.
        let estate = self.organisations.first().map_or("", |first| first.name.as_str());
        let report_path = report.display().to_string();
        let explanations: Vec<Explanation<'_>> = blackrod_detect::explain::ALL
            .iter()
            .map(|doc| Explanation {
                code: doc.code,
                text: doc.text,
            })
            .collect();
        use_view(&CaseView {
            title: "Investigation",
            case: &self.folder,
            report: &report_path,
            estate,
            organisations: &self.organisations,
            generated: Timestamp::now(),
            runs: &self.runs,
            evidence: &self.evidence,
            refusals: &self.refusals,
            findings: &self.findings,
            totals: &self.totals,
            campaigns: &self.campaigns,
            assessments: &self.assessments,
            plan: &self.plan,
            remarks: &self.remarks,
            mail_campaigns: &self.mail_campaigns,
            floods: &self.floods,
            new_shapes: &self.new_shapes,
            rule_sets: &self.rule_sets,
            coverage: &self.coverage,
            explanations: &explanations,
            log_head: self.log_head,
        })
    }

    /// Writes what is not a page, to the file that is named or to standard output.
    fn write_other(&self, arguments: &cli::Report) -> anyhow::Result<Outcome> {
        let page = default_path(&arguments.case);
        let text = self.view(&page, |view| -> std::io::Result<Vec<u8>> {
            let document = match arguments.format {
                cli::ReportFormat::Html | cli::ReportFormat::Md => blackrod_report::markdown(view),
                cli::ReportFormat::Json => format!("{:#}\n", blackrod_report::summary_json(view)),
                cli::ReportFormat::Stix => {
                    format!("{:#}\n", blackrod_report::stix(view, arguments.tlp.into()))
                }
                cli::ReportFormat::Navigator => format!("{:#}\n", blackrod_report::navigator(view)),
                cli::ReportFormat::Ocsf => {
                    let mut lines = Vec::new();
                    blackrod_report::ocsf(view, &mut lines)?;
                    return Ok(lines);
                }
            };
            Ok(document.into_bytes())
        })?;
        match &arguments.output {
            Some(path) => {
                std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => std::io::stdout().lock().write_all(&text)?,
        }
        Ok(Outcome::Done)
    }

    /// Writes the page; what was there before is replaced only when the new page is whole.
    pub(super) fn write_html(&self, output: &Path) -> anyhow::Result<()> {
        let partial = output.with_extension("html.partial");
        let written = || -> std::io::Result<()> {
            let mut out = BufWriter::new(File::create(&partial)?);
            self.view(output, |view| blackrod_report::html(view, &mut out))?;
            out.flush()?;
            std::fs::rename(&partial, output)
        };
        written().with_context(|| format!("cannot write the report to {}", output.display()))
    }
}
