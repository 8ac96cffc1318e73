//! The plan of what is to be done about a case's campaigns.

use anyhow::ensure;
use blackrod_model::{Estate, Finding, Plan};
use blackrod_respond::Situation;
use blackrod_store::Case;

/// The plan of a case whose findings were read already.
pub(super) fn plan_of(case: &Case, findings: &[Finding], estate: &Estate) -> anyhow::Result<Plan> {
    Ok(blackrod_respond::plan(&Situation {
        campaigns: &case.campaigns()?,
        assessments: &case.assessments()?,
        findings,
        mail_campaigns: &case.mail_campaigns()?,
        estate,
        remarks: &case.remarks()?,
    }))
}

/// What names things of the estate or leaves the house takes the estate, or it could not be told what is one's own.
pub(super) fn ensure_own_is_known(case: &Case, estate: &Estate) -> anyhow::Result<()> {
    let had_one = case.runs()?.iter().any(|run| run.estate.0 != [0; 32]);
    ensure!(
        !had_one || !estate.organisations.is_empty(),
        "this case was made with an estate: give it with --estate, so that nothing of your own is named or blocked"
    );
    Ok(())
}
