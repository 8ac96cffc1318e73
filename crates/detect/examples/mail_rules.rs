//! How often the mail rules and signals fire on folders of messages, and what they cost.
//!
//! ```text
//! cargo run --release -p blackrod-detect --example mail_rules -- [--show=CODE] FOLDER …
//! ```
//!
//! With CODE prints what each signal of that code saw. Prints, for each rule and each signal, the messages of each folder on which it fired, and the processor time of
//! looking (without reading and parsing) per message.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blackrod_detect::{Detectors, Found, Scanner, Sources};
use blackrod_mail::Anatomy;
use blackrod_model::{Estate, Event, EvidenceId, Refusal};
use blackrod_read::{Sink, formats};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let estate = Estate::default();
    let sources = Sources {
        builtin: true,
        ..Sources::default()
    };
    let (detectors, sets) = Detectors::load(&sources, &estate)?;
    for problem in sets.iter().flat_map(|set| &set.refused) {
        println!("refused: {problem:?}");
    }
    let anatomy = Anatomy::new(&estate).with_language(true);
    let (options, folders): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with("--show="));
    let folders: Vec<PathBuf> = folders.into_iter().map(PathBuf::from).collect();
    let shown = options.first().and_then(|option| option.strip_prefix("--show="));
    let mut rows: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut sizes = Vec::new();
    for (column, folder) in folders.iter().enumerate() {
        let mut files = Vec::new();
        list(folder, &mut files)?;
        let mut count = Count {
            scanner: detectors.scanner(),
            anatomy: &anatomy,
            fired: BTreeSet::new(),
            shown,
            looking: Duration::ZERO,
            longest: Duration::ZERO,
        };
        let mut slowest = None;
        for file in &files {
            count.fired.clear();
            let before = count.looking;
            read(file, &mut count)?;
            let took = count.looking - before;
            if took > count.longest {
                count.longest = took;
                slowest = Some(file);
            }
            for name in std::mem::take(&mut count.fired) {
                let row = rows.entry(name).or_default();
                row.resize(folders.len(), 0);
                row[column] += 1;
            }
        }
        println!(
            "{}: {} messages, {:.0} µs of looking each, longest {:.1} ms ({})",
            folder.display(),
            files.len(),
            count.looking.as_secs_f64() * 1e6 / files.len().max(1) as f64,
            count.longest.as_secs_f64() * 1e3,
            slowest.map(|file| file.display().to_string()).unwrap_or_default(),
        );
        sizes.push(files.len());
    }
    for (name, row) in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&sizes)
            .map(|(fired, of)| {
                format!(
                    "{fired:>6} {:>6.2} %",
                    *fired as f64 * 100.0 / (*of).max(1) as f64
                )
            })
            .collect();
        println!("{}  {name}", cells.join("  "));
    }
    Ok(())
}

struct Count<'d> {
    scanner: Scanner<'d>,
    anatomy: &'d Anatomy,
    fired: BTreeSet<String>,
    shown: Option<&'d str>,
    looking: Duration,
    longest: Duration,
}

impl Sink for Count<'_> {
    fn event(&mut self, event: Event<'_>) {
        let started = Instant::now();
        let facts = self.anatomy.facts(EvidenceId::default(), &event);
        self.looking += started.elapsed();
        for signal in facts.iter().flat_map(|facts| &facts.signals) {
            if self.shown == Some(&signal.code) {
                println!("{}", signal.seen);
            }
        }
        let signals = facts.into_iter().flat_map(|facts| facts.signals);
        self.fired
            .extend(signals.map(|signal| format!("signal {}", signal.code)));
        let mut found = Found::default();
        self.scanner.event(EvidenceId::default(), &event, &mut found);
        let named = |finding: blackrod_model::Finding| {
            format!("{} {} ({})", finding.code, finding.title, finding.severity)
        };
        self.fired.extend(found.findings.into_iter().map(named));
    }

    fn refuse(&mut self, _: Refusal) {}
}

fn read(file: &Path, count: &mut Count<'_>) -> Result<(), Box<dyn std::error::Error>> {
    let bytes = fs::read(file)?;
    let format = formats()
        .iter()
        .find(|format| format.name() == "eml")
        .ok_or("no format for mail")?;
    format.split(&mut bytes.as_slice(), &mut |block| {
        format.parse(&block, count);
        ControlFlow::Continue(())
    })?;
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(())
}
