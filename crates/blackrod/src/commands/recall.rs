//! `blackrod recall`: delivered mail of campaigns, taken back.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use blackrod_model::Timestamp;
use serde::Serialize;

use super::Outcome;
use crate::cli;
use crate::guard::{self, Action, Actions, Found, Mailboxes, Mode, Quarantine, Rewriter, State};

pub(crate) fn run(command: &cli::Recall) -> anyhow::Result<Outcome> {
    match command {
        cli::Recall::List { of, campaign } => list(of, campaign.as_deref()),
        cli::Recall::DryRun { of, campaign } => dry_run(of, campaign),
        cli::Recall::Approve { of, campaign, by } => approve(of, campaign, by),
        cli::Recall::Report { of, json } => report(of, *json),
    }
}

fn list(of: &cli::OfGuard, campaign: Option<&str>) -> anyhow::Result<Outcome> {
    let config = guard::load(&of.config)?;
    let actions = Actions::open(&config.state)?;
    for (id, tracked) in actions.all() {
        let action = &tracked.action;
        if campaign.is_some_and(|wanted| wanted != action.campaign) {
            continue;
        }
        println!("{}  {:?}  {id}", action.campaign, action.kind);
        for step in &tracked.steps {
            println!("    {}  {:?} by {}", step.at, step.state, step.by);
        }
    }
    Ok(Outcome::Done)
}

fn dry_run(of: &cli::OfGuard, campaign: &str) -> anyhow::Result<Outcome> {
    let config = guard::load(&of.config)?;
    let Some(recall) = &config.recall else {
        bail!("the configuration has no [recall]: it says which mailboxes, and how to get there");
    };
    let actions = Actions::open(&config.state)?;
    let mut by_mailbox: BTreeMap<String, Vec<Action>> = BTreeMap::new();
    for state in [State::Proposed, State::Approved] {
        for (_, action) in actions.in_state(state) {
            if action.campaign == campaign {
                by_mailbox.entry(action.mailbox.clone()).or_default().push(action);
            }
        }
    }
    let quarantine = Arc::new(Quarantine::open(&config.state)?);
    let rewriter = Arc::new(Rewriter::new(&config)?);
    let mailboxes = Mailboxes::new(recall, quarantine, rewriter)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut found, mut opened, mut missing) = (0, 0, 0);
    for (mailbox, actions) in &by_mailbox {
        let mut outcomes = Vec::new();
        runtime.block_on(mailboxes.carry_out(mailbox, actions, Mode::Rehearse, &mut outcomes))?;
        for (action, outcome) in actions.iter().zip(outcomes) {
            match outcome {
                Found::Present { opened: was_opened } => {
                    found += 1;
                    opened += u32::from(was_opened);
                    println!("would {:?}  {mailbox}  {}", action.kind, action.evidence);
                }
                _ => missing += 1,
            }
        }
    }
    println!(
        "{campaign}: {found} messages are there ({opened} opened), {missing} are not; nothing was changed"
    );
    Ok(Outcome::Done)
}

fn approve(of: &cli::OfGuard, campaign: &str, by: &str) -> anyhow::Result<Outcome> {
    let config = guard::load(&of.config)?;
    let mut actions = Actions::open(&config.state)?;
    let proposed = actions.in_state(State::Proposed);
    let ids: Vec<String> = proposed
        .into_iter()
        .filter(|(_, action)| action.campaign == campaign)
        .map(|(id, _)| id)
        .collect();
    if ids.is_empty() {
        bail!("nothing is proposed for {campaign:?}; `blackrod recall list` shows what is");
    }
    actions
        .step(&ids, State::Approved, by)
        .context("cannot write it down")?;
    println!("{campaign}: {} approved by {by}", ids.len());
    Ok(Outcome::Done)
}

/// What became of a campaign's messages that were delivered live.
#[derive(Debug, Default, Serialize)]
struct Counts {
    campaign: String,
    delivered: u32,
    /// As the mailbox had it when the message was taken back.
    opened: u32,
    /// Nobody tells a mail server that.
    clicked: &'static str,
    taken_back: u32,
    verified: u32,
    missing: u32,
    waiting: u32,
    first_delivery: String,
    first_action: Option<String>,
    seconds_to_first_action: Option<i64>,
}

fn report(of: &cli::OfGuard, json: bool) -> anyhow::Result<Outcome> {
    let config = guard::load(&of.config)?;
    let actions = Actions::open(&config.state)?;
    let mut campaigns: BTreeMap<String, Counts> = BTreeMap::new();
    for (_, tracked) in actions.all() {
        let action = &tracked.action;
        let counts = campaigns
            .entry(action.campaign.clone())
            .or_insert_with(|| Counts {
                campaign: action.campaign.clone(),
                clicked: "not known",
                first_delivery: action.delivered.clone(),
                ..Counts::default()
            });
        let state = tracked.state();
        counts.delivered += u32::from(state != State::Missing);
        counts.opened += u32::from(tracked.opened() == Some(true));
        counts.taken_back += u32::from(matches!(state, State::Done | State::Verified));
        counts.verified += u32::from(state == State::Verified);
        counts.missing += u32::from(state == State::Missing);
        counts.waiting += u32::from(matches!(state, State::Proposed | State::Approved));
        if action.delivered < counts.first_delivery {
            counts.first_delivery.clone_from(&action.delivered);
        }
        let done = tracked.done_at().map(str::to_owned);
        counts.first_action = match (counts.first_action.take(), done) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    for counts in campaigns.values_mut() {
        let seconds = |text: &str| Timestamp::parse(text).and_then(Timestamp::seconds);
        let first = seconds(&counts.first_delivery);
        let acted = counts.first_action.as_deref().and_then(seconds);
        counts.seconds_to_first_action = acted.zip(first).map(|(acted, first)| acted - first);
        if json {
            println!("{}", serde_json::to_string(counts)?);
            continue;
        }
        println!(
            "{}: delivered {}, opened {}, clicked {}, taken back {} ({} verified), not there {}, waiting {}; {}",
            counts.campaign,
            counts.delivered,
            counts.opened,
            counts.clicked,
            counts.taken_back,
            counts.verified,
            counts.missing,
            counts.waiting,
            match counts.seconds_to_first_action {
                Some(seconds) => format!("{seconds} seconds from the first delivery to the first action"),
                None => "nothing done yet".to_owned(),
            }
        );
    }
    Ok(Outcome::Done)
}
