//! `mail-phish PHISH HAM [LIST]`: recall of the score of single messages at fixed rates of false alarms.
//!
//! PHISH is a folder of messages; HAM a folder of folders, one for each kind of honest mail. Both are read as they are, but for what
//! would give the corpus away (see `normalise.rs`), and the signals that tell the years apart do not count.
//! LIST is a file to which each message's kind, year, score, path and signals are written, one line each.
//!
//! `mail-phish speed FOLDER...`: what taking their messages apart costs, beside a bare parse.

mod corpus;
mod normalise;
mod speed;
mod table;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let mut folders = std::env::args_os().skip(1).map(PathBuf::from).peekable();
    if folders.next_if(|word| word.as_os_str() == "speed").is_some() {
        return speed::measure(&folders.collect::<Vec<_>>());
    }
    let phish = folders.next().context("usage: mail-phish PHISH HAM [LIST]")?;
    let ham = folders.next().context("usage: mail-phish PHISH HAM [LIST]")?;
    let mut samples = corpus::read("phish", &phish)?;
    for (kind, folder) in corpus::kinds(&ham)? {
        samples.extend(corpus::read(&kind, &folder)?);
    }
    table::print(&samples);
    match folders.next() {
        Some(list) => write(&samples, &list),
        None => Ok(()),
    }
}

fn write(samples: &[corpus::Sample], list: &Path) -> anyhow::Result<()> {
    let mut text = String::new();
    for sample in samples {
        let codes: Vec<&str> = sample
            .facts
            .signals
            .iter()
            .map(|signal| signal.code.as_str())
            .collect();
        writeln!(
            text,
            "{}\t{}\t{:.3}\t{}\t{}",
            sample.kind,
            sample.year,
            sample.score,
            sample.path.display(),
            codes.join(" ")
        )?;
    }
    std::fs::write(list, text).with_context(|| list.display().to_string())
}
