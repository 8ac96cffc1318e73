//! Reading and detecting, as the binary does, without storing.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use blackrod_detect::accounts::{self, Networks};
use blackrod_detect::{Detectors, Found, Scanner, Sources};
use blackrod_model::{AccountAct, Estate, Event, EvidenceId, Fact, Finding, Premise, Refusal};
use blackrod_read::{Format, HEAD_LEN, Sink, formats};

/// Everything that was found in some logs, until it is judged.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) findings: Vec<Finding>,
    premises: Vec<Premise>,
    facts: Vec<Fact>,
    pub(crate) events: u64,
}

struct Scan<'d, 'g> {
    scanner: &'g mut Scanner<'d>,
    evidence: EvidenceId,
    found: Found,
    events: u64,
}

impl Sink for Scan<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.events += 1;
        self.scanner.event(self.evidence, &event, &mut self.found);
    }

    fn refuse(&mut self, refusal: Refusal) {
        eprintln!("refused: {}", refusal.reason);
    }
}

pub(crate) fn detectors(estate: &Estate) -> anyhow::Result<Detectors> {
    let sources = Sources {
        builtin: true,
        ..Sources::default()
    };
    Ok(Detectors::load(&sources, estate)?.0)
}

/// The format that knows the head of a piece of evidence.
fn format_of(bytes: &[u8]) -> Option<&'static dyn Format> {
    let head = bytes.get(..HEAD_LEN).unwrap_or(bytes);
    let format = formats().iter().find(|format| format.recognise(head))?;
    Some(&**format)
}

impl Gathered {
    /// Reads `bytes`, whatever format they are in; says whether one knows them.
    pub(crate) fn read(
        &mut self,
        scanner: &mut Scanner<'_>,
        number: u8,
        bytes: &[u8],
    ) -> anyhow::Result<bool> {
        let Some(format) = format_of(bytes) else {
            return Ok(false);
        };
        let mut scan = Scan {
            scanner,
            evidence: EvidenceId([number; 16]),
            found: Found::default(),
            events: 0,
        };
        let mut input = bytes;
        format.split(&mut input, &mut |block| {
            format.parse(&block, &mut scan);
            ControlFlow::Continue(())
        })?;
        self.findings.append(&mut scan.found.findings);
        self.premises.append(&mut scan.found.premises);
        self.facts.append(&mut scan.found.facts);
        self.events += scan.events;
        Ok(true)
    }

    /// Judges what means something only among others.
    pub(crate) fn conclude(mut self, detectors: &Detectors, networks: Networks) -> Vec<Finding> {
        self.premises.sort_by_key(|premise| premise.time);
        let mut correlator = detectors.correlator();
        self.premises
            .into_iter()
            .for_each(|premise| correlator.push(premise));
        self.findings.extend(correlator.finish());
        self.facts.sort_by_key(|fact| fact.time);
        let mut stream = accounts::Stream::new(networks);
        for act in self.facts.iter().filter_map(Fact::kept::<AccountAct>) {
            stream.push(&act);
        }
        self.findings.extend(stream.finish());
        self.findings
    }
}

/// Megabytes per CPU second of one log: read and with all detectors, then only read.
pub(crate) fn speed(file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    let estate = Estate::default();
    let detectors = detectors(&estate)?;
    let mut scanner = detectors.scanner();
    let megabytes = bytes.len() as f64 / 1e6;
    for round in ["first pass", "second pass"] {
        let mut gathered = Gathered::default();
        let start = cpu_time::ProcessTime::now();
        gathered.read(&mut scanner, 1, &bytes)?;
        let detected = start.elapsed().as_secs_f64();
        let facts = gathered.facts.len();
        let events = gathered.events;
        let judging = cpu_time::ProcessTime::now();
        let findings = gathered.conclude(&detectors, Networks::default());
        println!(
            "{round}: {megabytes:.0} MB, {events} events, {facts} facts, {} findings: {:.1} MB and {:.0} events per CPU \
             second read and detected, {:.2} s of judging",
            findings.len(),
            megabytes / detected,
            events as f64 / detected,
            judging.elapsed().as_secs_f64()
        );
    }
    struct Count(u64);
    impl Sink for Count {
        fn event(&mut self, _: Event<'_>) {
            self.0 += 1;
        }
        fn refuse(&mut self, _: Refusal) {}
    }
    let format = format_of(&bytes).context("no format knows it")?;
    let mut count = Count(0);
    let start = cpu_time::ProcessTime::now();
    let mut input = bytes.as_slice();
    format.split(&mut input, &mut |block| {
        format.parse(&block, &mut count);
        ControlFlow::Continue(())
    })?;
    println!(
        "only read: {:.1} MB per CPU second, {} events",
        megabytes / start.elapsed().as_secs_f64(),
        count.0
    );
    Ok(())
}
