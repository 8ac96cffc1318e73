//! One mailing: a text that one sender sends to one or many.

use std::sync::Arc;

use crate::sender::Sender;
use crate::text::Article;

/// A text, its sender and whom it goes to.
#[derive(Clone, Debug)]
pub(crate) struct Mailing {
    /// Tells it from all others.
    pub(crate) key: u64,
    pub(crate) sender: Arc<Sender>,
    pub(crate) content: Content,
    /// Names and addresses.
    pub(crate) to: Vec<Recipient>,
    /// One message to all instead of one to each.
    pub(crate) is_joint: bool,
    /// The messages that it answers, oldest first.
    pub(crate) answers: Vec<Earlier>,
    /// What kind of mail it is, for counting.
    pub(crate) kind: &'static str,
    /// The campaign that it belongs to.
    pub(crate) campaign: Option<usize>,
    /// Tells whom the marks of recipients belong to, where that is not the sender: a campaign with a host of its own.
    pub(crate) marks: Option<u64>,
}

/// Somebody that it goes to.
#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    pub(crate) name: Arc<str>,
    pub(crate) address: Arc<str>,
}

/// A message that is answered.
#[derive(Clone, Debug)]
pub(crate) struct Earlier {
    pub(crate) sender: Arc<Sender>,
    pub(crate) mailing: u64,
    pub(crate) micros: i64,
    /// How many sentences it had.
    pub(crate) sentences: usize,
}

/// What a mailing says.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// So many sentences of a kind, drawn from the mailing's key.
    Drawn {
        kind: &'static [&'static str],
        topic: usize,
        sentences: usize,
        extras: Extras,
    },
    /// Articles: one is told, several are a digest.
    Told {
        articles: Vec<Article>,
        /// Sentences of each.
        sentences: usize,
        /// Instead of the first headline.
        subject: Option<Arc<str>>,
        extras: Extras,
    },
}

/// What comes with a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extras {
    /// Links besides those of the articles.
    pub(crate) links: usize,
    /// Pictures besides those of the design.
    pub(crate) pictures: usize,
    pub(crate) attachment: Option<Attached>,
    /// A logo that lies in the message.
    pub(crate) logo: bool,
    /// Starts with the recipient's name.
    pub(crate) personal: bool,
}

/// A file that comes with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attached {
    Pdf,
    Invitation,
    Picture,
    Table,
}

impl Mailing {
    pub(crate) fn extras(&self) -> Extras {
        match &self.content {
            Content::Drawn { extras, .. } | Content::Told { extras, .. } => *extras,
        }
    }

    /// The Message-ID of its `index`-th message, which is sent at `micros`.
    pub(crate) fn message_id(&self, index: usize, micros: i64) -> String {
        message_id(&self.sender, self.key, index, micros)
    }
}

impl Earlier {
    pub(crate) fn message_id(&self) -> String {
        message_id(&self.sender, self.mailing, 0, self.micros)
    }
}

fn message_id(sender: &Sender, mailing: u64, index: usize, micros: i64) -> String {
    let key = crate::random::mix(mailing, &[index as u64]);
    sender.software.message_id(key, micros, sender.domain())
}
