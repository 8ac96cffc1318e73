//! Which audit records are repetitions, and which are missing.

use std::collections::BTreeMap;

use blackrod_model::{Position, Refusal};
use memchr::memmem;
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
            if let (Some(index), Some(count)) = (
                json_number(record, b"ResultIndex"),
                json_number(record, b"ResultCount"),
            ) {
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
        let Some(id) = record_id(record) else {
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

/// The record's `Id`, a GUID, whichever way its quotes are written: `"Id":"…"`, doubled in CSV, with a
/// backslash in a string. Members of members are no identifiers of the record.
fn record_id(record: &[u8]) -> Option<u64> {
    [&b"d\""[..], b"d\\\""]
        .iter()
        .find_map(|end| record_id_quoted(record, end))
}

/// The record's `Id`, where names end with `end`.
fn record_id_quoted(record: &[u8], end: &[u8]) -> Option<u64> {
    let mut from = 0;
    while let Some(found) = memmem::find(record.get(from..)?, end) {
        let name_end = from + found + 1;
        from = name_end;
        let name = record.get(..name_end)?;
        if matches!(name, [.., b'"', b'I' | b'i', b'd'])
            && let Some(id) = guid_after(record.get(name_end..)?)
            && is_outer_member(name)
        {
            return Some(id);
        }
    }
    None
}

/// The GUID in the string that follows a name's closing quote.
fn guid_after(rest: &[u8]) -> Option<u64> {
    let is_between = |byte: &u8| matches!(byte, b'"' | b'\\' | b':' | b' ' | b'\t');
    let start = rest.iter().take(12).position(|byte| !is_between(byte))?;
    let guid = rest.get(start..start + 36)?;
    let mut digits = 0_u128;
    for (index, byte) in guid.iter().enumerate() {
        match (index, byte) {
            (8 | 13 | 18 | 23, b'-') => {}
            (8 | 13 | 18 | 23, _) => return None,
            _ => digits = digits << 4 | u128::from(char::from(*byte).to_digit(16)?),
        }
    }
    // Both halves have bits that are the same for all GUIDs of a kind.
    Some((digits >> 64) as u64 ^ (digits as u64).rotate_left(17))
}

/// Whether what follows `before` stands in the record itself or in its `AuditData`, not in a list or an
/// object within: counted are braces outside of strings, of which the text within a string that is
/// itself JSON makes two layers.
fn is_outer_member(before: &[u8]) -> bool {
    let begin = memmem::rfind(before, b"AuditData").or_else(|| memmem::rfind(before, b"auditData"));
    let start = begin.or_else(|| memchr::memchr(b'{', before)).unwrap_or(0);
    let mut depth = 0_i32;
    let mut lists = 0_i32;
    for byte in before.get(start..).unwrap_or_default() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'[' => lists += 1,
            b']' => lists -= 1,
            _ => {}
        }
    }
    depth == 1 && lists == 0
}

/// The number that the member `name` of a JSON record has.
fn json_number(record: &[u8], name: &[u8]) -> Option<i64> {
    let found = memmem::find(record, name)?;
    let rest = record.get(found + name.len()..)?;
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
