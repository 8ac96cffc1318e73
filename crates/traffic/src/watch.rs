//! The flows of a block of evidence, window by window.

use std::hash::Hasher as _;

use blackrod_model::{Estate, Event, EvidenceId, Fact, Flow, Position};
use siphasher::sip::SipHasher13;

use crate::egress::outflows;
use crate::inside::Inside;
use crate::records;
use crate::volume::inrushes;

/// Flows so many are a window.
const WINDOW: usize = 32_768;

/// Keeps flows until a window is full, and makes facts of it.
pub struct Watch {
    inside: Inside,
    salt: u64,
    evidence: EvidenceId,
    first: Position,
    window: Vec<Flow>,
    packets: inrushes::Packets,
    sums: outflows::Sums,
    facts: Vec<Fact>,
}

impl Watch {
    /// For flows of the networks of `estate`.
    pub fn new(estate: &Estate) -> Self {
        Self {
            inside: Inside::new(estate),
            salt: salt(estate),
            evidence: EvidenceId::default(),
            first: Position::START,
            window: Vec::new(),
            packets: inrushes::Packets::default(),
            sums: outflows::Sums::default(),
            facts: Vec::new(),
        }
    }

    /// Takes flows of `evidence`, the first of which stands at `at`.
    pub fn push(&mut self, evidence: EvidenceId, at: Position, flows: &[Flow]) {
        if self.window.is_empty() {
            self.evidence = evidence;
            self.first = at;
        }
        self.window.extend_from_slice(flows);
        if self.window.len() >= WINDOW {
            self.settle();
        }
    }

    /// Takes the flows that a sensor's or a firewall's record tells of, if it is one.
    pub fn event(&mut self, evidence: EvidenceId, event: &Event<'_>) {
        for flow in records::flows(event).into_iter().flatten() {
            self.push(evidence, event.at, &[flow]);
        }
    }

    /// What is kept of the flows so far. To be called at the end of each block of evidence.
    pub fn take(&mut self) -> Vec<Fact> {
        self.settle();
        std::mem::take(&mut self.facts)
    }

    fn settle(&mut self) {
        if self.window.is_empty() {
            return;
        }
        let place = (self.evidence, self.first);
        let (inside, facts) = (&self.inside, &mut self.facts);
        inrushes::of(&self.window, place, self.salt, inside, &mut self.packets, facts);
        outflows::of(&self.window, place, inside, &mut self.sums, facts);
        self.window.clear();
    }
}

/// A number that outsiders do not know: it depends on all that the estate says of itself.
fn salt(estate: &Estate) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(format!("{estate:?}").as_bytes());
    hasher.finish()
}
