//! The command line: one table that help, man pages and shell completions are made from.

mod respond;

pub(crate) use respond::{BlockFormat, OfCase, Respond, Stepping};

use std::path::PathBuf;

use blackrod_model::{Severity, Timestamp};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Finds hostile campaigns against the people and systems that run a democracy, and says what
/// happened, to whom, and how it is known.
#[derive(Debug, Parser)]
#[command(
    name = "blackrod",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done · 1 failed · 2 wrong usage · 3 a finding reached --fail-on · \
                  4 verification found a problem"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read evidence, find what is hostile in it, group it into campaigns, write the report
    Investigate(Investigate),
    /// Ask the case a question in SQL
    Hunt(Hunt),
    /// Write the report of a case again
    Report(Report),
    /// Look after cases: prove them unchanged, list them, join them
    #[command(subcommand)]
    Case(Case),
    /// Look after the estate file: what is protected
    #[command(subcommand)]
    Estate(Estate),
    /// Mail: one message's anatomy, invented mail to try things out with
    #[command(subcommand)]
    Mail(Mail),
    /// Campaigns: list them, and correct what was drawn together
    #[command(subcommand)]
    Campaign(Campaign),
    /// Commands that are new in the estate: list them, say which are usual
    #[command(subcommand)]
    Usual(Usual),
    /// What limits the harm of campaigns: the plan, its steps, block lists, drafts of notices
    #[command(subcommand)]
    Respond(Respond),
    /// Exchange STIX with a TAXII 2.1 server
    #[command(subcommand)]
    Taxii(Taxii),
    /// What is judged of campaigns: read it, add to it, sign it, say what turned out
    #[command(subcommand)]
    Assess(Assess),
    /// The profiles of actors that campaigns are judged with
    #[command(subcommand)]
    Actors(Actors),
    /// Canaries: invented electors that tell which copy of a register leaked
    #[command(subcommand)]
    Canary(Canary),
    /// Say what the theft of a register means for the people in it
    Harm(Harm),
    /// Judge mail while a mail server delivers it (milter), defuse it, take campaigns back
    #[cfg(unix)]
    Guard(Guard),
    /// Mail that the guard holds: look at it, let it go
    #[cfg(unix)]
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Delivered mail of campaigns: what is proposed, approve it, what was done
    #[cfg(unix)]
    #[command(subcommand)]
    Recall(Recall),
    /// List the formats of evidence that can be read
    Formats(Formats),
    /// Explain a detector or a rule: what it finds, why it matters, what it misses
    Explain(Explain),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages
    Man {
        /// The folder to write them to; the main page goes to standard output without it
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Investigate {
    /// Files, folders and archives, in any mix
    #[arg(required = true, value_name = "EVIDENCE")]
    pub(crate) evidence: Vec<PathBuf>,

    /// What is protected: people, groups, domains, systems (see `blackrod estate example`)
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,

    /// The folder of the case; made if it does not exist, continued if it does
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,

    /// Tables of autonomous systems or countries in MaxMind's format (see docs/networks.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) networks: Vec<PathBuf>,

    /// How many findings of unusual commands a day may make, for the whole estate
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) alerts_per_day: u32,

    /// Folders of Sigma rules, YARA rules and analytics (.sql), beside the ones that are built in
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Vec<PathBuf>,

    /// Indicators: STIX 2.1 bundles, CSV or plain lists, or folders of them
    #[arg(long, value_name = "FILE")]
    pub(crate) indicators: Vec<PathBuf>,

    /// Field maps for CSV and JSON logs of your own (see docs/field-maps.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) fields: Vec<PathBuf>,

    /// Folders with the marks of canaries (see `blackrod canary make`)
    #[arg(long, value_name = "DIR")]
    pub(crate) canaries: Vec<PathBuf>,

    /// Leave the built-in rules out
    #[arg(long)]
    pub(crate) no_builtin: bool,

    /// Print the summary as one JSON document
    #[arg(long)]
    pub(crate) json: bool,

    /// End with exit code 3 if there is a finding of this severity or above
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,

    /// Threads to use [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,

    /// Show no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Hunt {
    /// The question: one SELECT over events, findings, campaigns, evidence, refusals, entities
    #[arg(required_unless_present = "tables")]
    pub(crate) sql: Option<String>,

    /// The case to ask
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,

    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) format: Output,

    /// Memory the query may use, in MiB; beyond it goes to disk
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..))]
    pub(crate) memory: u32,

    /// List the tables and their columns instead
    #[arg(long)]
    pub(crate) tables: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Columns for a terminal
    Table,
    /// One JSON object per line
    Json,
    /// RFC 4180
    Csv,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The case
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,

    /// Names people in the report
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,

    /// Where to write it [default: report.html in the case; other formats go to standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// What to write
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub(crate) format: ReportFormat,

    /// Who may see the STIX bundle (Traffic Light Protocol 2.0)
    #[arg(long, value_enum, default_value_t = TlpName::Amber)]
    pub(crate) tlp: TlpName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// A page for people
    Html,
    /// The summary as one JSON document
    Json,
    /// Markdown
    Md,
    /// A STIX 2.1 bundle
    Stix,
    /// A layer for the ATT&CK Navigator
    Navigator,
    /// OCSF Detection Findings, one JSON object a line
    Ocsf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlpName {
    /// Everybody
    Clear,
    /// The community
    Green,
    /// Those who need to know
    Amber,
    /// Those who need to know in the recipients' organisations only
    #[value(name = "amber+strict")]
    AmberStrict,
    /// The recipients only
    Red,
}

impl From<TlpName> for blackrod_report::Tlp {
    fn from(name: TlpName) -> Self {
        match name {
            TlpName::Clear => Self::Clear,
            TlpName::Green => Self::Green,
            TlpName::Amber => Self::Amber,
            TlpName::AmberStrict => Self::AmberStrict,
            TlpName::Red => Self::Red,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Case {
    /// Prove that the case, and its evidence where it is still at hand, are unchanged
    Verify {
        /// The case
        #[arg(value_name = "DIR")]
        case: PathBuf,
        /// Where the evidence is now: the files and folders that were given to `investigate`
        #[arg(long, value_name = "PATH")]
        evidence: Vec<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say in short what cases hold
    List {
        /// Cases, or folders with cases in them
        #[arg(value_name = "DIR", default_value = ".")]
        folders: Vec<PathBuf>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take the evidence and findings of other cases into one
    Merge(Merge),
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// The case that grows; made if it does not exist
    #[arg(value_name = "INTO")]
    pub(crate) into: PathBuf,

    /// The cases to take in; they stay as they are
    #[arg(required = true, value_name = "FROM")]
    pub(crate) from: Vec<PathBuf>,

    /// The estate, for naming the people whom campaigns hit
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,

    /// Folders with the rules that the cases were made with, for correlating over all of them
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Estate {
    /// Say what is wrong with an estate file, all of it at once, and how to mend it
    Check {
        /// The estate file
        file: PathBuf,
    },
    /// Print an estate file to start from
    Example,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mail {
    /// Take a message apart: sender, origin, what it loads, where it leads, what speaks against it
    Inspect(Inspect),
    /// Write invented mail of an invented parliament, with hidden campaigns, and the truth about it
    Simulate(Simulate),
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A message, or a mailbox with several
    pub(crate) file: PathBuf,

    /// Only this message of a mailbox, counted from 1
    #[arg(long, value_name = "N")]
    pub(crate) record: Option<u64>,

    /// What is protected: whose names and domains a sender may pretend to
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,

    /// Print the facts as JSON, one line for each message
    #[arg(long)]
    pub(crate) json: bool,

    /// Write a page with the anatomy and the message as it looks; it loads nothing from anywhere
    #[arg(long, value_name = "OUT")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The number that everything follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where to write estate.toml, truth.json and the mail; must not hold any of them yet
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// People of the parliament
    #[arg(long, value_name = "N", default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(60..=50_000))]
    pub(crate) people: u32,

    /// Days of mail
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(2..=365))]
    pub(crate) days: u32,

    /// Messages in all, beside the thin history before the first day; 1,100,000 is a full run
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(500..=20_000_000))]
    pub(crate) messages: u32,

    /// Hidden campaigns
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) campaigns: u32,

    /// Write a file for each message, in a folder for each day, instead of one mailbox
    #[arg(long)]
    pub(crate) eml: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Guard {
    /// The configuration (see docs/guard.md)
    #[arg(long, value_name = "FILE", default_value = "/etc/blackrod/guard.toml")]
    pub(crate) config: PathBuf,

    /// Say what is wrong with the configuration, the estate and the rules, and end
    #[arg(long)]
    pub(crate) check_config: bool,
}

/// Which guard's state is meant.
#[derive(Debug, Args)]
pub(crate) struct OfGuard {
    /// The guard's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/blackrod/guard.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List what is held, latest first
    List {
        #[command(flatten)]
        of: OfGuard,
        /// Only what has this in its sender, recipients, subject or reason
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one message as its reader would see it; nothing is loaded from anywhere
    Show {
        #[command(flatten)]
        of: OfGuard,
        /// The beginning of its id
        id: String,
        /// Write a page instead
        #[arg(long, value_name = "OUT")]
        html: Option<PathBuf>,
    },
    /// Deliver one after all
    Release {
        #[command(flatten)]
        of: OfGuard,
        /// The beginning of its id
        id: String,
        /// Who decided it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Only to this recipient
        #[arg(long, value_name = "ADDRESS")]
        to: Vec<String>,
    },
    /// Delete what is held for longer than the configuration says
    Expire {
        #[command(flatten)]
        of: OfGuard,
        /// Days, instead of the configuration's
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Recall {
    /// List what is proposed, approved and done
    List {
        #[command(flatten)]
        of: OfGuard,
        /// Only of this campaign
        #[arg(long, value_name = "KEY")]
        campaign: Option<String>,
    },
    /// Look what would be taken back; changes nothing
    DryRun {
        #[command(flatten)]
        of: OfGuard,
        /// The campaign
        #[arg(long, value_name = "KEY")]
        campaign: String,
    },
    /// Approve what is proposed for a campaign; a running guard does it within seconds
    Approve {
        #[command(flatten)]
        of: OfGuard,
        /// The campaign
        #[arg(long, value_name = "KEY")]
        campaign: String,
        /// Who decided it
        #[arg(long, value_name = "NAME")]
        by: String,
    },
    /// Count delivered, opened, taken back, and how long it took
    Report {
        #[command(flatten)]
        of: OfGuard,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Formats {
    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A detector's code (as in the report) or a rule's id; all codes without it
    pub(crate) code: Option<String>,

    /// Folders with further rules to look in
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Vec<PathBuf>,
}

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

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{text} is no time such as 2021-01-22T10:30:00Z"))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Usual {
    /// Print the commands that are new in the last week of a case's evidence, those first that speak most for an intruder
    List {
        /// The case
        #[arg(long, value_name = "DIR")]
        case: PathBuf,
        /// Print as JSON, with what was said to be usual
        #[arg(long)]
        json: bool,
    },
    /// Say that commands are usual: they say nothing against whoever runs them; what a rule finds is found as before
    Add {
        #[command(flatten)]
        at: Remarking,
        /// Why
        #[arg(long)]
        reason: String,
        /// Only for this account; for everybody without it
        #[arg(long = "account", value_name = "NAME")]
        accounts: Vec<String>,
        /// The commands, each by the beginning of its id
        #[arg(required = true, value_name = "ID")]
        shapes: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Taxii {
    /// List the collections of an API root
    Collections {
        #[command(flatten)]
        server: TaxiiServer,
    },
    /// Fetch a collection as a STIX bundle, which `--indicators` reads
    Pull {
        #[command(flatten)]
        server: TaxiiServer,
        /// The collection's id
        #[arg(long, value_name = "ID")]
        collection: String,
        /// Only what was added after this: the time that the last pull printed
        #[arg(long, value_name = "TIME")]
        added_after: Option<String>,
        /// Where to write the bundle
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Share a case as STIX
    Push {
        #[command(flatten)]
        server: TaxiiServer,
        /// The collection's id
        #[arg(long, value_name = "ID")]
        collection: String,
        /// The case
        #[arg(long, value_name = "DIR")]
        case: PathBuf,
        /// Names institutions
        #[arg(long, value_name = "FILE")]
        estate: Option<PathBuf>,
        /// Who may see it (Traffic Light Protocol 2.0)
        #[arg(long, value_enum, default_value_t = TlpName::Amber)]
        tlp: TlpName,
    },
}

#[derive(Args, Debug)]
pub(crate) struct TaxiiServer {
    /// The API root, such as https://taxii.example/partners/
    #[arg(value_name = "URL")]
    pub(crate) root: String,

    /// A user's name; the password is the first line of --secret
    #[arg(long, value_name = "NAME", requires = "secret")]
    pub(crate) user: Option<String>,

    /// A file whose first line is the password, or without --user a bearer token
    #[arg(long, value_name = "FILE")]
    pub(crate) secret: Option<PathBuf>,

    /// Trust this certificate authority (PEM) instead of the public ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
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

#[derive(Debug, Subcommand)]
pub(crate) enum Canary {
    /// Invent electors for one copy of a register, and write what they are recognised by
    Make(CanaryMake),
}

#[derive(Debug, Args)]
pub(crate) struct CanaryMake {
    /// What the register looks like: a CSV with its header and some hundred of its rows
    #[arg(long, value_name = "CSV")]
    pub(crate) register: PathBuf,

    /// Who gets the copy: a name of your own for it
    #[arg(long, value_name = "NAME")]
    pub(crate) copy: String,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,

    /// Numbers of the register that nobody has, to give to them, such as 1300001-1390000
    #[arg(long, value_name = "FROM-TO")]
    pub(crate) numbers: Option<String>,

    /// The folder for the key, the marks and the records; a key that is there is used
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Harm {
    /// The columns that were taken; all of the sample's without it
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) taken: Vec<String>,

    /// Rows of the register as CSV with a header, drawn by chance, or all of them
    #[arg(long, value_name = "CSV", required_unless_present = "statistics")]
    pub(crate) sample: Option<PathBuf>,

    /// How many people live in each smallest area that was taken, one number a line, instead of a sample
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub(crate) statistics: Option<PathBuf>,

    /// How many people are in the register
    #[arg(long, value_name = "N")]
    pub(crate) records: u64,

    /// How much of it was taken, in percent, from at least to at most, as the finding says
    #[arg(long, value_name = "FROM-TO", default_value = "100-100")]
    pub(crate) share: String,

    /// The day on which it was taken, to tell who was a child
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) day: Option<String>,

    /// What the register is called
    #[arg(long, value_name = "NAME", default_value = "the register")]
    pub(crate) name: String,

    /// Write the list of the people in groups at high risk too: names, from the sample
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,

    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
