//! What the measuring programs share: arguments, files, the result line, the list of findings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;

/// `PROGRAM EVIDENCE RULES... [--list FILE] [--threads N]`
#[derive(Debug, Default)]
pub struct Args {
    /// The folder with EVTX files or files of JSON lines.
    pub evidence: PathBuf,
    /// Folders with Sigma rules.
    pub rules: Vec<PathBuf>,
    /// Where to write the findings, one line each, sorted.
    pub list: Option<PathBuf>,
    /// How many threads read; 1 unless told otherwise.
    pub threads: usize,
}

impl Args {
    /// The arguments of this process.
    ///
    /// # Errors
    ///
    /// If they are not as described above.
    pub fn parse() -> anyhow::Result<Self> {
        let mut args = Self {
            threads: 1,
            ..Self::default()
        };
        let mut given = std::env::args().skip(1);
        let mut folders = Vec::new();
        while let Some(arg) = given.next() {
            match arg.as_str() {
                "--list" => args.list = given.next().map(PathBuf::from),
                "--threads" => args.threads = given.next().unwrap_or_default().parse()?,
                _ => folders.push(PathBuf::from(arg)),
            }
        }
        anyhow::ensure!(
            folders.len() >= 2,
            "usage: PROGRAM EVIDENCE RULES... [--list FILE] [--threads N]"
        );
        args.evidence = folders.remove(0);
        args.rules = folders;
        Ok(args)
    }
}

/// The files below `dir` with one of these extensions, in the order of their paths.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn files(dir: &Path, extensions: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if extension.is_some_and(|extension| extensions.contains(&extension)) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Counts of one run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Records read.
    pub events: u64,
    /// Rule, file, record.
    pub findings: Vec<(String, String, u64)>,
}

impl Outcome {
    /// Adds the counts of another part of the run.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.findings.extend(other.findings);
    }
}

/// Clocks of one run, started when the rules are loaded.
pub struct Clock {
    wall: Instant,
    cpu: ProcessTime,
}

impl Clock {
    /// Starts both clocks.
    pub fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: ProcessTime::now(),
        }
    }

    /// CPU seconds of all threads since the start.
    pub fn cpu_seconds(&self) -> f64 {
        self.cpu.elapsed().as_secs_f64()
    }

    /// Prints what was done and how long it took, and writes the list if one is asked for.
    ///
    /// # Errors
    ///
    /// If the list cannot be written.
    pub fn finish(&self, args: &Args, mut outcome: Outcome) -> anyhow::Result<()> {
        let (wall, cpu) = (self.wall.elapsed(), self.cpu.elapsed());
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / outcome.events.max(1) as f64;
        println!(
            "{} events, {} findings, {:.3} CPU s ({:.2} µs an event, {:.0} events per CPU second), {:.3} s wall, {} MB peak",
            outcome.events,
            outcome.findings.len(),
            cpu.as_secs_f64(),
            micros(cpu),
            outcome.events as f64 / cpu.as_secs_f64(),
            wall.as_secs_f64(),
            peak_megabytes(),
        );
        let Some(path) = &args.list else {
            return Ok(());
        };
        outcome.findings.sort_unstable();
        let mut text = String::new();
        for (rule, file, record) in &outcome.findings {
            writeln!(text, "{rule}\t{file}\t{record}")?;
        }
        std::fs::write(path, text)?;
        Ok(())
    }
}

/// The most memory that this process had, in MB; 0 where the system does not say.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}
