//! When messages turn out to be a campaign: who is told, and what becomes of those that were delivered before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use blackrod_model::Estate;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::actions::{Action, Actions, State, Step, step};
use super::config::{Approval, Config, Recall};
use super::judge::Crossing;
use super::mailbox::{Found, Mailboxes, Mode};
use super::metrics::Metrics;
use super::quarantine::Quarantine;
use super::rewrite::Rewriter;
use super::webhook::{Alert, Due, Hook, Ledger};

/// Who the guard is in the list of actions.
pub(crate) const SELF: &str = "guard (by its configuration)";
/// How often mailboxes are looked through for what is still to be done.
const PAUSE: Duration = Duration::from_secs(5);
/// After so many tries a message counts as missing; the pauses between them double, ten minutes in all. It may be on its
/// way into the mailbox.
const TRIES: u32 = 8;

/// What can be reached only with what lies in files that the guard cannot read once it is enclosed.
pub(super) struct Secrets {
    hooks: Vec<Hook>,
    mailboxes: Option<(Recall, Mailboxes)>,
}

impl Secrets {
    pub(super) fn load(config: &Config, rewriter: &Arc<Rewriter>) -> anyhow::Result<Self> {
        let hooks: Result<Vec<Hook>, _> = config.alerts.webhook.iter().map(Hook::new).collect();
        let mailboxes = match &config.recall {
            Some(recall) => {
                let quarantine = Arc::new(Quarantine::open(&config.state)?);
                let mailboxes = Mailboxes::new(recall, quarantine, Arc::clone(rewriter))?;
                Some((recall.clone(), mailboxes))
            }
            None => None,
        };
        Ok(Self {
            hooks: hooks?,
            mailboxes,
        })
    }
}

/// Begins to follow campaigns.
pub(super) fn start(
    config: &Config,
    estate: &Arc<Estate>,
    metrics: Arc<Metrics>,
    secrets: Secrets,
    crossed: mpsc::UnboundedReceiver<Crossing>,
) -> anyhow::Result<JoinHandle<()>> {
    let mut aftermath = Aftermath {
        estate: Arc::clone(estate),
        metrics,
        hooks: secrets.hooks,
        ledger: Ledger::open(&config.state, &config.alerts)?,
        actions: Actions::open(&config.state)?,
        mailboxes: secrets.mailboxes,
        tries: HashMap::new(),
    };
    Ok(tokio::spawn(async move { aftermath.run(crossed).await }))
}

struct Aftermath {
    estate: Arc<Estate>,
    metrics: Arc<Metrics>,
    hooks: Vec<Hook>,
    ledger: Ledger,
    actions: Actions,
    mailboxes: Option<(Recall, Mailboxes)>,
    tries: HashMap<String, (u32, Instant)>,
}

impl Aftermath {
    async fn run(&mut self, mut crossed: mpsc::UnboundedReceiver<Crossing>) {
        let mut pause = tokio::time::interval(PAUSE);
        loop {
            tokio::select! {
                crossing = crossed.recv() => match crossing {
                    Some(crossing) => {
                        self.tell(&crossing);
                        self.propose(&crossing);
                    }
                    None => return,
                },
                _ = pause.tick() => {}
            }
            if crossed.is_empty() {
                self.act().await;
            }
        }
    }

    fn tell(&mut self, crossing: &Crossing) {
        match self.ledger.is_due(&crossing.key, &crossing.campaign) {
            Due::Told => {}
            Due::OverBudget => self.metrics.alerts_over_budget.add(1),
            Due::Now { untold_today } => {
                self.metrics.campaigns.add(1);
                let alert = Alert {
                    untold_today,
                    ..Alert::of(&crossing.key, &crossing.campaign, crossing.live.len())
                };
                eprintln!(
                    "blackrod guard: campaign {}: {} ({} messages, {} of them delivered live)",
                    alert.campaign, alert.title, alert.messages, alert.delivered_live
                );
                for hook in self.hooks.clone() {
                    let (alert, metrics) = (alert.clone(), Arc::clone(&self.metrics));
                    tokio::spawn(async move { hook.send(alert, &metrics).await });
                }
            }
        }
    }

    fn propose(&mut self, crossing: &Crossing) {
        let Some((recall, _)) = &self.mailboxes else {
            return;
        };
        let mut actions = Vec::new();
        for (evidence, entry) in &crossing.live {
            let own = entry.recipients.iter().filter(|one| self.is_own(one));
            actions.extend(own.map(|mailbox| Action {
                kind: recall.action,
                campaign: crossing.key.clone(),
                evidence: *evidence,
                mailbox: mailbox.to_lowercase(),
                delivered: entry.arrived.to_string(),
            }));
        }
        let approval = recall.approval;
        let proposed = self.actions.propose(actions, SELF);
        let approved = proposed.and_then(|ids| match approval {
            Approval::Person => Ok(()),
            Approval::Policy => self.actions.step(&ids, State::Approved, SELF),
        });
        if let Err(error) = approved {
            eprintln!("blackrod guard: actions cannot be written down: {error}");
        }
    }

    /// Whether an address has its mailbox here.
    fn is_own(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut domains = self.estate.organisations.iter().flat_map(|one| &one.domains);
        domains.any(|own| own.eq_ignore_ascii_case(domain))
    }

    /// Does what is approved and due.
    async fn act(&mut self) {
        let Some((_, mailboxes)) = self.mailboxes.clone() else {
            return;
        };
        if let Err(error) = self.actions.reload() {
            eprintln!("blackrod guard: actions cannot be read: {error}");
            return;
        }
        let now = Instant::now();
        let mut due: BTreeMap<String, Vec<(String, Action)>> = BTreeMap::new();
        for (id, action) in self.actions.in_state(State::Approved) {
            let is_due = self.tries.get(&id).is_none_or(|(_, next)| *next <= now);
            if is_due {
                due.entry(action.mailbox.clone()).or_default().push((id, action));
            }
        }
        for (mailbox, actions) in due {
            let steps = self.one_mailbox(&mailboxes, &mailbox, &actions).await;
            if let Err(error) = self.actions.add(steps) {
                eprintln!("blackrod guard: actions cannot be written down: {error}");
                return;
            }
        }
    }

    async fn one_mailbox(
        &mut self,
        mailboxes: &Mailboxes,
        mailbox: &str,
        actions: &[(String, Action)],
    ) -> Vec<Step> {
        let only: Vec<Action> = actions.iter().map(|(_, action)| action.clone()).collect();
        let mut outcomes = Vec::new();
        let done = mailboxes
            .carry_out(mailbox, &only, Mode::Act, &mut outcomes)
            .await;
        if let Err(error) = &done {
            self.metrics.recall_failures.add(1);
            eprintln!("blackrod guard: {mailbox}: {error:#}");
        }
        let mut steps = Vec::new();
        for (place, (id, _)) in actions.iter().enumerate() {
            match outcomes.get(place) {
                Some(outcome @ Found::TakenBack { .. }) => {
                    self.metrics.recalled.add(1);
                    self.tries.remove(id);
                    steps.extend(steps_of(id, *outcome, SELF));
                }
                // Where the server fails it is tried for ever; a message that is not there is given up.
                missing => {
                    let (tries, next) = self.tries.entry(id.clone()).or_insert((0, Instant::now()));
                    *tries += 1;
                    *next = Instant::now() + PAUSE * 2_u32.pow((*tries - 1).min(TRIES));
                    if missing.is_some() && *tries >= TRIES {
                        steps.push(step(id, State::Missing, SELF));
                    }
                }
            }
        }
        steps
    }
}

/// What is written down of an outcome.
pub(crate) fn steps_of(id: &str, outcome: Found, by: &str) -> Vec<Step> {
    match outcome {
        Found::TakenBack { opened, is_verified } => {
            let done = Step {
                opened: Some(opened),
                ..step(id, State::Done, by)
            };
            let verified = is_verified.then(|| step(id, State::Verified, by));
            std::iter::once(done).chain(verified).collect()
        }
        Found::Missing => vec![step(id, State::Missing, by)],
        Found::Present { .. } => Vec::new(),
    }
}
