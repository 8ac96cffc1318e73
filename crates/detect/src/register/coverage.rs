//! How much of a register one reader has seen: bounds, and the likeliest share between them.

use blackrod_model::estate::Register;
use blackrod_model::{DataRead, How, Wanted};
use rustc_hash::FxHashMap;

use super::BULK_ROWS;
use super::intervals::Intervals;
use super::values::Values;

/// Statements that are remembered of one reader.
const MOST: usize = 500_000;
/// Where the log counts no rows, ranges may hold fewer records than there are numbers in them.
const UNCOUNTED: f64 = 0.9;

/// A share of a register, as parts of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Coverage {
    /// At least so much.
    pub lower: f64,
    /// At most so much.
    pub upper: f64,
    /// The likeliest: parts that may overlap taken to overlap as chance would have it.
    pub likely: f64,
}

impl Coverage {
    /// `between 31 and 44 %`, `about 42 %`, `all`.
    pub fn words(self) -> String {
        let percent = |share: f64| match share * 100.0 {
            small if small < 10.0 => format!("{small:.1}"),
            large => format!("{large:.0}"),
        };
        if self.lower >= 0.995 {
            return "all".to_owned();
        }
        let (lower, upper) = (percent(self.lower), percent(self.upper));
        match lower == upper {
            true => format!("about {upper} %"),
            false => format!("between {lower} and {upper} %"),
        }
    }
}

/// What one reader has seen of one register.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Stretches of records, counted from the first record.
    stretches: Intervals,
    /// Rows of the reads in `stretches`, and how long those are, where the log counts rows.
    counted: (u64, u64),
    has_uncounted: bool,
    /// Most rows by value, by column.
    values: FxHashMap<String, Values>,
    /// Most rows by statement, for those that say nothing about which.
    others: FxHashMap<String, u64>,
    /// All of it at once, and the most rows that came back then.
    whole: Option<(How, Option<u64>)>,
}

/// What a statement was, seen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// One person or a few.
    Lookup,
    /// Many, or a step of a walk.
    Bulk,
    /// All of the register.
    Whole,
}

impl Seen {
    pub(super) fn add(&mut self, read: &DataRead, register: &Register) -> Size {
        let rows = read.rows;
        let scale = Scale::of(register);
        match &read.what {
            Wanted::All(how) => {
                if rows.is_some_and(|rows| rows < register.records / 100) {
                    return self.other(read);
                }
                let before = self.whole.map_or(0, |(_, rows)| rows.unwrap_or(0));
                self.whole = Some((*how, rows.map(|rows| rows.max(before))));
                Size::Whole
            }
            Wanted::Keys {
                ranges,
                limit,
                descending,
                filtered,
            } => self.keys(read, ranges, *limit, *descending, *filtered, &scale),
            Wanted::Page { offset, limit } => {
                let length = rows
                    .or(*limit)
                    .unwrap_or(register.records.saturating_sub(*offset));
                self.stretch(*offset, offset.saturating_add(length), rows, &scale);
                size(length)
            }
            Wanted::Value {
                column,
                value,
                is_prefix,
            } => {
                let rows = rows.unwrap_or(1);
                let day = read.time.seconds().unwrap_or_default().div_euclid(86_400);
                let values = self.values.entry(column.clone()).or_default();
                // An end of its own, so that nothing longer begins with a whole value.
                let value = if *is_prefix {
                    value.clone()
                } else {
                    format!("{value}\0")
                };
                match values.add(&value, *is_prefix, rows, day) {
                    true => Size::Bulk,
                    false => size(rows),
                }
            }
            Wanted::Some => self.other(read),
            Wanted::Loaded => Size::Lookup,
        }
    }

    fn keys(
        &mut self,
        read: &DataRead,
        ranges: &[(i64, i64)],
        limit: Option<u64>,
        descending: bool,
        filtered: bool,
        scale: &Scale,
    ) -> Size {
        let spans: Vec<(u64, u64)> = ranges
            .iter()
            .map(|(first, last)| scale.span(*first, *last))
            .collect();
        let length: u64 = spans.iter().map(|(from, to)| to - from).sum();
        let most = limit.map_or(length, |limit| limit.min(length));
        // Other conditions left most of them out: which ones came back is not known.
        if filtered && read.rows.is_none_or(|rows| rows * 2 < most) {
            return self.other(read);
        }
        if limit.is_none_or(|limit| limit >= length) {
            // What was asked for with one statement is counted with one: its rows belong to all its ranges.
            for (from, to) in &spans {
                self.stretches.add(*from, *to);
            }
            self.count(read.rows, length);
        } else {
            let taken = read.rows.unwrap_or(most).min(most);
            match (spans.first(), descending) {
                (Some((_, to)), true) => self.stretch(to.saturating_sub(taken), *to, read.rows, scale),
                (Some((from, _)), false) => self.stretch(*from, from.saturating_add(taken), read.rows, scale),
                (None, _) => {}
            }
        }
        size(read.rows.unwrap_or(most))
    }

    fn stretch(&mut self, from: u64, to: u64, rows: Option<u64>, scale: &Scale) {
        let (from, to) = (from.min(scale.records), to.min(scale.records));
        self.stretches.add(from, to);
        self.count(
            rows.map(|rows| rows.min(to.saturating_sub(from))),
            to.saturating_sub(from),
        );
    }

    fn count(&mut self, rows: Option<u64>, length: u64) {
        match rows {
            Some(rows) => {
                self.counted.0 += rows;
                self.counted.1 += length;
            }
            None => self.has_uncounted = true,
        }
    }

    fn other(&mut self, read: &DataRead) -> Size {
        let rows = read.rows.unwrap_or(0);
        if rows >= BULK_ROWS && self.others.len() < MOST {
            let most = self.others.entry(read.statement.clone()).or_insert(0);
            *most = rows.max(*most);
        }
        size(rows)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.stretches.extend(&other.stretches);
        self.counted.0 += other.counted.0;
        self.counted.1 += other.counted.1;
        self.has_uncounted |= other.has_uncounted;
        for (column, theirs) in &other.values {
            self.values.entry(column.clone()).or_default().merge(theirs);
        }
        for (statement, rows) in &other.others {
            self.others.entry(statement.clone()).or_insert(*rows);
        }
        self.whole = self.whole.or(other.whole);
    }

    /// How all of it was asked for, if it was.
    pub(super) fn whole(&self) -> Option<How> {
        self.whole.map(|(how, _)| how)
    }

    /// The stretches that are no lookups, in records from the first.
    pub(super) fn walked(&mut self, register: &Register) -> Vec<(u64, u64)> {
        self.stretches.stretches(shortest(register)).collect()
    }

    /// The share that was walked through: in the order of numbers, page by page, or by a sweep of searches. Lists that are
    /// asked for by what they have in common (a ward) are not.
    pub(super) fn systematic(&mut self, register: &Register) -> f64 {
        let records = register.records.max(1) as f64;
        let walked = self.stretches.length(shortest(register)) as f64 / records;
        let swept = self.values.values().map(|values| values.swept() as f64 / records);
        swept.fold(walked, f64::max).min(1.0)
    }

    /// How much of `register` was read in bulk. Lookups of single people do not count.
    pub(super) fn coverage(&mut self, register: &Register) -> Coverage {
        let records = register.records.max(1) as f64;
        let walked = self.stretches.length(shortest(register)) as f64 / records;
        let density = match self.counted {
            (_, 0) => 1.0,
            (rows, length) => (rows as f64 / length as f64).min(1.0),
        };
        let uncertain = self.has_uncounted || self.stretches.is_coarse;
        let mut most = (walked * density).min(1.0);
        let mut least = if uncertain { most * UNCOUNTED } else { most };
        if uncertain {
            most = walked.min(1.0);
        }
        if let Some((how, rows)) = self.whole {
            let whole = rows.map_or(1.0, |rows| (rows as f64 / records).min(1.0));
            let certain = if rows.is_none() && how == How::Query {
                UNCOUNTED
            } else {
                1.0
            };
            (least, most) = (least.max(whole * certain), most.max(whole));
        }
        let columns = self.values.values().map(|values| values.share(records));
        let others: u64 = self.others.values().sum();
        let largest = self.others.values().max().copied().unwrap_or(0);
        let mut coverage = Coverage {
            lower: least.max(largest as f64 / records),
            upper: most + others as f64 / records,
            likely: 1.0 - (1.0 - (least + most) / 2.0) * (1.0 - (others as f64 / records).min(1.0)),
        };
        for share in columns {
            coverage.lower = coverage.lower.max(share);
            coverage.upper += share;
            coverage.likely = 1.0 - (1.0 - coverage.likely) * (1.0 - share);
        }
        coverage.upper = coverage.upper.min(1.0);
        coverage.lower = coverage.lower.min(coverage.upper);
        coverage.likely = coverage.likely.clamp(coverage.lower, coverage.upper);
        coverage
    }
}

/// Fewer records in a row than this are lookups.
fn shortest(register: &Register) -> u64 {
    (register.records / 1_000).clamp(10, 50)
}

fn size(rows: u64) -> Size {
    match rows >= BULK_ROWS {
        true => Size::Bulk,
        false => Size::Lookup,
    }
}

/// Numbers of records as places in the register: evenly spread between the first and the last.
struct Scale {
    first: i128,
    numbers: i128,
    records: u64,
}

impl Scale {
    fn of(register: &Register) -> Self {
        let (first, last) = register.keys;
        Self {
            first: i128::from(first),
            numbers: (i128::from(last) - i128::from(first) + 1).max(1),
            records: register.records,
        }
    }

    /// The records whose numbers lie between `first` and `last`.
    fn span(&self, first: i64, last: i64) -> (u64, u64) {
        let from = self.place(i128::from(first));
        (from, self.place(i128::from(last) + 1).max(from))
    }

    fn place(&self, number: i128) -> u64 {
        let offset = (number - self.first).clamp(0, self.numbers);
        u64::try_from(offset * i128::from(self.records) / self.numbers).unwrap_or(self.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register() -> Register {
        Register {
            records: 10_000,
            keys: (1, 20_000),
            ..Register::default()
        }
    }

    fn read(what: Wanted, rows: Option<u64>) -> DataRead {
        DataRead {
            what,
            rows,
            ..DataRead::default()
        }
    }

    fn keys(first: i64, last: i64, limit: Option<u64>) -> Wanted {
        Wanted::Keys {
            ranges: vec![(first, last)],
            limit,
            descending: false,
            filtered: false,
        }
    }

    fn share(reads: &[DataRead]) -> Coverage {
        let mut seen = Seen::default();
        for read in reads {
            seen.add(read, &register());
        }
        seen.coverage(&register())
    }

    #[test]
    fn ranges_join_and_rows_count() {
        let both = share(&[
            read(keys(1, 4_000, None), Some(2_000)),
            read(keys(3_001, 6_000, None), Some(1_500)),
        ]);
        assert!(
            (both.lower - 0.3).abs() < 0.001 && both.lower == both.upper,
            "{both:?}"
        );
        assert_eq!(both.words(), "about 30 %");
        let uncounted = share(&[read(keys(1, 6_000, None), None)]);
        assert_eq!(uncounted.words(), "between 27 and 30 %");
    }

    #[test]
    fn pages_follow_each_other() {
        let pages: Vec<DataRead> = (0..30)
            .map(|page| read(keys(page * 200 + 1, i64::MAX, Some(100)), Some(100)))
            .collect();
        assert!((share(&pages).likely - 0.3).abs() < 0.001);
        let offsets: Vec<DataRead> = (0..30)
            .map(|page| {
                let what = Wanted::Page {
                    offset: page * 100,
                    limit: Some(100),
                };
                read(what, Some(100))
            })
            .collect();
        assert!((share(&offsets).likely - 0.3).abs() < 0.001);
    }

    #[test]
    fn lookups_are_not_bulk_but_a_walk_over_single_numbers_is() {
        let scattered: Vec<DataRead> = (0..200)
            .map(|step| read(keys(step * 97, step * 97, None), Some(1)))
            .collect();
        assert_eq!(share(&scattered), Coverage::default());
        let walk: Vec<DataRead> = (1..=2_000)
            .map(|step| read(keys(step, step, None), Some(1)))
            .collect();
        assert!((share(&walk).likely - 0.1).abs() < 0.01, "{:?}", share(&walk));
    }

    #[test]
    fn values_of_a_column_are_apart_and_beginnings_nested() {
        let value = |text: &str, is_prefix, rows| {
            let what = Wanted::Value {
                column: "surname".to_owned(),
                value: text.to_owned(),
                is_prefix,
            };
            read(what, Some(rows))
        };
        let wards: Vec<DataRead> = (0..10)
            .map(|ward| value(&format!("w{ward}"), false, 200))
            .collect();
        assert!((share(&wards).likely - 0.2).abs() < 0.001);
        let mut sweep: Vec<DataRead> = (0..150).map(|n| value(&format!("a{n:03}"), true, 20)).collect();
        sweep.push(value("a00", true, 230));
        let nested = share(&sweep);
        assert!((nested.likely - 0.303).abs() < 0.001, "{nested:?}");
        let searches: Vec<DataRead> = (0..90).map(|n| value(&format!("b{n:03}"), false, 20)).collect();
        assert_eq!(share(&searches), Coverage::default());
    }

    #[test]
    fn all_at_once() {
        assert_eq!(share(&[read(Wanted::All(How::Copied), None)]).words(), "all");
        assert_eq!(
            share(&[read(Wanted::All(How::Query), None)]).words(),
            "between 90 and 100 %"
        );
        let two = share(&[
            read(keys(1, 8_000, None), Some(4_000)),
            read(Wanted::Some, Some(3_000)),
        ]);
        assert_eq!(two.words(), "between 40 and 70 %");
        assert!((two.likely - 0.58).abs() < 0.01);
    }
}
