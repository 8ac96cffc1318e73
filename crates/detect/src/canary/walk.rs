//! Names of canaries among the words of a text, and what stands around them.

use std::collections::{BTreeMap, VecDeque};

use super::Mark;
use super::search::Set;
use super::words::pair;

/// A first name and a surname may stand so many words apart: tags of a table stand between them.
const APART: usize = 3;
/// So many words before and after a name may belong to its record.
const AROUND: usize = 24;
/// So many times as much is needed where words on other lines count.
const OTHER_LINES: f32 = 1.4;

/// A canary that was seen.
pub(super) struct Sighting {
    pub(super) number: u32,
    pub(super) place: String,
}

/// Goes through the words of one record or file.
pub(super) struct Walk<'w> {
    set: &'w Set,
    is_read: bool,
    seen: &'w mut BTreeMap<usize, Sighting>,
    place: &'w str,
    /// The number of the line that is gone through.
    line: u64,
    /// The last words with their lines, the latest last.
    words: VecDeque<(u64, u64)>,
    open: Vec<Named>,
}

/// A name that was seen, while the words around it are gone through.
struct Named {
    index: usize,
    line: u64,
    /// Words still to come.
    left: usize,
    /// Words of its record that were there, and whether on its line.
    around: BTreeMap<u64, bool>,
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        set: &'w Set,
        is_read: bool,
        seen: &'w mut BTreeMap<usize, Sighting>,
        place: &'w str,
    ) -> Self {
        Self {
            set,
            is_read,
            seen,
            place,
            line: 0,
            words: VecDeque::with_capacity(AROUND + 1),
            open: Vec::new(),
        }
    }

    /// Goes on with a text. Its lines, the rows of an SQL statement and of a page's table are lines.
    pub(super) fn text(&mut self, text: &str) {
        let key = self.set.key;
        for (number, line) in text.split(['\n', '\r']).enumerate() {
            for (inner, row) in line.split("),").flat_map(|part| part.split("<tr")).enumerate() {
                self.line += u64::from(number + inner > 0);
                key.each_word(row, &mut |word| self.word(word));
            }
        }
    }

    fn word(&mut self, word: u64) {
        let mut open = std::mem::take(&mut self.open);
        open.retain_mut(|named| {
            named.left -= 1;
            self.note(named, word, self.line);
            let is_over = named.left == 0;
            if is_over {
                self.judge(named);
            }
            !is_over
        });
        self.open = open;
        for (before, _) in self.words.iter().rev().take(APART) {
            let Some(found) = self.set.by_name.get(&pair(*before, word)) else {
                continue;
            };
            for index in found {
                let mut named = Named {
                    index: *index,
                    line: self.line,
                    left: AROUND,
                    around: BTreeMap::new(),
                };
                for (word, line) in &self.words {
                    self.note(&mut named, *word, *line);
                }
                self.open.push(named);
            }
        }
        if self.is_read
            && let Some(index) = self.set.by_key.get(&word).copied()
        {
            self.sight(index);
        }
        if self.words.len() == AROUND {
            self.words.pop_front();
        }
        self.words.push_back((word, self.line));
    }

    /// Notes a word near a name, where it is one of the record's.
    fn note(&self, named: &mut Named, word: u64, line: u64) {
        let is_own = self
            .set
            .marks
            .get(named.index)
            .is_some_and(|(_, mark)| mark.bits(word).is_some());
        if is_own {
            *named.around.entry(word).or_insert(false) |= line == named.line;
        }
    }

    pub(super) fn finish(mut self) {
        for named in std::mem::take(&mut self.open) {
            self.judge(&named);
        }
    }

    fn judge(&mut self, named: &Named) {
        let Some((_, mark)) = self.set.marks.get(named.index) else {
            return;
        };
        let bits = |own_line_only: bool| -> f32 {
            let words = named
                .around
                .iter()
                .filter(|(_, on_line)| **on_line || !own_line_only);
            mark.name_bits + words.filter_map(|(word, _)| mark.bits(*word)).sum::<f32>()
        };
        // Lines around may be other people's: words that only stand there say less.
        if bits(true) >= mark.needed || bits(false) >= mark.needed * OTHER_LINES {
            self.sight(named.index);
        }
    }

    fn sight(&mut self, index: usize) {
        let Some((_, mark)) = self.set.marks.get(index) else {
            return;
        };
        self.seen.entry(index).or_insert_with(|| Sighting {
            number: mark.number,
            place: self.place.to_owned(),
        });
    }
}

impl Mark {
    /// How much a word tells that is in the record.
    fn bits(&self, word: u64) -> Option<f32> {
        let found = self.others.iter().find(|(own, _)| *own == word)?;
        Some(found.1)
    }
}
