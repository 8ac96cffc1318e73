//! Where an account signs in from, with what, and how likely a sign-in is its owner's.
//!
//! After Freeman et al. (NDSS 2016): for each of network and program, how likely the value is among all sign-ins,
//! over how likely it is for this account; an account's own likelihood falls back on that of the autonomous system and
//! of all others. The logarithms are added up. A network and a program that are both new make about 2 ln(n + 1) after
//! n sign-ins: the longer an account is known, the more something new says.

use std::net::IpAddr;

use blackrod_model::{AccountAct, ActKind, Finding, Reason, Severity};
use rustc_hash::FxHashMap;

use super::joined::{Joined, Mark};
use super::networks::Place;
use super::{Claim, network, seconds};

/// From this logarithm on, a sign-in is from a new place.
const NEW_PLACE: f64 = 6.0;
/// So many days must an account be known before anything new says something.
const KNOWN_DAYS: i64 = 3;
/// Two countries within this time are too far apart for one person, neighbours or not.
const AT_ONCE: i64 = 2 * 3_600;
/// Accounts, and networks or programs of one account, that are remembered.
const MAX_ACCOUNTS: usize = 1_000_000;
const MAX_VALUES: usize = 200;
const MAX_ALL: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Places {
    all: Counts,
    accounts: FxHashMap<String, Account>,
}

/// How often which values were seen.
#[derive(Default)]
struct Counts {
    sign_ins: u32,
    networks: FxHashMap<IpAddr, u32>,
    systems: FxHashMap<u32, u32>,
    programs: FxHashMap<String, u32>,
}

#[derive(Default)]
struct Account {
    counts: Counts,
    since: Option<i64>,
    last: Option<Last>,
}

/// The last sign-in from a place where people sit, whose country is agreed on.
#[derive(Clone, Copy)]
struct Last {
    time: i64,
    country: [u8; 2],
    network: IpAddr,
}

/// What a sign-in looks like for its account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Judged {
    /// The logarithm of how much likelier it is among all than for this account.
    pub(super) ratio: f64,
    /// The account is known long enough, and the sign-in is unlikely for it.
    pub(super) is_new_place: bool,
    /// The account is known long enough, and never came from this network.
    pub(super) is_new_network: bool,
}

impl Places {
    /// Judges a sign-in that succeeded, and learns from it.
    pub(super) fn push(
        &mut self,
        act: &AccountAct,
        place: Place,
        joined: &mut Joined,
        findings: &mut Vec<Finding>,
    ) -> Judged {
        let (ActKind::SignIn, Some(address)) = (act.kind, act.address) else {
            return Judged::default();
        };
        if !self.accounts.contains_key(&act.user) && self.accounts.len() >= MAX_ACCOUNTS {
            return Judged::default();
        }
        let now = seconds(act);
        let from = network(address);
        let program = act.agent.as_deref().map(program);
        let account = self.accounts.entry(act.user.clone()).or_default();
        let is_known = now - *account.since.get_or_insert(now) >= KNOWN_DAYS * 24 * 3_600;
        let ratio = self.all.network_ratio(&account.counts, from, place.system)
            + program
                .as_deref()
                .map_or(0.0, |program| self.all.program_ratio(&account.counts, program));
        let is_new_network = is_known && !place.is_own && !account.counts.networks.contains_key(&from);
        let judged = Judged {
            ratio,
            is_new_place: is_new_network && ratio >= NEW_PLACE,
            is_new_network,
        };
        if judged.is_new_place {
            joined.mark(act, Mark::NewPlace);
        }
        if is_new_network && place.is_hosting && !account.counts.systems.contains_key(&place.system) {
            joined.mark(act, Mark::HostingNetwork);
        }
        if let Some(country) = place.country
            && !place.is_hosting
            && !place.is_own
        {
            let here = Last {
                time: now,
                country,
                network: from,
            };
            if let Some(claim) = account
                .last
                .replace(here)
                .and_then(|last| travelled(act, last, here, judged))
            {
                joined.mark(act, Mark::Travel);
                findings.push(claim.into_finding());
            }
        }
        account
            .counts
            .add(from, place.system, program.as_deref(), MAX_VALUES);
        self.all.add(from, place.system, program.as_deref(), MAX_ALL);
        judged
    }

    /// How many accounts have signed in.
    pub(super) fn accounts(&self) -> usize {
        self.accounts.len()
    }
}

/// Two countries at once. A phone that roams comes from its home country while its owner's computer is abroad, so only
/// what is unlikely for the account counts.
fn travelled(act: &AccountAct, last: Last, here: Last, judged: Judged) -> Option<Claim<'_>> {
    let is_too_far = last.country != here.country && here.time - last.time <= AT_ONCE;
    if !is_too_far || !judged.is_new_place {
        return None;
    }
    let name = |country: [u8; 2]| country.map(char::from).iter().collect::<String>();
    Some(Claim {
        code: "account/travel",
        title: format!(
            "{} signed in from {} and {} within {} minutes",
            act.user,
            name(last.country),
            name(here.country),
            (here.time - last.time) / 60
        ),
        severity: Severity::Medium,
        attack: &["T1078.004"],
        reasons: vec![
            Reason::new("first network", &last.network.to_string()),
            Reason::new("then network", &here.network.to_string()),
            Reason::new(
                "how unlikely for the account (logarithm)",
                &format!("{:.1}", judged.ratio),
            ),
        ],
        act,
        detail: String::new(),
    })
}

impl Counts {
    fn add(&mut self, from: IpAddr, system: u32, program: Option<&str>, most: usize) {
        self.sign_ins = self.sign_ins.saturating_add(1);
        count(&mut self.networks, from, most);
        if system != 0 {
            count(&mut self.systems, system, most);
        }
        if let Some(program) = program {
            match self.programs.get_mut(program) {
                Some(times) => *times = times.saturating_add(1),
                None => count(&mut self.programs, program.to_owned(), most),
            }
        }
    }

    /// ln p(network) / p(network | account); `self` are all sign-ins.
    fn network_ratio(&self, own: &Self, from: IpAddr, system: u32) -> f64 {
        let among_all = self.share(self.networks.get(&from), self.networks.len());
        let fall_back = match system {
            0 => among_all,
            _ => {
                let system_among_all = self.share(self.systems.get(&system), self.systems.len());
                let system_of_own = own.smoothed(own.systems.get(&system), system_among_all);
                system_of_own * (among_all / system_among_all).min(1.0)
            }
        };
        (among_all / own.smoothed(own.networks.get(&from), fall_back)).ln()
    }

    fn program_ratio(&self, own: &Self, program: &str) -> f64 {
        let among_all = self.share(self.programs.get(program), self.programs.len());
        (among_all / own.smoothed(own.programs.get(program), among_all)).ln()
    }

    /// The share of a value among all sign-ins, with room for those not seen yet.
    fn share(&self, times: Option<&u32>, kinds: usize) -> f64 {
        let times = f64::from(times.copied().unwrap_or(0));
        let kinds = u32::try_from(kinds).map_or(f64::from(u32::MAX), f64::from);
        (times + 1.0) / (f64::from(self.sign_ins) + kinds + 1.0)
    }

    /// The share of a value among an account's own, as if one sign-in more had been as those of all are.
    fn smoothed(&self, times: Option<&u32>, fall_back: f64) -> f64 {
        (f64::from(times.copied().unwrap_or(0)) + fall_back) / (f64::from(self.sign_ins) + 1.0)
    }
}

fn count<K: std::hash::Hash + Eq>(counts: &mut FxHashMap<K, u32>, key: K, most: usize) {
    if let Some(times) = counts.get_mut(&key) {
        *times = times.saturating_add(1);
    } else if counts.len() < most {
        counts.insert(key, 1);
    }
}

/// What names a program in a user agent, without its versions.
pub(super) fn program(agent: &str) -> String {
    let mut name = String::with_capacity(agent.len());
    match agent.is_ascii() {
        true => {
            let letters = agent.bytes().filter(u8::is_ascii_alphabetic);
            name.extend(letters.map(|letter| char::from(letter.to_ascii_lowercase())));
        }
        false => {
            let letters = agent.chars().filter(|c| c.is_alphabetic());
            name.extend(letters.flat_map(char::to_lowercase));
        }
    }
    name
}
