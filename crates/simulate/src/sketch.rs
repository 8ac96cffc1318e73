//! The sketch of a text, as the facts have it. The detector's own sketch need not be equal to it; what must agree is
//! which texts are alike.

use blackrod_model::mail::{TextSketch, hash};

use crate::random::mix;

const MINIMA: usize = 32;
const LEAST_WORDS: usize = 12;

/// The sketch of what `texts` say.
pub(crate) fn of<'t>(texts: impl Iterator<Item = &'t str>, subject: &str) -> TextSketch {
    let words: Vec<u64> = texts.flat_map(str::split_whitespace).filter_map(word).collect();
    let mut sketch = TextSketch {
        words: u32::try_from(words.len()).unwrap_or(u32::MAX),
        subject: subject_hash(subject),
        ..TextSketch::default()
    };
    if words.len() < LEAST_WORDS {
        return sketch;
    }
    let mut minima = [u32::MAX; MINIMA];
    for triple in words.windows(3) {
        let shingle = triple
            .iter()
            .fold(0_u64, |state, word| state.rotate_left(21) ^ word);
        let shingle = mix(shingle, &[]);
        for (index, least) in minima.iter_mut().enumerate() {
            let odd = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(2 * index as u64 + 1) | 1;
            let permuted = ((shingle ^ odd).wrapping_mul(odd) >> 32) as u32;
            *least = permuted.min(*least);
        }
    }
    sketch.minima = minima.to_vec();
    sketch.topic = rarest(&words);
    sketch
}

/// The long words said most often, at most eight.
fn rarest(words: &[u64]) -> Vec<u64> {
    let mut counts: rustc_hash::FxHashMap<u64, usize> = rustc_hash::FxHashMap::default();
    for word in words.iter().filter(|word| *word & 15 >= 7) {
        *counts.entry(*word).or_default() += 1;
    }
    let mut ordered: Vec<(usize, u64)> = counts.into_iter().map(|(word, count)| (count, word)).collect();
    ordered.sort_unstable_by(|a, b| b.cmp(a));
    ordered.into_iter().take(8).map(|(_, word)| word).collect()
}

/// The hash of a word with its length in the last four bits; none for names and numbers.
fn word(text: &str) -> Option<u64> {
    let text = text.trim_matches(|character: char| !character.is_alphanumeric());
    let is_word = text.starts_with(char::is_lowercase)
        && !text.contains(|c: char| c.is_ascii_digit() || c == '/' || c == '@');
    is_word.then(|| {
        let state = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        (state << 4) | text.len().min(15) as u64
    })
}

fn subject_hash(subject: &str) -> u64 {
    let plain: String = subject
        .trim_start_matches("Re: ")
        .split_whitespace()
        .filter(|word| word.starts_with(char::is_lowercase))
        .collect();
    hash(&plain)
}
