//! `blackrod campaign`: what was drawn together, and what people correct of it.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use blackrod_model::assessment::Remark;
use blackrod_model::{Campaign, Finding, FindingId};
use blackrod_report::shown;
use blackrod_store::Case;

use super::Outcome;
use super::assess::{campaign_named, note};
use crate::cli;

pub(crate) fn run(command: &cli::Campaign) -> anyhow::Result<Outcome> {
    let (at, remark) = match command {
        cli::Campaign::List { case, json } => {
            list(case, *json)?;
            return Ok(Outcome::Done);
        }
        cli::Campaign::Merge {
            at,
            reason,
            campaigns,
        } => {
            let case = Case::open_read_only(&at.case)?;
            let named = campaigns.iter().map(|name| campaign_named(&case, name));
            let remark = Remark::Joined {
                campaigns: named.collect::<anyhow::Result<_>>()?,
                reason: reason.clone(),
            };
            (at, remark)
        }
        cli::Campaign::Split {
            at,
            reason,
            campaign,
            naming,
        } => {
            let case = Case::open_read_only(&at.case)?;
            let remark = Remark::Parted {
                findings: findings_naming(&case, campaign, naming)?,
                reason: reason.clone(),
            };
            (at, remark)
        }
        cli::Campaign::Rename { at, campaign, title } => {
            let case = Case::open_read_only(&at.case)?;
            let remark = Remark::Renamed {
                campaign: campaign_named(&case, campaign)?,
                title: title.clone(),
            };
            (at, remark)
        }
        cli::Campaign::Dismiss { at, campaign, reason } => {
            let dismissed = whole(&Case::open_read_only(&at.case)?, campaign)?;
            let remark = Remark::Dismissed {
                campaign: dismissed.id,
                title: dismissed.title,
                reason: reason.clone(),
            };
            (at, remark)
        }
        cli::Campaign::Event {
            at,
            campaign,
            time,
            text,
        } => {
            let case = Case::open_read_only(&at.case)?;
            let remark = Remark::Event {
                campaign: campaign_named(&case, campaign)?,
                time: *time,
                text: text.clone(),
            };
            (at, remark)
        }
    };
    note(Case::open(&at.case)?, at, &remark)?;
    Ok(Outcome::Done)
}

fn list(case: &Path, json: bool) -> anyhow::Result<()> {
    let campaigns = Case::open_read_only(case)?.campaigns()?;
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &campaigns)?;
        writeln!(out)?;
        return Ok(());
    }
    for campaign in &campaigns {
        writeln!(
            out,
            "{}  strength {:>4.0}  {:>7} {}  {}",
            campaign.id,
            campaign.score,
            campaign.findings.len(),
            if campaign.findings.len() == 1 {
                "finding "
            } else {
                "findings"
            },
            shown::line_of(&campaign.title, 200)
        )?;
    }
    Ok(())
}

/// The findings of a campaign that name one of `values`, if these are not all that it has.
fn findings_naming(case: &Case, campaign: &str, values: &[String]) -> anyhow::Result<Vec<FindingId>> {
    let campaign = whole(case, campaign)?;
    let names_one = |finding: &&Finding| {
        let mut entities = finding.entities.iter();
        entities.any(|entity| {
            values
                .iter()
                .any(|value| entity.value.eq_ignore_ascii_case(value))
        })
    };
    let findings = case.findings_of(&campaign.findings)?;
    let named: Vec<FindingId> = findings
        .iter()
        .filter(names_one)
        .map(|finding| finding.id)
        .collect();
    let sought = values.join(" or ");
    ensure!(
        !named.is_empty(),
        "no finding of campaign {} names {sought}",
        campaign.id
    );
    ensure!(
        named.len() < campaign.findings.len(),
        "all findings of campaign {} name {sought}: nothing would be left of it",
        campaign.id
    );
    Ok(named)
}

fn whole(case: &Case, name: &str) -> anyhow::Result<Campaign> {
    let id = campaign_named(case, name)?;
    let mut campaigns = case.campaigns()?.into_iter();
    campaigns
        .find(|campaign| campaign.id == id)
        .context("the campaign is gone")
}
