//! Nothing that evidence says becomes markup, hides, or fills the file.

use crate::make::{Case, data_block};

/// What an attacker would write where it might be shown.
pub(crate) const PAYLOADS: [&str; 10] = [
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    "</title></style><script>document.title='owned'</script>",
    "\"><img src=http://beacon-7f3.example/a.png onerror=\"document.title='owned'\">",
    "' onmouseover='document.title=1' x='",
    "<link rel=stylesheet href=//beacon-7f3.example/s.css><iframe src=//beacon-7f3.example></iframe>",
    "<!-- <![CDATA[ ]]> --!>",
    "<svg onload=document.title='owned'><use href=http://beacon-7f3.example/#x>",
    "a\u{0}b\u{1b}[31mc\u{85}d\u{7f}\r\n\t",
    "invoice\u{202e}fdp.exe \u{2066}x\u{2069} z\u{200b}w \u{2028}\u{2029}\u{feff}\u{e0041}",
];

#[test]
fn nothing_from_evidence_becomes_markup() {
    let plain = Case::saying("plain", 3).html();
    let tags = |html: &str, tag: &str| html.matches(tag).count();
    for payload in PAYLOADS {
        let html = Case::saying(payload, 3).html();
        // The script's own text is the same in both, so whatever is more comes from the payload.
        for tag in [
            "<script", "</script", "<img", "<iframe", "<link", "<svg", "<use", "<style", "</style", "<!--",
            "<title", "<meta",
        ] {
            assert_eq!(tags(&html, tag), tags(&plain, tag), "{tag} by {payload:?}");
        }
        // A single quote is harmless where every attribute is in double ones.
        if payload.contains(['<', '"']) {
            assert!(
                !html.contains(payload),
                "{payload:?} stands in the report as it is"
            );
        }
    }
}

#[test]
fn what_cannot_be_seen_is_written_out_everywhere() {
    for payload in &PAYLOADS[8..] {
        let html = Case::saying(payload, 3).html();
        let data = data_block(&html, "finding-data").to_string();
        for text in [&html, &data] {
            let hidden = text.chars().find(|c| {
                (c.is_control() && !matches!(c, '\n' | '\t'))
                    || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
            });
            assert_eq!(hidden, None);
        }
    }
    let html = Case::saying("invoice\u{202e}fdp.exe", 1).html();
    assert!(html.contains("invoice⟦U+202E⟧fdp.exe"));
    assert!(
        data_block(&html, "finding-data")
            .to_string()
            .contains("invoice⟦U+202E⟧fdp.exe")
    );
}

#[test]
fn a_megabyte_of_text_is_cut_and_its_length_told() {
    let html = Case::saying(&"<&\u{202e}".repeat(200_000), 3).html();
    // Every place shows at most 2,000 bytes of it, which become 10,000 when written out; uncut it would be 5 MB in each.
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    assert!(html.contains("[cut here; 1,000,000 bytes in all]"));
}

#[test]
fn text_of_a_terminal_summary_cannot_steer_the_terminal() {
    for payload in PAYLOADS {
        let text = Case::saying(payload, 3).with_view(blackrod_report::summary_text);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}

#[test]
fn a_case_of_nothing_is_told_too() {
    let mut case = Case::saying("Empty", 0);
    case.evidence.clear();
    case.refusals.clear();
    case.rule_sets.clear();
    case.runs.clear();
    let html = case.html();
    assert!(html.contains("Nothing hostile was found in what was read."));
    assert!(
        case.with_view(blackrod_report::summary_text)
            .contains("every record was read")
    );
}

#[test]
fn references_to_what_the_case_does_not_hold_do_no_harm() {
    let mut case = Case::saying("text", 2);
    case.evidence.clear();
    case.findings.truncate(1);
    case.findings[0].time = blackrod_model::Timestamp::from_micros(i64::MAX);
    case.campaigns[0].score = f64::NAN;
    let html = case.html();
    assert!(html.contains("evidence "));
    assert_eq!(
        data_block(&html, "finding-data")["rows"].as_array().map(Vec::len),
        Some(1)
    );
}
