//! `blackrod guard`: mail, judged while it is delivered.

use super::{Outcome, estate};
use crate::cli;
use crate::guard;

pub(crate) fn run(arguments: &cli::Guard) -> anyhow::Result<Outcome> {
    let config = guard::load(&arguments.config)?;
    let (estate, _) = estate::load(&config.estate)?;
    guard::check_files(&config)?;
    if arguments.check_config {
        guard::detectors(&config, &estate)?;
        guard::Rewriter::new(&config)?;
        println!("{}: can be used", arguments.config.display());
        return Ok(Outcome::Done);
    }
    guard::run(config, estate)?;
    Ok(Outcome::Done)
}
