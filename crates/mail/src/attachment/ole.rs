//! Compound files (MS-CFB): macros, embedded objects, the equation editor, encryption.

use std::io::{Cursor, Read as _};

use memchr::memmem;

use super::{File, Notes, password, u16_at};

/// The kinds that are looked at here.
pub(super) const KINDS: &[&str] = &["ole"];

/// Entries of a file that are looked at.
const MAX_ENTRIES: usize = 2_000;
/// Bytes that are read of one stream.
const MAX_STREAM: usize = 1 << 20;
/// Bytes that one compressed macro module may have, unpacked.
const MAX_MODULE: usize = 1 << 20;

/// Names of macros that run by themselves, in lower case (MS-OFFMACRO; Word and Excel event handlers).
const AUTOMATIC: &[&str] = &[
    "autoopen",
    "auto_open",
    "autoexec",
    "autoexit",
    "autoclose",
    "auto_close",
    "autonew",
    "document_open",
    "documentopen",
    "document_close",
    "document_new",
    "workbook_open",
    "workbook_activate",
    "workbook_beforeclose",
    "worksheet_activate",
    "_onload",
    "_painted",
    "_layout",
    "_gotfocus",
];
/// What macros of documents seldom need: starting programs, downloading, calling the system.
const REACHING: &[&str] = &[
    "shell(",
    "shell ",
    "wscript.shell",
    "shell.application",
    "powershell",
    "urldownloadtofile",
    "msxml2",
    "winhttp",
    "adodb.stream",
    "createobject",
    "getobject",
    "virtualalloc",
    "createthread",
    "callwindowproc",
    "environ(",
    "callbyname",
    "executeexcel4macro",
    "mshta",
    "regsvr32",
    "rundll32",
];

type Compound<'a> = cfb::CompoundFile<Cursor<&'a [u8]>>;

/// Looks at a compound file.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    let Some((mut compound, paths)) = open(file.bytes) else {
        notes.signal(
            "content/archive-unreadable",
            &format!("{}: a broken compound file", file.name),
        );
        return;
    };
    if paths.iter().any(|path| leaf(path) == "EncryptedPackage") || is_encrypted(&mut compound, &paths) {
        notes.signal("content/office-encrypted", file.name);
        password::look(file.name, notes);
    }
    if is_installer(&compound) {
        notes.signal(
            "content/executable",
            &format!("{}: an installer (MSI)", file.name),
        );
        return;
    }
    if has_macro_sheet(&mut compound, &paths) {
        notes.signal(
            "content/office-macro",
            &format!("{}: an Excel 4.0 macro sheet", file.name),
        );
    }
    objects_in(file.name, &mut compound, &paths, notes);
    macros_in(file.name, &mut compound, &paths, notes);
}

/// What a compound file is, by its streams.
pub(super) fn inner_kind(bytes: &[u8]) -> Option<&'static str> {
    let (compound, paths) = open(bytes)?;
    if is_installer(&compound) {
        return Some("msi");
    }
    let has = |name: &str| paths.iter().any(|path| leaf(path) == name);
    let kinds = [
        ("EncryptedPackage", "office-encrypted"),
        ("WordDocument", "doc"),
        ("Workbook", "xls"),
        ("Book", "xls"),
        ("PowerPoint Document", "ppt"),
        ("VisioDocument", "vsd"),
        ("__properties_version1.0", "msg"),
        ("Quill", "pub"),
    ];
    kinds.iter().find(|(name, _)| has(name)).map(|(_, kind)| *kind)
}

/// Looks at a VBA project (`vbaProject.bin`) of document `name`.
pub(super) fn macros(name: &str, project: &[u8], notes: &mut Notes<'_>) {
    match open(project) {
        Some((mut compound, paths)) => macros_in(name, &mut compound, &paths, notes),
        None => notes.signal(
            "content/office-macro",
            &format!("{name}: a macro project that cannot be read"),
        ),
    }
}

/// Looks at the objects in an embedded compound file of document `name`.
pub(super) fn objects(name: &str, object: &[u8], notes: &mut Notes<'_>) {
    if let Some((mut compound, paths)) = open(object) {
        objects_in(name, &mut compound, &paths, notes);
    }
}

fn open(bytes: &[u8]) -> Option<(Compound<'_>, Vec<String>)> {
    let compound = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
    let paths = compound
        .walk()
        .take(MAX_ENTRIES)
        .filter(|entry| entry.is_stream())
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect();
    Some((compound, paths))
}

fn leaf(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn stream(compound: &mut Compound<'_>, path: &str, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let stream = compound.open_stream(path).ok()?;
    stream.take(limit as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The class of Windows Installer databases and patches, {000C108x-0000-0000-C000-000000000046}.
fn is_installer(compound: &Compound<'_>) -> bool {
    let class = compound.root_entry().clsid().to_string();
    class.starts_with("000c108") && class.ends_with("-0000-0000-c000-000000000046")
}

/// Whether the old binary formats say that a password is needed: Word's FibBase.fEncrypted (MS-DOC 2.5.2), Excel's
/// FilePass record (MS-XLS 2.4.117).
fn is_encrypted(compound: &mut Compound<'_>, paths: &[String]) -> bool {
    for path in paths {
        let found = match leaf(path) {
            "WordDocument" => stream(compound, path, 16)
                .and_then(|header| u16_at(&header, 0x0a))
                .is_some_and(|flags| flags & 0x0100 != 0),
            "Workbook" | "Book" => stream(compound, path, 4 << 10)
                .is_some_and(|book| records(&book).any(|(kind, _)| kind == 0x2f)),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether a workbook has a sheet of Excel 4.0 macros: `dt` of its BoundSheet8 is 1 (MS-XLS 2.4.28).
fn has_macro_sheet(compound: &mut Compound<'_>, paths: &[String]) -> bool {
    const BOUND_SHEET: usize = 0x85;
    paths
        .iter()
        .filter(|path| matches!(leaf(path), "Workbook" | "Book"))
        .any(|path| {
            stream(compound, path, MAX_STREAM).is_some_and(|book| {
                records(&book).any(|(kind, data)| kind == BOUND_SHEET && data.get(5) == Some(&1))
            })
        })
}

/// The records of a BIFF stream: a number, a length, data.
fn records(book: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let kind = u16_at(book, at)?;
        let size = u16_at(book, at + 2)?;
        let data = book.get(at + 4..at + 4 + size)?;
        at += 4 + size;
        Some((kind, data))
    })
}

fn objects_in(name: &str, compound: &mut Compound<'_>, paths: &[String], notes: &mut Notes<'_>) {
    for path in paths {
        match leaf(path) {
            "Equation Native" => notes.signal("content/equation-editor", &format!("{name}: {path}")),
            "\u{1}Ole10Native" => {
                let label = stream(compound, path, 4 << 10)
                    .and_then(|native| package_label(&native))
                    .unwrap_or_default();
                notes.signal("content/office-embedded-file", &format!("{name}: {label}"));
            }
            _ => {}
        }
    }
}

/// The label of a packaged file: after the size and two bytes, a text that ends with a zero.
fn package_label(native: &[u8]) -> Option<String> {
    let text = native.get(6..)?;
    let end = memchr::memchr(0, text)?;
    Some(String::from_utf8_lossy(text.get(..end)?).into_owned())
}

/// Looks for macros in the streams beside a `dir` stream, and wherever compressed source stands. The `dir` stream itself
/// is not needed: who wants to hide modules from tools writes nonsense there.
fn macros_in(name: &str, compound: &mut Compound<'_>, paths: &[String], notes: &mut Notes<'_>) {
    let has_project = paths
        .iter()
        .any(|path| leaf(path) == "_VBA_PROJECT" || path.to_ascii_uppercase().contains("/VBA/"));
    if !has_project {
        return;
    }
    let mut source = String::new();
    for path in paths
        .iter()
        .filter(|path| path.to_ascii_uppercase().contains("VBA"))
    {
        let room = notes.take_inflate(
            compound
                .entry(path)
                .map_or(0, |entry| entry.len() as usize)
                .min(MAX_STREAM),
        );
        if let Some(bytes) = stream(compound, path, room) {
            source.push_str(&module_source(&bytes).to_ascii_lowercase());
        }
    }
    // Every document that was ever opened in the editor has empty modules: attributes and nothing else.
    let has_code = source.lines().any(|line| {
        !line.trim().is_empty() && !line.starts_with("attribute") && !line.trim_start().starts_with("option ")
    });
    if !has_code && !source.is_empty() {
        return;
    }
    let automatic = AUTOMATIC.iter().find(|word| source.contains(**word));
    let reaching: Vec<&str> = REACHING
        .iter()
        .copied()
        .filter(|word| source.contains(word))
        .collect();
    let said = format!(
        "{name}: {}; {}",
        automatic.map_or("no automatic start", |word| word),
        reaching.join(", ")
    );
    notes.signal("content/office-macro", name);
    if automatic.is_some() {
        notes.signal("content/office-macro-automatic", &said);
    }
    if !reaching.is_empty() {
        notes.signal("content/office-macro-reaching", &said);
    }
}

/// The source of a module: a compressed container that begins with `Attribut` (every module does).
fn module_source(bytes: &[u8]) -> String {
    let mark = memmem::find(bytes, b"\0Attribut");
    let start = mark
        .and_then(|at| at.checked_sub(3))
        .filter(|start| bytes.get(*start) == Some(&1));
    let container = start.and_then(|start| bytes.get(start..)).unwrap_or_default();
    String::from_utf8_lossy(&decompressed(container)).into_owned()
}

/// Decompression of MS-OVBA 2.4.1: chunks of at most 4,096 bytes, tokens that copy what stands before. What is
/// broken ends it.
fn decompressed(container: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = container.get(1..).unwrap_or_default();
    while let Some(header) = u16_at(rest, 0) {
        let size = (header & 0x0fff) + 3;
        let Some(chunk) = rest.get(2..size.min(rest.len())) else {
            break;
        };
        if out.len() >= MAX_MODULE {
            break;
        }
        if header & 0x8000 == 0 {
            out.extend_from_slice(chunk);
        } else {
            chunk_into(chunk, &mut out);
        }
        rest = rest.get(size..).unwrap_or_default();
    }
    out
}

/// One compressed chunk.
fn chunk_into(chunk: &[u8], out: &mut Vec<u8>) {
    const CHUNK: usize = 4_096;
    let start = out.len();
    let mut at = 0;
    while let Some(flags) = chunk.get(at).copied() {
        at += 1;
        for bit in 0..8 {
            if out.len() - start >= CHUNK {
                return;
            }
            if flags & 1 << bit == 0 {
                let Some(byte) = chunk.get(at) else { return };
                out.push(*byte);
                at += 1;
                continue;
            }
            let Some(token) = u16_at(chunk, at) else { return };
            at += 2;
            let done = out.len() - start;
            // The more stands before, the more bits say how far back.
            let back_bits = done.max(1).next_power_of_two().trailing_zeros().clamp(4, 12);
            let length_mask = 0xffff >> back_bits;
            let length = (token & length_mask) + 3;
            let back = (token >> (16 - back_bits)) + 1;
            for _ in 0..length {
                let Some(byte) = out
                    .len()
                    .checked_sub(back)
                    .filter(|from| *from >= start)
                    .and_then(|from| out.get(from).copied())
                else {
                    return;
                };
                out.push(byte);
            }
        }
    }
}

/// The names of the objects that bytes of an OLE 1.0 object mention, for formats that embed them in their own way.
pub(super) fn object_marks(bytes: &[u8]) -> Option<&'static str> {
    /// {0002CE02-0000-0000-C000-000000000046}, Microsoft Equation 3.0.
    const EQUATION: &[u8] = b"\x02\xce\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F";
    let has = |mark: &[u8]| memmem::find(bytes, mark).is_some();
    if has(EQUATION) || has(b"Equation.3") || has(b"E\0q\0u\0a\0t\0i\0o\0n\0 \0N\0a\0t") {
        return Some("Equation.3");
    }
    if has(b"Ole2Link") || has(b"OLE2Link") || has(b"OLE2LINK") {
        return Some("OLE2Link");
    }
    if has(b"Package\0") || has(b"O\0l\0e\x001\x000\x00N\0a\0t\0i\0v\0e") {
        return Some("Package");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_s_example_is_decompressed() {
        // MS-OVBA 3.2.2.
        let container = [
            0x01, 0x2f, 0xb0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70,
            0x61, 0x67, 0x68, 0x69, 0x6a, 0x01, 0x38, 0x08, 0x61, 0x6b, 0x6c, 0x00, 0x30, 0x6d, 0x6e, 0x6f,
            0x70, 0x06, 0x71, 0x02, 0x70, 0x04, 0x10, 0x72, 0x73, 0x74, 0x75, 0x76, 0x10, 0x77, 0x78, 0x79,
            0x7a, 0x00, 0x3c,
        ];
        assert_eq!(
            String::from_utf8_lossy(&decompressed(&container)),
            "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"
        );
    }

    #[test]
    fn broken_containers_end_early() {
        assert_eq!(decompressed(&[]), b"");
        assert_eq!(decompressed(&[1, 0xff]), b"");
        assert_eq!(decompressed(&[1, 0x02, 0xb0, 0x01, 0xff, 0xff]), b"");
    }
}
