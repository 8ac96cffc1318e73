//! One message, ready to be written or described.

use std::sync::Arc;

use crate::body::{Body, content_id};
use crate::date;
use crate::mailing::{Mailing, Recipient};
use crate::random::mix;
use crate::url::Keys;

/// One message of a simulation.
#[derive(Clone, Debug)]
pub struct Mail {
    pub(crate) mailing: Arc<Mailing>,
    pub(crate) body: Arc<Body>,
    /// Which of the mailing's recipients it goes to.
    pub(crate) index: usize,
    pub(crate) micros: i64,
    /// Its number in the run, from 1.
    pub(crate) number: u64,
}

impl Mail {
    /// When it was sent: microseconds since 1970-01-01 UTC.
    pub fn micros(&self) -> i64 {
        self.micros
    }

    /// Its number in the run, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// `Message-ID:` without angle brackets.
    pub fn message_id(&self) -> String {
        self.mailing.message_id(self.index, self.micros)
    }

    /// The index of the hidden campaign that it belongs to.
    pub fn campaign(&self) -> Option<usize> {
        self.mailing.campaign
    }

    /// What kind of mail it is: `newsletter`, `new-ngo`, `phishing`, …
    pub fn kind(&self) -> &'static str {
        self.mailing.kind
    }

    /// The address of its sender.
    pub fn from(&self) -> &str {
        &self.mailing.sender.address
    }

    /// Whether it is of before the first day.
    pub fn is_history(&self) -> bool {
        self.micros < crate::START_MICROS
    }

    /// Appends it to `out` as a record of an mbox (RFC 4155, `From ` quoted as in mboxrd). `buffer` is for working in.
    pub fn write_mbox(&self, buffer: &mut Vec<u8>, out: &mut Vec<u8>) {
        let mut separator = format!("From {} ", self.from());
        date::mbox(self.seconds(), &mut separator);
        separator.push('\n');
        out.extend_from_slice(separator.as_bytes());
        buffer.clear();
        self.write(buffer);
        for line in buffer.split_inclusive(|byte| *byte == b'\n') {
            let quotes = line.iter().take_while(|byte| **byte == b'>').count();
            if line[quotes..].starts_with(b"From ") {
                out.push(b'>');
            }
            out.extend_from_slice(line);
        }
        out.push(b'\n');
    }

    /// Whom it goes to.
    pub(crate) fn recipients(&self) -> &[Recipient] {
        match self.mailing.is_joint {
            true => &self.mailing.to,
            false => self.mailing.to.get(self.index..=self.index).unwrap_or_default(),
        }
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// What its tokens follow.
    pub(crate) fn keys(&self) -> Keys<'_> {
        let address = self
            .recipients()
            .first()
            .map_or("", |recipient| &*recipient.address);
        let recipient = address.bytes().fold(0, |state: u64, byte| {
            state.rotate_left(7).wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        });
        Keys {
            recipient: mix(recipient, &[]),
            message: self.key(),
            mailing: self.mailing.key,
            sender: self.mailing.marks.unwrap_or(self.mailing.sender.key),
            link: 0,
            address,
        }
    }

    /// Tells it from all others.
    pub(crate) fn key(&self) -> u64 {
        mix(self.mailing.key, &[self.index as u64])
    }

    pub(crate) fn content_id(&self) -> String {
        let mut id = String::new();
        content_id(&self.mailing, 0, &mut id);
        id
    }
}
