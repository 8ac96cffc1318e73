//! What follows from all that a case holds: drawn anew whenever evidence was added.

use blackrod_detect::mail::stream::{Options, Stream};
use blackrod_detect::{Detectors, accounts, rarity};
use blackrod_judge::Revisions;
use blackrod_model::mail::Term;
use blackrod_model::process::ProcessFacts;
use blackrod_model::{AccountAct, Estate, Finding, Keep as _};
use blackrod_store::{Case, MessageJudgement};

use super::{MOST_FINDINGS, assess};

/// Judges records among others, draws campaigns from all findings, and judges these. At most `alerts_per_day` unusual
/// commands of a day are reported.
pub(super) fn conclude(
    case: &mut Case,
    detectors: &Detectors,
    estate: &Estate,
    networks: accounts::Networks,
    alerts_per_day: u32,
) -> anyhow::Result<()> {
    let mut drawn = correlations(case, detectors)?;
    drawn.extend(judge_mail(case, estate)?);
    drawn.extend(judge_accounts(case, networks)?);
    drawn.extend(judge_processes(case, estate, alerts_per_day)?);
    case.replace_correlations(&drawn)?;
    redraw(case, estate)
}

/// Draws campaigns from all findings and what people changed of them, and judges them.
pub(super) fn redraw(case: &mut Case, estate: &Estate) -> anyhow::Result<()> {
    let mut findings = Vec::new();
    case.each_finding_within(MOST_FINDINGS, &mut |finding| {
        findings.push(assess::without_reasons(finding))
    })?;
    let revisions = Revisions::of(&case.remarks()?);
    let campaigns = blackrod_judge::revised_campaigns(&findings, estate, &revisions);
    case.set_campaigns(&campaigns)?;
    assess::judge(case, &findings, estate)
}

/// What single matches come to together.
fn correlations(case: &Case, detectors: &Detectors) -> anyhow::Result<Vec<Finding>> {
    let mut premises = Vec::new();
    case.each_premise(&mut |premise| premises.push(premise))?;
    Ok(detectors.correlate(premises.into_iter()))
}

/// Each message against what came before it, and messages that are one campaign.
fn judge_mail(case: &mut Case, estate: &Estate) -> anyhow::Result<Vec<Finding>> {
    let mut stream = Stream::new(estate, Options::default());
    case.judge_messages(&mut |facts| {
        let judged = stream.push(facts);
        MessageJudgement {
            score: judged.score.into(),
            reasons: in_one_line(&judged.reasons),
        }
    })?;
    let outcome = stream.finish();
    case.set_mail_campaigns(&outcome.campaigns)?;
    Ok(outcome.findings)
}

/// What was done to accounts and with them.
fn judge_accounts(case: &Case, networks: accounts::Networks) -> anyhow::Result<Vec<Finding>> {
    let mut stream = accounts::Stream::new(networks);
    case.each_fact(AccountAct::KIND, &mut |fact| {
        if let Some(act) = fact.kept::<AccountAct>() {
            stream.push(&act);
        }
    })?;
    Ok(stream.finish())
}

/// What departs from how the estate works.
fn judge_processes(case: &Case, estate: &Estate, alerts_per_day: u32) -> anyhow::Result<Vec<Finding>> {
    let options = rarity::Options {
        alerts_per_day,
        ..rarity::Options::default()
    };
    let mut stream = rarity::Stream::new(estate, options);
    case.each_fact(ProcessFacts::KIND, &mut |fact| {
        if let Some(facts) = fact.kept::<ProcessFacts>() {
            stream.push(&facts);
        }
    })?;
    Ok(stream.finish().findings)
}

/// `sender/lookalike +2.1: examp1e.org looks like example.org; …`
fn in_one_line(terms: &[Term]) -> String {
    let described: Vec<String> = terms
        .iter()
        .map(|term| format!("{} {:+.1}: {}", term.code, term.weight, term.words))
        .collect();
    described.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_one_line_with_their_weights() {
        let term = |code: &str, weight| Term {
            code: code.to_owned(),
            weight,
            words: "seen".to_owned(),
            innocent: String::new(),
        };
        assert_eq!(
            in_one_line(&[term("a/b", 2.14), term("c/d", -0.5)]),
            "a/b +2.1: seen; c/d -0.5: seen"
        );
    }
}
