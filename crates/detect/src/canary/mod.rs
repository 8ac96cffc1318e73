//! Invented electors that are put into copies of a register, and recognised wherever they turn up.

mod make;
mod search;
mod unpack;
mod walk;
mod words;

use std::path::{Path, PathBuf};

pub use make::{Invented, MakeError, detection, invent};
pub use search::{CODE, Set};
pub use words::Key;

/// What the detector of this module finds and misses.
pub const EXPLAIN: &str = include_str!("explain.md");

/// The file with the key, beside those with the marks.
pub const KEY_FILE: &str = "canary.key";
/// What the name of a file with marks ends with.
pub const MARKS_ENDING: &str = ".canaries.json";

/// What is kept of the canaries of one copy: nothing that they could be read from without the key.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Marks {
    /// The register.
    pub register: String,
    /// The copy that only these canaries are in.
    pub copy: String,
    /// One for each canary.
    pub canaries: Vec<Mark>,
}

/// What one canary is recognised by: keyed digests of words.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Its number within its copy.
    pub number: u32,
    /// First name and surname, whichever comes first.
    pub name: u64,
    /// How much the name tells: bits, by how rare it is in the sample.
    pub name_bits: f32,
    /// How many bits have to stand together to be this canary and not a real person of that name.
    pub needed: f32,
    /// Its number in the register.
    pub key: Option<u64>,
    /// Further words of its record, of the address, of dates, and how many bits each tells.
    pub others: Vec<(u64, f32)>,
}

/// Reads the key of a folder and all marks in it.
///
/// # Errors
///
/// In words, with the file that cannot be read.
pub fn load(folder: &Path) -> Result<Set, String> {
    let told = |path: &Path, reason: String| format!("{}: {reason}", path.display());
    let key_file = folder.join(KEY_FILE);
    let text = std::fs::read_to_string(&key_file).map_err(|error| told(&key_file, error.to_string()))?;
    let key = Key::parse(&text).ok_or_else(|| told(&key_file, "is not 32 hexadecimal digits".to_owned()))?;
    let entries = std::fs::read_dir(folder).map_err(|error| told(folder, error.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(MARKS_ENDING))
        .collect();
    files.sort();
    let mut set = Set::new(key);
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| told(&file, error.to_string()))?;
        let marks: Marks = serde_json::from_str(&text).map_err(|error| told(&file, error.to_string()))?;
        set.add(&marks);
    }
    Ok(set)
}
