//! What is measured: something that takes facts in the order of time and calls campaigns.

use std::collections::BTreeMap;

use blackrod_mail::stream::{Options, Stream};
use blackrod_model::Estate;
use blackrod_model::mail::{Facts, MailCampaign};

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
    /// It came to a campaign; the others are told to see why not.
    pub(crate) is_called: bool,
    /// The highest score that it had, where it was not called.
    pub(crate) peak: f64,
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
    /// `keep_below`: gives the clusters that are not called campaigns too.
    pub(crate) fn new(estate: &'e Estate, threshold: Option<f64>, keep_below: bool) -> Self {
        let usual = Options::default();
        let options = Options {
            threshold: threshold.unwrap_or(usual.threshold),
            keep_below,
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
        let outcome = self.stream.finish();
        let called = outcome.campaigns.into_iter().map(|campaign| (None, campaign));
        let below = outcome
            .below
            .into_iter()
            .map(|(peak, campaign)| (Some(peak), campaign));
        called
            .chain(below)
            .map(|(peak, campaign)| alert(peak, campaign))
            .collect()
    }
}

fn alert(below: Option<f64>, campaign: MailCampaign) -> Alert {
    let terms: Vec<String> = campaign
        .terms
        .iter()
        .map(|term| {
            let code = term.code.trim_start_matches("campaign/");
            match code {
                "impersonation" => format!("{code} {:+.1} ({})", term.weight, term.words),
                _ => format!("{code} {:+.1}", term.weight),
            }
        })
        .collect();
    let mut ties: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
    for tie in &campaign.ties {
        // The sentence is "A and B have …": what follows the second address tells how they are tied.
        let how = tie.words.splitn(4, ' ').nth(3).unwrap_or(&tie.words);
        let of_way = ties.entry(how).or_default();
        *of_way = (of_way.0 + 1, of_way.1.max(tie.weight));
    }
    let ties: Vec<String> = ties
        .into_iter()
        .map(|(how, (count, most))| format!("{count} {how} (up to {most:.1})"))
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
        title: format!(
            "{} [{}] ties: {}",
            campaign.title,
            terms.join(", "),
            ties.join("; ")
        ),
        is_called: below.is_none(),
        peak: below.unwrap_or(campaign.score),
    }
}
