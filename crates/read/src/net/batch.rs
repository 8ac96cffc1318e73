//! Flows on their way from a reader to the sink.

use blackrod_model::{Flow, Position};

use super::conversations::Conversations;
use crate::Sink;

/// So many flows are handed over at once.
const LOT: usize = 512;

/// Flows so many make a window: what is kept of them is bounded whatever they are.
const WINDOW: usize = 32_768;

/// Hands flows over in lots, and at the end of each window the conversations that they were part of.
pub(super) struct Batch<'s> {
    sink: &'s mut dyn Sink,
    /// Where the first of the waiting flows stands.
    first: Position,
    waiting: Vec<Flow>,
    conversations: Conversations,
    in_window: usize,
}

impl<'s> Batch<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            first: Position::START,
            waiting: Vec::with_capacity(LOT),
            conversations: Conversations::default(),
            in_window: 0,
        }
    }

    /// Takes a flow that stands at `at`.
    #[inline]
    pub(super) fn push(&mut self, at: Position, flow: Flow) {
        if self.waiting.is_empty() {
            self.first = at;
        }
        self.conversations.add(at, &flow);
        self.waiting.push(flow);
        if self.waiting.len() < LOT {
            return;
        }
        self.hand_over();
        self.in_window += LOT;
        if self.in_window >= WINDOW {
            self.in_window = 0;
            self.conversations.tell(self.sink);
        }
    }

    pub(super) fn refuse(&mut self, at: Position, reason: impl Into<String>) {
        self.sink.refuse_record(at, reason);
    }

    /// Hands over what still waits.
    pub(super) fn finish(mut self) {
        self.hand_over();
        self.conversations.tell(self.sink);
    }

    fn hand_over(&mut self) {
        if !self.waiting.is_empty() {
            self.sink.flows(self.first, &self.waiting);
            self.waiting.clear();
        }
    }
}
