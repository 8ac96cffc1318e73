//! The capability table: which programs can be abused and as what, what certain arguments mean, who should not
//! start whom, and how much each of that counts. Data in `content/lotl/`.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use blackrod_model::process::Traits;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

macro_rules! capabilities {
    ($($constant:ident = $bit:literal, $name:literal;)*) => {
        impl Can {
            $(#[doc = concat!("`", $name, "`.")]
            pub const $constant: Self = Self(1 << $bit);)*

            /// All capabilities, in the order in which an intrusion mostly uses them.
            pub const ALL: &'static [(Self, &'static str)] = &[$((Self::$constant, $name)),*];
        }
    };
}

/// What a program or a command can be abused for: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Can(u16);

capabilities! {
    EXECUTE = 0, "execute";
    BYPASS = 1, "bypass";
    DOWNLOAD = 2, "download";
    DISCOVER = 3, "discover";
    PERSIST = 4, "persist";
    CREDENTIALS = 5, "credentials";
    DUMP = 6, "dump";
    REMOTE = 7, "remote";
    ARCHIVE = 8, "archive";
    COPY = 9, "copy";
    TUNNEL = 10, "tunnel";
    UPLOAD = 11, "upload";
    TAMPER = 12, "tamper";
    DELETE_LOGS = 13, "delete_logs";
}

impl Can {
    /// Adds `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether any of `other` is in this set.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn but_not(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many there are.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::ALL
            .iter()
            .filter(move |(one, _)| self.any(*one))
            .map(|(_, name)| *name)
    }

    fn named(names: &[String]) -> Result<Self, TableError> {
        let mut set = Self::default();
        for name in names {
            let known = Self::ALL.iter().find(|(_, known)| known == name);
            let (one, _) = known.ok_or_else(|| TableError::UnknownCapability(name.clone()))?;
            set.add(*one);
        }
        Ok(set)
    }
}

/// The capability table, indexed.
#[derive(Clone, Debug)]
pub struct Table {
    classes: Vec<Class>,
    by_program: FxHashMap<String, usize>,
    by_use: FxHashMap<String, usize>,
    uses: Vec<Use>,
    lineages: Vec<Lineage>,
    words: Words,
    verbs: FxHashSet<String>,
    /// The weights of single traits, by bit.
    trait_weights: [f32; 64],
    /// Most process starts are ordinary.
    pub base: f32,
    /// The weight of a program in no class.
    pub unknown: f32,
}

/// A class of programs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// What programs of this class do.
    pub about: String,
    /// Natural logarithm of how much likelier an intruder starts one than anybody else.
    pub prior: f32,
    can: Vec<String>,
    /// Names of traits that are ordinary for them.
    expects: Vec<String>,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    programs: Vec<String>,
    #[serde(skip)]
    expected: Traits,
    #[serde(skip)]
    bits: Can,
}

/// What certain words in a command line mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Its name.
    pub name: String,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
    /// Natural logarithm of how much likelier such a line is from an intruder.
    pub weight: f32,
    can: Vec<String>,
    #[serde(default)]
    traits: Vec<String>,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
    #[serde(skip)]
    all_ids: Vec<usize>,
    #[serde(skip)]
    any_ids: Vec<usize>,
    #[serde(skip)]
    gives: Traits,
    #[serde(skip)]
    bits: Can,
}

/// A parent that should not start such a child.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    parents: Vec<String>,
    children: Vec<String>,
    /// Natural logarithm of how much likelier that is from an intruder.
    pub weight: f32,
    /// What is odd about it.
    pub why: String,
    /// ATT&CK techniques.
    pub attack: Vec<String>,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is not the TOML that it should be.
    #[error("{file}: {source}")]
    Toml {
        /// Which file.
        file: &'static str,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// It names a trait that there is not.
    #[error("{0:?} is no trait of a command line")]
    UnknownTrait(String),
    /// It names a capability that there is not.
    #[error("{0:?} is nothing that a program can be abused for")]
    UnknownCapability(String),
    /// Its words cannot be searched for.
    #[error("the words cannot be indexed: {0}")]
    Words(#[from] aho_corasick::BuildError),
}

#[derive(Deserialize)]
struct ProgramsFile {
    class: Vec<Class>,
}

#[derive(Deserialize)]
struct UsesFile {
    #[serde(rename = "use")]
    uses: Vec<Use>,
    lineage: Vec<Lineage>,
}

#[derive(Deserialize)]
struct WeightsFile {
    base: f32,
    unknown: f32,
    #[serde(rename = "trait")]
    traits: FxHashMap<String, f32>,
    words: VerbsSection,
}

#[derive(Deserialize)]
struct VerbsSection {
    verbs: Vec<String>,
}

impl Table {
    /// The table that blackrod comes with.
    pub fn builtin() -> &'static Self {
        static TABLE: LazyLock<Table> = LazyLock::new(|| {
            // It is part of the program; `the_builtin_table_is_sound` reads it in every test run. One that could
            // not be read would know no program, which finds nothing and breaks nothing.
            Table::parse(
                include_str!("../../../../content/lotl/programs.toml"),
                include_str!("../../../../content/lotl/uses.toml"),
                include_str!("../../../../content/lotl/weights.toml"),
            )
            .unwrap_or_default()
        });
        &TABLE
    }

    /// Reads a table from the texts of its three files.
    ///
    /// # Errors
    ///
    /// [`TableError`] where a file is not as it should be.
    pub fn parse(programs: &str, uses: &str, weights: &str) -> Result<Self, TableError> {
        let ProgramsFile { class: classes } = read("programs.toml", programs)?;
        let UsesFile { uses, lineage } = read("uses.toml", uses)?;
        let weights: WeightsFile = read("weights.toml", weights)?;
        let mut trait_weights = [0.0; 64];
        for (name, weight) in &weights.traits {
            let bit = trait_named(name)?.0.trailing_zeros() as usize;
            if let Some(slot) = trait_weights.get_mut(bit) {
                *slot = *weight;
            }
        }
        Self {
            classes,
            uses,
            lineages: lineage,
            trait_weights,
            base: weights.base,
            unknown: weights.unknown,
            verbs: weights.words.verbs.into_iter().collect(),
            ..Self::default()
        }
        .indexed()
    }

    /// The table without what it knows of the arguments of `program` (a file name): what remains is its class.
    /// For measuring what is found of programs that nobody wrote down.
    ///
    /// # Errors
    ///
    /// [`TableError`] where what is left cannot be indexed.
    pub fn class_only(&self, program: &str) -> Result<Self, TableError> {
        let name = program.to_lowercase();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let names_it = |text: &String| text.contains(stem) && !stem.is_empty();
        let mut table = self.clone();
        for entry in &mut table.uses {
            entry.programs.retain(|known| known != stem && *known != name);
            entry.any.retain(|word| !names_it(word));
        }
        let had = |index: usize| self.uses.get(index);
        let mut index = 0;
        table.uses.retain(|entry| {
            let before = had(index);
            index += 1;
            let lost_programs =
                entry.programs.is_empty() && before.is_some_and(|use_| !use_.programs.is_empty());
            let lost_words = entry.any.is_empty() && before.is_some_and(|use_| !use_.any.is_empty());
            !lost_programs && !lost_words && !entry.all.iter().any(names_it)
        });
        for lineage in &mut table.lineages {
            lineage.parents.retain(|known| known != stem);
            lineage.children.retain(|known| known != stem);
        }
        table.indexed()
    }

    /// [`Table::class_only`], and the program in no class either.
    ///
    /// # Errors
    ///
    /// [`TableError`] where what is left cannot be indexed.
    pub fn without(&self, program: &str) -> Result<Self, TableError> {
        let mut table = self.class_only(program)?;
        let name = program.to_lowercase();
        let stem = name
            .rsplit_once('.')
            .map_or(name.as_str(), |(stem, _)| stem)
            .to_owned();
        for class in &mut table.classes {
            class.programs.retain(|known| *known != stem && *known != name);
        }
        table.indexed()
    }

    /// The class of a program by its name without `.exe`.
    pub fn class_of(&self, stem: &str) -> Option<&Class> {
        self.classes.get(*self.by_program.get(stem)?)
    }

    /// The use of this name.
    pub fn use_named(&self, name: &str) -> Option<&Use> {
        self.uses.get(*self.by_use.get(name)?)
    }

    /// The weight of a single trait.
    pub fn weight_of(&self, single: Traits) -> f32 {
        self.trait_weights
            .get(single.0.trailing_zeros() as usize)
            .copied()
            .unwrap_or(0.0)
    }

    /// What is odd about `parent` (a name without `.exe`) starting `child`.
    pub fn lineage(&self, parent: &str, child: &str) -> Option<&Lineage> {
        let parent_class = self.class_of(parent).map(|class| class.name.as_str());
        let child_class = self.class_of(child)?.name.as_str();
        self.lineages.iter().find(|lineage| {
            let is_parent = |known: &String| known == parent || Some(known.as_str()) == parent_class;
            let is_child = |known: &String| known == child || known == child_class;
            lineage.parents.iter().any(is_parent) && lineage.children.iter().any(is_child)
        })
    }

    /// Whether the table has this program, library or script.
    pub(super) fn knows(&self, stem: &str) -> bool {
        self.by_program.contains_key(stem)
    }

    /// Whether this word says what is to be done.
    pub(super) fn is_verb(&self, word: &str) -> bool {
        self.verbs.contains(word)
    }

    /// The uses that fit `text` (lower case) with these programs in it, and the traits that they give.
    pub(super) fn uses_in(&self, text: &str, programs: &[String]) -> (Vec<String>, Traits) {
        let mut traits = Traits::default();
        let mut names = Vec::new();
        let found = self.words.found_in(text);
        if found.is_empty() {
            return (names, traits);
        }
        for entry in &self.uses {
            let has = |id: &usize| found.contains(id);
            let by_word =
                (entry.any_ids.is_empty() || entry.any_ids.iter().any(has)) && entry.all_ids.iter().all(has);
            let by_program =
                || entry.programs.is_empty() || programs.iter().any(|name| entry.programs.contains(name));
            if by_word && by_program() {
                names.push(entry.name.clone());
                traits.add(entry.gives);
            }
        }
        (names, traits)
    }

    /// Works out what is looked up.
    fn indexed(mut self) -> Result<Self, TableError> {
        self.by_program.clear();
        for (index, class) in self.classes.iter_mut().enumerate() {
            class.expected = traits_named(&class.expects)?;
            class.bits = Can::named(&class.can)?;
            for program in &class.programs {
                self.by_program.entry(program.clone()).or_insert(index);
            }
        }
        let names = self.uses.iter().enumerate();
        self.by_use = names.map(|(index, entry)| (entry.name.clone(), index)).collect();
        let mut ids = FxHashMap::default();
        for entry in &mut self.uses {
            entry.gives = traits_named(&entry.traits)?;
            entry.bits = Can::named(&entry.can)?;
            let mut id_of = |word: &String| {
                let next = ids.len();
                *ids.entry(word.clone()).or_insert(next)
            };
            entry.all_ids = entry.all.iter().map(&mut id_of).collect();
            entry.any_ids = entry.any.iter().map(&mut id_of).collect();
        }
        self.words = Words::new(ids)?;
        Ok(self)
    }
}

impl Default for Table {
    fn default() -> Self {
        Self {
            classes: Vec::new(),
            by_program: FxHashMap::default(),
            by_use: FxHashMap::default(),
            uses: Vec::new(),
            lineages: Vec::new(),
            words: Words::default(),
            verbs: FxHashSet::default(),
            trait_weights: [0.0; 64],
            base: 0.0,
            unknown: 0.0,
        }
    }
}

impl Class {
    /// The traits of a command line that are ordinary for this class.
    pub const fn expects(&self) -> Traits {
        self.expected
    }

    /// What they can be abused for.
    pub const fn bits(&self) -> Can {
        self.bits
    }
}

impl Use {
    /// What it does.
    pub const fn bits(&self) -> Can {
        self.bits
    }
}

/// All words of all uses, searched for at once.
#[derive(Clone, Debug, Default)]
struct Words(Option<AhoCorasick>);

impl Words {
    fn new(ids: FxHashMap<String, usize>) -> Result<Self, TableError> {
        let mut words: Vec<(usize, String)> = ids.into_iter().map(|(word, id)| (id, word)).collect();
        words.sort_unstable();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(words.iter().map(|(_, word)| word))?;
        Ok(Self(Some(automaton)))
    }

    fn found_in(&self, text: &str) -> Vec<usize> {
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

fn read<T: serde::de::DeserializeOwned>(file: &'static str, text: &str) -> Result<T, TableError> {
    toml::from_str(text).map_err(|source| TableError::Toml {
        file,
        source: Box::new(source),
    })
}

fn traits_named(names: &[String]) -> Result<Traits, TableError> {
    names
        .iter()
        .try_fold(Traits::default(), |set, name| Ok(set.with(trait_named(name)?)))
}

fn trait_named(name: &str) -> Result<Traits, TableError> {
    Traits::from_name(name).ok_or_else(|| TableError::UnknownTrait(name.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use blackrod_model::Technique;

    #[test]
    fn the_builtin_table_is_sound() {
        let table = Table::builtin();
        assert!(table.classes.len() > 20 && table.uses.len() > 40);
        let mut programs = FxHashSet::default();
        for class in &table.classes {
            for program in &class.programs {
                assert!(programs.insert(program), "{program} is in two classes");
                assert_eq!(*program, program.to_lowercase());
            }
        }
        let ids = table.classes.iter().flat_map(|class| &class.attack);
        let ids = ids.chain(table.uses.iter().flat_map(|entry| &entry.attack));
        for id in ids.chain(table.lineages.iter().flat_map(|lineage| &lineage.attack)) {
            assert!(Technique::parse(id).is_some(), "{id}");
        }
        for lineage in &table.lineages {
            for child in &lineage.children {
                let is_class = table.classes.iter().any(|class| class.name == *child);
                assert!(is_class || table.knows(child), "{child}");
            }
        }
        let mut names = FxHashSet::default();
        assert!(table.uses.iter().all(|entry| names.insert(&entry.name)));
    }

    #[test]
    fn what_is_left_out_is_gone() {
        let table = Table::builtin();
        let programs = ["certutil".to_owned()];
        let text = "certutil -urlcache -f x y";
        assert!(!table.uses_in(text, &programs).0.is_empty());
        let class_only = table.class_only("Certutil.exe").unwrap();
        assert!(class_only.uses_in(text, &programs).0.is_empty());
        assert!(class_only.class_of("certutil").is_some());
        assert!(
            table
                .without("certutil.exe")
                .unwrap()
                .class_of("certutil")
                .is_none()
        );
    }
}
