//! Inventing electors that look like those of a register.

use std::collections::HashSet;

use super::words::{Key, fold, pair};
use super::{Mark, Marks};

/// Fewer rows than this say too little of what a register looks like.
const LEAST_ROWS: usize = 100;

/// So many bits are enough: one real person of 70 thousand million would look the same.
const ENOUGH_BITS: f32 = 36.0;
/// Or so much of what a whole record tells, where the sample is too small to tell more.
const ENOUGH_OF_ALL: f32 = 0.75;
/// A number of the register that nobody else has.
const NUMBER_BITS: f32 = 28.0;

/// Why nothing could be invented.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MakeError {
    /// The sample is too small.
    #[error("the sample has {0} rows; {LEAST_ROWS} at least are needed to invent others that look like them")]
    TooFew(usize),
    /// No columns with names of people.
    #[error(
        "no column of the sample holds {0}; its header should say so (surname, last name, family name; first name, \
         given name, forename)"
    )]
    NoNames(&'static str),
    /// The names of the sample do not make as many new people.
    #[error("the names of the sample make only {0} people who are not in it; take a larger sample")]
    TooAlike(usize),
}

/// Invented electors.
#[derive(Debug)]
pub struct Invented {
    /// In the columns of the sample.
    pub records: Vec<Vec<String>>,
    /// What they are recognised by.
    pub marks: Marks,
    /// Columns that were left empty, because what they hold would reach a real person.
    pub left_empty: Vec<String>,
}

/// Invents `count` electors that look like `sample`, whose columns `header` names: names, places and dates are those of
/// different rows, put together so that no person of the sample comes out. Numbers of the register are drawn from
/// `numbers`. What comes out follows from `key` and `copy`.
///
/// # Errors
///
/// [`MakeError`] when the sample does not do.
pub fn invent(
    header: &[String],
    sample: &[Vec<String>],
    (register, copy): (&str, &str),
    count: u32,
    numbers: Option<(u64, u64)>,
    key: Key,
) -> Result<Invented, MakeError> {
    if sample.len() < LEAST_ROWS {
        return Err(MakeError::TooFew(sample.len()));
    }
    let kinds: Vec<Kind> = header
        .iter()
        .enumerate()
        .map(|(index, name)| Kind::of(name, index, sample))
        .collect();
    let column = |wanted: Kind| kinds.iter().position(|kind| *kind == wanted);
    let last = column(Kind::Surname).ok_or(MakeError::NoNames("surnames"))?;
    let first = column(Kind::FirstName).ok_or(MakeError::NoNames("first names"))?;
    let cell = |row: &[String], index: usize| row.get(index).cloned().unwrap_or_default();
    let mut taken: HashSet<(String, String)> = sample
        .iter()
        .map(|row| (cell(row, last).to_lowercase(), cell(row, first).to_lowercase()))
        .collect();
    let mut draws = Draws {
        key,
        next: copy.bytes().fold(1_u64, |sum, byte| {
            sum.wrapping_mul(257).wrapping_add(u64::from(byte))
        }) << 24,
    };
    let mut records = Vec::new();
    let mut canaries = Vec::new();
    let mut failures = 0_u32;
    while records.len() < count as usize {
        let mut row = || {
            sample
                .get(draws.below(sample.len()))
                .map_or(&[][..], Vec::as_slice)
        };
        let (surname, given, place, birth) = (cell(row(), last), cell(row(), first), row(), row());
        let name = (surname.to_lowercase(), given.to_lowercase());
        if surname.len() < 2 || given.len() < 2 || !taken.insert(name) {
            failures += 1;
            if failures > 1_000 + count * 20 {
                return Err(MakeError::TooAlike(records.len()));
            }
            continue;
        }
        let record: Vec<String> = kinds
            .iter()
            .enumerate()
            .map(|(index, kind)| match kind {
                Kind::Surname => surname.clone(),
                Kind::FirstName => given.clone(),
                Kind::Number => match numbers {
                    Some((from, to)) => (from + draws.draw() % (to.saturating_sub(from) + 1)).to_string(),
                    None => changed_digits(&cell(place, index), &mut draws),
                },
                Kind::Date => other_day(&cell(birth, index), &mut draws),
                Kind::Reaches => String::new(),
                Kind::Place => cell(place, index),
            })
            .collect();
        let rarity = Rarity {
            sample,
            own_numbers: numbers.is_some(),
        };
        canaries.extend(mark(&record, &kinds, (last, first), key, canaries.len(), &rarity));
        records.push(record);
    }
    let empty = kinds
        .iter()
        .zip(header)
        .filter(|(kind, _)| **kind == Kind::Reaches);
    Ok(Invented {
        records,
        marks: Marks {
            register: register.to_owned(),
            copy: copy.to_owned(),
            canaries,
        },
        left_empty: empty.map(|(_, name)| name.clone()).collect(),
    })
}

/// The chance that a leak of a share `leaked` of a copy holds at least one of `count` canaries: 1 − (1 − f)^N.
pub fn detection(count: u32, leaked: f64) -> f64 {
    1.0 - (1.0 - leaked.clamp(0.0, 1.0)).powi(i32::try_from(count).unwrap_or(i32::MAX))
}

fn mark(
    record: &[String],
    kinds: &[Kind],
    (last, first): (usize, usize),
    key: Key,
    number: usize,
    rarity: &Rarity<'_>,
) -> Option<Mark> {
    // Of "van der Berg" and "Anna Maria" the words that stand nearest to each other in both orders.
    let surname = key.words_of(record.get(last)?).last()?.clone();
    let given = key.words_of(record.get(first)?).first()?.clone();
    let name_bits = rarity.bits(last, &surname.0) + rarity.bits(first, &given.0);
    let mut others: Vec<(u64, f32)> = Vec::new();
    let mut own = None;
    for (index, (value, kind)) in record.iter().zip(kinds).enumerate() {
        if index == last || index == first {
            continue;
        }
        for (word, digest) in key.words_of(value) {
            let bits = match kind {
                Kind::Number if rarity.own_numbers => NUMBER_BITS,
                _ => rarity.bits(index, &word),
            };
            if *kind == Kind::Number {
                own.get_or_insert(digest);
            }
            if bits > 0.5 && !others.iter().any(|(known, _)| *known == digest) {
                others.push((digest, bits));
            }
        }
    }
    let all: f32 = name_bits + others.iter().map(|(_, bits)| bits).sum::<f32>();
    Some(Mark {
        number: u32::try_from(number + 1).ok()?,
        name: pair(surname.1, given.1),
        name_bits,
        needed: ENOUGH_BITS.min(ENOUGH_OF_ALL * all),
        key: own,
        others,
    })
}

/// How rare words are in the sample.
struct Rarity<'s> {
    sample: &'s [Vec<String>],
    /// The canaries' numbers are nobody else's.
    own_numbers: bool,
}

impl Rarity<'_> {
    /// Bits: 0 for a word that every row has in this column, at most the logarithm of the sample's size.
    fn bits(&self, column: usize, word: &str) -> f32 {
        let has = |row: &&Vec<String>| {
            row.get(column).is_some_and(|value| {
                value
                    .split(|character: char| !character.is_alphanumeric())
                    .any(|own| fold(own) == word)
            })
        };
        let rows = self.sample.iter().filter(has).count().max(1);
        (self.sample.len() as f32 / rows as f32).log2()
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Surname,
    FirstName,
    Number,
    Date,
    /// A mail address or a telephone number: an invented one may be somebody's.
    Reaches,
    /// All that belongs together: street, town, ward, and whatever else.
    Place,
}

impl Kind {
    fn of(name: &str, index: usize, sample: &[Vec<String>]) -> Self {
        let name = name.to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let values = || {
            sample
                .iter()
                .filter_map(|row| row.get(index))
                .map(|value| value.trim())
        };
        if says(&["surname", "last_name", "lastname", "last name", "family"]) {
            return Self::Surname;
        }
        if says(&["first", "given", "forename"]) {
            return Self::FirstName;
        }
        if says(&["mail", "phone", "mobile"]) {
            return Self::Reaches;
        }
        let filled = values().filter(|value| !value.is_empty()).count();
        let mostly = |is: fn(&str) -> bool| {
            filled > 0 && values().filter(|value| is(value)).count() * 10 >= filled * 9
        };
        let different: HashSet<&str> = values().collect();
        if mostly(is_date) {
            return Self::Date;
        }
        let is_own = different.len() * 10 >= sample.len() * 9;
        if is_own
            && mostly(|value| value.bytes().any(|byte| byte.is_ascii_digit()) && !value.contains(' '))
            && says(&["no", "number", "id", "key", "ref"])
        {
            return Self::Number;
        }
        Self::Place
    }
}

/// Two separators of one kind between three numbers.
fn is_date(value: &str) -> bool {
    let separated = |separator: char| {
        let parts: Vec<&str> = value.split(separator).collect();
        parts.len() == 3
            && parts
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    value.len() <= 10 && ['-', '/', '.'].into_iter().any(separated)
}

/// The same month with another day: the shorter outer part of a date is its day.
fn other_day(value: &str, draws: &mut Draws) -> String {
    let Some(separator) = ['-', '/', '.']
        .into_iter()
        .find(|separator| value.contains(*separator))
    else {
        return value.to_owned();
    };
    let mut parts: Vec<String> = value.split(separator).map(str::to_owned).collect();
    let day = format!("{:02}", 1 + draws.below(28));
    let is_year_first = parts.first().is_some_and(|part| part.len() == 4);
    let index = if is_year_first { 2 } else { 0 };
    if let Some(part) = parts.get_mut(index) {
        *part = day;
    }
    parts.join(&separator.to_string())
}

/// The same pattern with other digits at the end.
fn changed_digits(value: &str, draws: &mut Draws) -> String {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let kept = digits.saturating_sub(3);
    let mut met = 0;
    value
        .chars()
        .map(|character| {
            if !character.is_ascii_digit() {
                return character;
            }
            met += 1;
            match met > kept {
                true => char::from(b'0' + (draws.below(10) as u8)),
                false => character,
            }
        })
        .collect()
}

/// Numbers that follow from the key.
struct Draws {
    key: Key,
    next: u64,
}

impl Draws {
    fn draw(&mut self) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.key.draw(self.next)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.draw() % (limit.max(1) as u64)).unwrap_or(0)
    }
}
