//! What is measured: something that takes facts in the order of time and calls campaigns.

use blackrod_detect::mail::stream::{Options, Stream};
use blackrod_model::Estate;
use blackrod_model::mail::Facts;

/// A cluster of messages that was called a campaign.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alert {
    /// When it was first called so: seconds since 1970-01-01 UTC.
    pub(crate) seconds: i64,
    /// How strongly, for ranking among the alerts of a day.
    pub(crate) score: f64,
    /// The numbers of its messages, at the end of the run.
    pub(crate) messages: Vec<u64>,
    /// Distinct recipients that it had when it was first called so.
    pub(crate) recipients: usize,
    /// What it was called, for lists.
    pub(crate) title: String,
}

/// A detector.
pub(crate) trait Detector {
    /// The next message.
    fn push(&mut self, facts: &Facts);
    /// What it called campaigns.
    fn finish(self: Box<Self>) -> Vec<Alert>;
}

/// The detector of blackrod.
pub(crate) struct Streamed<'e> {
    stream: Stream<'e>,
}

impl<'e> Streamed<'e> {
    pub(crate) fn new(estate: &'e Estate, threshold: Option<f64>) -> Self {
        let usual = Options::default();
        let options = Options {
            threshold: threshold.unwrap_or(usual.threshold),
            ..usual
        };
        Self {
            stream: Stream::new(estate, options),
        }
    }
}

impl Detector for Streamed<'_> {
    fn push(&mut self, facts: &Facts) {
        self.stream.push(facts);
    }

    fn finish(self: Box<Self>) -> Vec<Alert> {
        let campaigns = self.stream.finish().campaigns;
        let alert = |campaign: blackrod_model::mail::MailCampaign| {
            let terms: Vec<String> = campaign
                .terms
                .iter()
                .map(|term| format!("{} {:+.1}", term.code, term.weight))
                .collect();
            Alert {
                seconds: campaign.fired.time.seconds().unwrap_or_default(),
                score: campaign.score,
                messages: campaign
                    .messages
                    .iter()
                    .map(|message| message.at.record)
                    .collect(),
                recipients: campaign.fired.recipients,
                title: format!("{} [{}]", campaign.title, terms.join(", ")),
            }
        };
        campaigns.into_iter().map(alert).collect()
    }
}
