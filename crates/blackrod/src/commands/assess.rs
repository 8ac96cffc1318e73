//! `blackrod assess`: what is judged of campaigns, what people add to it, and how good it was.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context as _, ensure};
use blackrod_judge::actors::Actors;
use blackrod_judge::calibration::calibration;
use blackrod_model::assessment::{AnalystItem, EvidenceClass, Grade, Question, Remark, Scale, Told};
use blackrod_model::{CampaignId, Timestamp};
use blackrod_store::Case;

use super::{Outcome, by_beginning, conclude, estate, redraw};
use crate::cli;

pub(crate) fn run(command: &cli::Assess) -> anyhow::Result<Outcome> {
    match command {
        cli::Assess::Show {
            case,
            campaign,
            scale,
            json,
        } => show(case, campaign.as_deref(), (*scale).into(), *json)?,
        cli::Assess::Versions { case, campaign } => versions(case, campaign)?,
        cli::Assess::Add(arguments) => {
            let case = Case::open(&arguments.at.case)?;
            let item = item_of(arguments, campaign_named(&case, &arguments.campaign)?)?;
            note(case, &arguments.at, &Remark::Evidence(item))?;
        }
        cli::Assess::Sign { at, campaign } => {
            let case = Case::open(&at.case)?;
            let campaign = campaign_named(&case, campaign)?;
            note(case, at, &Remark::SignOff { campaign })?;
        }
        cli::Assess::Dissent { at, campaign, text } => {
            let case = Case::open(&at.case)?;
            let campaign = campaign_named(&case, campaign)?;
            note(
                case,
                at,
                &Remark::Dissent {
                    campaign,
                    text: text.clone(),
                },
            )?;
        }
        cli::Assess::Told { at, person, advice } => {
            let told = Told {
                at: Timestamp::now(),
                by: at.by.clone(),
                advice: advice.clone(),
            };
            let person = person.clone();
            note(Case::open(&at.case)?, at, &Remark::Told { person, told })?;
        }
        cli::Assess::Undo { at, number } => {
            let mut case = Case::open(&at.case)?;
            let mut said = case.remarks()?.into_iter();
            let is_on_commands =
                said.any(|noted| noted.id == *number && matches!(noted.remark, Remark::Usual { .. }));
            ensure!(
                case.undo_remark(*number, &at.by)?,
                "the case has no remark {number} that counts"
            );
            let (estate, _) = estate::load_or_empty(at.estate.as_deref())?;
            match is_on_commands {
                true => conclude::rejudge_commands(&mut case, &estate)?,
                false => redraw::redraw(&mut case, &estate)?,
            }
        }
        cli::Assess::Resolve {
            at,
            campaign,
            about,
            was_so,
            source,
        } => {
            let case = Case::open(&at.case)?;
            let campaign = campaign_named(&case, campaign)?;
            let outcome = outcome(&case, campaign, about, *was_so, source)?;
            note(case, at, &outcome)?;
        }
        cli::Assess::Calibration { cases } => print_calibration(cases)?,
    }
    Ok(Outcome::Done)
}

/// Notes what somebody adds, and draws and judges all anew from what is stored.
pub(super) fn note(mut case: Case, at: &cli::Remarking, remark: &Remark) -> anyhow::Result<()> {
    let number = case.add_remark(&at.by, remark)?;
    let (estate, _) = estate::load_or_empty(at.estate.as_deref())?;
    redraw::redraw(&mut case, &estate)?;
    println!("noted as remark {number}; `blackrod assess undo {number}` takes it back");
    Ok(())
}

/// The campaign of the case whose id begins with `name`.
pub(super) fn campaign_named(case: &Case, name: &str) -> anyhow::Result<CampaignId> {
    let campaigns = case.campaigns()?;
    let one = by_beginning(
        &campaigns,
        |campaign| campaign.id.as_str().starts_with(name),
        &format!("the case has no campaign {name}"),
        &format!("several campaigns begin with {name}"),
    )?;
    Ok(one.id.clone())
}

fn item_of(arguments: &cli::AddEvidence, campaign: CampaignId) -> anyhow::Result<AnalystItem> {
    let class = EvidenceClass::from_name(&arguments.class).with_context(|| {
        format!(
            "{} is no kind of evidence; there are technique, tool, malware, infrastructure, victimology, timing-language, non-public",
            arguments.class
        )
    })?;
    let grade = Grade::parse(&arguments.grade).with_context(|| {
        format!(
            "{} is no grade of the Admiralty code, such as B2",
            arguments.grade
        )
    })?;
    ensure!(
        (0.001..=1000.0).contains(&arguments.ratio),
        "the ratio must be between 0.001 and 1000"
    );
    let actors = Actors::built_in()?;
    let supports = match actors.find(&arguments.supports) {
        Some(actor) => actor.id.clone(),
        None => {
            let letters = arguments.supports.to_uppercase();
            let is_state = actors.actors.iter().any(|actor| actor.state() == Some(&letters));
            ensure!(
                is_state,
                "{} is no known actor and no state that one works for",
                arguments.supports
            );
            letters
        }
    };
    Ok(AnalystItem {
        campaign,
        class,
        source: arguments.source.clone(),
        claim: arguments.claim.clone(),
        supports,
        ratio: arguments.ratio,
        grade,
        forgeable: !arguments.hard_to_forge,
    })
}

fn outcome(
    case: &Case,
    campaign: CampaignId,
    about: &str,
    was_so: bool,
    source: &str,
) -> anyhow::Result<Remark> {
    let versions = case.assessment_versions(&campaign)?;
    let judgements = versions
        .last()
        .map_or(&[][..], |version| &version.assessment.judgements);
    let known: Vec<&str> = judgements
        .iter()
        .map(|judgement| judgement.about.as_str())
        .collect();
    let judgement = judgements
        .iter()
        .find(|judgement| judgement.about == about)
        .with_context(|| format!("nothing was judged about {about}; there are {}", known.join(", ")))?;
    Ok(Remark::Outcome {
        campaign,
        about: about.to_owned(),
        probability: judgement.probability,
        was_so,
        source: source.to_owned(),
    })
}

fn show(case: &std::path::Path, campaign: Option<&str>, scale: Scale, json: bool) -> anyhow::Result<()> {
    let case = Case::open_read_only(case)?;
    let titles: BTreeMap<CampaignId, String> = case
        .campaigns()?
        .into_iter()
        .map(|campaign| (campaign.id, campaign.title))
        .collect();
    let mut assessments = case.assessments()?;
    if let Some(name) = campaign {
        let wanted = campaign_named(&case, name)?;
        assessments.retain(|assessment| assessment.campaign == wanted);
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &assessments)?;
        writeln!(out)?;
        return Ok(());
    }
    for assessment in &assessments {
        let title = titles.get(&assessment.campaign).map_or("", String::as_str);
        writeln!(
            out,
            "{} {}",
            assessment.campaign,
            blackrod_report::shown::line_of(title, 200)
        )?;
        for question in Question::ALL {
            for judgement in assessment.on(question) {
                writeln!(out, "  {}", judgement.sentence(scale))?;
                writeln!(out, "    {}", judgement.confidence_line())?;
                if let Some(reason) = &judgement.held_down {
                    writeln!(out, "    {reason}")?;
                }
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What changed from version to version, in words.
fn versions(case: &std::path::Path, campaign: &str) -> anyhow::Result<()> {
    let case = Case::open_read_only(case)?;
    let versions = case.assessment_versions(&campaign_named(&case, campaign)?)?;
    let mut out = std::io::stdout().lock();
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    for version in &versions {
        writeln!(out, "version {} of {}", version.number, version.made)?;
        let now: BTreeMap<String, String> = version
            .assessment
            .judgements
            .iter()
            .map(|judgement| (judgement.about.clone(), judgement.sentence(Scale::Phia)))
            .collect();
        for (about, sentence) in &before {
            if now.get(about) != Some(sentence) {
                writeln!(out, "  - {sentence}")?;
            }
        }
        for (about, sentence) in &now {
            if before.get(about) != Some(sentence) {
                writeln!(out, "  + {sentence}")?;
            }
        }
        before = now;
    }
    Ok(())
}

fn print_calibration(cases: &[std::path::PathBuf]) -> anyhow::Result<()> {
    let mut resolved = Vec::new();
    for case in cases {
        for noted in Case::open_read_only(case)?.remarks()? {
            if let Remark::Outcome {
                probability, was_so, ..
            } = noted.remark
            {
                resolved.push((probability, was_so));
            }
        }
    }
    let mut out = std::io::stdout().lock();
    let Some(scored) = calibration(&resolved) else {
        writeln!(
            out,
            "No judgement has been resolved: calibration is not measured. `blackrod assess resolve` records what turned out."
        )?;
        return Ok(());
    };
    writeln!(
        out,
        "{} judgements resolved · Brier score {:.3} (always saying 50 %: 0.250) · log score {:.3} (0.693)\n",
        scored.count, scored.brier, scored.log_score
    )?;
    writeln!(
        out,
        "{:<26}{:>4}  stated  observed  95 % interval   0 %{}100 %",
        "word",
        "n",
        " ".repeat(31)
    )?;
    for band in &scored.bands {
        let place = |share: f64| (share * 40.0).round() as usize;
        let mut line = vec![' '; 41];
        for cell in line
            .iter_mut()
            .take(place(band.interval.1) + 1)
            .skip(place(band.interval.0))
        {
            *cell = '-';
        }
        line[place(band.stated).min(40)] = '|';
        line[place(band.observed).min(40)] = 'o';
        writeln!(
            out,
            "{:<26}{:>4}  {:>5.0} %  {:>6.0} %  {:>4.0}-{:<3.0} %      {}",
            band.word,
            band.count,
            100.0 * band.stated,
            100.0 * band.observed,
            100.0 * band.interval.0,
            100.0 * band.interval.1,
            line.into_iter().collect::<String>()
        )?;
    }
    writeln!(out, "\n| stated   o observed   - interval of what was observed")?;
    Ok(())
}
