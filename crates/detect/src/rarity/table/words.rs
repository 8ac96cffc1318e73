//! All words of all uses, searched for at once.

use aho_corasick::{AhoCorasick, MatchKind};
use rustc_hash::FxHashMap;

use super::TableError;

/// All words of all uses, searched for at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Option<AhoCorasick>);

impl Words {
    pub(super) fn new(ids: FxHashMap<String, usize>) -> Result<Self, TableError> {
        let mut words: Vec<(usize, String)> = ids.into_iter().map(|(word, id)| (id, word)).collect();
        words.sort_unstable();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(words.iter().map(|(_, word)| word))?;
        Ok(Self(Some(automaton)))
    }

    pub(super) fn found_in(&self, text: &str) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        let Some(automaton) = &self.0 else {
            return found;
        };
        for hit in automaton.find_overlapping_iter(text) {
            let id = hit.pattern().as_usize();
            if !found.contains(&id) {
                found.push(id);
            }
        }
        found
    }
}
