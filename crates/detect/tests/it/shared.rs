//! Test data that is too large for the repository.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Unpacks `NAME.tar.zst` of the shared data into a folder of its own; `None`, aloud, where there
/// is no such data on this machine.
pub(crate) fn unpack(name: &str) -> Option<TempDir> {
    let archive = folder().join("data").join(format!("{name}.tar.zst"));
    let Ok(file) = std::fs::File::open(&archive) else {
        println!("SKIPPED: no test data at {}", archive.display());
        return None;
    };
    let dir = tempfile::tempdir().expect("a temporary folder");
    let plain = zstd::Decoder::new(file).expect("a zstd stream");
    tar::Archive::new(plain)
        .unpack(dir.path())
        .expect("a whole archive");
    Some(dir)
}

fn folder() -> PathBuf {
    let beside_checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var_os("BLACKROD_SHARED").map_or(beside_checkout, PathBuf::from)
}

/// The files below `dir` with this name ending, sorted.
pub(crate) fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    found
}
