//! Applications that were allowed in: by what they may do, and by how many use them.

use blackrod_model::{AccountAct, Event};
use rustc_hash::{FxHashMap, FxHashSet};

/// An application that so many others let in before is one that the institution uses.
const USUAL: usize = 3;
/// Applications, and accounts for each, that are remembered.
const MAX_APPLICATIONS: usize = 100_000;

/// Rights over mail, files, chats and the directory, as Microsoft Graph and Exchange call them.
const FAR_REACHING: &[&str] = &[
    "mail.read",
    "mail.send",
    "mailboxsettings.readwrite",
    "full_access_as_app",
    "accessasuser.all",
    "files.read.all",
    "files.readwrite",
    "sites.read",
    "sites.fullcontrol",
    "chat.read",
    "notes.read.all",
    "directory.readwrite",
    "rolemanagement.",
    "approleassignment.",
    "application.readwrite",
    "user.readwrite.all",
];

/// Who let which application in.
#[derive(Default)]
pub(super) struct Consents {
    applications: FxHashMap<String, FxHashSet<String>>,
}

impl Consents {
    /// Whether others had let the application in before.
    pub(super) fn is_usual(&mut self, act: &AccountAct) -> bool {
        // The application is what the consent is about: its name or number comes right after the operation's name.
        let application = act.detail.split('|').nth(1).unwrap_or(&act.detail);
        if !self.applications.contains_key(application) && self.applications.len() >= MAX_APPLICATIONS {
            return false;
        }
        let users = self.applications.entry(application.to_owned()).or_default();
        let is_usual = users.len() >= USUAL && !users.contains(&act.user);
        if users.len() < USUAL {
            users.insert(act.user.clone());
        }
        is_usual
    }
}

/// Whether a record names rights that reach far.
pub(super) fn reaches_far(event: &Event<'_>) -> bool {
    event.fields.iter().any(|field| {
        let is_about_rights = ["Scope", "Permissions", "AppRole.Value", "newValue", "NewValue"]
            .iter()
            .any(|part| field.name.contains(part));
        let mut reaches = false;
        if is_about_rights {
            field.value.each_str(&mut |text| {
                let lower = text.to_ascii_lowercase();
                reaches |= FAR_REACHING.iter().any(|right| lower.contains(right));
            });
        }
        reaches
    })
}
