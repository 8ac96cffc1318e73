//! Reports of receivers about mail in our name: DMARC aggregate reports (RFC 7489 and RFC 9990), failure reports (RFC
//! 6591 and RFC 9991), and reports about TLS (RFC 8460).
//!
//! They come as files, packed or not, and as attachments of mail: what a message carries is told besides the message.

pub(crate) mod dmarc;
mod failure;
mod mailed;
#[cfg(test)]
mod tests;
pub(crate) mod tls;

pub(crate) use mailed::of_message;

/// No report is read further than this many bytes, unpacked.
const MAX_REPORT: usize = 16 << 20;
