//! Files of a case: where they are, how they get from `staging/` to `events/`.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use crate::StoreError;
use crate::error::{io_error, sql_error};
use crate::fault::{Step, reached};

/// Where files are written before they are committed.
pub(crate) fn staging(dir: &Path) -> PathBuf {
    dir.join("staging")
}

/// Where committed events are, in `class=<name>/day=<day>/`.
pub(crate) fn events(dir: &Path) -> PathBuf {
    dir.join("events")
}

/// Waits until all that was written to the file system of `dir` is on the disk.
#[cfg(target_os = "linux")]
pub(crate) fn sync(dir: &Path, _files: &[PathBuf]) -> Result<(), StoreError> {
    // One call for all files and folders: a sync for each would wait for the disk each time.
    let folder = File::open(dir).map_err(io_error("open", dir))?;
    rustix::fs::syncfs(&folder).map_err(|error| io_error("sync", dir)(error.into()))
}

/// Waits until `files` are on the disk.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sync(_dir: &Path, files: &[PathBuf]) -> Result<(), StoreError> {
    for path in files {
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(io_error("sync", path))?;
    }
    Ok(())
}

/// Moves the committed file `name` from `staging/` to `path` below `events/`.
pub(crate) fn place(dir: &Path, name: &str, path: &str) -> Result<(), StoreError> {
    let target = events(dir).join(path);
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(io_error("create", folder))?;
    }
    let staged = staging(dir).join(name);
    std::fs::rename(&staged, &target).map_err(io_error("move", &staged))?;
    reached(Step::Moved)
}

/// What a repair did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repair {
    /// Committed files that were moved into their place.
    pub(crate) moved: u64,
    /// Files that were never committed and are removed; what they held is read again.
    pub(crate) removed: u64,
}

/// Finishes what a killed process has begun: committed files go where they belong, others go.
pub(crate) fn repair(dir: &Path, book: &Connection) -> Result<Repair, StoreError> {
    let registered = registered(dir, book)?;
    let mut repair = Repair::default();
    let staging = staging(dir);
    for path in files_below(&staging)? {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        match registered.get(name) {
            Some(target) if !events(dir).join(target).exists() => {
                place(dir, name, target)?;
                repair.moved += 1;
            }
            _ => {
                std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
                repair.removed += 1;
            }
        }
    }
    for path in unregistered(dir, &registered)? {
        std::fs::remove_file(&path).map_err(io_error("remove", &path))?;
        repair.removed += 1;
    }
    Ok(repair)
}

/// Files in `events/` that the casebook does not know.
pub(crate) fn unregistered(
    dir: &Path,
    registered: &FxHashMap<String, String>,
) -> Result<Vec<PathBuf>, StoreError> {
    let root = events(dir);
    let is_registered = |path: &PathBuf| {
        let relative = path.strip_prefix(&root).ok().and_then(Path::to_str);
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        registered.get(name).map(String::as_str) == relative && relative.is_some()
    };
    let mut files = files_below(&root)?;
    files.retain(|path| !is_registered(path));
    Ok(files)
}

/// Name → path below `events/` of all committed files.
pub(crate) fn registered(dir: &Path, book: &Connection) -> Result<FxHashMap<String, String>, StoreError> {
    let read = || -> rusqlite::Result<FxHashMap<String, String>> {
        let mut statement = book.prepare("SELECT path FROM files")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut registered = FxHashMap::default();
        for path in rows {
            let path = path?;
            if let Some((_, name)) = split_path(&path) {
                registered.insert(name.to_owned(), path);
            }
        }
        Ok(registered)
    };
    read().map_err(sql_error(dir))
}

/// Folder and name of an events file, `None` where the path is not one that this crate makes: a casebook from elsewhere
/// must not make us touch anything outside of the case.
pub(crate) fn split_path(path: &str) -> Option<(&str, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let (class, day) = folder.split_once('/')?;
    let is_plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let is_ours = is_plain(class.strip_prefix("class=")?)
        && is_plain(day.strip_prefix("day=")?)
        && is_plain(name.strip_prefix("part-")?.strip_suffix(".parquet")?);
    is_ours.then_some((folder, name))
}

/// All files below `root`, sorted. Links are not followed.
pub(crate) fn files_below(root: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(io_error("list", &folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(io_error("list", &folder))?;
            match entry.file_type().map_err(io_error("list", &folder))?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_making_are_followed() {
        let sound = "class=process_activity/day=2021-01-22/part-0a-1.parquet";
        assert_eq!(split_path(sound), sound.rsplit_once('/'));
        for hostile in [
            "class=../day=../part-1.parquet",
            "class=a/day=b/../../../../etc/part-1.parquet",
            "/etc/passwd",
            "class=a/day=b/part-..parquet/x",
            "class=a/part-1.parquet",
            "",
        ] {
            assert_eq!(split_path(hostile), None, "{hostile}");
        }
    }
}
