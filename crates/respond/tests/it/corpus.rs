//! Real mail, where the shared corpora are at hand.

use std::path::{Path, PathBuf};

use blackrod_respond::{DefuseError, DefusePolicy, defuse};

/// The folder of unpacked mail: `$BLACKROD_MAIL`, a folder with `phish`, `ham` and `torture`.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("BLACKROD_MAIL").map(PathBuf::from);
    folder.filter(|folder| folder.is_dir()).or_else(|| {
        eprintln!("SKIPPED: BLACKROD_MAIL names no folder of mail");
        None
    })
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn real_mail_is_defused_once_and_for_all() {
    let Some(folder) = folder() else { return };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    paths.sort();
    let (mut changed, mut errors, mut untouched, mut plain, mut bytes) = (0, Vec::new(), 0, 0, 0);
    let mut spent = std::time::Duration::ZERO;
    for path in &paths {
        let raw = std::fs::read(path).unwrap();
        let begun = std::time::Instant::now();
        let once = defuse(&raw, &DefusePolicy::default());
        spent += begun.elapsed();
        bytes += raw.len();
        let once = match once {
            Ok(once) => once,
            Err(DefuseError::NotAMessage) => continue,
            Err(error) => {
                errors.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        changed += usize::from(once.changed);
        untouched += usize::from(!once.untouched.is_empty());
        plain += once.removed.iter().filter(|one| one.what == "html").count();
        let twice = defuse(&once.bytes, &DefusePolicy::default()).unwrap();
        if twice.changed {
            errors.push(format!("{}: changes again: {:?}", path.display(), twice.removed));
        }
    }
    eprintln!(
        "{} messages, {bytes} bytes, {changed} changed, {untouched} with sealed parts, {plain} pages kept as text, {spent:?}",
        paths.len()
    );
    assert!(errors.is_empty(), "{}:\n{}", errors.len(), errors.join("\n"));
}
