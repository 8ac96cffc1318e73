//! ISO 9660 images: the names of their files.

use super::listing::Listing;
use super::u32_at;

const SECTOR: usize = 2_048;
/// Directories read of one image; hostile ones may go in circles.
const MAX_DIRECTORIES: usize = 200;
/// Bytes of one directory.
const MAX_DIRECTORY: usize = 1 << 20;
/// Volume descriptors looked at.
const MAX_DESCRIPTORS: usize = 16;

/// The files of an ISO 9660 image, by their Joliet names where it has such (ECMA-119 8.4 and 9.1).
///
/// # Errors
///
/// What is wrong with it, in words for a person.
pub(super) fn listing(bytes: &[u8]) -> Result<Listing, String> {
    let (root, is_wide) = root(bytes).ok_or("it has no volume descriptor")?;
    let mut listing = Listing::default();
    let mut waiting = vec![root];
    let mut seen = Vec::new();
    while let Some((sector, size)) = waiting.pop() {
        if seen.contains(&sector) || seen.len() >= MAX_DIRECTORIES {
            continue;
        }
        seen.push(sector);
        let Some(start) = sector.checked_mul(SECTOR) else {
            continue;
        };
        let end = start.saturating_add(size.min(MAX_DIRECTORY)).min(bytes.len());
        let directory = bytes.get(start..end).unwrap_or_default();
        for block in directory.chunks(SECTOR) {
            entries(block, is_wide, &mut listing, &mut waiting);
        }
    }
    Ok(listing)
}

/// Where the root directory is, and whether its names are in UCS-2 (Joliet).
fn root(bytes: &[u8]) -> Option<((usize, usize), bool)> {
    const PRIMARY: u8 = 1;
    const SUPPLEMENTARY: u8 = 2;
    let mut found = None;
    for index in 0..MAX_DESCRIPTORS {
        let start = (16 + index) * SECTOR;
        let descriptor = bytes.get(start..start + SECTOR)?;
        if descriptor.get(1..6) != Some(b"CD001") {
            break;
        }
        let directory = || Some((u32_at(descriptor, 156 + 2)?, u32_at(descriptor, 156 + 10)?));
        let is_joliet = descriptor.get(88..90) == Some(b"%/");
        match descriptor.first().copied() {
            Some(PRIMARY) if found.is_none() => found = directory().map(|root| (root, false)),
            Some(SUPPLEMENTARY) if is_joliet => return directory().map(|root| (root, true)),
            _ => {}
        }
    }
    found
}

/// The directory records of one sector.
fn entries(block: &[u8], is_wide: bool, listing: &mut Listing, waiting: &mut Vec<(usize, usize)>) {
    const DIRECTORY: u8 = 2;
    let mut rest = block;
    while let Some(length) = rest
        .first()
        .map(|length| usize::from(*length))
        .filter(|length| *length >= 34)
    {
        let Some(record) = rest.get(..length) else { break };
        rest = rest.get(length..).unwrap_or_default();
        let parts = || {
            let size = usize::from(*record.get(32)?);
            Some((
                u32_at(record, 2)?,
                u32_at(record, 10)?,
                *record.get(25)?,
                record.get(33..33 + size)?,
            ))
        };
        let Some((sector, size, flags, name)) = parts() else {
            break;
        };
        if matches!(name, [] | [0] | [1]) {
            continue;
        }
        if flags & DIRECTORY != 0 {
            waiting.push((sector, size));
            continue;
        }
        let name = if is_wide {
            let units: Vec<u16> = name
                .as_chunks::<2>()
                .0
                .iter()
                .map(|pair| u16::from_be_bytes(*pair))
                .collect();
            String::from_utf16_lossy(&units)
        } else {
            String::from_utf8_lossy(name).into_owned()
        };
        listing.unpacked = listing.unpacked.saturating_add(size as u64);
        let plain = name.split(';').next().unwrap_or(&name);
        if !listing.add(plain) {
            return;
        }
    }
}
