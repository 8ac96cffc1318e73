//! `mail-phish PHISH HAM`: recall of the score of single messages at fixed rates of false alarms.
//!
//! PHISH is a folder of messages; HAM a folder of folders, one for each kind of honest mail. Both are read as they are, but for what
//! would give the corpus away (see `normalise.rs`), and the signals that tell the years apart do not count.

mod corpus;
mod normalise;
mod table;

use std::path::PathBuf;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let mut folders = std::env::args_os().skip(1).map(PathBuf::from);
    let phish = folders.next().context("usage: mail-phish PHISH HAM")?;
    let ham = folders.next().context("usage: mail-phish PHISH HAM")?;
    let mut samples = corpus::read("phish", &phish)?;
    for (kind, folder) in corpus::kinds(&ham)? {
        samples.extend(corpus::read(&kind, &folder)?);
    }
    table::print(&samples);
    Ok(())
}
