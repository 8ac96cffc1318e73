//! Measures reading alone: `cargo run --release -p blackrod-benches --bin read_rate -- FILE...`
//!
//! Splits and parses the given files on one thread, throws the events away, and prints how many
//! there were and how much was read per CPU second. Files are loaded before the clock starts.
//! `--bare-evtx` also runs the `evtx` crate over the same input: its template walk and its JSON.
//! Bytes of EVTX are counted as live data: the records in use, not the free space of chunks.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use blackrod_model::{Event, Refusal};
use blackrod_read::{Format, Formats, HEAD_LEN, Sink};
use evtx::{EvtxParser, ParserSettings};

/// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::io::Result<()> {
    let mut bare_evtx = false;
    let mut verbose = false;
    let mut repeat = 1_u32;
    let mut files = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--bare-evtx" => bare_evtx = true,
            "--verbose" => verbose = true,
            other => match other.strip_prefix("--repeat=") {
                Some(count) => repeat = count.parse().map_err(std::io::Error::other)?,
                None => files.push((other.to_owned(), std::fs::read(other)?)),
            },
        }
    }
    let formats = Formats::standard();
    let mut known: Vec<(&str, &[u8], &dyn Format)> = Vec::new();
    for (path, content) in &files {
        match formats.recognise(&content[..content.len().min(HEAD_LEN)]) {
            Some(format) => known.push((path, content, format)),
            None => println!("{path}: of no known format"),
        }
    }

    let bytes: usize = known
        .iter()
        .map(|(_, content, format)| live_bytes(content, *format))
        .sum();
    let mut counted = Counter::default();
    let clock = Clock::start();
    for round in 0..repeat {
        for (path, content, format) in &known {
            let before = counted.refusals.len();
            read(content, *format, &mut counted)?;
            if verbose && round == 0 {
                counted.refusals[before..].iter().for_each(|refusal| {
                    println!(
                        "{path} @{}: {} records: {}",
                        refusal.at.offset, refusal.records, refusal.reason
                    );
                });
            }
        }
    }
    let rounds = f64::from(repeat);
    report(
        "blackrod-read",
        known.len(),
        counted.events,
        bytes as f64 * rounds,
        clock.seconds(),
    );
    let refused: u64 = counted.refusals.iter().map(|refusal| refusal.records).sum();
    println!(
        "  {} fields, {} filled columns; {refused} records refused, {} lines in the ledger",
        counted.fields,
        counted.columns,
        counted.refusals.len()
    );

    if bare_evtx {
        for (name, walk) in [("evtx: template walk", false), ("evtx: JSON text", true)] {
            let clock = Clock::start();
            let mut records = 0;
            for _ in 0..repeat {
                for (_, content, _) in known.iter().filter(|(_, _, format)| format.name() == "evtx") {
                    records += if walk {
                        bare_json(content)
                    } else {
                        bare_walk(content)
                    };
                }
            }
            report(name, known.len(), records, bytes as f64 * rounds, clock.seconds());
        }
    }
    Ok(())
}

fn read(content: &[u8], format: &dyn Format, sink: &mut Counter) -> std::io::Result<()> {
    let outcome = format
        .split(&mut Cursor::new(content), &mut |block| {
            format.parse(&block, sink);
            ControlFlow::Continue(())
        })
        .map_err(std::io::Error::other)?;
    sink.refusals.extend(outcome.refusals);
    Ok(())
}

#[derive(Default)]
struct Counter {
    events: u64,
    fields: u64,
    columns: u64,
    refusals: Vec<Refusal>,
}

impl Sink for Counter {
    fn event(&mut self, event: Event<'_>) {
        self.events += 1;
        self.fields += event.fields.len() as u64;
        let columns = blackrod_model::Column::ALL;
        self.columns += columns
            .iter()
            .filter(|column| event.columns.get(**column).is_some())
            .count() as u64;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

fn report(name: &str, files: usize, records: u64, bytes: f64, seconds: f64) {
    let megabytes = bytes / 1e6;
    println!(
        "{name}: {files} files, {records} records, {megabytes:.1} MB in {seconds:.3} CPU s: {:.0} MB/s, {:.0} records/s",
        megabytes / seconds,
        records as f64 / seconds
    );
}

/// Bytes of records in use; for other formats than EVTX, all bytes.
fn live_bytes(content: &[u8], format: &dyn Format) -> usize {
    if format.name() != "evtx" {
        return content.len();
    }
    const CHUNK_LEN: usize = 64 * 1024;
    let free_space = |chunk: &[u8]| Some(u32::from_le_bytes(*chunk.get(48..)?.first_chunk()?) as usize);
    let chunks = content.get(4096..).unwrap_or_default().chunks(CHUNK_LEN);
    chunks
        .filter(|chunk| chunk.starts_with(b"ElfChnk\0"))
        .filter_map(|chunk| Some(free_space(chunk)?.min(chunk.len()).saturating_sub(512)))
        .sum()
}

fn settings() -> ParserSettings {
    ParserSettings::default().num_threads(1)
}

fn bare_walk(content: &[u8]) -> u64 {
    let Ok(mut parser) = EvtxParser::from_read_seek(Cursor::new(content)) else {
        return 0;
    };
    let mut records = 0;
    for mut chunk in parser.chunks().flatten() {
        let Ok(mut chunk) = chunk.parse(Arc::new(settings())) else {
            continue;
        };
        for record in chunk.iter().flatten() {
            records += u64::from(
                record
                    .template_instances()
                    .is_ok_and(|found| !std::hint::black_box(found).is_empty()),
            );
        }
    }
    records
}

fn bare_json(content: &[u8]) -> u64 {
    let Ok(parser) = EvtxParser::from_read_seek(Cursor::new(content)) else {
        return 0;
    };
    let mut parser = parser.with_configuration(settings());
    parser
        .records_json()
        .flatten()
        .map(|record| std::hint::black_box(record.data).len().min(1) as u64)
        .sum()
}

/// CPU seconds of this thread where Linux tells them, else seconds on the wall.
struct Clock {
    cpu: Option<f64>,
    wall: Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            cpu: cpu_seconds(),
            wall: Instant::now(),
        }
    }

    fn seconds(&self) -> f64 {
        let cpu = self.cpu.and_then(|start| Some(cpu_seconds()? - start));
        cpu.unwrap_or_else(|| self.wall.elapsed().as_secs_f64())
    }
}

fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}
