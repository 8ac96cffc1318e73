//! An account that was taken is one thing with its signs listed, not hundreds of alerts.

use std::collections::BTreeMap;

use blackrod_model::{AccountAct, ActKind, Finding, Reason, Severity};
use rustc_hash::{FxHashMap, FxHashSet};

use super::reading::Reading;
use super::{Claim, entities, seconds};

/// Signs within this time of each other are one story.
const STORY: i64 = 14 * 24 * 3_600;
/// So many points make a story; no single sign has as many.
const ENOUGH: u8 = 4;
/// So many make one where no sign tells how somebody got in: administrators do much of this every day.
const ENOUGH_WITHOUT_ENTRY: u8 = 7;
/// Accounts that are remembered.
const MAX_ACCOUNTS: usize = 1_000_000;

/// A sign that an account is not its owner's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    SignedInWhereSprayed,
    FactorGivenIn,
    FactorAsked,
    SessionInTwoPlaces,
    NewPlace,
    HostingNetwork,
    Travel,
    ServiceSawRisk,
    OldProtocol,
    DeviceCode,
    Woken,
    FirstPassword,
    Did(ActKind),
}

impl Mark {
    /// How much it says: 3 for what owners hardly ever do, 1 for what they do now and then.
    const fn points(self) -> u8 {
        match self {
            Self::SignedInWhereSprayed | Self::FactorGivenIn => 3,
            Self::SessionInTwoPlaces | Self::Travel => 2,
            Self::FactorAsked
            | Self::NewPlace
            | Self::HostingNetwork
            | Self::ServiceSawRisk
            | Self::OldProtocol
            | Self::DeviceCode
            | Self::Woken
            | Self::FirstPassword => 1,
            Self::Did(kind) => match kind {
                ActKind::MailboxRule
                | ActKind::Forwarding
                | ActKind::Consent
                | ActKind::ApplicationSecret
                | ActKind::WatchingOff
                | ActKind::MailReadUncounted => 2,
                _ => 1,
            },
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::SignedInWhereSprayed => "signed in from a network that was spraying passwords",
            Self::FactorGivenIn => "signed in after many refused requests for the second factor",
            Self::FactorAsked => "was asked for the second factor again and again",
            Self::SessionInTwoPlaces => "a session went on elsewhere with another program",
            Self::NewPlace => "signed in from a network and with a program never seen with this account",
            Self::HostingNetwork => "signed in from machines for rent or a service for hiding",
            Self::Travel => "signed in from two countries at once",
            Self::ServiceSawRisk => "signed in in a way that the service itself holds for risky",
            Self::OldProtocol => "signed in where no second factor can be asked for",
            Self::DeviceCode => "let another device in with a code",
            Self::Woken => "signed in after a long time",
            Self::FirstPassword => "still has its first password",
            Self::Did(kind) => match kind {
                ActKind::MailboxRule => "a mailbox rule that hides or forwards mail",
                ActKind::Forwarding => "mail is forwarded",
                ActKind::Delegation => "rights on a mailbox were given",
                ActKind::Consent => "an application was allowed in",
                ActKind::ApplicationSecret => "a secret was given to an application",
                ActKind::RoleGiven => "a role was given",
                ActKind::FactorChanged => "a means of signing in was changed",
                ActKind::WatchingOff => "something that watches was switched off",
                ActKind::DeviceJoined => "a device was joined",
                ActKind::MailReadUncounted => "so much mail was read that the log stopped counting",
                _ => "an unusual act",
            },
        }
    }

    /// ATT&CK technique of what the sign shows.
    const fn technique(self) -> &'static str {
        match self {
            Self::SignedInWhereSprayed => "T1110.003",
            Self::FactorGivenIn | Self::FactorAsked => "T1621",
            Self::SessionInTwoPlaces => "T1550.004",
            Self::FirstPassword => "T1078.001",
            Self::DeviceCode => "T1528",
            Self::NewPlace
            | Self::HostingNetwork
            | Self::Travel
            | Self::ServiceSawRisk
            | Self::OldProtocol
            | Self::Woken => "T1078.004",
            Self::Did(kind) => match kind {
                ActKind::MailboxRule => "T1564.008",
                ActKind::Forwarding => "T1114.003",
                ActKind::Delegation => "T1098.002",
                ActKind::Consent => "T1528",
                ActKind::ApplicationSecret => "T1098.001",
                ActKind::RoleGiven => "T1098.003",
                ActKind::FactorChanged => "T1556.006",
                ActKind::WatchingOff => "T1562.008",
                ActKind::DeviceJoined => "T1098.005",
                _ => "T1114.002",
            },
        }
    }
}

#[derive(Default)]
pub(super) struct Joined {
    accounts: FxHashMap<String, Account>,
}

#[derive(Default)]
struct Account {
    /// The signs of each kind, first and last.
    signs: BTreeMap<Mark, Sign>,
}

struct Sign {
    first: AccountAct,
    last: i64,
    times: u32,
}

impl Joined {
    /// Notes what an act by itself is a sign of.
    pub(super) fn push(&mut self, act: &AccountAct) {
        if act.kind == ActKind::SignIn {
            if act.points > 0 {
                self.mark(act, Mark::ServiceSawRisk);
            }
            return;
        }
        if act.points > 0 {
            self.mark(act, Mark::Did(act.kind));
        }
    }

    /// Notes a sign that `act` shows with its account.
    pub(super) fn mark(&mut self, act: &AccountAct, mark: Mark) {
        let now = seconds(act);
        let Some(account) = self.account(&act.user) else {
            return;
        };
        // What is older than a story is another story; the newer one counts.
        account.signs.retain(|_, sign| now - sign.last <= STORY);
        let sign = account.signs.entry(mark).or_insert_with(|| Sign {
            first: act.clone(),
            last: now,
            times: 0,
        });
        sign.last = now;
        sign.times += 1;
    }

    /// One finding for each account whose signs make a story.
    pub(super) fn finish(self, reading: &Reading, findings: &mut Vec<Finding>) {
        let mut accounts: Vec<_> = self.accounts.into_iter().collect();
        accounts.sort_by(|a, b| a.0.cmp(&b.0));
        for (user, account) in accounts {
            let points: u8 = account
                .signs
                .keys()
                .map(|mark| mark.points())
                .fold(0, u8::saturating_add);
            let Some(last) = account.signs.values().max_by_key(|sign| sign.last) else {
                continue;
            };
            let has_entry = account.signs.keys().any(|mark| !matches!(mark, Mark::Did(_)));
            let enough = if has_entry { ENOUGH } else { ENOUGH_WITHOUT_ENTRY };
            if points < enough || account.signs.len() < 2 {
                continue;
            }
            findings.push(story(&user, &account, points, &last.first, reading));
        }
    }

    fn account(&mut self, user: &str) -> Option<&mut Account> {
        if !self.accounts.contains_key(user) {
            if user.is_empty() || self.accounts.len() >= MAX_ACCOUNTS {
                return None;
            }
            self.accounts.insert(user.to_owned(), Account::default());
        }
        self.accounts.get_mut(user)
    }
}

fn story(user: &str, account: &Account, points: u8, act: &AccountAct, reading: &Reading) -> Finding {
    let mut signs: Vec<_> = account.signs.iter().collect();
    signs.sort_by_key(|(mark, sign)| (seconds(&sign.first), **mark));
    let mut reasons: Vec<Reason> = signs
        .iter()
        .map(|(mark, sign)| {
            let seen = format!(
                "{}, first {}, {} times; {}",
                mark.words(),
                sign.first.time,
                sign.times,
                sign.first.detail
            );
            Reason::new(format!("sign worth {}", mark.points()), &seen)
        })
        .collect();
    let sessions: FxHashSet<&str> = signs
        .iter()
        .filter_map(|(_, sign)| sign.first.session.as_deref())
        .collect();
    let mut sessions: Vec<&str> = sessions.into_iter().collect();
    sessions.sort_unstable();
    for session in sessions {
        if let Some(words) = reading.of(user, Some(session)).words() {
            reasons.push(Reason::new(format!("mail read in session {session}"), &words));
        }
    }
    if let Some(words) = reading.of(user, None).words() {
        reasons.push(Reason::new("mail read in all sessions", &words));
    }
    let attack: FxHashSet<&'static str> = signs.iter().map(|(mark, _)| mark.technique()).collect();
    let mut finding = Claim {
        code: "account/taken",
        title: format!("{user}: {} different signs of a takeover", signs.len()),
        severity: match points {
            ..=5 => Severity::Medium,
            6..=8 => Severity::High,
            _ => Severity::Critical,
        },
        attack: &[],
        reasons,
        act,
        detail: user.to_owned(),
    }
    .into_finding();
    finding.attack = attack.into_iter().map(str::to_owned).collect();
    finding.attack.sort();
    for entity in signs.iter().flat_map(|(_, sign)| entities(&sign.first)) {
        if !finding.entities.contains(&entity) {
            finding.entities.push(entity);
        }
    }
    finding
}
