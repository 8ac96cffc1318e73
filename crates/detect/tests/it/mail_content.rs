//! blackrod's own Sigma rules for mail: each matches an invented, inert message; ordinary messages fire none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use blackrod_detect::{Detectors, Found, Scanner, Sources};
use blackrod_model::{Estate, Event, EvidenceId, Refusal};
use blackrod_read::{Sink, formats};
use serde::Deserialize;

static DETECTORS: LazyLock<Detectors> = LazyLock::new(|| {
    let no_file = &mut |_: &str| Err("there is none".to_owned());
    let estate = Estate::parse(ESTATE, no_file).expect("a good estate");
    let sources = Sources {
        builtin: true,
        ..Sources::default()
    };
    Detectors::load(&sources, &estate)
        .expect("the built-in rules need no folder")
        .0
});

const ESTATE: &str = r#"
[[organisation]]
id = "parliament"
name = "Parliament"
domains = ["parl.example"]

[[person]]
id = "a.keller"
name = "Anna Keller"
addresses = ["anna@parl.example", "anna.keller@parl.example"]

[[partner]]
name = "Think Tank Institute"
domains = ["thinktank-institute.example"]
"#;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

/// A rule (by its file below `content/sigma/email`) and a message that it must match.
#[derive(Deserialize)]
struct Case {
    rule: String,
    #[serde(flatten)]
    message: Written,
}

/// A message as the tables write it.
#[derive(Deserialize)]
struct Written {
    from: String,
    to: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    attach: Vec<File>,
}

/// An attachment: its name and one way of making its content.
#[derive(Deserialize)]
struct File {
    name: String,
    text: Option<String>,
    hex: Option<String>,
    /// A ZIP archive with these members.
    zip: Option<Vec<String>>,
    /// The same, locked.
    locked: Option<Vec<String>>,
    /// An ISO 9660 image with these files.
    iso: Option<Vec<String>>,
    /// A document with one external relationship: its kind and target.
    rels: Option<String>,
    /// A document with this macro.
    r#macro: Option<String>,
    /// A picture of the code in `mail_content/qr-NAME.txt`.
    qr: Option<String>,
}

#[test]
fn every_rule_matches_its_message() {
    let mut scanner = DETECTORS.scanner();
    let mut wrong = Vec::new();
    for case in cases() {
        let fired = fired(&mut scanner, &case.message);
        if !fired.contains(&rule_id(&case.rule)) {
            wrong.push(case.rule);
        }
    }
    assert!(wrong.is_empty(), "these miss their message: {wrong:#?}");
}

#[test]
fn every_rule_has_a_case() {
    let covered: BTreeSet<String> = cases().into_iter().map(|case| case.rule).collect();
    let names = rule_names();
    let without: Vec<&String> = names.iter().filter(|name| !covered.contains(*name)).collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(names.len() >= 60);
    let ids: BTreeSet<String> = names.iter().map(|name| rule_id(name)).collect();
    assert_eq!(ids.len(), names.len(), "each rule has an id of its own");
}

#[test]
fn ordinary_messages_fire_no_rule() {
    let titles: BTreeMap<String, String> = rule_names()
        .into_iter()
        .map(|name| (rule_id(&name), name))
        .collect();
    let mut scanner = DETECTORS.scanner();
    let mut wrong = Vec::new();
    let ordinary: Ordinary = toml::from_str(include_str!("mail_content/ordinary.toml")).expect("TOML");
    assert!(ordinary.message.len() >= 12);
    for message in &ordinary.message {
        for id in fired(&mut scanner, message) {
            if let Some(rule) = titles.get(&id) {
                wrong.push(format!("{rule} on {:?}", message.subject));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[derive(Deserialize)]
struct Ordinary {
    message: Vec<Written>,
}

fn content() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../content/sigma/email")
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail_content");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("readable").path();
        let is_table =
            path.extension().is_some_and(|ending| ending == "toml") && !path.ends_with("ordinary.toml");
        if is_table {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            let file: Cases =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            all.extend(file.case);
        }
    }
    all
}

fn rule_names() -> Vec<String> {
    let files = crate::shared::files(&content(), ".yml");
    let name = |path: &PathBuf| {
        let below = path.strip_prefix(content()).expect("below").with_extension("");
        below.to_str().expect("UTF-8").replace('\\', "/")
    };
    files.iter().map(name).collect()
}

fn rule_id(rule: &str) -> String {
    let path = content().join(rule).with_extension("yml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let id = text.lines().find_map(|line| line.strip_prefix("id: "));
    id.unwrap_or_else(|| panic!("{rule} has no id")).to_owned()
}

/// The ids of the rules that fire on a message, read as evidence is read.
fn fired(scanner: &mut Scanner<'_>, message: &Written) -> BTreeSet<String> {
    let mut seen = Seen {
        scanner,
        found: Found::default(),
    };
    let raw = message.raw();
    let format = formats()
        .iter()
        .find(|format| format.name() == "eml")
        .expect("the format");
    format
        .split(&mut raw.as_slice(), &mut |block| {
            format.parse(&block, &mut seen);
            ControlFlow::Continue(())
        })
        .expect("bytes in memory");
    seen.found
        .findings
        .into_iter()
        .map(|finding| finding.rule_id)
        .collect()
}

struct Seen<'s, 'd> {
    scanner: &'s mut Scanner<'d>,
    found: Found,
}

impl Sink for Seen<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.scanner.event(EvidenceId([9; 16]), &event, &mut self.found);
    }

    fn refuse(&mut self, refusal: Refusal) {
        panic!("the test's own message is refused: {}", refusal.reason);
    }
}

impl Written {
    /// RFC 5322, with everything in one `multipart/mixed`.
    fn raw(&self) -> Vec<u8> {
        let mut out = String::new();
        let to = self.to.as_deref().unwrap_or("anna@parl.example");
        let _ = write!(
            out,
            "From: {}\r\nTo: {to}\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\n",
            self.from
        );
        out.push_str("Message-ID: <20260105100000.1@made-up.example>\r\n");
        if let Some(subject) = &self.subject {
            let _ = write!(out, "Subject: {subject}\r\n");
        }
        for header in &self.headers {
            let _ = write!(out, "{header}\r\n");
        }
        out.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"\r\n\r\n");
        for (kind, text) in [("plain", &self.text), ("html", &self.html)] {
            if let Some(text) = text {
                let _ = write!(
                    out,
                    "--b\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{text}\r\n"
                );
            }
        }
        for file in &self.attach {
            let name: String = file.name.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let _ = write!(
                out,
                "--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename*=utf-8''{name}\r\n\r\n"
            );
            for line in BASE64_STANDARD.encode(file.content()).as_bytes().chunks(76) {
                out.push_str(std::str::from_utf8(line).expect("ASCII"));
                out.push_str("\r\n");
            }
        }
        out.push_str("--b--\r\n");
        out.into_bytes()
    }
}

impl File {
    fn content(&self) -> Vec<u8> {
        if let Some(hex) = &self.hex {
            let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
            return (0..hex.len()).step_by(2).map(digit).collect();
        }
        if let Some(members) = &self.zip {
            return zip(&inert(members));
        }
        if let Some(members) = &self.locked {
            let mut archive = zip(&inert(members));
            archive[6] |= 1;
            let central = archive
                .windows(4)
                .rposition(|bytes| bytes == b"PK\x01\x02")
                .expect("a directory");
            archive[central + 8] |= 1;
            return archive;
        }
        if let Some(files) = &self.iso {
            return iso(files);
        }
        if let Some(relation) = &self.rels {
            let (kind, target) = relation.split_once(' ').expect("a kind and a target");
            let xml = format!(
                "<Relationships><Relationship Id=\"r\" Type=\"http://x/{kind}\" Target=\"{target}\" TargetMode=\"External\"/></Relationships>"
            );
            return zip(&[
                ("word/document.xml", b"<w/>".to_vec()),
                ("word/_rels/document.xml.rels", xml.into_bytes()),
            ]);
        }
        if let Some(source) = &self.r#macro {
            return zip(&[
                ("word/document.xml", b"<w/>".to_vec()),
                ("word/vbaProject.bin", project(source)),
            ]);
        }
        if let Some(name) = &self.qr {
            return picture(name);
        }
        self.text.clone().unwrap_or_default().into_bytes()
    }
}

fn inert(members: &[String]) -> Vec<(&str, Vec<u8>)> {
    members
        .iter()
        .map(|name| (name.as_str(), b"inert".to_vec()))
        .collect()
}

fn zip(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).expect("memory");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// ECMA-119: a volume descriptor and one directory.
fn iso(files: &[String]) -> Vec<u8> {
    const SECTOR: usize = 2_048;
    let mut image = vec![0; 20 * SECTOR];
    image[16 * SECTOR] = 1;
    image[16 * SECTOR + 1..16 * SECTOR + 6].copy_from_slice(b"CD001");
    image[16 * SECTOR + 158] = 18;
    image[16 * SECTOR + 167] = 8;
    let mut at = 18 * SECTOR;
    for name in files {
        let length = 34 + name.len();
        image[at] = u8::try_from(length).expect("short names");
        image[at + 32] = u8::try_from(name.len()).expect("short names");
        image[at + 33..at + 33 + name.len()].copy_from_slice(name.as_bytes());
        at += length;
    }
    image
}

/// A VBA project with one module, in the container of MS-OVBA 2.4.1 as literals only.
fn project(source: &str) -> Vec<u8> {
    let source = format!(
        "Attribute VB_Name = \"ThisDocument\"\r\n{}",
        source.replace("\\r\\n", "\r\n")
    );
    let chunk: Vec<u8> = source
        .as_bytes()
        .chunks(8)
        .flat_map(|eight| [&[0], eight].concat())
        .collect();
    let header = 0xb000 | u16::try_from(chunk.len() - 1).expect("a short macro");
    let module = [&[1][..], &header.to_le_bytes(), &chunk].concat();
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
    file.create_storage("/VBA").expect("memory");
    for (name, content) in [
        ("/VBA/_VBA_PROJECT", b"\xcc\x61".to_vec()),
        ("/VBA/ThisDocument", module),
    ] {
        file.create_stream(name)
            .expect("memory")
            .write_all(&content)
            .expect("memory");
    }
    file.flush().expect("memory");
    file.into_inner().into_inner()
}

/// A code of `HTTPS://QR.EXAMPLE/A`, row by row.
const WEB_CODE: &str = include_str!("../../../mail/src/attachment/qr_test.txt");

fn picture(name: &str) -> Vec<u8> {
    assert_eq!(name, "web", "the only picture");
    let rows: Vec<&str> = WEB_CODE.lines().collect();
    let (scale, margin) = (4, 4);
    let side = u32::try_from((rows.len() + 2 * margin) * scale).expect("small");
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at as usize / scale).checked_sub(margin);
        let cell = module(y).and_then(|row| rows.get(row)).zip(module(x));
        let dark = cell.is_some_and(|(row, column)| row.as_bytes().get(column) == Some(&b'#'));
        image::Luma([if dark { 0 } else { 255 }])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("memory");
    bytes.into_inner()
}
