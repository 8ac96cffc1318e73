//! Archives: the names of their members, and whether a password keeps filters out.

use std::borrow::Cow;
use std::io::{Cursor, Read as _};

use super::listing::{Listing, MAX_MEMBERS};
use super::name::{self, Opens};
use super::{File, Notes, iso, password, rar, sniff, u16_at, u32_at};

/// The kinds that are looked at here.
pub(super) const KINDS: &[&str] = &[
    "zip", "jar", "apk", "msix", "odf", "rar", "7z", "gz", "tar", "cab", "iso", "udf", "img", "vhd", "vhdx",
    "vmdk", "bz2", "xz", "zst", "ace", "arj", "lzh",
];
/// Members that a ZIP archive may have to be listed at all.
const MAX_ENTRIES: usize = 50_000;
/// Unpacked size, and its ratio to the packed one, from which an archive is a bomb.
const BOMB: (u64, u64) = (1 << 30, 100);
/// Memory for reading the list of members of a 7z archive, in KiB.
const SEVEN_MEMORY: usize = 4 << 10;
/// How much of a compressed stream is unpacked to see what it is.
const PEEK: usize = 256 << 10;

/// Looks at an archive or a disk image.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    match file.kind {
        "jar" | "apk" | "msix" => {
            notes.signal("content/executable", &format!("{}: {}", file.name, file.kind))
        }
        "iso" | "udf" | "img" | "vhd" | "vhdx" | "vmdk" => {
            notes.signal("content/disk-image", &format!("{} is {}", file.name, file.kind))
        }
        "ace" | "arj" | "lzh" | "cab" => {
            notes.signal("content/rare-archive", &format!("{} is {}", file.name, file.kind))
        }
        _ => {}
    }
    match listing(file, notes) {
        Ok(Some(listing)) => judge(file, &listing, notes),
        Ok(None) => {}
        Err(reason) => notes.signal("content/archive-unreadable", &format!("{}: {reason}", file.name)),
    }
}

/// The list of members; none where the format has none that is read here.
fn listing(file: File<'_>, notes: &mut Notes<'_>) -> Result<Option<Listing>, String> {
    match file.kind {
        "zip" | "jar" | "apk" | "msix" | "odf" => of_zip(file.bytes).map(Some),
        "7z" => of_seven(file.bytes).map(Some),
        "rar" => rar::listing(file.bytes).map(Some),
        "tar" => of_tar(file.bytes).map(Some),
        "cab" => of_cabinet(file.bytes).map(Some),
        "iso" => iso::listing(file.bytes).map(Some),
        "gz" => of_gzip(file.bytes, notes),
        _ => Ok(None),
    }
}

fn judge(file: File<'_>, listing: &Listing, notes: &mut Notes<'_>) {
    let said = |member: &str| format!("{}: {member}", file.name);
    if listing.more {
        notes.signal(
            "content/too-much",
            &said(&format!("more than {MAX_MEMBERS} members")),
        );
    }
    if listing.encrypted {
        notes.signal("content/archive-encrypted", file.name);
        password::look(file.name, notes);
    }
    if listing.unpacked > BOMB.0 && listing.unpacked / BOMB.1 > file.bytes.len() as u64 {
        notes.signal(
            "content/archive-bomb",
            &said(&format!("{} bytes unpacked", listing.unpacked)),
        );
    }
    // Programs come packed for good reasons inside these.
    let is_package = matches!(file.kind, "jar" | "apk" | "msix" | "odf");
    for member in listing.names.iter().filter(|_| !is_package) {
        let leaf = member.rsplit(['/', '\\']).next().unwrap_or(member);
        name::disguise(leaf, notes);
        let code = match name::class(leaf) {
            Some(Opens::Program) => "content/archive-program",
            Some(Opens::Shortcut) => "content/archive-shortcut",
            Some(Opens::DiskImage | Opens::Archive) => "content/archive-nested",
            Some(Opens::MacroDocument) => "content/archive-macro",
            Some(Opens::Page) => "content/archive-html",
            None => continue,
        };
        notes.signal(code, &said(member));
    }
}

fn of_zip(bytes: &[u8]) -> Result<Listing, String> {
    // The reader keeps all of the directory in memory.
    let entries = memchr::memmem::find_iter(bytes, b"PK\x01\x02")
        .take(MAX_ENTRIES + 1)
        .count();
    if entries > MAX_ENTRIES {
        return Err(format!("more than {MAX_ENTRIES} members"));
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut listing = Listing::default();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        listing.encrypted |= member.encrypted();
        listing.unpacked = listing.unpacked.saturating_add(member.size());
        let name = member
            .name()
            .map_or_else(|_| String::from_utf8_lossy(member.name_raw()), Cow::from);
        if !listing.add(&name) {
            break;
        }
    }
    Ok(listing)
}

fn of_seven(bytes: &[u8]) -> Result<Listing, String> {
    let mut listing = Listing::default();
    let nobody = sevenz_rust2::Password::empty();
    match sevenz_rust2::Archive::read_with_memory_limit(&mut Cursor::new(bytes), &nobody, SEVEN_MEMORY) {
        Ok(archive) => {
            for (index, member) in archive.files.iter().enumerate() {
                listing.encrypted |= archive.is_file_encrypted(index);
                listing.unpacked = listing.unpacked.saturating_add(member.size());
                if !listing.add(member.name()) {
                    break;
                }
            }
            Ok(listing)
        }
        Err(_) if is_aes(bytes) => {
            listing.encrypted = true;
            Ok(listing)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the end of a 7z file, where its headers stand, names the AES coder (06F10701).
fn is_aes(bytes: &[u8]) -> bool {
    let tail = bytes
        .get(bytes.len().saturating_sub(64 << 10)..)
        .unwrap_or_default();
    memchr::memmem::find(tail, b"\x06\xf1\x07\x01").is_some()
}

fn of_tar(bytes: &[u8]) -> Result<Listing, String> {
    let mut listing = Listing::default();
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    for entry in archive.entries().map_err(|error| error.to_string())? {
        // What was cut off at the end was cut off by the peek into a compressed one, too.
        let Ok(entry) = entry else { break };
        listing.unpacked = listing.unpacked.saturating_add(entry.size());
        if !listing.add(&String::from_utf8_lossy(&entry.path_bytes())) {
            break;
        }
    }
    Ok(listing)
}

/// RFC 1952: the name that the header holds, and the members of a tar file inside.
fn of_gzip(bytes: &[u8], notes: &mut Notes<'_>) -> Result<Option<Listing>, String> {
    let room = notes.take_inflate(PEEK);
    let mut inner = Vec::new();
    let mut decoder = flate2::read::GzDecoder::new(bytes);
    let outcome = decoder.by_ref().take(room as u64).read_to_end(&mut inner);
    if inner.is_empty() {
        return outcome.map(|_| None).map_err(|error| error.to_string());
    }
    let mut listing = Listing::default();
    match sniff::kind(&inner) {
        Some("tar") => listing = of_tar(&inner)?,
        Some(kind @ ("exe" | "elf" | "lnk" | "js" | "vbs" | "hta" | "html" | "msi" | "iso")) => {
            listing.add(&format!("content.{kind}"));
        }
        _ => {}
    }
    if let Some(name) = decoder.header().and_then(|header| header.filename()) {
        listing.add(&String::from_utf8_lossy(name));
    }
    Ok(Some(listing))
}

/// [MS-CAB] 2.1 and 2.3: the header names where the list of files begins and how many there are.
fn of_cabinet(bytes: &[u8]) -> Result<Listing, String> {
    let mut listing = Listing::default();
    let header = || Some((u32_at(bytes, 16)?, u16_at(bytes, 28)?));
    let (mut at, count) = header().ok_or("its header is cut off")?;
    for _ in 0..count {
        let entry = || {
            let size = u32_at(bytes, at)?;
            let name = bytes.get(at + 16..)?;
            let length = memchr::memchr(0, name)?;
            Some((size, name.get(..length)?))
        };
        let (size, name) = entry().ok_or("its list of files is cut off")?;
        listing.unpacked = listing.unpacked.saturating_add(size as u64);
        at += 16 + name.len() + 1;
        if !listing.add(&String::from_utf8_lossy(name)) {
            break;
        }
    }
    Ok(listing)
}
