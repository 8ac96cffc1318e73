//! From rows of the register, or from the sizes of areas, to what its theft means.

use std::collections::HashMap;

use super::uniqueness::{ADULTS, Band, alone, by_chance, by_pigeonholes, expected_k};
use super::{Group, Harm, Joining, Kind, Range, Singling, kind_of};

/// What was taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'t> {
    /// What the register is called.
    pub register: &'t str,
    /// How many people are in it.
    pub records: u64,
    /// How much of it was taken, as parts of 1, from at least to at most.
    pub share: (f64, f64),
    /// The columns of the sample.
    pub header: &'t [String],
    /// Rows of the register, drawn by chance, or all of them.
    pub rows: &'t [Vec<String>],
    /// Which of the columns were taken; empty for all.
    pub columns: &'t [String],
    /// The day on which it was taken: year, month, day.
    pub day: Option<(i32, u32, u32)>,
}

/// People at higher risk: what for, and which rows of the sample.
type Members<'t> = (&'static str, Vec<&'t [String]>);

const CHILDREN: &str = "attainers and others under 18";
const OVERSEAS: &str = "overseas electors";
const ANONYMOUS: &str = "anonymous electors";

const COUNTED: &str = "counted in the whole register (Koot 2010)";
const SAMPLED: &str = "counted in the sample; lower end times the share sampled (Bethlehem et al. 1990)";
const BRACKETED: &str = "lower end: by chance (Golle 2006); upper end: pigeonholes (Sweeney 2000)";
const AREAS_ONLY: &str = "areas with one person";

/// What the theft of these columns means.
pub fn harm(taken: &Taken<'_>) -> Harm {
    let kinds: Vec<Kind> = taken.header.iter().map(|name| kind_of(name)).collect();
    let is_taken = |name: &String| {
        taken.columns.is_empty()
            || taken
                .columns
                .iter()
                .any(|column| column.trim().eq_ignore_ascii_case(name.trim()))
    };
    let columns: Vec<(String, Kind)> = taken
        .header
        .iter()
        .zip(&kinds)
        .filter(|(name, _)| is_taken(name))
        .map(|(name, kind)| (name.clone(), *kind))
        .collect();
    let has = |kind: Kind| columns.iter().any(|(_, own)| *own == kind);
    let view = View {
        taken,
        kinds,
        bands: bands(taken),
    };
    let mut limits = vec![
        "The figures are about these columns alone; who knows more of somebody singles out more.".to_owned(),
    ];
    if view.sampled() < 0.999 {
        limits.push(format!(
            "They are drawn from {} rows of {} ({:.1} %), taken to be drawn by chance.",
            taken.rows.len(),
            taken.records,
            view.sampled() * 100.0
        ));
    }
    if taken.rows.len() < 1_000 {
        limits.push("A sample of less than 1,000 rows says little of small areas.".to_owned());
    }
    let sets: [&[Kind]; 7] = [
        &[Kind::Postcode],
        &[Kind::Area, Kind::BirthDate],
        &[Kind::Postcode, Kind::BirthYear],
        &[Kind::Postcode, Kind::BirthDate],
        &[Kind::Postcode, Kind::BirthDate, Kind::Sex],
        &[Kind::Name],
        &[Kind::Name, Kind::Postcode],
    ];
    let singling = sets
        .into_iter()
        .filter(|set| set.iter().all(|kind| has(*kind)))
        .map(|set| view.singling(set))
        .collect();
    let (lower, upper) = people(taken, taken.records);
    Harm {
        register: taken.register.to_owned(),
        people: (lower, upper),
        is_named: has(Kind::Name),
        singling,
        joining: view.joining(&has),
        groups: view.groups(&columns),
        columns,
        limits,
    }
}

/// What the theft of areas with dates of birth means, from how many people live in each area alone.
pub fn from_cells(register: &str, records: u64, share: (f64, f64), cells: &[f64]) -> Harm {
    let sum: f64 = cells.iter().sum();
    let middle = weighted_median(cells.iter().map(|cell| (*cell, *cell)).collect());
    let of = |name: &str, parts: f64| Singling {
        columns: name.to_owned(),
        unique: Range {
            lower: by_chance(cells.iter().map(|cell| cell / parts), &ADULTS),
            upper: by_pigeonholes(cells.iter().map(|cell| cell / parts), &ADULTS),
            method: BRACKETED,
        },
        k: expected_k(middle / parts, &ADULTS),
        bits: bits(records as f64, expected_k(middle / parts, &ADULTS)),
    };
    let part = |share: f64| (records as f64 * share).round() as u64;
    Harm {
        register: register.to_owned(),
        people: (part(share.0), part(share.1)),
        columns: Vec::new(),
        is_named: false,
        singling: vec![
            of("area, date of birth", 1.0),
            of("area, date of birth, sex", 2.0),
        ],
        joining: Vec::new(),
        groups: Vec::new(),
        limits: vec![
            format!(
                "Drawn from the sizes of {} areas with {sum:.0} people; ages are taken to be those of adults anywhere.",
                cells.len()
            ),
            "Nothing is known of groups at higher risk without a sample.".to_owned(),
        ],
    }
}

/// The rows of the sample of each group at higher risk. For whoever has to write to them; never part of a report.
pub fn members<'t>(taken: &Taken<'t>) -> Vec<Members<'t>> {
    let kinds: Vec<Kind> = taken.header.iter().map(|name| kind_of(name)).collect();
    let of = |is: &dyn Fn(&[String]) -> bool| {
        taken
            .rows
            .iter()
            .map(Vec::as_slice)
            .filter(|row| is(row))
            .collect()
    };
    vec![
        (CHILDREN, of(&|row| is_child(row, &kinds, taken.day))),
        (
            OVERSEAS,
            of(&|row| has_mark(row, &kinds, Kind::Overseas, "overseas")),
        ),
        (
            ANONYMOUS,
            of(&|row| has_mark(row, &kinds, Kind::Anonymous, "anonymous")),
        ),
    ]
}

/// Whether a row of the sample is meant.
type Test<'r> = &'r dyn Fn(&[String]) -> bool;

struct View<'t> {
    taken: &'t Taken<'t>,
    kinds: Vec<Kind>,
    bands: Vec<Band>,
}

impl View<'_> {
    /// The share of the register that the sample is.
    fn sampled(&self) -> f64 {
        (self.taken.rows.len() as f64 / self.taken.records.max(1) as f64).clamp(f64::MIN_POSITIVE, 1.0)
    }

    /// The values of a row in the columns of these kinds.
    fn values(&self, row: &[String], set: &[Kind]) -> String {
        let mut joined = String::new();
        for (value, kind) in row.iter().zip(&self.kinds) {
            if set.contains(kind) {
                joined.push_str(&value.trim().to_lowercase());
                joined.push('\u{1f}');
            }
        }
        joined
    }

    fn counts(&self, set: &[Kind]) -> HashMap<String, u32> {
        let mut counts = HashMap::new();
        for row in self.taken.rows {
            *counts.entry(self.values(row, set)).or_insert(0) += 1;
        }
        counts
    }

    fn singling(&self, set: &[Kind]) -> Singling {
        let words: Vec<&str> = set.iter().map(|kind| kind.words()).collect();
        let records = self.taken.records as f64;
        let (unique, k) = self.unique(set, None);
        Singling {
            columns: words.join(", "),
            unique,
            k,
            bits: bits(records, k),
        }
    }

    /// The share of people who are unique in these columns, of all or of some, and how many share them in the middle.
    fn unique(&self, set: &[Kind], only: Option<Test<'_>>) -> (Range, f64) {
        let is_wanted = |row: &&Vec<String>| only.is_none_or(|only| only(row));
        let sampled = self.sampled();
        let is_whole = sampled >= 0.999;
        let without_date: Vec<Kind> = set
            .iter()
            .copied()
            .filter(|kind| *kind != Kind::BirthDate)
            .collect();
        let is_dated = without_date.len() < set.len();
        if is_dated && !is_whole {
            let counts = self.counts(&without_date);
            let (mut lower, mut upper, mut people) = (0.0, 0.0, 0.0);
            let mut sizes = Vec::new();
            for row in self.taken.rows.iter().filter(is_wanted) {
                let cell =
                    f64::from(counts.get(&self.values(row, &without_date)).copied().unwrap_or(1)) / sampled;
                lower += alone(cell, &self.bands);
                upper += by_pigeonholes(std::iter::once(cell), &self.bands);
                people += 1.0;
                sizes.push((expected_k(cell, &self.bands), 1.0));
            }
            let range = Range {
                lower: lower / f64::max(people, 1.0),
                upper: (upper / f64::max(people, 1.0)).max(lower / f64::max(people, 1.0)),
                method: BRACKETED,
            };
            return (range, weighted_median(sizes));
        }
        let counts = self.counts(set);
        let mut sizes = Vec::new();
        let (mut single, mut people) = (0.0, 0.0);
        for row in self.taken.rows.iter().filter(is_wanted) {
            let count = counts.get(&self.values(row, set)).copied().unwrap_or(1);
            single += f64::from(u8::from(count == 1));
            people += 1.0;
            // A value that only one of the sample has stands for few; one that many have for as many times more.
            let size = if count == 1 {
                1.0
            } else {
                f64::from(count) / sampled
            };
            sizes.push((size, 1.0));
        }
        let share = single / f64::max(people, 1.0);
        let range = Range {
            lower: if is_whole { share } else { share * sampled },
            upper: share,
            method: match (is_whole, set) {
                (true, _) => COUNTED,
                (false, [Kind::Postcode | Kind::Area]) => AREAS_ONLY,
                (false, _) => SAMPLED,
            },
        };
        (range, weighted_median(sizes))
    }

    fn joining(&self, has: &dyn Fn(Kind) -> bool) -> Vec<Joining> {
        const OTHERS: [(&str, &[Kind], &str); 4] = [
            (
                "data sold for advertising",
                &[Kind::Name, Kind::Postcode],
                "telephone numbers, mail addresses, income, interests, and who lives together",
            ),
            (
                "accounts leaked from online services",
                &[Kind::Name, Kind::BirthDate],
                "mail addresses, passwords in use, and what the service knew",
            ),
            (
                "health or research data without names",
                &[Kind::Postcode, Kind::BirthDate, Kind::Sex],
                "who the people in these data are, with all that stands there of them",
            ),
            (
                "profiles in social networks",
                &[Kind::Name, Kind::Area],
                "faces, friends, opinions, and whom to pose as",
            ),
        ];
        OTHERS
            .into_iter()
            .filter_map(|(with, by, adds)| {
                let shared: Vec<Kind> = by.iter().copied().filter(|kind| has(*kind)).collect();
                // One thing in common joins nobody, unless it is a name.
                if shared.len() < 2 && shared.first() != Some(&Kind::Name) {
                    return None;
                }
                let words: Vec<&str> = shared.iter().map(|kind| kind.words()).collect();
                Some(Joining {
                    with,
                    by: words.join(", "),
                    matched: self.unique(&shared, None).0,
                    adds,
                })
            })
            .collect()
    }

    fn groups(&self, columns: &[(String, Kind)]) -> Vec<Group> {
        let has = |kind: Kind| columns.iter().any(|(_, own)| *own == kind);
        let strongest: Vec<Kind> = [Kind::Postcode, Kind::Area, Kind::BirthDate, Kind::Sex]
            .into_iter()
            .filter(|kind| has(*kind))
            .collect();
        let day = self.taken.day;
        let group = |name, why, is: &dyn Fn(&[String]) -> bool| {
            let met = self.taken.rows.iter().filter(|row| is(row)).count();
            if met == 0 {
                return None;
            }
            let all = (met as f64 / self.sampled()).round() as u64;
            Some(Group {
                name,
                people: people(self.taken, all),
                unique: (strongest.len() > 1).then(|| self.unique(&strongest, Some(is)).0),
                why,
            })
        };
        [
            group(
                CHILDREN,
                "Children: the day on which they reach the voting age gives their date of birth beside name and address. Tell their parents too.",
                &|row| is_child(row, &self.kinds, day),
            ),
            group(
                OVERSEAS,
                "Some live where another state reaches them and their families: transnational repression. The register often has their name only.",
                &|row| has_mark(row, &self.kinds, Kind::Overseas, "overseas"),
            ),
            group(
                ANONYMOUS,
                "Their safety was at risk before. Even that they are registered, and where, must not be known: see each of them in person.",
                &|row| has_mark(row, &self.kinds, Kind::Anonymous, "anonymous"),
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Whoever has not reached the voting age, or is under 18 by date of birth, on the day of the theft.
fn is_child(row: &[String], kinds: &[Kind], day: Option<(i32, u32, u32)>) -> bool {
    row.iter()
        .zip(kinds)
        .any(|(value, kind)| match (kind, date(value), day) {
            // Without a day anybody with such a date counts: registers keep it for who has not reached it.
            (Kind::Attains, Some(_), None) => true,
            (Kind::Attains, Some(date), Some(day)) => date > day,
            (Kind::BirthDate, Some((year, month, date)), Some(day)) => (year + 18, month, date) > day,
            _ => false,
        })
}

fn has_mark(row: &[String], kinds: &[Kind], wanted: Kind, word: &str) -> bool {
    row.iter().zip(kinds).any(|(value, kind)| {
        let value = value.trim().to_lowercase();
        let says_yes = !matches!(value.as_str(), "" | "0" | "n" | "no" | "false" | "f" | "-");
        *kind == wanted && says_yes || matches!(kind, Kind::Other | Kind::Nationality) && value.contains(word)
    })
}

/// `1987-03-12`, `12/03/1987`, `12.03.1987`: year, month, day.
fn date(text: &str) -> Option<(i32, u32, u32)> {
    let parts: Vec<u32> = text
        .trim()
        .get(..10)?
        .split(['-', '/', '.'])
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (year, month, day) = match parts[..] {
        [year @ 1000..=9999, month, day] => (year, month, day),
        [day, month, year @ 1000..=9999] => (year, month, day),
        _ => return None,
    };
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then_some((i32::try_from(year).ok()?, month, day))
}

/// The age groups of the sample by decades; those of adults anywhere where it has no dates of birth.
fn bands(taken: &Taken<'_>) -> Vec<Band> {
    let Some(column) = taken
        .header
        .iter()
        .position(|name| kind_of(name) == Kind::BirthDate)
    else {
        return ADULTS.to_vec();
    };
    let mut decades: HashMap<i32, f64> = HashMap::new();
    let mut dated = 0.0;
    for row in taken.rows {
        if let Some((year, ..)) = row.get(column).and_then(|value| date(value)) {
            *decades.entry(year.div_euclid(10)).or_insert(0.0) += 1.0;
            dated += 1.0;
        }
    }
    if dated < 100.0 {
        return ADULTS.to_vec();
    }
    let mut decades: Vec<(i32, f64)> = decades.into_iter().collect();
    decades.sort_unstable_by_key(|(decade, _)| *decade);
    let band = |(_, count): &(i32, f64)| Band {
        years: 10.0,
        share: count / dated,
    };
    decades.iter().map(band).collect()
}

/// Of how many people, who are part of the register, records were taken.
fn people(taken: &Taken<'_>, all: u64) -> (u64, u64) {
    let part = |share: f64| (all as f64 * share.clamp(0.0, 1.0)).round() as u64;
    (part(taken.share.0), part(taken.share.1))
}

/// Bits told, of bits there are to tell.
fn bits(records: f64, k: f64) -> (f64, f64) {
    let all = records.max(1.0).log2();
    ((all - k.max(1.0).log2()).clamp(0.0, all), all)
}

fn weighted_median(mut sizes: Vec<(f64, f64)>) -> f64 {
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = sizes.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    for (size, weight) in sizes {
        sum += weight;
        if sum >= half {
            return size;
        }
    }
    1.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn register(people: u32) -> (Vec<String>, Vec<Vec<String>>) {
        let header = [
            "elector_no",
            "surname",
            "first_name",
            "postcode",
            "birth_date",
            "sex",
            "date_of_attainment",
            "franchise",
        ];
        // 12,000 people in each postcode; dates and sexes as a fixed scramble.
        let rows = (0..people)
            .map(|n| {
                // SplitMix64's finalisation: as good as chance.
                let mut scramble = (u64::from(n) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                scramble = (scramble ^ (scramble >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                scramble = (scramble ^ (scramble >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                scramble = (scramble ^ (scramble >> 31)) >> 8;
                let (year, month, day) = (
                    1930 + scramble % 70,
                    1 + scramble / 70 % 12,
                    1 + scramble / 840 % 28,
                );
                let attains = if n % 200 == 0 { "2027-03-01" } else { "" };
                let franchise = if n % 500 == 1 { "Overseas" } else { "" };
                let birth = format!("{year}-{month:02}-{day:02}");
                let name = format!("N{}", scramble % 5_000);
                let sex = if scramble / 23_520 % 2 == 0 { "F" } else { "M" };
                [
                    &n.to_string(),
                    &name,
                    "A",
                    &format!("P{}", n / 12_000),
                    &birth,
                    sex,
                    attains,
                    franchise,
                ]
                .map(str::to_owned)
                .to_vec()
            })
            .collect();
        (header.map(str::to_owned).to_vec(), rows)
    }

    #[test]
    fn what_is_counted_lies_within_what_is_estimated() {
        let (header, rows) = register(24_000);
        let whole = Taken {
            register: "the roll",
            records: 24_000,
            share: (0.31, 0.44),
            header: &header,
            rows: &rows,
            columns: &[],
            day: Some((2026, 11, 23)),
        };
        let exact = harm(&whole);
        let sampled: Vec<Vec<String>> = rows.iter().step_by(10).cloned().collect();
        let estimated = harm(&Taken {
            rows: &sampled,
            ..whole
        });
        let of = |harm: &Harm, columns: &str| {
            harm.singling
                .iter()
                .find(|one| one.columns == columns)
                .unwrap()
                .unique
                .clone()
        };
        let columns = "postcode, date of birth, sex";
        let (exact_share, range) = (of(&exact, columns), of(&estimated, columns));
        assert_eq!(exact_share.method, COUNTED);
        assert!(
            range.lower - 0.05 < exact_share.lower && exact_share.lower < range.upper + 0.05,
            "{exact_share:?} {range:?}"
        );
        assert_eq!(exact.people, (7_440, 10_560));
        assert!(exact.is_named && exact.joining.len() == 4, "{:?}", exact.joining);
        let children = exact.groups.iter().find(|group| group.name == CHILDREN).unwrap();
        assert_eq!(children.people, (37, 53));
        let overseas = exact.groups.iter().find(|group| group.name == OVERSEAS).unwrap();
        assert_eq!(overseas.people, (15, 21));
        assert_eq!(members(&whole)[0].1.len(), 120);
    }

    #[test]
    fn what_was_not_taken_singles_nobody_out() {
        let (header, rows) = register(2_400);
        let columns = ["postcode".to_owned(), "birth_date".to_owned()];
        let told = harm(&Taken {
            register: "the roll",
            records: 24_000,
            share: (1.0, 1.0),
            header: &header,
            rows: &rows,
            columns: &columns,
            day: None,
        });
        assert!(!told.is_named);
        let sets: Vec<&str> = told.singling.iter().map(|one| one.columns.as_str()).collect();
        assert_eq!(sets, ["postcode", "postcode, date of birth"]);
    }

    #[test]
    fn areas_alone_do_for_a_first_answer() {
        let cells = vec![8_000.0; 100];
        let told = from_cells("the roll", 800_000, (1.0, 1.0), &cells);
        let range = &told.singling[0].unique;
        assert!(range.lower > 0.5 && range.lower < range.upper, "{range:?}");
        assert!(told.singling[1].unique.lower > range.lower);
    }

    #[test]
    fn dates_in_three_orders() {
        for text in ["1987-03-12", "12/03/1987", "12.03.1987", "1987-03-12T00:00:00"] {
            assert_eq!(date(text), Some((1987, 3, 12)), "{text}");
        }
        for text in ["", "12 March 1987", "1987-13-12", "é1987-03-12"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
