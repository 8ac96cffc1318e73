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

/// So many that come together are one by themselves.
const LARGE: usize = 8_192;

/// Keeps flows until a window is full, and makes facts of it.
pub struct Watch {
    inside: Inside,
    first: (EvidenceId, Position),
    window: Vec<Flow>,
    inrushes: inrushes::Inrushes,
    outflows: outflows::Outflows,
    facts: Vec<Fact>,
}

impl Watch {
    /// For flows of the networks of `estate`.
    pub fn new(estate: &Estate) -> Self {
        Self {
            inside: Inside::new(estate),
            first: (EvidenceId::default(), Position::START),
            window: Vec::new(),
            inrushes: inrushes::Inrushes::new(salt(estate)),
            outflows: outflows::Outflows::default(),
            facts: Vec::new(),
        }
    }

    /// Takes flows of `evidence`, the first of which stands at `at`.
    pub fn push(&mut self, evidence: EvidenceId, at: Position, flows: &[Flow]) {
        if self.window.is_empty() && flows.len() >= LARGE {
            return self.settle((evidence, at), flows);
        }
        if self.window.is_empty() {
            self.first = (evidence, at);
        }
        self.window.extend_from_slice(flows);
        if self.window.len() >= WINDOW {
            self.settle_window();
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
        self.settle_window();
        std::mem::take(&mut self.facts)
    }

    fn settle_window(&mut self) {
        let mut window = std::mem::take(&mut self.window);
        if !window.is_empty() {
            self.settle(self.first, &window);
            window.clear();
        }
        self.window = window;
    }

    fn settle(&mut self, place: (EvidenceId, Position), flows: &[Flow]) {
        self.inrushes.of(flows, place, &self.inside, &mut self.facts);
        self.outflows.of(flows, place, &self.inside, &mut self.facts);
    }
}

/// A number that outsiders do not know: it depends on all that the estate says of itself.
fn salt(estate: &Estate) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(format!("{estate:?}").as_bytes());
    hasher.finish()
}
