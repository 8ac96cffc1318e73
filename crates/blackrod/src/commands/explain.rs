//! `blackrod explain`: what a detector or a rule finds, why it matters, what it misses.

use std::io::Write as _;

use anyhow::bail;
use blackrod_detect::{Detectors, Sources, explain};
use blackrod_model::Estate;

use super::Outcome;
use crate::cli;

pub(crate) fn run(arguments: &cli::Explain) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    let Some(code) = &arguments.code else {
        for doc in explain::ALL {
            writeln!(out, "{:<20} {}", doc.code, doc.title)?;
        }
        writeln!(
            out,
            "\n`blackrod explain CODE` tells more; a rule's id works as well."
        )?;
        return Ok(Outcome::Done);
    };
    if let Some(doc) = explain::explain(code) {
        writeln!(out, "{}", doc.text.trim_end())?;
        return Ok(Outcome::Done);
    }
    let (detectors, _) = Detectors::load(
        &Sources {
            builtin: true,
            rule_dirs: arguments.rules.clone(),
            ..Sources::default()
        },
        &Estate::default(),
    )?;
    let Some(text) = detectors.explain_rule(code) else {
        bail!("no detector and no loaded rule is called {code:?}; `blackrod explain` lists the detectors");
    };
    writeln!(out, "{}", text.trim_end())?;
    Ok(Outcome::Done)
}
