//! Which rules were at work, and which were not.

use crate::Sha256;

/// What became of the rules of one detection method. Nothing a user wrote is dropped in silence.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RuleSet {
    /// The method: `sigma`, `yara`, `indicators`.
    pub method: String,
    /// How many rules are at work.
    pub loaded: u64,
    /// Digest over the text of all rules at work, in a fixed order.
    pub digest: Sha256,
    /// Rules that could not be loaded.
    pub refused: Vec<RuleProblem>,
    /// Rules at work that can never match the evidence at hand (no log source for them in it).
    pub idle: Vec<RuleProblem>,
}

/// A rule that does not do what its author hoped, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct RuleProblem {
    /// The rule's id or name, or its file where it got no further.
    pub rule: String,
    /// The rule's title; empty where it could not be read.
    pub title: String,
    /// Why.
    pub reason: String,
}
