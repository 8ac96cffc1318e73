#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use blackrod_model::Column;

use crate::Formats;
use crate::harness::{Reading, damage, read};

const REPORT: &str = r#"<?xml version="1.0"?><feedback><report_metadata><org_name>Receiver &amp; Co</org_name><report_id>1</report_id><date_range><begin>1611307800</begin><end>1611394199</end></date_range></report_metadata><policy_published><domain>house.example</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.7</source_ip><count>12</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>house.example</header_from></identifiers><auth_results><spf><domain>x.example</domain><result>pass</result></spf></auth_results></record><record><row><source_ip>2001:db8::7</source_ip><count>1</count><policy_evaluated><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>house.example</header_from></identifiers></record></feedback>"#;

fn check(events: &[crate::harness::Kept]) {
    let [first, second] = events else {
        panic!("{events:?}")
    };
    assert_eq!(first.product, "dmarc");
    assert_eq!(first.time.to_string(), "2021-01-22T09:30:00Z");
    for (name, value) in [
        ("row.count", "12"),
        ("row.policy_evaluated.spf", "fail"),
        ("auth_results.spf.domain", "x.example"),
        ("report_metadata.org_name", "Receiver & Co"),
        ("policy_published.p", "none"),
    ] {
        assert_eq!(first.get(name), Some(value), "{name}");
    }
    assert_eq!(first.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(first.column(Column::Domain), Some("house.example"));
    assert_eq!(second.column(Column::SrcIp), Some("2001:db8::7"));
    assert_eq!(second.get("auth_results.spf.domain"), None);
}

fn read_any(bytes: &[u8]) -> (String, Reading) {
    let formats = Formats::standard();
    let format = formats.recognise(bytes).unwrap();
    damage(format, bytes);
    (format.name().to_owned(), read(format, bytes).unwrap())
}

#[test]
fn an_aggregate_report() {
    let (name, reading) = read_any(REPORT.as_bytes());
    assert_eq!((name.as_str(), reading.refusals.len()), ("dmarc", 0));
    check(&reading.events);
}

#[test]
fn a_report_in_mail_is_told_besides_the_message() {
    use base64_of as base64;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(REPORT.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let message = format!(
        "From: r@receiver.example\r\nTo: d@house.example\r\nSubject: Report domain: house.example\r\nDate: Fri, 22 Jan 2021 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: application/gzip; name=\"r.xml.gz\"\r\nContent-Disposition: attachment; filename=\"r.xml.gz\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        base64(&packed)
    );
    let formats = Formats::standard();
    let format = formats.recognise(message.as_bytes()).unwrap();
    let reading = read(format, message.as_bytes()).unwrap();
    assert_eq!(reading.events.len(), 3, "{:?}", reading.refusals);
    let records: Vec<_> = reading
        .events
        .into_iter()
        .filter(|event| event.product == "dmarc")
        .collect();
    check(&records);
    assert!(records.iter().all(|event| event.at.record == 1));
}

/// Base64 (RFC 4648) in lines.
fn base64_of(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (index, group) in bytes.chunks(3).enumerate() {
        let number = group
            .iter()
            .fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for letter in 0..4 {
            let is_there = letter <= group.len();
            let bits = (number >> (18 - 6 * letter)) & 63;
            text.push(if is_there {
                char::from(LETTERS[bits as usize])
            } else {
                '='
            });
        }
        if index % 18 == 17 {
            text.push_str("\r\n");
        }
    }
    text
}

#[test]
fn shared_reports() {
    let beside_checkout = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("BLACKROD_SHARED").map_or(beside_checkout, PathBuf::from);
    let Ok(packed) = std::fs::File::open(shared.join("data/dmarc-reports.tar.zst")) else {
        println!("SKIPPED: no shared dmarc-reports.tar.zst; set BLACKROD_SHARED to read real reports");
        return;
    };
    let formats = Formats::standard();
    let mut archive = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if bytes.is_empty() {
            continue;
        }
        let format = formats.recognise(&bytes).unwrap();
        let reading = read(format, &bytes).unwrap();
        let reports = reading
            .events
            .iter()
            .filter(|event| matches!(event.product, "dmarc" | "tls-report"));
        println!(
            "{name}: {} as {}, {:?}",
            reports.clone().count(),
            format.name(),
            reading.refusals
        );
        assert!(reports.count() > 0 || !reading.refusals.is_empty(), "{name}");
    }
}
