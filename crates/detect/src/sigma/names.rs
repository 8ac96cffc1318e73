//! Numbers for field names.

use rustc_hash::FxHashMap;

/// A field name that some rule reads, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FieldId(u32);

impl FieldId {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) const fn number(self) -> u32 {
        self.0
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

/// The fields that the rules for one kind of record read, by name.
#[derive(Debug, Default)]
pub(super) struct ReadFields {
    ids: FxHashMap<Box<str>, FieldId>,
    /// The bits of all forms that such names have: most other names of a record have none of them, and need not be hashed.
    forms: [u64; FORMS / 64],
}

const FORMS: usize = 1_024;

impl ReadFields {
    pub(super) fn new<'n>(names: impl Iterator<Item = (&'n str, FieldId)>) -> Self {
        let mut read = Self::default();
        for (name, id) in names {
            let form = form(name);
            read.forms[form / 64] |= 1 << (form % 64);
            read.ids.insert(name.into(), id);
        }
        read
    }

    pub(super) fn find(&self, name: &str) -> Option<FieldId> {
        let form = form(name);
        if self.forms[form / 64] & 1 << (form % 64) == 0 {
            return None;
        }
        self.ids.get(name).copied()
    }
}

/// A number from the last letter and the length.
fn form(name: &str) -> usize {
    let last = name.as_bytes().last().copied().unwrap_or_default();
    (usize::from(last) * 32 + name.len()) % FORMS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name_only() {
        let mut names = Names::default();
        let long = "x".repeat(5_000);
        let all = ["Operation", "UserId", "", "é", long.as_str()];
        let ids = all.map(|name| (name, names.intern(name)));
        let read = ReadFields::new(ids.into_iter());
        for (name, id) in ids {
            assert_eq!(read.find(name), Some(id), "{name}");
        }
        for other in ["operation", "Creation.", "Locations", "UserIds", "xx", "e"] {
            assert_eq!(read.find(other), None, "{other}");
        }
    }
}
