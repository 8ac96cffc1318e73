//! `blackrod mail simulate`

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use blackrod_simulate::{Assumptions, Mail, Simulation};

use super::Outcome;
use crate::cli::Simulate;

/// Messages and days of a full run, which the numbers of senders are assumed for.
const FULL_MESSAGES: f64 = 1_100_000.0;
const FULL_DAYS: f64 = 14.0;

pub(super) fn run(arguments: &Simulate) -> anyhow::Result<Outcome> {
    let out = &arguments.out;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    for name in ["estate.toml", "truth.json", "mail.mbox", "mail"] {
        if out.join(name).exists() {
            bail!(
                "{} is there already; give another folder",
                out.join(name).display()
            );
        }
    }
    let usual = Assumptions::default();
    let messages_a_day = f64::from(arguments.messages) / f64::from(arguments.days);
    let assumptions = Assumptions {
        people: arguments.people as usize,
        days: arguments.days as usize,
        messages: arguments.messages as usize,
        campaigns: arguments.campaigns as usize,
        scale: messages_a_day / (FULL_MESSAGES / FULL_DAYS),
        first_campaign_day: usual.first_campaign_day.min(arguments.days as usize / 2),
        ..usual
    };
    let simulation = Simulation::new(arguments.seed, assumptions);
    fs::write(out.join("estate.toml"), simulation.estate_toml())?;
    let truth = serde_json::to_string_pretty(&simulation.truth())?;
    fs::write(out.join("truth.json"), truth)?;
    let count = match arguments.eml {
        true => write_files(&simulation, &out.join("mail")),
        false => write_mailbox(&simulation, &out.join("mail.mbox")),
    }
    .with_context(|| format!("cannot write to {}", out.display()))?;
    println!(
        "{count} messages, {} hidden campaigns (truth.json) in {}",
        arguments.campaigns,
        out.display()
    );
    Ok(Outcome::Done)
}

fn write_mailbox(simulation: &Simulation, path: &Path) -> std::io::Result<u64> {
    let mut file = BufWriter::new(File::create_new(path)?);
    let (mut buffer, mut record) = (Vec::new(), Vec::new());
    let mut count = 0;
    for mail in simulation.messages() {
        record.clear();
        mail.write_mbox(&mut buffer, &mut record);
        file.write_all(&record)?;
        count += 1;
    }
    file.into_inner()
        .map_err(std::io::IntoInnerError::into_error)?
        .sync_all()?;
    Ok(count)
}

fn write_files(simulation: &Simulation, folder: &Path) -> std::io::Result<u64> {
    const DAY_MICROS: i64 = 86_400_000_000;
    let day_of = |mail: &Mail| (mail.micros() - simulation.starts_micros()).div_euclid(DAY_MICROS);
    let (mut buffer, mut day, mut count) = (Vec::new(), None, 0);
    let mut today = folder.to_owned();
    for mail in simulation.messages() {
        if day != Some(day_of(&mail)) {
            day = Some(day_of(&mail));
            today = folder.join(match mail.is_history() {
                true => format!("before-{:02}", -day_of(&mail)),
                false => format!("day-{:02}", day_of(&mail) + 1),
            });
            fs::create_dir_all(&today)?;
        }
        buffer.clear();
        mail.write(&mut buffer);
        fs::write(today.join(format!("{:07}.eml", mail.number())), &buffer)?;
        count += 1;
    }
    Ok(count)
}
