//! Files made up here, inert, and what is seen in them.

#![allow(clippy::unwrap_used)]

use std::io::{Cursor, Write as _};

use blackrod_model::mail::{Facts, LinkRole, Mailbox, Message, Part, PartRole};
use blackrod_model::{Class, Estate, Event, EvidenceId, Position, Timestamp};
use zip::write::SimpleFileOptions;

use super::*;

const NOBODY: &str = "application/octet-stream";

/// The facts of a message with `text` and one attachment.
fn facts(text: &str, name: &str, content: &[u8]) -> Facts {
    let mut message = Message {
        from: vec![Mailbox {
            name: None,
            address: "sender@partner.example".into(),
        }],
        ..Message::default()
    };
    message.parts.push(Part {
        role: PartRole::Text,
        content_type: "text/plain".into(),
        content: text.as_bytes().to_vec().into(),
        ..Part::default()
    });
    message.parts.push(Part {
        role: PartRole::Attachment,
        content_type: NOBODY.into(),
        name: Some(name.to_owned().into()),
        content: content.to_vec().into(),
        ..Part::default()
    });
    let mut event = Event::new(Class::EMAIL_ACTIVITY, Timestamp::UNKNOWN, Position::START);
    event.mail = Some(Box::new(message));
    Anatomy::new(&Estate::default())
        .facts(EvidenceId::default(), &event)
        .unwrap()
}

fn codes(facts: &Facts) -> Vec<&str> {
    let content = facts
        .signals
        .iter()
        .filter(|signal| signal.code.starts_with("content/"));
    content.map(|signal| signal.code.as_str()).collect()
}

fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A ZIP archive of one member whose flags say that it is encrypted.
fn locked(name: &str) -> Vec<u8> {
    let mut archive = zipped(&[(name, b"inert")]);
    archive[6] |= 1;
    let central = memchr::memmem::rfind(&archive, b"PK\x01\x02").unwrap();
    archive[central + 8] |= 1;
    archive
}

/// A compound file with these streams; storages are made as their paths need them.
fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for (path, content) in streams {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if !parent.is_empty() {
            file.create_storage_all(parent).unwrap();
        }
        file.create_stream(path).unwrap().write_all(content).unwrap();
    }
    file.flush().unwrap();
    file.into_inner().into_inner()
}

/// Source in the container of MS-OVBA 2.4.1, as literals only.
fn module(source: &str) -> Vec<u8> {
    let mut chunk = Vec::new();
    for eight in source.as_bytes().chunks(8) {
        chunk.push(0);
        chunk.extend_from_slice(eight);
    }
    let header = 0xb000 | u16::try_from(chunk.len() - 1).unwrap();
    [&[1][..], &header.to_le_bytes(), &chunk].concat()
}

fn project(source: &str) -> Vec<u8> {
    let code = module(&format!("Attribute VB_Name = \"ThisDocument\"\r\n{source}"));
    compound(&[
        ("/VBA/_VBA_PROJECT", b"\xcc\x61"),
        ("/VBA/dir", b"nonsense"),
        ("/VBA/ThisDocument", &code),
    ])
}

#[test]
fn kinds_are_found_in_content() {
    let kind = |name: &str, content: &[u8]| facts("", name, content).attachments[0].kind.clone();
    assert_eq!(kind("a.doc", b"{\\rtf1 text}"), "rtf");
    assert_eq!(kind("a.txt", b"%PDF-1.7\n"), "pdf");
    assert_eq!(kind("a", &zipped(&[("word/document.xml", b"<w/>")])), "docx");
    assert_eq!(kind("a", &zipped(&[("minutes.txt", b"text")])), "zip");
    assert_eq!(kind("a", b"BEGIN:VCALENDAR\r\n"), "ics");
    assert_eq!(kind("a", b"\xef\xbb\xbf<!DOCTYPE html><html>"), "html");
    assert_eq!(kind("a", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "svg");
    assert_eq!(kind("a", b"Dear colleagues, MZ"), "text");
    assert_eq!(
        kind(
            "a",
            b"MZ is how a letter may begin, and this one does; nothing else is like a program here."
        ),
        NOBODY
    );
    assert_eq!(kind("a", &compound(&[("/WordDocument", b"x")])), "doc");
    assert_eq!(kind("a", b"\x01\x02\x03\xff\xfe\x00\x00\x10"), NOBODY);
}

#[test]
fn ordinary_files_say_nothing() {
    let pdf = b"%PDF-1.7\n1 0 obj << /Type /Page >> endobj\n%%EOF";
    for (name, content) in [
        ("minutes.pdf", &pdf[..]),
        ("notes.txt", b"Agenda for Tuesday"),
        (
            "report.docx",
            &zipped(&[
                ("word/document.xml", b"<w:document/>"),
                ("word/_rels/document.xml.rels", b"<Relationships/>"),
            ]),
        ),
        (
            "budget.xls",
            &compound(&[("/Workbook", &[0x09, 0x08, 0x02, 0, 0, 6])]),
        ),
    ] {
        assert_eq!(
            codes(&facts("Please find the file attached.", name, content)),
            Vec::<&str>::new(),
            "{name}"
        );
    }
}

#[test]
fn names_that_lie_are_told() {
    let program = [b"MZ".as_slice(), &[0; 80]].concat();
    assert_eq!(
        codes(&facts("", "minutes.pdf", &program)),
        ["content/extension-lie", "content/executable"]
    );
    let codes_of = |name: &str| codes(&facts("", name, b"text")).join(" ");
    assert!(codes_of("agenda\u{202e}fdp.exe").contains("content/name-direction"));
    assert!(codes_of("agenda.pdf                .js").contains("content/name-padded"));
    assert!(codes_of("agenda.pdf.vbs").contains("content/double-extension"));
}

#[test]
fn members_of_archives_are_judged_by_their_names() {
    let archive = zipped(&[
        ("docs/agenda.txt", b"x"),
        ("docs/agenda.pdf.lnk", b"x"),
        ("setup.js", b"x"),
    ]);
    let found = facts("", "docs.zip", &archive);
    assert_eq!(
        codes(&found),
        [
            "content/archive",
            "content/double-extension",
            "content/archive-shortcut",
            "content/archive-program"
        ]
    );
    assert_eq!(found.signals.last().unwrap().seen, "docs.zip: setup.js");
}

#[test]
fn a_locked_archive_with_its_key_in_the_text() {
    let found = facts(
        "The file is protected. Password: session2026",
        "docs.zip",
        &locked("agenda.docx"),
    );
    assert!(codes(&found).contains(&"content/archive-encrypted"));
    assert!(codes(&found).contains(&"content/password-in-text"));
    let found = facts(
        "I will call you with the key.",
        "docs.zip",
        &locked("agenda.docx"),
    );
    assert!(!codes(&found).contains(&"content/password-in-text"));
}

#[test]
fn broken_archives_are_told() {
    for (name, start) in [
        ("a.zip", &b"PK\x03\x04 nothing"[..]),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04 nothing here to be read at all"),
        ("a.cab", b"MSCF\0\0"),
    ] {
        assert!(
            codes(&facts("", name, start)).contains(&"content/archive-unreadable"),
            "{name}"
        );
    }
}

#[test]
fn rar_members_are_listed() {
    // A main header and one file header of version 5: flags, sizes, host system, name.
    let file = [
        2, 0x00, 0x00, 9, 0, 0, 0, 9, b'a', b'g', b'e', b'n', b'd', b'a', b'.', b'j', b's',
    ];
    let mut archive = b"Rar!\x1a\x07\x01\x00".to_vec();
    archive.extend([0, 0, 0, 0, 3, 1, 0, 0]);
    archive.extend([0, 0, 0, 0, u8::try_from(file.len()).unwrap()]);
    archive.extend(file);
    let found = facts("", "a.rar", &archive);
    assert!(
        codes(&found).contains(&"content/archive-program"),
        "{:?}",
        found.signals
    );
    // One file of version 4, its content encrypted.
    let mut archive = b"Rar!\x1a\x07\x00".to_vec();
    archive.extend([0, 0, 0x73, 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]);
    let mut block = vec![0, 0, 0x74, 0x04, 0, 36, 0];
    block.extend([0; 19]);
    block.extend([4, 0, 0, 0, 0, 0]);
    block.extend(b"a.js");
    archive.extend(block);
    let found = facts("", "a.rar", &archive);
    assert!(
        codes(&found).contains(&"content/archive-program"),
        "{:?}",
        found.signals
    );
    assert!(codes(&found).contains(&"content/archive-encrypted"));
}

#[test]
fn disk_images_are_listed() {
    let mut image = vec![0; 20 * 2_048];
    let descriptor = 16 * 2_048;
    image[descriptor] = 1;
    image[descriptor + 1..descriptor + 6].copy_from_slice(b"CD001");
    image[descriptor + 156 + 2] = 18;
    image[descriptor + 156 + 10..descriptor + 156 + 12].copy_from_slice(&2_048_u16.to_le_bytes());
    let name = b"AGENDA.LNK;1";
    let record = 18 * 2_048;
    image[record] = u8::try_from(33 + name.len() + 1).unwrap();
    image[record + 32] = u8::try_from(name.len()).unwrap();
    image[record + 33..record + 33 + name.len()].copy_from_slice(name);
    let found = facts("", "agenda.iso", &image);
    assert!(codes(&found).contains(&"content/disk-image"));
    assert!(
        codes(&found).contains(&"content/archive-shortcut"),
        "{:?}",
        found.signals
    );
}

#[test]
fn macros_that_start_by_themselves() {
    let with = |source: &str| {
        zipped(&[
            ("word/document.xml", b"<w/>"),
            ("word/vbaProject.bin", &project(source)),
        ])
    };
    let found = facts(
        "",
        "a.docm",
        &with("Sub AutoOpen()\r\nMsgBox \"inert\"\r\nEnd Sub\r\n"),
    );
    assert_eq!(
        codes(&found),
        [
            "content/macro-name",
            "content/office-macro",
            "content/office-macro-automatic"
        ]
    );
    let found = facts(
        "",
        "a.docm",
        &with("Sub Tidy()\r\nMsgBox \"inert\"\r\nEnd Sub\r\n"),
    );
    assert_eq!(codes(&found), ["content/macro-name", "content/office-macro"]);
    let found = facts("", "a.docm", &with(""));
    assert_eq!(codes(&found), ["content/macro-name"], "a project without code");
}

#[test]
fn what_documents_fetch() {
    let relation = |kind: &str, target: &str| {
        format!(
            "<Relationships><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" Target=\"{target}\" TargetMode=\"External\"/></Relationships>"
        )
    };
    let with = |kind: &str, target: &str| {
        zipped(&[
            ("word/document.xml", b"<w/>"),
            ("word/_rels/settings.xml.rels", relation(kind, target).as_bytes()),
        ])
    };
    let found = facts(
        "",
        "a.docx",
        &with("attachedTemplate", "https://t.example/a.dotm"),
    );
    assert_eq!(codes(&found), ["content/office-remote-template"]);
    assert_eq!(found.links[0].role, LinkRole::Beacon);
    let found = facts(
        "",
        "a.docx",
        &with("attachedTemplate", "file:///\\\\srv\\templates\\letter.dotx"),
    );
    assert_eq!(codes(&found), ["content/office-share-template"]);
    let found = facts("", "a.docx", &with("hyperlink", "https://news.example/"));
    assert_eq!(codes(&found), Vec::<&str>::new());
    assert_eq!(
        (found.links[0].role, found.links[0].host.as_str()),
        (LinkRole::Click, "news.example")
    );
}

#[test]
fn fields_that_start_programs() {
    let document = b"<w:document xmlns:w=\"w\"><w:instrText>DDEA</w:instrText><w:instrText>UTO inert</w:instrText></w:document>";
    assert_eq!(
        codes(&facts("", "a.docx", &zipped(&[("word/document.xml", document)]))),
        ["content/office-dde"]
    );
}

#[test]
fn old_documents_are_looked_into() {
    let found = facts(
        "",
        "a.xls",
        &compound(&[("/Workbook", &[0x85, 0, 8, 0, 0, 0, 0, 0, 0, 1, 1, 0])]),
    );
    assert_eq!(
        codes(&found),
        ["content/office-macro"],
        "a sheet of Excel 4.0 macros"
    );
    let found = facts(
        "the password is 1234",
        "a.docx",
        &compound(&[("/EncryptedPackage", b"x"), ("/EncryptionInfo", b"x")]),
    );
    assert_eq!(
        codes(&found),
        ["content/office-encrypted", "content/password-in-text"]
    );
    let found = facts(
        "",
        "a.doc",
        &compound(&[
            ("/ObjectPool/_1/Equation Native", b"x"),
            ("/WordDocument", &[0; 16]),
        ]),
    );
    assert_eq!(codes(&found), ["content/equation-editor"]);
}

#[test]
fn pdf_actions_and_links() {
    let pdf = b"%PDF-1.7\n1 0 obj << /Type /Catalog /OpenAction << /S /JavaScript /JS (inert) >> >> endobj\n\
        2 0 obj << /S /URI /URI (https://portal.example/login?u=1) >> endobj 3 0 obj << /S /L#61unch >> endobj\n%%EOF";
    let found = facts("", "a.pdf", pdf);
    assert_eq!(
        codes(&found),
        [
            "content/pdf-script",
            "content/pdf-script-on-open",
            "content/pdf-launch"
        ]
    );
    assert_eq!(found.links[0].host, "portal.example");
    assert_eq!(found.links[0].found_in, "pdf");
}

#[test]
fn pdf_objects_in_compressed_streams_are_seen() {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder
        .write_all(b"<< /S /URI /URI (https://hidden.example/x) >> << /S /SubmitForm >>")
        .unwrap();
    let stream = encoder.finish().unwrap();
    let mut pdf = b"%PDF-1.7\n7 0 obj << /Type /ObjStm /N 2 /Filter /FlateDecode >>\nstream\n".to_vec();
    pdf.extend(stream);
    pdf.extend(b"\nendstream endobj\n%%EOF");
    let found = facts("", "a.pdf", &pdf);
    assert_eq!(codes(&found), ["content/pdf-form"]);
    assert_eq!(found.links[0].host, "hidden.example");
}

#[test]
fn rich_text_objects() {
    let found = facts(
        "",
        "a.rtf",
        br"{\rtf1{\object\objupdate{\*\objclass Equation.3}{\*\objdata 4571756174696f6e2e3300}}}",
    );
    assert_eq!(
        codes(&found),
        [
            "content/rtf-object",
            "content/rtf-object-update",
            "content/equation-editor"
        ]
    );
    let found = facts("", "a.rtf", br"{\rtf1{\*\template https://t.example/x.dot}}");
    assert_eq!(codes(&found), ["content/office-remote-template"]);
}

#[test]
fn pages_that_make_files_of_themselves() {
    let data = "QUJD".repeat(1_000);
    let page = format!(
        "<html><body><script>var d='{data}'; var b=new Blob([atob(d)]); a.href=URL.createObjectURL(b); a.download='inert.txt';</script></body></html>"
    );
    let found = facts("", "a.html", page.as_bytes());
    assert_eq!(
        codes(&found),
        ["content/html-attachment", "content/html-smuggling"]
    );
    let form =
        b"<html><body><form action=\"https://c.example/p\"><input type=\"password\"></form></body></html>";
    let found = facts("", "a.html", form);
    assert_eq!(
        codes(&found),
        ["content/html-attachment", "content/html-password-form"]
    );
    assert!(
        found
            .links
            .iter()
            .any(|link| link.role == LinkRole::Form && link.host == "c.example")
    );
    let found = facts(
        "",
        "a.svg",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"location.href='https://c.example'\"/>",
    );
    assert!(codes(&found).contains(&"content/svg-script"));
}

#[test]
fn shortcuts_calendars_and_notebooks() {
    let found = facts("", "a.url", b"[InternetShortcut]\r\nURL=https://c.example/x\r\n");
    assert_eq!(codes(&found), ["content/shortcut-name", "content/shortcut"]);
    let found = facts(
        "",
        "a.rdp",
        b"full address:s:rdp.c.example\r\ndrivestoredirect:s:*\r\n",
    );
    assert_eq!(codes(&found), ["content/shortcut-name", "content/remote-desktop"]);
    let invitation = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nORGANIZER;CN=Chair:mailto:chair@other.example\r\nDESCRIPTION:Join https://c.exam\r\n ple/meet\r\nEND:VCALENDAR";
    let found = facts("", "invite.ics", invitation);
    assert_eq!(
        codes(&found),
        ["content/calendar-link", "content/calendar-organizer"]
    );
    let mut notebook = b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3".to_vec();
    notebook.extend(b"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac");
    let script = b"@echo off\r\nrem inert";
    notebook.extend(u64::try_from(script.len()).unwrap().to_le_bytes());
    notebook.extend([0; 12]);
    notebook.extend(script);
    let found = facts("", "a.one", &notebook);
    assert_eq!(
        codes(&found),
        ["content/shortcut-name", "content/onenote-file", "content/onenote"]
    );
}

/// The code of `HTTPS://QR.EXAMPLE/A` (version 1, level L), row by row.
const CODE: &str = include_str!("qr_test.txt");

fn picture(dark_on_light: bool) -> Vec<u8> {
    let rows: Vec<&str> = CODE.lines().collect();
    let scale = 4;
    let margin = 4;
    let side = u32::try_from((rows.len() + 2 * margin) * scale).unwrap();
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let module = |at: u32| (at as usize / scale).checked_sub(margin);
        let dark = module(y)
            .and_then(|row| rows.get(row))
            .zip(module(x))
            .is_some_and(|(row, column)| row.as_bytes().get(column) == Some(&b'#'));
        image::Luma([if dark == dark_on_light { 0 } else { 255 }])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn codes_in_pictures_are_read() {
    for dark_on_light in [true, false] {
        let found = facts("", "code.png", &picture(dark_on_light));
        assert_eq!(
            codes(&found),
            ["content/qr-link"],
            "dark on light: {dark_on_light}"
        );
        assert_eq!(
            (found.links[0].host.as_str(), found.links[0].found_in.as_str()),
            ("qr.example", "qr")
        );
    }
}

#[test]
fn hostile_files_neither_panic_nor_last() {
    let mut samples = vec![
        zipped(&[("word/document.xml", b"<w/>"), ("word/vbaProject.bin", &project("Sub AutoOpen()\r\nEnd Sub"))]),
        compound(&[("/Workbook", &[0x85, 0, 8, 0, 0, 0, 0, 0, 0, 1, 1, 0])]),
        b"%PDF-1.7\n1 0 obj << /S /URI /URI (https://a.example) /Subtype /Image /DCTDecode >> stream\nx\nendstream".to_vec(),
        picture(true),
        b"Rar!\x1a\x07\x01\x00\0\0\0\0\x03\x01\0\0".to_vec(),
        b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nORGANIZER:mailto:\r\n".to_vec(),
    ];
    samples.push(locked("a.js"));
    // A linear congruential generator (Knuth): the same mutations in every run.
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for sample in &samples {
        for round in 0..60 {
            let mut changed = sample.clone();
            for _ in 0..=round % 8 {
                let at = random(changed.len());
                changed[at] = u8::try_from(random(256)).unwrap();
            }
            changed.truncate(changed.len() - random(changed.len() / (1 + round % 3)).min(changed.len() - 1));
            let _ = facts("", "x", &changed);
        }
    }
}

#[test]
fn every_signal_is_in_the_table() {
    let table = include_str!("../../../../content/mail/signals.toml");
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = std::fs::read_dir(folder.join("attachment"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.push(folder.join("reply.rs"));
    let mut seen = 0;
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let source = std::fs::read_to_string(file).unwrap();
        for (at, _) in source.match_indices("\"content/") {
            let code = source[at + 1..].split('"').next().unwrap();
            assert!(
                table.contains(&format!("code = \"{code}\"")),
                "{code} of {}",
                file.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 50);
}
