#![allow(clippy::unwrap_used)]

use blackrod_model::estate::Register;
use blackrod_model::{
    Class, Column, Estate, Event, EvidenceId, Field, FileAct, Finding, Position, Severity, Timestamp, Value,
};

use super::extract::Registers;
use super::{BULK, DUMP, ELSEWHERE, Stream, files};

fn estate() -> Estate {
    Estate {
        registers: vec![Register {
            name: "Roll".to_owned(),
            records: 100_000,
            tables: vec!["electors".to_owned()],
            key: Some("no".to_owned()),
            keys: (1, 100_000),
            databases: vec!["register".to_owned()],
            exporters: vec!["backup".to_owned()],
            hours: (7, 19),
            ..Register::default()
        }],
        ..Estate::default()
    }
}

/// A statement on a day of January 2024 (the 1st was a Monday), at a second of that day.
struct Said<'s> {
    day: i64,
    second: i64,
    user: &'s str,
    from: &'s str,
    program: &'s str,
    database: &'s str,
    statement: String,
    rows: i64,
}

fn said<'s>(day: i64, second: i64, user: &'s str, statement: String, rows: i64) -> Said<'s> {
    Said {
        day,
        second,
        user,
        from: "192.0.2.7",
        program: "portal",
        database: "register",
        statement,
        rows,
    }
}

fn judge(all: &[Said<'_>]) -> Vec<Finding> {
    let estate = estate();
    let registers = Registers::new(&estate);
    let mut reads = Vec::new();
    for (record, said) in (1..).zip(all) {
        let time = Timestamp::from_seconds(1_704_067_200 + (said.day - 1) * 86_400 + said.second);
        let mut event = Event::new(Class::DATASTORE_ACTIVITY, time, Position { offset: 0, record });
        event.source.product = "postgresql";
        event.fields = vec![
            Field::new("user", said.user),
            Field::new("from", said.from),
            Field::new("program", said.program),
            Field::new("database.name", said.database),
            Field::new("query_info.query_string", said.statement.as_str()),
            Field::new("unmapped.rows", Value::Int(said.rows)),
        ];
        for (index, column) in [Column::User, Column::SrcIp, Column::UserAgent]
            .into_iter()
            .enumerate()
        {
            event.columns.set_first(column, index);
        }
        reads.extend(registers.reads(EvidenceId::default(), &event));
    }
    reads.sort_by_key(|read| read.time);
    let mut stream = Stream::new(&estate);
    for read in &reads {
        stream.push(read);
    }
    stream.finish()
}

/// An official who prints a ward's list every day has read much of a small register after some weeks.
#[test]
fn lists_day_after_day_are_work() {
    let mut all = ordinary();
    for day in (1..=30).filter(|day| (day - 1) % 7 < 5) {
        let list = format!("SELECT * FROM electors WHERE ward = 'L{day}'");
        all.push(said(day, 36_000, "printing", list, 900));
    }
    assert_eq!(judge(&all), []);
}

/// Two weeks of lookups, searches and ward lists by day.
fn ordinary<'s>() -> Vec<Said<'s>> {
    let mut all = Vec::new();
    for day in (1..=12).filter(|day| !matches!(day, 6 | 7)) {
        for step in 0..300 {
            let second = 8 * 3_600 + step * 100;
            let no = (day * 7_919 + step * 331) % 100_000;
            all.push(said(
                day,
                second,
                "web",
                format!("SELECT * FROM electors WHERE no = {no}"),
                1,
            ));
            if step % 10 == 0 {
                let search = format!("SELECT * FROM electors WHERE surname = 'N{no}' LIMIT 50");
                all.push(said(day, second, "clerk", search, 12));
            }
        }
        all.push(said(
            day,
            40_000,
            "clerk",
            format!("SELECT * FROM electors WHERE ward = 'W{day}'"),
            150,
        ));
        all.push(said(
            day,
            40_000,
            "clerk",
            "SELECT ward, count(*) FROM electors GROUP BY ward".to_owned(),
            60,
        ));
        let mut dump = said(
            day,
            7_200,
            "backup",
            "COPY public.electors (no) TO stdout".to_owned(),
            -1,
        );
        dump.program = "pg_dump";
        all.push(dump);
    }
    all
}

#[test]
fn ordinary_days_are_no_finding() {
    assert_eq!(judge(&ordinary()), []);
}

#[test]
fn pages_over_nights_are_told_with_how_much() {
    let mut all = ordinary();
    for night in 0..5 {
        for page in 0..16 {
            let after = night * 8_000 + page * 500;
            let statement = format!("SELECT * FROM electors WHERE no > {after} ORDER BY no LIMIT 500");
            all.push(said(8 + night, 2 * 3_600 + page * 30, "clerk", statement, 500));
        }
    }
    let [finding] = &judge(&all)[..] else { panic!() };
    assert_eq!(finding.code, BULK);
    // Ten ward lists were read before: whether of the same people is not known.
    assert_eq!(
        finding.title,
        "Between 40 and 42 % of Roll read by account clerk, over 5 nights"
    );
    assert!(finding.severity >= Severity::High);
    assert!(finding.reasons.iter().any(|reason| reason.field == "off hours"));
    assert!(
        finding.reasons.iter().any(|reason| reason.field == "growth"),
        "{finding:?}"
    );
}

#[test]
fn two_accounts_side_by_side_are_told_together() {
    let mut all = ordinary();
    for step in 0..20 {
        let (from, to) = (step * 1_000 + 1, (step + 1) * 1_000);
        let user = if step % 2 == 0 { "clerk2" } else { "clerk3" };
        let statement = format!("SELECT * FROM electors WHERE no BETWEEN {from} AND {to}");
        all.push(said(10, 3 * 3_600 + step * 60, user, statement, 1_000));
    }
    let findings = judge(&all);
    let both = findings
        .iter()
        .find(|finding| finding.title.contains("together"))
        .unwrap();
    assert_eq!(
        both.title,
        "About 20 % of Roll read by accounts clerk2, clerk3 together, over 1 night"
    );
}

#[test]
fn dumps_backups_and_copies_elsewhere() {
    let mut all = ordinary();
    let mut dump = said(
        9,
        50_000,
        "clerk",
        "COPY public.electors (no, surname) TO stdout".to_owned(),
        -1,
    );
    (dump.program, dump.from) = ("pg_dump", "192.0.2.99");
    all.push(dump);
    let mut taken = said(
        9,
        50_100,
        "backup",
        "COPY public.electors (no) TO stdout".to_owned(),
        -1,
    );
    (taken.program, taken.from) = ("psql", "192.0.2.98");
    all.push(taken);
    let mut load = said(
        9,
        51_000,
        "dev",
        "COPY public.electors (no, surname) FROM stdin;".to_owned(),
        -1,
    );
    load.database = "scratch";
    all.push(load);
    let mut findings = judge(&all);
    findings.sort_by(|a, b| a.title.cmp(&b.title));
    let titles: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| (finding.code.as_str(), finding.title.as_str()))
        .collect();
    assert_eq!(
        titles,
        [
            (
                ELSEWHERE,
                "A copy of Roll was loaded into database scratch, by account dev"
            ),
            (DUMP, "All of Roll read by account backup, over 10 nights"),
            (DUMP, "All of Roll read by account clerk, over 1 day"),
        ]
    );
    let reason = |index: usize, field: &str| {
        let reasons = &findings[index].reasons;
        reasons
            .iter()
            .find(|reason| reason.field == field)
            .map(|reason| reason.value.clone())
    };
    assert_eq!(reason(1, "new client").as_deref(), Some("192.0.2.98"));
    assert_eq!(reason(2, "dump tool").as_deref(), Some("pg_dump"));
}

#[test]
fn a_bulk_copy_stands_out_from_an_accounts_own_past() {
    let mut stream = files::Stream::default();
    let mut push = |day: i64, count: u64, account: &str, written: Option<&str>| {
        for file in 0..count {
            stream.push(&FileAct {
                time: Timestamp::from_seconds(1_704_067_200 + day * 86_400 + i64::try_from(file).unwrap()),
                account: account.to_owned(),
                path: written.map_or_else(|| format!("rolls/{file}.csv"), str::to_owned),
                path_hash: file,
                is_written: written.is_some(),
                ..FileAct::default()
            });
        }
    };
    for day in 0..10 {
        push(day, 30 + u64::try_from(day).unwrap(), "anna", None);
        push(day, 800 + 20 * u64::try_from(day).unwrap(), "indexer", None);
    }
    push(10, 900, "anna", None);
    push(10, 1, "anna", Some("rolls/all.7z"));
    push(10, 1_000, "indexer", None);
    let findings = stream.finish();
    let titles: Vec<&str> = findings.iter().map(|finding| finding.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "800 files copied in one day by indexer",
            "900 files copied in one day by anna"
        ]
    );
    let anna = &findings[1];
    assert_eq!(anna.severity, Severity::High);
    assert!(anna.attack.contains(&"T1560".to_owned()));
}
