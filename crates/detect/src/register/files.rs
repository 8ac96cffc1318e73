//! Files that an account copied in bulk from shares and cloud drives, and archives that it packed around that time.

use std::collections::BTreeMap;

use blackrod_model::{Class, Entity, EntityKind, FileAct, Finding, FindingId, Reason, Severity};
use rustc_hash::FxHashSet;

/// An account copied far more files than is usual for it.
pub const COPY: &str = "files/bulk-copy";

/// Days of its own past that an account is measured against.
const PAST_DAYS: usize = 30;
/// So many active days, and its past says something.
const KNOWN_DAYS: usize = 5;
/// Different files a day that are too few to be a bulk copy; more where nothing is known of the account.
const LEAST: usize = 200;
const LEAST_UNKNOWN: usize = 500;
/// So many times the median deviation, and so many times its busiest day before, is beyond chance.
const BEYOND: f64 = 8.0;
const BUSIEST: usize = 3;
/// Accounts that are remembered.
const MAX_ACCOUNTS: usize = 200_000;

const DAY: i64 = 86_400;

/// What archives are called.
const ARCHIVES: [&str; 9] = [
    ".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".zst", ".cab", ".xz",
];

/// File acts in the order of time.
#[derive(Default)]
pub struct Stream {
    accounts: BTreeMap<String, Account>,
    findings: Vec<Finding>,
}

#[derive(Default)]
struct Account {
    /// Different files read on each day before.
    past: Vec<usize>,
    day: Option<Day>,
    addresses: FxHashSet<std::net::IpAddr>,
}

struct Day {
    number: i64,
    first: FileAct,
    files: FxHashSet<u64>,
    archives: Vec<String>,
    new_addresses: Vec<std::net::IpAddr>,
    last: i64,
}

impl Stream {
    /// Takes an act. They must come in the order of their times.
    pub fn push(&mut self, act: &FileAct) {
        if !self.accounts.contains_key(&act.account) {
            if self.accounts.len() >= MAX_ACCOUNTS {
                return;
            }
            self.accounts.insert(act.account.clone(), Account::default());
        }
        let Some(account) = self.accounts.get_mut(&act.account) else {
            return;
        };
        let seconds = act.time.seconds().unwrap_or_default();
        let number = seconds.div_euclid(DAY);
        if account.day.as_ref().is_some_and(|day| day.number != number) {
            self.findings.extend(account.close());
        }
        let is_known = account.past.len() >= KNOWN_DAYS;
        let day = account.day.get_or_insert_with(|| Day {
            number,
            first: act.clone(),
            files: FxHashSet::default(),
            archives: Vec::new(),
            new_addresses: Vec::new(),
            last: seconds,
        });
        day.last = seconds;
        if let Some(address) = act.address
            && account.addresses.insert(address)
            && is_known
        {
            day.new_addresses.push(address);
        }
        let lower = act.path.to_lowercase();
        if act.is_written {
            if day.archives.len() < 20 && ARCHIVES.iter().any(|ending| lower.ends_with(ending)) {
                day.archives.push(act.path.clone());
            }
            return;
        }
        day.files.insert(act.path_hash);
    }

    /// What all acts come to.
    pub fn finish(mut self) -> Vec<Finding> {
        for account in self.accounts.values_mut() {
            self.findings.extend(account.close());
        }
        self.findings
    }
}

impl Account {
    /// Judges the day that is over.
    fn close(&mut self) -> Option<Finding> {
        let day = self.day.take()?;
        let count = day.files.len();
        let mut past = self.past.clone();
        if self.past.len() == PAST_DAYS {
            self.past.remove(0);
        }
        self.past.push(count);
        past.sort_unstable();
        let median = past.get(past.len() / 2).copied().unwrap_or(0);
        let busiest = past.last().copied().unwrap_or(0);
        let is_beyond = if past.len() >= KNOWN_DAYS {
            let mut off: Vec<usize> = past.iter().map(|one| one.abs_diff(median)).collect();
            off.sort_unstable();
            let deviation = off.get(off.len() / 2).copied().unwrap_or(0) as f64;
            // 1.4826 makes the median deviation that of a normal distribution.
            let spread = 1.4826 * deviation.max(1.0 + median as f64 / 10.0);
            count >= LEAST && count >= BUSIEST * busiest && (count as f64 - median as f64) / spread >= BEYOND
        } else {
            count >= LEAST_UNKNOWN && count >= BUSIEST * busiest
        };
        is_beyond.then(|| finding(&day, count, median, past.len()))
    }
}

fn finding(day: &Day, count: usize, median: usize, days: usize) -> Finding {
    let first = &day.first;
    let hours = (day.last - first.time.seconds().unwrap_or_default()) as f64 / 3_600.0;
    let mut reasons = vec![
        Reason::new(
            "files",
            &format!("{count} different files within {hours:.1} hours"),
        ),
        Reason::new(
            "usual",
            &match days {
                0..KNOWN_DAYS => "too little of this account's past is known".to_owned(),
                _ => format!("{median} a day, over {days} days before"),
            },
        ),
        Reason::new("first of them", &first.path),
    ];
    let mut attack = match first.class == Class::FILE_HOSTING.0 {
        true => vec!["T1530".to_owned()],
        false => vec!["T1039".to_owned()],
    };
    let mut severity = Severity::Medium;
    if !day.archives.is_empty() {
        reasons.push(Reason::new(
            "archives packed on that day",
            &day.archives.join(", "),
        ));
        attack.push("T1560".to_owned());
        severity = Severity::High;
    }
    if !day.new_addresses.is_empty() {
        let addresses: Vec<String> = day
            .new_addresses
            .iter()
            .take(5)
            .map(ToString::to_string)
            .collect();
        reasons.push(Reason::new("new client", &addresses.join(", ")));
        severity = Severity::High;
    }
    let kind = match first.account.contains('@') {
        true => EntityKind::Address,
        false => EntityKind::Account,
    };
    let entities = [
        Entity::new(kind, &first.account),
        Entity::new(EntityKind::Host, &first.host),
        first
            .address
            .and_then(|address| Entity::new(EntityKind::Ip, &address.to_string())),
    ];
    Finding {
        id: FindingId::new(COPY, COPY, first.evidence, first.at, &first.account),
        code: COPY.to_owned(),
        rule_id: COPY.to_owned(),
        title: format!("{count} files copied in one day by {}", first.account),
        severity,
        time: first.time,
        evidence: first.evidence,
        at: first.at,
        class: first.class,
        attack,
        reasons,
        entities: entities.into_iter().flatten().collect(),
    }
}
