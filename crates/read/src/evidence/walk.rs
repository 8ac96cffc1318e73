//! Finding the files that were given as evidence.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use blackrod_model::Sha256;
use sha2::Digest as _;

/// A file on disk that was given as evidence, or lies in a folder that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopLevel {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the case: the argument's own last component and the path below it, joined with
    /// `/` on every system.
    pub name: String,
    /// Bytes, as the file system says.
    pub size: u64,
}

/// What was found below the arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The files, sorted by name.
    pub files: Vec<TopLevel>,
    /// What is there and is not read, sorted by name.
    pub problems: Vec<Problem>,
}

/// Something below an argument that is not read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Its name, made like that of a [`TopLevel`].
    pub name: String,
    /// Why it is not read.
    pub reason: String,
}

/// Why the arguments cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// An argument does not exist or may not be looked at: a slip of the pen, better told at once
    /// than found out from a report with a piece missing.
    #[error("cannot use {path} as evidence: {source}")]
    Argument {
        /// The argument.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two arguments have the same last component, so names in the case would not tell their files
    /// apart.
    #[error("{first} and {second} both hold {name}; give the folder that holds both, or rename one")]
    SameName {
        /// The name that two files would share.
        name: String,
        /// The first file.
        first: PathBuf,
        /// The second file.
        second: PathBuf,
    },
}

/// Finds all files that `arguments` name or that lie below them, except in the folders `skip`
/// (the case itself). Symbolic links are followed where they are arguments and nowhere else.
///
/// # Errors
///
/// See [`WalkError`]. Folders that cannot be listed are problems, not errors.
pub fn walk(arguments: &[PathBuf], skip: &[PathBuf]) -> Result<Walk, WalkError> {
    let skipped: Vec<PathBuf> = skip.iter().filter_map(|path| path.canonicalize().ok()).collect();
    let mut found = Walk::default();
    for argument in arguments {
        let failed = |source| WalkError::Argument {
            path: argument.clone(),
            source,
        };
        // The real path: `.` has a name then, and `a/..` does not pretend to be below `a`.
        let path = argument.canonicalize().map_err(failed)?;
        let metadata = fs::metadata(&path).map_err(failed)?;
        let name = path
            .file_name()
            .map_or_else(|| "root".to_owned(), |last| last.to_string_lossy().into_owned());
        visit(path, name, &metadata, &skipped, &mut found);
    }
    found
        .files
        .sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    // The same file, given twice or by way of its folder as well, is read once.
    found.files.dedup_by(|a, b| a.path == b.path && a.name == b.name);
    found.problems.sort();
    found.problems.dedup();
    let same_name = found.files.windows(2).find(|pair| pair[0].name == pair[1].name);
    match same_name {
        Some(pair) => Err(WalkError::SameName {
            name: pair[0].name.clone(),
            first: pair[0].path.clone(),
            second: pair[1].path.clone(),
        }),
        None => Ok(found),
    }
}

/// The SHA-256 digest and the length of a file.
///
/// # Errors
///
/// What the system says when the file cannot be opened or read.
pub fn hash_file(path: &Path) -> io::Result<(Sha256, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut length = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((Sha256(hasher.finalize().into()), length)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Walks with a list of its own instead of recursing: folders can be nested deeper than the stack.
fn visit(path: PathBuf, name: String, metadata: &fs::Metadata, skip: &[PathBuf], found: &mut Walk) {
    let mut waiting = vec![(path, name, metadata.clone())];
    while let Some((path, name, metadata)) = waiting.pop() {
        let kind = metadata.file_type();
        if skip.contains(&path) {
            continue;
        }
        if kind.is_file() {
            found.files.push(TopLevel {
                path,
                name,
                size: metadata.len(),
            });
        } else if kind.is_dir() {
            list(&path, &name, &mut waiting, &mut found.problems);
        } else {
            let reason = match fs::read_link(&path) {
                Ok(target) => format!("a symbolic link to {}; links are not followed", target.display()),
                Err(_) => "not a file or folder but a device, pipe or socket".to_owned(),
            };
            found.problems.push(Problem { name, reason });
        }
    }
}

fn list(
    folder: &Path,
    name: &str,
    waiting: &mut Vec<(PathBuf, String, fs::Metadata)>,
    problems: &mut Vec<Problem>,
) {
    let mut refuse = |name: &str, error: io::Error| {
        problems.push(Problem {
            name: name.to_owned(),
            reason: error.to_string(),
        });
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return refuse(name, error),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                refuse(name, error);
                continue;
            }
        };
        let entry_name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.metadata() {
            Ok(metadata) => waiting.push((entry.path(), entry_name, metadata)),
            Err(error) => refuse(&entry_name, error),
        }
    }
}
