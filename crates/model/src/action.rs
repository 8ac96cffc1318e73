//! What is to be done about campaigns, and how far it has come.

use std::fmt;

use crate::{CampaignId, FindingId, Sha256, Timestamp};

/// Names an action: `A-` and the first digits of a digest of the measure and what it is taken on, so that it keeps its name
/// and its state while campaigns grow, merge or split.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ActionId(String);

impl ActionId {
    /// The id of `measure` taken on `subject`.
    pub fn new(measure: &str, subject: &str) -> Self {
        let digest = Sha256::of_parts([measure.as_bytes(), subject.as_bytes()]).to_string();
        Self(format!("A-{}", &digest[..10]))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What is to be done about the campaigns of a case.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// By kind, those that the strongest campaigns call for first.
    pub actions: Vec<Action>,
    /// What was decided about actions that no campaign calls for any more.
    pub former: Vec<Former>,
    /// What is not in the plan, and why.
    pub left_out: Vec<String>,
}

/// An action that no campaign calls for any more.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Former {
    /// Its name.
    pub id: ActionId,
    /// What it was.
    pub what: String,
    /// Who did what with it.
    pub steps: Vec<ActionStep>,
}

/// One thing to be done. Nothing is done before somebody approved it, and nothing is done by blackrod.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Action {
    /// Its name in the case.
    pub id: ActionId,
    /// What kind of thing it is.
    pub kind: ActionKind,
    /// The measure, by its id in `content/respond/measures.toml`.
    pub measure: String,
    /// What it is taken on: an address, a name, an account, a host, a person's id, a mail campaign's key.
    pub subject: String,
    /// The campaigns that call for it, strongest first.
    pub campaigns: Vec<CampaignId>,
    /// What to do, as an instruction.
    pub what: String,
    /// Why, with what was seen.
    pub why: String,
    /// What to look at first, because it may do harm itself; may be empty.
    pub care: String,
    /// ATT&CK techniques that it answers, sorted.
    pub attack: Vec<String>,
    /// The findings that call for it, gravest first, some of them.
    pub findings: Vec<FindingId>,
    /// Who did what with it, first to last; without any it is proposed.
    pub steps: Vec<ActionStep>,
}

impl Action {
    /// How far it has come.
    pub fn state(&self) -> ActionState {
        self.steps.last().map_or(ActionState::Proposed, |step| step.state)
    }
}

/// What kind of thing is to be done, in the order in which plans tell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// An account is put out of the reach of whoever has it.
    Account,
    /// A computer is cut off and secured.
    Host,
    /// Messages are taken out of mailboxes.
    Purge,
    /// Addresses, names or senders are blocked.
    Block,
    /// Somebody is told.
    Notify,
    /// What let them in is mended.
    Fix,
}

impl ActionKind {
    /// All, in the order of plans.
    pub const ALL: [Self; 6] = [
        Self::Account,
        Self::Host,
        Self::Purge,
        Self::Block,
        Self::Notify,
        Self::Fix,
    ];

    /// As a heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Account => "Secure accounts",
            Self::Host => "Secure computers",
            Self::Purge => "Take messages back",
            Self::Block => "Block",
            Self::Notify => "Tell people",
            Self::Fix => "Mend",
        }
    }
}

/// How far an action has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionState {
    /// The plan says so, nobody else yet.
    Proposed,
    /// Somebody may do it.
    Approved,
    /// Somebody did it.
    Done,
    /// Somebody looked whether it holds.
    Verified,
    /// Somebody decided that it is not done.
    Declined,
}

impl ActionState {
    /// `approved`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Verified => "verified",
            Self::Declined => "declined",
        }
    }

    /// Whether the step from `self` to `next` can be taken: nothing is done unapproved, nothing verified that was not done.
    pub const fn allows(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Proposed | Self::Declined, Self::Approved)
                | (Self::Proposed | Self::Approved, Self::Declined)
                | (Self::Approved, Self::Done)
                | (Self::Done, Self::Verified)
        )
    }

    /// Whether it is to be in force: approved, and everything after.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::Done | Self::Verified)
    }
}

/// A step of an action.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ActionStep {
    /// How far it came.
    pub state: ActionState,
    /// Who took it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they said; may be empty.
    pub note: String,
    /// The remark of the case that holds it; `blackrod assess undo` takes it back.
    pub remark: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_done_unapproved() {
        use ActionState::{Approved, Declined, Done, Proposed, Verified};
        assert!(Proposed.allows(Approved) && Approved.allows(Done) && Done.allows(Verified));
        assert!(!Proposed.allows(Done) && !Approved.allows(Verified) && !Declined.allows(Done));
        assert!(Declined.allows(Approved));
        assert_eq!(ActionId::new("a", "b"), ActionId::new("a", "b"));
        assert_ne!(ActionId::new("a", "bc"), ActionId::new("ab", "c"));
    }
}
