//! Every field of every record, compared with what the `evtx` crate says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blackrod_model::{Event, Refusal, Value};
use bumpalo::Bump;

use super::record::{self, Header, Scratch};
use super::template::Templates;
use super::{CHUNK_LEN, CHUNK_MAGIC, chunk, fallback};
use crate::Sink;

/// Name → value, as text that shows the type.
type Fields = BTreeMap<String, String>;

fn shown(value: &Value<'_>) -> String {
    match value {
        // The JSON of an empty text and of no text is not the same in every place of a record.
        Value::Null => String::new(),
        Value::List(values) => values.iter().map(shown).collect::<Vec<_>>().join("\n"),
        // The JSON shortens 4-byte floating-point numbers differently.
        Value::Float(number) => format!("{:.4e}", *number),
        other => other.to_string(),
    }
}

fn fields_of(event: &Event<'_>) -> Fields {
    event
        .fields
        .iter()
        .map(|field| (field.name.to_string(), shown(&field.value)))
        .collect()
}

#[derive(Default)]
struct Collected {
    /// By the place of the record in the chunk.
    records: BTreeMap<u64, Fields>,
    refusals: Vec<Refusal>,
}

impl Sink for Collected {
    fn event(&mut self, event: Event<'_>) {
        let replaced = self.records.insert(event.at.offset, fields_of(&event));
        assert!(replaced.is_none(), "record at {} came twice", event.at.offset);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

/// What comparing some files found.
#[derive(Debug, Default)]
struct Agreement {
    records: usize,
    by_fallback: usize,
    fields: usize,
    different: Vec<String>,
}

impl Agreement {
    fn add_file(&mut self, content: &[u8]) {
        let chunks = content
            .get(super::FILE_HEADER_LEN..)
            .unwrap_or_default()
            .chunks(CHUNK_LEN);
        for chunk in chunks.filter(|chunk| chunk.starts_with(CHUNK_MAGIC)) {
            self.add_chunk(chunk);
        }
    }

    fn add_chunk(&mut self, content: &[u8]) {
        let records = chunk::found(content);
        let mut theirs = Collected::default();
        fallback::read(content, 0, &records, &mut theirs);
        let names = Bump::new();
        let mut texts = Bump::new();
        let mut templates = Templates::new(content, &names);
        let mut scratch = Scratch::default();
        for refusal in &theirs.refusals {
            self.different.push(format!(
                "the crate, record {}: {}",
                refusal.at.record, refusal.reason
            ));
        }
        for record in records {
            texts.reset();
            self.records += 1;
            match record::read(record, 0, &mut templates, &mut scratch, &texts, 0) {
                Ok(event) => self.compare(
                    record,
                    &fields_of(&event),
                    theirs.records.get(&(record.at as u64)),
                ),
                Err(_) => self.by_fallback += 1,
            }
        }
    }

    fn compare(&mut self, record: Header, ours: &Fields, theirs: Option<&Fields>) {
        self.fields += ours.len();
        let Some(theirs) = theirs else { return };
        for name in ours.keys().chain(theirs.keys()) {
            if ours.get(name) != theirs.get(name) {
                self.different.push(format!(
                    "record {}, {name}: {:?}, the crate: {:?}",
                    record.id,
                    ours.get(name),
                    theirs.get(name)
                ));
            }
        }
    }
}

/// Unpacked real logs, or where they are kept packed.
fn shared_logs() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("BLACKROD_SHARED").map_or(root, PathBuf::from);
    root.join("data").is_dir().then(|| root.join("data"))
}

fn unpack(archive: &Path, into: &Path) -> std::io::Result<()> {
    let file = std::fs::File::open(archive)?;
    tar::Archive::new(zstd::Decoder::new(file)?).unpack(into)
}

fn logs_below(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            logs_below(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "evtx") {
            found.push(path);
        }
    }
    Ok(())
}

#[test]
fn invented_logs_read_the_same_both_ways() {
    let mut agreement = Agreement::default();
    agreement.add_file(&super::tests::log(300));
    assert_eq!(agreement.different, [""; 0]);
    assert_eq!((agreement.records, agreement.by_fallback), (300, 0));
}

#[test]
fn real_logs_read_the_same_both_ways() -> std::io::Result<()> {
    let Some(data) = shared_logs() else {
        println!("SKIPPED: no shared logs; set BLACKROD_SHARED to compare with real ones");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    for name in ["evtx.tar.zst", "evtx-regression.tar.zst"] {
        unpack(&data.join(name), folder.path())?;
    }
    let mut logs = Vec::new();
    logs_below(folder.path(), &mut logs)?;
    let mut agreement = Agreement::default();
    for log in &logs {
        let before = agreement.different.len();
        agreement.add_file(&std::fs::read(log)?);
        if agreement.different.len() > before {
            println!("differs: {}", log.display());
        }
    }
    println!(
        "{} logs, {} records, {} left to the other reader, {} fields compared",
        logs.len(),
        agreement.records,
        agreement.by_fallback,
        agreement.fields
    );
    let shown = agreement.different.len().min(40);
    assert!(
        agreement.different.is_empty(),
        "{} differences:\n{}",
        agreement.different.len(),
        agreement.different[..shown].join("\n")
    );
    assert!(agreement.records > 10_000 && agreement.by_fallback * 100 < agreement.records);
    Ok(())
}
