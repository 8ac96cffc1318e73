//! How fast events and findings get into a case, and how fast a hunt answers.
//!
//! ```text
//! cargo run --release -p blackrod-benches --bin write_rate -- [EVENTS] [FILE.json]
//! ```
//!
//! `FILE.json` holds Windows events as JSON, one per line; without it events are invented (less repetitive than real ones).
//! Reading and parsing them is not measured. CPU time is that of the one thread that writes.

use std::error::Error;
use std::time::Instant;

use blackrod_model::{
    Class, Column, Entity, EntityKind, Event, Evidence, EvidenceId, EvidenceState, Field, Finding, FindingId,
    Position, Raw, Reason, Severity, Sha256, Timestamp,
};
use blackrod_store::hunt::{Options, hunt};
use blackrod_store::{Batch, Case, VerifyOptions};

const FINDINGS: u64 = 100_000;

/// A record with its text and the fields that fill columns.
struct Record {
    raw: String,
    fields: Vec<(Column, String)>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(Ok(1_000_000), |count| count.parse())?;
    let records = match arguments.next() {
        Some(path) => read_records(&std::fs::read_to_string(path)?),
        None => (0..20_000).map(invented).collect(),
    };
    let folder = std::env::temp_dir().join(format!("blackrod-write-rate-{}", std::process::id()));
    let measured = measure(&folder, &records, events);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(folder: &std::path::Path, records: &[Record], events: u64) -> Result<(), Box<dyn Error>> {
    let mut case = Case::create_or_open(folder)?;
    let sha256 = Sha256::of(b"write_rate");
    let id = EvidenceId::new(&sha256, "write_rate.evtx");

    let mut writer = case.event_writer()?;
    let (cpu, wall) = (cpu_nanos()?, Instant::now());
    let mut raw_bytes = 0;
    for (number, record) in (0..events).zip(records.iter().cycle()) {
        // A busy machine: 30 events a second.
        let time = Timestamp::from_micros(1_600_000_000_000_000 + number as i64 * 33_333);
        let class = if number % 4 == 0 {
            Class::AUTHENTICATION
        } else {
            Class::PROCESS_ACTIVITY
        };
        let mut event = Event::new(
            class,
            time,
            Position {
                offset: number * 1_000,
                record: number + 1,
            },
        );
        event.source.product = "windows";
        event.source.channel = "Security".into();
        event.source.provider = "Microsoft-Windows-Security-Auditing".into();
        event.source.event_id = 4688;
        event.raw = Raw::Text(&record.raw);
        for (column, text) in &record.fields {
            event.columns.set(*column, event.fields.len());
            event.fields.push(Field::new(column.name(), text.as_str()));
        }
        raw_bytes += record.raw.len();
        writer.push(id, &event)?;
    }
    let files = writer.flush()?;
    let (cpu, wall) = (cpu_nanos()? - cpu, wall.elapsed());
    let stored: u64 = files.iter().map(blackrod_store::StagedFile::bytes).sum();
    println!(
        "events: {events} of {} bytes in {:.2} s, {:.2} µs of CPU each, {} files, {:.1} MB ({:.1} % of the records)",
        raw_bytes / events as usize,
        wall.as_secs_f64(),
        cpu as f64 / 1e3 / events as f64,
        files.len(),
        stored as f64 / 1e6,
        stored as f64 / raw_bytes as f64 * 100.0,
    );

    let findings: Vec<Finding> = (0..FINDINGS).map(|number| finding(id, number)).collect();
    let wall = Instant::now();
    for chunk in findings.chunks(1_000) {
        case.stage(chunk, &[], &[])?;
    }
    let staged = wall.elapsed();
    let evidence = Evidence {
        id,
        path: "write_rate.evtx".to_owned(),
        sha256,
        size: raw_bytes as u64,
        format: "evtx".to_owned(),
        records_read: events,
        records_refused: 0,
        state: EvidenceState::Read,
    };
    case.commit(Batch {
        evidence: vec![evidence],
        refusals: Vec::new(),
        files,
    })?;
    println!(
        "findings: {FINDINGS} staged in {:.2} s, committed with {events} events in {:.2} s",
        staged.as_secs_f64(),
        (wall.elapsed() - staged).as_secs_f64(),
    );
    let wall = Instant::now();
    let report = case.verify(&VerifyOptions::default())?;
    println!(
        "verify: {} problems in {:.2} s",
        report.problems.len(),
        wall.elapsed().as_secs_f64()
    );
    drop(findings);
    drop(case);
    println!("peak memory so far: {} MiB", peak_mib()?);

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for sql in [
        "SELECT class, count(*) AS n FROM events GROUP BY class",
        "SELECT time, host, command_line FROM events WHERE command_line LIKE '%whoami%' ORDER BY time LIMIT 10",
        "SELECT count(*) AS n FROM events WHERE raw LIKE '%never there%'",
        "SELECT user, count(*) AS n, min(time) AS first FROM events GROUP BY user ORDER BY n DESC LIMIT 5",
        "SELECT count(*) AS n FROM events WHERE day = '2020-09-13'",
        "SELECT f.title, count(*) AS n FROM events e JOIN findings f ON e.evidence = f.evidence AND e.record = f.record GROUP BY f.title",
        "SELECT raw FROM events ORDER BY command_line, time DESC",
    ] {
        let wall = Instant::now();
        let rows = runtime.block_on(async {
            let mut answer = hunt(
                folder,
                sql,
                &Options {
                    memory_bytes: 256 * 1024 * 1024,
                },
            )
            .await?;
            let mut rows = 0;
            while let Some(batch) = answer.next().await {
                rows += batch?.num_rows();
            }
            Ok::<_, blackrod_store::StoreError>(rows)
        });
        match rows {
            Ok(rows) => println!(
                "hunt: {:.2} s, peak {} MiB, {rows} rows: {sql}",
                wall.elapsed().as_secs_f64(),
                peak_mib()?
            ),
            Err(error) => println!("hunt: {error}: {sql}"),
        }
    }
    Ok(())
}

fn invented(number: u64) -> Record {
    let digest = Sha256::of(&number.to_le_bytes());
    let command = format!(r"C:\Windows\System32\cmd.exe /c echo {digest} & whoami /groups");
    let fields = vec![
        (Column::Host, format!("WS-{}.parliament.example", number % 40)),
        (Column::User, format!("user{}", number % 300)),
        (Column::UserDomain, "PARLIAMENT".to_owned()),
        (Column::Process, r"C:\Windows\System32\cmd.exe".to_owned()),
        (Column::Pid, format!("0x{:x}", number % 9_000)),
        (Column::CommandLine, command.clone()),
        (Column::Parent, r"C:\Windows\explorer.exe".to_owned()),
        (Column::Session, format!("0x{:x}", 0x3e7 + number % 500)),
    ];
    let filler: String = (0..6)
        .map(|part: u64| Sha256::of(&(number * 7 + part).to_le_bytes()).to_string())
        .collect();
    let raw = format!(
        r#"{{"EventID":4688,"Computer":"WS-{}","SubjectUserSid":"S-1-5-18","NewProcessName":"C:\\Windows\\System32\\cmd.exe","CommandLine":"{command}","LogonGuid":"{filler}","TokenElevationType":"%%1936","MandatoryLabel":"S-1-16-8192"}}"#,
        number % 40
    );
    Record { raw, fields }
}

fn read_records(text: &str) -> Vec<Record> {
    const NAMES: [(&str, Column); 12] = [
        ("Hostname", Column::Host),
        ("Computer", Column::Host),
        ("User", Column::User),
        ("SubjectUserName", Column::User),
        ("TargetUserName", Column::TargetUser),
        ("Image", Column::Process),
        ("NewProcessName", Column::Process),
        ("CommandLine", Column::CommandLine),
        ("ParentImage", Column::Parent),
        ("ProcessId", Column::Pid),
        ("TargetObject", Column::RegistryKey),
        ("TargetFilename", Column::File),
    ];
    let parsed = text
        .lines()
        .filter_map(|line| Some((line, serde_json::from_str::<serde_json::Value>(line).ok()?)));
    parsed
        .map(|(line, value)| Record {
            raw: line.to_owned(),
            fields: NAMES
                .iter()
                .filter_map(|&(name, column)| Some((column, value.get(name)?.as_str()?.to_owned())))
                .collect(),
        })
        .collect()
}

fn finding(evidence: EvidenceId, number: u64) -> Finding {
    Finding {
        id: FindingId::new(
            "sigma",
            "rule",
            evidence,
            Position {
                offset: 0,
                record: number,
            },
            "",
        ),
        code: "sigma".to_owned(),
        rule_id: format!("00000000-0000-0000-0000-{:012}", number % 50),
        title: format!("Rule {}", number % 50),
        severity: Severity::Medium,
        time: Timestamp::from_micros(1_600_000_000_000_000 + number as i64),
        evidence,
        at: Position {
            offset: number * 1_000,
            record: number + 1,
        },
        class: Class::PROCESS_ACTIVITY.0,
        attack: vec!["T1059".to_owned()],
        reasons: vec![
            Reason::new("Image", r"C:\Windows\System32\cmd.exe"),
            Reason::new(
                "CommandLine",
                r"C:\Windows\System32\cmd.exe /c whoami /groups & net user /domain",
            ),
        ],
        entities: [
            Entity::new(EntityKind::Host, "ws-7"),
            Entity::new(EntityKind::Account, &format!("user{number}")),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// CPU time of this thread (proc(5), `schedstat`).
fn cpu_nanos() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

/// The most memory that this process ever had (proc(5), `VmHWM`).
fn peak_mib() -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or_default();
    let kib: u64 = line.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(kib / 1024)
}
