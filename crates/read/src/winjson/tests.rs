#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Timestamp};
use proptest::prelude::*;

use super::WindowsJson;
use crate::Format as _;
use crate::harness::{Kept, Reading, read, read_in_pieces};

const FLAT: &str = r#"{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"pc7.house.example","SourceName":"Microsoft-Windows-Sysmon","EventTime":"2021-03-01 05:00:02","EventReceivedTime":"2021-03-01 05:00:04","@timestamp":"2021-03-01T10:00:04.512Z","Task":1,"RecordNumber":77,"Keywords":-9223372036854775808,"ProcessId":"412","ProcessID":9,"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami ","User":"HOUSE\\anna","tags":["a","b"]}"#;

fn one(text: &str) -> Kept {
    assert!(WindowsJson.recognise(text.as_bytes()), "not recognised: {text}");
    let mut reading = read(&WindowsJson, text.as_bytes()).unwrap();
    assert_eq!(reading.refusals, []);
    assert_eq!(reading.events.len(), 1);
    reading.events.remove(0)
}

fn assert_is_the_process_start(event: &Kept) {
    assert_eq!(event.class, Class::PROCESS_ACTIVITY);
    assert_eq!(event.product, "windows");
    assert_eq!(event.channel, "Microsoft-Windows-Sysmon/Operational");
    assert_eq!(event.provider, "Microsoft-Windows-Sysmon");
    assert_eq!(event.event_id, 1);
    assert_eq!(event.time, Timestamp::parse("2021-03-01T10:00:02Z").unwrap());
    for (name, value) in [
        ("EventID", "1"),
        ("Channel", "Microsoft-Windows-Sysmon/Operational"),
        ("Provider_Name", "Microsoft-Windows-Sysmon"),
        ("Computer", "pc7.house.example"),
        ("EventRecordID", "77"),
        ("Image", r"C:\Windows\System32\cmd.exe"),
        // The blank at the end is part of what was typed.
        ("CommandLine", "cmd.exe /c whoami "),
        ("User", r"HOUSE\anna"),
    ] {
        assert_eq!(event.get(name), Some(value), "{name} in {:?}", event.fields);
        assert_eq!(
            event.fields.iter().filter(|field| field.0 == name).count(),
            1,
            "{name}"
        );
    }
    assert_eq!(
        event.column(Column::Process),
        Some(r"C:\Windows\System32\cmd.exe")
    );
    assert_eq!(event.column(Column::Host), Some("pc7.house.example"));
}

#[test]
fn nxlog_and_otrf() {
    let event = one(FLAT);
    assert_is_the_process_start(&event);
    assert_eq!(event.raw, FLAT);
    // Names that differ in case alone are different fields.
    assert_eq!(event.get("ProcessId"), Some("412"));
    assert_eq!(event.get("ProcessID"), Some("9"));
    assert_eq!(event.get("Keywords"), Some("-9223372036854775808"));
    assert_eq!(event.get("tags"), Some("a, b"));
}

#[test]
fn winlogbeat() {
    let event = one(
        r#"{"@timestamp":"2021-03-01T10:00:02.000Z","event":{"code":"1","provider":"Microsoft-Windows-Sysmon","created":"2021-03-01T10:00:09.000Z"},"host":{"name":"pc7"},"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_data":{"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami ","User":"HOUSE\\anna"},"provider_name":"Microsoft-Windows-Sysmon","computer_name":"pc7.house.example","record_id":77,"event_id":"1","process":{"pid":4}},"log":{"level":"information"}}"#,
    );
    assert_is_the_process_start(&event);
    assert_eq!(event.get("event.code"), Some("1"));
    assert_eq!(event.get("host.name"), Some("pc7"));
    assert_eq!(event.get("winlog.process.pid"), Some("4"));
    assert_eq!(event.get("log.level"), Some("information"));
}

#[test]
fn winlogbeat_6_and_a_search_hit() {
    let event = one(
        r#"{"_index":"w","_source":{"@timestamp":"2021-03-01T10:00:02.000Z","log_name":"Microsoft-Windows-Sysmon/Operational","source_name":"Microsoft-Windows-Sysmon","computer_name":"pc7.house.example","event_id":1,"record_number":"77","event_data":{"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami ","User":"HOUSE\\anna"}}}"#,
    );
    assert_is_the_process_start(&event);
    assert_eq!(event.get("_index"), Some("w"));
}

#[test]
fn evtx_dump() {
    let event = one(
        r##"{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"5770385F"}},"EventID":{"#text":1,"#attributes":{"Qualifiers":""}},"TimeCreated":{"#attributes":{"SystemTime":"2021-03-01T10:00:02.000000Z"}},"EventRecordID":77,"Execution":{"#attributes":{"ProcessID":1840}},"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc7.house.example"},"EventData":{"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami ","User":"HOUSE\\anna"}}}"##,
    );
    assert_is_the_process_start(&event);
    assert_eq!(event.get("Provider_Guid"), Some("5770385F"));
    assert_eq!(event.get("Execution_ProcessID"), Some("1840"));
}

#[test]
fn chainsaw_with_separate_attributes() {
    let event = one(
        r#"{"Event":{"System":{"Provider_attributes":{"Name":"Microsoft-Windows-Sysmon"},"EventID":1,"TimeCreated_attributes":{"SystemTime":"2021-03-01T10:00:02Z"},"EventRecordID":77,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc7.house.example"},"EventData":{"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami ","User":"HOUSE\\anna"}}}"#,
    );
    assert_is_the_process_start(&event);
}

#[test]
fn xml_converter_with_a_list_of_data() {
    let event = one(
        r##"{"Event":{"EventData":{"Data":[{"@Name":"UtcTime","#text":"2021-03-01 10:00:02.000"},{"@Name":"Image","#text":"C:\\Windows\\System32\\cmd.exe"},{"@Name":"CommandLine","#text":"cmd.exe /c whoami "},{"#attributes":{"Name":"User"},"#text":"HOUSE\\anna"},{"@Name":"RuleName"}]},"System":{"Provider":{"@Name":"Microsoft-Windows-Sysmon"},"EventID":"1","TimeCreated":{"@SystemTime":"2021-03-01T05:00:02Z"},"EventRecordID":"77","Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc7.house.example"}}}"##,
    );
    assert_is_the_process_start(&event);
    assert_eq!(event.get("RuleName"), Some(""));
    assert_eq!(event.get("TimeCreated"), Some("2021-03-01T05:00:02Z"));
}

#[test]
fn velociraptor() {
    let event = one(
        r#"{"System":{"Provider":{"Name":"Microsoft-Windows-Sysmon"},"EventID":{"Value":1},"TimeCreated":{"SystemTime":1614592802.0},"EventRecordID":77,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc7.house.example"},"EventData":{"Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami ","User":"HOUSE\\anna"},"Message":null}"#,
    );
    assert_is_the_process_start(&event);
    assert_eq!(event.get("Message"), Some("null"));
}

#[test]
fn powershell_with_the_message_alone() {
    for time in [
        r#""\/Date(1614592802000)\/""#,
        r#"{"value":"\/Date(1614592802000)\/","DateTime":"x"}"#,
    ] {
        let event = one(&format!(
            r#"{{"Message":"Process Create:\r\nRuleName: -\r\nUtcTime: 2021-03-01 10:00:02.000\r\nImage: C:\\Windows\\System32\\cmd.exe\r\nCommandLine: cmd.exe /c whoami \r\nUser: HOUSE\\anna","Id":1,"LogName":"Microsoft-Windows-Sysmon/Operational","ProviderName":"Microsoft-Windows-Sysmon","MachineName":"pc7.house.example","RecordId":77,"TimeCreated":{time},"Properties":[{{"Value":"-"}},{{"Value":"x"}}]}}"#,
        ));
        assert_is_the_process_start(&event);
    }
}

#[test]
fn the_data_of_an_event_cannot_pose_as_its_header() {
    let event = one(
        r#"{"Event":{"UserData":{"LogFileCleared":{"Channel":"Security","EventID":4624,"SubjectUserName":"anna"}},"System":{"Provider":{"Name":"Microsoft-Windows-Eventlog"},"EventID":104,"Channel":"System","Computer":"pc7"}}}"#,
    );
    assert_eq!((event.channel.as_str(), event.event_id), ("System", 104));
    let channels: Vec<_> = event.fields.iter().filter(|field| field.0 == "Channel").collect();
    assert_eq!(
        channels.iter().map(|field| field.1.as_str()).collect::<Vec<_>>(),
        ["System", "Security"]
    );
    assert_eq!(event.get("EventID"), Some("104"));
    assert_eq!(event.get("SubjectUserName"), Some("anna"));
}

#[test]
fn times_by_who_tells_them() {
    let time = |members: &str| {
        one(&format!(
            r#"{{"EventID":5156,"Channel":"Security","Computer":"pc7",{members}}}"#
        ))
        .time
        .to_string()
    };
    assert_eq!(
        time(r#""TimeCreated":"2021-03-01 10:00:02.5""#),
        "2021-03-01T10:00:02.5Z"
    );
    assert_eq!(
        time(r#""TimeCreated":"2021-03-01T05:00:02Z","UtcTime":"2021-03-01 10:00:02""#),
        "2021-03-01T10:00:02Z"
    );
    let local = |collected: &str| {
        time(&format!(
            r#""EventTime":"2021-03-01 15:30:00","EventReceivedTime":"2021-03-01 15:42:01","@timestamp":"{collected}""#
        ))
    };
    assert_eq!(local("2021-03-01T10:12:03Z"), "2021-03-01T10:00:00Z");
    assert_eq!(local("2021-03-01T15:42:03Z"), "2021-03-01T15:30:00Z");
    // Days later: it says nothing about the zone.
    assert_eq!(local("2021-03-09T10:12:03Z"), "2021-03-01T15:30:00Z");
    assert_eq!(
        time(r#""EventTime":"2021-03-01T15:30:00+05:30""#),
        "2021-03-01T10:00:00Z"
    );
    assert_eq!(
        time(r#""@timestamp":"2021-03-01T10:00:00Z""#),
        "2021-03-01T10:00:00Z"
    );
    assert_eq!(time(r#""x":1"#), "unknown");
}

#[test]
fn every_carrier_gives_the_same_events_at_true_places() {
    let pretty = FLAT
        .replace(",\"", ",\n    \"")
        .replacen('{', "{\n    ", 1)
        .replace("]}", "]\n}");
    let carriers = [
        format!("{FLAT}\n{FLAT}\r\n\n{FLAT}"),
        format!("\n {FLAT}\n{FLAT}\n{FLAT}\n"),
        format!("[{FLAT},{FLAT},{FLAT}]"),
        format!("[\n{FLAT},\n{FLAT},\n{FLAT}\n]\n"),
        format!("{FLAT}{FLAT} {FLAT}"),
        format!("{pretty}\n{pretty}\n{pretty}\n"),
        format!("[\n  {pretty},\n  {pretty},\n  {pretty}\n]"),
    ];
    let expected = one(FLAT).fields;
    for carrier in &carriers {
        let utf8 = carrier.clone().into_bytes();
        let marked = [b"\xEF\xBB\xBF", utf8.as_slice()].concat();
        let utf16 = |encode: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let units = std::iter::once(0xFEFF).chain(carrier.encode_utf16());
            units.flat_map(encode).collect()
        };
        for bytes in [&utf8, &marked, &utf16(u16::to_le_bytes), &utf16(u16::to_be_bytes)] {
            assert!(WindowsJson.recognise(bytes), "{carrier}");
            let reading = read(&WindowsJson, bytes).unwrap();
            assert_eq!(reading.refusals, [], "{carrier}");
            let records: Vec<u64> = reading.events.iter().map(|event| event.at.record).collect();
            assert_eq!(records, [1, 2, 3], "{carrier}");
            let width = bytes.len() / utf8.len();
            for event in &reading.events {
                assert_eq!(event.fields, expected);
                let place = usize::try_from(event.at.offset).unwrap();
                let brace = bytes.get(place..place + width).unwrap();
                assert!(brace.contains(&b'{'), "{brace:?} at {place} of {carrier}");
            }
        }
    }
}

#[test]
fn a_broken_line_costs_itself_alone() {
    let broken = [
        r#"{"EventID":1,"#,
        "not json",
        "[1]",
        "17",
        r#"{"a":1}{"b":2}"#,
        r#"{"a":"x"#,
        "}",
    ];
    let mut text = String::new();
    for line in broken {
        text.extend([FLAT, "\n", line, "\n"]);
    }
    let reading = read(&WindowsJson, text.as_bytes()).unwrap();
    assert_eq!(reading.events.len(), broken.len());
    assert_eq!(reading.refusals.len(), broken.len());
    for (number, refusal) in reading.refusals.iter().enumerate() {
        assert_eq!(refusal.at.record, 2 * number as u64 + 2);
        let line = text
            .get(refusal.at.offset as usize..)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        assert_eq!(line, broken[number], "{}", refusal.reason);
    }
}

#[test]
fn broken_first_lines_do_not_hide_the_format() {
    let text = format!("{{\"EventID\":1,\"Chan\n{FLAT}\n{FLAT}\n");
    assert!(WindowsJson.recognise(text.as_bytes()));
    let reading = read(&WindowsJson, text.as_bytes()).unwrap();
    assert_eq!((reading.events.len(), reading.refusals.len()), (2, 1));
}

#[test]
fn a_first_record_longer_than_the_head_is_recognised() {
    let script = "x".repeat(crate::format::HEAD_LEN);
    let text = format!(r#"{{"Channel":"Security","EventID":4104,"ScriptBlockText":"{script}"}}"#);
    assert!(WindowsJson.recognise(&text.as_bytes()[..crate::format::HEAD_LEN]));
    for other in [
        "",
        "{",
        "[",
        "{}",
        r#"{"type":"bundle","id":"x","objects":[]}"#,
        "a,b\n1,2",
        "\u{0}",
        "[[[[",
    ] {
        assert!(!WindowsJson.recognise(other.as_bytes()), "{other}");
    }
}

#[test]
fn a_cut_array_gives_its_whole_records() {
    let text = format!("[{FLAT},{FLAT},{}", &FLAT[..100]);
    let reading = read(&WindowsJson, text.as_bytes()).unwrap();
    assert_eq!((reading.events.len(), reading.refusals.len()), (2, 1));
    assert!(reading.incomplete);
    assert_eq!(reading.refusals[0].at.offset as usize, text.len() - 100);
    assert_eq!(reading.refusals[0].at.record, 3);
}

#[test]
fn bytes_that_are_not_utf8_do_not_cost_the_record() {
    let mut bytes = FLAT.replace("whoami", "who\u{1}mi").into_bytes();
    let place = bytes.iter().position(|byte| *byte == 1).unwrap();
    bytes[place] = 0xFF;
    let reading = read(&WindowsJson, &bytes).unwrap();
    assert_eq!(
        reading.events[0].get("CommandLine"),
        Some("cmd.exe /c who\u{FFFD}mi ")
    );
}

#[test]
fn records_keep_their_numbers_over_blocks() {
    let filler = format!(
        "{{\"EventID\":1,\"Channel\":\"x\",\"Message\":\"{}\"}}",
        "é".repeat(150_000)
    );
    for (start, between, end) in [("", "\n", "\n"), ("[", ",", "]"), ("[\n", ",\n", "\n]")] {
        let records = [filler.as_str(); 12].join(between);
        let text = format!("{start}{records}{end}");
        let reading = read_in_pieces(&WindowsJson, text.as_bytes(), 1_000).unwrap();
        assert!(reading.blocks >= 3, "{}", reading.blocks);
        assert_eq!(reading.refusals, []);
        for (number, event) in reading.events.iter().enumerate() {
            assert_eq!(event.at.record, number as u64 + 1);
            let expected = start.len() + number * (filler.len() + between.len());
            assert_eq!(event.at.offset, expected as u64);
            assert_eq!(event.raw, filler);
        }
        assert_eq!(reading.events.len(), 12);
    }
}

#[test]
fn a_record_beyond_the_limit_is_refused_and_not_kept() {
    let huge = format!(
        "{{\"a\":\"{}\"}}",
        "x".repeat(crate::json::MAX_RECORD + (3 << 20))
    );
    for (start, between) in [("", "\n"), ("[", ",\n")] {
        let text = format!("{start}{FLAT}{between}{huge}{between}{FLAT}{between}{FLAT}");
        let reading = read(&WindowsJson, text.as_bytes()).unwrap();
        assert_eq!(reading.events.len(), 3, "{between:?}");
        assert_eq!(reading.refusals.len(), 1);
        assert!(reading.refusals[0].reason.contains("16 MiB"));
        assert_eq!(reading.refusals[0].at.record, 2);
        let last = reading.events.last().unwrap();
        assert_eq!(last.at.record, 4);
        assert_eq!(
            &text[last.at.offset as usize..last.at.offset as usize + FLAT.len()],
            FLAT
        );
    }
}

fn total(reading: &Reading) -> u64 {
    reading.events.len() as u64
        + reading
            .refusals
            .iter()
            .map(|refusal| refusal.records)
            .sum::<u64>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Lines stay lines whatever is in them, so their number is known.
    #[test]
    fn damage_to_lines_is_counted(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20), cut in any::<prop::sample::Index>()) {
        let mut bytes = format!("{FLAT}\n{FLAT}\n{FLAT}\n{FLAT}").into_bytes();
        for (index, byte) in flips {
            let place = index.index(bytes.len());
            // The first line tells the carrier; it stays whole.
            if place > FLAT.len() && bytes[place] != b'\n' && byte != b'\n' {
                bytes[place] = byte;
            }
        }
        bytes.truncate(FLAT.len() + 1 + cut.index(3 * FLAT.len()));
        let blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
        let present = bytes.split(|byte| *byte == b'\n').filter(|line| !blank(line)).count();
        let reading = read_in_pieces(&WindowsJson, &bytes, 97).unwrap();
        prop_assert_eq!(total(&reading), present as u64);
        let mut numbers: Vec<u64> = reading.events.iter().map(|event| event.at.record).collect();
        numbers.extend(reading.refusals.iter().map(|refusal| refusal.at.record));
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (1..=present as u64).collect::<Vec<_>>());
    }

    /// Whatever an array was turned into, blocks agree with the split, and records are numbered
    /// without gaps.
    #[test]
    fn damage_to_series_is_counted(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20), cut in any::<prop::sample::Index>(), pretty in any::<bool>()) {
        let between = if pretty { ",\n  " } else { "," };
        let mut bytes = format!("[{}]", [FLAT; 4].join(between)).into_bytes();
        for (index, byte) in flips {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(1 + cut.index(bytes.len()));
        let reading = read_in_pieces(&WindowsJson, &bytes, 97).unwrap();
        let mut numbers: Vec<u64> = reading.events.iter().map(|event| event.at.record).collect();
        numbers.extend(reading.refusals.iter().map(|refusal| refusal.at.record));
        numbers.sort_unstable();
        prop_assert_eq!(&numbers, &(1..=numbers.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..40) {
        let _ = WindowsJson.recognise(&bytes);
        let _ = read_in_pieces(&WindowsJson, &bytes, piece);
    }

    #[test]
    fn nothing_that_looks_like_json_panics(text in r#"[\[\]{}",:\\u0-9a-f\n DatEvn#@_.]{0,200}"#) {
        let _ = WindowsJson.recognise(text.as_bytes());
        let _ = read_in_pieces(&WindowsJson, text.as_bytes(), 7);
    }
}
