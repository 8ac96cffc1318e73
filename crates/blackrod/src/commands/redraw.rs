//! Campaigns, drawn from the findings of a case and judged.

use blackrod_judge::actors::Actors;
use blackrod_judge::{Assessor, Context, Revisions};
use blackrod_model::assessment::{Assessment, Noted, Remark};
use blackrod_model::{Estate, Finding};
use blackrod_store::Case;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use super::MOST_FINDINGS;

/// The strongest campaigns are judged, as many as this: a case of noise has thousands of weak ones, and each keeps its versions.
const MAX_JUDGED: usize = 1_000;

/// Draws campaigns from all findings and what people changed of them, and judges them.
pub(super) fn redraw(case: &mut Case, estate: &Estate) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    case.each_finding_within(MOST_FINDINGS, &mut |finding| {
        findings.push(without_reasons(finding))
    })?;
    let revisions = Revisions::of(&case.remarks()?);
    let campaigns = blackrod_judge::revised_campaigns(&findings, estate, &revisions);
    case.set_campaigns(&campaigns)?;
    judge(case, &findings, estate)
}

/// What made a finding fire is most of its size; judging needs only where an indicator came from, and how much of a register.
fn without_reasons(mut finding: Finding) -> Finding {
    finding
        .reasons
        .retain(|reason| matches!(reason.field.as_str(), "indicator source" | "coverage"));
    finding
}

/// Judges the campaigns that the case has, out of `findings`.
fn judge(case: &mut Case, findings: &[Finding], estate: &Estate) -> anyhow::Result<()> {
    let actors = Actors::built_in()?;
    let context = context(&case.remarks()?);
    let campaigns = case.campaigns()?;
    let assessor = Assessor::new(findings, estate, &actors, &context);
    let strongest = campaigns.par_iter().take(MAX_JUDGED);
    let assessments: Vec<Assessment> = strongest.map(|campaign| assessor.assess(campaign)).collect();
    case.add_assessments(&assessments)?;
    Ok(())
}

fn context(remarks: &[Noted]) -> Context {
    let mut context = Context::default();
    for noted in remarks {
        match &noted.remark {
            Remark::Evidence(item) => context.analyst.push(item.clone()),
            Remark::SignOff { campaign } => context.signed_off.push(campaign.clone()),
            Remark::Told { person, told } => {
                context.told.insert(person.clone(), told.clone());
            }
            // The others change which campaigns there are, or only what is told of them.
            _ => {}
        }
    }
    context
}
