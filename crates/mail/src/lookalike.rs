//! Domains made to be taken for others.
//!
//! Known domains are indexed once; asking costs microseconds, however many there are. The index holds, for every known
//! name, all strings that leaving out one letter (two for long names of the first rank) makes of it, so that names at a small
//! edit distance meet there (Garbe's symmetric deletion); what meets is then compared with the Damerau-Levenshtein distance.

use rustc_hash::{FxHashMap, FxHashSet};

use super::fold::{fold, skeleton};

/// Whose domain is imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kin {
    /// The estate's own.
    Own,
    /// A partner's of the estate.
    Partner,
    /// A well-known brand's or newspaper's.
    Brand,
    /// Somebody's with whom the estate writes often.
    Correspondent,
}

/// How it is imitated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Letters that look the same, also of other scripts: `аssembly.example`, `rn` for `m`.
    Confusable,
    /// One letter more, fewer, other, or two swapped; two in long names.
    Typo,
    /// The name with other words: `assembly-login.example`.
    Combination,
    /// The whole domain as a part of another: `assembly.example.evil.test`.
    Subdomain,
    /// The same name under another suffix.
    Suffix,
}

/// A domain that is made to be taken for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookalike {
    /// The domain that it imitates.
    pub of: String,
    /// Whose that is.
    pub kin: Kin,
    /// How it does.
    pub trick: Trick,
}

/// Known domains, indexed by what they can be mistaken for.
#[derive(Debug, Default)]
pub struct Lookalikes {
    known: Vec<Entry>,
    by_domain: FxHashMap<String, u32>,
    by_label: FxHashMap<String, u32>,
    by_skeleton: FxHashMap<String, u32>,
    by_deletion: FxHashMap<u64, Vec<u32>>,
    padding: FxHashSet<String>,
}

#[derive(Debug)]
struct Entry {
    domain: String,
    label: String,
    kin: Kin,
}

/// Names shorter than this are not compared but as they stand: too many real names lie beside them.
const SHORTEST_TYPO: usize = 5;
/// Names from this length on are imitated with two edits as well.
const TWO_EDITS_FROM: usize = 10;
/// Names from this length on are recognised within others without any separator.
const SHORTEST_INNER: usize = 6;
/// No label of a domain is longer (RFC 1035).
const LONGEST_LABEL: usize = 63;

impl Lookalikes {
    /// An empty index; `padding` are the words that imitations are padded with (`login`, `secure`), folded.
    pub fn new(padding: impl IntoIterator<Item = String>) -> Self {
        Self {
            padding: padding.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds a known domain. Add those of the lowest [`Kin`] first: the first owner of a name keeps it.
    pub fn add(&mut self, domain: &str, kin: Kin) {
        let Some(registrable) = registrable(domain) else {
            return;
        };
        if self.by_domain.contains_key(registrable) {
            return;
        }
        let label = first_label(registrable).to_owned();
        let index = self.known.len() as u32;
        let length = label.chars().count();
        self.by_domain.insert(registrable.to_owned(), index);
        if length >= SHORTEST_TYPO && !self.by_label.contains_key(&label) {
            for key in deletions(&label, allowed_edits(length, kin)) {
                self.by_deletion.entry(key).or_default().push(index);
            }
        }
        self.by_skeleton.entry(skeleton(&label)).or_insert(index);
        self.by_label.entry(label.clone()).or_insert(index);
        self.known.push(Entry {
            domain: registrable.to_owned(),
            label,
            kin,
        });
    }

    /// Whether `domain` is known, or lies below a known one.
    pub fn is_known(&self, domain: &str) -> bool {
        registrable(domain).is_some_and(|registrable| self.by_domain.contains_key(registrable))
    }

    /// The known domain that `host` (lower case, in ASCII or Unicode) is made to be taken for.
    pub fn find(&self, host: &str) -> Option<Lookalike> {
        let own = registrable(host)?;
        if self.by_domain.contains_key(own) {
            return None;
        }
        let label = first_label(own);
        if label.len() > LONGEST_LABEL {
            return None;
        }
        if let Some(found) = self.below(host, own) {
            return Some(found);
        }
        if self.by_label.contains_key(label) {
            return self.other_suffix(label, own);
        }
        self.confusable(label)
            .or_else(|| self.combination(label))
            .or_else(|| self.typo(label))
    }

    fn hit(&self, index: u32, trick: Trick) -> Option<Lookalike> {
        self.known.get(index as usize).map(|entry| Lookalike {
            of: entry.domain.clone(),
            kin: entry.kin,
            trick,
        })
    }

    /// `assembly.example.evil.test`, `assembly-example.evil.test`.
    fn below(&self, host: &str, own: &str) -> Option<Lookalike> {
        let before = host.strip_suffix(own)?.trim_end_matches('.');
        if before.is_empty() {
            return None;
        }
        let dotted = before.replace('-', ".");
        let labels: Vec<&str> = dotted.split('.').take(8).collect();
        for start in 0..labels.len() {
            for end in start + 2..=labels.len().min(start + 4) {
                let name = labels.get(start..end)?.join(".");
                if let Some(index) = self.by_domain.get(&name) {
                    return self.hit(*index, Trick::Subdomain);
                }
            }
        }
        None
    }

    fn other_suffix(&self, label: &str, own: &str) -> Option<Lookalike> {
        let index = *self.by_label.get(label)?;
        let entry = self.known.get(index as usize)?;
        let owner_may_hold_it = entry.kin == Kin::Brand && is_national(own);
        if entry.label.len() < 4 || owner_may_hold_it {
            return None;
        }
        self.hit(index, Trick::Suffix)
    }

    fn confusable(&self, label: &str) -> Option<Lookalike> {
        let (unicode, _) = idna::domain_to_unicode(label);
        let index = *self.by_skeleton.get(&skeleton(&fold(&unicode)))?;
        let entry = self.known.get(index as usize)?;
        if entry.label.len() < 4 {
            return None;
        }
        self.hit(index, Trick::Confusable)
    }

    fn combination(&self, label: &str) -> Option<Lookalike> {
        let pieces: Vec<&str> = label.split(['-', '_']).take(8).collect();
        if pieces.len() > 1 {
            for piece in &pieces {
                let Some(index) = self.by_skeleton.get(&skeleton(piece)) else {
                    continue;
                };
                let Some(entry) = self.known.get(*index as usize) else {
                    continue;
                };
                let rest_is_padding = pieces
                    .iter()
                    .all(|other| other == piece || self.is_padding(other) || other.len() <= 3);
                if entry.label.len() >= 4 && (rest_is_padding || is_telling(entry)) {
                    return self.hit(*index, Trick::Combination);
                }
            }
        }
        self.inner(label)
    }

    /// The name run together with a word: `loginassembly`, `paypalsupport`.
    fn inner(&self, label: &str) -> Option<Lookalike> {
        let label: String = label.chars().filter(|c| c.is_alphanumeric()).collect();
        for length in (SHORTEST_INNER..label.len()).rev() {
            let (Some(head), Some(tail)) = (label.get(..length), label.get(label.len() - length..)) else {
                continue;
            };
            let rests = [
                (head, label.get(length..)),
                (tail, label.get(..label.len() - length)),
            ];
            for (name, rest) in rests {
                let Some(index) = self.by_label.get(name) else {
                    continue;
                };
                if rest.is_some_and(|rest| self.is_padding(rest)) {
                    return self.hit(*index, Trick::Combination);
                }
            }
        }
        None
    }

    fn typo(&self, label: &str) -> Option<Lookalike> {
        let length = label.chars().count();
        if length + 1 < SHORTEST_TYPO {
            return None;
        }
        let edits = if length + 2 >= TWO_EDITS_FROM { 2 } else { 1 };
        let mut best: Option<(usize, u32)> = None;
        for key in deletions(label, edits) {
            for index in self.by_deletion.get(&key).into_iter().flatten() {
                let Some(entry) = self.known.get(*index as usize) else {
                    continue;
                };
                let allowed = allowed_edits(entry.label.chars().count(), entry.kin);
                let distance = strsim::osa_distance(&entry.label, label);
                let is_better = best.is_none_or(|(least, _)| distance < least);
                let starts_alike = distance < 2 || entry.label.chars().next() == label.chars().next();
                if distance <= allowed && starts_alike && is_better {
                    best = Some((distance, *index));
                }
            }
        }
        best.and_then(|(_, index)| self.hit(index, Trick::Typo))
    }

    fn is_padding(&self, word: &str) -> bool {
        self.padding.contains(word) || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// The registrable domain of a host name (public suffix list): `example.org` of `www.example.org`.
pub(crate) fn registrable(host: &str) -> Option<&str> {
    psl::domain_str(host.trim_end_matches('.'))
}

fn first_label(domain: &str) -> &str {
    domain.split_once('.').map_or(domain, |(label, _)| label)
}

/// Names that nobody uses within another name by chance.
fn is_telling(entry: &Entry) -> bool {
    entry.label.len() >= 8 && entry.kin != Kin::Correspondent
}

/// `.de`, `.co.uk`, `.com.br`: where the owner of a name would have it as well.
fn is_national(domain: &str) -> bool {
    let mut labels = domain.rsplit('.');
    let country = labels.next().is_some_and(|label| label.len() == 2);
    let below_second_level = labels.next().is_some_and(|label| matches!(label, "com" | "co"));
    country && (below_second_level || matches!(domain.matches('.').count(), 1))
}

fn allowed_edits(length: usize, kin: Kin) -> usize {
    if length >= TWO_EDITS_FROM && kin != Kin::Correspondent {
        2
    } else {
        1
    }
}

/// Hashes of the name and of what leaving out up to `edits` of its letters makes of it.
fn deletions(label: &str, edits: usize) -> FxHashSet<u64> {
    let letters: Vec<char> = label.chars().collect();
    let mut keys = FxHashSet::default();
    keys.insert(hash(letters.iter()));
    for first in 0..letters.len() {
        let without = |skip: usize| {
            letters
                .iter()
                .enumerate()
                .filter(move |(at, _)| *at != first && *at != skip)
                .map(|(_, c)| c)
        };
        keys.insert(hash(without(first)));
        if edits > 1 {
            for second in first + 1..letters.len() {
                keys.insert(hash(without(second)));
            }
        }
    }
    keys
}

fn hash<'c>(letters: impl Iterator<Item = &'c char>) -> u64 {
    use std::hash::Hasher as _;
    let mut hasher = rustc_hash::FxHasher::default();
    for letter in letters {
        hasher.write_u32(u32::from(*letter));
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn index() -> Lookalikes {
        let mut index = Lookalikes::new(["login", "secure", "support"].map(str::to_owned));
        index.add("riksdagen.example", Kin::Own);
        index.add("mail.mfa.example", Kin::Partner);
        index.add("paypal.com", Kin::Brand);
        index.add("theguardian.com", Kin::Brand);
        index.add("nordgren.example", Kin::Correspondent);
        index
    }

    #[test]
    fn every_trick_is_seen() {
        let cases = [
            ("riksdagen.test", "riksdagen.example", Trick::Suffix),
            ("rlksdagen.example", "riksdagen.example", Trick::Confusable),
            ("xn--rksdagen-thh.example", "riksdagen.example", Trick::Confusable),
            ("paypaI.com", "paypal.com", Trick::Confusable),
            ("riksdagen-login.example", "riksdagen.example", Trick::Combination),
            ("securepaypal.example", "paypal.com", Trick::Combination),
            ("paypal2024.example", "paypal.com", Trick::Combination),
            (
                "riksdagen.example.evil.test",
                "riksdagen.example",
                Trick::Subdomain,
            ),
            (
                "www.riksdagen-example.evil.test",
                "riksdagen.example",
                Trick::Subdomain,
            ),
            ("riskdagen.example", "riksdagen.example", Trick::Typo),
            ("thegaurdain.com", "theguardian.com", Trick::Typo),
            ("nordgrem.example", "nordgren.example", Trick::Typo),
        ];
        for (host, of, trick) in cases {
            let found = index()
                .find(&host.to_lowercase())
                .unwrap_or_else(|| panic!("{host}"));
            assert_eq!((found.of.as_str(), found.trick), (of, trick), "{host}");
        }
    }

    #[test]
    fn known_and_unrelated_domains_are_none() {
        for host in [
            "riksdagen.example",
            "www.riksdagen.example",
            "paypal.com",
            "paypal.de",
            "example.org",
            "guardians.example",
            "payroll.example",
            "mfb.example",
            "",
            "com",
        ] {
            assert_eq!(index().find(host), None, "{host}");
        }
    }

    #[test]
    fn asking_is_cheap() {
        let mut many = index();
        for number in 0..20_000 {
            many.add(
                &format!("correspondent{}{number}.example", number % 7),
                Kin::Correspondent,
            );
        }
        let start = std::time::Instant::now();
        for number in 0..2_000 {
            many.find(&format!("somebody{number}else.example"));
        }
        assert!(start.elapsed().as_millis() < 2_000, "{:?}", start.elapsed());
    }
}
