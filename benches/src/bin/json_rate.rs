//! How fast Windows events in JSON become events, beside `serde_json`'s tree of values on the same records.
//!
//! ```text
//! cargo run --release -p blackrod-benches --bin json_rate -- FOLDER [ROUNDS]
//! ```
//!
//! Prints megabytes per CPU second and CPU microseconds per event, on one thread (Linux only: CPU time
//! is read from `/proc/thread-self/schedstat`). Every way reads every file once before it is measured.

use std::ops::ControlFlow;
use std::path::Path;

use blackrod_model::{Event, Refusal};
use blackrod_read::{Block, Formats, Sink};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: json_rate FOLDER [ROUNDS]")?;
    let rounds: usize = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files)?;
    let megabytes = files.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
    println!("{} files, {megabytes:.1} MB, {rounds} rounds", files.len());

    let formats = Formats::standard();
    let mut blocks = Vec::new();
    let mut counts = Counts::default();
    let measure = |name: &str, round: &mut dyn FnMut() -> Result<u64, Failure>| -> Result<(), Failure> {
        round()?;
        let start = cpu_seconds()?;
        let mut events = 0;
        for _ in 0..rounds {
            events += round()?;
        }
        let seconds = cpu_seconds()? - start;
        let rate = megabytes * rounds as f64 / seconds;
        let each = seconds * 1e6 / events as f64;
        println!(
            "{name:<28} {rate:>7.0} MB per CPU s  {each:>6.3} µs an event  {} events",
            events / rounds as u64
        );
        Ok(())
    };
    measure("serde_json::Value", &mut || {
        each_line(&files, |line| {
            Ok(serde_json::from_slice::<serde_json::Value>(line).map(drop)?)
        })
    })?;
    measure("blackrod: split", &mut || {
        blocks.clear();
        split(&formats, &files, &mut |block| blocks.push(block))
    })?;
    let format = formats
        .iter()
        .find(|format| format.name() == "windows-json")
        .ok_or("no such format")?;
    measure("blackrod: parse", &mut || {
        counts = Counts::default();
        blocks.iter().for_each(|block| format.parse(block, &mut counts));
        Ok(counts.events)
    })?;
    measure("blackrod: split and parse", &mut || {
        counts = Counts::default();
        split(&formats, &files, &mut |block| format.parse(&block, &mut counts))?;
        Ok(counts.events)
    })?;
    println!(
        "{} read, {} refused, {} fields",
        counts.events, counts.refused, counts.fields
    );
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<Vec<u8>>) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(std::fs::read(path)?);
        }
    }
    Ok(())
}

fn each_line(files: &[Vec<u8>], mut parse: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<u64, Failure> {
    let mut lines = 0;
    for file in files {
        let mut rest = file.as_slice();
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            let (line, after) = rest.split_at(end);
            if !line.trim_ascii().is_empty() {
                parse(line.trim_ascii_end())?;
                lines += 1;
            }
            rest = after;
        }
    }
    Ok(lines)
}

fn split(formats: &Formats, files: &[Vec<u8>], take: &mut dyn FnMut(Block)) -> Result<u64, Failure> {
    for file in files {
        let head = &file[..file.len().min(blackrod_read::HEAD_LEN)];
        let Some(format) = formats.recognise(head) else {
            continue;
        };
        format.split(&mut file.as_slice(), &mut |block| {
            take(block);
            ControlFlow::Continue(())
        })?;
    }
    // Splitting yields blocks, not events; the rate per event is that of one.
    Ok(1)
}

fn cpu_seconds() -> Result<f64, Failure> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = statistics.split(' ').next().ok_or("no CPU time")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}

#[derive(Default)]
struct Counts {
    events: u64,
    refused: u64,
    fields: u64,
}

impl Sink for Counts {
    fn event(&mut self, event: Event<'_>) {
        self.events += 1;
        self.fields += event.fields.len() as u64;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused += refusal.records;
    }
}
