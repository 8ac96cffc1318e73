//! Shapes of commands: what stays the same when the same thing is run again, what of it is new, what somebody said is
//! usual.

use crate::{Sha256, Timestamp};

/// What stays the same of a command when it is run again.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct CommandShape {
    /// The program's file name, lower case: `certutil.exe`.
    pub image: String,
    /// Its command line with what varies replaced by its class: `certutil -urlcache -f <url>.exe <temp>.exe`.
    pub skeleton: String,
}

impl CommandShape {
    /// A short name for it, the same in every case: twelve hexadecimal digits.
    pub fn id(&self) -> String {
        let digest = Sha256::of_parts([self.image.as_bytes(), self.skeleton.as_bytes()]);
        let digits = digest.0.iter().take(6).map(|byte| format!("{byte:02x}"));
        digits.collect()
    }
}

/// A shape that was first seen in the last week of the evidence, for somebody to say whether it is usual.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct NewShape {
    /// The shape.
    pub shape: CommandShape,
    /// The command that was first seen with it, at most 600 bytes.
    pub command: String,
    /// When that was.
    pub first: Timestamp,
    /// How often it was seen since.
    pub times: u64,
    /// On which hosts, first to last; at most eight.
    pub hosts: Vec<String>,
    /// By which accounts; a host with `$` for the machine itself. First to last; at most eight.
    pub accounts: Vec<String>,
    /// What it was worth when it was first seen, as a natural logarithm of a likelihood ratio.
    pub score: f32,
    /// What it can be abused for.
    pub can: Vec<String>,
}

/// A shape that somebody said is usual.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UsualShape {
    /// The shape.
    pub shape: CommandShape,
    /// For which accounts, lower case; for all where there are none.
    pub accounts: Vec<String>,
}

impl UsualShape {
    /// Whether `account` may run it.
    pub fn is_for(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.iter().any(|known| known == account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_tell_shapes_apart() {
        let shape = |image: &str, skeleton: &str| CommandShape {
            image: image.to_owned(),
            skeleton: skeleton.to_owned(),
        };
        let id = shape("a.exe", "b").id();
        assert_eq!(id.len(), 12);
        assert_eq!(id, shape("a.exe", "b").id());
        assert_ne!(id, shape("a.ex", "eb").id());
    }
}
