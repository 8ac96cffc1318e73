//! Office and RTF files that fetch something when they are opened.

use std::io::{Cursor, Read as _};

/// Members of a file that are looked at, and bytes of each.
const MEMBERS: usize = 2_000;
const RELATIONS: u64 = 1 << 20;
/// Words of an RTF file that reach out: templates, linked objects, linked pictures (RTF 1.9.1).
const RTF_WORDS: [&str; 5] = [
    "\\*\\template http",
    "includepicture \"http",
    "\\objupdate",
    "\\objautlink",
    "\\*\\template \\\\",
];

/// What an Office file (ISO/IEC 29500) fetches by itself: relations to the outside other than hyperlinks.
pub(super) fn remote_part(file: &[u8]) -> Option<String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(file)).ok()?;
    for at in 0..archive.len().min(MEMBERS) {
        let Ok(member) = archive.by_index(at) else {
            continue;
        };
        let is_relations = member
            .name()
            .is_ok_and(|name| name.to_ascii_lowercase().ends_with(".rels"));
        if !is_relations {
            continue;
        }
        let mut relations = Vec::new();
        if member.take(RELATIONS).read_to_end(&mut relations).is_err() && relations.is_empty() {
            continue;
        }
        // UTF-16 becomes readable without its zeros; the words looked for are ASCII.
        relations.retain(|byte| *byte != 0);
        let text = String::from_utf8_lossy(&relations);
        let outside = text
            .split("<Relationship")
            .skip(1)
            .map(|rest| rest.split('>').next().unwrap_or_default())
            .find(|one| {
                let lower = one.to_ascii_lowercase();
                lower.contains("external")
                    && !lower.contains("/hyperlink\"")
                    && !lower.contains("/hyperlink'")
            });
        if let Some(one) = outside {
            return Some(one.trim().to_owned());
        }
    }
    None
}

/// What an RTF file fetches by itself.
pub(super) fn rtf_word(file: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(file).to_ascii_lowercase();
    RTF_WORDS
        .into_iter()
        .find(|word| text.contains(word))
        .map(str::to_owned)
}
