//! A compact table of indicators: a Bloom filter that stays in the processor's cache in front of
//! an open-addressing table of 8 bytes a slot. A million domains take about 65 MB.

use blackrod_model::{Severity, Timestamp};
use rustc_hash::FxHashMap;

use super::value::{Key, Kind};

/// The most indicators kept; what comes after is refused aloud.
pub(crate) const MAX_ENTRIES: usize = 16_000_000;

/// What is known about an indicator besides its value. Shared by all that came with the same words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Note {
    /// What the feed calls it; may be empty.
    pub(crate) title: Box<str>,
    /// The file or feed that it came from.
    pub(crate) source: Box<str>,
    pub(crate) severity: Severity,
    /// ATT&CK technique ids.
    pub(crate) attack: Box<[String]>,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
}

/// The hash of a value that can be computed from its end, so that all suffixes of a DNS name cost
/// one pass.
#[derive(Clone, Copy)]
pub(crate) struct Rolling(u64);

impl Rolling {
    pub(crate) const START: Self = Self(0x243f_6a88_85a3_08d3);

    #[inline]
    pub(crate) fn push_front(self, byte: u8) -> Self {
        Self((self.0.rotate_left(5) ^ u64::from(byte)).wrapping_mul(0x517c_c1b7_2722_0a95))
    }

    /// The hash for values of the kind `tag`.
    #[inline]
    pub(crate) fn finish(self, tag: u8) -> u64 {
        let mut hash = self.0 ^ u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
        hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
        hash ^ (hash >> 32)
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        bytes
            .iter()
            .rev()
            .fold(Self::START, |hash, byte| hash.push_front(*byte))
    }
}

/// Marks, in the filter only, hosts of URL indicators and domains of mail indicators, so that the
/// rest of a URL or address is looked at for those alone.
pub(crate) const URL_HOST: u8 = 100;
/// See [`URL_HOST`].
pub(crate) const MAIL_HOST: u8 = 101;

#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    note: u32,
    len: u16,
    kind: u8,
}

/// The indicators of all files.
pub(crate) struct Table {
    filter: Vec<u64>,
    slots: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    arena: Vec<u8>,
    notes: Vec<Note>,
    tails: Box<[u64; TAIL_WORDS]>,
    kinds: u16,
    lengths_v4: Vec<u8>,
    lengths_v6: Vec<u8>,
}

const TAIL_WORDS: usize = 1024;

impl Table {
    /// The note of indicator `index`.
    pub(crate) fn note(&self, index: u32) -> Option<&Note> {
        let entry = self.entries.get(index as usize)?;
        self.notes.get(entry.note as usize)
    }

    /// The kind and key of indicator `index`.
    pub(crate) fn key(&self, index: u32) -> Option<(Kind, &[u8])> {
        let entry = self.entries.get(index as usize)?;
        Some((Kind::from_tag(entry.kind)?, self.bytes_of(entry)))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.kinds & (1 << kind as u16) != 0
    }

    /// Whether the filter may hold `hash`.
    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let word = self
            .filter
            .get(word_of(hash, self.filter.len()))
            .copied()
            .unwrap_or(0);
        let wanted = bits_of(hash);
        word & wanted == wanted
    }

    /// The indicator of this kind whose key is `bytes`, given their hash.
    #[inline]
    pub(crate) fn find(&self, hash: u64, kind: Kind, bytes: &[u8]) -> Option<u32> {
        if !self.may_hold(hash) {
            return None;
        }
        self.probe(hash, kind as u8, bytes)
    }

    /// Whether a DNS name that ends in a label with this hash can be an indicator at all.
    #[inline]
    pub(crate) fn may_end_in(&self, tail: Rolling) -> bool {
        let bit = tail_bit(tail);
        self.tails[bit / 64] & (1 << (bit % 64)) != 0
    }

    /// The IPv4 prefix lengths in use.
    pub(crate) fn lengths_v4(&self) -> &[u8] {
        &self.lengths_v4
    }

    /// The IPv6 prefix lengths in use.
    pub(crate) fn lengths_v6(&self) -> &[u8] {
        &self.lengths_v6
    }

    /// Bytes of memory held.
    pub(crate) fn memory(&self) -> usize {
        let note_text: usize = self
            .notes
            .iter()
            .map(|note| note.title.len() + note.source.len())
            .sum();
        self.filter.capacity() * 8
            + self.slots.capacity() * size_of::<(u32, u32)>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.arena.capacity()
            + self.notes.capacity() * size_of::<Note>()
            + note_text
    }

    fn bytes_of(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        self.arena
            .get(start..start + usize::from(entry.len))
            .unwrap_or_default()
    }

    fn probe(&self, hash: u64, kind: u8, bytes: &[u8]) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let fingerprint = fingerprint_of(hash);
        let mut at = hash as usize & mask;
        loop {
            let (found, index) = *self.slots.get(at)?;
            if found == EMPTY {
                return None;
            }
            if found == fingerprint
                && let Some(entry) = self.entries.get(index as usize)
                && entry.kind == kind
                && self.bytes_of(entry) == bytes
            {
                return Some(index);
            }
            at = (at + 1) & mask;
        }
    }
}

/// Fills a [`Table`].
pub(crate) struct Builder {
    table: Table,
    note_numbers: FxHashMap<Note, u32>,
}

/// What became of an added indicator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is new.
    New,
    /// Its value was there already; the first words about it stand.
    Known,
    /// The table is full.
    Full,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            table: Table {
                filter: Vec::new(),
                slots: vec![(EMPTY, 0); 16],
                entries: Vec::new(),
                arena: Vec::new(),
                notes: Vec::new(),
                tails: Box::new([0; TAIL_WORDS]),
                kinds: 0,
                lengths_v4: Vec::new(),
                lengths_v6: Vec::new(),
            },
            note_numbers: FxHashMap::default(),
        }
    }
}

impl Builder {
    pub(crate) fn add(&mut self, key: &Key, note: Note) -> Added {
        let hash = Rolling::of(&key.bytes).finish(key.kind as u8);
        if self.table.probe(hash, key.kind as u8, &key.bytes).is_some() {
            return Added::Known;
        }
        let (Ok(start), Ok(len)) = (
            u32::try_from(self.table.arena.len()),
            u16::try_from(key.bytes.len()),
        ) else {
            return Added::Full;
        };
        let index = self.table.entries.len();
        if index >= MAX_ENTRIES {
            return Added::Full;
        }
        let next_note = self.table.notes.len() as u32;
        let note_number = *self.note_numbers.entry(note).or_insert_with_key(|note| {
            self.table.notes.push(note.clone());
            next_note
        });
        self.table.arena.extend_from_slice(&key.bytes);
        self.table.entries.push(Entry {
            start,
            note: note_number,
            len,
            kind: key.kind as u8,
        });
        self.table.kinds |= 1 << key.kind as u16;
        self.remember_shape(key);
        // At most five eighths full: probes stay short.
        if self.table.entries.len() * 8 > self.table.slots.len() * 5 {
            self.grow();
        } else {
            self.place(hash, index as u32);
        }
        Added::New
    }

    /// Builds the filter and hands the table over.
    pub(crate) fn finish(mut self) -> Table {
        let bits_wanted = (self.table.entries.len() * 16).next_power_of_two().max(1024);
        self.table.filter = vec![0; bits_wanted / 64];
        for entry in &self.table.entries {
            let bytes = self.table.bytes_of(entry);
            let mut hashes = [Some(Rolling::of(bytes).finish(entry.kind)), None];
            match Kind::from_tag(entry.kind) {
                Some(Kind::Url) => hashes[1] = Some(Rolling::of(host_of_url_key(bytes)).finish(URL_HOST)),
                Some(Kind::Mail) => hashes[1] = Some(Rolling::of(host_of_mail_key(bytes)).finish(MAIL_HOST)),
                _ => {}
            }
            let words = self.table.filter.len();
            for hash in hashes.into_iter().flatten() {
                self.table.filter[word_of(hash, words)] |= bits_of(hash);
            }
        }
        self.table.entries.shrink_to_fit();
        self.table.arena.shrink_to_fit();
        self.table.notes.shrink_to_fit();
        self.table
    }

    /// Notes which prefix lengths and last labels occur, so that others need no look-up.
    fn remember_shape(&mut self, key: &Key) {
        let length = key.bytes.first().copied().unwrap_or(0);
        let host = match key.kind {
            Kind::Ipv4 => return insert_once(&mut self.table.lengths_v4, length),
            Kind::Ipv6 => return insert_once(&mut self.table.lengths_v6, length),
            Kind::Domain => &key.bytes[..],
            Kind::Url => host_of_url_key(&key.bytes),
            Kind::Mail => host_of_mail_key(&key.bytes),
            _ => return,
        };
        let tail = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        let bit = tail_bit(Rolling::of(tail));
        self.table.tails[bit / 64] |= 1 << (bit % 64);
    }

    fn place(&mut self, hash: u64, index: u32) {
        let mask = self.table.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.table.slots[at].0 != EMPTY {
            at = (at + 1) & mask;
        }
        self.table.slots[at] = (fingerprint_of(hash), index);
    }

    fn grow(&mut self) {
        self.table.slots = vec![(EMPTY, 0); self.table.slots.len() * 2];
        for index in 0..self.table.entries.len() {
            let entry = self.table.entries[index];
            let hash = Rolling::of(self.table.bytes_of(&entry)).finish(entry.kind);
            self.place(hash, index as u32);
        }
    }
}

fn insert_once(lengths: &mut Vec<u8>, length: u8) {
    if !lengths.contains(&length) {
        lengths.push(length);
    }
}

const EMPTY: u32 = 0;

/// Never [`EMPTY`]. Taken from the high half: the low half chooses the slot.
fn fingerprint_of(hash: u64) -> u32 {
    ((hash >> 32) as u32) | 1
}

fn word_of(hash: u64, words: usize) -> usize {
    (hash >> 20) as usize & words.wrapping_sub(1)
}

/// Three bits of one word: one cache line a look-up (a blocked Bloom filter, Putze et al. 2007).
fn bits_of(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63)
}

fn tail_bit(tail: Rolling) -> usize {
    (tail.finish(0) >> 40) as usize % (TAIL_WORDS * 64)
}

fn host_of_url_key(key: &[u8]) -> &[u8] {
    let end = key
        .iter()
        .position(|byte| matches!(byte, b'/' | b':'))
        .unwrap_or(key.len());
    &key[..end]
}

fn host_of_mail_key(key: &[u8]) -> &[u8] {
    key.rsplit(|byte| *byte == b'@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn note() -> Note {
        Note {
            title: "t".into(),
            source: "s".into(),
            severity: Severity::High,
            attack: Box::default(),
            valid_from: Timestamp::UNKNOWN,
            valid_until: Timestamp::UNKNOWN,
        }
    }

    #[test]
    fn what_was_added_is_found_and_nothing_else() {
        let mut builder = Builder::default();
        let key = |n: u32| Key {
            kind: Kind::Domain,
            bytes: format!("host{n}.example").into_bytes(),
        };
        for n in 0..20_000 {
            assert_eq!(builder.add(&key(n), note()), Added::New);
        }
        assert_eq!(builder.add(&key(7), note()), Added::Known);
        let table = builder.finish();
        assert_eq!(table.len(), 20_000);
        let find = |n: u32| {
            let bytes = key(n).bytes;
            table.find(
                Rolling::of(&bytes).finish(Kind::Domain as u8),
                Kind::Domain,
                &bytes,
            )
        };
        assert!(
            (0..20_000).all(|n| find(n).is_some_and(|index| table.key(index).unwrap().1 == key(n).bytes))
        );
        assert!((20_000..60_000).all(|n| find(n).is_none()));
        assert_eq!(table.note(3).unwrap().title.as_ref(), "t");
    }

    #[test]
    fn the_filter_lets_few_strangers_through() {
        let mut builder = Builder::default();
        for n in 0..50_000_u32 {
            builder.add(
                &Key {
                    kind: Kind::Md5,
                    bytes: n.to_be_bytes().repeat(4),
                },
                note(),
            );
        }
        let table = builder.finish();
        let strangers = (0..100_000_u32).map(|n| (n ^ 0x8000_0000).to_be_bytes().repeat(4));
        let passed = strangers
            .filter(|bytes| table.may_hold(Rolling::of(bytes).finish(Kind::Md5 as u8)))
            .count();
        assert!(passed < 3_000, "{passed} of 100,000");
    }
}
