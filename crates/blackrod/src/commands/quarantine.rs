//! `blackrod quarantine`: mail that the guard holds.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use blackrod_model::{EvidenceId, Timestamp};
use lettre::Transport as _;
use lettre::address::{Address, Envelope};
use lettre::transport::smtp::SmtpTransport;

use super::{Outcome, mail};
use crate::cli;
use crate::guard::{self, Config, Held, Quarantine, Released};

pub(crate) fn run(command: &cli::Quarantine) -> anyhow::Result<Outcome> {
    match command {
        cli::Quarantine::List { of, search, json } => list(of, search.as_deref(), *json),
        cli::Quarantine::Show { of, id, html } => show(of, id, html.as_deref()),
        cli::Quarantine::Release { of, id, by, to } => release(of, id, by, to),
        cli::Quarantine::Expire { of, days } => expire(of, *days),
    }
}

fn open(of: &cli::OfGuard) -> anyhow::Result<(Config, Quarantine)> {
    let config = guard::load(&of.config)?;
    let quarantine = Quarantine::open(&config.state)?;
    Ok((config, quarantine))
}

fn find(quarantine: &Quarantine, id: &str) -> anyhow::Result<Held> {
    let found = quarantine.find(id)?;
    found.with_context(|| format!("there is no message, or more than one, whose id begins with {id:?}"))
}

fn list(of: &cli::OfGuard, search: Option<&str>, json: bool) -> anyhow::Result<Outcome> {
    let (_, quarantine) = open(of)?;
    let mut out = std::io::stdout().lock();
    for held in quarantine.all()? {
        if search.is_some_and(|text| !held.contains(text)) {
            continue;
        }
        if json {
            serde_json::to_writer(&mut out, &held)?;
            writeln!(out)?;
            continue;
        }
        let released = match &held.released {
            Some(released) => format!("  released by {} at {}", printable(&released.by), released.at),
            None => String::new(),
        };
        writeln!(
            out,
            "{}  {}  {}  to {}\n    {}\n    {}{released}",
            short(held.id),
            held.since,
            printable(&held.from),
            printable(&held.recipients.join(", ")),
            printable(&held.subject),
            printable(&held.because),
        )?;
    }
    Ok(Outcome::Done)
}

fn show(of: &cli::OfGuard, id: &str, html: Option<&Path>) -> anyhow::Result<Outcome> {
    let (config, quarantine) = open(of)?;
    let held = find(&quarantine, id)?;
    let file = quarantine.path_of_message(held.id);
    mail::inspect(&cli::Inspect {
        file,
        record: None,
        estate: Some(config.estate),
        dns: Vec::new(),
        json: false,
        html: html.map(Path::to_owned),
    })
}

fn release(of: &cli::OfGuard, id: &str, by: &str, to: &[String]) -> anyhow::Result<Outcome> {
    let (config, quarantine) = open(of)?;
    let held = find(&quarantine, id)?;
    let Some(server) = &config.quarantine.release else {
        bail!(
            "[quarantine] of the configuration names no SMTP server to release to: add release = \"127.0.0.1:10026\""
        );
    };
    let to = match to.is_empty() {
        true => held.recipients.clone(),
        false => to.to_vec(),
    };
    if let Some(stranger) = to.iter().find(|one| !held.recipients.contains(one)) {
        bail!(
            "{stranger} is not among its recipients: {}",
            held.recipients.join(", ")
        );
    }
    let (host, port) = server
        .rsplit_once(':')
        .with_context(|| format!("{server:?} has no port"))?;
    let sender = match held.sender.is_empty() {
        true => None,
        false => Some(held.sender.parse::<Address>()?),
    };
    let recipients: Result<Vec<Address>, _> = to.iter().map(|one| one.parse()).collect();
    let envelope = Envelope::new(sender, recipients?)?;
    let transport = SmtpTransport::builder_dangerous(host).port(port.parse()?).build();
    transport
        .send_raw(&envelope, &quarantine.message(held.id)?)
        .with_context(|| format!("{server} did not take it"))?;
    quarantine.note_released(
        &held,
        Released {
            by: by.to_owned(),
            at: Timestamp::now().to_string(),
            to: to.clone(),
        },
    )?;
    println!("{}: released to {} by {by}", short(held.id), to.join(", "));
    Ok(Outcome::Done)
}

fn expire(of: &cli::OfGuard, days: Option<u32>) -> anyhow::Result<Outcome> {
    let (config, quarantine) = open(of)?;
    let days = i64::from(days.unwrap_or(config.quarantine.keep_days));
    // In microseconds: what was held in this very second is older than no days too.
    let now = Timestamp::now().micros().unwrap_or_default();
    let gone = quarantine.expire(Timestamp::from_micros(
        now.saturating_sub(days.saturating_mul(86_400_000_000)),
    ))?;
    println!("{gone} messages deleted");
    Ok(Outcome::Done)
}

fn short(id: EvidenceId) -> String {
    id.to_string().chars().take(12).collect()
}

/// Without what would drive a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
