//! Messages that are judged to be one campaign.

use super::facts::LinkRole;
use crate::estate::Enrichment;
use crate::{EvidenceId, Position, Timestamp};

/// Messages that one sender or one operation is judged to have sent, and why.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MailCampaign {
    /// Names it among the mail campaigns of the case: `M-` and the digits of its first message, so that it
    /// keeps its name while it grows.
    pub key: String,
    /// What it looks like, in a few words.
    pub title: String,
    /// The sum of the weights of `terms`: log-likelihood ratio, in nats, of a hostile campaign against
    /// ordinary mail.
    pub score: f64,
    /// What the score is made of, heaviest first.
    pub terms: Vec<Term>,
    /// Its messages, in the order of time.
    pub messages: Vec<CampaignMessage>,
    /// Which groups, roles, offices or lists its recipients are from beyond chance, strongest first.
    pub targeting: Vec<Enrichment>,
    /// The templates that its messages share, most used first.
    pub templates: Vec<TemplateUse>,
    /// What ties its messages, heaviest first.
    pub ties: Vec<Term>,
    /// How many messages and distinct recipients it had when its score first passed the threshold, and when.
    pub fired: Fired,
}

/// One summand of a score.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Term {
    /// Its code, `campaign/new-infrastructure`.
    pub code: String,
    /// Its weight in nats.
    pub weight: f64,
    /// What was seen, in a sentence.
    pub words: String,
    /// What would make it innocent.
    pub innocent: String,
}

/// A message of a campaign.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CampaignMessage {
    /// The evidence that it is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it was sent.
    pub time: Timestamp,
    /// Its Message-ID.
    pub message_id: String,
    /// The display name of its sender.
    pub from_name: String,
    /// The address of its sender.
    pub from: String,
    /// Whom it went to.
    pub recipients: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Which of the campaign's `templates` it uses.
    pub templates: Vec<usize>,
}

/// A URL template that messages of a campaign share.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TemplateUse {
    /// The template.
    pub template: String,
    /// Whether a client loads it by itself.
    pub role: LinkRole,
    /// How many messages use it.
    pub messages: usize,
    /// What varies in it.
    pub tokens: Vec<TokenUse>,
}

/// How a varying part of a template varies.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct TokenUse {
    /// Where it stands.
    pub place: String,
    /// How it varies.
    pub variation: Variation,
    /// How it follows from the recipient's address, where it does.
    pub derived: Option<String>,
    /// How many values were seen.
    pub values: usize,
}

/// What a varying part of a URL follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Variation {
    /// The same in all messages.
    #[default]
    Constant,
    /// Another in every message, also to the same recipient.
    PerMessage,
    /// One for each recipient.
    PerRecipient,
    /// Follows from the recipient's address.
    Derived,
    /// Varies in some other way.
    Other,
}

/// The moment when a campaign was first called one.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Fired {
    /// How many of its messages had come.
    pub messages: usize,
    /// How many distinct recipients they had.
    pub recipients: usize,
    /// The time of the message that made it pass.
    pub time: Timestamp,
}
