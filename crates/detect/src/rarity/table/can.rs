//! What can be done to others with a program.

use super::TableError;

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

    pub(super) fn named(names: &[String]) -> Result<Self, TableError> {
        let mut set = Self::default();
        for name in names {
            let known = Self::ALL.iter().find(|(_, known)| known == name);
            let (one, _) = known.ok_or_else(|| TableError::UnknownCapability(name.clone()))?;
            set.add(*one);
        }
        Ok(set)
    }
}
