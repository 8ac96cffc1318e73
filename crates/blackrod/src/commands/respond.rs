//! `blackrod respond`: what is to be done about campaigns, and how far it has come.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use blackrod_model::assessment::{Remark, Told};
use blackrod_model::estate::Index;
use blackrod_model::mail::MailCampaign;
use blackrod_model::{Action, ActionKind, ActionState, Estate, Plan, Timestamp};
use blackrod_report::shown;
use blackrod_respond::NOTICE;
use blackrod_store::Case;

use super::assess::campaign_named;
use super::plan::{ensure_own_is_known, plan_of};
use super::report::{Gathered, default_path};
use super::{MOST_FINDINGS, Outcome, by_beginning, estate, redraw};
use crate::cli::{self, BlockFormat};

pub(crate) fn run(command: &cli::Respond) -> anyhow::Result<Outcome> {
    match command {
        cli::Respond::Plan { of, campaign, json } => print_plan(of, campaign.as_deref(), *json)?,
        cli::Respond::Approve(stepping) => step(stepping, ActionState::Approved)?,
        cli::Respond::Done(stepping) => step(stepping, ActionState::Done)?,
        cli::Respond::Verify(stepping) => step(stepping, ActionState::Verified)?,
        cli::Respond::Decline(stepping) => step(stepping, ActionState::Declined)?,
        cli::Respond::Lists {
            of,
            format,
            proposed,
            zone,
            action,
            tlp,
        } => {
            let is_wanted = |one: &Action| {
                one.state().is_approved() || (*proposed && one.state() == ActionState::Proposed)
            };
            let text = match format {
                BlockFormat::Stix => indicators(of, *tlp, &is_wanted)?,
                other => list(of, *other, zone, action, &is_wanted)?,
            };
            std::io::stdout().write_all(text.as_bytes())?;
        }
        cli::Respond::Notices {
            of,
            contact,
            template,
            output,
        } => notices(of, contact, template.as_deref(), output)?,
        cli::Respond::Messages { of } => messages(of)?,
    }
    Ok(Outcome::Done)
}

fn read(case: &Path, estate_file: Option<&Path>) -> anyhow::Result<(Case, Estate, Plan)> {
    let (estate, _) = estate::load_or_empty(estate_file)?;
    let case = Case::open_read_only(case)?;
    let mut findings = Vec::new();
    case.each_finding_within(MOST_FINDINGS, &mut |finding| findings.push(finding))?;
    let plan = plan_of(&case, &findings, &estate)?;
    Ok((case, estate, plan))
}

fn print_plan(of: &cli::OfCase, campaign: Option<&str>, json: bool) -> anyhow::Result<()> {
    let (case, _, mut plan) = read(&of.case, of.estate.as_deref())?;
    if let Some(name) = campaign {
        let wanted = campaign_named(&case, name)?;
        plan.actions.retain(|action| action.campaigns.contains(&wanted));
    }
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &plan)?;
        writeln!(out)?;
        return Ok(());
    }
    for kind in ActionKind::ALL {
        let mut actions = plan
            .actions
            .iter()
            .filter(|action| action.kind == kind)
            .peekable();
        if actions.peek().is_some() {
            writeln!(out, "{}", kind.heading())?;
        }
        for action in actions {
            writeln!(
                out,
                "  {}  {:<8}  {}\n      because: {}",
                action.id,
                action.state().name(),
                shown::line_of(&action.what, 400),
                shown::line_of(&action.why, 400)
            )?;
            for step in &action.steps {
                let said = shown::line_of(&step.note, 400);
                let by = shown::line_of(&step.by, 80);
                writeln!(out, "      {} by {by} at {}  {said}", step.state.name(), step.at)?;
            }
        }
    }
    for former in &plan.former {
        let state = former.steps.last().map_or("", |step| step.state.name());
        let what = shown::line_of(&former.what, 400);
        writeln!(out, "  {}  {state}, no longer called for: {what}", former.id)?;
    }
    for line in &plan.left_out {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn step(stepping: &cli::Stepping, next: ActionState) -> anyhow::Result<()> {
    let at = &stepping.at;
    ensure!(
        next != ActionState::Declined || !stepping.note.is_empty(),
        "say with --note why it is not done"
    );
    let (case, estate, plan) = read(&at.case, at.estate.as_deref())?;
    let actions: Vec<&Action> = stepping
        .actions
        .iter()
        .map(|name| action_named(&plan, name))
        .collect::<anyhow::Result<_>>()?;
    let tells = |action: &Action| action.kind == ActionKind::Notify && next == ActionState::Done;
    // All or none: a list of ids with one mistake in it changes nothing.
    for action in &actions {
        ensure!(
            !tells(action) || !stepping.note.is_empty(),
            "say with --note what they were advised to do"
        );
        ensure!(
            action.state().allows(next),
            "{} is {}: it cannot be {} now",
            action.id,
            action.state().name(),
            next.name()
        );
    }
    drop(case);
    let mut case = Case::open(&at.case)?;
    let mut has_told = false;
    for action in actions {
        // That somebody was told is known to the judgements too.
        has_told |= tells(action);
        let remark = match tells(action) {
            true => Remark::Told {
                person: action.subject.clone(),
                told: Told {
                    at: Timestamp::now(),
                    by: at.by.clone(),
                    advice: stepping.note.clone(),
                },
            },
            false => Remark::Action {
                action: action.id.clone(),
                what: action.what.clone(),
                state: next,
                note: stepping.note.clone(),
            },
        };
        let number = case.add_remark(&at.by, &remark)?;
        match tells(action) {
            true => println!("noted as remark {number}; `blackrod assess undo {number}` takes it back"),
            false => println!(
                "{} {}: remark {number}; `blackrod assess undo {number}` takes it back",
                action.id,
                next.name()
            ),
        }
    }
    if has_told {
        redraw::redraw(&mut case, &estate)?;
    }
    Ok(())
}

fn action_named<'p>(plan: &'p Plan, name: &str) -> anyhow::Result<&'p Action> {
    by_beginning(
        &plan.actions,
        |action| action.id.as_str().starts_with(name),
        &format!("the plan has no action {name}; `blackrod respond plan` lists them"),
        &format!("several actions begin with {name}"),
    )
}

fn list(
    of: &cli::OfCase,
    format: BlockFormat,
    zone: &str,
    action: &str,
    is_wanted: &dyn Fn(&Action) -> bool,
) -> anyhow::Result<String> {
    let (case, estate, plan) = read(&of.case, of.estate.as_deref())?;
    ensure_own_is_known(&case, &estate)?;
    let found = blackrod_respond::blocked(&plan, is_wanted);
    for name in &found.left_out {
        eprintln!("blackrod: not in the list: {}", shown::line_of(name, 200));
    }
    Ok(match format {
        BlockFormat::Postfix => blackrod_respond::postfix_access(&found, action, "case"),
        BlockFormat::Rpz => {
            // RFC 1982: a serial that grows with time.
            let seconds = Timestamp::now().micros().unwrap_or_default() / 1_000_000;
            blackrod_respond::rpz_zone(&found, zone, u32::try_from(seconds).unwrap_or(u32::MAX))
        }
        BlockFormat::Nftables | BlockFormat::Stix => blackrod_respond::nftables(&found),
    })
}

fn indicators(
    of: &cli::OfCase,
    tlp: cli::TlpName,
    is_wanted: &dyn Fn(&Action) -> bool,
) -> anyhow::Result<String> {
    let (estate, _) = estate::load_or_empty(of.estate.as_deref())?;
    let case = Case::open_read_only(&of.case)?;
    ensure_own_is_known(&case, &estate)?;
    let gathered = Gathered::from_case(&case, &of.case, &estate, &[])?;
    let bundle = gathered.view(&default_path(&of.case), |view| {
        blackrod_report::stix_blocks(view, tlp.into(), is_wanted)
    });
    Ok(format!("{bundle:#}\n"))
}

fn notices(of: &cli::OfCase, contact: &str, template: Option<&Path>, output: &Path) -> anyhow::Result<()> {
    let template = match template {
        Some(path) => {
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?
        }
        None => NOTICE.to_owned(),
    };
    std::fs::create_dir_all(output).with_context(|| format!("cannot make {}", output.display()))?;
    let mut written = 0_usize;
    for_each_mail_campaign(of, &mut |campaign, ours| {
        for draft in blackrod_respond::notices(campaign, ours, &template, contact) {
            // Digits of the address's digest: an address may hold what no file name may.
            let digest = blackrod_model::Sha256::of(draft.to.as_bytes()).to_string();
            let path = output.join(format!("{}-{}.eml", campaign.key, &digest[..12]));
            std::fs::write(&path, blackrod_respond::unsent(&draft))
                .with_context(|| format!("cannot write {}", path.display()))?;
            written += 1;
        }
        Ok(())
    })?;
    println!("{written} drafts in {}; none was sent", output.display());
    Ok(())
}

fn messages(of: &cli::OfCase) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for_each_mail_campaign(of, &mut |campaign, ours| {
        for purge in blackrod_respond::purge(campaign, ours) {
            serde_json::to_writer(&mut out, &purge)?;
            writeln!(out)?;
        }
        Ok(())
    })
}

type Visit<'v> = &'v mut dyn FnMut(&MailCampaign, &dyn Fn(&str) -> bool) -> anyhow::Result<()>;

/// Hands over each mail campaign, with who is of the estate.
fn for_each_mail_campaign(of: &cli::OfCase, visit: Visit<'_>) -> anyhow::Result<()> {
    let (estate, _) = estate::load_or_empty(of.estate.as_deref())?;
    let index = Index::new(&estate);
    let ours = |address: &str| {
        index.person_by_address(address).is_some()
            || address
                .rsplit_once('@')
                .is_some_and(|(_, domain)| index.is_own_domain(domain))
    };
    let campaigns = Case::open_read_only(&of.case)?.mail_campaigns()?;
    campaigns.iter().try_for_each(|campaign| visit(campaign, &ours))
}
