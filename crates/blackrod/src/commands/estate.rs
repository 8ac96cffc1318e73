//! `blackrod estate`: look after the estate file.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use blackrod_model::{Estate, Sha256};

use super::Outcome;
use crate::cli;

pub(crate) fn run(command: &cli::Estate) -> anyhow::Result<Outcome> {
    match command {
        cli::Estate::Check { file } => check(file),
        cli::Estate::Example => {
            std::io::stdout().write_all(Estate::EXAMPLE.as_bytes())?;
            Ok(Outcome::Done)
        }
    }
}

fn check(file: &Path) -> anyhow::Result<Outcome> {
    let (estate, _) = load(file)?;
    for warning in estate.warnings() {
        println!("warning: {warning}");
    }
    println!(
        "{}: {} organisations, {} people ({} high-risk), {} groups, {} networks, {} systems, {} registers",
        file.display(),
        estate.organisations.len(),
        estate.people.len(),
        estate.people.iter().filter(|person| person.high_risk).count(),
        estate.groups.len(),
        estate.networks.len(),
        estate.systems.len(),
        estate.registers.len(),
    );
    Ok(Outcome::Done)
}

/// Reads an estate file and the CSV files that it names, and the digest over all of them.
pub(super) fn load(file: &Path) -> anyhow::Result<(Estate, Sha256)> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the estate file {}", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut texts = vec![text.clone()];
    let parsed = Estate::parse(&text, &mut |name| {
        let csv = std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string())?;
        texts.push(csv.clone());
        Ok(csv)
    });
    match parsed {
        Ok(estate) => Ok((estate, Sha256::of_parts(texts.iter().map(String::as_bytes)))),
        Err(errors) => bail!("{} cannot be used:\n{errors}", file.display()),
    }
}

/// The estate of `--estate`, or an empty one where the user gave none.
pub(super) fn load_or_empty(file: Option<&Path>) -> anyhow::Result<(Estate, Sha256)> {
    match file {
        Some(file) => load(file),
        None => Ok((Estate::default(), Sha256([0; 32]))),
    }
}
