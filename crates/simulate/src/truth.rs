//! What is hidden where.

/// How a campaign is hosted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hosts {
    /// Hosts of its own.
    Own,
    /// Images on a reputable host; only links have tokens, on hosts of its own.
    Reputable,
    /// The account of a partner that was taken over; images on hosts of its own.
    Partner,
    /// One account at a shared mass-mail service.
    OneAccount,
    /// Several accounts at one shared mass-mail service.
    SeveralAccounts,
    /// Newspapers founded for it, each with pictures on a domain of its own, through one mass-mail service.
    Fronts,
}

impl Hosts {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Own,
        Self::Reputable,
        Self::Partner,
        Self::OneAccount,
        Self::SeveralAccounts,
        Self::Fronts,
    ];

    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own hosts",
            Self::Reputable => "images on a reputable host",
            Self::Partner => "compromised partner's account",
            Self::OneAccount => "shared service, one account",
            Self::SeveralAccounts => "shared service, several accounts",
            Self::Fronts => "fronts with domains of their own",
        }
    }
}

/// A hidden campaign.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct HiddenCampaign {
    /// Its number in the run, from 0.
    pub number: usize,
    /// How it is hosted.
    pub hosts: Hosts,
    /// The id of the group that it is after.
    pub group: String,
    /// How many of its recipients are in that group.
    pub in_group: usize,
    /// How many identities send it.
    pub identities: usize,
    /// Whom it goes to.
    pub recipients: Vec<String>,
    /// `List-Unsubscribe:` is there.
    pub unsubscribe: bool,
    /// The image that tells of opening is the headline picture.
    pub headline_image: bool,
    /// How its texts differ.
    pub texts: String,
    /// Its messages by Message-ID, in the order of time.
    pub messages: Vec<String>,
    /// Seconds since 1970-01-01 UTC of the first message.
    pub begins: i64,
    /// And of the last one.
    pub ends: i64,
}

/// The truth about a run.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Truth {
    /// The seed.
    pub seed: u64,
    /// What was assumed.
    pub assumptions: crate::Assumptions,
    /// The hidden campaigns.
    pub campaigns: Vec<HiddenCampaign>,
}
