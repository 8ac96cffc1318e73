//! What findings share.

use std::fmt;

/// Something that several findings can have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its name in a canonical form: hosts, domains, addresses and hashes in lower case, paths with
    /// their drive and case folded.
    pub value: String,
}

impl Entity {
    /// An entity whose value is folded to lower case and trimmed; `None` if nothing remains or the
    /// value is too long to be a name (over 1,024 bytes).
    pub fn new(kind: EntityKind, value: &str) -> Option<Self> {
        let trimmed = value.trim().trim_end_matches('\0');
        if trimmed.is_empty() || trimmed == "-" || trimmed.len() > 1_024 {
            return None;
        }
        Some(Self {
            kind,
            value: trimmed.to_lowercase(),
        })
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.value)
    }
}

macro_rules! kinds {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// What an [`Entity`] is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EntityKind {
            $(#[doc = $doc] $variant,)*
        }

        impl EntityKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in snake case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.name() == name)
            }
        }
    };
}

kinds! {
    Account = "account", "A user account, without its domain.";
    Address = "address", "A mail address.";
    Host = "host", "A computer's name.";
    Ip = "ip", "An IPv4 or IPv6 address.";
    Domain = "domain", "A DNS name.";
    Url = "url", "A URL.";
    File = "file", "A file's path or name.";
    Hash = "hash", "A digest of a file, hexadecimal.";
    Process = "process", "The path of a program that ran.";
    Session = "session", "A logon or web session, with the host that numbered it.";
    MessageId = "message_id", "A mail's Message-ID.";
    MailCampaign = "mail_campaign", "The key of a mail campaign.";
}
