//! `blackrod canary`: invented electors for copies of a register.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use blackrod_detect::canary::{self, KEY_FILE, Key, MARKS_ENDING};

use super::Outcome;
use super::tables::{self, range};
use crate::cli;

pub(crate) fn run(command: &cli::Canary) -> anyhow::Result<Outcome> {
    match command {
        cli::Canary::Make(arguments) => make(arguments),
    }
}

fn make(arguments: &cli::CanaryMake) -> anyhow::Result<Outcome> {
    let copy = arguments.copy.trim();
    let is_name = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '.' | ' ');
    ensure!(
        !copy.is_empty() && !copy.starts_with('.') && copy.chars().all(is_name),
        "--copy names files too: letters, digits, blanks, - _ and . only"
    );
    let (header, rows) = tables::read(&arguments.register)?;
    let register = arguments
        .register
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy();
    let numbers = match &arguments.numbers {
        Some(text) => {
            let (from, to) = range(text).context("--numbers")?;
            Some((from as u64, to as u64))
        }
        None => None,
    };
    let folder = &arguments.out;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let key = key_of(folder)?;
    let marks_file = folder.join(format!("{copy}{MARKS_ENDING}"));
    if marks_file.exists() {
        bail!(
            "{} exists: each copy gets its canaries once",
            marks_file.display()
        );
    }
    let invented = canary::invent(&header, &rows, (&register, copy), arguments.count, numbers, key)?;
    let records_file = folder.join(format!("{copy}.csv"));
    write_private(&records_file, &tables::written(&header, &invented.records))?;
    write_private(&marks_file, &serde_json::to_string_pretty(&invented.marks)?)?;

    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} invented electors for copy {copy}: {}",
        invented.records.len(),
        records_file.display()
    )?;
    writeln!(
        out,
        "Put them into this copy and no other, then delete that file: what recognises them is in"
    )?;
    writeln!(
        out,
        "{} and {}. Keep both where the copy is not.",
        marks_file.display(),
        folder.join(KEY_FILE).display()
    )?;
    if !invented.left_empty.is_empty() {
        let columns = invented.left_empty.join(", ");
        writeln!(
            out,
            "Left empty, because an invented one may be somebody's: {columns}."
        )?;
    }
    if numbers.is_none() {
        writeln!(
            out,
            "Their numbers look like others': check that nobody has them, or give --numbers."
        )?;
    }
    writeln!(
        out,
        "\nChance that a leak of a part of this copy holds at least one of them, 1 - (1 - f)^N:"
    )?;
    for leaked in [0.01, 0.02, 0.05, 0.10, 0.20, 0.50] {
        let chance = canary::detection(arguments.count, leaked);
        writeln!(out, "  {:>3.0} % leaked: {:.1} %", leaked * 100.0, chance * 100.0)?;
    }
    Ok(Outcome::Done)
}

/// The key of the folder; a new one where it has none.
fn key_of(folder: &Path) -> anyhow::Result<Key> {
    let file = folder.join(KEY_FILE);
    if !file.exists() {
        let key = Key::random();
        write_private(&file, &format!("{}\n", key.to_hex()))?;
        return Ok(key);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Key::parse(&text).with_context(|| format!("{} is not 32 hexadecimal digits", file.display()))
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || options.open(path)?.write_all(text.as_bytes());
    write().with_context(|| format!("cannot write {}", path.display()))
}
