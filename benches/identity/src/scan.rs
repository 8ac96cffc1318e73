//! Reading and detecting, as the binary does, without storing.

use std::ops::ControlFlow;

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
pub(crate) fn format_of(bytes: &[u8]) -> Option<&'static dyn Format> {
    let head = bytes.get(..HEAD_LEN).unwrap_or(bytes);
    let format = formats().iter().find(|format| format.recognise(head))?;
    Some(&**format)
}

/// Reads `bytes`, whatever format they are in, and hands over what is found, block by block, as the binary does; says how
/// many events there were. `None` where no format knows them.
pub(crate) fn each_block(
    scanner: &mut Scanner<'_>,
    number: u8,
    bytes: &[u8],
    take: &mut dyn FnMut(Found),
) -> anyhow::Result<Option<u64>> {
    let Some(format) = format_of(bytes) else {
        return Ok(None);
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
        scan.scanner.end_of_block(&mut scan.found);
        take(std::mem::take(&mut scan.found));
        ControlFlow::Continue(())
    })?;
    Ok(Some(scan.events))
}

impl Gathered {
    /// Reads `bytes`, whatever format they are in; says whether one knows them.
    pub(crate) fn read(
        &mut self,
        scanner: &mut Scanner<'_>,
        number: u8,
        bytes: &[u8],
    ) -> anyhow::Result<bool> {
        let events = each_block(scanner, number, bytes, &mut |mut found| {
            self.findings.append(&mut found.findings);
            self.premises.append(&mut found.premises);
            self.facts.append(&mut found.facts);
        })?;
        self.events += events.unwrap_or(0);
        Ok(events.is_some())
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
