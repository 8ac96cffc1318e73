//! ZIP archives (APPNOTE.TXT 6.3).
//!
//! The central directory is walked entry by entry and never held in memory: a hostile one can have
//! tens of millions of entries. Unlike an index by name, this also keeps members of the same name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use zip::CompressionMethod;
use zip::read::{Config, ZipFileEntry, ZipReadOptions, read_zipfile_from_stream};
use zip::result::{ZipError, ZipResult};
use zip::unstable::read::ZipIterable;

use super::{Container, Findings, Input, Member, Members, Opening};
use crate::evidence::{Packed, Stream};

/// ZIP archives.
pub(crate) struct Zip;

impl Container for Zip {
    fn name(&self) -> &'static str {
        "zip"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        let starts_member = head.starts_with(b"PK\x03\x04");
        let is_empty = head.starts_with(b"PK\x05\x06");
        let was_split = head.starts_with(b"PK\x07\x08PK\x03\x04");
        starts_member || is_empty || was_split
    }

    fn open(&self, input: Input<'_, '_>, members: &mut dyn Members) -> Opening {
        let window_bytes = input.stream.budget().limits.window_bytes;
        let file = match seekable(input) {
            Ok(file) => file,
            Err(error) => return Opening::Failed(error.to_string()),
        };
        open_file(&file, window_bytes, members)
            .unwrap_or_else(|error| Opening::Failed(format!("cannot be read: {error}")))
    }
}

/// The archive as a file that can be read back and forth: the one on disk, or a copy without a
/// name of what comes out of another container.
fn seekable(input: Input<'_, '_>) -> io::Result<File> {
    match input.file {
        Some(file) => file.try_clone(),
        None => spool(input.stream),
    }
}

fn spool(stream: &mut Stream<'_>) -> io::Result<File> {
    let most = stream.budget().limits.spool_bytes;
    let mut file = tempfile::tempfile()?;
    // What a damaged container below still gave may hold members; its fault is told there.
    let copied = match io::copy(&mut stream.take(most.saturating_add(1)), &mut file) {
        Ok(copied) => copied,
        Err(_) if stream.fault().is_some() => file.stream_position()?,
        Err(error) => return Err(error),
    };
    if copied > most {
        return Err(io::Error::other(format!(
            "stopped at a limit: archives inside others are opened up to {most} bytes"
        )));
    }
    Ok(file)
}

fn open_file(file: &File, window_bytes: u64, members: &mut dyn Members) -> io::Result<Opening> {
    let mut archive = match ZipIterable::try_new(BufReader::new(file), Config::default()) {
        Ok(archive) => archive,
        Err(error) => return recover(file, &error, members),
    };
    if is_document(&mut archive)? {
        let mut content = file.try_clone()?;
        content.seek(SeekFrom::Start(0))?;
        return Ok(Opening::Document(content));
    }
    let mut findings = Findings::default();
    let entries = archive.files()?;
    let mut number = 0u64;
    while let Some(entry) = entries.next() {
        number += 1;
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let reason = format!("the archive's directory is damaged at entry {number}: {error}");
                findings.damage(0, reason);
                break;
            }
        };
        if entry.is_dir() {
            continue;
        }
        let name = name_of(&entry);
        let reason = if entry.is_symlink() {
            let reason = format!("{name:?} is a symbolic link; links are not followed");
            findings.leave_out(entry.header_start(), reason);
            continue;
        } else {
            why_unreadable(&entry, window_bytes)
        };
        let packed = Packed::Bytes(entry.compressed_size());
        let opened = match reason {
            Some(reason) => Err(reason),
            None => entry
                .with_reader(entries.reader_mut(), ZipReadOptions::new())
                .map_err(|error| explain(&error)),
        };
        let flow = match opened {
            Ok(mut content) => members.member(&member(&name, packed), &mut content),
            Err(reason) => members.unreadable(&name, reason),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(Opening::Opened(findings))
}

/// Reads the members of an archive whose directory, which stands at its end, is lost: one after
/// the other from its start, up to the damage.
fn recover(mut file: &File, lost: &ZipError, members: &mut dyn Members) -> io::Result<Opening> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let mut findings = Findings::default();
    let mut recovered = 0u64;
    let (end, why) = loop {
        let start = reader.stream_position()?;
        let mut content = match read_zipfile_from_stream(&mut reader) {
            Ok(Some(content)) => content,
            Ok(None) => break (start, "the directory begins here".to_owned()),
            Err(error) => break (start, error.to_string()),
        };
        let name = name_of(&content.entry());
        if content.is_dir() {
            continue;
        }
        recovered += 1;
        let packed = Packed::Bytes(content.compressed_size());
        if members.member(&member(&name, packed), &mut content).is_break() {
            break (start, "reading was stopped".to_owned());
        }
    };
    let reason = format!(
        "the archive's directory is missing or damaged ({lost}); {recovered} members were read one after \
         the other, up to here ({why})"
    );
    findings.damage(end, reason);
    Ok(Opening::Opened(findings))
}

fn member(name: &str, packed: Packed) -> Member<'_> {
    Member {
        name,
        expected: None,
        packed,
    }
}

fn name_of(entry: &ZipFileEntry<'_>) -> String {
    match entry.name() {
        Ok(name) => name.into_owned(),
        Err(_) => String::from_utf8_lossy(entry.name_raw()).into_owned(),
    }
}

fn why_unreadable(entry: &ZipFileEntry<'_>, window_bytes: u64) -> Option<String> {
    if entry.encrypted() {
        return Some("encrypted; a password is needed".to_owned());
    }
    // These two take their window's size from the archive and keep all of it in memory.
    let has_window = matches!(
        entry.compression(),
        CompressionMethod::Lzma | CompressionMethod::Xz
    );
    (has_window && entry.size() > window_bytes).then(|| {
        format!(
            "stopped at a limit: {} members are unpacked up to {window_bytes} bytes",
            entry.compression()
        )
    })
}

fn explain(error: &ZipError) -> String {
    match error {
        ZipError::CompressionMethodNotSupported(method) => {
            format!("compression method {method} is not supported")
        }
        other => format!("cannot be unpacked: {other}"),
    }
}

/// Whether this is an office document, an e-book or a Java archive: such are files to their users,
/// and what is in them is looked at by detectors, not read as evidence.
fn is_document(archive: &mut ZipIterable<BufReader<&File>>) -> ZipResult<bool> {
    /// The marks stand near the start in all files of programs that write them.
    const LOOKED_AT: usize = 10_000;
    let mut starts_with_type = false;
    for (index, entry) in archive.files()?.take(LOOKED_AT).enumerate() {
        let Ok(entry) = entry else { break };
        match entry.name_raw() {
            b"[Content_Types].xml" | b"META-INF/MANIFEST.MF" => return Ok(true),
            b"mimetype" if index == 0 => starts_with_type = true,
            b"META-INF/manifest.xml" | b"META-INF/container.xml" if starts_with_type => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}
