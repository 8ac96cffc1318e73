//! Tables of people as CSV (RFC 4180), and ranges on the command line.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

/// The largest sample that is read.
const MAX_SAMPLE: u64 = 4 << 30;

/// A CSV file: its header and its rows, each as wide as the header.
pub(super) fn read(file: &Path) -> anyhow::Result<(Vec<String>, Vec<Vec<String>>)> {
    let told = || format!("cannot read {}", file.display());
    let opened = std::fs::File::open(file).with_context(told)?;
    let mut bytes = Vec::new();
    opened
        .take(MAX_SAMPLE)
        .read_to_end(&mut bytes)
        .with_context(told)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(bytes.as_slice());
    let owned = |row: &csv::ByteRecord| -> Vec<String> {
        row.iter()
            .map(|cell| {
                String::from_utf8_lossy(cell)
                    .trim_start_matches('\u{FEFF}')
                    .to_owned()
            })
            .collect()
    };
    let header = owned(reader.byte_headers().with_context(told)?);
    let mut rows = Vec::new();
    for row in reader.byte_records() {
        let row = owned(&row.with_context(told)?);
        ensure!(
            row.len() == header.len(),
            "{}: row {} has {} cells where the header has {}",
            file.display(),
            rows.len() + 1,
            row.len(),
            header.len()
        );
        rows.push(row);
    }
    Ok((header, rows))
}

/// CSV, RFC 4180.
pub(super) fn written(header: &[String], rows: &[Vec<String>]) -> String {
    let cell = |text: &String| match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.clone(),
    };
    let mut csv = String::new();
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        csv.push_str(&row.iter().map(cell).collect::<Vec<_>>().join(","));
        csv.push_str("\r\n");
    }
    csv
}

/// `31-44`: the first not above the second, neither below 0.
pub(super) fn range(text: &str) -> anyhow::Result<(f64, f64)> {
    let parts = text.split_once('-').unwrap_or((text, text));
    let number = |part: &str| {
        part.trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    };
    match (number(parts.0), number(parts.1)) {
        (Some(from), Some(to)) if from <= to && from >= 0.0 => Ok((from, to)),
        _ => bail!("{text:?} is no range: write it like 31-44"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn ranges_go_up() {
        assert_eq!(range("31-44").unwrap(), (31.0, 44.0));
        assert_eq!(range("50").unwrap(), (50.0, 50.0));
        assert!(range("44-31").is_err() && range("x").is_err() && range("-3-5").is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let header = vec!["name".to_owned(), "a, \"b\"".to_owned()];
        let rows = vec![vec!["line\nline".to_owned(), String::new()]];
        std::fs::write(file.path(), written(&header, &rows)).unwrap();
        assert_eq!(read(file.path()).unwrap(), (header, rows));
    }
}
