//! What must still be known after a crash: an append-only file for each day.
//!
//! An entry is its length, its CRC-32 (both 32 bits, little-endian) and its content in postcard's wire format. A kill in
//! the middle of a write leaves a torn last entry, which the next start cuts off: its message was not answered for yet, so
//! the mail server still has it. `fsync` before the answer (the default) holds that against a loss of power too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use blackrod_model::mail::Facts;
use blackrod_model::{Finding, Timestamp};
use serde::{Deserialize, Serialize};

use super::policy::Verdict;

/// The most that one entry may hold; what is longer is a damaged length.
const MAX_ENTRY: u32 = 16 << 20;

/// What is kept of one message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// By the guard's clock.
    pub(crate) arrived: Timestamp,
    /// The mail server's name for it.
    pub(crate) queue_id: String,
    /// The envelope.
    pub(crate) sender: String,
    pub(crate) recipients: Vec<String>,
    /// What was done.
    pub(crate) verdict: Verdict,
    /// Delivered before it was judged.
    pub(crate) failed_open: bool,
    pub(crate) score: f32,
    /// The campaign that it was part of when it came.
    pub(crate) campaign: Option<String>,
    /// Its anatomy; none where it could not be read.
    pub(crate) facts: Option<Facts>,
    /// What rules found.
    pub(crate) findings: Vec<Finding>,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Days since 1970.
    day: i32,
    offset: u64,
}

/// The files, open for appending.
pub(crate) struct Journal {
    folder: PathBuf,
    fsync: bool,
    today: Option<Today>,
    waiting: Vec<u8>,
}

struct Today {
    day: i32,
    file: File,
    length: u64,
}

impl Journal {
    pub(crate) fn open(folder: &Path, fsync: bool) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            fsync,
            today: None,
            waiting: Vec::new(),
        })
    }

    /// Hands all entries of the last `keep_days` to `visit`, in their order; older files are deleted. Gives back how many bytes
    /// at the ends of files were no whole entries and have been cut off.
    pub(crate) fn replay(
        &self,
        today: i32,
        keep_days: u32,
        visit: &mut dyn FnMut(Place, Entry),
    ) -> io::Result<u64> {
        let oldest = today.saturating_sub(i32::try_from(keep_days).unwrap_or(i32::MAX));
        let mut days: Vec<i32> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let day = name.to_str().and_then(|name| name.strip_suffix(".log"));
            days.extend(day.and_then(|day| day.parse::<i32>().ok()));
        }
        days.sort_unstable();
        let mut torn = 0;
        for day in days {
            let path = self.path_of(day);
            if day < oldest {
                fs::remove_file(path)?;
                continue;
            }
            torn += replay_file(&path, &mut |offset, entry| visit(Place { day, offset }, entry))?;
        }
        Ok(torn)
    }

    /// Adds an entry to those that the next [`Journal::commit`] writes, and gives back where it will stand.
    pub(crate) fn add(&mut self, day: i32, entry: &Entry) -> io::Result<Place> {
        if self.today.as_ref().is_none_or(|today| today.day != day) {
            self.commit()?;
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.path_of(day))?;
            let length = file.metadata()?.len();
            self.today = Some(Today { day, file, length });
        }
        let length = self.today.as_ref().map_or(0, |today| today.length);
        let place = Place {
            day,
            offset: length + self.waiting.len() as u64,
        };
        let body = postcard::to_allocvec(entry).map_err(io::Error::other)?;
        let size = u32::try_from(body.len()).unwrap_or(u32::MAX);
        if size > MAX_ENTRY {
            return Err(io::Error::other("the entry is too large"));
        }
        self.waiting.extend_from_slice(&size.to_le_bytes());
        self.waiting
            .extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        self.waiting.extend_from_slice(&body);
        Ok(place)
    }

    /// Writes what waits. On an error nothing of it counts as written: the file is cut back to where it was.
    pub(crate) fn commit(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let Some(today) = self.today.as_mut().filter(|_| !waiting.is_empty()) else {
            return Ok(());
        };
        let written = today.file.write_all(&waiting).and_then(|()| match self.fsync {
            true => today.file.sync_data(),
            false => Ok(()),
        });
        if let Err(error) = written {
            // If this fails too, the torn entry is cut off at the next start.
            let _ = today.file.set_len(today.length);
            self.today = None;
            return Err(error);
        }
        today.length += waiting.len() as u64;
        Ok(())
    }

    /// Drops what was added and not committed, after an error.
    pub(crate) fn forget_waiting(&mut self) {
        self.waiting.clear();
    }

    /// The entry at a place.
    pub(crate) fn read(&self, place: Place) -> io::Result<Entry> {
        let mut file = File::open(self.path_of(place.day))?;
        file.seek(SeekFrom::Start(place.offset))?;
        read_entry(&mut file)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn path_of(&self, day: i32) -> PathBuf {
        self.folder.join(format!("{day}.log"))
    }
}

fn replay_file(path: &Path, visit: &mut dyn FnMut(u64, Entry)) -> io::Result<u64> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 20, &file);
    let mut offset = 0;
    while let Some(entry) = read_entry(&mut reader).ok().flatten() {
        let next = reader.stream_position()?;
        visit(offset, entry);
        offset = next;
    }
    if offset < length {
        file.set_len(offset)?;
    }
    Ok(length - offset)
}

/// The next entry; none at the end of the file.
fn read_entry(reader: &mut dyn io::Read) -> io::Result<Option<Entry>> {
    let mut head = [0; 8];
    match reader.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let [a, b, c, d, e, f, g, h] = head;
    let size = u32::from_le_bytes([a, b, c, d]);
    let sum = u32::from_le_bytes([e, f, g, h]);
    if size > MAX_ENTRY {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = Vec::new();
    reader.take(u64::from(size)).read_to_end(&mut body)?;
    if body.len() as u64 != u64::from(size) || crc32fast::hash(&body) != sum {
        return Err(io::ErrorKind::InvalidData.into());
    }
    postcard::from_bytes(&body).map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry(number: u32) -> Entry {
        Entry {
            arrived: Timestamp::from_seconds(1_700_000_000),
            queue_id: number.to_string(),
            sender: "a@example.org".to_owned(),
            recipients: vec!["b@example.org".to_owned()],
            verdict: Verdict::Tag,
            failed_open: false,
            score: 1.5,
            campaign: Some("M-1".to_owned()),
            facts: None,
            findings: Vec::new(),
        }
    }

    fn ids(journal: &Journal, keep: u32) -> (Vec<String>, u64) {
        let mut seen = Vec::new();
        let torn = journal
            .replay(102, keep, &mut |place, entry| {
                assert_eq!(journal.read(place).unwrap().queue_id, entry.queue_id);
                seen.push(entry.queue_id);
            })
            .unwrap();
        (seen, torn)
    }

    #[test]
    fn entries_come_back_and_a_torn_one_is_cut_off_wherever_it_tore() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), true).unwrap();
        for (day, number) in [(100, 1), (101, 2), (102, 3), (102, 4)] {
            journal.add(day, &entry(number)).unwrap();
            journal.commit().unwrap();
        }
        assert_eq!(ids(&journal, 30).0, ["1", "2", "3", "4"]);
        let last = folder.path().join("102.log");
        let whole = fs::read(&last).unwrap();
        for cut in whole.len() / 2 + 1..whole.len() {
            fs::write(&last, &whole[..cut]).unwrap();
            let (seen, torn) = ids(&journal, 30);
            assert_eq!(seen, ["1", "2", "3"], "{cut}");
            assert_eq!(torn, (cut - whole.len() / 2) as u64);
        }
        assert_eq!(ids(&journal, 1).0, ["2", "3"], "old days are deleted");
    }

    #[test]
    fn what_is_damaged_ends_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), false).unwrap();
        journal.add(102, &entry(1)).unwrap();
        journal.add(102, &entry(2)).unwrap();
        journal.commit().unwrap();
        let file = folder.path().join("102.log");
        let mut bytes = fs::read(&file).unwrap();
        let end = bytes.len() - 3;
        bytes[end] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_eq!(ids(&journal, 30).0, ["1"]);
    }
}
