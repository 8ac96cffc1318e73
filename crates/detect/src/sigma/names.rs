//! Numbers for field names.

use rustc_hash::FxHashMap;

/// A field name that some rule reads, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FieldId(u32);

impl FieldId {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All field names that the rules read.
#[derive(Debug, Default)]
pub(super) struct Names {
    ids: FxHashMap<Box<str>, FieldId>,
    names: Vec<Box<str>>,
}

impl Names {
    /// The number of `name`, a new one where it is not yet known.
    pub(super) fn intern(&mut self, name: &str) -> FieldId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        // Rules are read into memory whole; four thousand million names do not fit there.
        let id = FieldId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.ids.insert(name.into(), id);
        self.names.push(name.into());
        id
    }

    /// The number of `name` if a rule reads it.
    pub(super) fn find(&self, name: &str) -> Option<FieldId> {
        self.ids.get(name).copied()
    }

    /// The name behind a number of this table.
    pub(super) fn name(&self, id: FieldId) -> &str {
        self.names.get(id.index()).map_or("", |name| name)
    }

    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}
