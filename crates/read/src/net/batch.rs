//! Flows on their way from a reader to the sink.

use blackrod_model::{Flow, Position};

use super::conversations::Sketch;
use crate::Sink;

/// Flows so many make a window: what is kept of them is bounded whatever they are.
const WINDOW: usize = 32_768;

/// Hands flows over in windows, with the conversations that they were part of.
pub(super) struct Batch<'s> {
    sink: &'s mut dyn Sink,
    places: Vec<Position>,
    flows: Vec<Flow>,
    sketch: Sketch,
}

impl<'s> Batch<'s> {
    /// For about so many flows.
    pub(super) fn new(sink: &'s mut dyn Sink, flows: usize) -> Self {
        let room = flows.min(WINDOW);
        Self {
            sink,
            places: Vec::with_capacity(room),
            flows: Vec::with_capacity(room),
            sketch: Sketch::new(room),
        }
    }

    /// Takes a flow that stands at `at`.
    #[inline]
    pub(super) fn push(&mut self, at: Position, flow: Flow) {
        self.sketch.add(&flow);
        self.places.push(at);
        self.flows.push(flow);
        if self.flows.len() >= WINDOW {
            self.hand_over();
        }
    }

    pub(super) fn refuse(&mut self, at: Position, reason: impl Into<String>) {
        self.sink.refuse_record(at, reason);
    }

    /// Hands over what still waits.
    pub(super) fn finish(mut self) {
        self.hand_over();
    }

    fn hand_over(&mut self) {
        let Some(first) = self.places.first() else {
            return;
        };
        self.sink.flows(*first, &self.flows);
        self.sketch.tell(&self.places, &self.flows, self.sink);
        self.places.clear();
        self.flows.clear();
    }
}
