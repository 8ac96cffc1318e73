//! One run: messages made, read, judged by every detector in the order of time.

use std::sync::Arc;

use blackrod_mail::Anatomy;
use blackrod_model::mail::Facts;
use blackrod_model::{Event, EvidenceId, Position, Refusal};
use blackrod_read::{Block, Format as _, Sink, mail::Eml};
use blackrod_simulate::{Assumptions, Mail, Simulation, Truth};
use rustc_hash::FxHashMap;

use crate::baselines::Baselines;
use crate::detector::{Alert, Detector, Streamed};
use crate::estates;

/// Where facts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Source {
    /// The message is written out, read and taken apart, as in an investigation
    Parsed,
    /// The generator says what it would find; without signals, and much faster
    Twin,
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) assumptions: Assumptions,
    pub(crate) source: Source,
    /// Also with a wrong list of groups and with none.
    pub(crate) all_rows: bool,
    pub(crate) threshold: Option<f64>,
    /// Keep what is not called a campaign too, to see why.
    pub(crate) keep_below: bool,
}

/// What is known of one message besides what detectors see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label {
    pub(crate) campaign: Option<u8>,
    pub(crate) kind: &'static str,
}

/// What came of one run.
pub(crate) struct Outcome {
    pub(crate) truth: Truth,
    /// By message number, from 1; of the history too.
    pub(crate) labels: Vec<Label>,
    /// Messages without the history.
    pub(crate) messages: usize,
    pub(crate) starts: i64,
    pub(crate) days: f64,
    /// When whom each campaign reached: seconds and address, in the order of time.
    pub(crate) reached: FxHashMap<u8, Vec<(i64, String)>>,
    /// Alerts by detector, in the order of time.
    pub(crate) alerts: Vec<(&'static str, Vec<Alert>)>,
    /// Clusters that blackrod did not call campaigns.
    pub(crate) below: Vec<Alert>,
    /// CPU seconds of the whole run.
    pub(crate) seconds: f64,
    /// Messages that could not be read.
    pub(crate) refused: usize,
}

/// Makes the run of `seed` and lets all detectors look at it.
pub(crate) fn run(seed: u64, plan: &Plan) -> Outcome {
    let clock = cpu_time::ThreadTime::now();
    let simulation = Simulation::new(seed, plan.assumptions.clone());
    let estate = simulation.estate().clone();
    let wrong = estates::with_wrong_groups(&estate, 0.3, seed);
    let none = estates::without_groups(&estate);
    let anatomy = Anatomy::new(&estate);
    let mut detectors: Vec<(&'static str, Box<dyn Detector + '_>)> = vec![(
        "blackrod",
        Box::new(Streamed::new(&estate, plan.threshold, plan.keep_below)),
    )];
    if plan.all_rows {
        detectors.push((
            "blackrod, 30 % of groups wrong",
            Box::new(Streamed::new(&wrong, plan.threshold, false)),
        ));
        detectors.push((
            "blackrod, no groups",
            Box::new(Streamed::new(&none, plan.threshold, false)),
        ));
    }
    let starts = simulation.starts_micros() / 1_000_000;
    let mut baselines = Baselines::new(&estate, starts);

    let mut labels = vec![Label {
        campaign: None,
        kind: "",
    }];
    let mut reached: FxHashMap<u8, Vec<(i64, String)>> = FxHashMap::default();
    let mut messages = 0;
    let mut refused = 0;
    for mail in simulation.messages() {
        let campaign = mail.campaign().and_then(|number| u8::try_from(number).ok());
        labels.push(Label {
            campaign,
            kind: mail.kind(),
        });
        messages += usize::from(!mail.is_history());
        let Some(facts) = facts(&mail, plan.source, &anatomy) else {
            refused += 1;
            continue;
        };
        if let Some(number) = campaign {
            let to = reached.entry(number).or_default();
            to.extend(
                facts
                    .recipients
                    .iter()
                    .map(|address| (mail.micros() / 1_000_000, address.clone())),
            );
        }
        for (_, detector) in &mut detectors {
            detector.push(&facts);
        }
        baselines.push(&facts);
    }
    let mut alerts: Vec<(&'static str, Vec<Alert>)> = detectors
        .into_iter()
        .map(|(name, detector)| (name, detector.finish()))
        .collect();
    alerts.extend(baselines.finish());
    let mut below = Vec::new();
    for (_, alerts) in &mut alerts {
        let (called, other) = std::mem::take(alerts)
            .into_iter()
            .partition(|alert| alert.is_called);
        *alerts = called;
        below.extend::<Vec<Alert>>(other);
        // What fires in the history is nobody's alert any more.
        alerts.retain(|alert| alert.seconds >= starts);
        alerts.sort_by_key(|alert| alert.seconds);
    }
    Outcome {
        truth: simulation.truth(),
        labels,
        messages,
        starts,
        days: plan.assumptions.days as f64,
        reached,
        alerts,
        below,
        seconds: clock.elapsed().as_secs_f64(),
        refused,
    }
}

fn facts(mail: &Mail, source: Source, anatomy: &Anatomy) -> Option<Facts> {
    if source == Source::Twin {
        return Some(mail.facts(EvidenceId::default()));
    }
    read(mail, anatomy)
}

/// The facts of the message as it is written.
pub(crate) fn read(mail: &Mail, anatomy: &Anatomy) -> Option<Facts> {
    let mut bytes = Vec::with_capacity(8_192);
    mail.write(&mut bytes);
    let block = Block {
        offset: mail.number(),
        first_record: mail.number(),
        context: Arc::default(),
        bytes,
    };
    let mut kept = Kept { anatomy, facts: None };
    Eml.parse(&block, &mut kept);
    kept.facts.map(|mut facts| {
        facts.at = Position {
            offset: mail.number(),
            record: mail.number(),
        };
        facts
    })
}

struct Kept<'k> {
    anatomy: &'k Anatomy,
    facts: Option<Facts>,
}

impl Sink for Kept<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.facts = self.anatomy.facts(EvidenceId::default(), &event);
    }

    fn refuse(&mut self, _refusal: Refusal) {}
}
