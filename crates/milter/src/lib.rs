//! The milter protocol, versions 2 to 6, as Sendmail 8.14 and Postfix 2.6 and later speak it.
//!
//! Nothing here does I/O: [`next_command`] takes commands out of what was received, [`Reply::write`] and [`Change::write`]
//! append what is to be sent. Header values are kept as bytes: mail holds what is no UTF-8, and a signature is made over
//! what was sent, not over what could be read of it.
//!
//! Source: Sendmail's `include/libmilter/mfdef.h` and the description of the protocol in `libmilter/docs`.

mod command;
mod reply;

pub use command::{Command, Offer, next_command};
pub use reply::{Change, Reply};

/// What a filter may ask a mail server to change (`SMFIF_*`).
pub mod action {
    /// Add header fields.
    pub const ADD_HEADERS: u32 = 0x01;
    /// Replace the body.
    pub const CHANGE_BODY: u32 = 0x02;
    /// Change or delete header fields.
    pub const CHANGE_HEADERS: u32 = 0x10;
    /// Hold the message in the mail server's own quarantine.
    pub const QUARANTINE: u32 = 0x20;
}

/// What a filter wants to be told, and how (`SMFIP_*`).
pub mod step {
    /// No answer to header fields.
    pub const NO_REPLY_HEADER: u32 = 0x80;
    /// Unknown SMTP commands are not told.
    pub const NO_UNKNOWN: u32 = 0x100;
    /// The DATA command is not told.
    pub const NO_DATA: u32 = 0x200;
    /// No answer to the connection.
    pub const NO_REPLY_CONNECT: u32 = 0x1000;
    /// No answer to HELO.
    pub const NO_REPLY_HELO: u32 = 0x2000;
    /// No answer to MAIL.
    pub const NO_REPLY_MAIL: u32 = 0x4000;
    /// No answer to RCPT.
    pub const NO_REPLY_RECIPIENT: u32 = 0x8000;
    /// No answer to the end of the header.
    pub const NO_REPLY_END_OF_HEADER: u32 = 0x4_0000;
    /// No answer to pieces of the body.
    pub const NO_REPLY_BODY: u32 = 0x8_0000;
    /// Header values come, and are given, with the blank after the colon.
    pub const LEADING_SPACE: u32 = 0x10_0000;
}

/// The latest version of the protocol that is spoken here.
pub const VERSION: u32 = 6;

/// The longest frame that a mail server sends: 64 KiB of body, a header field as long as it takes them, and room.
pub const MAX_FRAME: usize = 1 << 20;

/// The most of a body that one [`Change::Body`] may carry (`MILTER_CHUNK_SIZE`).
pub const MAX_BODY_CHUNK: usize = 65_535;

/// Why what was received is not the milter protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A frame announces more than [`MAX_FRAME`] bytes, or none at all. Nothing after it can be read.
    #[error("a frame of {length} bytes")]
    FrameLength {
        /// What it announces.
        length: u32,
    },
    /// A command without what belongs to it.
    #[error("the command {code:?} is not whole")]
    Malformed {
        /// Its letter.
        code: char,
    },
    /// A command that no version of the protocol has.
    #[error("there is no command {code:?}")]
    UnknownCommand {
        /// Its letter.
        code: char,
    },
}

/// Appends a frame: its length, its letter, its content.
fn frame(code: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    // Contents are bounded by the chunks of a body and by header fields that came in frames themselves.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.push(code);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests;
