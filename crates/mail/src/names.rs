//! Whom a display name claims to be.

use rustc_hash::FxHashMap;

use blackrod_model::Estate;

use super::fold::{fold, skeleton, words};
use super::lists::{Known, Lists};

/// Somebody who is claimed to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) kind: ClaimKind,
    /// The name as it is known.
    pub(crate) name: String,
    /// Their domains; for a person, their addresses.
    pub(crate) owned: Vec<String>,
    /// The name was written with look-alike letters.
    pub(crate) disguised: bool,
}

/// Of what kind somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimKind {
    Person,
    OwnOrganisation,
    Partner,
    Brand,
    Press,
}

/// Names, indexed by their folded words.
pub(crate) struct Names {
    entries: Vec<Entry>,
    /// The skeletons of the words of an organisation's name, joined.
    organisations: FxHashMap<String, usize>,
    /// Two words of a person's name, in the order of the alphabet.
    people: FxHashMap<(String, String), usize>,
}

struct Entry {
    kind: ClaimKind,
    name: String,
    owned: Vec<String>,
    folded: Vec<String>,
    word: bool,
}

/// At most so many words of a display name are looked at.
const WORD_LIMIT: usize = 12;
/// No organisation's name has more words.
const LONGEST_NAME: usize = 6;

impl Names {
    /// The people, organisations and partners of the estate, and the brands and newspapers of the lists.
    pub(crate) fn new(estate: &Estate, lists: &Lists) -> Self {
        let mut names = Self {
            entries: Vec::new(),
            organisations: FxHashMap::default(),
            people: FxHashMap::default(),
        };
        for organisation in &estate.organisations {
            names.organisation(
                ClaimKind::OwnOrganisation,
                &organisation.name,
                &organisation.domains,
                false,
            );
        }
        for person in &estate.people {
            names.person(&person.name, &person.addresses);
        }
        for partner in &estate.partners {
            names.organisation(ClaimKind::Partner, &partner.name, &partner.domains, false);
        }
        names.known(ClaimKind::Press, &lists.press);
        names.known(ClaimKind::Brand, &lists.brands);
        names
    }

    /// Everybody that `display` names, each once.
    pub(crate) fn claims(&self, display: &str, lists: &Lists) -> Vec<Claim> {
        let folded = fold(display);
        let plain: Vec<String> = words(&folded)
            .take(WORD_LIMIT)
            .map(|word| word.into_owned())
            .collect();
        let bones: Vec<String> = plain.iter().map(|word| skeleton(word)).collect();
        let mut claims: Vec<Claim> = Vec::new();
        let mut add = |index: usize, disguised: bool| {
            let Some(entry) = self.entries.get(index) else {
                return;
            };
            if claims.iter().any(|claim| claim.name == entry.name) {
                return;
            }
            claims.push(Claim {
                kind: entry.kind,
                name: entry.name.clone(),
                owned: entry.owned.clone(),
                disguised,
            });
        };
        let costumed = display
            .chars()
            .any(|c| super::fold::is_costume(c) || super::fold::is_invisible(c));
        for start in 0..bones.len() {
            for end in start + 1..=bones.len().min(start + LONGEST_NAME) {
                let Some(index) = bones
                    .get(start..end)
                    .and_then(|span| self.organisations.get(&span.concat()))
                else {
                    continue;
                };
                let Some(entry) = self.entries.get(*index) else {
                    continue;
                };
                let written = plain.get(start..end).unwrap_or_default();
                let others = plain.iter().take(start).chain(plain.iter().skip(end));
                if entry.word && !is_service(others, lists) {
                    continue;
                }
                let disguised = costumed || written.concat() != entry.folded.concat();
                add(*index, disguised || is_foreign(display, written));
            }
        }
        for (at, first) in bones.iter().enumerate() {
            for second in bones.iter().skip(at + 1) {
                let Some(index) = self.people.get(&pair(first, second)) else {
                    continue;
                };
                let Some(entry) = self.entries.get(*index) else {
                    continue;
                };
                let is_as_written = entry
                    .folded
                    .iter()
                    .all(|word| plain.contains(word) || !bones.contains(&skeleton(word)));
                add(*index, costumed || !is_as_written);
            }
        }
        claims
    }

    fn known(&mut self, kind: ClaimKind, list: &[Known]) {
        for known in list {
            self.organisation(kind, &known.name, &known.domains, known.word);
            for also in &known.also {
                self.organisation(kind, also, &known.domains, false);
            }
        }
    }

    fn organisation(&mut self, kind: ClaimKind, name: &str, domains: &[String], word: bool) {
        let folded = folded_words(name);
        let single = folded.len() == 1 && kind == ClaimKind::OwnOrganisation;
        let key: String = folded.iter().map(|word| skeleton(word)).collect();
        if key.len() < 3 {
            return;
        }
        self.organisations.entry(key).or_insert(self.entries.len());
        self.entries.push(Entry {
            kind,
            name: name.to_owned(),
            owned: domains.to_vec(),
            folded,
            word: word || single,
        });
    }

    fn person(&mut self, name: &str, addresses: &[String]) {
        let folded = folded_words(name);
        let (Some(first), Some(last)) = (folded.first(), folded.last()) else {
            return;
        };
        if folded.len() < 2 {
            return;
        }
        self.people
            .entry(pair(&skeleton(first), &skeleton(last)))
            .or_insert(self.entries.len());
        self.entries.push(Entry {
            kind: ClaimKind::Person,
            name: name.to_owned(),
            owned: addresses.to_vec(),
            folded,
            word: false,
        });
    }
}

/// The words of a name without its article.
fn folded_words(name: &str) -> Vec<String> {
    let folded = fold(name);
    let all: Vec<String> = words(&folded)
        .take(WORD_LIMIT)
        .map(|word| word.into_owned())
        .collect();
    match all.split_first() {
        Some((article, rest))
            if !rest.is_empty()
                && matches!(article.as_str(), "the" | "der" | "die" | "das" | "le" | "la") =>
        {
            rest.to_vec()
        }
        _ => all,
    }
}

fn pair(a: &str, b: &str) -> (String, String) {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    (low.to_owned(), high.to_owned())
}

/// Whether the other words make an ordinary word the name of a service: there are none, or one is `support` or the like.
fn is_service<'w>(others: impl Iterator<Item = &'w String>, lists: &Lists) -> bool {
    let mut others = others
        .filter(|word| word.len() > 1 && word.as_str() != "the")
        .peekable();
    others.peek().is_none() || others.any(|word| lists.service_words.contains(word.as_str()))
}

/// Whether a name that folds to ASCII was written with letters of another script.
fn is_foreign(display: &str, written: &[String]) -> bool {
    let is_latin = written.iter().all(|word| word.is_ascii());
    is_latin && display.chars().any(|c| matches!(c, '\u{370}'..='\u{52f}'))
}

#[cfg(test)]
mod tests {
    use blackrod_model::estate::{Organisation, Partner, Person};

    use super::*;

    fn claims(display: &str) -> Vec<(ClaimKind, String, bool)> {
        let lists = Lists::load();
        let estate = Estate {
            organisations: vec![Organisation {
                id: "a".into(),
                name: "Assembly of the Isles".into(),
                domains: vec!["assembly.example".into()],
            }],
            people: vec![Person {
                name: "Søren Ångström".into(),
                addresses: vec!["soren@assembly.example".into()],
                ..Person::default()
            }],
            partners: vec![Partner {
                name: "Ministry of Tides".into(),
                domains: vec!["tides.example".into()],
            }],
            ..Estate::default()
        };
        let found = Names::new(&estate, &lists).claims(display, &lists);
        found
            .into_iter()
            .map(|claim| (claim.kind, claim.name, claim.disguised))
            .collect()
    }

    #[test]
    fn names_are_found_in_any_order_and_costume() {
        let person = |disguised| vec![(ClaimKind::Person, "Søren Ångström".to_owned(), disguised)];
        assert_eq!(claims("Ångström, Søren (MP)"), person(false));
        assert_eq!(claims("Office of Soren Angstrom"), person(false));
        assert_eq!(claims("S0ren Angstrom"), person(true));
        assert_eq!(claims("Soren Jensen"), []);
        assert_eq!(claims("ASSEMBLY OF THE ISLES")[0].0, ClaimKind::OwnOrganisation);
        assert_eq!(claims("Ministry of Tides, press office")[0].0, ClaimKind::Partner);
        assert_eq!(
            claims("Pay Pal Service")[0],
            (ClaimKind::Brand, "PayPal".to_owned(), false)
        );
        assert_eq!(claims("Рaypal")[0], (ClaimKind::Brand, "PayPal".to_owned(), true));
        assert_eq!(claims("𝐂𝐨𝐬𝐭𝐜𝐨")[0], (ClaimKind::Brand, "Costco".to_owned(), true));
        assert_eq!(claims("Jane Doe, The Guardian")[0].0, ClaimKind::Press);
    }

    #[test]
    fn ordinary_words_are_no_names() {
        assert_eq!(claims("Mary Chase"), []);
        assert_eq!(claims("Chase Support")[0].0, ClaimKind::Brand);
        assert_eq!(claims("Chase")[0].0, ClaimKind::Brand);
        assert_eq!(claims("Signal Hill Historical Society"), []);
    }
}
