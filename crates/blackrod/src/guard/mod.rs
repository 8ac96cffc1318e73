//! Mail, judged while it is delivered: `blackrod guard`.
//!
//! A mail server hands each message over by milter and keeps it until it is answered. The message goes down the same calls
//! as evidence does (`examine`), is judged among all others by one thread (`judge`), journaled (`journal`), and only then
//! answered (`deliver`). What must still be done afterwards (`aftermath`) follows from the journal, so a restart loses nothing.

mod actions;
mod aftermath;
mod config;
mod deliver;
mod examine;
mod journal;
mod judge;
mod mailbox;
mod message;
mod metrics;
mod policy;
mod quarantine;
mod registry;
mod rewrite;
mod sandbox;
mod server;
mod session;
mod unjudged;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use blackrod_detect::{Detectors, Sources};
use blackrod_model::{Estate, Finding, FindingId, Position, Severity, Timestamp};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

pub(crate) use actions::{Action, Actions, State};
pub(crate) use config::{Config, check_files, load};
pub(crate) use mailbox::{Found, Mailboxes, Mode};
pub(crate) use quarantine::{Held, Quarantine, Released};
pub(crate) use rewrite::Rewriter;

use examine::Pool;
use journal::Journal;
use judge::{Bench, Claim, Judge, Matter};
use metrics::Metrics;
use registry::Registry;
use session::examined;
use unjudged::Unjudged;

/// How long sessions with a message in the making may take when the guard stops.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// The code of findings about messages that were delivered before they could be judged.
const FAILED_OPEN: &str = "guard/failed-open";

/// What all sessions share.
struct Guard {
    config: Config,
    metrics: Arc<Metrics>,
    registry: Registry,
    pool: Pool,
    door: crossbeam_channel::Sender<Matter>,
    rewriter: Arc<Rewriter>,
    quarantine: Arc<Quarantine>,
    unjudged: Arc<Unjudged>,
}

/// Runs until it is told to stop.
pub(crate) fn run(config: Config, estate: Estate) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.state)
        .with_context(|| format!("cannot make {}", config.state.display()))?;
    let doors = server::Doors::open(&config.listen)?;
    let rewriter = Arc::new(Rewriter::new(&config)?);
    let secrets = aftermath::Secrets::load(&config, &rewriter)?;
    let sandbox = sandbox::enter(&config)?;
    eprintln!("blackrod guard: enclosed by {sandbox}");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(guard(config, Arc::new(estate), doors, rewriter, secrets))
}

async fn guard(
    mut config: Config,
    estate: Arc<Estate>,
    doors: server::Doors,
    rewriter: Arc<Rewriter>,
    secrets: aftermath::Secrets,
) -> anyhow::Result<()> {
    let state = config.state.clone();
    let told = |what: &str| format!("cannot use {} for the {what}", state.display());
    let quarantine = Arc::new(Quarantine::open(&state).with_context(|| told("quarantine"))?);
    let unjudged = Arc::new(Unjudged::open(&state).with_context(|| told("unjudged messages"))?);
    let journal =
        Journal::open(&state.join("journal"), config.judge.fsync).with_context(|| told("journal"))?;
    let detectors = detectors(&config, &estate)?;

    let metrics = Arc::new(Metrics::default());
    let (crossings, crossed) = mpsc::unbounded_channel();
    let judge = Judge::start(Bench {
        estate: Arc::clone(&estate),
        policy: std::mem::take(&mut config.policy),
        options: std::mem::take(&mut config.judge),
        journal,
        metrics: Arc::clone(&metrics),
        crossings,
    })?;
    let pool = Pool::start(detectors, config.limits.threads)?;
    let aftermath = aftermath::start(&config, &estate, Arc::clone(&metrics), secrets, crossed)?;
    let guard = Arc::new(Guard {
        registry: Registry::new(config.limits.sessions),
        door: judge.door(),
        config,
        metrics,
        pool,
        rewriter,
        quarantine,
        unjudged,
    });

    let sweeping = tokio::spawn(sweep(Arc::clone(&guard)));
    let listening = doors.serve(&guard)?;
    eprintln!(
        "blackrod guard: {} messages remembered; listening on {}",
        guard.metrics.restored.get(),
        listening.places
    );
    wait_for_the_end(&guard, &estate).await?;

    listening.stop();
    sweeping.abort();
    guard.registry.empty(LAST_WORDS).await;
    // What sessions and the sweep held is released when their tasks end.
    for _ in 0..100 {
        if Arc::strong_count(&guard) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if let Some(guard) = Arc::into_inner(guard) {
        drop(guard.door);
        tokio::task::spawn_blocking(move || {
            guard.pool.stop();
            judge.stop();
        })
        .await?;
    }
    aftermath.abort();
    eprintln!("blackrod guard: stopped");
    Ok(())
}

/// SIGHUP loads the rules anew; SIGTERM and SIGINT end it.
async fn wait_for_the_end(guard: &Arc<Guard>, estate: &Arc<Estate>) -> anyhow::Result<()> {
    let mut reload = signal(SignalKind::hangup())?;
    let mut stop = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = stop.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = reload.recv() => {}
        }
        let (guard, estate) = (Arc::clone(guard), Arc::clone(estate));
        let reloaded = tokio::task::spawn_blocking(move || {
            detectors(&guard.config, &estate).map(|fresh| guard.pool.replace_rules(fresh))
        });
        match reloaded.await? {
            Ok(()) => eprintln!("blackrod guard: the rules were loaded anew"),
            Err(error) => eprintln!("blackrod guard: the rules stay as they were: {error:#}"),
        }
    }
}

/// The rules that the configuration names; what is wrong with single ones is told.
pub(crate) fn detectors(config: &Config, estate: &Estate) -> anyhow::Result<Detectors> {
    let sources = Sources {
        builtin: true,
        rule_dirs: config.rules.clone(),
        indicator_files: config.indicators.clone(),
        canary_dirs: config.canaries.clone(),
        ..Sources::default()
    };
    let (detectors, sets) = Detectors::load(&sources, estate)?;
    for set in sets {
        for problem in set.refused {
            eprintln!("blackrod guard: {}: {}", problem.rule, problem.reason);
        }
    }
    Ok(detectors)
}

/// Judges what was delivered unjudged, whenever there is time.
async fn sweep(guard: Arc<Guard>) {
    let mut pause = tokio::time::interval(Duration::from_secs(2));
    loop {
        pause.tick().await;
        let files = guard.unjudged.some(32).unwrap_or_default();
        for path in files {
            let swept = sweep_one(&guard, path.clone()).await;
            let outcome = match swept {
                Swept::Judged => Unjudged::done(&path),
                Swept::Unreadable => guard.unjudged.set_aside(&path),
                Swept::NotNow => break,
            };
            if let Err(error) = outcome {
                eprintln!("blackrod guard: {}: {error}", path.display());
                break;
            }
        }
    }
}

enum Swept {
    Judged,
    Unreadable,
    NotNow,
}

async fn sweep_one(guard: &Arc<Guard>, path: std::path::PathBuf) -> Swept {
    let Ok((waiting, full)) = Unjudged::read(&path) else {
        return Swept::Unreadable;
    };
    let (answer, ruling) = oneshot::channel();
    let door = guard.door.clone();
    let given = guard.pool.try_give(Box::new(move |examiner| {
        let mut matter = examined(examiner, waiting, &full, Claim::default(), true, Some(answer));
        matter.findings.push(failed_open(&matter));
        let _ = door.send(matter);
    }));
    if !given {
        return Swept::NotNow;
    }
    match ruling.await {
        Ok(Ok(_)) => Swept::Judged,
        Ok(Err(_)) => Swept::NotNow,
        Err(_) => Swept::Unreadable,
    }
}

/// The finding that says so.
fn failed_open(matter: &Matter) -> Finding {
    Finding {
        id: FindingId::new(FAILED_OPEN, "", matter.evidence, Position::START, ""),
        code: FAILED_OPEN.to_owned(),
        rule_id: FAILED_OPEN.to_owned(),
        title: "A message was delivered before it could be judged".to_owned(),
        severity: Severity::Low,
        time: Timestamp::now(),
        evidence: matter.evidence,
        at: Position::START,
        class: blackrod_model::Class::EMAIL_ACTIVITY.0,
        attack: Vec::new(),
        reasons: Vec::new(),
        entities: Vec::new(),
    }
}

/// `Tue, 05 Jan 2021 10:00:00 +0000`
fn rfc5322(time: Timestamp) -> String {
    let instant = time
        .micros()
        .and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok());
    instant.map_or_else(String::new, |instant| {
        instant.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
    })
}
