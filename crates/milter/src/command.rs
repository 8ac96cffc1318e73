//! What a mail server tells.

use bytes::{Buf as _, BytesMut};

use crate::{MAX_FRAME, ProtocolError};

/// What both sides can do, as one of them offers it (`SMFIC_OPTNEG`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The version of the protocol.
    pub version: u32,
    /// See [`crate::action`].
    pub actions: u32,
    /// See [`crate::step`].
    pub steps: u32,
}

/// One command. Texts are as they came, without their closing NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// What the mail server can do. Comes first.
    Negotiate(Offer),
    /// Values of macros for the command that follows: `i` the queue id, `{auth_authen}` who signed in.
    Macros {
        /// The letter of the command that they are for.
        command: u8,
        /// Names with their values.
        values: Vec<(Vec<u8>, Vec<u8>)>,
    },
    /// A client connected.
    Connect {
        /// Its name, or its address in brackets.
        host: Vec<u8>,
        /// `4`, `6`, `L` (Unix socket) or `U` (unknown).
        family: u8,
        /// Its address; empty where the family is unknown.
        address: Vec<u8>,
    },
    /// HELO or EHLO.
    Helo(Vec<u8>),
    /// The envelope sender, with angle brackets; a message begins.
    Mail(Vec<u8>),
    /// An envelope recipient, with angle brackets.
    Recipient(Vec<u8>),
    /// The DATA command.
    Data,
    /// A header field.
    Header {
        /// Its name.
        name: Vec<u8>,
        /// Its value; folded lines are joined by LF.
        value: Vec<u8>,
    },
    /// All header fields were told.
    EndOfHeader,
    /// A piece of the body.
    Body(Vec<u8>),
    /// The message is whole; what comes with it is the body's last piece.
    EndOfBody(Vec<u8>),
    /// The message is given up; the connection goes on.
    Abort,
    /// The connection ends.
    Quit,
    /// Another client's session follows on this connection.
    QuitNewConnection,
    /// An SMTP command that the mail server does not know.
    Unknown(Vec<u8>),
}

/// Takes the first command out of `received`; none where it is not there as a whole yet.
///
/// # Errors
///
/// [`ProtocolError`] where there is something else. A connection that sent that cannot be read on.
pub fn next_command(received: &mut BytesMut) -> Result<Option<Command>, ProtocolError> {
    let Some(head) = received.first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*head);
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if size == 0 || size > MAX_FRAME {
        return Err(ProtocolError::FrameLength { length });
    }
    let Some(frame) = received.get(4..4 + size) else {
        return Ok(None);
    };
    let command = parse(frame)?;
    received.advance(4 + size);
    Ok(Some(command))
}

fn parse(frame: &[u8]) -> Result<Command, ProtocolError> {
    let Some((&code, rest)) = frame.split_first() else {
        return Err(ProtocolError::FrameLength { length: 0 });
    };
    let malformed = ProtocolError::Malformed {
        code: char::from(code),
    };
    let text = || match rest.split(|byte| *byte == 0).next() {
        Some(text) if text.len() < rest.len() => Ok(text.to_vec()),
        _ => Err(malformed.clone()),
    };
    Ok(match code {
        b'O' => Command::Negotiate(offer(rest).ok_or(malformed)?),
        b'D' => macros(rest).ok_or(malformed)?,
        b'C' => connect(rest).ok_or(malformed)?,
        b'H' => Command::Helo(text()?),
        b'M' => Command::Mail(text()?),
        b'R' => Command::Recipient(text()?),
        b'T' => Command::Data,
        b'L' => header(rest).ok_or(malformed)?,
        b'N' => Command::EndOfHeader,
        b'B' => Command::Body(rest.to_vec()),
        b'E' => Command::EndOfBody(rest.to_vec()),
        b'A' => Command::Abort,
        b'Q' => Command::Quit,
        b'K' => Command::QuitNewConnection,
        b'U' => Command::Unknown(text()?),
        other => {
            return Err(ProtocolError::UnknownCommand {
                code: char::from(other),
            });
        }
    })
}

fn offer(rest: &[u8]) -> Option<Offer> {
    let number = |at: usize| {
        rest.get(at..)
            .and_then(|rest| rest.first_chunk::<4>())
            .map(|bytes| u32::from_be_bytes(*bytes))
    };
    Some(Offer {
        version: number(0)?,
        actions: number(4)?,
        steps: number(8)?,
    })
}

fn macros(rest: &[u8]) -> Option<Command> {
    let (&command, mut rest) = rest.split_first()?;
    let mut values = Vec::new();
    while !rest.is_empty() {
        let (name, after) = until_nul(rest)?;
        let (value, after) = until_nul(after)?;
        values.push((name.to_vec(), value.to_vec()));
        rest = after;
    }
    Some(Command::Macros { command, values })
}

fn connect(rest: &[u8]) -> Option<Command> {
    let (host, rest) = until_nul(rest)?;
    let (&family, rest) = rest.split_first()?;
    let address = match family {
        b'U' => &[],
        _ => until_nul(rest.get(2..)?)?.0,
    };
    Some(Command::Connect {
        host: host.to_vec(),
        family,
        address: address.to_vec(),
    })
}

fn header(rest: &[u8]) -> Option<Command> {
    let (name, rest) = until_nul(rest)?;
    let (value, _) = until_nul(rest)?;
    Some(Command::Header {
        name: name.to_vec(),
        value: value.to_vec(),
    })
}

/// What stands before the first NUL, and what after it.
fn until_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}
