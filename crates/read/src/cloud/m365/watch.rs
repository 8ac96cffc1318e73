//! Which audit records are repetitions, and which are missing.

use std::collections::BTreeMap;

use blackrod_model::{Position, Refusal};
use memchr::memmem::{Finder, FinderRev};
use memchr::{memchr, memchr2_iter};
use rustc_hash::FxHashSet;

use crate::generic::{csv, rows};
use crate::watch::Watch;

/// Looks on while an export is cut into records.
pub(super) struct UalWatch {
    ids: Ids,
    repeated: u64,
    first_repeated: Position,
    searches: Searches,
    /// Where a table has `ResultIndex` and `ResultCount`.
    numbered: Option<(usize, usize)>,
    is_table: bool,
    delimiter: u8,
    words: Words,
}

impl UalWatch {
    pub(super) fn new(is_table: bool) -> Self {
        Self {
            ids: Ids::default(),
            repeated: 0,
            first_repeated: Position::START,
            searches: Searches::default(),
            numbered: None,
            is_table,
            delimiter: b',',
            words: Words::new(),
        }
    }

    /// Tells what was found out.
    pub(super) fn report(self, refusals: &mut Vec<Refusal>) {
        if self.repeated > 0 {
            refusals.push(Refusal {
                at: self.first_repeated,
                records: self.repeated,
                reason: "the same record again: its Id was met before in this evidence".to_owned(),
            });
        }
        if self.ids.forgotten {
            refusals.push(note(format!(
                "repetitions are known among {MOST_IDS} records that follow each other, not further apart"
            )));
        }
        self.searches.report(refusals);
    }

    fn number(&mut self, record: &[u8]) {
        if !self.is_table {
            if let Some(index) = json_number(record, &self.words.result_index)
                && let Some(count) = json_number(record, &self.words.result_count)
            {
                self.searches.found(index, count);
            }
            return;
        }
        let Some((index, count)) = self.numbered else {
            return;
        };
        let number = |wanted: usize| {
            let cell = rows::cell(record, self.delimiter, wanted)?;
            std::str::from_utf8(cell)
                .ok()?
                .trim_matches('"')
                .trim()
                .parse()
                .ok()
        };
        if let (Some(index), Some(count)) = (number(index), number(count)) {
            self.searches.found(index, count);
        }
    }
}

impl Watch for UalWatch {
    fn header(&mut self, line: &[u8], delimiter: u8) {
        self.delimiter = delimiter;
        let Some((names, _)) = csv::header(line) else {
            return;
        };
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        self.numbered = place("ResultIndex").zip(place("ResultCount"));
    }

    fn record(&mut self, record: &[u8], at: Position) -> bool {
        self.number(record);
        let Some(id) = self.words.record_id(record) else {
            return true;
        };
        if self.ids.insert(id) {
            return true;
        }
        if self.repeated == 0 {
            self.first_repeated = at;
        }
        self.repeated += 1;
        false
    }
}

/// Identifiers remembered before the older half of them is forgotten: about 40 MB.
const MOST_IDS: usize = 2_000_000;

/// The identifiers of records met so far, by 64 of their 122 random bits: among ten million records
/// the chance that two share them is below one in 300,000.
#[derive(Default)]
struct Ids {
    newer: FxHashSet<u64>,
    older: FxHashSet<u64>,
    forgotten: bool,
}

impl Ids {
    /// False if it was met before.
    fn insert(&mut self, id: u64) -> bool {
        if self.older.contains(&id) || !self.newer.insert(id) {
            return false;
        }
        if self.newer.len() >= MOST_IDS / 2 {
            self.forgotten |= !self.older.is_empty();
            self.older = std::mem::take(&mut self.newer);
        }
        true
    }
}

/// So many identifiers of a record are tried, as each costs a look at all before it.
const MOST_CANDIDATES: usize = 64;

/// What is looked for in every record.
struct Words {
    /// How names end, whichever way their quotes are written: `"Id":"…"`, doubled in CSV, with a backslash in a string.
    ends_of_id: [Finder<'static>; 2],
    result_index: Finder<'static>,
    result_count: Finder<'static>,
    audit_data: Finder<'static>,
    last_audit_data: [FinderRev<'static>; 2],
}

impl Words {
    fn new() -> Self {
        Self {
            ends_of_id: [Finder::new(b"d\""), Finder::new(b"d\\\"")],
            result_index: Finder::new(b"ResultIndex"),
            result_count: Finder::new(b"ResultCount"),
            audit_data: Finder::new(b"uditData"),
            last_audit_data: [FinderRev::new(b"AuditData"), FinderRev::new(b"auditData")],
        }
    }

    /// The record's `Id`, a GUID. Members of members are no identifiers of the record.
    fn record_id(&self, record: &[u8]) -> Option<u64> {
        self.ends_of_id.iter().find_map(|end| {
            let ends = end.find_iter(record).map(|found| found + 1);
            let ids = ends.filter_map(|end| {
                let (name, rest) = record.split_at_checked(end)?;
                let is_id = matches!(name, [.., b'"', b'I' | b'i', b'd']);
                Some((name, is_id.then(|| guid_after(rest)).flatten()?))
            });
            ids.take(MOST_CANDIDATES)
                .find_map(|(name, id)| self.is_outer_member(name).then_some(id))
        })
    }

    /// Whether what follows `before` stands in the record itself or in its `AuditData`, not in a list or an object
    /// within: counted are braces outside of strings, of which the text within a string that is itself JSON makes two
    /// layers.
    fn is_outer_member(&self, before: &[u8]) -> bool {
        let begin = self.audit_data.find(before).and_then(|_| {
            let mut last = self.last_audit_data.iter();
            last.find_map(|word| word.rfind(before))
        });
        let start = begin.or_else(|| memchr(b'{', before)).unwrap_or(0);
        let since = before.get(start..).unwrap_or_default();
        let depth = |open: u8, close: u8| {
            let places = memchr2_iter(open, close, since);
            places.fold(0_i64, |depth, place| match since.get(place) {
                Some(byte) if *byte == open => depth + 1,
                _ => depth - 1,
            })
        };
        depth(b'{', b'}') == 1 && depth(b'[', b']') == 0
    }
}

/// The GUID in the string that follows a name's closing quote.
fn guid_after(rest: &[u8]) -> Option<u64> {
    let is_between = |byte: &u8| matches!(byte, b'"' | b'\\' | b':' | b' ' | b'\t');
    let start = rest.iter().take(12).position(|byte| !is_between(byte))?;
    let guid = rest.get(start..)?.first_chunk::<36>()?;
    if [8, 13, 18, 23].iter().any(|at| guid.get(*at) != Some(&b'-')) {
        return None;
    }
    // Both halves have bits that are the same for all GUIDs of a kind.
    let high = hexadecimal(&[&guid[..8], &guid[9..13], &guid[14..18]])?;
    let low = hexadecimal(&[&guid[19..23], &guid[24..]])?;
    Some(high ^ low.rotate_left(17))
}

/// Groups of hexadecimal digits as one number.
fn hexadecimal(groups: &[&[u8]]) -> Option<u64> {
    let mut number = 0_u64;
    let mut seen = 0;
    for byte in groups.iter().copied().flatten() {
        let digit = DIGITS[usize::from(*byte)];
        seen |= digit;
        number = number << 4 | u64::from(digit);
    }
    (seen < 16).then_some(number)
}

/// What each byte is worth as a hexadecimal digit: 255 where it is none.
static DIGITS: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digits[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

/// The number that the member `name` of a JSON record has.
fn json_number(record: &[u8], name: &Finder<'_>) -> Option<i64> {
    let found = name.find(record)?;
    let rest = record.get(found + name.needle().len()..)?;
    let is_between = |byte: &u8| matches!(byte, b'"' | b':' | b' ' | b'\t');
    let start = rest.iter().take(8).position(|byte| !is_between(byte))?;
    let digits = rest.get(start..)?;
    let length = digits
        .iter()
        .take(12)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'-')
        .count();
    std::str::from_utf8(digits.get(..length)?).ok()?.parse().ok()
}

/// The searches whose results an export holds. Results carry their number and how many there are;
/// searches that found equally many cannot be told apart and are taken for one, so that what is said
/// to be missing is missing in all of them.
#[derive(Default)]
struct Searches {
    found: BTreeMap<i64, Vec<u64>>,
    failed: u64,
    /// There were more searches, or larger ones, than are kept.
    beyond: bool,
}

/// The service returns at most 50,000 results for one search.
const MOST_RESULTS: i64 = 1 << 20;
const MOST_SEARCHES: usize = 256;

impl Searches {
    fn found(&mut self, index: i64, count: i64) {
        if index <= 0 || count <= 0 {
            self.failed += 1;
            return;
        }
        let is_new = !self.found.contains_key(&count);
        if count > MOST_RESULTS || index > count || is_new && self.found.len() >= MOST_SEARCHES {
            self.beyond = true;
            return;
        }
        let bits = self.found.entry(count).or_default();
        // Both fit: they were compared with MOST_RESULTS.
        let (word, bit) = ((index - 1) as usize / 64, (index - 1) % 64);
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        if let Some(word) = bits.get_mut(word) {
            *word |= 1 << bit;
        }
    }

    fn report(self, refusals: &mut Vec<Refusal>) {
        let mut missing = 0;
        let mut of = 0;
        let mut incomplete = 0_u32;
        for (count, bits) in &self.found {
            let present: i64 = bits.iter().map(|word| i64::from(word.count_ones())).sum();
            if present < *count {
                missing += count - present;
                of += count;
                incomplete += 1;
            }
        }
        if missing > 0 {
            refusals.push(note(format!(
                "missing evidence: {missing} of {of} results of {incomplete} searches of the audit log are not \
                 in this export (ResultIndex, ResultCount)"
            )));
        }
        if self.failed > 0 {
            refusals.push(note(format!(
                "missing evidence: {} rows come from searches that the service did not complete (ResultIndex \
                 or ResultCount is not above 0)",
                self.failed
            )));
        }
        if self.beyond {
            refusals.push(note(
                "some ResultIndex or ResultCount make no sense; what is missing cannot be told in full"
                    .to_owned(),
            ));
        }
    }
}

fn note(reason: String) -> Refusal {
    Refusal {
        at: Position::START,
        records: 0,
        reason,
    }
}
