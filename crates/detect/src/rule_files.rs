//! Which files of a folder of rules one method reads, and reading what users name.

use std::path::{Path, PathBuf};

use crate::LoadError;

/// Where the folders below a rule folder end: links may go in circles.
const MAX_DEPTH: usize = 32;

/// All files in and below `dir` that `is_wanted`, in the order of their paths.
pub(crate) fn list(dir: &Path, is_wanted: fn(&Path) -> bool) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = Vec::new();
    collect(dir, 0, is_wanted, &mut files)?;
    files.sort_unstable();
    Ok(files)
}

/// The text of a file of at most so many bytes; `what` is said of a longer one: "a rule".
///
/// # Errors
///
/// Why it cannot be read, in words.
pub(crate) fn read_text(path: &Path, most: u64, what: &str) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > most {
        return Err(format!("{size} bytes are more than {what} can have"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

fn collect(
    dir: &Path,
    depth: usize,
    is_wanted: fn(&Path) -> bool,
    files: &mut Vec<PathBuf>,
) -> Result<(), LoadError> {
    let failed = |source| LoadError::Folder {
        path: dir.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            if depth < MAX_DEPTH {
                collect(&path, depth + 1, is_wanted, files)?;
            }
        } else if is_wanted(&path) {
            files.push(path);
        }
    }
    Ok(())
}
