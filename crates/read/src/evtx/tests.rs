//! Invented logs, whole and damaged.

use std::io::Cursor;
use std::ops::ControlFlow;

use blackrod_model::{Class, Column, Event, Refusal, Value};

use super::{CHUNK_LEN, Evtx, FILE_HEADER_LEN};
use crate::{Format, Sink, SplitOutcome};

// Public where it belongs, in the generator of the example.
#[allow(unreachable_pub)]
#[path = "../../../../examples/generator/src/evtx.rs"]
mod writer;

use writer::{LogEvent, write_evtx};

/// What reading a log gave.
#[derive(Default)]
struct Read {
    /// Record number, offset and all fields as one text.
    records: Vec<(u64, u64, String)>,
    refusals: Vec<Refusal>,
    outcome: SplitOutcome,
    blocks: usize,
}

impl Sink for Read {
    fn event(&mut self, event: Event<'_>) {
        let mut text = String::new();
        event.write_raw(&mut text);
        self.records.push((event.at.record, event.at.offset, text));
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

impl Read {
    fn numbers(&self) -> Vec<u64> {
        self.records.iter().map(|(number, ..)| *number).collect()
    }

    fn refused(&self) -> u64 {
        let all = self.refusals.iter().chain(&self.outcome.refusals);
        all.map(|refusal| refusal.records).sum()
    }

    fn reasons(&self) -> String {
        let all = self.refusals.iter().chain(&self.outcome.refusals);
        all.map(|refusal| format!("{}\n", refusal.reason)).collect()
    }
}

fn read(log: &[u8]) -> Read {
    let mut read = Read::default();
    let split = Evtx.split(&mut Cursor::new(log), &mut |block| {
        read.blocks += 1;
        Evtx.parse(&block, &mut read);
        ControlFlow::Continue(())
    });
    read.outcome = split.unwrap_or_default();
    read
}

/// A sink that looks at the one event it gets.
struct Look<F: FnMut(&Event<'_>)>(F);

impl<F: FnMut(&Event<'_>)> Sink for Look<F> {
    fn event(&mut self, event: Event<'_>) {
        (self.0)(&event);
    }

    fn refuse(&mut self, refusal: Refusal) {
        panic!("{refusal:?}");
    }
}

fn look(log: &[u8], seen: impl FnMut(&Event<'_>)) {
    let mut sink = Look(seen);
    let split = Evtx.split(&mut Cursor::new(log), &mut |block| {
        Evtx.parse(&block, &mut sink);
        ControlFlow::Continue(())
    });
    assert_eq!(split.unwrap_or_default(), SplitOutcome::default());
}

/// 2026-03-02T08:15:00Z.
const MORNING: i64 = 1_772_439_300_000_000;

fn logon(number: i64) -> LogEvent {
    LogEvent::new(
        "Security",
        "Microsoft-Windows-Security-Auditing",
        4624,
        "dc1.parliament.example",
        MORNING + number * 1_000_000,
    )
    .with("SubjectUserName", "DC1$")
    .with("TargetUserName", "zoë.müller")
    .with("TargetLogonId", "0x51f2a")
    .with("IpAddress", "192.0.2.7")
    .with("LogonProcessName", "NtLmSsp ")
    .with("WorkstationName", "-")
    .with("Number", number.to_string())
}

pub(super) fn log(events: i64) -> Vec<u8> {
    write_evtx(&(1..=events).map(logon).collect::<Vec<_>>())
}

fn chunk_start(index: usize) -> usize {
    FILE_HEADER_LEN + index * CHUNK_LEN
}

#[test]
fn an_event_is_read_as_it_was_written() {
    let mut count = 0;
    look(&log(1), |event| {
        count += 1;
        assert_eq!(event.class, Class::AUTHENTICATION);
        assert_eq!(event.time.micros(), Some(MORNING + 1_000_000));
        assert_eq!(
            (event.at.offset, event.at.record),
            ((FILE_HEADER_LEN + 512) as u64, 1)
        );
        assert_eq!(event.source.product, "windows");
        assert_eq!(event.source.channel, "Security");
        assert_eq!(event.source.provider, "Microsoft-Windows-Security-Auditing");
        assert_eq!(event.source.event_id, 4624);
        assert_eq!(event.get("EventID"), Some(&Value::Int(4624)));
        assert_eq!(event.get("Keywords"), Some(&Value::text("0x8020000000000000")));
        assert_eq!(
            event.get("TimeCreated"),
            Some(&Value::text("2026-03-02T08:15:01.0000000Z"))
        );
        assert_eq!(event.get("Execution_ProcessID"), Some(&Value::Int(4)));
        assert_eq!(event.get("LogonProcessName"), Some(&Value::text("NtLmSsp ")));
        assert_eq!(event.column_text(Column::User).as_deref(), Some("zoë.müller"));
        assert_eq!(
            event.column_text(Column::Host).as_deref(),
            Some("dc1.parliament.example")
        );
        assert_eq!(event.column_text(Column::SrcIp).as_deref(), Some("192.0.2.7"));
    });
    assert_eq!(count, 1);
}

#[test]
fn user_data_and_unnamed_data_become_fields() {
    let cleared = LogEvent::new("Security", "Microsoft-Windows-Eventlog", 1102, "dc1", MORNING)
        .with("SubjectUserName", "anna")
        .with("Channel", "Security")
        .in_user_data("LogFileCleared");
    look(&write_evtx(&[cleared]), |event| {
        assert_eq!(event.class, Class::EVENT_LOG_ACTIVITY);
        assert_eq!(event.get("SubjectUserName"), Some(&Value::text("anna")));
        // The log that was cleared, beside the log that says so.
        let both = Value::List(vec!["Security".into(), "Security".into()]);
        assert_eq!(event.get("Channel"), Some(&both));
        assert_eq!(event.source.channel, "Security");
    });
    let classic = LogEvent::new("Windows PowerShell", "PowerShell", 400, "dc1", MORNING)
        .with("", "Available")
        .with("", "None");
    look(&write_evtx(&[classic]), |event| {
        let both = Value::List(vec!["Available".into(), "None".into()]);
        assert_eq!(event.get("Data"), Some(&both));
    });
}

#[test]
fn what_is_unusual_is_read_by_the_other_reader() {
    let mut log = log(1);
    // TargetUserName, ten characters of UTF-16, declared as text of the old code page.
    let descriptor = memchr::memmem::find(&log, &[20, 0, 0x01, 0]).unwrap_or_default();
    log[descriptor + 2] = 0x02;
    let read = read(&log);
    assert_eq!(read.numbers(), [1]);
    assert!(
        read.records[0].2.contains(r#""TargetUserName":"zoë.müller""#),
        "{}",
        read.records[0].2
    );
    assert!(
        read.records[0].2.contains(r#""EventID":4624"#),
        "{}",
        read.records[0].2
    );
}

#[test]
fn all_chunks_are_read_in_order_and_nothing_is_refused() {
    let log = log(1_000);
    assert!(log.len() > 4 * CHUNK_LEN);
    let read = read(&log);
    assert_eq!(read.numbers(), (1..=1_000).collect::<Vec<_>>());
    assert_eq!((read.reasons().as_str(), read.outcome.incomplete), ("", false));
    assert!(read.blocks > 1);
    for (number, offset, text) in &read.records {
        assert_eq!(&log[*offset as usize..][..4], b"\x2a\x2a\0\0");
        assert!(text.contains(&format!(r#""Number":"{number}""#)), "{text}");
    }
}

#[test]
fn a_file_header_is_not_needed() {
    for damage in [0..8, 0..FILE_HEADER_LEN] {
        let mut log = log(300);
        log[damage].fill(0xee);
        let read = read(&log);
        assert!(Evtx.recognise(&log));
        assert_eq!(read.numbers(), (1..=300).collect::<Vec<_>>());
        assert!(
            read.reasons().contains("file header is damaged"),
            "{}",
            read.reasons()
        );
    }
    let lone_chunk = &log(20)[FILE_HEADER_LEN..];
    assert!(Evtx.recognise(lone_chunk));
    assert_eq!(read(lone_chunk).records.len(), 20);
}

#[test]
fn a_chunk_without_its_header_keeps_its_records() {
    for len in [8, 512] {
        let mut log = log(600);
        log[chunk_start(1)..][..len].fill(0);
        let read = read(&log);
        assert_eq!(read.numbers(), (1..=600).collect::<Vec<_>>(), "{len}");
        assert!(
            read.reasons().contains("without a chunk header"),
            "{}",
            read.reasons()
        );
    }
}

#[test]
fn lost_records_are_counted_wherever_they_are_lost() {
    let whole = log(600);
    let starts: Vec<usize> = read(&whole)
        .records
        .iter()
        .map(|(_, offset, _)| *offset as usize)
        .collect();
    // Not those records that bring the chunk's templates with them.
    let (from, to) = (starts[9] + 10, starts[14] + 30);
    for filling in [0, 0xee] {
        let mut log = whole.clone();
        log[from..to].fill(filling);
        let read = read(&log);
        let kept: Vec<u64> = (1..=600).filter(|number| !(10..=15).contains(number)).collect();
        assert_eq!(read.numbers(), kept, "{filling}");
        assert_eq!(read.refused(), 6, "{}", read.reasons());
        let first = read
            .refusals
            .iter()
            .filter(|refusal| refusal.records > 0)
            .map(|refusal| refusal.at);
        assert_eq!(
            first.min().map(|at| (at.offset, at.record)),
            Some((starts[9] as u64, 10))
        );
        assert!(read.reasons().contains("checksum wrong"), "{}", read.reasons());
    }
}

#[test]
fn a_file_that_was_cut_off_says_how_much_is_missing() {
    let whole = log(600);
    let in_a_chunk = read(&whole[..chunk_start(2) + 30_000]);
    let last = in_a_chunk.numbers().last().copied().unwrap_or_default();
    let end_of_chunk = read(&whole[..chunk_start(3)]).records.len() as u64;
    assert_eq!(last + in_a_chunk.refused(), end_of_chunk);
    assert!(in_a_chunk.outcome.incomplete && in_a_chunk.refused() > 0);
    assert!(
        in_a_chunk.reasons().contains("cut off"),
        "{}",
        in_a_chunk.reasons()
    );

    let between_chunks = read(&whole[..chunk_start(2)]);
    assert!(between_chunks.outcome.incomplete);
    assert!(
        between_chunks.reasons().contains("chunks, 2 are here"),
        "{}",
        between_chunks.reasons()
    );
}

#[test]
fn missing_bytes_do_not_cost_the_chunks_behind_them() {
    let whole = log(600);
    let first_chunk = read(&whole[..chunk_start(1)]).records.len() as u64;
    let mut log = whole[..chunk_start(1) + 40_000].to_vec();
    log.extend_from_slice(&whole[chunk_start(1) + 40_512..]);
    let read = read(&log);
    let second_chunk = read
        .numbers()
        .iter()
        .filter(|number| **number > first_chunk)
        .count();
    assert_eq!(read.numbers().last(), Some(&600));
    assert_eq!(
        read.records.len() as u64 + read.refused(),
        600,
        "{}",
        read.reasons()
    );
    assert!(second_chunk > 300 && read.refused() < 10, "{}", read.reasons());
}

#[test]
fn unused_space_is_told_and_refuses_nothing() {
    let mut log = log(30);
    log.resize(log.len() + 5 * CHUNK_LEN, 0);
    let read = read(&log);
    assert_eq!((read.records.len(), read.refused()), (30, 0));
    assert_eq!(
        read.reasons(),
        "327680 bytes of zeroes: space that the log had not used yet\n"
    );
}

#[test]
fn records_that_the_chunk_header_does_not_know_of_yet_are_read() {
    let mut log = log(30);
    // As of a log in use: the header still ends at record 10.
    let starts: Vec<u64> = read(&log).records.iter().map(|(_, offset, _)| *offset).collect();
    let end = (starts[10] as usize - FILE_HEADER_LEN) as u32;
    let chunk = &mut log[FILE_HEADER_LEN..];
    chunk[16] = 10;
    chunk[32] = 10;
    chunk[48..52].copy_from_slice(&end.to_le_bytes());
    log[120] = 1;
    let read = read(&log);
    assert_eq!(read.numbers(), (1..=30).collect::<Vec<_>>());
    assert_eq!(read.reasons(), "");
}

#[test]
fn nothing_makes_it_panic_or_lose_count() {
    let whole = log(40);
    let mut state = 1_u64;
    let mut random = || {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    let end = FILE_HEADER_LEN + 20_000;
    for _ in 0..3_000 {
        let mut log = whole[..end].to_vec();
        for _ in 0..=random() % 8 {
            let at = FILE_HEADER_LEN + random() % (end - FILE_HEADER_LEN);
            log[at] = [0, 0xff, 0x7f, 1, 0x21, random() as u8][random() % 6];
        }
        let read = read(&log);
        assert!(read.records.len() + read.refused() as usize <= 2_400);
        assert!(!read.records.is_empty() || !read.reasons().is_empty());
    }
}
