//! What is done with a message, by what is thought of it.

use blackrod_model::{Finding, Severity};
use serde::{Deserialize, Serialize};

/// What is done with a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Delivered as it is, with a header field that names it.
    #[default]
    Pass,
    /// Delivered with a header field that says why, and marked for its reader.
    Tag,
    /// Delivered so that it can be read and reports nothing.
    Defuse,
    /// Kept in the quarantine; the sender learns nothing.
    Hold,
    /// Refused; the sending server tells its sender.
    Reject,
}

impl Verdict {
    /// The word for it in configuration, header fields and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Tag => "tag",
            Self::Defuse => "defuse",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }

    /// Whether its reader gets it with all that reports back.
    pub(crate) fn leaves_it_live(self) -> bool {
        matches!(self, Self::Pass | Self::Tag)
    }
}

/// Which verdict follows from what. Of several that apply the strictest is taken.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    /// It is part of a campaign.
    pub(crate) campaign: Verdict,
    /// It stands out by itself: its score is at least `suspicious_score`.
    pub(crate) suspicious: Verdict,
    /// In nats.
    pub(crate) suspicious_score: f32,
    /// A rule or an indicator of high severity matched.
    pub(crate) high: Verdict,
    /// One of critical severity.
    pub(crate) critical: Verdict,
    /// All other mail.
    pub(crate) otherwise: Verdict,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            campaign: Verdict::Defuse,
            suspicious: Verdict::Tag,
            suspicious_score: 5.0,
            high: Verdict::Tag,
            critical: Verdict::Defuse,
            otherwise: Verdict::Pass,
        }
    }
}

impl Policy {
    /// The verdict on a message.
    pub(crate) fn verdict(&self, is_campaign: bool, score: f32, findings: &[Finding]) -> Verdict {
        let worst = findings.iter().map(|finding| finding.severity).max();
        let applies = [
            (is_campaign, self.campaign),
            (score >= self.suspicious_score, self.suspicious),
            (worst >= Some(Severity::High), self.high),
            (worst >= Some(Severity::Critical), self.critical),
            (true, self.otherwise),
        ];
        let verdicts = applies.iter().filter(|(applies, _)| *applies);
        verdicts.map(|(_, verdict)| *verdict).max().unwrap_or_default()
    }

    /// Whether any message may be held.
    pub(crate) fn holds(&self) -> bool {
        [
            self.campaign,
            self.suspicious,
            self.high,
            self.critical,
            self.otherwise,
        ]
        .contains(&Verdict::Hold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_verdict_that_applies_is_taken() {
        let policy = Policy {
            suspicious: Verdict::Hold,
            ..Policy::default()
        };
        assert_eq!(policy.verdict(false, 0.0, &[]), Verdict::Pass);
        assert_eq!(policy.verdict(true, 0.0, &[]), Verdict::Defuse);
        assert_eq!(policy.verdict(true, 9.0, &[]), Verdict::Hold);
        assert!(policy.holds());
        assert!(!Policy::default().holds());
    }
}
