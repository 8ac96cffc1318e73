//! Messages that were delivered before they could be judged: kept on disk until they are.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use blackrod_model::EvidenceId;
use serde::{Deserialize, Serialize};

/// The envelope of a message, and what the delivering server will write above it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) evidence: EvidenceId,
    pub(super) queue_id: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
}

/// The folder.
pub(super) struct Unjudged {
    folder: PathBuf,
}

impl Unjudged {
    pub(super) fn open(state: &Path) -> io::Result<Self> {
        let folder = state.join("unjudged");
        fs::create_dir_all(folder.join("unreadable"))?;
        Ok(Self { folder })
    }

    /// Keeps a message: one line of JSON, then the message with its trace. On disk when this returns.
    pub(super) fn keep(&self, waiting: &Waiting, raw: &[u8]) -> io::Result<()> {
        let part = self.folder.join(format!("{}.part", waiting.evidence));
        let mut file = File::create(&part)?;
        serde_json::to_writer(&mut file, waiting)?;
        file.write_all(b"\n")?;
        file.write_all(raw)?;
        file.sync_all()?;
        fs::rename(part, self.path_of(waiting.evidence))?;
        File::open(&self.folder)?.sync_all()
    }

    /// Up to `most` messages that wait, with their files.
    pub(super) fn some(&self, most: usize) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "eml") {
                files.push(path);
            }
            if files.len() >= most {
                break;
            }
        }
        Ok(files)
    }

    /// A message that waits.
    pub(super) fn read(path: &Path) -> io::Result<(Waiting, Vec<u8>)> {
        let bytes = fs::read(path)?;
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or(io::ErrorKind::InvalidData)?;
        let (line, rest) = bytes.split_at(end);
        let waiting = serde_json::from_slice(line)?;
        Ok((waiting, rest.get(1..).unwrap_or_default().to_vec()))
    }

    /// It was judged.
    pub(super) fn done(path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// It cannot be judged; it stays for a person to look at.
    pub(super) fn set_aside(&self, path: &Path) -> io::Result<()> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        fs::rename(path, self.folder.join("unreadable").join(name))
    }

    fn path_of(&self, evidence: EvidenceId) -> PathBuf {
        self.folder.join(format!("{evidence}.eml"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_waits_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let unjudged = Unjudged::open(folder.path()).unwrap();
        let waiting = Waiting {
            evidence: EvidenceId([7; 16]),
            queue_id: "Q".to_owned(),
            sender: String::new(),
            recipients: vec!["a@b.example".to_owned()],
        };
        unjudged.keep(&waiting, b"Subject: x\r\n\r\n\n\nbody").unwrap();
        let files = unjudged.some(9).unwrap();
        let (found, raw) = Unjudged::read(&files[0]).unwrap();
        assert_eq!(
            (found, raw.as_slice()),
            (waiting, &b"Subject: x\r\n\r\n\n\nbody"[..])
        );
        unjudged.set_aside(&files[0]).unwrap();
        assert!(unjudged.some(9).unwrap().is_empty());
    }
}
