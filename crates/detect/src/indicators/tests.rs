#![allow(clippy::unwrap_used)]

use super::*;
use blackrod_model::{Class, Column, Event, EvidenceId, Field, Finding, Position, Timestamp, mail};

const EVIDENCE: EvidenceId = EvidenceId([7; 16]);

fn event(fields: &[(&'static str, &'static str)]) -> Event<'static> {
    let mut event = Event::new(
        Class::PROCESS_ACTIVITY,
        Timestamp::from_seconds(1_611_307_800),
        Position::START,
    );
    event.fields = fields
        .iter()
        .map(|(name, text)| Field::new(*name, *text))
        .collect();
    event
}

fn search(list: &str, event: &Event<'_>) -> Vec<Finding> {
    let (set, rules) = Set::from_bytes("list", list.as_bytes());
    assert_eq!(rules.refused, [], "{list}");
    let mut findings = Vec::new();
    set.search(event, EVIDENCE, &mut findings);
    findings
}

fn seen(list: &str, text: &'static str) -> Vec<String> {
    search(list, &event(&[("F", text)]))
        .into_iter()
        .map(|finding| finding.rule_id)
        .collect()
}

#[test]
fn whole_names_match_and_parts_of_names_do_not() {
    let list = "evil.example";
    for text in [
        "evil.example",
        "EVIL.example.",
        "curl http://a.evil.example/x",
        "x@evil.example",
        "x@deep.evil.example>",
        "https://r.example/?u=https%3A%2F%2Fevil.example%2Fx",
        "(evil.example)",
        "host=evil.example:8443",
        "http://user@evil.example/",
    ] {
        assert_eq!(seen(list, text), ["evil.example"], "{text}");
    }
    for text in [
        "notevil.example",
        "evil.example.au",
        "evil-example",
        "evil.example@honest.example",
        "evil.exampleorg",
        "evil_.example",
        "evil.example-cdn.net",
        "example",
    ] {
        assert_eq!(seen(list, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_name_below_a_listed_name_may_be_listed_too() {
    assert_eq!(
        seen("evil.example\na.evil.example", "b.a.evil.example"),
        ["evil.example", "a.evil.example"]
    );
}

#[test]
fn international_names_match_in_both_forms() {
    assert_eq!(
        seen("bücher.example", "to xn--bcher-kva.example"),
        ["xn--bcher-kva.example"]
    );
    assert_eq!(
        seen("xn--bcher-kva.example", "to www.bücher.example"),
        ["xn--bcher-kva.example"]
    );
}

#[test]
fn addresses_and_prefixes() {
    let list = "198.51.100.0/24\n203.0.113.9\n2001:db8:1::/48\n2001:db8::7";
    for (text, expected) in [
        ("198.51.100.77", vec!["198.51.100.0/24"]),
        ("tcp 203.0.113.9:443 open", vec!["203.0.113.9"]),
        ("::ffff:203.0.113.9", vec!["203.0.113.9"]),
        ("[2001:db8:1::5]:443", vec!["2001:db8:1::/48"]),
        ("2001:0DB8:0:0:0:0:0:7", vec!["2001:db8::7"]),
        ("203.0.113.90", vec![]),
        ("1.203.0.113.9", vec![]),
        ("2001:db8:2::5", vec![]),
    ] {
        assert_eq!(seen(list, text), expected, "{text}");
    }
}

#[test]
fn urls_match_without_scheme_query_and_punctuation() {
    let list = "http://evil.example/a/b.php\nhttps://evil.example:8443/Q?x=1\nhttp://203.0.113.9/z\nhttp://root.example";
    for (text, expected) in [
        ("GET https://EVIL.example/a/b.php", vec!["evil.example/a/b.php"]),
        ("see http://evil.example/a/b.php.", vec!["evil.example/a/b.php"]),
        (
            "http://evil.example/a/b.php?id=3#top",
            vec!["evil.example/a/b.php"],
        ),
        ("evil.example/a/b.php", vec!["evil.example/a/b.php"]),
        ("http://evil.example:8443/Q?x=1", vec!["evil.example:8443/Q?x=1"]),
        ("<a href=\"http://203.0.113.9:80/z\">", vec!["203.0.113.9/z"]),
        ("http://root.example", vec!["root.example/"]),
        ("http://evil.example/A/B.php", vec![]),
        ("http://evil.example/a/b.phpx", vec![]),
        ("http://evil.example/a", vec![]),
        ("http://evil.example:8443/Q?x=2", vec![]),
        ("root.example", vec![]),
        ("http://not-evil.example/a/b.php", vec![]),
    ] {
        assert_eq!(seen(list, text), expected, "{text}");
    }
}

#[test]
fn mail_addresses_match_whole() {
    let list = "anna@evil.example";
    assert_eq!(seen(list, "\"Anna\" <Anna@Evil.example>"), [list]);
    for text in [
        "joanna@evil.example",
        "anna@a.evil.example",
        "anna@evil.example.org",
        "evil.example",
    ] {
        assert_eq!(seen(list, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn digests_in_fields_and_in_files() {
    let list = "900150983cd24fb0d6963f7d28e17f72\na9993e364706816aba3e25717850c26c9cd0d89d";
    assert_eq!(
        seen(
            list,
            "SHA1=A9993E364706816ABA3E25717850C26C9CD0D89D,MD5=900150983CD24FB0D6963F7D28E17F72"
        ),
        [
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "900150983cd24fb0d6963f7d28e17f72"
        ]
    );
    let (set, _) = Set::from_bytes("list", list.as_bytes());
    let mut hasher = set.hasher();
    hasher.update(b"ab");
    hasher.update(b"c");
    let digests = hasher.finish();
    assert_eq!(digests.sha256, None);
    let mut findings = Vec::new();
    set.search_content(
        &crate::content::Content::file(EVIDENCE, Some("x.bin"), b"abc"),
        &digests,
        &mut findings,
    );
    assert_eq!(findings.len(), 2);
    assert_eq!(findings[0].reasons[0].field, "file");
}

#[test]
fn one_finding_an_indicator_and_record_with_all_its_fields() {
    let event = event(&[
        ("CommandLine", "curl http://evil.example/x"),
        ("QueryName", "evil.example"),
        ("Other", "203.0.113.9"),
    ]);
    let found = search("evil.example # the usual ones\n203.0.113.9", &event);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].code, "INDICATOR");
    assert_eq!(found[0].severity, Severity::High);
    assert_eq!(
        found[0].title,
        "Domain on an indicator list: evil.example (the usual ones)"
    );
    let fields: Vec<_> = found[0]
        .reasons
        .iter()
        .map(|reason| reason.field.as_str())
        .collect();
    assert_eq!(fields, ["CommandLine", "QueryName", "indicator source"]);
    assert!(
        found[0]
            .entities
            .iter()
            .any(|entity| entity.to_string() == "domain evil.example")
    );
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn outside_its_validity_an_indicator_counts_less() {
    let stix = |from: &str, until: &str| {
        format!(
            r#"{{"type":"indicator","id":"indicator--1","pattern_type":"stix","pattern":"[domain-name:value='evil.example']",
            "valid_from":"{from}","valid_until":"{until}"}}"#
        )
    };
    let event = event(&[("F", "evil.example")]);
    for (from, until, severity) in [
        ("2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z", Severity::High),
        ("2021-02-01T00:00:00Z", "2022-01-01T00:00:00Z", Severity::Medium),
        ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", Severity::Medium),
    ] {
        let found = search(&stix(from, until), &event);
        assert_eq!(found[0].severity, severity, "{from}");
        let tells = found[0]
            .reasons
            .iter()
            .any(|reason| reason.field == "indicator validity");
        assert_eq!(tells, severity == Severity::Medium);
    }
}

#[test]
fn mail_is_searched_through_and_through() {
    let mut event = event(&[]);
    let part =
        |role, content_type: &'static str, name: Option<&'static str>, content: &'static [u8]| mail::Part {
            role,
            content_type: content_type.into(),
            name: name.map(Into::into),
            content: content.into(),
            ..mail::Part::default()
        };
    event.mail = Some(Box::new(mail::Message {
        headers: vec![mail::Header {
            name: "Received".into(),
            value: "from x ([203.0.113.9])".into(),
        }],
        parts: vec![
            part(
                mail::PartRole::Html,
                "text/html",
                None,
                b"<a href='http://evil.example/a?b=1&amp;c=2'>x</a>",
            ),
            part(
                mail::PartRole::Attachment,
                "application/octet-stream",
                Some("a.bin"),
                b"abc",
            ),
        ],
        ..mail::Message::default()
    }));
    let list = "203.0.113.9\nhttp://evil.example/a?b=1&c=2\n900150983cd24fb0d6963f7d28e17f72";
    let found = search(list, &event);
    let rules: Vec<_> = found.iter().map(|finding| finding.rule_id.as_str()).collect();
    assert_eq!(
        rules,
        [
            "203.0.113.9",
            "evil.example/a?b=1&c=2",
            "900150983cd24fb0d6963f7d28e17f72"
        ]
    );
    assert_eq!(found[1].reasons[0].field, "body text/html");
    assert_eq!(found[2].reasons[0].field, "attachment 1");
}

#[test]
fn file_names_come_from_paths() {
    let mut event = event(&[("Image", r"C:\Users\Public\Dropper.EXE")]);
    event.columns.set(Column::Process, 0);
    let found = search("type,value\nfilename,dropper.exe", &event);
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(found[0].reasons[0].field, "Image");
}

#[test]
fn what_cannot_serve_is_told() {
    let (set, rules) = Set::from_bytes(
        "feed.txt",
        b"evil.example\n10.0.0.1\ngmail.com\nx..y\nevil.example\n8.8.8.8\n",
    );
    assert_eq!((set.len(), rules.loaded), (1, 1));
    let told: Vec<_> = rules
        .refused
        .iter()
        .map(|problem| problem.rule.as_str())
        .collect();
    assert_eq!(told, ["feed.txt:2", "feed.txt:3", "feed.txt:4", "feed.txt:6"]);
    assert!(rules.refused[1].reason.contains("millions"));

    let many: String = (0..3_000).map(|n| format!("10.0.0.{n}\n")).collect();
    let (_, rules) = Set::from_bytes("feed.txt", format!("evil.example\n{many}").as_bytes());
    assert_eq!(rules.refused.len(), MAX_PROBLEMS + 1);
    assert_eq!(
        rules.refused[MAX_PROBLEMS].reason,
        "2000 more indicators could not be used"
    );

    let (set, rules) = Set::from_bytes("letter.txt", b"Dear all,\nplease find enclosed\n");
    assert!(set.is_empty() && rules.refused.len() == 1);
    let (_, rules) = Set::from_bytes("broken.json", b"{\"objects\":[{\"type\"");
    assert_eq!(rules.refused.len(), 1);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error() {
    assert!(matches!(
        Set::load(&[PathBuf::from("/nonexistent/feed.csv")]),
        Err(LoadError::Indicators { .. })
    ));
}

#[test]
fn a_bulletin_of_indicators_is_a_bounded_number_of_findings() {
    let list: String = (0..500).map(|n| format!("h{n}.example\n")).collect();
    let (set, _) = Set::from_bytes("list", list.as_bytes());
    let mut event = event(&[]);
    event.fields.push(Field::new("Body", list));
    let mut findings = Vec::new();
    set.search(&event, EVIDENCE, &mut findings);
    assert_eq!(findings.len(), 100);
    let last = findings[99].reasons.last().unwrap();
    assert_eq!(last.value, "400 more indicators stand in this record");
}

#[test]
fn hostile_text_neither_panics_nor_takes_long() {
    let list = "evil.example\nhttp://evil.example/a\nx@evil.example\n198.51.100.0/24\n2001:db8::/48\n\
                900150983cd24fb0d6963f7d28e17f72\n";
    let (set, _) = Set::from_bytes("list", list.as_bytes());
    let pieces = [
        "evil.example",
        "@",
        "://",
        ".",
        "%2F",
        "%25",
        ":",
        "[",
        "é",
        "\u{202e}",
        "0",
        "/",
        "?",
        "&amp;",
        "198.51.100.9",
    ];
    let mut state = 1_u32;
    let mut findings = Vec::new();
    for _ in 0..2_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(pieces[(state >> 16) as usize % pieces.len()]);
        }
        let mut event = event(&[]);
        event.fields.push(Field::new("F", text));
        set.search(&event, EVIDENCE, &mut findings);
    }
    assert!(findings.len() > 500, "{}", findings.len());
    let long = "[.]".repeat(1 << 20);
    let started = std::time::Instant::now();
    let (set, rules) = Set::from_bytes("list", format!("evil.example\n{long}\n").as_bytes());
    assert_eq!((set.len(), rules.refused.len()), (1, 1));
    assert!(started.elapsed().as_secs() < 20);
}
