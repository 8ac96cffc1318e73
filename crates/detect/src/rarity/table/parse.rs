//! The three files of the table → the table, indexed.

use blackrod_model::process::Traits;
use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::words::Words;
use super::{Can, Class, Lineage, Table, Use};

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

    /// Works out what is looked up.
    pub(super) fn indexed(mut self) -> Result<Self, TableError> {
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
        self.by_word = vec![Vec::new(); ids.len()];
        for (place, entry) in self.uses.iter().enumerate() {
            let needed = match entry.any_ids.as_slice() {
                [] => entry.all_ids.get(..1).unwrap_or_default(),
                any => any,
            };
            for id in needed {
                if let Some(uses) = self.by_word.get_mut(*id) {
                    uses.push(place);
                }
            }
        }
        self.words = Words::new(ids)?;
        Ok(self)
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
