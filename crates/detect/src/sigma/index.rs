//! From what is in an event to the rules that may match it.

use aho_corasick::{AhoCorasick, MatchKind, packed};
use rustc_hash::FxHashMap;

use super::event::Slots;
use super::gate::{Atom, Gate};
use super::names::FieldId;

/// Finds candidates among some rules. May name a rule that does not match; never misses one that does.
#[derive(Debug, Default)]
pub(super) struct Index {
    exact: FxHashMap<FieldId, FxHashMap<Box<str>, Box<[u32]>>>,
    contains: FxHashMap<FieldId, Literals>,
    present: FxHashMap<FieldId, Box<[u32]>>,
    keywords: Option<Keywords>,
    /// Rules of which nothing is known.
    always: Box<[u32]>,
}

/// Literals and the rules behind each.
#[derive(Debug)]
struct Literals {
    automaton: AhoCorasick,
    rules: Vec<Box<[u32]>>,
}

/// Literals looked for in everything that an event says.
#[derive(Debug)]
struct Keywords {
    /// Says quickly that none of them occurs, which is nearly always so. `None` where there are too
    /// many for vector instructions or the processor has none.
    scout: Option<packed::Searcher>,
    literals: Literals,
}

/// A set of small numbers that remembers the order of nothing and is emptied quickly.
#[derive(Debug, Default)]
pub(super) struct Marks {
    words: Vec<u64>,
    touched: Vec<u32>,
}

impl Marks {
    fn add_all(&mut self, numbers: &[u32]) {
        for &number in numbers {
            let word = number / 64;
            if self.words.len() <= word as usize {
                self.words.resize(word as usize + 1, 0);
            }
            let slot = &mut self.words[word as usize];
            if *slot == 0 {
                self.touched.push(word);
            }
            *slot |= 1 << (number % 64);
        }
    }

    /// Whether nothing is marked.
    pub(super) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// Hands out the numbers, smallest first, and leaves the set empty.
    pub(super) fn drain(&mut self, mut visit: impl FnMut(u32)) {
        self.touched.sort_unstable();
        for word in self.touched.drain(..) {
            let mut bits = std::mem::take(&mut self.words[word as usize]);
            while bits != 0 {
                visit(word * 64 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
    }
}

impl Index {
    /// An index of numbered rules by their gates.
    pub(super) fn build<'a>(gates: impl Iterator<Item = (u32, &'a Gate)>) -> Self {
        let mut exact: FxHashMap<FieldId, FxHashMap<Box<str>, Vec<u32>>> = FxHashMap::default();
        let mut contains: FxHashMap<FieldId, FxHashMap<&str, Vec<u32>>> = FxHashMap::default();
        let mut present: FxHashMap<FieldId, Vec<u32>> = FxHashMap::default();
        let mut keywords: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
        let mut always = Vec::new();
        for (rule, gate) in gates {
            let Some(atoms) = gate else {
                always.push(rule);
                continue;
            };
            for atom in atoms {
                match atom {
                    Atom::Exact(field, text) => exact
                        .entry(*field)
                        .or_default()
                        .entry(text.as_str().into())
                        .or_default()
                        .push(rule),
                    Atom::Contains(field, literal) => contains
                        .entry(*field)
                        .or_default()
                        .entry(literal)
                        .or_default()
                        .push(rule),
                    Atom::Present(field) => present.entry(*field).or_default().push(rule),
                    Atom::Keyword(literal) => keywords.entry(literal).or_default().push(rule),
                }
            }
        }
        let mut index = Self {
            exact: exact
                .into_iter()
                .map(|(field, texts)| {
                    let texts = texts.into_iter().map(|(text, rules)| (text, rules.into()));
                    (field, texts.collect())
                })
                .collect(),
            present: present
                .into_iter()
                .map(|(field, rules)| (field, rules.into()))
                .collect(),
            ..Self::default()
        };
        for (field, literals) in contains {
            match Literals::build(&literals) {
                Some(built) => {
                    index.contains.insert(field, built);
                }
                None => always.extend(literals.into_values().flatten()),
            }
        }
        if !keywords.is_empty() {
            index.keywords = Keywords::build(&keywords);
            if index.keywords.is_none() {
                always.extend(keywords.into_values().flatten());
            }
        }
        index.always = always.into();
        index
    }

    /// Whether there is nothing in it that looks at named fields.
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.contains.is_empty() && self.present.is_empty() && self.always.is_empty()
    }

    /// Marks the rules that the named fields of an event call for.
    pub(super) fn mark(&self, slots: &Slots, marks: &mut Marks) {
        marks.add_all(&self.always);
        for &field in slots.filled() {
            if let Some(rules) = self.present.get(&field) {
                marks.add_all(rules);
            }
            let exact = self.exact.get(&field);
            let contains = self.contains.get(&field);
            if exact.is_none() && contains.is_none() {
                continue;
            }
            for text in slots.lower(field) {
                if let Some(rules) = exact.and_then(|texts| texts.get(text)) {
                    marks.add_all(rules);
                }
                if let Some(literals) = contains {
                    literals.mark(text, marks);
                }
            }
        }
    }

    /// Marks the rules that some text of an event calls for; `texts` are all of them in lower case,
    /// one after the other.
    pub(super) fn mark_keywords(&self, texts: &str, marks: &mut Marks) {
        let Some(keywords) = &self.keywords else {
            return;
        };
        let may_match = keywords
            .scout
            .as_ref()
            .is_none_or(|scout| scout.find(texts).is_some());
        if may_match {
            keywords.literals.mark(texts, marks);
        }
    }

    /// Whether there are rules that [`Index::mark_keywords`] can mark.
    pub(super) fn has_keywords(&self) -> bool {
        self.keywords.is_some()
    }
}

impl Keywords {
    /// `None` if there are too many for one automaton.
    fn build(literals: &FxHashMap<&str, Vec<u32>>) -> Option<Self> {
        let scout = packed::Config::new().builder().extend(literals.keys()).build();
        Some(Self {
            scout,
            literals: Literals::build(literals)?,
        })
    }
}

impl Literals {
    /// `None` if there are too many for one automaton.
    fn build(literals: &FxHashMap<&str, Vec<u32>>) -> Option<Self> {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(literals.keys())
            .ok()?;
        let rules = literals.values().map(|rules| rules.clone().into()).collect();
        Some(Self { automaton, rules })
    }

    fn mark(&self, text: &str, marks: &mut Marks) {
        for found in self.automaton.find_overlapping_iter(text) {
            if let Some(rules) = self.rules.get(found.pattern().as_usize()) {
                marks.add_all(rules);
            }
        }
    }
}
