//! What taking a message apart costs, beside a bare parse of the same messages in the same run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use blackrod_mail::Anatomy;
use blackrod_mail::score::Weights;
use blackrod_model::Estate;

use crate::corpus::facts;

/// Each way is measured so often; the median is told.
const ROUNDS: usize = 5;
/// So many of the slowest messages are named.
const SLOWEST: usize = 5;

struct Mail {
    path: PathBuf,
    bytes: Vec<u8>,
    /// The least time of all rounds, in seconds by the clock: the CPU clock of a thread is too coarse for one message.
    seconds: f64,
}

/// Measures all files below `folders`, on this thread.
pub(crate) fn measure(folders: &[PathBuf]) -> anyhow::Result<()> {
    let mut mails = Vec::new();
    for folder in folders {
        collect(folder, &mut mails)?;
    }
    mails.sort_by(|a, b| a.path.cmp(&b.path));
    let bytes: usize = mails.iter().map(|mail| mail.bytes.len()).sum();
    println!("{} files, {:.1} MB", mails.len(), bytes as f64 / 1e6);
    let anatomy = Anatomy::new(&Estate::default());
    let with_language = Anatomy::new(&Estate::default()).with_language(true);
    let weights = Weights::load();
    let (mut ours, mut all, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = cpu_seconds()?;
        for mail in &mut mails {
            let begun = Instant::now();
            let score = facts(&anatomy, &mail.bytes).map(|facts| weights.score(&facts).score);
            std::hint::black_box(score);
            mail.seconds = mail.seconds.min(begun.elapsed().as_secs_f64());
        }
        ours.push(cpu_seconds()? - start);
        let start = cpu_seconds()?;
        for mail in &mails {
            let facts = facts(&with_language, &mail.bytes);
            std::hint::black_box(facts.map(|facts| weights.score(&facts).score));
        }
        all.push(cpu_seconds()? - start);
        let start = cpu_seconds()?;
        for mail in &mails {
            std::hint::black_box(mail_parser::MessageParser::default().parse(&mail.bytes));
        }
        bare.push(cpu_seconds()? - start);
    }
    let count = mails.len().max(1) as f64;
    for (name, rounds) in [
        ("read, facets, score", &mut ours),
        ("with the language", &mut all),
        ("mail-parser alone", &mut bare),
    ] {
        rounds.sort_by(f64::total_cmp);
        let middle = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
        println!(
            "  {name:24} {:7.3} ms a message, {:6.0} messages per CPU second, {:5.0} MB/s",
            middle * 1e3 / count,
            count / middle,
            bytes as f64 / 1e6 / middle
        );
    }
    mails.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    println!("  slowest messages");
    for mail in mails.iter().take(SLOWEST) {
        println!("    {:8.1} ms  {}", mail.seconds * 1e3, mail.path.display());
    }
    Ok(())
}

fn collect(folder: &Path, mails: &mut Vec<Mail>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, mails)?;
            continue;
        }
        mails.push(Mail {
            bytes: std::fs::read(&path)?,
            path,
            seconds: f64::INFINITY,
        });
    }
    Ok(())
}

/// CPU seconds of this thread (proc(5), `schedstat`).
fn cpu_seconds() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = text.split_whitespace().next().context("schedstat")?.parse()?;
    Ok(nanos / 1e9)
}
