#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::Formats;
use crate::harness::{Reading, read, read_in_pieces};

const MAP: &str = r#"
[[map]]
name = "vpn-log"
require = ["remote_ip", "login"]
class = "authentication"
time = "when"
time_format = "%d/%m/%Y %H:%M:%S"
product = "vpn"
channel = "gate"
[map.columns]
src_ip = "remote_ip"
user = ["full_login", "login"]
"#;

fn with_map() -> Formats {
    Formats::with_maps(FieldMaps::parse(MAP).unwrap())
}

fn read_as(formats: &Formats, name: &str, bytes: &[u8]) -> Reading {
    let format = formats
        .recognise(bytes)
        .unwrap_or_else(|| panic!("not recognised"));
    assert_eq!(format.name(), name);
    read(format, bytes).unwrap()
}

#[test]
fn a_field_map_explains_csv_and_json() {
    let csv = "when;login;remote_ip;host;full_login\r\n22/01/2021 09:30:00;anna;192.0.2.7;gate1;\r\n";
    let json = r#"{"when":"22/01/2021 09:30:00","login":"anna","remote_ip":"192.0.2.7","host":"gate1"}"#;
    let formats = with_map();
    for text in [csv, json] {
        let reading = read_as(&formats, "vpn-log", text.as_bytes());
        assert_eq!(reading.refusals, []);
        let event = &reading.events[0];
        assert_eq!(event.class, Class::AUTHENTICATION);
        assert_eq!(event.time, Timestamp::parse("2021-01-22T09:30:00Z").unwrap());
        assert_eq!((event.product, event.channel.as_str()), ("vpn", "gate"));
        assert_eq!(event.column(Column::SrcIp), Some("192.0.2.7"));
        assert_eq!(
            event.column(Column::User),
            Some("anna"),
            "the first that is not blank"
        );
        assert_eq!(
            event.column(Column::Host),
            Some("gate1"),
            "by its name, which the map does not have"
        );
    }
    let other = r#"{"login":"anna"}"#;
    assert_eq!(read_as(&formats, "ndjson", other.as_bytes()).events.len(), 1);
}

#[test]
fn time_formats() {
    for (format, text) in [
        ("unix", "1611307800"),
        ("unix", "1611307800.0"),
        ("unix_ms", "1611307800000"),
        ("filetime", "132557814000000000"),
        ("%Y-%m-%dT%H:%M:%S%z", "2021-01-22T10:30:00+0100"),
        ("%d/%b/%Y:%H:%M:%S %z", "22/Jan/2021:09:30:00 +0000"),
    ] {
        let map = MAP.replace("%d/%m/%Y %H:%M:%S", format);
        let formats = Formats::with_maps(FieldMaps::parse(&map).unwrap());
        let csv = format!("when,login,remote_ip\n{text},a,b\nnever,a,b\n");
        let reading = read_as(&formats, "vpn-log", csv.as_bytes());
        assert_eq!(
            reading.events[0].time,
            Timestamp::from_seconds(1_611_307_800),
            "{format}"
        );
        assert_eq!(reading.events[1].time, Timestamp::UNKNOWN);
    }
}

#[test]
fn faults_of_field_maps_name_line_field_and_mend() {
    let fault = |from: &str, to: &str| FieldMaps::parse(&MAP.replace(from, to)).unwrap_err().to_string();
    for (from, to, expected) in [
        (
            "\"authentication\"",
            "\"logon\"",
            ["line 5", "field `class`", "authentication"],
        ),
        (
            "src_ip =",
            "source =",
            ["line 11", "field `columns.source`", "src_ip"],
        ),
        (
            "%d/%m/%Y %H:%M:%S",
            "dd/mm",
            ["line 7", "field `time_format`", "unix_ms"],
        ),
        (
            "[\"remote_ip\", \"login\"]",
            "[]",
            ["line 4", "field `require`", "only this log"],
        ),
        ("\"vpn-log\"", "\"\"", ["line 3", "field `name`", "short name"]),
        ("class =", "klass =", ["line 5", "klass", "expected one of"]),
        ("\"vpn-log\"", "7", ["line 3", "string", ""]),
        ("[[map]]", "[[map", ["line 2", "", ""]),
    ] {
        let message = fault(from, to);
        for part in expected {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn names_in_common_use_fill_columns() {
    let formats = Formats::standard();
    let csv = "Timestamp,Source IP,User-Agent,UserName,URL\n2021-01-22 09:30:00,192.0.2.7,\"curl, 7\",anna,http://x.example/\n2021-01-22 09:31:00,192.0.2.7,\"a \"\"b\"\"\nc\",bert,-\n";
    let reading = read_as(&formats, "csv", csv.as_bytes());
    assert_eq!(reading.refusals, []);
    let event = &reading.events[0];
    assert_eq!(event.class, Class::BASE_EVENT);
    assert_eq!(event.time, Timestamp::from_seconds(1_611_307_800));
    assert_eq!(event.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(event.column(Column::UserAgent), Some("curl, 7"));
    assert_eq!(event.column(Column::User), Some("anna"));
    assert_eq!(reading.events[1].get("User-Agent"), Some("a \"b\"\nc"));
    assert_eq!(reading.events[1].column(Column::Url), None);

    let json = r#"[{"@timestamp":1611307800123,"source":{"ip":"192.0.2.7","port":443},"user":{"name":"anna"},"message":"x"}]"#;
    let event = &read_as(&formats, "ndjson", json.as_bytes()).events[0];
    assert_eq!(event.time, Timestamp::from_micros(1_611_307_800_123_000));
    assert_eq!(event.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(event.column(Column::SrcPort), Some("443"));
    assert_eq!(event.column(Column::User), Some("anna"));
    assert_eq!(event.raw, &json[1..json.len() - 1]);
}

#[test]
fn rows_of_the_wrong_width_are_refused() {
    let csv = "a|b|c\n1|2|3\n\n1|2\n1|2|3\r\n1|2|3|4\n1|2|3";
    let reading = read_as(
        &Formats::standard(),
        "csv",
        format!("{csv}\n{}", "4|5|6\n".repeat(20)).as_bytes(),
    );
    let refused: Vec<_> = reading
        .refusals
        .iter()
        .map(|refusal| (refusal.at.record, refusal.at.offset))
        .collect();
    assert_eq!(refused, [(2, 13), (4, 24)]);
    assert!(
        reading.refusals[0]
            .reason
            .contains("2 fields where the header has 3")
    );
    assert_eq!(reading.events.len(), 23);
    assert_eq!(reading.events[1].at.offset, 17);
    assert_eq!(reading.events[1].get("c"), Some("3"));
}

#[test]
fn a_quote_that_does_not_end_costs_one_row() {
    let rows = "1,2\n".repeat(300_000);
    for (start, rest) in [
        ("a,b\n1,2\n3,\"x\n", "1,2\n3,4\n"),
        ("a,b\n1,2\n3,\"x\n", rows.as_str()),
    ] {
        let csv = format!("{start}{rest}");
        let format = Formats::standard();
        let format = format.iter().find(|format| format.name() == "csv").unwrap();
        let reading = read(format, csv.as_bytes()).unwrap();
        assert_eq!(reading.refusals.len(), 1);
        assert_eq!(
            (reading.refusals[0].at.record, reading.refusals[0].at.offset),
            (2, 8)
        );
        assert_eq!(reading.events.len(), 1 + rest.len() / 4);
        assert_eq!(reading.events.last().unwrap().at.offset as usize, csv.len() - 4);
    }
}

#[test]
fn every_block_knows_the_header_and_its_numbers() {
    let row = format!("{},\"é\n{}\"\r\n", "x".repeat(2_000), "y".repeat(1_000));
    let csv = format!("\u{FEFF}left,right\r\n{}", row.repeat(1_000));
    let utf16: Vec<u8> = csv.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, width) in [(csv.clone().into_bytes(), 1), (utf16, 2)] {
        let formats = Formats::standard();
        let format = formats.recognise(&bytes).unwrap();
        assert_eq!(format.name(), "csv");
        let reading = read_in_pieces(format, &bytes, 1_001).unwrap();
        assert_eq!(reading.refusals, []);
        assert!(reading.blocks >= 3);
        assert_eq!(reading.events.len(), 1_000);
        for (number, event) in reading.events.iter().enumerate() {
            assert_eq!(event.at.record, number as u64 + 1);
            assert_eq!(bytes[event.at.offset as usize], b'x');
            assert_eq!(bytes[event.at.offset as usize - width], b'\n');
            assert_eq!(event.fields[0].0, "left");
            assert!(event.fields[1].1.ends_with('y'));
        }
    }
}

#[test]
fn text_is_not_mistaken_for_csv() {
    let formats = Formats::standard();
    for text in [
        "Dear Anna,\nthank you for the letter, which came today.\nYours, Bert\n",
        "just one line, with a comma",
        "1,2,3\n4,5,6\n",
        "a,a\n1,2\n",
        "a,,c\n1,2,3\n",
        "name\nanna\nbert\n",
        "int main(void) {\n  f(a, b);\n  return 0;\n}\n",
        "<html>,<body>\n<p>,<b>\n",
        "a,b\n1\n2,3,4\n5\n",
        "key: value, more\nother: value, more\n",
        "a,b\n\0,1\n",
        "",
        "\n\n",
    ] {
        let format = formats.recognise(text.as_bytes());
        assert!(format.is_none_or(|format| format.name() != "csv"), "{text:?}");
    }
}

#[test]
fn other_text_is_not_json() {
    let formats = Formats::standard();
    for text in [
        "[1,2,3]",
        "{",
        "{}x",
        "[section]\nkey=1\n",
        "{\\rtf1\\ansi}",
        "\"text\"",
        "[]",
    ] {
        let format = formats.recognise(text.as_bytes());
        assert!(format.is_none_or(|format| format.name() != "ndjson"), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// The cut into blocks and the csv crate must agree on what a row is: numbers have no gaps.
    #[test]
    fn rows_are_counted_once(body in r#"[a",,"\n\n\r é]{0,120}"#, piece in 1_usize..40) {
        let text = format!("h1,h2\n1,2\n{body}");
        let formats = Formats::standard();
        let format = formats.iter().find(|format| format.name() == "csv").unwrap();
        let reading = read_in_pieces(format, text.as_bytes(), piece).unwrap();
        let mut numbers: Vec<u64> = reading.events.iter().map(|event| event.at.record).collect();
        numbers.extend(reading.refusals.iter().map(|refusal| refusal.at.record));
        numbers.sort_unstable();
        prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..40) {
        for format in with_map().iter().filter(|format| ["csv", "ndjson", "vpn-log"].contains(&format.name())) {
            let _ = format.recognise(&bytes);
            let _ = read_in_pieces(format, &bytes, piece);
        }
    }
}
