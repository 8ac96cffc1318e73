//! The HTML file.

use base64::Engine as _;
use blackrod_model::Sha256;

use crate::make::{Case, data_block};

#[test]
fn only_its_own_style_and_script_may_load() {
    let html = Case::saying("plain", 3).html();
    let (_, rest) = html
        .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
        .unwrap();
    let (policy, _) = rest.split_once('"').unwrap();
    let policy = policy.replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for forbidden in ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"] {
        assert!(!policy.contains(forbidden), "{policy}");
    }
    let digest_of = |opening: &str, closing: &str| {
        let (_, rest) = html.rsplit_once(opening).unwrap();
        let (text, _) = rest.split_once(closing).unwrap();
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::of(text.as_bytes()).0);
        format!("'sha256-{digest}'")
    };
    assert!(
        policy.contains(&format!("style-src {};", digest_of("<style>", "</style>"))),
        "{policy}"
    );
    assert!(
        policy.contains(&format!("script-src {};", digest_of("<script>", "</script>"))),
        "{policy}"
    );
    // Attributes would need exceptions in the policy.
    assert!(!html.contains(" style=\""));
    // As an attribute of ours; what evidence says is text.
    assert!(!html.contains(" onclick=\""));
}

#[test]
fn nothing_is_asked_of_a_network() {
    let html = Case::saying("https://beacon-7f3.example/x", 3).html();
    for attribute in ["src=", "href=\"http", "href=\"//", "action=", "url("] {
        assert!(!html.contains(attribute), "{attribute}");
    }
    let anchors = html
        .match_indices("href=\"")
        .map(|(at, found)| &html[at + found.len()..]);
    for target in anchors {
        assert!(
            target.starts_with('#') || target.starts_with("data:,\""),
            "{}",
            &target[..40]
        );
    }
}

#[test]
fn every_link_within_the_page_has_its_target() {
    let html = Case::saying("plain", 3).html();
    let fragments = html
        .match_indices("href=\"#")
        .map(|(at, found)| &html[at + found.len()..]);
    for fragment in fragments {
        let id = fragment.split('"').next().unwrap();
        assert!(html.contains(&format!("id=\"{id}\"")), "#{id}");
    }
}

#[test]
fn a_finding_says_which_fields_fired_and_where_its_record_stands() {
    let mut case = Case::saying("plain", 1);
    case.evidence[0].path = "seized/a.zip!Security.evtx".to_owned();
    case.findings[0].reasons[0].field = "CommandLine".to_owned();
    case.findings[0].reasons[0].value = "rundll32 comsvcs.dll".to_owned();
    case.findings[0].at.offset = 1_048_576;
    case.findings[0].at.record = 4_129;
    let html = case.html();
    for expected in [
        "CommandLine",
        "rundll32 comsvcs.dll",
        "seized/a.zip!Security.evtx",
        "record 4,129",
        "byte 1,048,576",
        "LSASS Memory",
    ] {
        assert!(html.contains(expected), "{expected}");
    }
    let data = data_block(&html, "finding-data");
    let row = &data["rows"][0];
    assert_eq!(
        data["paths"][row[2].as_u64().unwrap() as usize],
        "seized/a.zip!Security.evtx"
    );
    assert_eq!(
        (row[3].as_str(), row[4].as_str()),
        (Some("4129"), Some("1048576"))
    );
    assert_eq!(row[6][0][1], "rundll32 comsvcs.dll");
}

#[test]
fn all_findings_are_in_the_file_and_few_of_them_as_markup() {
    let html = Case::saying("plain", 3_000).html();
    let data = data_block(&html, "finding-data");
    assert_eq!(data["rows"].as_array().map(Vec::len), Some(3_000));
    // Severity, title and rule are kept once, not three thousand times.
    assert_eq!(data["rules"].as_array().map(Vec::len), Some(5));
    let as_markup = html.matches("<article class=\"finding\">").count();
    assert!((300..400).contains(&as_markup), "{as_markup}");
}

#[test]
fn many_items_of_evidence_become_a_list() {
    let mut case = Case::saying("plain", 1);
    assert!(!case.html().contains("id=\"evidence-data\""));
    let one = case.evidence[0].clone();
    case.evidence = (0..2_000)
        .map(|number| blackrod_model::Evidence {
            path: format!("mail/{number}.eml"),
            ..one.clone()
        })
        .collect();
    let data = data_block(&case.html(), "evidence-data");
    assert_eq!(data["rows"].as_array().map(Vec::len), Some(2_000));
    assert_eq!(data["rows"][1_999][0], "mail/1999.eml");
}

#[test]
fn what_was_not_read_is_named_with_its_place() {
    let mut case = Case::saying("plain", 1);
    case.refusals[0].reason = "the chunk's checksum does not hold".to_owned();
    let html = case.html();
    assert!(html.contains("the chunk's checksum does not hold"));
    assert!(html.contains("record 7, byte 65,536"));
    assert!(html.contains("and 3 more places"));
}

#[test]
fn what_people_added_is_told_with_its_source() {
    let html = Case::saying("Usher", 3).html();
    for words in [
        "What no record holds",
        "Judged otherwise",
        "Merged by hand",
        "Named by hand",
        "Dismissed",
    ] {
        assert!(html.contains(words), "{words}");
    }
}
