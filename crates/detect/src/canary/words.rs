//! Text as digests of its words: lower case, without accents, whatever separates them.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// The secret that digests are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u64, u64);

impl Key {
    /// A new one, from what the system has for randomness.
    pub fn random() -> Self {
        use std::hash::BuildHasher as _;
        // The standard library keys each of these from the system.
        let part = || std::hash::RandomState::new().hash_one(std::time::SystemTime::now());
        Self(part(), part())
    }

    /// A key as [`Key::to_hex`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (left, right) = text.split_at_checked(16)?;
        let is_whole = text.len() == 32;
        let part = |digits: &str| u64::from_str_radix(digits, 16).ok();
        is_whole.then_some(Self(part(left)?, part(right)?))
    }

    /// 32 hexadecimal digits.
    pub fn to_hex(self) -> String {
        format!("{:016x}{:016x}", self.0, self.1)
    }

    /// The digest of a word that is in lower case and without accents.
    pub(super) fn word(self, word: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write(word);
        hasher.finish()
    }

    /// A number that follows from the key and `number`.
    pub(super) fn draw(self, number: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.1, self.0);
        hasher.write_u64(number);
        hasher.finish()
    }

    /// Calls `visit` with the digest of each word of `text`.
    pub(super) fn each_word(self, text: &str, visit: &mut dyn FnMut(u64)) {
        let mut folded = [0_u8; LONGEST];
        for word in text.split(|character: char| !character.is_alphanumeric()) {
            if word.is_empty() || word.len() > LONGEST {
                continue;
            }
            if word.is_ascii() {
                let Some(into) = folded.get_mut(..word.len()) else {
                    continue;
                };
                into.copy_from_slice(word.as_bytes());
                into.make_ascii_lowercase();
                visit(self.word(into));
            } else {
                visit(self.word(fold(word).as_bytes()));
            }
        }
    }

    /// The words of a value of a record, with their digests.
    pub(super) fn words_of(self, text: &str) -> Vec<(String, u64)> {
        text.split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty() && word.len() <= LONGEST)
            .map(|word| {
                let folded = fold(word);
                let digest = self.word(folded.as_bytes());
                (folded, digest)
            })
            .collect()
    }
}

/// Longer words are none of a person's record.
const LONGEST: usize = 64;

/// The digest of two words, whichever comes first.
pub(super) const fn pair(left: u64, right: u64) -> u64 {
    let (low, high) = if left < right {
        (left, right)
    } else {
        (right, left)
    };
    // Finalisation of MurmurHash3: the digests are keyed already.
    let mut mixed = low ^ high.rotate_left(32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^= mixed >> 33;
    mixed = mixed.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    mixed ^ (mixed >> 33)
}

/// A word in lower case and without accents.
pub(super) fn fold(word: &str) -> String {
    word.nfkd()
        .filter(|character| !is_combining_mark(*character))
        .flat_map(char::to_lowercase)
        .collect()
}
