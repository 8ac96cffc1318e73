//! Mail: single messages (`eml`, also Maildir files) and mailboxes (`mbox`).
//!
//! `mail-parser` finds the structure: header fields, multiparts, embedded messages. Transfer encodings are
//! decoded here with that crate's decoders, part by part, because the digest of an attachment is taken
//! between transfer decoding and charset decoding, and because a hostile message could otherwise make the
//! parser reserve memory for every part as if it filled the rest of the message.
//!
//! A message that would cost too much to take apart (hundreds of thousands of header fields, thousands of
//! boundaries that do not occur in it, megabytes of unfinished encoded words) becomes an event of its header
//! alone, and a refusal that stands for no record tells why.
//!
//! # Records
//!
//! One message is one record and becomes one event of class `email_activity`. Messages that it contains
//! (`message/rfc822`, down to eight layers) are no records of their own: their parts are among the event's
//! parts with a depth of 1 or more, and their headers are in [`Message::embedded`], so that the records of a
//! mailbox stay countable. What lies deeper is told by a refusal that stands for no record.
//!
//! # Fields
//!
//! For Sigma rules with `category: email`, for hunting, and as the record that is stored; bodies are not
//! among them. Fields without a value are absent. Lists hold the values in their order in the message.
//!
//! | field | what it holds | column |
//! |---|---|---|
//! | `from`, `from_name`, `from_domain` | first address of `From:`, its display name decoded, its domain in lower case | `mail_from` |
//! | `from_all` | list: all addresses of `From:`, where there is more than one | |
//! | `sender`, `reply_to`, `reply_to_domain`, `return_path` | the addresses of these fields | |
//! | `to`, `cc`, `delivered_to` | lists of addresses; `delivered_to` from `Bcc`, `Delivered-To`, `X-Original-To`, `Envelope-To` | `mail_to` (from `to`) |
//! | `subject` | decoded | `subject` |
//! | `message_id`, `in_reply_to` | without angle brackets | `message_id` |
//! | `references` | list, without angle brackets, oldest first, at most 1,000 | |
//! | `date` | `Date:` as written | |
//! | `received` | list: the `Received:` fields, unfolded, latest first | |
//! | `src_ip` | address of the first outside host in the `Received:` chain, from the top; best effort | `src_ip` |
//! | `x_mailer`, `user_agent`, `x_originating_ip`, `list_id`, `list_unsubscribe`, `precedence`, `auto_submitted`, `authentication_results`, `received_spf`, `disposition_notification_to` | the first field of that name, unfolded | |
//! | `header_names` | list: names of all header fields in their order, at most 1,000 | |
//! | `content_type` | of the message, lower case, without parameters | |
//! | `attachment_names`, `attachment_types`, `attachment_sha256` | lists, one item per attachment (the name is empty where there is none) | |
//! | `url`, `urls`, `url_domains` | the first URL; at most 500 different URLs and their hosts from text and HTML bodies | `url` (from `url`) |
//!
//! # Time
//!
//! The event's time is that of `Date:`, unless it is before 1990 or more than two days after the topmost
//! `Received:`; then it is the latter's, and unknown where there is none.

mod decode;
mod eml;
mod event;
mod head;
mod limits;
mod mbox;
mod message;
mod urls;

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod tests;

use blackrod_model::mail::Message;
use blackrod_model::{Position, Refusal};

pub use eml::Eml;
pub use mbox::Mbox;

use crate::Sink;

/// The largest message that is read; a larger one is refused with its size.
pub const MESSAGE_LIMIT: usize = 128 * 1024 * 1024;

/// Takes `raw` apart and hands it to `sink` as the record at `at`.
fn read_message(raw: &[u8], at: Position, sink: &mut dyn Sink) {
    let buffers = decode::Buffers::default();
    let taken = match message::take_apart(raw, &buffers) {
        Ok(taken) => taken,
        Err(reason) => return sink.refuse_record(at, reason),
    };
    for reason in taken.notes {
        sink.refuse(Refusal {
            at,
            records: 0,
            reason,
        });
    }
    let event = event::of_message(taken.message, at);
    if let Some(message) = &event.mail {
        crate::reports::of_message(message, at, sink);
    }
    sink.event(event);
}

/// The text of a message's `Content-Type:`, for rules: what the outermost part says it is.
fn outer_content_type<'m>(message: &'m Message<'_>) -> Option<&'m str> {
    let value = message.header("Content-Type")?;
    let main = value.split(';').next().unwrap_or(value).trim();
    (!main.is_empty()).then_some(main)
}
