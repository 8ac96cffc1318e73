//! Messages that are held, each in a folder of its own: the message, and why it is held.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use blackrod_model::{EvidenceId, Timestamp};
use serde::{Deserialize, Serialize};

/// Why a message is held, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) id: EvidenceId,
    /// RFC 3339.
    pub(crate) since: String,
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) from: String,
    pub(crate) subject: String,
    /// What the guard said of it.
    pub(crate) because: String,
    #[serde(default)]
    pub(crate) released: Option<Released>,
}

/// Who let it go, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Released {
    pub(crate) by: String,
    pub(crate) at: String,
    pub(crate) to: Vec<String>,
}

/// The folder.
pub(crate) struct Quarantine {
    folder: PathBuf,
}

impl Quarantine {
    pub(crate) fn open(state: &Path) -> io::Result<Self> {
        let folder = state.join("quarantine");
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Holds a message; on disk when this returns. Holding it again adds its recipients.
    pub(crate) fn hold(&self, held: &Held, raw: &[u8]) -> io::Result<()> {
        if let Ok(mut known) = self.get(held.id) {
            let new = held
                .recipients
                .iter()
                .filter(|one| !known.recipients.contains(one));
            let new: Vec<String> = new.cloned().collect();
            known.recipients.extend(new);
            return self.rewrite(&known);
        }
        let part = self.folder.join(format!("{}.part", held.id));
        fs::create_dir_all(&part)?;
        write_synced(&part.join("message.eml"), raw)?;
        write_synced(&part.join("held.json"), &serde_json::to_vec_pretty(held)?)?;
        fs::rename(part, self.path_of(held.id))?;
        File::open(&self.folder)?.sync_all()
    }

    /// All that is held, latest first.
    pub(crate) fn all(&self) -> io::Result<Vec<Held>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.parse::<EvidenceId>().ok());
            if let Some(id) = id {
                all.push(self.get(id)?);
            }
        }
        all.sort_by(|a, b| b.since.cmp(&a.since).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// What is held under an id that begins so; none where it is none or several.
    pub(crate) fn find(&self, beginning: &str) -> io::Result<Option<Held>> {
        let mut fitting = self
            .all()?
            .into_iter()
            .filter(|held| held.id.to_string().starts_with(beginning));
        Ok(fitting.next().filter(|_| fitting.next().is_none()))
    }

    pub(crate) fn get(&self, id: EvidenceId) -> io::Result<Held> {
        Ok(serde_json::from_slice(&fs::read(
            self.path_of(id).join("held.json"),
        )?)?)
    }

    pub(crate) fn message(&self, id: EvidenceId) -> io::Result<Vec<u8>> {
        fs::read(self.path_of_message(id))
    }

    /// Where the message lies.
    pub(crate) fn path_of_message(&self, id: EvidenceId) -> PathBuf {
        self.path_of(id).join("message.eml")
    }

    /// Writes down that it was let go.
    pub(crate) fn note_released(&self, held: &Held, released: Released) -> io::Result<()> {
        self.rewrite(&Held {
            released: Some(released),
            ..held.clone()
        })
    }

    /// Deletes what is held since `limit` or before; gives back how many.
    pub(crate) fn expire(&self, limit: Timestamp) -> io::Result<usize> {
        let mut gone = 0;
        for held in self.all()? {
            if Timestamp::parse(&held.since).is_some_and(|since| since <= limit) {
                fs::remove_dir_all(self.path_of(held.id))?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    fn rewrite(&self, held: &Held) -> io::Result<()> {
        let folder = self.path_of(held.id);
        let part = folder.join("held.part");
        write_synced(&part, &serde_json::to_vec_pretty(held)?)?;
        fs::rename(part, folder.join("held.json"))?;
        File::open(&folder)?.sync_all()
    }

    fn path_of(&self, id: EvidenceId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

impl Held {
    /// Whether any of its fields contains `text`, whatever the case.
    pub(crate) fn contains(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let fields = [&self.sender, &self.from, &self.subject, &self.because];
        fields
            .into_iter()
            .chain(&self.recipients)
            .any(|field| field.to_lowercase().contains(&text))
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn messages_are_held_found_released_and_expire() {
        let folder = tempfile::tempdir().unwrap();
        let quarantine = Quarantine::open(folder.path()).unwrap();
        let held = Held {
            id: EvidenceId([1; 16]),
            since: "2026-01-01T00:00:00Z".to_owned(),
            recipients: vec!["a@b.example".to_owned()],
            subject: "Invitation".to_owned(),
            ..Held::default()
        };
        quarantine.hold(&held, b"raw").unwrap();
        let second = Held {
            recipients: vec!["c@b.example".to_owned()],
            ..held.clone()
        };
        quarantine.hold(&second, b"raw").unwrap();
        let found = quarantine.find("0101").unwrap().unwrap();
        assert_eq!(found.recipients, ["a@b.example", "c@b.example"]);
        assert!(found.contains("invit") && !found.contains("nothing"));
        assert_eq!(quarantine.message(found.id).unwrap(), b"raw");
        let released = Released {
            by: "anna".to_owned(),
            ..Released::default()
        };
        quarantine.note_released(&found, released.clone()).unwrap();
        assert_eq!(quarantine.get(found.id).unwrap().released, Some(released));
        let before = Timestamp::parse("2025-12-31T00:00:00Z").unwrap();
        let after = Timestamp::parse("2026-01-02T00:00:00Z").unwrap();
        assert_eq!(quarantine.expire(before).unwrap(), 0);
        assert_eq!(quarantine.expire(after).unwrap(), 1);
        assert!(quarantine.all().unwrap().is_empty());
    }
}
