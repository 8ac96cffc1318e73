//! Locks between processes. The system releases them when a process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::StoreError;
use crate::error::io_error;

/// Held by the one process that writes to the case.
const WRITER: &str = "lock";

/// Where hunts spill what does not fit their memory.
pub(crate) const SCRATCH: &str = "tmp";

/// Held in common by all hunts that use the scratch folder.
const SCRATCH_LOCK: &str = "tmp.lock";

/// Locks the case in `dir` for writing. The lock file names the process.
pub(crate) fn lock_for_writing(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(WRITER);
    let mut file = open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Without the number the message is only less helpful.
            let _ = file.take(20).read_to_string(&mut pid);
            return Err(StoreError::Locked {
                dir: dir.to_owned(),
                pid: pid.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
    }
    let write_pid = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write_pid(&mut file).map_err(io_error("write", &path))?;
    Ok(file)
}

/// Makes the scratch folder of the case and keeps it while the returned file is open. `None` where the case cannot be
/// written to.
pub(crate) fn use_scratch(dir: &Path) -> Option<File> {
    let file = open(&dir.join(SCRATCH_LOCK)).ok()?;
    file.lock_shared().ok()?;
    std::fs::create_dir_all(dir.join(SCRATCH)).ok()?;
    Some(file)
}

/// Removes what hunts that were killed have left, unless a hunt is under way.
pub(crate) fn clear_scratch(dir: &Path) {
    let scratch = dir.join(SCRATCH);
    if !scratch.exists() {
        return;
    }
    let Ok(file) = open(&dir.join(SCRATCH_LOCK)) else {
        return;
    };
    if file.try_lock().is_ok() {
        // What cannot be removed now can be at the next time.
        let _ = std::fs::remove_dir_all(scratch);
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(io_error("open", path))
}
