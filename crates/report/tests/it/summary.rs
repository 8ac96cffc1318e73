//! The summaries for terminals and programs.

use blackrod_report::{summary_json, summary_text};

use crate::make::Case;

#[test]
fn the_terminal_summary_is_understood_in_ten_seconds() {
    let text = Case::saying("Anna’s mailbox", 7).with_view(summary_text);
    let expected = "\
Read       1,204,511 records in 1 item of evidence (4.1 kB)
Found      7 findings: 1 critical, 1 high, 2 medium, 2 low, 1 informational
Campaigns  1 campaign
     42  Anna’s mailbox
         C-";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.contains("Not read   3 records, 1 item read only in part\n"),
        "{text}"
    );
    assert!(text.ends_with("Report     case/report.html\n"), "{text}");
    assert!(text.lines().count() <= 12, "{text}");
}

#[test]
fn long_lists_are_counted_and_not_shown() {
    let mut case = Case::saying("x", 1);
    let one = case.campaigns[0].clone();
    case.campaigns = vec![one; 9];
    let text = case.with_view(summary_text);
    assert!(
        text.contains("and 4 more campaigns, told in the report"),
        "{text}"
    );
}

/// The shape is a promise to other programs: a field that goes missing here breaks them.
#[test]
fn the_json_summary_keeps_its_shape() {
    let json = Case::saying("x", 7).with_view(summary_json);
    assert_eq!(json["case"], "x");
    assert_eq!(json["generated"], "2021-01-22T09:00:00Z");
    assert_eq!(json["read"]["evidence"], 1);
    assert_eq!(json["read"]["records"], 1_204_511);
    assert_eq!(json["read"]["refused"], 3);
    assert_eq!(json["read"]["partial"], 1);
    assert_eq!(json["read"]["unknown"], 0);
    assert_eq!(json["read"]["bytes"], 4_096);
    assert_eq!(json["findings"]["total"], 7);
    assert_eq!(json["findings"]["by_severity"]["medium"], 2);
    assert_eq!(json["campaigns"][0]["findings"], 7);
    assert_eq!(json["campaigns"][0]["score"], 42.0);
    assert_eq!(json["campaigns"][0]["targets"][0]["kind"], "host");
    assert_eq!(json["not_read"][0]["records"], 3);
    assert_eq!(json["not_read"][0]["evidence"], "x");
    assert_eq!(json["not_read"][0]["examples"][0]["offset"], 65_536);
    assert_eq!(json["unread_evidence"][0]["state"], "partial");
    assert_eq!(json["rules"][0]["loaded"], 2);
    assert_eq!(json["report"], "case/report.html");
    assert_eq!(json["log_head"].as_str().map(str::len), Some(64));
}

#[test]
fn each_finding_is_one_line_of_ocsf_that_points_at_its_record() {
    let case = Case::saying("a\nb", 3);
    let mut lines = Vec::new();
    case.with_view(|view| blackrod_report::ocsf(view, &mut lines))
        .unwrap();
    let text = String::from_utf8(lines).unwrap();
    let findings: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(findings.len(), 3);
    for (finding, given) in findings.iter().zip(&case.findings) {
        assert_eq!(finding["type_uid"], 200_401);
        assert_eq!(finding["severity_id"], given.severity as u64 + 1);
        assert_eq!(finding["evidences"][0]["data"]["record"], given.at.record);
        assert_eq!(finding["unmapped"]["campaign"], case.campaigns[0].id.as_str());
    }
}
