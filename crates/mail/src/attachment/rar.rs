//! RAR: the names of its members, read off the headers. (No free library reads RAR: the one that unpacks it has a
//! licence of its own.)

use super::listing::Listing;
use super::{u16_at, u32_at};

const SIGNATURE_4: &[u8] = b"Rar!\x1a\x07\x00";
const SIGNATURE_5: &[u8] = b"Rar!\x1a\x07\x01\x00";

/// The members of a RAR archive (versions 1.5 to 7).
///
/// # Errors
///
/// What is wrong with it, in words for a person.
pub(super) fn listing(bytes: &[u8]) -> Result<Listing, String> {
    if let Some(rest) = bytes.strip_prefix(SIGNATURE_5) {
        return Ok(version_5(rest));
    }
    match bytes.strip_prefix(SIGNATURE_4) {
        Some(rest) => Ok(version_4(rest)),
        None => Err("unknown version of RAR".to_owned()),
    }
}

/// RAR 5.0 archive format (rarlab.com/technote.htm): headers of variable-length numbers. Stops at the first header
/// that is broken; what was listed till then stands.
fn version_5(bytes: &[u8]) -> Listing {
    const FILE: u64 = 2;
    const ENCRYPTION: u64 = 4;
    const END: u64 = 5;
    let mut listing = Listing::default();
    let mut rest = bytes;
    while let Some((header, kind, extra_at, data)) = header_5(&mut rest) {
        match kind {
            ENCRYPTION => {
                listing.encrypted = true;
                break;
            }
            END => break,
            FILE if file_5(header, extra_at, &mut listing).is_none() => {
                break;
            }
            _ => {}
        }
        let Some(after) = usize::try_from(data).ok().and_then(|size| rest.get(size..)) else {
            break;
        };
        rest = after;
    }
    listing
}

/// The next header without its size and checksum, its type, where in it the extra records begin, and the size of the
/// data that follow it.
fn header_5<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], u64, usize, u64)> {
    const HAS_EXTRA: u64 = 1;
    const HAS_DATA: u64 = 2;
    let mut cursor = rest.get(4..)?; // CRC-32
    let size = usize::try_from(number(&mut cursor)?).ok()?;
    let mut header = cursor.get(..size)?;
    *rest = cursor.get(size..)?;
    let kind = number(&mut header)?;
    let flags = number(&mut header)?;
    let extra = if flags & HAS_EXTRA != 0 {
        number(&mut header)?
    } else {
        0
    };
    let data = if flags & HAS_DATA != 0 {
        number(&mut header)?
    } else {
        0
    };
    let extra_at = header.len().checked_sub(usize::try_from(extra).ok()?)?;
    Some((header, kind, extra_at, data))
}

/// A file header: its fields, then (from `extra_at` on) the extra records, of which type 1 means encryption.
fn file_5(header: &[u8], extra_at: usize, listing: &mut Listing) -> Option<()> {
    const HAS_TIME: u64 = 2;
    const HAS_CHECKSUM: u64 = 4;
    let mut cursor = header;
    let flags = number(&mut cursor)?;
    listing.unpacked = listing.unpacked.saturating_add(number(&mut cursor)?);
    let _attributes = number(&mut cursor)?;
    let fixed = if flags & HAS_TIME != 0 { 4 } else { 0 } + if flags & HAS_CHECKSUM != 0 { 4 } else { 0 };
    cursor = cursor.get(fixed..)?;
    let _compression = number(&mut cursor)?;
    let _system = number(&mut cursor)?;
    let length = usize::try_from(number(&mut cursor)?).ok()?;
    let name = cursor.get(..length)?;
    let mut records = header.get(extra_at..)?;
    while let Some(size) = number(&mut records).and_then(|size| usize::try_from(size).ok()) {
        let mut record = records.get(..size)?;
        listing.encrypted |= number(&mut record) == Some(1);
        records = records.get(size..)?;
        if size == 0 {
            break;
        }
    }
    listing.add(&String::from_utf8_lossy(name)).then_some(())
}

/// A number in groups of seven bits, the least first.
fn number(cursor: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = cursor.split_first()?;
        *cursor = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// RAR 1.5 to 4: fixed blocks. Stops at the first that is broken.
fn version_4(bytes: &[u8]) -> Listing {
    const MAIN: u8 = 0x73;
    const FILE: u8 = 0x74;
    const END: u8 = 0x7b;
    const HEADERS_ENCRYPTED: usize = 0x80;
    const FILE_ENCRYPTED: usize = 0x04;
    const HAS_DATA: usize = 0x8000;
    const LARGE: usize = 0x100;
    let mut listing = Listing::default();
    let mut at = 0;
    loop {
        let block = || {
            Some((
                *bytes.get(at + 2)?,
                u16_at(bytes, at + 3)?,
                u16_at(bytes, at + 5)?,
            ))
        };
        let Some((kind, flags, size)) = block().filter(|(_, _, size)| *size >= 7) else {
            break;
        };
        if kind == END || kind == MAIN && flags & HEADERS_ENCRYPTED != 0 {
            listing.encrypted |= kind == MAIN;
            break;
        }
        let mut data = if kind == FILE || flags & HAS_DATA != 0 {
            u32_at(bytes, at + 7).unwrap_or_default()
        } else {
            0
        };
        if kind == FILE {
            listing.encrypted |= flags & FILE_ENCRYPTED != 0;
            let large = if flags & LARGE != 0 { 8 } else { 0 };
            if large > 0 {
                let high = u32_at(bytes, at + 32).unwrap_or_default();
                data = data.saturating_add(high.saturating_mul(1 << 32));
            }
            let file = || {
                let unpacked = u32_at(bytes, at + 11)?;
                let length = u16_at(bytes, at + 26)?;
                let start = at + 32 + large;
                Some((unpacked, bytes.get(start..start.checked_add(length)?)?))
            };
            let Some((unpacked, name)) = file() else { break };
            listing.unpacked = listing.unpacked.saturating_add(unpacked as u64);
            // With a Unicode name, the plain one comes first and ends with a zero.
            let plain = name.split(|byte| *byte == 0).next().unwrap_or(name);
            if !listing.add(&String::from_utf8_lossy(plain)) {
                break;
            }
        }
        let Some(next) = at.checked_add(size).and_then(|end| end.checked_add(data)) else {
            break;
        };
        at = next;
    }
    listing
}
