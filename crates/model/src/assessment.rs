//! What is judged of a campaign: sentences with a probability each, and the evidence that carries them.

mod words;

pub use words::{Confidence, Likelihood, Scale};

use crate::estate::Enrichment;
use crate::{ActionId, ActionState, CampaignId, FindingId, PartnerSaid, Timestamp, UsualShape};

/// What is judged of one campaign: what was done, what was obtained, who did it, what for, who is at risk.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Assessment {
    /// The campaign.
    pub campaign: CampaignId,
    /// The sentences, in the order of the questions.
    pub judgements: Vec<Judgement>,
    /// Who it may have been, likeliest first; those that matter little are one line.
    pub hypotheses: Vec<Hypothesis>,
    /// What speaks for or against them, most diagnostic first.
    pub items: Vec<EvidenceItem>,
    /// How far judgements of who it was may go with this evidence.
    pub ceilings: Ceilings,
    /// Which groups, roles, offices or lists its targets are from beyond chance, strongest first.
    pub targeting: Vec<Enrichment>,
    /// What was done when, in the order of time.
    pub phases: Vec<Phase>,
    /// People who were hit or are likely to be.
    pub at_risk: Vec<PersonAtRisk>,
    /// Questions that everybody will ask and that stay open, as sentences: what was copied, what it would be used for.
    #[serde(default)]
    pub open: Vec<String>,
    /// What else is not known because nothing could have told it.
    pub missing: Vec<String>,
    /// What would change the judgement of who it was.
    pub would_change: Vec<String>,
    /// How new the actor profiles were that it was judged with.
    pub profiles: String,
}

impl Assessment {
    /// All that is not known, what everybody will ask first.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.open.iter().chain(&self.missing).map(String::as_str)
    }

    /// The judgements on one question.
    pub fn on(&self, question: Question) -> impl Iterator<Item = &Judgement> {
        self.judgements
            .iter()
            .filter(move |judgement| judgement.question == question)
    }
}

/// What a judgement answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// What was done.
    Done,
    /// What was obtained: seen, or taken away.
    Obtained,
    /// For which state it was done.
    State,
    /// Which group did it.
    Group,
    /// What it will be used for.
    Use,
    /// Who is at risk.
    AtRisk,
}

impl Question {
    /// All, in the order in which they are answered.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Obtained,
        Self::State,
        Self::Group,
        Self::Use,
        Self::AtRisk,
    ];

    /// The question as a heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Done => "What was done",
            Self::Obtained => "What was obtained",
            Self::State => "For which state",
            Self::Group => "Which group",
            Self::Use => "What it will be used for",
            Self::AtRisk => "Who is at risk",
        }
    }
}

/// One sentence with a probability, a confidence of its own, and what carries it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Judgement {
    /// What it answers.
    pub question: Question,
    /// What it is about, so that it can be followed from version to version: `state`, `e-mail/accessed`.
    pub about: String,
    /// What is claimed, to follow "that": "a Chinese state-affiliated actor was behind this campaign".
    pub statement: String,
    /// How likely that is: between 0.01 and 0.99, ceilings applied.
    pub probability: f64,
    /// How well founded the probability is.
    pub confidence: Confidence,
    /// Why the confidence is what it is.
    pub why: String,
    /// The evidence items that carry it, by id.
    pub items: Vec<String>,
    /// The findings that carry it, where it rests on findings.
    pub findings: Vec<FindingId>,
    /// Why the probability is not higher, where a ceiling holds it down.
    pub held_down: Option<String>,
}

impl Judgement {
    /// "It is highly likely (85 %) that …." The number stands in the sentence; confidence never does.
    pub fn sentence(&self, scale: Scale) -> String {
        let likelihood = Likelihood::of(self.probability, scale);
        format!("{} that {}.", likelihood.opening(), self.statement)
    }

    /// "Moderate confidence: …", a line of its own.
    pub fn confidence_line(&self) -> String {
        format!("{} confidence: {}", self.confidence.capitalised(), self.why)
    }
}

/// Somebody it may have been.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Hypothesis {
    /// `group/apt31`, `aligned/CN`, `unknown`, `crime`, `false-flag/apt31`, `others`.
    pub id: String,
    /// In words: "APT31".
    pub name: String,
    /// The state it would be, as two letters.
    pub state: Option<String>,
    /// How likely before any evidence.
    pub prior: f64,
    /// How likely after it, before ceilings.
    pub posterior: f64,
}

/// The kinds of evidence that say who it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceClass {
    /// How they work.
    Technique,
    /// Public tools.
    Tool,
    /// Programs of their own.
    Malware,
    /// Addresses, domains, certificates.
    Infrastructure,
    /// Whom they go after.
    Victimology,
    /// When they work, in which language.
    TimingLanguage,
    /// What is not public: signals, sources, seized machines.
    NonPublic,
}

impl EvidenceClass {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::Technique,
        Self::Tool,
        Self::Malware,
        Self::Infrastructure,
        Self::Victimology,
        Self::TimingLanguage,
        Self::NonPublic,
    ];

    /// Its name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Technique => "technique",
            Self::Tool => "tool",
            Self::Malware => "malware",
            Self::Infrastructure => "infrastructure",
            Self::Victimology => "victimology",
            Self::TimingLanguage => "timing or language",
            Self::NonPublic => "non-public access",
        }
    }

    /// The class with this name, as in JSON.
    pub fn from_name(name: &str) -> Option<Self> {
        serde::Deserialize::deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(
            name,
        ))
        .ok()
    }
}

/// How good a source is and how credible what it says: the Admiralty code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grade {
    source: u8,
    information: u8,
}

impl Grade {
    /// `F6`: neither can be judged.
    pub const UNKNOWN: Self = Self {
        source: b'F',
        information: b'6',
    };

    /// From `B2`: source `A` (reliable) to `F` (cannot be judged), information `1` (confirmed) to `6` (cannot be judged).
    pub fn parse(text: &str) -> Option<Self> {
        let [source @ b'A'..=b'F', information @ b'1'..=b'6'] = *text.as_bytes() else {
            return None;
        };
        Some(Self { source, information })
    }

    /// The letter.
    pub const fn source(self) -> char {
        self.source as char
    }

    /// Whether the source is `A` or `B`.
    pub const fn is_reliable(self) -> bool {
        self.source <= b'B'
    }

    /// The share of a likelihood ratio that is believed, by the worse of the two marks: a judgement, not a measurement.
    pub const fn reliability(self) -> f64 {
        const SHARES: [f64; 6] = [0.98, 0.9, 0.7, 0.4, 0.1, 0.5];
        let (a, b) = (
            SHARES[(self.source - b'A') as usize % 6],
            SHARES[(self.information - b'1') as usize % 6],
        );
        if a < b { a } else { b }
    }
}

impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.source as char, self.information as char)
    }
}

impl TryFrom<String> for Grade {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no grade such as B2"))
    }
}

impl From<Grade> for String {
    fn from(grade: Grade) -> Self {
        grade.to_string()
    }
}

/// One thing that speaks for or against hypotheses.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EvidenceItem {
    /// Its class and independence key: what has the same id counts once.
    pub id: String,
    /// What kind of evidence it is.
    pub class: EvidenceClass,
    /// What was seen, in a sentence.
    pub claim: String,
    /// The findings that say so; through them the raw records. Empty for what an analyst put in.
    pub findings: Vec<FindingId>,
    /// The source and how far it is believed.
    pub grade: Grade,
    /// Whether somebody else could have planted it.
    pub forgeable: bool,
    /// Natural logarithms of its likelihood ratios, tempered and shrunk by its grade, in the order of the assessment's hypotheses.
    pub ln_ratios: Vec<f64>,
    /// The largest of them less the least.
    pub diagnosticity: f64,
    /// The probability of the leading state without this item.
    pub state_without: f64,
    /// The probability of the leading group without this item.
    pub group_without: f64,
}

/// The most that may be said with the classes of evidence at hand.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ceilings {
    /// Of a state.
    pub state: f64,
    /// Of a group.
    pub group: f64,
    /// Why, in a sentence.
    pub reason: String,
}

/// A tactic of a campaign, with when it was seen.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Phase {
    /// The tactic's name.
    pub tactic: String,
    /// Its first finding of known time.
    pub first: Timestamp,
    /// Its last.
    pub last: Timestamp,
    /// How many findings serve it.
    pub findings: usize,
}

/// Somebody who was hit, or whom the same campaign is likely to hit.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PersonAtRisk {
    /// Their id in the estate.
    pub person: String,
    /// Their name.
    pub name: String,
    /// Whether they were seen to be hit.
    pub was_hit: bool,
    /// How likely they are to be hit, or hit again.
    pub probability: f64,
    /// Why.
    pub why: String,
    /// Who told them, when and what; none as long as they are not told.
    pub told: Option<Told>,
}

/// That somebody at risk was told.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What they were advised to do.
    pub advice: String,
}

/// What an analyst adds to the evidence on a campaign.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AnalystItem {
    /// The campaign.
    pub campaign: CampaignId,
    /// What kind of evidence it is.
    pub class: EvidenceClass,
    /// Who it comes from; what comes from one source counts once in its class.
    pub source: String,
    /// What it says.
    pub claim: String,
    /// The group (id of its profile) or state (two letters) that it speaks for.
    pub supports: String,
    /// How much likelier it is if that is true than if not, at least 1/1000 and at most 1000.
    pub ratio: f64,
    /// The source and how far it is believed.
    pub grade: Grade,
    /// Whether somebody else could have planted it.
    pub forgeable: bool,
}

/// What people add to a case.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Remark {
    /// Evidence on who it was.
    Evidence(AnalystItem),
    /// A named person stands behind the judgement.
    SignOff {
        /// On this campaign.
        campaign: CampaignId,
    },
    /// Somebody judges otherwise.
    Dissent {
        /// On this campaign.
        campaign: CampaignId,
        /// What they hold, and why.
        text: String,
    },
    /// Somebody at risk was told.
    Told {
        /// Their id in the estate.
        person: String,
        /// When, by whom, what.
        told: Told,
    },
    /// Campaigns are one; it goes by the name of the first.
    Joined {
        /// The campaigns.
        campaigns: Vec<CampaignId>,
        /// Why.
        reason: String,
    },
    /// Findings of a campaign are an operation of their own.
    Parted {
        /// The findings.
        findings: Vec<FindingId>,
        /// Why.
        reason: String,
    },
    /// A campaign is called otherwise.
    Renamed {
        /// The campaign.
        campaign: CampaignId,
        /// What it is called.
        title: String,
    },
    /// A campaign is none, or nobody's concern.
    Dismissed {
        /// The campaign.
        campaign: CampaignId,
        /// What it was called.
        title: String,
        /// Why.
        reason: String,
    },
    /// Something happened that no record holds.
    Event {
        /// The campaign that it belongs to.
        campaign: CampaignId,
        /// When it happened.
        time: Timestamp,
        /// What happened.
        text: String,
    },
    /// A shape of command is usual here: it says nothing against whoever runs it.
    Usual {
        /// The shape, and for whom.
        usual: UsualShape,
        /// A command that has it.
        command: String,
        /// Why: "our deployment tool".
        reason: String,
    },
    /// A partner says something of what was seen in the case.
    Partner(PartnerSaid),
    /// An action came a step further, or was declined.
    Action {
        /// The action.
        action: ActionId,
        /// What it is, as the plan said, for when no plan says it any more.
        what: String,
        /// How far it came.
        state: ActionState,
        /// What was said of it; may be empty.
        note: String,
    },
    /// It turned out whether a judgement was right.
    Outcome {
        /// The campaign.
        campaign: CampaignId,
        /// The judgement: what it is about (`state`, `e-mail/accessed`).
        about: String,
        /// The probability that was given.
        probability: f64,
        /// Whether what it said was so.
        was_so: bool,
        /// How that is known.
        source: String,
    },
}

/// A remark with who made it when.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Noted {
    /// Its number in the case.
    pub id: i64,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// The remark.
    pub remark: Remark,
}
