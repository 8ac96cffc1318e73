//! What a file is, by its content.

use memchr::memmem;

use crate::clip;

/// Beginnings that tell a format, and the format.
const MAGIC: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"\xff\xd8\xff", "jpeg"),
    (0, b"GIF8", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"{\\rt", "rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"\x1f\x8b", "gz"),
    (0, b"BZh", "bz2"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zst"),
    (257, b"ustar", "tar"),
    (0, b"MSCF", "cab"),
    (7, b"**ACE**", "ace"),
    (2, b"-lh", "lzh"),
    (0, b"\x60\xea", "arj"),
    (0x8001, b"CD001", "iso"),
    (0x8001, b"BEA01", "udf"),
    (0, b"conectix", "vhd"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"KDMV", "vmdk"),
    (0, b"xar!", "xar"),
    (0, b"\x7fELF", "elf"),
    (0, b"\xcf\xfa\xed\xfe", "macho"),
    (0, b"\xce\xfa\xed\xfe", "macho"),
    (0, b"\xca\xfe\xba\xbe", "macho"),
    (0, b"!<arch>\n", "deb"),
    (0, b"\xed\xab\xee\xdb", "rpm"),
    (0, b"dex\n", "dex"),
    (0, b"ITSF", "chm"),
    (0, b"\x4c\0\0\0\x01\x14\x02\0", "lnk"),
    // {7B5C52E4-D88C-4DA7-AEB1-5378D02996D3}, MS-ONESTORE 2.3.1.
    (
        0,
        b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
        "onenote",
    ),
    (0, b"\x78\x9f\x3e\x22", "tnef"),
    (0, b"!BDN", "pst"),
    (0, b"ID3", "audio"),
    (0, b"OggS", "audio"),
    (8, b"WAVE", "audio"),
    (4, b"ftyp", "video"),
    (0, b"\0asm", "wasm"),
    (0, b"-----BEGIN PGP", "pgp"),
    (0, b"-----BEGIN CERT", "certificate"),
];

/// The object identifier of PKCS #7 (RFC 5652), as DER spells it.
const PKCS7: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
/// Text that is looked at to tell its language.
const HEAD: usize = 8 << 10;

/// What `bytes` are: `pdf`, `docx`, `exe`, `html`, …; `text` for text of no format that is known, none for bytes of
/// none.
pub(super) fn kind(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return None;
    }
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if at(0, b"PK\x03\x04") || at(0, b"PK\x05\x06") || at(0, b"PK\x07\x08PK") {
        return Some(zip_kind(bytes));
    }
    if at(0, b"MZ") {
        return is_program(bytes).then_some("exe");
    }
    if let Some((_, _, kind)) = MAGIC.iter().find(|(offset, magic, _)| at(*offset, magic)) {
        return Some(kind);
    }
    let head = bytes.get(..bytes.len().min(1_024)).unwrap_or_default();
    if memmem::find(head, b"%PDF-").is_some() {
        return Some("pdf");
    }
    if at(0, b"BM") && super::u32_at(bytes, 10).is_some_and(|start| (26..2_000).contains(&start)) {
        return Some("bmp");
    }
    if at(0, b"\x30") && memmem::find(head, PKCS7).is_some() {
        return Some("p7");
    }
    if bytes.len() >= 1_024 && at(510, b"\x55\xaa") && (at(54, b"FAT") || at(82, b"FAT") || at(3, b"NTFS")) {
        return Some("img");
    }
    if bytes.len() > 512
        && bytes
            .len()
            .checked_sub(512)
            .is_some_and(|footer| at(footer, b"conectix"))
    {
        return Some("vhd");
    }
    of_text(bytes)
}

/// Whether clients show it as an image that can be decoded here.
pub(super) fn is_image(kind: &str) -> bool {
    matches!(kind, "png" | "jpeg" | "gif" | "webp" | "bmp")
}

/// `MZ` begins plain text, too.
fn is_program(bytes: &[u8]) -> bool {
    let is_new = super::u32_at(bytes, 0x3c).is_some_and(|at| {
        bytes
            .get(at..)
            .is_some_and(|header| header.starts_with(b"PE") || header.starts_with(b"NE"))
    });
    is_new || bytes.get(..64).is_some_and(|head| head.contains(&0))
}

/// The text of a file whose content is UTF-8, Latin-1 or UTF-16 with or without a mark; none where it is binary.
pub(super) fn text_of(bytes: &[u8], limit: usize) -> Option<String> {
    let bytes = bytes.get(..bytes.len().min(limit)).unwrap_or_default();
    let utf16 = |rest: &[u8], big: bool| {
        let units: Vec<u16> = rest
            .as_chunks::<2>()
            .0
            .iter()
            .map(|pair| {
                if big {
                    u16::from_be_bytes(*pair)
                } else {
                    u16::from_le_bytes(*pair)
                }
            })
            .collect();
        String::from_utf16_lossy(&units)
    };
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return Some(utf16(rest, false));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return Some(utf16(rest, true));
    }
    let head = bytes.get(..bytes.len().min(HEAD)).unwrap_or_default();
    let zeros = memchr::memchr_iter(0, head).count();
    if zeros > 0 {
        let is_wide = head.len() >= 4
            && head.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count() * 5 > head.len() * 2;
        return is_wide.then(|| utf16(bytes, false));
    }
    let odd = head
        .iter()
        .filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace() && **byte != 0x1b);
    if odd.count() * 50 > head.len() {
        return None;
    }
    Some(String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned())
}

fn of_text(bytes: &[u8]) -> Option<&'static str> {
    let text = text_of(bytes, HEAD)?.to_ascii_lowercase();
    let text = text.trim_start_matches(|character: char| character.is_whitespace() || character == '\0');
    let has = |word: &str| text.contains(word);
    let marked = text.starts_with('<');
    let found = [
        (
            text.starts_with("[internetshortcut]") || has("\n[internetshortcut]"),
            "url",
        ),
        (text.starts_with("[desktop entry]"), "desktop"),
        (text.starts_with("begin:vcalendar"), "ics"),
        (text.starts_with("begin:vcard"), "vcf"),
        (
            has("full address:s:") || has("remoteapplicationprogram:s:"),
            "rdp",
        ),
        (text.starts_with("web\r\n1") || text.starts_with("web\n1"), "iqy"),
        (text.starts_with("id;p"), "slk"),
        (
            text.starts_with("mime-version:") && has("multipart/related"),
            "mht",
        ),
        (has("<hta:application"), "hta"),
        (marked && has("<searchconnectordescription"), "search-connector"),
        (marked && has("<librarydescription"), "library-ms"),
        (marked && has("<pcsettings>"), "settingcontent"),
        (marked && has("<appinstaller"), "appinstaller"),
        (
            marked && (has("<?mso-application") || has("<w:worddocument") || has("/package/2006/xmlpackage")),
            "office-xml",
        ),
        (
            marked && (has("<package>") || has("<job")) && has("<script"),
            "wsf",
        ),
        (marked && has("<xsl:stylesheet") && has("script"), "xsl"),
        (is_svg(text), "svg"),
        (is_html(text), "html"),
        (text.starts_with("<?xml"), "xml"),
        (text.starts_with("#!"), "sh"),
        (is_vbscript(text), "vbs"),
        (is_jscript(text), "js"),
        (is_batch(text), "bat"),
        (is_powershell(text), "ps1"),
    ];
    let kind = found.iter().find(|(fits, _)| *fits).map(|(_, kind)| *kind);
    Some(kind.unwrap_or("text"))
}

fn is_svg(text: &str) -> bool {
    let markup = clip(text, 2_048);
    markup.contains("<svg") && !markup.contains("<html") && !markup.contains("<body")
}

fn is_html(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<meta",
        "<form",
        "<title",
        "<iframe",
        "<table",
        "<div",
        "<center",
    ];
    let bare = text.strip_prefix("<!--").and_then(|rest| rest.split_once("-->"));
    let text = bare.map_or(text, |(_, rest)| rest.trim_start());
    STARTS.iter().any(|start| text.starts_with(start)) || text.contains("<html") && text.contains("<body")
}

// Strong marks only: mail about programming has code in it.

fn is_vbscript(text: &str) -> bool {
    let creates = text.contains("createobject(") || text.contains("getobject(");
    creates
        && (text.contains("\nset ") || text.starts_with("set ") || text.contains("dim "))
        && !text.contains("<html")
}

fn is_jscript(text: &str) -> bool {
    text.contains("new activexobject")
        || text.contains("wscript.createobject")
        || text.contains("wscript.shell")
}

fn is_batch(text: &str) -> bool {
    text.starts_with("@echo off")
        || text.starts_with("@powershell")
        || text.starts_with("cmd /c ")
        || text.starts_with("start /b ")
}

fn is_powershell(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "powershell",
        "$",
        "iex",
        "invoke-",
        "function ",
        "param",
        "[system.",
        "add-type",
        "set-",
    ];
    const MARKS: &[&str] = &[
        "new-object net.webclient",
        "new-object system.net.webclient",
        "downloadstring(",
        "invoke-expression",
        "iex(",
        "iex (",
        "| iex",
        "frombase64string(",
        "invoke-webrequest",
        "start-process ",
        "-executionpolicy bypass",
        "-encodedcommand",
    ];
    STARTS.iter().any(|start| text.starts_with(start)) && MARKS.iter().any(|mark| text.contains(mark))
}

/// What kind of ZIP file it is: by its members, as their local headers name them, for the central directory may be
/// broken or another's.
fn zip_kind(bytes: &[u8]) -> &'static str {
    /// Members that tell the kind stand early, or are named by the central directory at the end.
    const WINDOW: usize = 64 << 10;
    let head = bytes.get(..bytes.len().min(WINDOW)).unwrap_or_default();
    let tail = bytes
        .get(bytes.len().saturating_sub(WINDOW)..)
        .unwrap_or_default();
    let has = |name: &[u8]| memmem::find(head, name).is_some() || memmem::find(tail, name).is_some();
    let kinds: [(&[u8], &str); 8] = [
        (b"AndroidManifest.xml", "apk"),
        (b"AppxManifest.xml", "msix"),
        (b"AppxBundleManifest.xml", "msix"),
        (b"word/document", "docx"),
        (b"xl/workbook", "xlsx"),
        (b"ppt/presentation", "pptx"),
        (b"mimetypeapplication/vnd.oasis.opendocument", "odf"),
        (b"META-INF/MANIFEST.MF", "jar"),
    ];
    kinds
        .iter()
        .find(|(name, _)| has(name))
        .map_or("zip", |(_, kind)| kind)
}
