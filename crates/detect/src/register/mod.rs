//! Data that is taken: registers read in bulk, copies of them elsewhere, files copied from shares and drives.
//!
//! [`extract`] keeps what a record says was read; all threads do that at once. [`Stream`] and [`files::Stream`] take
//! these facts in the order of time.

mod coverage;
pub mod extract;
pub mod files;
mod intervals;
mod reader;
mod sql;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use blackrod_model::estate::Register;
use blackrod_model::{
    Class, DataRead, Entity, EntityKind, Estate, Finding, FindingId, Reason, Severity, Timestamp, Wanted,
};
use rustc_hash::FxHashSet;

pub use coverage::Coverage;
use reader::Reader;

/// What the detectors of this module find and miss.
pub const EXPLAIN: &str = include_str!("explain.md");

/// Much of a register was read by one account, or by several together.
pub const BULK: &str = "register/bulk-read";
/// A register was copied as a whole.
pub const DUMP: &str = "register/dump";
/// A register was loaded where it does not belong.
pub const ELSEWHERE: &str = "register/copy-elsewhere";

/// The field of a finding's reasons that says how much of the register.
pub const COVERAGE: &str = "coverage";

/// A single answer of so many rows is no lookup of a person.
const BULK_ROWS: u64 = 100;
/// Accounts that are remembered.
const MAX_READERS: usize = 100_000;
/// So many points make a finding.
const ENOUGH: u32 = 3;
/// Less of a register than this is no finding, whatever else speaks for it.
const LEAST: f64 = 0.005;
/// So much of it is one, whatever speaks against it.
const MUCH: f64 = 0.10;

/// Reads of registers in the order of time.
pub struct Stream<'e> {
    estate: &'e Estate,
    readers: BTreeMap<(u16, String), Reader>,
    loaded: BTreeMap<(u16, String), (DataRead, u64)>,
    first: Option<Timestamp>,
}

impl<'e> Stream<'e> {
    /// For the registers of `estate`.
    pub const fn new(estate: &'e Estate) -> Self {
        Self {
            estate,
            readers: BTreeMap::new(),
            loaded: BTreeMap::new(),
            first: None,
        }
    }

    /// Takes a read. They must come in the order of their times.
    pub fn push(&mut self, read: &DataRead) {
        let Some(register) = self.estate.registers.get(usize::from(read.register)) else {
            return;
        };
        let first = *self.first.get_or_insert(read.time);
        if read.what == Wanted::Loaded {
            let place = (read.register, read.database.clone());
            if self.loaded.len() < MAX_READERS || self.loaded.contains_key(&place) {
                let (_, rows) = self.loaded.entry(place).or_insert_with(|| (read.clone(), 0));
                *rows += read.rows.unwrap_or(0);
            }
            return;
        }
        let who = (read.register, read.account.clone());
        if !self.readers.contains_key(&who) && self.readers.len() >= MAX_READERS {
            return;
        }
        self.readers
            .entry(who)
            .or_insert_with(|| Reader::new(read, first))
            .push(read, register);
    }

    /// What all reads come to.
    pub fn finish(mut self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .loaded
            .iter()
            .filter_map(|((register, _), (read, rows))| {
                Some(elsewhere(
                    self.estate.registers.get(usize::from(*register))?,
                    read,
                    *rows,
                    self.estate,
                ))
            })
            .collect();
        for (index, register) in self.estate.registers.iter().enumerate() {
            let mut readers: Vec<(&str, &mut Reader)> = self
                .readers
                .iter_mut()
                .filter(|((of, _), _)| usize::from(*of) == index)
                .map(|((_, account), reader)| (account.as_str(), reader))
                .collect();
            let mut told = FxHashSet::default();
            for (account, reader) in &mut readers {
                if let Some(finding) = judged(register, &[account], reader, self.estate) {
                    findings.push(finding);
                    told.insert((*account).to_owned());
                }
            }
            findings.extend(together(register, &mut readers, &told, self.estate));
        }
        findings
    }
}

/// Accounts that walked through a register side by side, as one reader.
fn together(
    register: &Register,
    readers: &mut [(&str, &mut Reader)],
    told: &FxHashSet<String>,
    estate: &Estate,
) -> Option<Finding> {
    // What borders on what: a stretch that begins where another account's ends.
    const BORDERS: usize = 3;
    let walks: Vec<Vec<(u64, u64)>> = readers
        .iter_mut()
        .map(|(_, reader)| reader.seen.walked(register))
        .collect();
    let mut members: Vec<usize> = Vec::new();
    for (left, walk) in walks.iter().enumerate() {
        let ends: FxHashSet<u64> = walk.iter().flat_map(|(from, to)| [*from, *to]).collect();
        for (right, other) in walks.iter().enumerate().skip(left + 1) {
            let borders = other
                .iter()
                .filter(|(from, to)| ends.contains(from) || ends.contains(to))
                .count();
            let addresses = |index: usize| readers.get(index).map(|(_, reader)| reader.bulk_addresses());
            let shares_address = addresses(left)
                .zip(addresses(right))
                .is_some_and(|(a, b)| !a.is_disjoint(b));
            if borders >= BORDERS || shares_address && !walk.is_empty() && !other.is_empty() {
                members.extend([left, right]);
            }
        }
    }
    members.sort_unstable();
    members.dedup();
    let names: Vec<&str> = members
        .iter()
        .filter_map(|index| Some(readers.get(*index)?.0))
        .collect();
    let mut all: Option<Reader> = None;
    for index in &members {
        let (_, reader) = readers.get(*index)?;
        match &mut all {
            Some(all) => all.merge(reader),
            None => all = Some((*reader).clone()),
        }
    }
    let mut all = all?;
    // Accounts with a whole copy each are told by themselves; so is one that only keeps company.
    let is_new = names.iter().any(|name| !told.contains(*name)) || names.len() > 1;
    (is_new && all.seen.whole().is_none()).then(|| judged(register, &names, &mut all, estate))?
}

fn judged(register: &Register, accounts: &[&str], reader: &mut Reader, estate: &Estate) -> Option<Finding> {
    let coverage = reader.seen.coverage(register);
    if coverage.upper < LEAST {
        return None;
    }
    let signs = reader.signs(register, coverage);
    let points: u32 = signs.iter().map(|sign| sign.points).sum();
    let is_task = accounts
        .iter()
        .all(|account| register.exporters.iter().any(|own| own == account));
    let is_enough = match is_task {
        // Whose task it is to copy the register does so from the same place with the same program.
        true => reader.is_from_elsewhere(),
        false => {
            let is_unusual = signs.iter().any(|sign| !sign.is_usual);
            is_unusual && (points >= ENOUGH && coverage.likely >= LEAST || coverage.lower >= MUCH)
        }
    };
    if !is_enough {
        return None;
    }
    let how = reader.seen.whole();
    let who = match accounts {
        [one] => format!("account {one}"),
        several => format!("accounts {} together", several.join(", ")),
    };
    let first = reader.first_bulk()?.clone();
    let code = if how.is_some() { DUMP } else { BULK };
    let title = format!(
        "{} of {} read by {who}, over {}",
        coverage.words(),
        register.name,
        reader.over()
    );
    let mut reasons = vec![
        Reason::new(
            COVERAGE,
            &format!(
                "{} of the register ({:.0} to {:.0} of {} records)",
                coverage.words(),
                coverage.lower * register.records as f64,
                coverage.upper * register.records as f64,
                register.records
            ),
        ),
        Reason::new("likeliest share", &format!("{:.1} %", coverage.likely * 100.0)),
    ];
    reasons.extend(signs.iter().map(|sign| Reason::new(sign.name, &sign.words)));
    reasons.push(Reason::new("first such statement", &first.statement));
    let columns = reader.columns();
    reasons.push(Reason::new("columns", columns.as_deref().unwrap_or("all")));
    let severity = match points {
        _ if coverage.lower >= 0.5 => Severity::Critical,
        0..=3 if coverage.lower < MUCH => Severity::Medium,
        0..=4 => Severity::High,
        _ => Severity::Critical,
    };
    let entities = reader
        .bulk_addresses()
        .iter()
        .take(20)
        .filter_map(|address| Entity::new(EntityKind::Ip, &address.to_string()));
    let accounts = accounts
        .iter()
        .filter_map(|account| Entity::new(EntityKind::Account, account));
    let mut entities: Vec<Entity> = accounts.chain(entities).collect();
    entities.extend(host(register, estate));
    Some(Finding {
        id: FindingId::new(code, code, first.evidence, first.at, &who),
        code: code.to_owned(),
        rule_id: code.to_owned(),
        title: capital(&title),
        severity,
        time: first.time,
        evidence: first.evidence,
        at: first.at,
        class: Class::DATASTORE_ACTIVITY.0,
        attack: vec!["T1213.006".to_owned()],
        reasons,
        entities,
    })
}

fn elsewhere(register: &Register, read: &DataRead, rows: u64, estate: &Estate) -> Finding {
    let share = (rows as f64 / register.records.max(1) as f64).min(1.0);
    let coverage = match rows {
        // The log counts no rows of a bulk load.
        0 => "up to 100 %: as much as the backup held".to_owned(),
        _ => Coverage {
            lower: share * 0.9,
            upper: share,
            likely: share,
        }
        .words(),
    };
    let likely = if rows == 0 { 100.0 } else { share * 100.0 };
    let mut entities: Vec<Entity> = [
        Entity::new(EntityKind::Account, &read.account),
        read.address
            .and_then(|address| Entity::new(EntityKind::Ip, &address.to_string())),
    ]
    .into_iter()
    .flatten()
    .collect();
    entities.extend(host(register, estate));
    Finding {
        id: FindingId::new(ELSEWHERE, ELSEWHERE, read.evidence, read.at, &read.database),
        code: ELSEWHERE.to_owned(),
        rule_id: ELSEWHERE.to_owned(),
        title: format!(
            "A copy of {} was loaded into database {}, by account {}",
            register.name, read.database, read.account
        ),
        severity: Severity::High,
        time: read.time,
        evidence: read.evidence,
        at: read.at,
        class: Class::DATASTORE_ACTIVITY.0,
        attack: vec!["T1213.006".to_owned(), "T1074".to_owned()],
        reasons: vec![
            Reason::new(COVERAGE, &coverage),
            Reason::new("likeliest share", &format!("{likely:.1} %")),
            Reason::new(
                "database",
                &format!(
                    "{}, where the register belongs: {}",
                    read.database,
                    register.databases.join(", ")
                ),
            ),
            Reason::new("program", &read.program),
            Reason::new("statement", &read.statement),
        ],
        entities,
    }
}

/// The computer that keeps the register.
fn host(register: &Register, estate: &Estate) -> Option<Entity> {
    let name = register.system.as_deref()?;
    let system = estate.systems.iter().find(|system| system.name == name)?;
    Entity::new(EntityKind::Host, system.hosts.first()?)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
