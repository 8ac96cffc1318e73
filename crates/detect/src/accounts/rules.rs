//! How suspicious a mailbox rule is.

/// A rule with so many points is reported by itself.
pub(super) const ALONE: u8 = 4;

/// Folders in which nobody looks, as Outlook calls them in the larger languages.
const HIDING_FOLDERS: &[&str] = &[
    "rss",
    "conversation history",
    "aufgezeichnete unterhaltungen",
    "historique des conversations",
    "junk",
    "spam",
    "deleted",
    "trash",
    "gelöschte",
    "supprimés",
    "eliminados",
    "posta eliminata",
    "verwijderde",
    "borttagna",
    "slettet",
    "usunięte",
    "удаленные",
    "sync issues",
    "calendar",
];

/// Folders that people use, and that hide mail as well.
const QUIET_FOLDERS: &[&str] = &["archive", "archiv", "notes"];

/// What such rules look for, to hide it from the owner.
const WORDS: &[&str] = &[
    "invoice",
    "payment",
    "bank",
    "wire",
    "transfer",
    "payroll",
    "iban",
    "password",
    "security",
    "phish",
    "spam",
    "hack",
    "virus",
    "suspicious",
    "helpdesk",
    "it support",
    "mfa",
    "microsoft",
    "docusign",
    "rechnung",
    "zahlung",
    "facture",
    "virement",
    "factura",
    "fattura",
];

/// What is known about a rule, whatever operation made it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rule<'r> {
    pub(super) name: &'r str,
    /// Where it sends mail on to.
    pub(super) forwards_to: Option<&'r str>,
    pub(super) deletes: bool,
    pub(super) marks_read: bool,
    pub(super) folder: Option<&'r str>,
    /// The words that it looks for.
    pub(super) condition: &'r str,
}

impl Rule<'_> {
    /// Points and what they are for.
    pub(super) fn points(&self) -> (u8, Vec<&'static str>) {
        let mut points = 0;
        let mut seen = Vec::new();
        let mut add = |more: u8, what: &'static str| {
            points += more;
            seen.push(what);
        };
        if self.forwards_to.is_some() {
            add(3, "sends mail on");
        }
        if self.deletes {
            add(2, "deletes");
        }
        if self.marks_read {
            add(1, "marks as read");
        }
        let folder = self.folder.map(str::to_lowercase);
        let is_in = |folders: &[&str]| {
            folder
                .as_ref()
                .is_some_and(|folder| folders.iter().any(|name| folder.contains(name)))
        };
        if is_in(HIDING_FOLDERS) {
            add(2, "moves to a folder where nobody looks");
        } else if is_in(QUIET_FOLDERS) {
            add(1, "moves to a folder where one seldom looks");
        }
        let name = self.name.trim();
        let is_odd = name.chars().count() <= 2 || !name.chars().any(char::is_alphanumeric);
        if is_odd {
            add(2, "has no real name");
        }
        let condition = self.condition.to_lowercase();
        if WORDS.iter().any(|word| condition.contains(word)) {
            add(2, "looks for words of money or security");
        }
        (points, seen)
    }
}
