//! One file per command.

mod actors;
mod assess;
mod campaign;
mod canary;
mod case;
mod conclude;
mod estate;
mod explain;
mod formats;
#[cfg(unix)]
mod guard;
mod harm;
mod hunt;
mod investigate;
mod mail;
mod manual;
mod plan;
#[cfg(unix)]
mod quarantine;
mod questions;
#[cfg(unix)]
mod recall;
mod redraw;
mod report;
mod respond;
mod simulate;
mod tables;
mod taxii;
mod usual;

use std::process::ExitCode;

use crate::cli::Command;

/// How many findings are held in memory, judged and told one by one; of the rules that fire most the rest is only counted.
const MOST_FINDINGS: usize = 100_000;

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it was asked.
    Done,
    /// A finding reached the severity of `--fail-on`.
    SeverityReached,
    /// Verification found a problem.
    NotAsItWas,
}

impl Outcome {
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::SeverityReached => 3,
            Self::NotAsItWas => 4,
        })
    }
}

pub(crate) fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Investigate(arguments) => investigate::run(&arguments),
        Command::Hunt(arguments) => hunt::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Case(command) => case::run(&command),
        Command::Estate(command) => estate::run(&command),
        Command::Mail(command) => mail::run(&command),
        Command::Assess(command) => assess::run(&command),
        Command::Campaign(command) => campaign::run(&command),
        Command::Usual(command) => usual::run(&command),
        Command::Respond(command) => respond::run(&command),
        Command::Taxii(command) => taxii::run(&command),
        Command::Actors(command) => actors::run(&command),
        Command::Canary(command) => canary::run(&command),
        Command::Harm(arguments) => harm::run(&arguments),
        #[cfg(unix)]
        Command::Guard(arguments) => guard::run(&arguments),
        #[cfg(unix)]
        Command::Quarantine(command) => quarantine::run(&command),
        #[cfg(unix)]
        Command::Recall(command) => recall::run(&command),
        Command::Formats(arguments) => formats::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(folder.as_deref()),
    }
}

/// The one of `items` that a person named by the beginning of its id.
fn by_beginning<'a, T>(
    items: &'a [T],
    begins: impl Fn(&T) -> bool,
    none: &str,
    several: &str,
) -> anyhow::Result<&'a T> {
    let mut matching = items.iter().filter(|one| begins(one));
    match (matching.next(), matching.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => anyhow::bail!("{none}"),
        (Some(_), Some(_)) => anyhow::bail!("{several}"),
    }
}
