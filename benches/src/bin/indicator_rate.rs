//! How long comparing events with indicators takes: without any, with a thousand, with a million.
//!
//! ```text
//! cargo run --release -p blackrod-benches --bin indicator_rate [FILE.ndjson [RECORDS]]
//! ```
//!
//! Records come from FILE (one JSON object a line, at most RECORDS of them) or are made up: Sysmon
//! process starts and connections of 30 fields. Indicators are made up, four tenths of them domains,
//! the rest addresses, prefixes, URLs and digests; none occurs in made-up records. The figures are
//! processor time of the best of five rounds on one thread, without reading and parsing. All records
//! lie in memory before the first is searched, so they come from there and not from the cache, as they
//! do right after parsing: the figures are on the high side.

use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::time::Instant;

use blackrod_detect::indicators::Set;
use blackrod_model::{Class, Event, EvidenceId, Field, Position, Timestamp, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next();
    let limit: usize = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let events = match &file {
        Some(path) => read(path, limit)?,
        None => (0..50_000).map(made_up).collect(),
    };
    let fields: usize = events.iter().map(|event| event.fields.len()).sum();
    let bytes: usize = events.iter().map(text_bytes).sum();
    println!(
        "{} events, {} fields and {} bytes of text each",
        events.len(),
        fields / events.len().max(1),
        bytes / events.len().max(1)
    );
    println!(
        "{:>10} {:>9} {:>9} {:>10} {:>12} {:>9}",
        "indicators", "load s", "MB", "ns/event", "events/s", "findings"
    );
    for count in [0, 1_000, 100_000, 1_000_000] {
        let list = indicators(count);
        let started = Instant::now();
        let (set, rules) = Set::from_bytes("made-up", list.as_bytes());
        let load = started.elapsed().as_secs_f64();
        drop(list);
        assert!(rules.refused.is_empty(), "{:?}", rules.refused.first());
        let (seconds, findings) = (0..5)
            .map(|_| search(&set, &events))
            .fold((f64::MAX, 0), |best, round| (best.0.min(round.0), round.1));
        let per_event = seconds / events.len() as f64;
        println!(
            "{:>10} {load:>9.2} {:>9.1} {:>10.0} {:>12.0} {findings:>9}",
            set.len(),
            set.memory() as f64 / 1e6,
            per_event * 1e9,
            1.0 / per_event
        );
    }
    Ok(())
}

fn search(set: &Set, events: &[Event<'_>]) -> (f64, usize) {
    let mut findings = Vec::new();
    let started = (cpu_seconds(), Instant::now());
    for event in events {
        set.search(black_box(event), EvidenceId([0; 16]), &mut findings);
    }
    let seconds = match (started.0, cpu_seconds()) {
        (Some(before), Some(after)) => after - before,
        _ => started.1.elapsed().as_secs_f64(),
    };
    (seconds, findings.len())
}

/// What this thread has had of a processor so far, where the system tells: other programs on the
/// machine then do not count.
fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

fn text_bytes(event: &Event<'_>) -> usize {
    let mut bytes = 0;
    for field in &event.fields {
        field.value.each_str(&mut |text| bytes += text.len());
    }
    bytes
}

/// Indicators that look like those of a large feed.
fn indicators(count: usize) -> String {
    let mut list = String::new();
    for n in 0..count {
        let scattered = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [a, b, c, d, ..] = scattered.to_le_bytes();
        let top = ["com", "net", "org", "ru", "xyz", "info", "top", "cn", "de", "io"][n % 10];
        let line = match n % 10 {
            0..4 => format!("h{scattered:x}.{top}"),
            4 => format!(
                "2a0{}:{a:x}{b:02x}:{c:x}{d:02x}::{:x}:{:x}",
                n % 9,
                n >> 16,
                n & 0xffff
            ),
            5 => format!("{}.{b}.{c}.{d}", 11 + a % 80),
            6 => format!("{}.{b}.{c}.0/24", 130 + a % 30),
            7 => format!("http://u{scattered:x}.{top}/path/{n}.php"),
            8 => format!("{scattered:016x}{n:016x}"),
            _ => format!("{scattered:016x}{n:048x}"),
        };
        list.push_str(&line);
        list.push('\n');
    }
    list
}

fn made_up(n: u64) -> Event<'static> {
    let scattered = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let fields = [
        ("Channel", "Microsoft-Windows-Sysmon/Operational".to_owned()),
        ("Provider_Name", "Microsoft-Windows-Sysmon".to_owned()),
        (
            "Provider_Guid",
            "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}".to_owned(),
        ),
        ("Computer", format!("WS{:04}.parl.example", n % 3_000)),
        ("Keywords", "0x8000000000000000".to_owned()),
        (
            "TimeCreated_SystemTime",
            "2021-01-22T09:30:00.1234567Z".to_owned(),
        ),
        ("Security_UserID", "S-1-5-18".to_owned()),
        ("RuleName", "-".to_owned()),
        ("UtcTime", "2021-01-22 09:30:00.123".to_owned()),
        (
            "ProcessGuid",
            format!("{{{:08X}-6CAB-600A-0000-0010{:08X}}}", n as u32, scattered as u32),
        ),
        (
            "Image",
            r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE".to_owned(),
        ),
        ("FileVersion", "16.0.13530.20316".to_owned()),
        ("Description", "Microsoft Word".to_owned()),
        ("Product", "Microsoft Office".to_owned()),
        ("Company", "Microsoft Corporation".to_owned()),
        ("OriginalFileName", "WinWord.exe".to_owned()),
        (
            "CommandLine",
            format!(
                r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "\\files.parl.example\home\m{n}\Documents\minutes of 22.01.2021 (draft {n}).docx" /o "https://intranet.parl.example/list?item={scattered:x}""#
            ),
        ),
        ("CurrentDirectory", format!(r"C:\Users\m{n}\Documents\")),
        ("User", format!(r"PARL\m{n}")),
        (
            "LogonGuid",
            format!("{{{:08X}-6CAB-600A-0000-0020{:08X}}}", n as u32, scattered as u32),
        ),
        ("LogonId", "0x51ab3".to_owned()),
        ("IntegrityLevel", "Medium".to_owned()),
        (
            "Hashes",
            format!(
                "SHA1={scattered:040X},MD5={scattered:032X},SHA256={scattered:064X},IMPHASH={scattered:032X}"
            ),
        ),
        (
            "ParentProcessGuid",
            format!("{{{:08X}-6CAB-600A-0000-0030{:08X}}}", n as u32, scattered as u32),
        ),
        ("ParentImage", r"C:\Windows\explorer.exe".to_owned()),
        ("ParentCommandLine", r"C:\Windows\Explorer.EXE".to_owned()),
        ("SourceIp", format!("10.{}.{}.{}", n % 7, n % 251, n % 241)),
        ("DestinationIp", format!("198.51.{}.{}", n % 255, n % 241)),
        (
            "DestinationHostname",
            format!("cdn{}.updates.example.com", n % 977),
        ),
    ];
    let mut event = Event::new(
        Class::PROCESS_ACTIVITY,
        Timestamp::from_seconds(1_611_307_800),
        Position::START,
    );
    event.fields = fields
        .into_iter()
        .map(|(name, text)| Field::new(name, text))
        .collect();
    event.fields.push(Field::new("EventID", Value::Int(1)));
    event
}

fn read(path: &str, limit: usize) -> Result<Vec<Event<'static>>, Box<dyn std::error::Error>> {
    let mut events = Vec::new();
    for line in BufReader::new(std::fs::File::open(path)?).lines().take(limit) {
        let Ok(serde_json::Value::Object(object)) = serde_json::from_str(&line?) else {
            continue;
        };
        let mut event = Event::new(Class::BASE_EVENT, Timestamp::UNKNOWN, Position::START);
        flatten("", &object, &mut event.fields);
        events.push(event);
    }
    Ok(events)
}

fn flatten(
    prefix: &str,
    object: &serde_json::Map<String, serde_json::Value>,
    fields: &mut Vec<Field<'static>>,
) {
    for (key, value) in object {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            serde_json::Value::Object(inner) => flatten(&name, inner, fields),
            serde_json::Value::String(text) => fields.push(Field::new(name, text.clone())),
            serde_json::Value::Number(number) => {
                fields.push(Field::new(name, Value::Int(number.as_i64().unwrap_or_default())));
            }
            _ => {}
        }
    }
}
