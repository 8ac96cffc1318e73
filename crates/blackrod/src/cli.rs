//! The command line: one table that help, man pages and shell completions are made from.

mod assess;
mod mail;
mod register;
mod respond;

pub(crate) use assess::{Actors, AddEvidence, Assess, Campaign, Remarking};
pub(crate) use mail::{Guard, Inspect, Mail, OfGuard, Quarantine, Recall, Simulate};
pub(crate) use register::{Canary, CanaryMake, Harm};
pub(crate) use respond::{BlockFormat, OfCase, Respond, Stepping};

use std::path::PathBuf;

use blackrod_model::Severity;
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

    /// Records of the DNS (a zone file, or what `dig +noall +answer` printed): the origin of mail is checked by them where no
    /// server of the estate's did
    #[arg(long, value_name = "FILE")]
    pub(crate) dns: Vec<PathBuf>,

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
