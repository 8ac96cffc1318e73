//! `blackrod respond` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Remarking, TlpName};

#[derive(Debug, Subcommand)]
pub(crate) enum Respond {
    /// Print what is proposed about the campaigns of a case, and how far it has come
    Plan {
        #[command(flatten)]
        of: OfCase,
        /// Only what this campaign calls for, by the beginning of its id
        #[arg(long, value_name = "ID")]
        campaign: Option<String>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that actions may be done
    Approve(Stepping),
    /// Say that actions were done; of somebody who was told, --note is what they were advised
    Done(Stepping),
    /// Say that somebody looked and actions hold
    Verify(Stepping),
    /// Say that actions are not done, and why
    Decline(Stepping),
    /// Print what is approved for blocking, for a mail server, a name server, a firewall or partners
    Lists {
        #[command(flatten)]
        of: OfCase,
        /// For what
        #[arg(long, value_enum)]
        format: BlockFormat,
        /// Take in what is proposed and not yet decided on
        #[arg(long)]
        proposed: bool,
        /// The name of the response policy zone
        #[arg(long, value_name = "NAME", default_value = "rpz.invalid")]
        zone: String,
        /// What Postfix does with senders: REJECT, HOLD, DISCARD …
        #[arg(long, value_name = "ACTION", default_value = "REJECT")]
        action: String,
        /// Who may see what is written for partners (Traffic Light Protocol 2.0)
        #[arg(long, value_enum, default_value_t = TlpName::Amber)]
        tlp: TlpName,
    },
    /// Write drafts of messages to people who got mail of a campaign; nothing is sent
    Notices {
        #[command(flatten)]
        of: OfCase,
        /// Who answers questions: a name, a telephone number
        #[arg(long, value_name = "TEXT")]
        contact: String,
        /// A text instead of the built-in one; {messages} and {contact} are filled in
        #[arg(long, value_name = "FILE")]
        template: Option<PathBuf>,
        /// The folder that the drafts are written to, one file each (RFC 5322, marked as not sent)
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
    },
    /// Print the messages of mail campaigns in each mailbox of the estate, one JSON object a line
    Messages {
        #[command(flatten)]
        of: OfCase,
    },
}

/// A case with the estate that says what is one's own.
#[derive(Args, Debug)]
pub(crate) struct OfCase {
    /// The case
    #[arg(long, value_name = "DIR")]
    pub(crate) case: PathBuf,

    /// The estate that the case was made with: nothing of it is ever proposed for blocking
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Stepping {
    #[command(flatten)]
    pub(crate) at: Remarking,

    /// What is to be said of it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) note: String,

    /// The actions, each by the beginning of its id
    #[arg(required = true, value_name = "ID")]
    pub(crate) actions: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BlockFormat {
    /// A table of senders for Postfix's check_sender_access
    Postfix,
    /// A response policy zone for a name server
    Rpz,
    /// Sets and chains for nftables
    Nftables,
    /// Indicators as a STIX 2.1 bundle
    Stix,
}
