//! The capability table: which programs can be abused and as what, what certain arguments mean, who should not
//! start whom, and how much each of that counts. Data in `content/lotl/`.

mod can;
mod leave_out;
mod parse;
mod words;

use std::sync::LazyLock;

use blackrod_model::process::Traits;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

pub use can::Can;
pub use parse::TableError;
use words::Words;

/// The capability table, indexed.
#[derive(Clone, Debug)]
pub struct Table {
    classes: Vec<Class>,
    by_program: FxHashMap<String, usize>,
    by_use: FxHashMap<String, usize>,
    uses: Vec<Use>,
    lineages: Vec<Lineage>,
    words: Words,
    /// By the number of a word, the uses that cannot fit without it or its like.
    by_word: Vec<Vec<usize>>,
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
        let mut candidates: Vec<usize> = found
            .iter()
            .filter_map(|id| self.by_word.get(*id))
            .flatten()
            .copied()
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        for entry in candidates.into_iter().filter_map(|place| self.uses.get(place)) {
            let has = |id: &usize| found.binary_search(id).is_ok();
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
            by_word: Vec::new(),
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

#[cfg(test)]
mod tests;
