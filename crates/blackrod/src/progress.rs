//! What a person sees while work is going on: one line on standard error.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Counts work as it is done and shows it. Cheap to count on from all threads.
pub(crate) struct Progress {
    bar: ProgressBar,
    files_total: u64,
    files: AtomicU64,
    records: Arc<AtomicU64>,
    findings: Arc<AtomicU64>,
}

impl Progress {
    /// Progress over `files` files of `bytes` bytes altogether; silent unless `show` is set and
    /// standard error is a terminal.
    pub(crate) fn new(files: u64, bytes: u64, show: bool) -> Self {
        let records = Arc::new(AtomicU64::new(0));
        let findings = Arc::new(AtomicU64::new(0));
        let visible = show && std::io::stderr().is_terminal();
        let target = if visible {
            ProgressDrawTarget::stderr_with_hz(4)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(bytes), target).with_style(style(&records, &findings));
        if visible {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Self {
            bar,
            files_total: files,
            files: AtomicU64::new(0),
            records,
            findings,
        }
    }

    /// A file was read to its end, or skipped.
    pub(crate) fn file_done(&self) {
        let done = self.files.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar.set_message(format!("{done}/{} files", self.files_total));
    }

    /// Some of the evidence went through.
    pub(crate) fn add(&self, bytes: u64, records: u64, findings: u64) {
        self.bar.inc(bytes);
        self.records.fetch_add(records, Ordering::Relaxed);
        self.findings.fetch_add(findings, Ordering::Relaxed);
    }

    /// What goes on when the evidence has been read.
    pub(crate) fn stage(&self, what: &'static str) {
        self.bar.set_message(what);
        self.bar.tick();
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(records: &Arc<AtomicU64>, findings: &Arc<AtomicU64>) -> ProgressStyle {
    const TEMPLATE: &str = "{spinner} {bar:24} {percent:>3}%  {msg}  {records}  {findings}  {left}";
    let started = Instant::now();
    let records = Arc::clone(records);
    let findings = Arc::clone(findings);
    ProgressStyle::with_template(TEMPLATE)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key(
            "records",
            move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                let count = records.load(Ordering::Relaxed);
                let rate = count as f64 / started.elapsed().as_secs_f64().max(0.001);
                let _ = write!(out, "{count} records ({rate:.0}/s)");
            },
        )
        .with_key(
            "findings",
            move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{} findings", findings.load(Ordering::Relaxed));
            },
        )
        .with_key("left", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{} s left", state.eta().as_secs());
        })
}
