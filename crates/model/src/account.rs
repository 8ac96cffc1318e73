//! What is kept of a record about an account.

use std::net::IpAddr;

use crate::{EvidenceId, Keep, Position, Timestamp};

/// Something that an account did, or that was done to it: a sign-in, a mailbox read, a change of rights.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct AccountAct {
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it happened.
    pub time: Timestamp,
    /// What kind of activity the record is.
    pub class: u32,
    /// Who acted, in lower case, without a Windows domain.
    pub user: String,
    /// Whose mailbox or account it was, where that is somebody else.
    pub target: Option<String>,
    /// The address that it came from.
    pub address: Option<IpAddr>,
    /// The program that it came with, at most 200 bytes.
    pub agent: Option<String>,
    /// The session that it was part of.
    pub session: Option<String>,
    /// What it was.
    pub kind: ActKind,
    /// What was seen, for people, at most 300 bytes.
    pub detail: String,
    /// How many messages or files the record tells of; 0 where it counts nothing.
    pub items: u32,
    /// How suspicious it is by itself, in points; 0 for what is done every day. Of a sign-in: the risk that the
    /// service itself saw, 1 medium, 2 high.
    pub points: u8,
    /// The autonomous system that the log says it came from; 0 where it says none.
    pub system: u32,
    /// The country that the log says it came from, two letters.
    pub country: Option<String>,
    /// How credentials were given.
    pub means: Means,
}

/// How an account gave its credentials, where that matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Means {
    /// As usual, or not said.
    #[default]
    Usual,
    /// Over a protocol that knows passwords only: IMAP, POP, authenticated SMTP.
    OldProtocol,
    /// Name and password handed to the token service by a program, which cannot ask for a second factor.
    PasswordOnly,
    /// A code that was typed in on another device.
    DeviceCode,
}

/// What an account did, or what was done to it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ActKind {
    /// Signed in.
    #[default]
    SignIn,
    /// Gave a wrong password, or was locked for giving several.
    WrongPassword,
    /// No such account.
    NoSuchUser,
    /// The second factor was refused, or nobody answered.
    FactorRefused,
    /// Did not sign in for another reason.
    NotSignedIn,
    /// Messages were read one by one (`MailItemsAccessed`, Bind).
    MailRead,
    /// A folder was copied whole (`MailItemsAccessed`, Sync).
    MailSynchronised,
    /// So much was read that the log stopped counting (`IsThrottled`).
    MailReadUncounted,
    /// A rule of a mailbox was made or changed.
    MailboxRule,
    /// Mail is sent on to elsewhere.
    Forwarding,
    /// Somebody else may open a mailbox or send in its name.
    Delegation,
    /// An application was allowed to act for the account or for all.
    Consent,
    /// A secret or certificate was given to an application.
    ApplicationSecret,
    /// A role or group with rights was given.
    RoleGiven,
    /// A means of signing in was added, changed or switched off.
    FactorChanged,
    /// Something that watches was switched off.
    WatchingOff,
    /// A device was joined to the account.
    DeviceJoined,
    /// The account was made.
    AccountMade,
    /// The account got another password.
    PasswordChanged,
}

impl ActKind {
    /// Whether it is a sign-in, or an attempt at one.
    #[must_use]
    pub const fn is_sign_in(self) -> bool {
        matches!(
            self,
            Self::SignIn | Self::WrongPassword | Self::NoSuchUser | Self::FactorRefused | Self::NotSignedIn
        )
    }
}

impl Keep for AccountAct {
    const KIND: &'static str = "account/2";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}
