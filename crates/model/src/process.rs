//! What is kept of a process start, and of what carries a user from host to host.

use crate::{EvidenceId, Keep, Position, Timestamp};

/// One step somebody took on a host: a process start, a script, a logon, a service made from afar. Small and
/// owned; kept in the case and judged in the order of time.
///
/// All names are in lower case. Every list and text is bounded by whoever fills it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ProcessFacts {
    /// The evidence that the record is in.
    pub evidence: EvidenceId,
    /// Where in that evidence.
    pub at: Position,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub act: Act,
    /// The OCSF class of the record.
    pub class: u32,
    /// The host that it happened on, its first label.
    pub host: String,
    /// Whose account, without its domain; empty where the record does not say.
    pub user: String,
    /// The logon session as that host numbers it, `0x51ab3`; empty where the record does not say.
    pub session: String,
    /// The program's file name: `certutil.exe`, `curl`.
    pub image: String,
    /// The folder it was started from, by class: `system`, `temp`, `user`.
    pub place: String,
    /// The name that its version resource carries, where the record says and it differs from the file name.
    pub original: String,
    /// Who signed it, where the record says.
    pub signer: String,
    /// The file name of the parent.
    pub parent: String,
    /// The command line with everything that varies replaced by its class: flags, verbs, `<temp>.dll`, `<url>`.
    pub skeleton: String,
    /// The command line as a person would read it, encodings undone; at most 600 bytes.
    pub command: String,
    /// All programs that stand where a command stands, without `.exe`: `cmd`, `ntdsutil`.
    pub programs: Vec<String>,
    /// What is remarkable about the command line.
    pub traits: Traits,
    /// The entries of the capability table that fit.
    pub uses: Vec<String>,
    /// Hosts and addresses that the command names.
    pub targets: Vec<String>,
    /// For a logon: its type (2 interactive, 3 network, 10 remote desktop …); 0 for everything else.
    pub logon_type: u8,
    /// For a logon: the host or address it came from. For explicit credentials: the server they were used on.
    pub peer: String,
    /// For explicit credentials, a service or a task: the account they are of.
    pub other_user: String,
}

impl Keep for ProcessFacts {
    const KIND: &'static str = "process";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

/// What a [`ProcessFacts`] tells of.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A process was started.
    #[default]
    Start,
    /// A script ran (PowerShell script block).
    Script,
    /// Somebody logged on.
    Logon,
    /// Somebody used the credentials of another account.
    ExplicitLogon,
    /// A service was installed.
    Service,
    /// A scheduled task was registered.
    Task,
    /// A share was opened.
    Share,
    /// A log was cleared, or switched off.
    LogCleared,
}

macro_rules! traits {
    ($($constant:ident = $bit:literal, $name:literal, $doc:literal;)*) => {
        impl Traits {
            $(#[doc = $doc]
            pub const $constant: Self = Self(1 << $bit);)*

            /// All traits, with their names.
            pub const ALL: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$constant, $name, $doc)),*];
        }
    };
}

/// What is remarkable about a command line: a set.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Traits(pub u64);

traits! {
    URL = 0, "url", "Names a URL.";
    URL_ADDRESS = 1, "url-address", "A URL whose host is a bare address.";
    UNC = 2, "unc", "Names a share of another machine.";
    LOOPBACK_SHARE = 3, "loopback-share", "Names a share of this machine as if it were another.";
    ADMIN_SHARE = 4, "admin-share", "Names an administrative share.";
    STREAM = 5, "stream", "Names an alternate data stream.";
    PUBLIC_FOLDER = 6, "public-folder", "Names a file in a folder where everybody may write.";
    USER_FOLDER = 7, "user-folder", "Names a file in the user's own folders.";
    PROGRAM_ARGUMENT = 8, "program-argument", "Hands a program to another program.";
    LIBRARY_ARGUMENT = 9, "library-argument", "Hands a library to a program.";
    SCRIPT_ARGUMENT = 10, "script-argument", "Hands a script or scriptlet to a program.";
    ENCODED = 11, "encoded", "Carries an encoded command.";
    BASE64 = 12, "base64", "Carries a long base64 text.";
    OBFUSCATED = 13, "obfuscated", "Written so that it does not read as what it does.";
    HIDDEN = 14, "hidden", "Runs without a window or profile.";
    POLICY_BYPASS = 15, "policy-bypass", "Steps around the script policy.";
    FETCH = 16, "fetch", "Fetches from the network in a script.";
    EVALUATE = 17, "evaluate", "Evaluates text as a script.";
    REMOTE = 18, "remote", "Acts on another machine.";
    CREDENTIALS = 19, "credentials", "Carries a password or another account.";
    TO_SHARE = 20, "to-share", "Writes its output to a share.";
    RENAMED = 21, "renamed", "The file's name is not the one it was built with.";
    ODD_PLACE = 22, "odd-place", "Started from a folder that such a program does not live in.";
    SCRIPT_TEXT = 23, "script-text", "Carries a script in its arguments.";
    ADDRESS = 24, "address", "Names a bare address.";
    PACKED = 25, "packed", "Archives or packs with a password.";
    DATA_ARGUMENT = 26, "data-argument", "Hands a settings, project or log file to a program.";
    BARE = 27, "bare", "Started with nothing after its name.";
    CUT = 28, "cut", "Longer than what is looked at.";
}

impl Traits {
    /// Whether all of `other` are in this set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in this set.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known, _)| *known == name)
            .map(|(set, _, _)| *set)
    }

    /// The names in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL
            .iter()
            .filter(move |(set, _, _)| self.any(*set))
            .map(|(_, name, _)| *name)
    }
}

impl std::fmt::Debug for Traits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
