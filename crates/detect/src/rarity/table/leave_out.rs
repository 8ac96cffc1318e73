//! The table without what it knows of one program: for measuring what is found of programs that nobody wrote down.

use super::{Table, TableError};

impl Table {
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
}
