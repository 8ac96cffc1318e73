//! What an account does for the first time, or for the first time in a long while.

use blackrod_model::{AccountAct, ActKind, Finding, Means, Reason, Severity};
use rustc_hash::FxHashMap;

use super::joined::{Joined, Mark};
use super::places::Judged;
use super::{Claim, seconds};

const DAY: i64 = 24 * 3_600;
/// An account that did not sign in for so long was asleep.
const ASLEEP: i64 = 45 * DAY;
/// An account that still has the password it was made with after so long was forgotten.
const FIRST_PASSWORD: i64 = 14 * DAY;
/// What a risky sign-in casts its shadow over.
const SHADOW: i64 = DAY;
/// Accounts remembered.
const MAX_ACCOUNTS: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Firsts {
    accounts: FxHashMap<String, Account>,
}

#[derive(Default)]
struct Account {
    made: Option<i64>,
    has_own_password: bool,
    last_sign_in: Option<i64>,
    /// The last sign-in that was risky, and why.
    risky: Option<(i64, &'static str)>,
    told_old_protocol: bool,
    told_device_code: bool,
    told_first_password: bool,
}

impl Firsts {
    pub(super) fn push(
        &mut self,
        act: &AccountAct,
        judged: Judged,
        joined: &mut Joined,
        findings: &mut Vec<Finding>,
    ) {
        let now = seconds(act);
        let claim = match act.kind {
            ActKind::SignIn => {
                let Some(account) = self.account(&act.user) else {
                    return;
                };
                account.signed_in(act, now, judged, joined, findings);
                return;
            }
            ActKind::AccountMade => {
                if let Some(account) = self.account(owner(act)) {
                    account.made = Some(now);
                    account.has_own_password = false;
                }
                return;
            }
            ActKind::PasswordChanged => {
                if let Some(account) = self.account(owner(act)) {
                    account.has_own_password = true;
                }
                return;
            }
            ActKind::FactorChanged | ActKind::DeviceJoined => self
                .account(owner(act))
                .and_then(|account| account.after_risk(act, now)),
            _ => return,
        };
        findings.extend(claim.map(Claim::into_finding));
    }

    /// Notes that something else makes the account's sign-in risky.
    pub(super) fn risky(&mut self, act: &AccountAct, why: &'static str) {
        let now = seconds(act);
        if let Some(account) = self.account(&act.user) {
            account.risky = Some((now, why));
        }
    }

    fn account(&mut self, user: &str) -> Option<&mut Account> {
        if !self.accounts.contains_key(user) {
            if self.accounts.len() >= MAX_ACCOUNTS {
                return None;
            }
            self.accounts.insert(user.to_owned(), Account::default());
        }
        self.accounts.get_mut(user)
    }
}

/// Whose account it is about.
fn owner(act: &AccountAct) -> &str {
    act.target.as_deref().unwrap_or(&act.user)
}

impl Account {
    fn signed_in(
        &mut self,
        act: &AccountAct,
        now: i64,
        judged: Judged,
        joined: &mut Joined,
        findings: &mut Vec<Finding>,
    ) {
        let mut tell = |mark, claim: Claim<'_>| {
            joined.mark(act, mark);
            findings.push(claim.into_finding());
        };
        if judged.is_new_place {
            self.risky = Some((now, "a sign-in from a network and with a program that are new"));
        }
        if act.points >= 2 {
            self.risky = Some((now, "a sign-in that the service itself holds for risky"));
        }
        let is_old = matches!(act.means, Means::OldProtocol | Means::PasswordOnly);
        if is_old && !self.told_old_protocol {
            self.told_old_protocol = true;
            let what = format!("{} signs in where no second factor can be asked for", act.user);
            let severity = match judged.is_new_network {
                true => Severity::High,
                false => Severity::Low,
            };
            let claim = claim("account/old-protocol", what, severity, &["T1078.004"], act);
            tell(Mark::OldProtocol, claim);
        }
        if act.means == Means::DeviceCode && !self.told_device_code {
            self.told_device_code = true;
            let severity = match judged.is_new_network {
                true => Severity::High,
                false => Severity::Low,
            };
            let what = format!(
                "{} let another device in with a code for the first time",
                act.user
            );
            let claim = claim(
                "account/device-code",
                what,
                severity,
                &["T1528", "T1566.002"],
                act,
            );
            tell(Mark::DeviceCode, claim);
        }
        let slept = self.last_sign_in.or(self.made).map(|last| now - last);
        if let Some(slept) = slept.filter(|slept| *slept >= ASLEEP) {
            let severity = match judged.is_new_network {
                true => Severity::Medium,
                false => Severity::Low,
            };
            let what = format!("{} signed in after {} days", act.user, slept / DAY);
            tell(
                Mark::Woken,
                claim("account/dormant", what, severity, &["T1078.004"], act),
            );
        }
        let is_forgotten =
            self.made.is_some_and(|made| now - made >= FIRST_PASSWORD) && !self.has_own_password;
        if is_forgotten && !self.told_first_password {
            self.told_first_password = true;
            let what = format!(
                "{} still has the password that the account was made with",
                act.user
            );
            let severity = match self.last_sign_in {
                None => Severity::Medium,
                Some(_) => Severity::Low,
            };
            let claim = claim("account/first-password", what, severity, &["T1078.001"], act);
            tell(Mark::FirstPassword, claim);
        }
        self.last_sign_in = Some(now);
    }

    fn after_risk<'a>(&mut self, act: &'a AccountAct, now: i64) -> Option<Claim<'a>> {
        let (at, why) = self.risky.filter(|(at, _)| now - at <= SHADOW)?;
        self.risky = None;
        let (what, attack): (_, &'static [&'static str]) = match act.kind {
            ActKind::DeviceJoined => ("A device was joined to", &["T1098.005"]),
            _ => (
                "A means of signing in was changed for",
                &["T1098.005", "T1556.006"],
            ),
        };
        let title = format!("{what} {} after {why}", owner(act));
        let mut claim = claim("account/method-after-risk", title, Severity::High, attack, act);
        claim
            .reasons
            .push(Reason::new("minutes in between", &((now - at) / 60).to_string()));
        Some(claim)
    }
}

fn claim<'a>(
    code: &'static str,
    title: String,
    severity: Severity,
    attack: &'static [&'static str],
    act: &'a AccountAct,
) -> Claim<'a> {
    Claim {
        code,
        title,
        severity,
        attack,
        reasons: vec![Reason::new(
            "program",
            act.agent.as_deref().unwrap_or("not logged"),
        )],
        act,
        detail: String::new(),
    }
}
