//! Classes of words: folders, file endings, numbers.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use blackrod_model::process::Traits;

/// The class of the folder that a path, in lower case, lies in.
pub(in crate::rarity) fn place_of(path: &str) -> &'static str {
    if path.starts_with("\\\\") && !path.starts_with("\\\\?\\") && !path.starts_with("\\\\.\\") {
        return "share";
    }
    if let Some((_, place)) = first_mark(path).and_then(|first| PLACES.get(first)) {
        return place;
    }
    if path.starts_with('/') {
        return ROOTS
            .iter()
            .find(|(root, _)| {
                path.strip_prefix(root)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .map_or("other", |(_, place)| place);
    }
    match path.matches('\\').count() {
        0 => "here",
        1 => "root",
        _ => "other",
    }
}

/// Which of [`PLACES`] is the first that `path` names.
fn first_mark(path: &str) -> Option<usize> {
    // They are a few constant words; a test looks for each.
    static MARKS: LazyLock<Option<AhoCorasick>> =
        LazyLock::new(|| AhoCorasick::new(PLACES.iter().map(|(mark, _)| mark)).ok());
    let hits = MARKS.as_ref()?.find_overlapping_iter(path);
    hits.map(|hit| hit.pattern().as_usize()).min()
}

/// Looked for in this order: what lies deeper comes first.
const PLACES: [(&str, &str); 40] = [
    ("\\windows\\temp", "public"),
    ("\\windows\\tasks", "public"),
    ("\\windows\\debug", "public"),
    ("\\windows\\tracing", "public"),
    ("\\system32\\tasks", "public"),
    ("\\spool\\drivers\\color", "public"),
    ("\\system32\\config", "secrets"),
    ("\\windows\\ntds", "secrets"),
    ("\\ntds\\", "secrets"),
    ("globalroot\\device\\harddiskvolumeshadowcopy", "secrets"),
    ("\\users\\public", "public"),
    ("%public%", "public"),
    ("$env:public", "public"),
    ("\\perflogs", "public"),
    ("$recycle.bin", "public"),
    ("\\appdata\\local\\temp", "temp"),
    ("%temp%", "temp"),
    ("%tmp%", "temp"),
    ("$env:temp", "temp"),
    ("\\start menu\\programs\\startup", "startup"),
    ("\\appdata\\", "user"),
    ("%appdata%", "user"),
    ("%localappdata%", "user"),
    ("%userprofile%", "user"),
    ("$env:appdata", "user"),
    ("$env:localappdata", "user"),
    ("\\programdata", "public"),
    ("%programdata%", "public"),
    ("\\users\\", "user"),
    ("\\inetpub\\", "web"),
    ("\\wwwroot\\", "web"),
    ("\\system32", "system"),
    ("\\syswow64", "system"),
    ("\\sysnative", "system"),
    ("\\microsoft.net\\", "system"),
    ("\\windows\\", "system"),
    ("%windir%", "system"),
    ("%systemroot%", "system"),
    ("program files", "programs"),
    ("%programfiles", "programs"),
];

const ROOTS: [(&str, &str); 17] = [
    ("/tmp", "public"),
    ("/var/tmp", "public"),
    ("/dev/shm", "public"),
    ("/etc/shadow", "secrets"),
    ("/home", "user"),
    ("/root", "user"),
    ("/var/www", "web"),
    ("/usr", "system"),
    ("/bin", "system"),
    ("/sbin", "system"),
    ("/lib", "system"),
    ("/etc", "etc"),
    ("/dev", "system"),
    ("/opt", "programs"),
    ("/var", "other"),
    ("/proc", "other"),
    ("/mnt", "other"),
];

/// Whether a word that begins with a slash is a path of a Unix system and not a flag.
pub(super) fn is_unix_path(word: &str) -> bool {
    word.starts_with('/') && place_of(word) != "other"
        || word.starts_with("/var/")
        || word.starts_with("/proc/")
}

/// The known ending of a file name and what handing such a file to a program means.
pub(super) fn ending_of(name: &str) -> Option<(&str, Traits)> {
    let (before, ending) = name.rsplit_once('.')?;
    if before.is_empty() || ending.is_empty() || ending.len() > 9 {
        return None;
    }
    ENDINGS
        .iter()
        .find(|(list, _)| list.split(' ').any(|known| known == ending))
        .map(|(_, traits)| (ending, *traits))
}

const ENDINGS: [(&str, Traits); 5] = [
    ("exe com scr pif", Traits::PROGRAM_ARGUMENT),
    ("dll ocx cpl xll wll drv ax sys so node", Traits::LIBRARY_ARGUMENT),
    (
        "ps1 psm1 psd1 bat cmd vbs vbe js jse wsf wsh hta sct xsl mof inf py sh pl chm msc reg url lnk jar csx fsx",
        Traits::SCRIPT_ARGUMENT,
    ),
    (
        "xml csproj vbproj proj sln targets yml yaml json config cs vb fs log txt dat wds bgi rsp manifest ldf nupkg xoml \
         resx ini cfg csv diagcab settingcontent-ms vsto application library-ms theme",
        Traits::DATA_ARGUMENT,
    ),
    (
        "msi msp mst cab msix appx appinstaller zip rar 7z iso vhd vhdx img dmp etl dit hiv save evtx pst ost key pem pfx kdbx rdp \
         doc docx xls xlsx pdf bak edb tgz gz tar cap pcap pcapng",
        Traits::DATA_ARGUMENT,
    ),
];

/// The class of a word that is a value and not a word: a number, a time, an identifier; `None` for others.
pub(super) fn value_class(word: &str) -> Option<&'static str> {
    let bytes = word.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits == bytes.len() {
        return Some("<n>");
    }
    if digits > 0 && is_ipv4(word) {
        return Some("<ip>");
    }
    if bytes.len() > 8 && word.starts_with("s-1-") {
        return Some("<sid>");
    }
    let bare = word.trim_start_matches('{').trim_end_matches('}');
    if bare.len() == 36 && bare.bytes().filter(|byte| *byte == b'-').count() == 4 && is_hex_or(bare, b"-") {
        return Some("<guid>");
    }
    if digits >= 4
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_digit() || b"-/:._t+z".contains(byte))
    {
        return Some("<time>");
    }
    if bytes.len() >= 8 && digits > 0 && is_hex_or(word.strip_prefix("0x").unwrap_or(word), b"") {
        return Some("<hex>");
    }
    if digits > 0 && bytes.len() <= 6 && word.starts_with("0x") {
        return Some("<n>");
    }
    let is_base64 = || {
        bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
    };
    if bytes.len() >= 40 && digits > 0 && is_base64() {
        return Some("<b64>");
    }
    let is_mail = word
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    is_mail.then_some("<mail>")
}

/// Whether `word` is an IPv4 address, also with a port or a prefix length.
pub(super) fn is_ipv4(word: &str) -> bool {
    let address = word.split([':', '/']).next().unwrap_or(word);
    address.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Whether `host` means the machine itself.
pub(super) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "." | "::1" | "[::1]" | "0.0.0.0")
        || (host.starts_with("127.") && is_ipv4(host))
}

fn is_hex_or(word: &str, others: &[u8]) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_hexdigit() || others.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_found_and_the_first_counts() {
        for (place, (mark, _)) in PLACES.iter().enumerate() {
            assert!(
                first_mark(&format!("c:{mark}\\x")).is_some_and(|first| first <= place),
                "{mark}"
            );
        }
        assert_eq!(place_of("c:\\windows\\temp\\x.exe"), "public");
        assert_eq!(place_of("report.docx"), "here");
    }
}
