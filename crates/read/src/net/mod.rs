//! What networks tell: flow exports, captures, and the logs of sensors and firewalls.
//!
//! Flows and packets are told of in batches ([`Sink::flows`](crate::Sink::flows)), because there are millions a
//! second; what becomes an event is the [`conversation`](conversations) of a minute. Logs of sensors and firewalls
//! become an event a line, like all logs.

mod batch;
pub(crate) mod capture;
mod conversations;
pub(crate) mod datagrams;
mod export;
mod packet;
mod records;
mod sflow;
pub(crate) mod suricata;
mod templates;
#[cfg(test)]
mod tests;
pub(crate) mod traffic;
pub(crate) mod zeek;

/// The big-endian number of two bytes at `at`.
fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at.checked_add(2)?)?;
    digits.try_into().ok().map(u16::from_be_bytes)
}

/// The big-endian number of four bytes at `at`.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at.checked_add(4)?)?;
    digits.try_into().ok().map(u32::from_be_bytes)
}

/// The big-endian number that up to eight bytes are (RFC 7011 6.2: numbers may be sent shorter).
fn number(bytes: &[u8]) -> u64 {
    let last = bytes.get(bytes.len().saturating_sub(8)..).unwrap_or_default();
    last.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
