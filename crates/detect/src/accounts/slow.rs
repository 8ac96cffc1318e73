//! Guessing that takes its time and changes its address: seen by what stays the same.
//!
//! Someone who tries one account an hour, each from another network, still comes from one autonomous system or with one
//! program. Over a week, that system or program has failed for many accounts and succeeded for hardly any.

use blackrod_model::{AccountAct, ActKind, Finding, Reason, Severity};
use rustc_hash::{FxHashMap, FxHashSet};

use super::joined::{Joined, Mark};
use super::networks::Place;
use super::places::program;
use super::{Claim, seconds};

/// How far back failures count.
const WINDOW: i64 = 7 * 24 * 3_600;
/// How long successes from the same source are suspect.
const AFTERMATH: i64 = 24 * 3_600;
/// So many accounts at least, and so large a share of all that sign in.
const ACCOUNTS: usize = 8;
const SHARE: usize = 100;
/// Failing accounts for each one that succeeds.
const MOSTLY_FAILS: usize = 3;
/// Sources remembered.
const MAX_SOURCES: usize = 100_000;

/// What stays the same about someone who changes addresses.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    System(u32),
    Program(String),
}

#[derive(Default)]
pub(super) struct Slow {
    sources: FxHashMap<Key, Source>,
}

#[derive(Default)]
struct Source {
    /// When each account last failed.
    failed: FxHashMap<String, i64>,
    succeeded: FxHashSet<String>,
    swept: i64,
    told: Option<i64>,
    last: Option<i64>,
}

impl Slow {
    /// `accounts`: how many accounts have signed in at all.
    pub(super) fn push(
        &mut self,
        act: &AccountAct,
        place: Place,
        accounts: usize,
        joined: &mut Joined,
        findings: &mut Vec<Finding>,
    ) {
        let has_failed = matches!(act.kind, ActKind::WrongPassword | ActKind::NoSuchUser);
        if (!has_failed && act.kind != ActKind::SignIn) || place.is_own {
            return;
        }
        let system = (place.system != 0).then_some(Key::System(place.system));
        let program = act.agent.as_deref().map(|agent| Key::Program(program(agent)));
        let now = seconds(act);
        let enough = ACCOUNTS.max(accounts / SHARE);
        for key in [system, program].into_iter().flatten() {
            if !self.sources.contains_key(&key) && self.sources.len() >= MAX_SOURCES {
                continue;
            }
            let name = match &key {
                Key::System(number) => format!("autonomous system {number}"),
                Key::Program(_) => format!("program {}", act.agent.as_deref().unwrap_or_default()),
            };
            let source = self.sources.entry(key).or_default();
            let claim = match has_failed {
                true => source.failed(act, now, enough, &name),
                false => source.succeeded(act, now, &name),
            };
            let Some(claim) = claim else { continue };
            if !has_failed {
                joined.mark(act, Mark::SignedInWhereSprayed);
            }
            findings.push(claim.into_finding());
        }
    }
}

impl Source {
    fn failed<'a>(&mut self, act: &'a AccountAct, now: i64, enough: usize, name: &str) -> Option<Claim<'a>> {
        if now - self.swept >= WINDOW / 7 {
            self.swept = now;
            self.failed.retain(|_, at| now - *at <= WINDOW);
        }
        self.failed.insert(act.user.clone(), now);
        let is_guessing =
            self.failed.len() >= enough && self.failed.len() >= MOSTLY_FAILS * (self.succeeded.len() + 1);
        if !is_guessing {
            return None;
        }
        self.last = Some(now);
        if self.told.is_some_and(|told| now - told <= WINDOW) {
            return None;
        }
        self.told = Some(now);
        Some(Claim {
            code: "account/slow-spray",
            title: format!("Passwords are being tried slowly over many accounts: {name}"),
            severity: Severity::Medium,
            attack: &["T1110.003"],
            reasons: vec![
                Reason::new("accounts failed within 7 days", &self.failed.len().to_string()),
                Reason::new("accounts signed in", &self.succeeded.len().to_string()),
            ],
            act,
            detail: name.to_owned(),
        })
    }

    fn succeeded<'a>(&mut self, act: &'a AccountAct, now: i64, name: &str) -> Option<Claim<'a>> {
        let is_first = self.succeeded.insert(act.user.clone());
        let is_suspect = self.last.is_some_and(|at| now - at <= AFTERMATH);
        if !is_first || !is_suspect || !self.failed.contains_key(&act.user) {
            return None;
        }
        Some(Claim {
            code: "account/guessed",
            title: format!(
                "{} signed in where passwords are being tried slowly: {name}",
                act.user
            ),
            severity: Severity::High,
            attack: &["T1110.003", "T1078"],
            reasons: vec![Reason::new(
                "accounts failed within 7 days",
                &self.failed.len().to_string(),
            )],
            act,
            detail: name.to_owned(),
        })
    }
}
