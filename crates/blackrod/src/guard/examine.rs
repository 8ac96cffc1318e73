//! One message: raw bytes → events → findings and facts, by the same calls as `blackrod investigate`.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

use blackrod_detect::{Detectors, Found, Scanner};
use blackrod_model::mail::Facts;
use blackrod_model::{Event, EvidenceId, Refusal};
use blackrod_read::{Formats, Sink};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

/// What one message is by itself.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) found: Found,
    /// Its anatomy; none where no message could be read out of it.
    pub(super) facts: Option<Facts>,
}

/// Work for a thread of the pool.
pub(super) type Job = Box<dyn FnOnce(&mut Examiner<'_>) + Send>;

/// A few threads that take messages apart, and a short queue before them.
pub(super) struct Pool {
    sender: Sender<Job>,
    rules: Arc<Rules>,
    threads: Vec<JoinHandle<()>>,
}

/// The rules as they are now. They can be replaced while messages are looked at with those before.
struct Rules(RwLock<Arc<Detectors>>);

impl Rules {
    fn current(&self) -> Arc<Detectors> {
        let guard = match self.0.read() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        Arc::clone(&guard)
    }
}

impl Pool {
    pub(super) fn start(detectors: Detectors, threads: usize) -> anyhow::Result<Self> {
        let count = match threads {
            0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            given => given,
        };
        // As much as the threads do in a second or so: more would only wait past its time.
        let (sender, receiver) = bounded::<Job>(count * 64);
        let rules = Arc::new(Rules(RwLock::new(Arc::new(detectors))));
        let threads = (0..count)
            .map(|number| {
                let (receiver, rules) = (receiver.clone(), Arc::clone(&rules));
                std::thread::Builder::new()
                    .name(format!("examine-{number}"))
                    .spawn(move || work(&receiver, &rules))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            sender,
            rules,
            threads,
        })
    }

    /// Gives work to the pool; false where its queue is full.
    pub(super) fn try_give(&self, job: Job) -> bool {
        match self.sender.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// From the next message on these rules are used.
    pub(super) fn replace_rules(&self, detectors: Detectors) {
        let fresh = Arc::new(detectors);
        match self.rules.0.write() {
            Ok(mut guard) => *guard = fresh,
            Err(poisoned) => *poisoned.into_inner() = fresh,
        }
    }

    /// Finishes what waits.
    pub(super) fn stop(self) {
        drop(self.sender);
        for thread in self.threads {
            // A thread that panicked outside of a job has nothing left to do either.
            let _ = thread.join();
        }
    }
}

fn work(receiver: &Receiver<Job>, rules: &Rules) {
    let mut next = receiver.recv().ok();
    while next.is_some() {
        let detectors = rules.current();
        let mut examiner = Examiner::new(&detectors);
        while let Some(job) = next.take() {
            // Readers do not panic on any message that fuzzing found; should one do it all the same, its session
            // sees that nobody answers and the next message finds fresh tools.
            let is_whole = catch_unwind(AssertUnwindSafe(|| job(&mut examiner))).is_ok();
            next = receiver.recv().ok();
            if !is_whole || !Arc::ptr_eq(&detectors, &rules.current()) {
                break;
            }
        }
    }
}

/// One thread's tools.
pub(super) struct Examiner<'d> {
    scanner: Scanner<'d>,
    formats: Formats,
}

impl<'d> Examiner<'d> {
    fn new(detectors: &'d Detectors) -> Self {
        Self {
            scanner: detectors.scanner(),
            formats: Formats::standard(),
        }
    }

    /// Takes a message apart and looks at it.
    pub(super) fn examine(&mut self, evidence: EvidenceId, raw: &[u8]) -> Examined {
        let mut examined = Examined::default();
        let Some(format) = self.formats.iter().find(|format| format.name() == "eml") else {
            return examined;
        };
        let mut sink = Looker {
            scanner: &mut self.scanner,
            evidence,
            found: &mut examined.found,
        };
        let mut input = raw;
        let split = format.split(&mut input, &mut |block| {
            format.parse(&block, &mut sink);
            ControlFlow::Continue(())
        });
        // Reading from memory does not fail.
        if let Ok(outcome) = split {
            examined.found.refusals.extend(outcome.refusals);
        }
        examined.facts = examined.found.facts.iter().find_map(|fact| fact.kept::<Facts>());
        examined
    }
}

struct Looker<'l, 'd> {
    scanner: &'l mut Scanner<'d>,
    evidence: EvidenceId,
    found: &'l mut Found,
}

impl Sink for Looker<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.scanner.event(self.evidence, &event, self.found);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.found.refusals.push(refusal);
    }
}
