//! What a report is made from.

use blackrod_model::assessment::{Assessment, Noted};
use blackrod_model::coverage::Coverage;
use blackrod_model::estate::Organisation;
use blackrod_model::flood::Flood;
use blackrod_model::mail::MailCampaign;
use blackrod_model::{
    Campaign, Evidence, Finding, FindingTotal, NewShape, Plan, RefusalGroup, RuleSet, Run, Sha256, Timestamp,
};

/// A whole case, borrowed from wherever it is kept.
#[derive(Clone, Copy, Debug)]
pub struct CaseView<'a> {
    /// What the report is called; shown as its heading.
    pub title: &'a str,
    /// The case's folder, as the operator wrote it.
    pub case: &'a str,
    /// Where the HTML report is; empty where none is written.
    pub report: &'a str,
    /// What the estate is called; empty where no estate was given.
    pub estate: &'a str,
    /// The institutions of the estate.
    pub organisations: &'a [Organisation],
    /// When the report was made.
    pub generated: Timestamp,
    /// All runs over the case, earliest first.
    pub runs: &'a [Run],
    /// Everything that was looked at.
    pub evidence: &'a [Evidence],
    /// Everything that could not be read, grouped.
    pub refusals: &'a [RefusalGroup],
    /// The findings that are told one by one, in any order: all, or where there are too many, some of each rule.
    pub findings: &'a [Finding],
    /// How many findings the case has of each rule and severity.
    pub totals: &'a [FindingTotal],
    /// All campaigns, strongest first.
    pub campaigns: &'a [Campaign],
    /// What is judged of them.
    pub assessments: &'a [Assessment],
    /// What is to be done about them, and how far it has come.
    pub plan: &'a Plan,
    /// What people added to the case and did not take back, first to last.
    pub remarks: &'a [Noted],
    /// Messages that are judged to be one campaign, strongest first.
    pub mail_campaigns: &'a [MailCampaign],
    /// Floods, by time.
    pub floods: &'a [Flood],
    /// Shapes of commands that are new in the last week of the evidence, strongest first.
    pub new_shapes: &'a [NewShape],
    /// What became of the rules, by method.
    pub rule_sets: &'a [RuleSet],
    /// What was looked for, in what, and what could not be looked for.
    pub coverage: &'a Coverage,
    /// What the detectors say of themselves; those that found something are quoted in the annex.
    pub explanations: &'a [Explanation<'a>],
    /// The newest link of the case's hash-chained log.
    pub log_head: Option<Sha256>,
}

/// What a detector says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explanation<'a> {
    /// The detector's code.
    pub code: &'a str,
    /// Its documentation: paragraphs parted by blank lines, headings after `#`, lists after `-`.
    pub text: &'a str,
}
