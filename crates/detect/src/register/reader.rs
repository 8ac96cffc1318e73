//! One account at one register: what it has seen, when, from where, and what is usual for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use blackrod_model::estate::Register;
use blackrod_model::{DataRead, How, Timestamp};
use rustc_hash::FxHashSet;

use super::coverage::{Coverage, Seen, Size};

/// So many statements over so many days, and an account's ways are known.
const KNOWN_STATEMENTS: u64 = 5;
const KNOWN_DAYS: usize = 3;
/// An account that first shows so many days after the log begins is new.
const NEW_AFTER: i64 = 7;
/// Addresses, programs and columns that are remembered of one account.
const MAX_WAYS: usize = 500;
/// A day of more than so many times what is usual is growth.
const GROWTH: f64 = 10.0;

const DAY: i64 = 86_400;

/// Programs that copy databases as a whole.
const DUMP_TOOLS: [&str; 14] = [
    "pg_dump",
    "pg_dumpall",
    "pg_basebackup",
    "pg_restore",
    "mysqldump",
    "mysqlpump",
    "mydumper",
    "mariadb-dump",
    "mariabackup",
    "xtrabackup",
    "bcp",
    "sqlpackage",
    "expdp",
    "sqlcmd",
];

/// One account at one register.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) seen: Seen,
    log_began: Timestamp,
    first: Timestamp,
    statements: u64,
    days: BTreeMap<i64, Day>,
    addresses: FxHashSet<Option<IpAddr>>,
    programs: FxHashSet<String>,
    /// Bulk reads from an address, with a program that the account never had when its ways were known.
    new_addresses: BTreeSet<IpAddr>,
    new_programs: BTreeSet<String>,
    bulk_addresses: BTreeSet<IpAddr>,
    tools: BTreeSet<String>,
    columns: BTreeSet<String>,
    reads_all_columns: bool,
    first_bulk: Option<DataRead>,
    first_large: Option<DataRead>,
    last_counted: Option<(String, Timestamp)>,
}

#[derive(Clone, Copy, Default)]
struct Day {
    rows: u64,
    rows_off_hours: u64,
    /// Of answers that are no lookups.
    bulk: u64,
}

/// What speaks for a theft.
pub(super) struct Sign {
    pub(super) name: &'static str,
    pub(super) words: String,
    pub(super) points: u32,
    /// Ordinary work can show it as well: it says something only beside signs that it does not.
    pub(super) is_usual: bool,
}

impl Reader {
    pub(super) fn new(read: &DataRead, log_began: Timestamp) -> Self {
        Self {
            seen: Seen::default(),
            log_began,
            first: read.time,
            statements: 0,
            days: BTreeMap::new(),
            addresses: FxHashSet::default(),
            programs: FxHashSet::default(),
            new_addresses: BTreeSet::new(),
            new_programs: BTreeSet::new(),
            bulk_addresses: BTreeSet::new(),
            tools: BTreeSet::new(),
            columns: BTreeSet::new(),
            reads_all_columns: false,
            first_bulk: None,
            first_large: None,
            last_counted: None,
        }
    }

    pub(super) fn push(&mut self, read: &DataRead, register: &Register) {
        if self.is_told_twice(read) {
            return;
        }
        let size = self.seen.add(read, register);
        let is_known = self.statements >= KNOWN_STATEMENTS && self.days.len() > KNOWN_DAYS;
        self.statements += 1;
        self.first_bulk.get_or_insert_with(|| read.clone());
        let seconds = read.time.seconds().unwrap_or_default();
        let rows = read.rows.unwrap_or(match size {
            Size::Lookup => 1,
            Size::Bulk => 100,
            Size::Whole => register.records,
        });
        let day = self.days.entry(seconds.div_euclid(DAY)).or_default();
        day.rows = day.rows.saturating_add(rows);
        if size != Size::Lookup {
            day.bulk = day.bulk.saturating_add(rows);
        }
        if is_off_hours(seconds, register.hours) {
            day.rows_off_hours = day.rows_off_hours.saturating_add(rows);
        }
        if let Some(address) = read.address {
            if is_known && !self.addresses.contains(&read.address) {
                self.new_addresses.insert(address);
            }
            if self.bulk_addresses.len() < MAX_WAYS && !address.is_loopback() {
                self.bulk_addresses.insert(address);
            }
        }
        if is_known && !read.program.is_empty() && !self.programs.contains(&read.program) {
            self.new_programs.insert(read.program.clone());
        }
        // What is new stays new until it was there on a day without bulk reads.
        if size == Size::Lookup || !is_known {
            if self.addresses.len() < MAX_WAYS {
                self.addresses.insert(read.address);
            }
            if self.programs.len() < MAX_WAYS && !self.programs.contains(&read.program) {
                self.programs.insert(read.program.clone());
            }
        }
        if size == Size::Lookup {
            return;
        }
        self.first_large.get_or_insert_with(|| read.clone());
        let program = read.program.to_ascii_lowercase();
        if let Some(tool) = DUMP_TOOLS
            .iter()
            .find(|tool| program == **tool || program.starts_with(&format!("{tool} ")))
        {
            self.tools.insert((*tool).to_owned());
        }
        if let Some(sign) = dump_statement(&read.statement) {
            self.tools.insert(sign.to_owned());
        }
        self.reads_all_columns |= read.columns.is_empty();
        for column in &read.columns {
            if self.columns.len() < MAX_WAYS {
                self.columns.insert(column.clone());
            }
        }
    }

    /// Whether a log tells the same statement once more, this time without its rows.
    fn is_told_twice(&mut self, read: &DataRead) -> bool {
        let close = |at: Timestamp| {
            let (now, then) = (read.time.micros().unwrap_or(0), at.micros().unwrap_or(0));
            now.saturating_sub(then) < 2_000_000
        };
        let is_again = self
            .last_counted
            .as_ref()
            .is_some_and(|(statement, at)| *statement == read.statement && close(*at));
        if read.rows.is_some() {
            self.last_counted = Some((read.statement.clone(), read.time));
        }
        is_again && read.rows.is_none()
    }

    /// Takes in what another account read.
    pub(super) fn merge(&mut self, other: &Self) {
        self.seen.merge(&other.seen);
        self.statements += other.statements;
        for (day, theirs) in &other.days {
            let own = self.days.entry(*day).or_default();
            own.rows = own.rows.saturating_add(theirs.rows);
            own.bulk = own.bulk.saturating_add(theirs.bulk);
            own.rows_off_hours = own.rows_off_hours.saturating_add(theirs.rows_off_hours);
        }
        self.new_addresses.extend(&other.new_addresses);
        self.new_programs.extend(other.new_programs.iter().cloned());
        self.bulk_addresses.extend(&other.bulk_addresses);
        self.tools.extend(other.tools.iter().cloned());
        self.columns.extend(other.columns.iter().cloned());
        self.reads_all_columns |= other.reads_all_columns;
        self.first = self.first.max(other.first);
        let earlier = |own: &Option<DataRead>, theirs: &Option<DataRead>| match (own, theirs) {
            (Some(own), Some(theirs)) if theirs.time < own.time => Some(theirs.clone()),
            (None, theirs) => theirs.clone(),
            (own, _) => own.clone(),
        };
        self.first_large = earlier(&self.first_large, &other.first_large);
        self.first_bulk = earlier(&self.first_bulk, &other.first_bulk);
    }

    /// What speaks for a theft, beside the share.
    pub(super) fn signs(&mut self, register: &Register, coverage: Coverage) -> Vec<Sign> {
        let systematic = self.seen.systematic(register);
        let mut signs = Vec::new();
        let mut sign = |name, points, words: String| {
            signs.push(Sign {
                name,
                words,
                points,
                is_usual: matches!(name, "share" | "again and again"),
            });
        };
        match coverage.lower {
            0.5.. => sign("share", 3, "half of it or more".to_owned()),
            0.10.. => sign("share", 2, "a tenth of it or more".to_owned()),
            0.02.. => sign("share", 1, "a fiftieth of it or more".to_owned()),
            _ => {}
        }
        if systematic >= 0.02 {
            let words = format!(
                "{:.0} % in the order of numbers, page by page, or by a sweep of searches",
                systematic * 100.0
            );
            sign("walk", 1, words);
        }
        match self.seen.whole() {
            Some(How::Query) => sign("no predicate", 2, "all of it was asked for at once".to_owned()),
            Some(How::Copied) => sign("copied whole", 2, "its table was copied as a whole".to_owned()),
            Some(How::Backup) => sign("backup", 2, "the database was copied as a whole".to_owned()),
            None => {}
        }
        if !self.tools.is_empty() {
            sign("dump tool", 2, joined(self.tools.iter()));
        }
        if !self.new_addresses.is_empty() {
            sign("new client", 1, joined(self.new_addresses.iter()));
        }
        if !self.new_programs.is_empty() {
            sign("new program", 1, joined(self.new_programs.iter()));
        }
        let began = |time: Timestamp| time.seconds().unwrap_or_default();
        if began(self.first) - began(self.log_began) >= NEW_AFTER * DAY {
            sign("new account", 1, format!("first seen {}", self.first));
        }
        let large = self.large_days();
        let (rows, off) = large.iter().fold((0_u64, 0_u64), |(rows, off), (_, day)| {
            (
                rows.saturating_add(day.rows),
                off.saturating_add(day.rows_off_hours),
            )
        });
        if rows > 0 && off.saturating_mul(2) >= rows {
            let (from, to) = register.hours;
            let share = off as f64 * 100.0 / rows as f64;
            sign(
                "off hours",
                1,
                format!("{share:.0} % of the rows at weekends or outside {from} to {to} o'clock UTC"),
            );
        }
        if let Some((usual, most)) = self.growth(&large) {
            sign(
                "growth",
                1,
                format!("{most} rows in a day, where {usual} were usual for it"),
            );
        }
        if large.len() >= 3 {
            sign("again and again", 1, self.over());
        }
        signs
    }

    /// The days that make up the reading: with at least a fifth of the largest day's rows.
    fn large_days(&self) -> Vec<(i64, Day)> {
        // A walk that takes one record at a time has no large answers.
        let has_bulk = self.days.values().any(|day| day.bulk > 0);
        let rows = |day: &Day| if has_bulk { day.bulk } else { day.rows };
        let most = self.days.values().map(rows).max().unwrap_or(0);
        let is_large = |day: &Day| rows(day) >= (most / 5).max(1);
        self.days
            .iter()
            .filter(|(_, day)| is_large(day))
            .map(|(number, day)| (*number, *day))
            .collect()
    }

    /// The median of the days before the first large one, and the largest day, where that is many times more.
    fn growth(&self, large: &[(i64, Day)]) -> Option<(u64, u64)> {
        let (first, _) = large.first()?;
        let mut before: Vec<u64> = self.days.range(..first).map(|(_, day)| day.rows).collect();
        if before.len() < KNOWN_DAYS {
            return None;
        }
        before.sort_unstable();
        let usual = before.get(before.len() / 2).copied()?;
        let most = self.days.values().map(|day| day.rows).max()?;
        (most as f64 >= GROWTH * usual.max(10) as f64).then_some((usual, most))
    }

    /// `9 nights`, `3 days`, `1 day`.
    pub(super) fn over(&self) -> String {
        let large = self.large_days();
        let nights = large
            .iter()
            .filter(|(_, day)| day.rows_off_hours * 2 >= day.rows)
            .count();
        let (count, name) = match nights * 2 > large.len() {
            true => (nights, "night"),
            false => (large.len(), "day"),
        };
        format!("{count} {name}{}", if count == 1 { "" } else { "s" })
    }

    /// Whether bulk reads came from a client or with a program that are new to the account.
    pub(super) fn is_from_elsewhere(&self) -> bool {
        !self.new_addresses.is_empty() || !self.new_programs.is_empty()
    }

    pub(super) const fn bulk_addresses(&self) -> &BTreeSet<IpAddr> {
        &self.bulk_addresses
    }

    /// The columns that came back, where not all did.
    pub(super) fn columns(&self) -> Option<String> {
        (!self.reads_all_columns && !self.columns.is_empty()).then(|| joined(self.columns.iter()))
    }

    /// The first read that was no lookup; the first of all, where a walk took one record at a time.
    pub(super) const fn first_bulk(&self) -> Option<&DataRead> {
        match &self.first_large {
            Some(read) => Some(read),
            None => self.first_bulk.as_ref(),
        }
    }
}

/// What the statements of dump tools look like.
fn dump_statement(statement: &str) -> Option<&'static str> {
    let lower = statement.to_ascii_lowercase();
    [
        ("_pg_dump_cursor", "pg_dump's cursor"),
        ("!40001 sql_no_cache", "mysqldump's query"),
        ("into outfile", "SELECT INTO OUTFILE"),
        ("into dumpfile", "SELECT INTO DUMPFILE"),
        ("base_backup", "BASE_BACKUP"),
        ("insert bulk", "bcp"),
    ]
    .into_iter()
    .find(|(mark, _)| lower.contains(mark))
    .map(|(_, words)| words)
}

/// At weekends, or outside the hours in which people work.
fn is_off_hours(seconds: i64, (from, to): (u8, u8)) -> bool {
    let hour = seconds.rem_euclid(DAY) / 3_600;
    // 1970-01-01 was a Thursday.
    let weekday = (seconds.div_euclid(DAY) + 3).rem_euclid(7);
    weekday >= 5 || !(i64::from(from)..i64::from(to)).contains(&hour)
}

fn joined(items: impl Iterator<Item = impl ToString>) -> String {
    items
        .take(20)
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
