//! What is kept of a record about a server that is reached from outside.

use std::net::IpAddr;

use crate::{EvidenceId, Keep, Position, Timestamp};

/// Something that a mail or web server was asked, or that it did, and that servers are not asked or do not do every day.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ServerAct {
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it happened.
    pub time: Timestamp,
    /// What kind of activity the record is.
    pub class: u32,
    /// The server's name as the record has it, in lower case; empty where it names none.
    pub host: String,
    /// The server's own address, where the record names it.
    pub address: Option<IpAddr>,
    /// Who asked.
    pub client: Option<IpAddr>,
    /// The account that acted or was signed in, in lower case; empty for none.
    pub user: String,
    /// What it was.
    pub kind: ServerActKind,
    /// What exactly: the id of the attack, the page, the program, the command, the file; at most 300 bytes.
    pub what: String,
    /// What was seen, for people, at most 400 bytes.
    pub detail: String,
    /// The HTTP status of the answer; 0 where there is none.
    pub status: u16,
    /// Whether something was sent (POST, PUT) and no page led there.
    pub sent_unled: bool,
}

/// What a server was asked or did.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ServerActKind {
    /// A request in the form of a known attack was answered.
    #[default]
    AttackAnswered,
    /// A request in the form of a known attack was refused, or its answer says nothing.
    AttackTried,
    /// A virtual directory was given an address that holds a script.
    DirectoryWithScript,
    /// A server page was written into a folder that is served.
    PageWritten,
    /// A server page in a folder that holds none was asked for, and answered.
    OddPageAsked,
    /// The web server started a program that servers do not start.
    ProgramStarted,
    /// The right to export or open mailboxes was given.
    RightGiven,
    /// A mailbox was exported.
    MailboxExported,
    /// A mailbox file or an archive was put into a folder that is served.
    DataPlaced,
    /// The traces of an export were removed.
    TracesRemoved,
}

impl Keep for ServerAct {
    const KIND: &'static str = "server";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}
