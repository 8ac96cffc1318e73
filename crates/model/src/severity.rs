//! How bad a finding would be if it were true.

use std::fmt;
use std::str::FromStr;

/// The severity of a finding, from a note to an emergency.
///
/// The order and names are those of Sigma's `level` and map one to one to OCSF `severity_id` 1–5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, not worth a look of its own.
    Informational,
    /// Odd, mostly harmless.
    Low,
    /// Worth a look when time allows.
    Medium,
    /// Worth a look today.
    High,
    /// Worth waking somebody.
    Critical,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 5] = [
        Self::Informational,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The lower-case name: `informational`, `low`, `medium`, `high`, `critical`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// OCSF `severity_id`.
    pub const fn ocsf_id(self) -> u8 {
        self as u8 + 1
    }

    /// How much a finding of this severity weighs when findings are added up: each step counts
    /// about three times the one below it, so that many notes do not outweigh one emergency.
    pub const fn weight(self) -> f64 {
        match self {
            Self::Informational => 0.3,
            Self::Low => 1.0,
            Self::Medium => 3.0,
            Self::High => 10.0,
            Self::Critical => 30.0,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text names no severity.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a severity; use informational, low, medium, high or critical")]
pub struct UnknownSeverity(String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    fn from_str(text: &str) -> Result<Self, UnknownSeverity> {
        let wanted = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|severity| {
                severity.name() == wanted || (wanted == "info" && *severity == Self::Informational)
            })
            .ok_or_else(|| UnknownSeverity(text.chars().take(40).collect()))
    }
}
