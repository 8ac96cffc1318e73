//! `blackrod completions` and `blackrod man`: both made from the command line's own table.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::Outcome;
use crate::cli::Cli;

pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "blackrod", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Outcome::Done)
}

pub(crate) fn pages(folder: Option<&Path>) -> anyhow::Result<Outcome> {
    let command = Cli::command();
    match folder {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            io::stdout().write_all(&page)?;
        }
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder))
                .with_context(|| format!("cannot write manual pages to {}", folder.display()))?;
        }
    }
    Ok(Outcome::Done)
}
