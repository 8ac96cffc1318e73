//! All messages in the order in which they came, judged by one thread and journaled before anybody is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use blackrod_mail::stream::{Ongoing, Options, Stream};
use blackrod_model::mail::{Facts, MailCampaign, Term};
use blackrod_model::{Estate, EvidenceId, Finding, Timestamp};
use crossbeam_channel::{Receiver, Sender, bounded};
use tokio::sync::{mpsc, oneshot};

use super::config::{Clock, JudgeOptions};
use super::journal::{Entry, Journal, Place};
use super::metrics::Metrics;
use super::policy::{Policy, Verdict};

/// The most that is written to the journal, and to the disk, at once.
const LOT: usize = 256;
const DAY_SECONDS: i64 = 86_400;

/// A message to be judged.
pub(super) struct Matter {
    pub(super) evidence: EvidenceId,
    pub(super) queue_id: String,
    pub(super) sender: String,
    pub(super) recipients: Vec<String>,
    pub(super) facts: Option<Facts>,
    pub(super) findings: Vec<Finding>,
    pub(super) claim: Claim,
    /// It was delivered before it could be judged.
    pub(super) is_late: bool,
    pub(super) answer: Option<oneshot::Sender<Result<Ruling, String>>>,
}

/// Whether the verdict on a message still counts: taken once, by the judge or by a session that could not wait longer.
#[derive(Clone, Default)]
pub(super) struct Claim(Arc<AtomicU8>);

impl Claim {
    const OPEN: u8 = 0;
    const JUDGED: u8 = 1;
    const GIVEN_UP: u8 = 2;

    /// The session waits no longer; false where the verdict is already on its way.
    pub(super) fn give_up(&self) -> bool {
        self.take(Self::GIVEN_UP)
    }

    fn judge(&self) -> bool {
        self.take(Self::JUDGED)
    }

    fn take(&self, by: u8) -> bool {
        self.0
            .compare_exchange(Self::OPEN, by, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }
}

/// What is thought of a message, and what is to be done with it.
#[derive(Clone, Debug)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    pub(super) score: f32,
    pub(super) campaign: Option<String>,
    /// Codes of what speaks against it, heaviest first.
    pub(super) reasons: Vec<String>,
}

/// A campaign that was recognised, or grew by messages that came earlier.
#[derive(Debug)]
pub(super) struct Crossing {
    pub(super) key: String,
    pub(super) campaign: MailCampaign,
    /// Its messages that reached their readers live, as they were journaled.
    pub(super) live: Vec<(EvidenceId, Entry)>,
}

/// The thread, and the way to it.
pub(super) struct Judge {
    sender: Sender<Matter>,
    thread: JoinHandle<()>,
}

/// What the thread works with.
pub(super) struct Bench {
    pub(super) estate: Arc<Estate>,
    pub(super) policy: Policy,
    pub(super) options: JudgeOptions,
    pub(super) journal: Journal,
    pub(super) metrics: Arc<Metrics>,
    pub(super) crossings: mpsc::UnboundedSender<Crossing>,
}

impl Judge {
    /// Reads the journal back, then judges what comes. Returns when the journal has been read.
    pub(super) fn start(bench: Bench) -> anyhow::Result<Self> {
        let (sender, receiver) = bounded(LOT * 4);
        let (ready, is_ready) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("judge".to_owned())
            .spawn(move || {
                let estate = Arc::clone(&bench.estate);
                let mut sitting = Sitting::new(bench, &estate);
                let restored = sitting.restore();
                let is_restored = restored.is_ok();
                let _ = ready.send(restored);
                if is_restored {
                    sitting.work(&receiver);
                }
            })?;
        is_ready.recv()??;
        Ok(Self { sender, thread })
    }

    /// Where messages are handed in.
    pub(super) fn door(&self) -> Sender<Matter> {
        self.sender.clone()
    }

    /// Finishes what waits. All other ways to it must be closed.
    pub(super) fn stop(self) {
        drop(self.sender);
        let _ = self.thread.join();
    }
}

struct Sitting<'e> {
    bench: Bench,
    stream: Stream<'e>,
    clock: Steady,
    places: HashMap<EvidenceId, Place>,
    campaigns: HashMap<u32, Known>,
    /// The campaigns of messages, so that a campaign keeps its name when it is joined with another.
    key_of: HashMap<EvidenceId, String>,
}

/// What was told of a campaign.
struct Known {
    key: String,
    senders: usize,
}

/// A message that was judged and is about to be journaled.
struct Judged {
    matter: Matter,
    entry: Entry,
    ruling: Ruling,
    crossed: Option<Ongoing>,
}

impl<'e> Sitting<'e> {
    fn new(bench: Bench, estate: &'e Estate) -> Self {
        Self {
            stream: Stream::new(estate, Options::default()),
            clock: Steady::new(),
            places: HashMap::new(),
            campaigns: HashMap::new(),
            key_of: HashMap::new(),
            bench,
        }
    }

    /// Judges the journaled messages again, in their order: what the stream knows depends on nothing else.
    fn restore(&mut self) -> anyhow::Result<()> {
        let Self {
            bench,
            stream,
            clock,
            places,
            ..
        } = self;
        let mut ongoing: HashMap<u32, Ongoing> = HashMap::new();
        let mut count = 0_u64;
        let mut latest = Timestamp::UNKNOWN;
        let torn = bench.journal.replay(
            day_of(clock.now()),
            bench.options.keep_days,
            &mut |place, entry| {
                count += 1;
                latest = latest.max(entry.arrived);
                let Some(facts) = entry.facts else {
                    return;
                };
                places.insert(facts.evidence, place);
                stream.push(&facts);
                if let Some(now) = stream.ongoing() {
                    ongoing.insert(now.cluster, now);
                }
            },
        )?;
        // A clock that was set back must not make new mail older than what is remembered.
        clock.not_before(latest);
        bench.metrics.restored.store(count);
        if torn > 0 {
            eprintln!("blackrod guard: {torn} bytes of a torn journal entry were cut off");
        }
        let mut latest: Vec<Ongoing> = ongoing.into_values().collect();
        latest.sort_by_key(|one| one.cluster);
        for one in latest {
            self.cross(&one);
        }
        Ok(())
    }

    fn work(&mut self, receiver: &Receiver<Matter>) {
        while let Ok(first) = receiver.recv() {
            let mut lot: Vec<Judged> = self.judge(first).into_iter().collect();
            while lot.len() < LOT
                && let Ok(next) = receiver.try_recv()
            {
                lot.extend(self.judge(next));
            }
            self.settle(lot);
        }
    }

    /// None where the session gave up waiting: such a message is handed in again.
    fn judge(&mut self, mut matter: Matter) -> Option<Judged> {
        if !matter.claim.judge() {
            return None;
        }
        let arrived = self.clock.now();
        let is_late = matter.is_late;
        let mut score = 0.0;
        let mut reasons: Vec<String> = Vec::new();
        let mut ongoing = None;
        if let Some(facts) = &mut matter.facts {
            if self.bench.options.clock == Clock::Arrival || facts.time == Timestamp::UNKNOWN {
                facts.time = arrived;
            }
            let judged = self.stream.push(facts);
            score = judged.score;
            reasons = codes(&judged.reasons);
            ongoing = self.stream.ongoing();
        }
        for finding in &matter.findings {
            if !reasons.contains(&finding.code) {
                reasons.push(finding.code.clone());
            }
        }
        reasons.truncate(8);
        let (key, crossed) = self.campaign_of(ongoing.as_ref(), matter.evidence);
        let verdict = match is_late {
            true => Verdict::Pass,
            false => self
                .bench
                .policy
                .verdict(ongoing.is_some(), score, &matter.findings),
        };
        let entry = Entry {
            arrived,
            queue_id: matter.queue_id.clone(),
            sender: matter.sender.clone(),
            recipients: matter.recipients.clone(),
            verdict,
            failed_open: is_late,
            score,
            campaign: key.clone(),
            facts: matter.facts.take(),
            findings: std::mem::take(&mut matter.findings),
        };
        let ruling = Ruling {
            verdict,
            score,
            campaign: key,
            reasons,
        };
        Some(Judged {
            matter,
            entry,
            ruling,
            // What was delivered live although its campaign was known has to be taken back as well.
            crossed: ongoing.filter(|_| crossed || is_late),
        })
    }

    /// The name of a campaign, and whether there is something new to tell of it.
    fn campaign_of(&mut self, ongoing: Option<&Ongoing>, evidence: EvidenceId) -> (Option<String>, bool) {
        let Some(ongoing) = ongoing else {
            return (None, false);
        };
        let told = self.campaigns.get(&ongoing.cluster);
        if let Some(known) = told.filter(|known| known.senders == ongoing.senders) {
            let key = known.key.clone();
            self.key_of.insert(evidence, key.clone());
            return (Some(key), false);
        }
        let key = self.stream.campaign(ongoing).map(|campaign| self.name(&campaign));
        if let Some(key) = &key {
            self.key_of.insert(evidence, key.clone());
            self.campaigns.insert(
                ongoing.cluster,
                Known {
                    key: key.clone(),
                    senders: ongoing.senders,
                },
            );
        }
        (key, true)
    }

    /// The name that any of its messages was told under before, else its own.
    fn name(&mut self, campaign: &MailCampaign) -> String {
        let known = campaign
            .messages
            .iter()
            .find_map(|message| self.key_of.get(&message.evidence));
        let key = known.unwrap_or(&campaign.key).clone();
        for message in &campaign.messages {
            self.key_of.insert(message.evidence, key.clone());
        }
        key
    }

    /// Writes what was judged down, then tells it.
    fn settle(&mut self, lot: Vec<Judged>) {
        let mut written = Ok(());
        for judged in &lot {
            let place = self
                .bench
                .journal
                .add(day_of(judged.entry.arrived), &judged.entry);
            match place {
                Ok(place) => {
                    self.places.insert(judged.matter.evidence, place);
                }
                Err(error) => written = Err(error),
            }
        }
        if written.is_ok() {
            written = self.bench.journal.commit();
        }
        let failure = written.err().map(|error| error.to_string());
        if let Some(failure) = &failure {
            self.bench.metrics.journal_failures.add(1);
            self.bench.journal.forget_waiting();
            eprintln!("blackrod guard: the journal cannot be written: {failure}");
        }
        let mut crossed = Vec::new();
        for judged in lot {
            self.bench.metrics.judged(&judged.entry);
            crossed.extend(judged.crossed);
            let answer = match &failure {
                None => Ok(judged.ruling),
                Some(failure) => Err(failure.clone()),
            };
            if let Some(waiting) = judged.matter.answer {
                // A session that gave up does not listen any more.
                let _ = waiting.send(answer);
            }
        }
        for ongoing in crossed {
            self.cross(&ongoing);
        }
    }

    fn cross(&mut self, ongoing: &Ongoing) {
        let Some(campaign) = self.stream.campaign(ongoing) else {
            return;
        };
        let key = self.name(&campaign);
        self.campaigns.insert(
            ongoing.cluster,
            Known {
                key: key.clone(),
                senders: ongoing.senders,
            },
        );
        let mut live = Vec::new();
        for message in &campaign.messages {
            let Some(place) = self.places.get(&message.evidence) else {
                continue;
            };
            match self.bench.journal.read(*place) {
                Ok(entry) if entry.verdict.leaves_it_live() => live.push((message.evidence, entry)),
                Ok(_) => {}
                Err(error) => eprintln!("blackrod guard: a journal entry cannot be read: {error}"),
            }
        }
        // Nobody listens any more only when the guard stops; the next start tells it again.
        let _ = self.bench.crossings.send(Crossing { key, campaign, live });
    }
}

/// Time that goes on evenly: the system's clock as it was at the start, and what has passed since. A clock that is set
/// while the guard runs makes no mail older or younger than it is; the guard takes it over when it is started again.
struct Steady {
    began: Timestamp,
    since: Instant,
}

impl Steady {
    fn new() -> Self {
        Self {
            began: Timestamp::now(),
            since: Instant::now(),
        }
    }

    fn now(&self) -> Timestamp {
        let began = self.began.micros().unwrap_or_default();
        let passed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(began.saturating_add(passed))
    }

    fn not_before(&mut self, latest: Timestamp) {
        if latest > self.began {
            self.began = latest;
        }
    }
}

fn day_of(time: Timestamp) -> i32 {
    let day = time.seconds().unwrap_or_default().div_euclid(DAY_SECONDS);
    i32::try_from(day).unwrap_or(i32::MAX)
}

fn codes(terms: &[Term]) -> Vec<String> {
    let against = terms.iter().filter(|term| term.weight > 0.0);
    against.map(|term| term.code.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_claimed_once() {
        let claim = Claim::default();
        assert!(claim.judge());
        assert!(!claim.clone().give_up());
        let other = Claim::default();
        assert!(other.give_up());
        assert!(!other.judge());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_go_back_here() {
        let mut clock = Steady::new();
        let later = Timestamp::from_seconds(clock.now().seconds().unwrap_or_default() + 1_000);
        clock.not_before(later);
        assert!(clock.now() >= later);
        clock.not_before(Timestamp::UNKNOWN);
        assert!(clock.now() >= later);
    }
}
