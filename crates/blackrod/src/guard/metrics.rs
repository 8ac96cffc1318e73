//! What the guard counts, for Prometheus, and whether it is well.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use super::journal::Entry;
use super::policy::Verdict;

/// A number that others read while it grows.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn less(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(super) fn store(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The upper ends of the classes of latency, in milliseconds.
const CLASSES: [u64; 10] = [1, 2, 5, 10, 20, 50, 100, 500, 1_000, 2_000];

/// Everything that is counted.
#[derive(Default)]
pub(super) struct Metrics {
    pub(super) sessions: Count,
    pub(super) sessions_all: Count,
    pub(super) sessions_closed_idle: Count,
    pub(super) protocol_errors: Count,
    pub(super) messages: Count,
    pub(super) failed_open: Count,
    pub(super) tempfailed: Count,
    pub(super) journal_failures: Count,
    pub(super) restored: Count,
    pub(super) buffered: Count,
    pub(super) campaigns: Count,
    pub(super) recalled: Count,
    pub(super) recall_failures: Count,
    pub(super) alerts: Count,
    pub(super) alerts_failed: Count,
    pub(super) alerts_over_budget: Count,
    verdicts: [Count; 5],
    latency: [Count; CLASSES.len() + 1],
    latency_micros: Count,
}

const VERDICTS: [Verdict; 5] = [
    Verdict::Pass,
    Verdict::Tag,
    Verdict::Defuse,
    Verdict::Hold,
    Verdict::Reject,
];

impl Metrics {
    pub(super) fn judged(&self, entry: &Entry) {
        let verdict = VERDICTS.iter().zip(&self.verdicts);
        verdict
            .filter(|(verdict, _)| **verdict == entry.verdict)
            .for_each(|(_, count)| count.add(1));
    }

    /// How long the mail server waited from the end of a message to the answer.
    pub(super) fn answered_after(&self, waited: Duration) {
        let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let class = CLASSES.partition_point(|end| *end < millis);
        self.latency
            .iter()
            .skip(class)
            .take(1)
            .for_each(|count| count.add(1));
        self.latency_micros
            .add(u64::try_from(waited.as_micros()).unwrap_or_default());
    }

    /// The text format of Prometheus, version 0.0.4.
    fn exposition(&self) -> String {
        let mut out = String::new();
        let plain = [
            ("sessions", "gauge", &self.sessions),
            ("buffered_bytes", "gauge", &self.buffered),
            ("sessions_total", "counter", &self.sessions_all),
            (
                "sessions_closed_idle_total",
                "counter",
                &self.sessions_closed_idle,
            ),
            ("protocol_errors_total", "counter", &self.protocol_errors),
            ("messages_total", "counter", &self.messages),
            ("failed_open_total", "counter", &self.failed_open),
            ("tempfailed_total", "counter", &self.tempfailed),
            ("journal_failures_total", "counter", &self.journal_failures),
            ("journal_restored", "gauge", &self.restored),
            ("campaigns_total", "counter", &self.campaigns),
            ("recalled_total", "counter", &self.recalled),
            ("recall_failures_total", "counter", &self.recall_failures),
            ("alerts_total", "counter", &self.alerts),
            ("alerts_failed_total", "counter", &self.alerts_failed),
            ("alerts_over_budget_total", "counter", &self.alerts_over_budget),
        ];
        for (name, kind, count) in plain {
            let _ = writeln!(
                out,
                "# TYPE blackrod_{name} {kind}\nblackrod_{name} {}",
                count.get()
            );
        }
        out.push_str("# TYPE blackrod_verdicts_total counter\n");
        for (verdict, count) in VERDICTS.iter().zip(&self.verdicts) {
            let _ = writeln!(
                out,
                "blackrod_verdicts_total{{verdict=\"{}\"}} {}",
                verdict.name(),
                count.get()
            );
        }
        out.push_str("# TYPE blackrod_answer_seconds histogram\n");
        let mut below = 0;
        for (end, count) in CLASSES.iter().zip(&self.latency) {
            below += count.get();
            let seconds = *end as f64 / 1_000.0;
            let _ = writeln!(out, "blackrod_answer_seconds_bucket{{le=\"{seconds}\"}} {below}");
        }
        let all: u64 = self.latency.iter().map(Count::get).sum();
        let sum = self.latency_micros.get() as f64 / 1e6;
        let _ = writeln!(
            out,
            "blackrod_answer_seconds_bucket{{le=\"+Inf\"}} {all}\nblackrod_answer_seconds_sum {sum}\nblackrod_answer_seconds_count {all}"
        );
        out
    }
}

/// `/metrics` and `/health`. Well means: the last journal entries could be written.
pub(super) fn routes(metrics: Arc<Metrics>) -> Router {
    let health = Arc::clone(&metrics);
    Router::new()
        .route(
            "/metrics",
            get(move || {
                let text = metrics.exposition();
                async move { ([("content-type", "text/plain; version=0.0.4")], text) }
            }),
        )
        .route(
            "/health",
            get(move || {
                let failures = health.journal_failures.get();
                async move {
                    match failures {
                        0 => (StatusCode::OK, "well\n".to_owned()),
                        some => (
                            StatusCode::SERVICE_UNAVAILABLE,
                            format!("the journal could not be written {some} times since the start\n"),
                        ),
                    }
                }
            }),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_counted_in_growing_classes() {
        let metrics = Metrics::default();
        for millis in [0, 1, 7, 40, 9_000] {
            metrics.answered_after(Duration::from_millis(millis));
        }
        let text = metrics.exposition();
        for line in [
            "{le=\"0.001\"} 2",
            "{le=\"0.05\"} 4",
            "{le=\"2\"} 4",
            "{le=\"+Inf\"} 5",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
