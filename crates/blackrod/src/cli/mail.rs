//! `blackrod mail`, `guard`, `quarantine` and `recall` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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

    /// Records of the DNS (a zone file, or what `dig +noall +answer` printed): the origin of mail is checked by them where no
    /// server of the estate's did
    #[arg(long, value_name = "FILE")]
    pub(crate) dns: Vec<PathBuf>,

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
