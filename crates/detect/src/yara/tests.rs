#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use blackrod_model::{Class, Position, Timestamp, mail};

const EVIDENCE: EvidenceId = EvidenceId([3; 16]);

fn search(rules: &str, name: &str, bytes: &[u8]) -> Vec<Finding> {
    let (rules, set) = Rules::from_text("t.yar", rules);
    assert_eq!(set.refused, []);
    let mut findings = Vec::new();
    let note = rules
        .scanner()
        .search_content(&Content::file(EVIDENCE, Some(name), bytes), &mut findings);
    assert_eq!(note, None);
    findings
}

#[test]
fn a_finding_says_what_matched_and_where() {
    let rule = r#"rule Odd_Thing : T1027 {
        meta: title = "An odd thing" severity = "high" attack = "T1566.001, T1204"
        strings: $a = "MAGIC" $b = { 00 ff } $unused = "absent"
        condition: any of them }"#;
    let found = search(rule, "letter.bin", b"..MAGIC..\x00\xff..MAGIC");
    assert_eq!(found.len(), 1);
    let finding = &found[0];
    assert_eq!(
        (finding.rule_id.as_str(), finding.title.as_str()),
        ("Odd_Thing", "An odd thing")
    );
    assert_eq!(finding.severity, Severity::High);
    assert_eq!(finding.attack, ["T1027", "T1204", "T1566.001"]);
    let told: Vec<_> = finding
        .reasons
        .iter()
        .map(|r| format!("{}={}", r.field, r.value))
        .collect();
    assert_eq!(
        told,
        [
            "file=letter.bin",
            r#"$a="MAGIC" at byte 2, 1 more"#,
            r#"$b="\x00\xff" at byte 9"#
        ]
    );
    assert!(
        finding
            .entities
            .iter()
            .any(|entity| entity.kind == EntityKind::Hash)
    );
}

#[test]
fn public_collections_conventions_are_understood() {
    let rule = r#"rule Scored { meta: description = "From elsewhere" score = 65
        condition: filename == "a.bin" and extension == ".bin" and filepath contains "Temp" }"#;
    let found = search(rule, r"C:\Temp\a.bin", b"x");
    assert_eq!(
        (found[0].title.as_str(), found[0].severity),
        ("From elsewhere", Severity::Medium)
    );
    let (_, set) = Rules::from_text(
        "t.yar",
        "import \"dotnet\"\nrule needs { condition: dotnet.is_dotnet }\nrule free { condition: true }",
    );
    assert_eq!(set.loaded, 1);
    assert!(set.refused[0].rule == "needs" && set.refused[0].reason.contains("dotnet"));
}

#[test]
fn a_broken_file_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    fs::write(
        dir.path().join("bad.yar"),
        "rule bad { condition: nonsense }\nrule good { condition: true }",
    )
    .unwrap();
    fs::write(dir.path().join("sub/worse.yara"), "this is no rule").unwrap();
    fs::write(dir.path().join("sub/fine.yar"), "rule fine { condition: true }").unwrap();
    fs::write(dir.path().join("notes.txt"), "rule ignored { condition: true }").unwrap();
    let (rules, set) = Rules::load(&[dir.path().to_owned()], false).unwrap();
    assert_eq!((rules.len(), set.loaded), (2, 2));
    let mut told: Vec<_> = set.refused.iter().map(|problem| problem.rule.as_str()).collect();
    told.dedup();
    assert_eq!(told, ["bad.yar", "sub/worse.yara"]);
    assert!(set.refused[0].reason.contains("nonsense") || set.refused[0].reason.contains("bad.yar:1"));
    assert!(matches!(
        Rules::load(&[dir.path().join("absent")], false),
        Err(crate::LoadError::Folder { .. })
    ));
}

#[test]
fn attachments_are_searched_with_the_mails_entities() {
    let (rules, _) = Rules::from_text("t.yar", "rule r { strings: $a = \"MAGIC\" condition: $a }");
    let mut event = Event::new(
        Class::EMAIL_ACTIVITY,
        Timestamp::from_seconds(1),
        Position { offset: 0, record: 5 },
    );
    let attachment = |name: &'static str, content: &'static [u8]| mail::Part {
        role: mail::PartRole::Attachment,
        content_type: "application/octet-stream".into(),
        name: Some(name.into()),
        content: content.into(),
        ..mail::Part::default()
    };
    event.mail = Some(Box::new(mail::Message {
        from: vec![mail::Mailbox {
            name: None,
            address: "a@b.example".into(),
        }],
        parts: vec![
            attachment("a.txt", b"nothing"),
            attachment("b.bin", b"MAGIC"),
            attachment("c.bin", b"MAGIC"),
        ],
        ..mail::Message::default()
    }));
    let mut findings = Vec::new();
    assert_eq!(rules.scanner().search(&event, EVIDENCE, &mut findings), []);
    let labels: Vec<_> = findings
        .iter()
        .map(|finding| finding.reasons[0].field.as_str())
        .collect();
    assert_eq!(labels, ["attachment 2", "attachment 3"]);
    assert_ne!(findings[0].id, findings[1].id);
    assert!(
        findings[0]
            .entities
            .iter()
            .any(|entity| entity.value == "a@b.example")
    );
    assert_eq!(findings[0].at.record, 5);
}

#[test]
fn too_large_a_file_is_searched_in_part_and_told() {
    let (rules, _) = Rules::from_text("t.yar", "rule r { strings: $a = \"MAGIC\" condition: $a }");
    let mut scanner = rules.scanner();
    scanner.max_size = 1_000;
    let mut bytes = vec![b'.'; 1_000];
    bytes[10..15].copy_from_slice(b"MAGIC");
    bytes.extend_from_slice(b"beyond");
    let mut findings = Vec::new();
    let note = scanner.search_content(&Content::file(EVIDENCE, None, &bytes), &mut findings);
    assert!(note.is_some_and(|note| note.reason.contains("only the first 1000 bytes of file")));
    assert_eq!(findings.len(), 1);
}
