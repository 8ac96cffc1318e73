//! Verdicts that are remembered.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use blackrod_model::Value;
use rustc_hash::FxHashMap;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::names::FieldId;

/// Remembers which rules matched an event, by the values of all fields that those rules read, so
/// that a log that says the same thing a thousand times is matched once.
///
/// The key is a 128-bit SipHash-1-3 under a secret of this process: two different events have the
/// same key with a probability of 2^-128, and who writes logs cannot aim for it. Apart from that
/// the verdict is exact, since the rules read nothing else. A place holds one verdict; a newer one
/// takes it over, so memory is bounded.
#[derive(Debug)]
pub(super) struct Memo {
    hasher: SipHasher13,
    places: Vec<Place>,
    /// Sets of members that matched, each once; the first is empty.
    verdicts: Vec<Box<[u32]>>,
    numbers: FxHashMap<Box<[u32]>, u32>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    key: u128,
    verdict: u32,
}

/// Nothing is stored in this place.
const EMPTY: u32 = u32::MAX;
const PLACES: usize = 1 << 15;
/// Sets of members kept before the memory starts anew.
const MAX_VERDICTS: usize = 1 << 14;

impl Memo {
    /// An empty memory.
    pub(super) fn new() -> Self {
        let secret = RandomState::new();
        Self {
            hasher: SipHasher13::new_with_keys(secret.hash_one(0), secret.hash_one(1)),
            places: vec![
                Place {
                    key: 0,
                    verdict: EMPTY
                };
                PLACES
            ],
            verdicts: vec![Box::default()],
            numbers: FxHashMap::from_iter([(Box::default(), 0)]),
            bytes: Vec::with_capacity(1_024),
        }
    }

    /// The key for an event on route number `route` with these values of fields that the route's rules read.
    pub(super) fn key<'v>(
        &mut self,
        route: u32,
        values: impl Iterator<Item = (FieldId, &'v Value<'v>)>,
    ) -> u128 {
        self.bytes.clear();
        self.bytes.extend_from_slice(&route.to_le_bytes());
        for (field, value) in values {
            self.bytes.extend_from_slice(&field.number().to_le_bytes());
            push_value(value, &mut self.bytes);
        }
        let mut hasher = self.hasher;
        hasher.write(&self.bytes);
        hasher.finish128().into()
    }

    /// The verdict for `key`, if it is remembered.
    pub(super) fn get(&self, key: u128) -> Option<&[u32]> {
        let place = self.places[index(key)];
        if place.key != key || place.verdict == EMPTY {
            return None;
        }
        self.verdicts
            .get(place.verdict as usize)
            .map(|verdict| &**verdict)
    }

    /// Remembers a verdict.
    pub(super) fn put(&mut self, key: u128, matched: &[u32]) {
        let verdict = match self.numbers.get(matched) {
            Some(&number) => number,
            None => {
                if self.verdicts.len() >= MAX_VERDICTS {
                    let hasher = self.hasher;
                    *self = Self {
                        hasher,
                        ..Self::new()
                    };
                }
                let number = u32::try_from(self.verdicts.len()).unwrap_or(EMPTY);
                self.verdicts.push(matched.into());
                self.numbers.insert(matched.into(), number);
                number
            }
        };
        self.places[index(key)] = Place { key, verdict };
    }
}

fn index(key: u128) -> usize {
    key as usize % PLACES
}

/// Appends a value so that no two lists of values give the same bytes.
fn push_value(value: &Value<'_>, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => bytes.push(1),
        Value::Bool(flag) => bytes.extend_from_slice(&[2, u8::from(*flag)]),
        Value::Int(number) => {
            bytes.push(3);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Value::Float(number) => {
            bytes.push(4);
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        Value::Str(text) => {
            bytes.push(5);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::List(values) => {
            bytes.push(6);
            bytes.extend_from_slice(&(values.len() as u64).to_le_bytes());
            for value in values {
                push_value(value, bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::Names;
    use super::*;

    #[test]
    fn an_event_with_other_values_has_another_key() {
        let mut memo = Memo::new();
        let [a, b, ab] = ["a", "b", "ab"].map(Value::text);
        let mut names = Names::default();
        let [x, y] = ["x", "y"].map(|name| names.intern(name));
        let key = memo.key(0, [(x, &a), (y, &b)].into_iter());
        memo.put(key, &[1, 7]);
        assert_eq!(memo.get(key), Some(&[1, 7][..]));
        let others = [
            memo.key(1, [(x, &a), (y, &b)].into_iter()),
            memo.key(0, [(x, &ab)].into_iter()),
            memo.key(0, [(x, &b), (y, &a)].into_iter()),
            memo.key(0, [(y, &a), (x, &b)].into_iter()),
            memo.key(0, [(x, &a)].into_iter()),
        ];
        for other in others {
            assert_eq!(memo.get(other), None);
        }
    }

    #[test]
    fn it_stays_within_its_bounds() {
        let mut memo = Memo::new();
        for number in 0..(MAX_VERDICTS as u32 * 2) {
            memo.put(u128::from(number), &[number]);
        }
        assert!(memo.verdicts.len() <= MAX_VERDICTS);
        let last = MAX_VERDICTS as u32 * 2 - 1;
        assert_eq!(memo.get(u128::from(last)), Some(&[last][..]));
    }
}
