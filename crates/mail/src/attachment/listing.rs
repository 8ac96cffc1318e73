//! The members of an archive or a disk image, as it lists them itself.

/// Members listed of one archive.
pub(super) const MAX_MEMBERS: usize = 2_000;
/// Bytes of a member's name.
const MAX_NAME: usize = 1_000;

/// What an archive says about itself.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The names of its members.
    pub(super) names: Vec<String>,
    /// Some content, or all names, need a password.
    pub(super) encrypted: bool,
    /// The size of all members, unpacked.
    pub(super) unpacked: u64,
    /// It has more members than are listed.
    pub(super) more: bool,
}

impl Listing {
    /// Adds a member; false where there is no room for more.
    pub(super) fn add(&mut self, name: &str) -> bool {
        if self.names.len() >= MAX_MEMBERS {
            self.more = true;
            return false;
        }
        self.names.push(crate::clip(name, MAX_NAME).to_owned());
        true
    }
}
