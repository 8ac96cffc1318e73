//! All words of all uses, searched for at once.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
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
            .kind(Some(AhoCorasickKind::DFA))
            .build(words.iter().map(|(_, word)| word))?;
        Ok(Self(Some(automaton)))
    }

    /// The numbers of the words in `text`, in order.
    pub(super) fn found_in(&self, text: &str) -> Vec<usize> {
        let Some(automaton) = &self.0 else {
            return Vec::new();
        };
        let mut found: Vec<usize> = Vec::new();
        for hit in automaton.find_overlapping_iter(text) {
            let id = hit.pattern().as_usize();
            // A blank, say, is found again and again.
            if found.last() != Some(&id) {
                found.push(id);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
