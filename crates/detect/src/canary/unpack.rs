//! What lies in attachments: archives in archives, within bounds.

use std::borrow::Cow;
use std::io::{Cursor, Read};

/// How many archives may lie in each other.
const DEPTH: u32 = 4;
/// Bytes unpacked from one attachment, over all its layers.
const MOST_BYTES: u64 = 256 << 20;
/// Members that are opened of one attachment.
const MOST_MEMBERS: u32 = 10_000;

/// Calls `visit` with each text within `bytes`, which `name` is called, and with where it was: `roll.zip/roll.csv`.
/// What could not be unpacked is returned in words.
pub(super) fn each_text(name: &str, bytes: &[u8], visit: &mut dyn FnMut(&str, &str)) -> Vec<String> {
    let mut unpacker = Unpacker {
        bytes_left: MOST_BYTES,
        members_left: MOST_MEMBERS,
        problems: Vec::new(),
        visit,
    };
    unpacker.open(name, bytes, 0);
    unpacker.problems
}

struct Unpacker<'v> {
    bytes_left: u64,
    members_left: u32,
    problems: Vec<String>,
    visit: &'v mut dyn FnMut(&str, &str),
}

impl Unpacker<'_> {
    fn open(&mut self, name: &str, bytes: &[u8], depth: u32) {
        if depth > DEPTH {
            return self.problem(name, "archives lie in each other too deep");
        }
        match bytes {
            [b'P', b'K', 3, 4, ..] => self.zip(name, bytes, depth),
            [0x1F, 0x8B, ..] => self.packed(name, &mut flate2::read::MultiGzDecoder::new(bytes), depth),
            _ if bytes.get(257..262) == Some(b"ustar") => self.tar(name, bytes, depth),
            _ => {
                if let Some(text) = text(bytes) {
                    (self.visit)(name, &text);
                }
            }
        }
    }

    fn zip(&mut self, name: &str, bytes: &[u8], depth: u32) {
        let mut archive = match zip::ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => archive,
            Err(error) => return self.problem(name, &error.to_string()),
        };
        for index in 0..archive.len() {
            match archive.by_index(index) {
                Ok(mut member) if member.is_file() => {
                    let inner = format!("{name}/{}", String::from_utf8_lossy(member.name_raw()));
                    self.packed(&inner, &mut member, depth);
                }
                Ok(_) => {}
                Err(error) => self.problem(name, &error.to_string()),
            }
            if self.is_spent() {
                return;
            }
        }
    }

    fn tar(&mut self, name: &str, bytes: &[u8], depth: u32) {
        let mut archive = tar::Archive::new(bytes);
        let Ok(entries) = archive.entries() else {
            return self.problem(name, "not a tar file after all");
        };
        for entry in entries {
            match entry {
                Ok(mut entry) => {
                    let inner = format!("{name}/{}", String::from_utf8_lossy(&entry.path_bytes()));
                    self.packed(&inner, &mut entry, depth);
                }
                Err(error) => return self.problem(name, &error.to_string()),
            }
            if self.is_spent() {
                return;
            }
        }
    }

    fn packed(&mut self, name: &str, packed: &mut dyn Read, depth: u32) {
        if self.members_left == 0 || self.bytes_left == 0 {
            return;
        }
        self.members_left -= 1;
        let mut bytes = Vec::new();
        let outcome = packed.take(self.bytes_left).read_to_end(&mut bytes);
        self.bytes_left = self.bytes_left.saturating_sub(bytes.len() as u64);
        if let Err(error) = outcome {
            self.problem(name, &error.to_string());
        }
        if self.is_spent() {
            self.problem(name, "a limit on what is unpacked was reached");
        }
        self.open(name, &bytes, depth + 1);
    }

    const fn is_spent(&self) -> bool {
        self.members_left == 0 || self.bytes_left == 0
    }

    fn problem(&mut self, name: &str, reason: &str) {
        const MOST: usize = 20;
        if self.problems.len() < MOST {
            self.problems
                .push(format!("canaries were not looked for in all of {name}: {reason}"));
        }
    }
}

/// The text that `bytes` are: UTF-8, UTF-16 with its mark, or anything without zeros.
fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest
            .chunks_exact(2)
            .filter_map(|two| Some(unit(two.try_into().ok()?)))
            .collect();
        Some(Cow::Owned(String::from_utf16_lossy(&units)))
    };
    match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => {
            let head = bytes.get(..bytes.len().min(4_096)).unwrap_or(bytes);
            (!head.contains(&0)).then(|| String::from_utf8_lossy(bytes))
        }
    }
}
