//! Office Open XML (ECMA-376): macros, what is fetched from elsewhere, embedded objects.

use std::io::{Cursor, Read as _};

use blackrod_model::mail::LinkRole;
use quick_xml::XmlVersion;
use quick_xml::events::Event as Xml;
use quick_xml::reader::Reader;
use zip::ZipArchive;

use super::{File, Notes, ole, qr};

/// The kinds that are looked at here.
pub(super) const KINDS: &[&str] = &["docx", "xlsx", "pptx"];

/// Parts of a document that are looked at.
const MAX_PARTS: usize = 2_000;
/// Parts that are unpacked.
const MAX_OPENED: usize = 64;
/// Bytes that are unpacked of one part.
const MAX_PART: usize = 1 << 20;
/// Events of one XML part.
const MAX_EVENTS: usize = 200_000;

type Document<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// A relationship to something outside the file.
#[derive(Debug, Default)]
struct External {
    /// The last word of its type: `attachedTemplate`, `hyperlink`, `oleObject`.
    kind: String,
    target: String,
}

/// Looks at a document.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    let mut document = match ZipArchive::new(Cursor::new(file.bytes)) {
        Ok(document) => document,
        Err(error) => {
            notes.signal("content/archive-unreadable", &format!("{}: {error}", file.name));
            return;
        }
    };
    let names: Vec<String> = (0..document.len().min(MAX_PARTS))
        .filter_map(|index| Some(document.name_for_index(index)?.ok()?.into_owned()))
        .collect();
    for name in &names {
        by_name(file, name, notes);
    }
    let mut opened = 0;
    for name in &names {
        if opened >= MAX_OPENED {
            notes.signal(
                "content/too-much",
                &format!("{}: more parts than are looked into", file.name),
            );
            break;
        }
        opened += usize::from(by_content(file, name, &mut document, notes));
    }
}

/// What the names of parts already say.
fn by_name(file: File<'_>, part: &str, notes: &mut Notes<'_>) {
    let lower = part.to_ascii_lowercase();
    let said = format!("{}: {part}", file.name);
    let codes = [
        (lower.contains("/macrosheets/"), "content/office-macro"),
        (lower.contains("/activex/"), "content/office-activex"),
        (lower.contains("customui"), "content/office-customui"),
    ];
    for (_, code) in codes.iter().filter(|(fits, _)| *fits) {
        notes.signal(code, &said);
    }
}

/// Unpacks a part that matters and looks at it; says whether it was unpacked.
fn by_content(file: File<'_>, part: &str, document: &mut Document<'_>, notes: &mut Notes<'_>) -> bool {
    let lower = part.to_ascii_lowercase();
    let is_text = [
        "word/document.xml",
        "word/header",
        "word/footer",
        "word/footnotes.xml",
    ]
    .iter()
    .any(|start| lower.starts_with(start));
    if lower.ends_with(".rels") {
        for external in unpacked(document, part, notes)
            .map(|xml| externals(&xml))
            .unwrap_or_default()
        {
            judge_external(file, &external, notes);
        }
    } else if lower.ends_with("vbaproject.bin") {
        if let Some(project) = unpacked(document, part, notes) {
            ole::macros(file.name, &project, notes);
        }
    } else if lower.contains("/embeddings/") && lower.ends_with(".bin") {
        if let Some(object) = unpacked(document, part, notes) {
            notes.signal(
                "content/office-embedded-object",
                &format!("{}: {part}", file.name),
            );
            ole::objects(file.name, &object, notes);
        }
    } else if lower.contains("/externallinks/") && lower.ends_with(".xml") {
        if unpacked(document, part, notes).is_some_and(|xml| memchr::memmem::find(&xml, b"ddeLink").is_some())
        {
            notes.signal("content/office-dde", &format!("{}: {part}", file.name));
        }
    } else if is_text && lower.ends_with(".xml") {
        let fields = unpacked(document, part, notes)
            .map(|xml| field_codes(&xml))
            .unwrap_or_default();
        if let Some(at) = dde(&fields) {
            notes.signal(
                "content/office-dde",
                &format!("{}: {}", file.name, crate::clip(at, 100)),
            );
        }
    } else if lower.contains("/media/")
        && [".png", ".jpg", ".jpeg", ".gif"]
            .iter()
            .any(|ending| lower.ends_with(ending))
    {
        if let Some(image) = unpacked(document, part, notes) {
            qr::image(&image, "qr in document", notes);
        }
    } else {
        return false;
    }
    true
}

fn unpacked(document: &mut Document<'_>, part: &str, notes: &mut Notes<'_>) -> Option<Vec<u8>> {
    let member = document.by_name(part).ok()?;
    // A size that is declared too small does no harm: no more than `room` is read.
    let declared = usize::try_from(member.size()).unwrap_or(MAX_PART);
    let room = notes.take_inflate(declared.clamp(1, MAX_PART));
    let mut bytes = Vec::new();
    member.take(room as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The relationships of a `.rels` part whose `TargetMode` is `External` (ECMA-376-2 9.3).
fn externals(xml: &[u8]) -> Vec<External> {
    let mut found = Vec::new();
    let mut reader = Reader::from_reader(xml);
    for _ in 0..MAX_EVENTS {
        let element = match reader.read_event() {
            Ok(Xml::Empty(element) | Xml::Start(element)) => element,
            Ok(Xml::Eof) | Err(_) => break,
            Ok(_) => continue,
        };
        if element.local_name().as_ref() != b"Relationship" {
            continue;
        }
        let mut external = External::default();
        let mut outside = false;
        for attribute in element.attributes().flatten() {
            let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else {
                continue;
            };
            match attribute.key.as_ref() {
                b"Type" => external.kind = value.rsplit('/').next().unwrap_or_default().to_owned(),
                b"Target" => external.target = value.into_owned(),
                b"TargetMode" => outside = value.eq_ignore_ascii_case("external"),
                _ => {}
            }
        }
        if outside {
            found.push(external);
        }
    }
    found
}

fn judge_external(file: File<'_>, external: &External, notes: &mut Notes<'_>) {
    let target = external.target.trim();
    let lower = target.to_ascii_lowercase();
    let is_share = lower.starts_with("\\\\") || lower.starts_with("file://");
    let is_remote = ["http:", "https:", "ftp:", "mhtml:", "ms-"]
        .iter()
        .any(|scheme| lower.starts_with(scheme));
    if !is_share && !is_remote {
        return;
    }
    let said = format!("{}: {} → {target}", file.name, external.kind);
    match external.kind.as_str() {
        "hyperlink" => {
            if is_share {
                notes.signal("content/office-share-link", &said);
            }
            notes.link(target, LinkRole::Click, "office hyperlink");
        }
        "attachedTemplate" => {
            // Templates of an organisation lie on its own shares.
            let code = if is_remote {
                "content/office-remote-template"
            } else {
                "content/office-share-template"
            };
            notes.signal(code, &said);
            notes.link(target, LinkRole::Beacon, "office template");
        }
        "image" => {
            notes.signal("content/office-remote-image", &said);
            notes.link(target, LinkRole::Beacon, "office image");
        }
        _ => {
            notes.signal("content/office-external-object", &said);
            notes.link(target, LinkRole::Beacon, "office object");
        }
    }
}

/// The instructions of all fields, joined: they may be cut into many runs.
fn field_codes(xml: &[u8]) -> String {
    let mut codes = String::new();
    let mut reader = Reader::from_reader(xml);
    let mut inside = false;
    for _ in 0..MAX_EVENTS {
        match reader.read_event() {
            Ok(Xml::Start(element)) if element.local_name().as_ref() == b"instrText" => inside = true,
            Ok(Xml::End(element)) if element.local_name().as_ref() == b"instrText" => inside = false,
            Ok(Xml::Text(text)) if inside => codes.push_str(&String::from_utf8_lossy(&text)),
            Ok(Xml::Start(element) | Xml::Empty(element))
                if element.local_name().as_ref() == b"fldSimple" =>
            {
                for attribute in element.attributes().flatten() {
                    if attribute.key.local_name().as_ref() == b"instr" {
                        codes.push('\n');
                        codes.push_str(&String::from_utf8_lossy(&attribute.value));
                    }
                }
            }
            Ok(Xml::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    codes
}

/// Where fields start a program through Dynamic Data Exchange.
fn dde(codes: &str) -> Option<&str> {
    let at = codes.find("DDEAUTO").or_else(|| codes.find("DDE "))?;
    codes.get(at..)
}
