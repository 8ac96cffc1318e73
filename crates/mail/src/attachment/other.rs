//! Programs, scripts, shortcuts, calendars, notebooks: formats that need little looking at.

use blackrod_model::mail::LinkRole;
use memchr::memmem;

use super::{File, Notes, sniff, u32_at};
use crate::clip;

/// Characters of a text format that are looked at.
const MAX_TEXT: usize = 256 << 10;
/// Files in one notebook that are looked at.
const MAX_EMBEDDED: usize = 20;

/// Looks at a file of any other kind.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    let said = format!("{} is {}", file.name, file.kind);
    match file.kind {
        "exe" | "elf" | "macho" | "deb" | "rpm" | "dex" | "chm" | "wasm" | "xar" => {
            notes.signal("content/executable", &said)
        }
        "hta" | "js" | "vbs" | "wsf" | "bat" | "ps1" | "sh" | "xsl" | "settingcontent" | "desktop" => {
            notes.signal("content/script", &said)
        }
        "lnk" => shortcut(file, notes),
        "url" => web_shortcut(file, notes),
        "library-ms" | "search-connector" => remote_folder(file, notes),
        "rdp" => remote_desktop(file, notes),
        "appinstaller" => {
            notes.signal("content/executable", &said);
            first_url(file, "appinstaller", notes);
        }
        "iqy" | "slk" => {
            notes.signal("content/spreadsheet-query", &said);
            first_url(file, "query", notes);
        }
        "office-xml" => office_xml(file, notes),
        "ics" => calendar(file, notes),
        "onenote" => notebook(file, notes),
        _ => {}
    }
}

/// MS-SHLLINK: what it starts is said by words in it, in both widths.
fn shortcut(file: File<'_>, notes: &mut Notes<'_>) {
    const STARTS: &[&str] = &[
        "powershell",
        "cmd.exe",
        "mshta",
        "wscript",
        "cscript",
        "rundll32",
        "regsvr32",
        "msiexec",
        "curl",
        "certutil",
        "forfiles",
        "conhost",
        "http://",
        "https://",
        "\\\\",
    ];
    let narrow: String = file
        .bytes
        .iter()
        .filter(|byte| **byte != 0)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .take(MAX_TEXT)
        .collect();
    let found: Vec<&str> = STARTS
        .iter()
        .copied()
        .filter(|word| narrow.contains(word))
        .collect();
    notes.signal("content/shortcut", &format!("{}: {}", file.name, found.join(" ")));
}

/// `[InternetShortcut]` with `URL=`, or an icon that is fetched from elsewhere.
fn web_shortcut(file: File<'_>, notes: &mut Notes<'_>) {
    let Some(text) = sniff::text_of(file.bytes, MAX_TEXT) else {
        return;
    };
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "url" => {
                notes.signal("content/shortcut", &format!("{}: {value}", file.name));
                notes.link(value, LinkRole::Click, "shortcut");
            }
            "iconfile" | "workingdirectory" if value.starts_with("\\\\") || value.starts_with("http") => {
                notes.signal("content/shortcut", &format!("{}: {line}", file.name));
            }
            _ => {}
        }
    }
}

/// A folder that shows what lies on somebody else's server (`simpleLocation`, `domain`).
fn remote_folder(file: File<'_>, notes: &mut Notes<'_>) {
    let text = sniff::text_of(file.bytes, MAX_TEXT).unwrap_or_default();
    let place = ["<url>", "<domain>"].iter().find_map(|tag| {
        let rest = text.split_once(tag)?.1;
        Some(rest.split('<').next().unwrap_or(rest))
    });
    notes.signal(
        "content/remote-folder",
        &format!("{}: {}", file.name, place.unwrap_or_default()),
    );
    first_url(file, "remote folder", notes);
}

/// A connection that may hand over drives and the clipboard to a server.
fn remote_desktop(file: File<'_>, notes: &mut Notes<'_>) {
    const SHARES: &[&str] = &[
        "drivestoredirect:s:*",
        "redirectclipboard:i:1",
        "redirectdrives:i:1",
        "redirectwebauthn:i:1",
        "remoteapplicationmode:i:1",
    ];
    let text = sniff::text_of(file.bytes, MAX_TEXT)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let host = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("full address:s:"))
        .unwrap_or_default();
    let shares: Vec<&str> = SHARES
        .iter()
        .copied()
        .filter(|word| text.contains(word))
        .collect();
    notes.signal(
        "content/remote-desktop",
        &format!("{}: {host} {}", file.name, shares.join(" ")),
    );
}

/// Word or Excel as one XML file: macros and templates in plain sight.
fn office_xml(file: File<'_>, notes: &mut Notes<'_>) {
    let has = |word: &[u8]| memmem::find(file.bytes, word).is_some();
    if has(b"w:macrosPresent=\"yes\"") || has(b"vbaProject.bin") || has(b"binData") && has(b"editdata.mso") {
        notes.signal("content/office-macro", file.name);
    }
    if has(b"attachedTemplate") && has(b"TargetMode=\"External\"") {
        notes.signal("content/office-remote-template", file.name);
    }
}

fn first_url(file: File<'_>, found_in: &str, notes: &mut Notes<'_>) {
    let text = sniff::text_of(file.bytes, MAX_TEXT).unwrap_or_default();
    if let Some(url) = urls(&text).next() {
        notes.link(url, LinkRole::Click, found_in);
    }
}

/// iCalendar (RFC 5545, RFC 5546): where it leads, and whether it invites in somebody else's name.
fn calendar(file: File<'_>, notes: &mut Notes<'_>) {
    let Some(text) = sniff::text_of(file.bytes, MAX_TEXT) else {
        return;
    };
    // 3.1: a line that begins with a blank goes on from the one before.
    let text = text
        .replace("\r\n ", "")
        .replace("\n ", "")
        .replace("\\n", " ")
        .replace("\\,", ",");
    let lower = text.to_ascii_lowercase();
    let invites = lower.contains("method:request") || lower.contains("method:publish");
    // The links themselves are among those that the message loads or leads to already.
    let leads_somewhere = urls(&text).any(|url| !url.contains("schemas.microsoft.com"));
    if invites && leads_somewhere {
        notes.signal("content/calendar-link", file.name);
    }
    let organizer = lower
        .lines()
        .find_map(|line| line.strip_prefix("organizer")?.rsplit_once("mailto:"));
    let Some((_, organizer)) = organizer else { return };
    let organizer = organizer.trim();
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_owned());
    if invites && !organizer.is_empty() && domain(organizer) != domain(&notes.facts.from) {
        let said = format!("{organizer} is not {}", notes.facts.from);
        notes.signal("content/calendar-organizer", &said);
    }
    let own = lower
        .lines()
        .any(|line| line.starts_with("attendee") && line.ends_with(organizer));
    if own
        && notes
            .facts
            .recipients
            .iter()
            .any(|recipient| recipient == organizer)
    {
        notes.signal("content/calendar-self", organizer);
    }
}

/// MS-ONESTORE: files lie in FileDataStoreObjects (2.6.13).
fn notebook(file: File<'_>, notes: &mut Notes<'_>) {
    /// {BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC}
    const STORED: &[u8] = b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac";
    for at in memmem::find_iter(file.bytes, STORED).take(MAX_EMBEDDED) {
        let start = at + STORED.len() + 20;
        let size = u32_at(file.bytes, at + STORED.len()).unwrap_or_default();
        let end = start.saturating_add(size).min(file.bytes.len());
        let kind = file.bytes.get(start..end).and_then(sniff::kind).unwrap_or("data");
        if !sniff::is_image(kind) {
            notes.signal("content/onenote-file", &format!("{}: {kind}", file.name));
        }
    }
    notes.signal("content/onenote", file.name);
}

/// What looks like a web address in text.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("http").filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        if !rest.starts_with("http://") && !rest.starts_with("https://") {
            return None;
        }
        let end = rest
            .find(|character: char| character.is_whitespace() || "<>\"'\\,;)]}".contains(character))
            .unwrap_or(rest.len());
        (end > 10).then(|| clip(rest, end.min(2_048)))
    })
}
