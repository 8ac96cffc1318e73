//! Guessed passwords: spraying, stuffing, and second factors that are asked for until somebody gives in.

use std::collections::VecDeque;
use std::net::IpAddr;

use blackrod_model::{AccountAct, ActKind, Finding, Reason, Severity};
use rustc_hash::FxHashMap;

use super::joined::{Joined, Mark};
use super::recent::Recent;
use super::{Claim, network, seconds};

/// A network that failed for so many accounts within [`QUICK`] is spraying (Microsoft Sentinel's rule: 5 in
/// 20 minutes; larger numbers in use miss small institutions).
const QUICK_ACCOUNTS: usize = 5;
const QUICK: i64 = 20 * 60;
/// The same for those who take their time.
const SLOW_ACCOUNTS: usize = 8;
const SLOW: i64 = 24 * 3_600;
/// How long after its last failure a network's successes are suspect.
const AFTERMATH: i64 = 24 * 3_600;
/// Refusals of the second factor within [`FATIGUE`] before a success.
const REFUSALS: usize = 5;
const FATIGUE: i64 = 15 * 60;
/// Networks remembered; beyond, those that were quiet longest are forgotten.
const MAX_NETWORKS: usize = 200_000;

#[derive(Default)]
pub(super) struct Guessing {
    networks: FxHashMap<IpAddr, Network>,
    refusals: FxHashMap<String, VecDeque<i64>>,
    swept: i64,
}

#[derive(Default)]
struct Network {
    /// Accounts that failed from here in the last day.
    failures: Recent,
    /// Accounts that signed in from here in the last day.
    successes: Recent,
    /// When it was last told to be spraying.
    told: Option<i64>,
    /// When it last failed while it was.
    last_spray: Option<i64>,
}

impl Guessing {
    /// Judges an act; says whether it is a sign-in that follows guessing.
    pub(super) fn push(
        &mut self,
        act: &AccountAct,
        joined: &mut Joined,
        findings: &mut Vec<Finding>,
    ) -> bool {
        let before = findings.len();
        let now = seconds(act);
        self.sweep(now);
        match act.kind {
            ActKind::WrongPassword | ActKind::NoSuchUser => self.failed(act, now, findings),
            ActKind::SignIn => self.succeeded(act, now, joined, findings),
            ActKind::FactorRefused => {
                let refusals = self.refusals.entry(act.user.clone()).or_default();
                refusals.push_back(now);
                forget(refusals, |at| now - at > FATIGUE);
                if refusals.len() == REFUSALS {
                    joined.mark(act, Mark::FactorAsked);
                }
            }
            _ => {}
        }
        act.kind == ActKind::SignIn && findings.len() > before
    }

    fn failed(&mut self, act: &AccountAct, now: i64, findings: &mut Vec<Finding>) {
        let Some(address) = act.address else { return };
        let source = self.networks.entry(network(address)).or_default();
        source
            .failures
            .push(now, &act.user, act.kind != ActKind::NoSuchUser);
        source.failures.forget_before(now - SLOW);
        source.successes.forget_before(now - SLOW);

        let is_quick = source.failures.since(now - QUICK, QUICK_ACCOUNTS) >= QUICK_ACCOUNTS;
        let slow = source.failures.len();
        let signed_in = source.successes.len();
        // An office behind one address has more who succeed than who fail.
        let is_spraying = (is_quick || slow >= SLOW_ACCOUNTS) && slow > signed_in;
        if !is_spraying {
            return;
        }
        source.last_spray = Some(now);
        if source.told.is_some_and(|told| now - told <= SLOW) {
            return;
        }
        source.told = Some(now);
        let quick = source.failures.since(now - QUICK, slow);
        let (title, attack): (_, &'static [&'static str]) = match 2 * source.failures.missing() > slow {
            true => (
                "Names of accounts are being tried out",
                &["T1110.004", "T1589.001"],
            ),
            false => ("Passwords are being sprayed over accounts", &["T1110.003"]),
        };
        let claim = Claim {
            code: "account/spray",
            title: format!("{title} from {}", network(address)),
            severity: Severity::Medium,
            attack,
            reasons: vec![
                Reason::new("accounts failed within 20 minutes", &quick.to_string()),
                Reason::new("accounts failed within 24 hours", &slow.to_string()),
                Reason::new("accounts signed in within 24 hours", &signed_in.to_string()),
                Reason::new("program", act.agent.as_deref().unwrap_or("not logged")),
            ],
            act,
            detail: String::new(),
        };
        findings.push(claim.into_finding());
    }

    fn succeeded(&mut self, act: &AccountAct, now: i64, joined: &mut Joined, findings: &mut Vec<Finding>) {
        if let Some(refusals) = self.refusals.remove(&act.user) {
            let recent = refusals.iter().filter(|at| now - **at <= FATIGUE).count();
            if recent >= REFUSALS {
                joined.mark(act, Mark::FactorGivenIn);
                let claim = Claim {
                    code: "account/mfa-fatigue",
                    title: format!(
                        "{} signed in after {recent} refused requests for the second factor",
                        act.user
                    ),
                    severity: Severity::High,
                    attack: &["T1621"],
                    reasons: vec![Reason::new("refused within 15 minutes", &recent.to_string())],
                    act,
                    detail: String::new(),
                };
                findings.push(claim.into_finding());
            }
        }
        let Some(address) = act.address else { return };
        let source = self.networks.entry(network(address)).or_default();
        source.failures.forget_before(now - SLOW);
        source.successes.forget_before(now - SLOW);
        source.successes.push(now, &act.user, true);
        let follows_spray = source.last_spray.is_some_and(|at| now - at <= AFTERMATH);
        let had_failed = source.failures.contains(&act.user);
        if !follows_spray {
            return;
        }
        joined.mark(act, Mark::SignedInWhereSprayed);
        let claim = Claim {
            code: "account/guessed",
            title: format!(
                "{} signed in from a network that was spraying passwords",
                act.user
            ),
            severity: Severity::High,
            attack: &["T1110.003", "T1078"],
            reasons: vec![
                Reason::new("network", &network(address).to_string()),
                Reason::new(
                    "the account had failed from there",
                    if had_failed { "yes" } else { "no" },
                ),
            ],
            act,
            detail: String::new(),
        };
        findings.push(claim.into_finding());
    }

    /// Now and then forgets networks and accounts that have been quiet for a day.
    fn sweep(&mut self, now: i64) {
        let is_full = self.networks.len() > MAX_NETWORKS;
        if now - self.swept < SLOW && !is_full {
            return;
        }
        self.swept = now;
        let quiet = if is_full { QUICK } else { SLOW };
        self.networks.retain(|_, source| {
            let last = source.failures.newest().max(source.successes.newest());
            last.is_some_and(|at| now - at <= quiet)
        });
        self.refusals
            .retain(|_, refusals| refusals.back().is_some_and(|at| now - at <= FATIGUE));
    }
}

fn forget<T>(queue: &mut VecDeque<T>, is_old: impl Fn(&T) -> bool) {
    while queue.front().is_some_and(&is_old) {
        queue.pop_front();
    }
}
