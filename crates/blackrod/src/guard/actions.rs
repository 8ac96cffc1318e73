//! What is done in mailboxes: proposed → approved → done → verified, with who and when.
//!
//! The state folder holds it as `actions.jsonl`, one line for each step, only ever appended to.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use blackrod_model::{EvidenceId, Timestamp};
use serde::{Deserialize, Serialize};

use super::config::RecallKind;

/// One message in one mailbox, and what is to become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Action {
    pub(crate) kind: RecallKind,
    pub(crate) campaign: String,
    pub(crate) evidence: EvidenceId,
    pub(crate) mailbox: String,
    /// When it was delivered, RFC 3339.
    pub(crate) delivered: String,
}

/// How far an action has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Proposed,
    Approved,
    Done,
    /// Looked for again, and it is as it should be.
    Verified,
    /// The message is not in the mailbox: never delivered there, or moved or deleted by its reader.
    Missing,
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    /// The message and the mailbox.
    pub(crate) id: String,
    pub(crate) state: State,
    pub(crate) by: String,
    /// RFC 3339.
    pub(crate) at: String,
    /// Whether its reader had seen it (`\Seen`), where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opened: Option<bool>,
    /// With the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
}

/// An action with its steps.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub(crate) action: Action,
    pub(crate) steps: Vec<Step>,
}

impl Tracked {
    pub(crate) fn state(&self) -> State {
        self.steps.last().map_or(State::Proposed, |step| step.state)
    }

    pub(crate) fn opened(&self) -> Option<bool> {
        self.steps.iter().find_map(|step| step.opened)
    }

    pub(crate) fn done_at(&self) -> Option<&str> {
        let done = self.steps.iter().find(|step| step.state == State::Done);
        done.map(|step| step.at.as_str())
    }
}

/// All actions.
pub(crate) struct Actions {
    path: PathBuf,
    all: BTreeMap<String, Tracked>,
}

impl Actions {
    pub(crate) fn open(state: &Path) -> io::Result<Self> {
        let mut actions = Self {
            path: state.join("actions.jsonl"),
            all: BTreeMap::new(),
        };
        actions.reload()?;
        Ok(actions)
    }

    /// Reads what others have added: `blackrod recall approve` writes to the same file.
    pub(crate) fn reload(&mut self) -> io::Result<()> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        self.all.clear();
        // A line that a kill cut short is no step.
        for line in text.split(|byte| *byte == b'\n') {
            if let Ok(step) = serde_json::from_slice::<Step>(line) {
                self.take(step);
            }
        }
        Ok(())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Tracked)> {
        self.all.iter()
    }

    pub(crate) fn in_state(&self, state: State) -> Vec<(String, Action)> {
        let some = self.all.iter().filter(|(_, tracked)| tracked.state() == state);
        some.map(|(id, tracked)| (id.clone(), tracked.action.clone()))
            .collect()
    }

    /// Proposes actions; those that are known already are left as they are. Gives back the ids of new ones.
    pub(crate) fn propose(&mut self, actions: Vec<Action>, by: &str) -> io::Result<Vec<String>> {
        let mut steps = Vec::new();
        for action in actions {
            let id = id_of(&action);
            if !self.all.contains_key(&id) {
                steps.push(Step {
                    action: Some(action),
                    ..step(&id, State::Proposed, by)
                });
            }
        }
        let ids = steps.iter().map(|step| step.id.clone()).collect();
        self.add(steps)?;
        Ok(ids)
    }

    /// Takes a step for each of `ids`.
    pub(crate) fn step(&mut self, ids: &[String], state: State, by: &str) -> io::Result<()> {
        self.add(ids.iter().map(|id| step(id, state, by)).collect())
    }

    /// Writes steps down, then counts them as taken.
    pub(crate) fn add(&mut self, steps: Vec<Step>) -> io::Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for step in &steps {
            // A newline first ends what a kill may have left in the middle of a line.
            lines.push(b'\n');
            serde_json::to_writer(&mut lines, step)?;
        }
        lines.push(b'\n');
        let mut file: File = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(&lines)?;
        file.sync_data()?;
        steps.into_iter().for_each(|step| self.take(step));
        Ok(())
    }

    fn take(&mut self, step: Step) {
        match (self.all.get_mut(&step.id), &step.action) {
            (Some(tracked), _) => tracked.steps.push(step),
            (None, Some(action)) => {
                let tracked = Tracked {
                    action: action.clone(),
                    steps: vec![step.clone()],
                };
                self.all.insert(step.id, tracked);
            }
            (None, None) => {}
        }
    }
}

/// A step that is taken now.
pub(crate) fn step(id: &str, state: State, by: &str) -> Step {
    Step {
        id: id.to_owned(),
        state,
        by: by.to_owned(),
        at: Timestamp::now().to_string(),
        opened: None,
        action: None,
    }
}

fn id_of(action: &Action) -> String {
    format!("{}/{}", action.evidence, action.mailbox)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn action(mailbox: &str) -> Action {
        Action {
            kind: RecallKind::Purge,
            campaign: "M-1".to_owned(),
            evidence: EvidenceId([3; 16]),
            mailbox: mailbox.to_owned(),
            delivered: "2026-01-01T00:00:00Z".to_owned(),
        }
    }

    #[test]
    fn steps_survive_a_restart_and_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut actions = Actions::open(folder.path()).unwrap();
        let ids = actions
            .propose(vec![action("a@b.example"), action("c@b.example")], "guard")
            .unwrap();
        assert_eq!(ids.len(), 2);
        assert!(
            actions
                .propose(vec![action("a@b.example")], "guard")
                .unwrap()
                .is_empty()
        );
        actions.step(&ids[..1], State::Approved, "anna").unwrap();
        let path = folder.path().join("actions.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"id\":\"torn").unwrap();

        let mut again = Actions::open(folder.path()).unwrap();
        assert_eq!(again.in_state(State::Approved).len(), 1);
        assert_eq!(again.in_state(State::Proposed).len(), 1);
        let done = Step {
            opened: Some(true),
            ..step(&ids[0], State::Done, "guard")
        };
        again.add(vec![done]).unwrap();
        let third = Actions::open(folder.path()).unwrap();
        let (_, tracked) = third.all().next().unwrap();
        assert_eq!((tracked.state(), tracked.opened()), (State::Done, Some(true)));
        assert_eq!(tracked.steps[1].by, "anna");
        assert!(tracked.done_at().is_some());
    }
}
