//! Reads a folder and matches Sigma rules the way blackrod does; no store.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use blackrod_benches::{Args, Clock, Outcome, files};
use blackrod_detect::{Found, sigma};
use blackrod_model::{Event, EvidenceId, Refusal};
use blackrod_read::{Block, HEAD_LEN, Known, Sink, formats};
use crossbeam_channel::Sender;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Blocks that wait for a free thread.
const AHEAD: usize = 64;

/// A block of a file.
struct Job {
    format: Known,
    name: Arc<str>,
    block: Block,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse()?;
    let (rules, set) = sigma::Rules::load(&args.rules, false)?;
    eprintln!("{} rules, {} problems", set.loaded, set.refused.len());
    // Indices are built as records call for them; a first pass leaves that out of the measurement.
    let warm = Clock::start();
    scan(&args, &rules)?;
    eprintln!("first pass: {:.3} CPU s", warm.cpu_seconds());
    let clock = Clock::start();
    let outcome = scan(&args, &rules)?;
    clock.finish(&args, outcome)
}

/// One thread splits the files, the others parse and match.
fn scan(args: &Args, rules: &sigma::Rules) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let (sender, receiver) = crossbeam_channel::bounded::<Job>(AHEAD);
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let workers: Vec<_> = (0..args.threads)
            .map(|_| {
                let jobs = receiver.clone();
                scope.spawn(move || {
                    let mut scan = Scan::new(rules);
                    for job in jobs {
                        scan.name = job.name;
                        job.format.parse(&job.block, &mut scan);
                    }
                    eprintln!("{:?}", scan.scanner.stats());
                    scan.outcome
                })
            })
            .collect();
        drop(receiver);
        for path in files(&args.evidence, &["evtx", "json", "ndjson"])? {
            split(&path, &args.evidence, &sender)?;
        }
        drop(sender);
        for worker in workers {
            let part = worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?;
            outcome.add(part);
        }
        Ok(())
    })?;
    Ok(outcome)
}

fn split(path: &Path, root: &Path, jobs: &Sender<Job>) -> anyhow::Result<()> {
    let name: Arc<str> = path.strip_prefix(root)?.display().to_string().into();
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_LEN as u64).read_to_end(&mut head)?;
    let Some(&format) = formats().iter().find(|format| format.recognise(&head)) else {
        eprintln!("{name}: unknown format");
        return Ok(());
    };
    let mut input = BufReader::with_capacity(1 << 20, File::open(path)?);
    format.split(&mut input, &mut |block| {
        let job = Job {
            format,
            name: Arc::clone(&name),
            block,
        };
        match jobs.send(job) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    Ok(())
}

struct Scan<'r> {
    scanner: sigma::Scanner<'r>,
    found: Found,
    outcome: Outcome,
    name: Arc<str>,
}

impl<'r> Scan<'r> {
    fn new(rules: &'r sigma::Rules) -> Self {
        Self {
            scanner: rules.scanner(),
            found: Found::default(),
            outcome: Outcome::default(),
            name: "".into(),
        }
    }
}

impl Sink for Scan<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.outcome.events += 1;
        self.scanner.event(EvidenceId([0; 16]), &event, &mut self.found);
        for finding in self.found.findings.drain(..) {
            self.outcome
                .findings
                .push((finding.rule_id, self.name.to_string(), finding.at.record));
        }
    }

    fn refuse(&mut self, _: Refusal) {}
}
