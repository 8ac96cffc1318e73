//! How fast one log is read and looked at, beside a plain program that does far less.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use blackrod_detect::accounts::Networks;
use blackrod_model::{Estate, Event, Refusal};
use blackrod_read::Sink;
use serde::Deserialize;

use crate::scan::{Gathered, detectors, each_block, format_of};

const ROUNDS: usize = 5;

/// CPU seconds of one task, one for each round.
#[derive(Default)]
struct Times(Vec<f64>);

impl Times {
    /// Runs `task` and takes its time.
    fn take<T>(&mut self, task: impl FnOnce() -> T) -> T {
        let start = cpu_time::ProcessTime::now();
        let done = task();
        self.0.push(start.elapsed().as_secs_f64());
        done
    }

    fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

struct Count(u64);

impl Sink for Count {
    fn event(&mut self, _: Event<'_>) {
        self.0 += 1;
    }

    fn refuse(&mut self, _: Refusal) {}
}

/// Prints the speed of one log: only read, with all detectors, and with what is judged of all of it afterwards; each round
/// is all of them in turn, so that a busy machine slows them alike.
pub(crate) fn speed(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let estate = Estate::default();
    let detectors = detectors(&estate)?;
    let mut scanner = detectors.scanner();
    let format = format_of(&bytes).context("no format knows it")?;
    let [mut plain, mut read, mut detect, mut judge] = [const { Times(Vec::new()) }; 4];
    let (mut events, mut facts, mut findings) = (0, 0, 0);
    let is_json = bytes.first() == Some(&b'{');
    for _ in 0..ROUNDS {
        match is_json {
            true => black_box(plain.take(|| four_fields(&bytes))?),
            false => black_box(plain.take(|| words(&bytes))),
        };
        let mut count = Count(0);
        read.take(|| {
            format.split(&mut bytes.as_slice(), &mut |block| {
                format.parse(&block, &mut count);
                ControlFlow::Continue(())
            })
        })?;
        events = count.0;
        facts = 0;
        detect.take(|| each_block(&mut scanner, 1, &bytes, &mut |found| facts += found.facts.len()))?;
        let mut gathered = Gathered::default();
        gathered.read(&mut scanner, 1, &bytes)?;
        findings = judge
            .take(|| gathered.conclude(&detectors, Networks::default()))
            .len();
    }
    let megabytes = bytes.len() as f64 / 1e6;
    let plain = plain.median();
    println!(
        "{megabytes:.0} MB, {events} events, {facts} facts, {findings} findings; per CPU second, medians of {ROUNDS} rounds:"
    );
    let peer = match is_json {
        true => "serde_json, four borrowed fields",
        false => "lines parted at blanks",
    };
    for (task, seconds) in [
        (peer, plain),
        ("read", read.median()),
        ("read, all detectors", detect.median()),
        ("and judged", detect.median() + judge.median()),
    ] {
        println!(
            "{task:33} {:6.1} MB {:9.0} events, {:.2} of the first",
            megabytes / seconds,
            events as f64 / seconds,
            plain / seconds
        );
    }
    Ok(())
}

/// What a plain program reads of an audit record.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Four<'a> {
    #[serde(borrow)]
    operation: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow, rename = "ClientIP")]
    client_ip: Option<Text<'a>>,
    #[serde(borrow)]
    session_id: Option<Text<'a>>,
}

/// Serde borrows a `Cow` only where it stands by itself.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Records counted by user, and the lengths of three other fields added up.
fn four_fields(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut groups = Groups::default();
    for line in lines(bytes) {
        let record: Four<'_> = serde_json::from_str(line).context("not a record of the audit log")?;
        let optional = |text: Option<Text<'_>>| text.map_or(0, |text| text.0.len());
        let length = record.operation.len() + optional(record.client_ip) + optional(record.session_id);
        groups.add(&record.user_id, length as u64);
    }
    Ok(groups.0.len())
}

/// Requests and bytes by client.
fn words(bytes: &[u8]) -> usize {
    let mut groups = Groups::default();
    for line in lines(bytes) {
        let words: Vec<&str> = line.split(' ').collect();
        let size = words.get(9).and_then(|word| word.parse().ok());
        groups.add(words.first().copied().unwrap_or_default(), size.unwrap_or(0));
    }
    groups.0.len()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| !line.is_empty())
}

/// How many, and how much.
#[derive(Default)]
struct Groups(HashMap<String, (u64, u64)>);

impl Groups {
    fn add(&mut self, key: &str, amount: u64) {
        let group = match self.0.get_mut(key) {
            Some(group) => group,
            None => self.0.entry(key.to_owned()).or_default(),
        };
        group.0 += 1;
        group.1 = group.1.saturating_add(amount);
    }
}
