//! `blackrod campaign`, `assess` and `actors` on the command line.

use std::path::PathBuf;

use blackrod_model::Timestamp;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Campaign {
    /// Print the campaigns of a case, strongest first
    List {
        /// The case
        #[arg(long, value_name = "DIR")]
        case: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make one of several campaigns; it goes by the first
    Merge {
        #[command(flatten)]
        at: Remarking,
        /// Why
        #[arg(long)]
        reason: String,
        /// The campaigns, each by the beginning of its id
        #[arg(required = true, num_args = 2.., value_name = "ID")]
        campaigns: Vec<String>,
    },
    /// Make a campaign of its own out of the findings that name something
    Split {
        #[command(flatten)]
        at: Remarking,
        /// Why
        #[arg(long)]
        reason: String,
        /// The campaign, by the beginning of its id
        #[arg(value_name = "ID")]
        campaign: String,
        /// Accounts, hosts, addresses: findings that name one of these are split off
        #[arg(required = true, value_name = "VALUE")]
        naming: Vec<String>,
    },
    /// Call a campaign otherwise
    Rename {
        #[command(flatten)]
        at: Remarking,
        /// The campaign, by the beginning of its id
        #[arg(value_name = "ID")]
        campaign: String,
        /// What it is called
        title: String,
    },
    /// Say that a campaign is none
    Dismiss {
        #[command(flatten)]
        at: Remarking,
        /// The campaign, by the beginning of its id
        #[arg(value_name = "ID")]
        campaign: String,
        /// Why
        reason: String,
    },
    /// Add what happened and no record holds, such as a telephone call
    Event {
        #[command(flatten)]
        at: Remarking,
        /// The campaign, by the beginning of its id
        #[arg(value_name = "ID")]
        campaign: String,
        /// When, in UTC: 2021-01-22T10:30:00Z
        #[arg(long, value_name = "TIME", value_parser = time)]
        time: Timestamp,
        /// What happened
        text: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Assess {
    /// Print the judgements of a case
    Show {
        /// The case
        #[arg(long, value_name = "DIR")]
        case: PathBuf,
        /// One campaign, by the beginning of its id
        #[arg(long, value_name = "ID")]
        campaign: Option<String>,
        /// Whose words for probabilities
        #[arg(long, value_enum, default_value_t = ScaleName::Phia)]
        scale: ScaleName,
        /// Print as JSON, with the whole matrix
        #[arg(long)]
        json: bool,
    },
    /// Print what changed from version to version
    Versions {
        /// The case
        #[arg(long, value_name = "DIR")]
        case: PathBuf,
        /// The campaign, by the beginning of its id
        #[arg(long, value_name = "ID")]
        campaign: String,
    },
    /// Add evidence on who it was that no record of the case holds
    Add(AddEvidence),
    /// Stand behind the judgement of a campaign by name
    Sign {
        #[command(flatten)]
        at: Remarking,
        /// The campaign, by the beginning of its id
        #[arg(long, value_name = "ID")]
        campaign: String,
    },
    /// Record that somebody judges otherwise, and why
    Dissent {
        #[command(flatten)]
        at: Remarking,
        /// The campaign, by the beginning of its id
        #[arg(long, value_name = "ID")]
        campaign: String,
        /// What they hold
        text: String,
    },
    /// Record that a person at risk was told
    Told {
        #[command(flatten)]
        at: Remarking,
        /// Their id in the estate
        #[arg(long)]
        person: String,
        /// What they were advised to do
        advice: String,
    },
    /// Take a remark back
    Undo {
        #[command(flatten)]
        at: Remarking,
        /// Its number
        number: i64,
    },
    /// Record what turned out
    Resolve {
        #[command(flatten)]
        at: Remarking,
        /// The campaign, by the beginning of its id
        #[arg(long, value_name = "ID")]
        campaign: String,
        /// Which judgement: `state`, `group`, `e-mail/accessed` …
        #[arg(long)]
        about: String,
        /// Whether what it says was so
        #[arg(long, action = clap::ArgAction::Set)]
        was_so: bool,
        /// How that is known
        source: String,
    },
    /// Say how often judgements came true, beside how often they said they would
    Calibration {
        /// The cases
        #[arg(required = true, value_name = "DIR")]
        cases: Vec<PathBuf>,
    },
}

/// What every remark needs.
#[derive(Debug, Args)]
pub(crate) struct Remarking {
    /// The case
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,

    /// Who says so
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,

    /// The estate that the case was made with: whom campaigns hit is judged anew
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AddEvidence {
    #[command(flatten)]
    pub(crate) at: Remarking,

    /// The campaign, by the beginning of its id
    #[arg(long, value_name = "ID")]
    pub(crate) campaign: String,

    /// What kind: technique, tool, malware, infrastructure, victimology, timing-language, non-public
    #[arg(long)]
    pub(crate) class: String,

    /// Who it comes from; what comes from one source counts once
    #[arg(long)]
    pub(crate) source: String,

    /// The actor, or the state by two letters, that it speaks for
    #[arg(long)]
    pub(crate) supports: String,

    /// How many times likelier it is if that is true than if it is not
    #[arg(long)]
    pub(crate) ratio: f64,

    /// Source and information in the Admiralty code, such as B2
    #[arg(long)]
    pub(crate) grade: String,

    /// Nobody else could have planted it
    #[arg(long)]
    pub(crate) hard_to_forge: bool,

    /// What it says
    pub(crate) claim: String,
}

/// A scale of words for probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScaleName {
    /// The UK's yardstick (PHIA)
    Phia,
    /// US Intelligence Community Directive 203
    Icd203,
    /// STIX 2.1
    Stix,
}

impl From<ScaleName> for blackrod_model::assessment::Scale {
    fn from(name: ScaleName) -> Self {
        match name {
            ScaleName::Phia => Self::Phia,
            ScaleName::Icd203 => Self::Icd203,
            ScaleName::Stix => Self::Stix,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Actors {
    /// List all profiles
    List,
    /// Show one
    Show {
        /// Its name, an alias, or its id in ATT&CK
        name: String,
    },
    /// Draw what ATT&CK says in the profiles of a folder anew; what people wrote stays
    Update {
        /// MITRE ATT&CK as a STIX bundle
        bundle: PathBuf,
        /// Which version it is, `18.1`
        #[arg(long, value_name = "VERSION")]
        release: String,
        /// The folder of profiles
        #[arg(long, value_name = "DIR", default_value = "content/actors")]
        folder: PathBuf,
    },
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{text} is no time such as 2021-01-22T10:30:00Z"))
}
