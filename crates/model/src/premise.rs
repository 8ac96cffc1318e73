//! Matches that mean something only together.

use crate::{EvidenceId, Position, Timestamp};

/// A record that matched a rule which a correlation rule refers to. Correlation happens after
/// reading, over all premises in the order of their times, so that it does not depend on the order
/// in which evidence was read.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Premise {
    /// The id of the rule that matched.
    pub rule_id: String,
    /// When the record's event happened.
    pub time: Timestamp,
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// The fields that correlations group by, count or show: native name and text.
    pub fields: Vec<(String, String)>,
}
