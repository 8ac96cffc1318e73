//! Folders of messages, read and scored.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use blackrod_mail::Anatomy;
use blackrod_mail::score::Weights;
use blackrod_model::mail::Facts;
use blackrod_model::{Estate, Event, EvidenceId, Refusal};
use blackrod_read::Sink;

use crate::normalise::normalise;

/// A message of a corpus.
pub(crate) struct Sample {
    /// `phish`, or which kind of honest mail.
    pub(crate) kind: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// The year in which it was received; 0 where that is unknown.
    pub(crate) year: i32,
    pub(crate) score: f64,
    /// The codes of the signals that counted.
    pub(crate) counted: Vec<String>,
    pub(crate) facts: Facts,
}

/// The folders in a folder, by name.
pub(crate) fn kinds(folder: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut kinds = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            kinds.push((name, path));
        }
    }
    kinds.sort();
    Ok(kinds)
}

/// All messages of a folder, in the order of their names.
pub(crate) fn read(kind: &str, folder: &Path) -> anyhow::Result<Vec<Sample>> {
    let anatomy = Anatomy::new(&Estate::default()).with_language(true);
    let weights = Weights::load().without_era();
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut samples = Vec::new();
    let mut unread = 0;
    for file in files {
        let bytes = std::fs::read(&file)?;
        let year = facts(&anatomy, &bytes).map_or(0, |facts| year_of(&facts));
        let Some(facts) = facts(&anatomy, &normalise(&bytes)) else {
            unread += 1;
            continue;
        };
        let scored = weights.score(&facts);
        samples.push(Sample {
            kind: kind.to_owned(),
            path: file,
            year,
            score: scored.score,
            counted: scored.terms.into_iter().map(|term| term.code).collect(),
            facts,
        });
    }
    println!("{kind}: {} messages, {unread} not read", samples.len());
    Ok(samples)
}

fn year_of(facts: &Facts) -> i32 {
    let day = facts.time.day();
    day.get(..4).and_then(|year| year.parse().ok()).unwrap_or(0)
}

/// The facts of the first message in `bytes`.
pub(crate) fn facts(anatomy: &Anatomy, bytes: &[u8]) -> Option<Facts> {
    struct First<'a> {
        anatomy: &'a Anatomy,
        facts: Option<Facts>,
    }
    impl Sink for First<'_> {
        fn event(&mut self, event: Event<'_>) {
            if self.facts.is_none() {
                self.facts = self.anatomy.facts(EvidenceId::default(), &event);
            }
        }
        fn refuse(&mut self, _: Refusal) {}
    }
    let head = bytes.get(..bytes.len().min(blackrod_read::HEAD_LEN))?;
    let format = blackrod_read::formats()
        .iter()
        .find(|format| format.recognise(head))?;
    let mut first = First { anatomy, facts: None };
    let mut input = bytes;
    let split = format.split(&mut input, &mut |block| {
        format.parse(&block, &mut first);
        ControlFlow::Continue(())
    });
    split.ok().and(first.facts)
}
