//! What a filter answers.

use crate::{Offer, frame};

/// An answer. After the end of the body, changes come before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// What the filter wants of what was offered.
    Negotiate(Offer),
    /// Go on; after the end of the body: deliver it.
    Continue,
    /// Deliver it and tell no more of it.
    Accept,
    /// Refuse it for good.
    Reject,
    /// Refuse it for now: the sending server tries again.
    TryAgain,
    /// Say that it was taken, and drop it.
    Discard,
    /// Refuse it with this SMTP reply: `550 5.7.1 …`.
    Code(String),
    /// Still at work.
    Progress,
}

impl Reply {
    /// Appends the frame.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Negotiate(offer) => frame(
                b'O',
                &[
                    &offer.version.to_be_bytes(),
                    &offer.actions.to_be_bytes(),
                    &offer.steps.to_be_bytes(),
                ],
                out,
            ),
            Self::Continue => frame(b'c', &[], out),
            Self::Accept => frame(b'a', &[], out),
            Self::Reject => frame(b'r', &[], out),
            Self::TryAgain => frame(b't', &[], out),
            Self::Discard => frame(b'd', &[], out),
            Self::Progress => frame(b'p', &[], out),
            // A per cent sign would be taken for a format.
            Self::Code(text) => frame(b'y', &[text.replace('%', "%%").as_bytes(), &[0]], out),
        }
    }
}

/// A change to the message, allowed only after the end of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Puts a header field at a place.
    InsertHeader {
        /// How many fields stand above it.
        index: u32,
        /// Its name.
        name: Vec<u8>,
        /// Its value; with the blank after the colon where [`crate::step::LEADING_SPACE`] was agreed on.
        value: Vec<u8>,
    },
    /// Replaces the n-th header field of a name; an empty value takes it out.
    ChangeHeader {
        /// Which one of this name, from 1.
        index: u32,
        /// Its name.
        name: Vec<u8>,
        /// Its new value.
        value: Vec<u8>,
    },
    /// A piece of the new body, at most [`crate::MAX_BODY_CHUNK`] bytes; all pieces together are the new body.
    Body(Vec<u8>),
}

impl Change {
    /// Appends the frame.
    pub fn write(&self, out: &mut Vec<u8>) {
        let nul: &[u8] = &[0];
        match self {
            Self::InsertHeader { index, name, value } => {
                frame(b'i', &[&index.to_be_bytes(), name, nul, value, nul], out);
            }
            Self::ChangeHeader { index, name, value } => {
                frame(b'm', &[&index.to_be_bytes(), name, nul, value, nul], out);
            }
            Self::Body(chunk) => frame(b'b', &[chunk], out),
        }
    }
}
