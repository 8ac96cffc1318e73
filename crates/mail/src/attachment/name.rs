//! What a file's name pretends.

use super::Notes;

/// Endings that Windows, macOS or a desktop run when they are opened.
const RUN: &[&str] = &[
    "exe",
    "scr",
    "com",
    "pif",
    "cpl",
    "msi",
    "msp",
    "mst",
    "msc",
    "dll",
    "xll",
    "wll",
    "ocx",
    "jar",
    "jnlp",
    "apk",
    "appx",
    "msix",
    "msixbundle",
    "appxbundle",
    "appinstaller",
    "application",
    "appref-ms",
    "gadget",
    "hta",
    "js",
    "jse",
    "vbs",
    "vbe",
    "wsf",
    "wsh",
    "wsc",
    "sct",
    "bat",
    "cmd",
    "ps1",
    "psm1",
    "ps1xml",
    "psd1",
    "reg",
    "inf",
    "scf",
    "chm",
    "hlp",
    "diagcab",
    "settingcontent-ms",
    "command",
    "pkg",
    "dmg",
    "app",
    "scpt",
    "sh",
    "run",
    "bin",
    "elf",
    "deb",
    "rpm",
    "desktop",
    "py",
    "pyw",
    "xsl",
    "theme",
    "themepack",
    "msu",
];
/// Endings of files that lead elsewhere when they are opened.
const SHORTCUT: &[&str] = &[
    "lnk",
    "url",
    "website",
    "webloc",
    "library-ms",
    "searchconnector-ms",
    "search-ms",
    "rdp",
    "iqy",
    "slk",
    "one",
    "oqy",
    "rqy",
];
/// Endings of disk images, which open as a folder and whose files do not count as downloaded.
const IMAGE: &[&str] = &["iso", "img", "vhd", "vhdx", "udf", "dmg", "vmdk"];
/// Endings of archives.
const ARCHIVE: &[&str] = &[
    "zip", "rar", "7z", "gz", "tgz", "tar", "bz2", "xz", "zst", "cab", "ace", "arj", "lzh", "z",
];
/// Endings of documents that may carry macros.
const MACRO: &[&str] = &[
    "docm", "dotm", "xlsm", "xlsb", "xlam", "xltm", "pptm", "ppsm", "potm", "ppam", "sldm",
];
/// Endings that people open without a thought.
const HARMLESS: &[&str] = &[
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "rtf", "txt", "csv", "jpg", "jpeg", "png",
    "gif", "tif", "tiff", "mp3", "mp4", "wav", "m4a", "mov", "avi", "htm",
];
/// An ending and what its content may be, where that can be told. An ending that is not here may be anything.
const MEANS: &[(&[&str], &[&str])] = &[
    (&["pdf"], &["pdf"]),
    (
        &["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "heic"],
        &["png", "jpeg", "gif", "bmp", "webp", "tiff", "video", "svg"],
    ),
    (&["svg"], &["svg", "xml"]),
    (
        &["docx", "xlsx", "pptx", "docm", "xlsm", "pptm"],
        &["docx", "xlsx", "pptx", "zip", "ole", "html", "office-xml", "mht"],
    ),
    (
        &["doc", "dot", "xls", "ppt", "rtf"],
        &[
            "ole",
            "rtf",
            "docx",
            "xlsx",
            "pptx",
            "html",
            "mht",
            "xml",
            "office-xml",
            "text",
            "slk",
        ],
    ),
    (&["odt", "ods", "odp"], &["odf", "zip"]),
    (
        &["txt", "csv", "log", "asc"],
        &[
            "text",
            "xml",
            "html",
            "url",
            "pgp",
            "certificate",
            "sh",
            "mht",
            "slk",
            "ics",
            "vcf",
            "js",
            "vbs",
            "ps1",
            "bat",
        ],
    ),
    (
        &["htm", "html", "shtml", "xhtml"],
        &["html", "xml", "text", "svg", "mht"],
    ),
    (
        &["zip"],
        &["zip", "docx", "xlsx", "pptx", "odf", "jar", "apk", "msix"],
    ),
    (&["rar"], &["rar"]),
    (&["7z"], &["7z"]),
    (&["gz", "tgz"], &["gz", "tar"]),
    (&["mp3", "wav", "m4a", "ogg"], &["audio", "video"]),
    (&["mp4", "mov", "avi"], &["video", "audio"]),
    (&["ics", "vcs"], &["ics", "text"]),
    (&["vcf"], &["vcf", "text"]),
    (&["eml"], &["text", "mht", "html"]),
];
/// Characters that reorder or hide what follows (Unicode Standard Annex 9).
const BIDI: &[char] = &[
    '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{200f}',
    '\u{061c}',
];
/// Blanks in a row that push an ending out of sight.
const PADDING: usize = 8;

/// Looks at the declared name of a file that is `kind` by its content.
pub(super) fn look(name: &str, kind: Option<&str>, notes: &mut Notes<'_>) {
    if name.is_empty() {
        return;
    }
    disguise(name, notes);
    if let Some(class) = class(name) {
        notes.signal(class.code(), name);
    }
    let Some(kind) = kind else { return };
    let ending = ending(name).unwrap_or_default();
    let meant = MEANS
        .iter()
        .find(|(endings, _)| endings.contains(&ending.as_str()));
    if let Some((_, kinds)) = meant
        && !kinds.contains(&kind)
    {
        notes.signal("content/extension-lie", &format!("{name} is {kind}"));
    }
}

/// Names that hide their ending: two endings, characters that turn the direction of writing, padding.
pub(super) fn disguise(name: &str, notes: &mut Notes<'_>) {
    if name.contains(BIDI) {
        let plain: String = name
            .chars()
            .map(|character| {
                if BIDI.contains(&character) {
                    '¿'
                } else {
                    character
                }
            })
            .collect();
        notes.signal("content/name-direction", &plain);
    }
    if is_padded(name) {
        notes.signal(
            "content/name-padded",
            &name.split_whitespace().collect::<Vec<_>>().join(" … "),
        );
    }
    if is_double(name) {
        notes.signal("content/double-extension", name);
    }
}

/// What opening a file of this name does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opens {
    /// It is run.
    Program,
    /// It leads elsewhere.
    Shortcut,
    /// It is mounted.
    DiskImage,
    /// It is unpacked.
    Archive,
    /// It is shown, and may run macros.
    MacroDocument,
    /// It is shown by a browser.
    Page,
}

impl Opens {
    /// The signal for an attachment of this class.
    fn code(self) -> &'static str {
        match self {
            Self::Program => "content/runnable-name",
            Self::Shortcut => "content/shortcut-name",
            Self::DiskImage => "content/disk-image",
            Self::Archive => "content/archive",
            Self::MacroDocument => "content/macro-name",
            Self::Page => "content/html-attachment",
        }
    }
}

/// What opening a file of this name does, where it is not just shown.
pub(super) fn class(name: &str) -> Option<Opens> {
    let ending = ending(name)?;
    let is_in = |list: &[&str]| list.contains(&ending.as_str());
    let classes = [
        (is_in(RUN) && !is_domain(name, &ending), Opens::Program),
        (is_in(SHORTCUT), Opens::Shortcut),
        (is_in(IMAGE), Opens::DiskImage),
        (is_in(ARCHIVE), Opens::Archive),
        (is_in(MACRO), Opens::MacroDocument),
        (
            matches!(
                ending.as_str(),
                "htm" | "html" | "shtml" | "xhtml" | "svg" | "mht" | "mhtml"
            ),
            Opens::Page,
        ),
    ];
    classes.iter().find(|(fits, _)| *fits).map(|(_, class)| *class)
}

/// The ending in lower case, without the characters that Windows drops at a name's end.
pub(super) fn ending(name: &str) -> Option<String> {
    let name = name.trim_end_matches(|character: char| character == '.' || character.is_whitespace());
    let (stem, ending) = name.rsplit_once('.')?;
    let plausible = !ending.is_empty()
        && ending.len() <= 18
        && ending
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-');
    (plausible && !stem.is_empty()).then(|| ending.to_ascii_lowercase())
}

/// `message from example.com`: `.com` there ends a domain.
fn is_domain(name: &str, ending: &str) -> bool {
    ending == "com" && (name.contains('@') || name.contains(' ') || name.matches('.').count() > 1)
}

fn is_double(name: &str) -> bool {
    let opens = class(name);
    let dangerous = matches!(
        opens,
        Some(Opens::Program | Opens::Shortcut | Opens::DiskImage | Opens::Page)
    );
    let Some((stem, _)) = name.trim_end().rsplit_once('.').filter(|_| dangerous) else {
        return false;
    };
    ending(stem).is_some_and(|before| HARMLESS.contains(&before.as_str()))
}

fn is_padded(name: &str) -> bool {
    let mut run = 0;
    for character in name.trim().chars() {
        let blank =
            character.is_whitespace() || matches!(character, '\u{2800}' | '\u{3164}' | '\u{200b}' | '_');
        run = if blank { run + 1 } else { 0 };
        if run >= PADDING {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_read_as_windows_reads_them() {
        assert_eq!(ending("Invoice.PDF"), Some("pdf".to_owned()));
        assert_eq!(ending("a.exe. "), Some("exe".to_owned()));
        assert_eq!(ending("no ending"), None);
        assert_eq!(ending(".htaccess"), None);
    }

    #[test]
    fn two_endings_hide_one_that_runs() {
        assert!(is_double("agenda.pdf.exe"));
        assert!(is_double("scan.docx.html"));
        assert!(!is_double("agenda.v2.pdf"));
        assert!(!is_double("backup.tar.gz"));
        assert!(!is_double("mail from news.example.com"));
    }

    #[test]
    fn padding_is_many_blanks_in_a_row() {
        assert!(is_padded("agenda.pdf                     .exe"));
        assert!(!is_padded("minutes of the second sitting.pdf"));
    }
}
