//! Findings that are judged to be one operation.

use std::fmt;
use std::str::FromStr;

use crate::{Entity, FindingId, Timestamp};

/// Names a campaign: `C-` and the first digits of its earliest finding's id, so that it keeps its
/// name while it grows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct CampaignId(String);

impl CampaignId {
    /// The id of the campaign that begins with `finding`.
    pub fn from_first(finding: FindingId) -> Self {
        Self(format!("C-{}", &finding.to_string()[..12]))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CampaignId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for CampaignId {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// Findings that are judged to be one operation, with what ties them and whom they hit.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Campaign {
    /// Its name in the case.
    pub id: CampaignId,
    /// What it looks like, in a few words.
    pub title: String,
    /// How strong it is: rises with the severity and variety of its findings. Only the order means
    /// something.
    pub score: f64,
    /// Time of the earliest finding.
    pub first_seen: Timestamp,
    /// Time of the latest finding.
    pub last_seen: Timestamp,
    /// Its findings, earliest first.
    pub findings: Vec<FindingId>,
    /// Accounts, people and hosts that were hit, most findings first.
    pub targets: Vec<Target>,
    /// What holds it together, strongest first.
    pub ties: Vec<Tie>,
    /// ATT&CK technique ids of its findings, sorted.
    pub attack: Vec<String>,
}

/// Somebody or something that a campaign hit.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Target {
    /// The account, address or host.
    pub entity: Entity,
    /// The person of the estate behind it, where the estate says who that is.
    pub person: Option<String>,
    /// How many of the campaign's findings name it.
    pub findings: usize,
}

/// An entity that several findings of a campaign share.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Tie {
    /// What they share.
    pub entity: Entity,
    /// How many findings of the campaign share it.
    pub findings: usize,
    /// How telling it is: the logarithm of how rare the entity is among all findings of the case.
    pub weight: f64,
}
