//! Questions in SQL.

use blackrod_store::hunt::{Options, describe_tables, hunt};
use blackrod_store::{Case, StoreError};

use crate::invented::{ask, ask_with, campaign, commit, evidence, runtime};

fn case() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case::create_or_open(dir.path()).unwrap();
    commit(&mut case, &[1, 2]).unwrap();
    commit(&mut case, &[3]).unwrap();
    case.set_campaigns(&[campaign(&case.findings().unwrap())])
        .unwrap();
    dir
}

#[test]
fn an_empty_case_has_all_tables() {
    let dir = tempfile::tempdir().unwrap();
    drop(Case::create_or_open(dir.path()).unwrap());
    assert_eq!(
        ask(dir.path(), "SELECT count(*) AS n FROM events").unwrap(),
        "{\"n\":0}\n"
    );
    for table in [
        "findings",
        "campaigns",
        "evidence",
        "refusals",
        "entities",
        "rules",
        "rule_problems",
        "runs",
        "log",
    ] {
        assert_eq!(
            ask(dir.path(), &format!("SELECT * FROM {table}")).unwrap(),
            "",
            "{table}"
        );
    }
    assert_eq!(
        ask(
            dir.path(),
            "SELECT time, command_line FROM events WHERE day = '2020-01-01'"
        )
        .unwrap(),
        ""
    );
}

#[test]
fn events_have_their_columns() {
    let dir = case();
    let id = evidence(2).id;
    let sql = format!(
        "SELECT class, class_uid, day, time, evidence, record, \"offset\", product, channel, event_id, host, pid, dst_port, raw
         FROM events WHERE evidence = '{id}' AND record = 7"
    );
    let expected = format!(
        r#"{{"class":"process_activity","class_uid":1007,"day":"2020-09-15","time":"2020-09-15T12:26:47Z","evidence":"{id}","record":7,"offset":700,"product":"windows","channel":"Security","event_id":4688,"host":"WS-7","pid":7,"raw":"{{\"evidence\":2,\"record\":7}}"}}"#
    );
    assert_eq!(ask(dir.path(), &sql).unwrap().trim_end(), expected);

    let by_class = "SELECT class, count(*) AS n FROM events GROUP BY class ORDER BY class";
    let expected = "{\"class\":\"authentication\",\"n\":60}\n{\"class\":\"process_activity\",\"n\":120}\n";
    assert_eq!(ask(dir.path(), by_class).unwrap(), expected);

    let unknown = "SELECT count(*) AS n, count(time) AS timed FROM events WHERE day = 'unknown'";
    assert_eq!(ask(dir.path(), unknown).unwrap(), "{\"n\":3,\"timed\":0}\n");
    assert!(
        dir.path()
            .join("events/class=authentication/day=unknown")
            .is_dir()
    );
}

#[test]
fn findings_meet_events_and_campaigns() {
    let dir = case();
    let sql = "SELECT f.title, f.attack, f.reason, c.targets, e.pid
               FROM events e JOIN findings f ON e.evidence = f.evidence AND e.record = f.record
               JOIN campaigns c ON f.campaign = c.id
               WHERE f.severity = 'high' LIMIT 1";
    let expected = r#"{"title":"Rule b","attack":"T1059, T1566.002","reason":"Image=C:\\Windows\\cmd.exe; User=anna","targets":"Anna Nowak","pid":2}"#;
    assert_eq!(ask(dir.path(), sql).unwrap().trim_end(), expected);
    let hosts = "SELECT count(DISTINCT finding) AS n FROM entities WHERE kind = 'host' AND value = 'ws-7'";
    assert_eq!(ask(dir.path(), hosts).unwrap(), "{\"n\":6}\n");
}

#[test]
fn nothing_can_be_changed_or_read_elsewhere() {
    let dir = case();
    for sql in [
        "CREATE TABLE t (a INT)",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "INSERT INTO findings SELECT * FROM findings",
        "COPY events TO '/tmp/x.csv'",
        "DROP TABLE events",
        "SET datafusion.execution.batch_size = 1",
        "SELECT * FROM '/etc/passwd'",
    ] {
        assert!(matches!(ask(dir.path(), sql), Err(StoreError::Query(_))), "{sql}");
    }
}

#[test]
fn errors_say_what_there_is() {
    let dir = case();
    let message = |sql: &str| ask(dir.path(), sql).unwrap_err().to_string();
    let column = message("SELECT commandline FROM events");
    assert!(
        column.contains("\"commandline\"") && column.contains("command_line"),
        "{column}"
    );
    let qualified = message("SELECT e.commandline FROM events e");
    assert!(qualified.contains("command_line"), "{qualified}");
    let table = message("SELECT * FROM event");
    assert!(
        table.contains("\"event\"") && table.contains("events, findings"),
        "{table}"
    );
    let statement = message("DROP TABLE events");
    assert!(statement.contains("SELECT"), "{statement}");
}

#[test]
fn a_sort_beyond_its_memory_is_spilled() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case::create_or_open(dir.path()).unwrap();
    commit(&mut case, &Vec::from_iter(0..20)).unwrap();
    let copies: Vec<String> = (0..20).map(|number| format!("SELECT {number} AS n")).collect();
    let sql = format!(
        "SELECT evidence, record, c.n FROM events CROSS JOIN ({}) c ORDER BY raw DESC, command_line, n, evidence, host",
        copies.join(" UNION ALL ")
    );
    let little = Options {
        memory_bytes: 4_000_000,
    };
    let narrow = ask_with(dir.path(), &sql, &little).unwrap();
    assert_eq!(narrow.lines().count(), 20 * 60 * 20);
    assert!(narrow == ask(dir.path(), &sql).unwrap());
    let plan = ask_with(dir.path(), &format!("EXPLAIN ANALYZE {sql}"), &little).unwrap();
    let spills: Vec<&str> = plan
        .split("spill_count=")
        .skip(1)
        .map(|rest| &rest[..1])
        .collect();
    assert!(spills.iter().any(|count| *count != "0"), "{plan}");
    let too_narrow = ask_with(dir.path(), &sql, &Options { memory_bytes: 1_000 });
    assert!(
        matches!(too_narrow, Err(StoreError::Memory { .. })),
        "{too_narrow:?}"
    );
}

#[test]
fn results_are_written_in_each_form() {
    let dir = case();
    let sql = "SELECT record, command_line FROM events WHERE record <= 2 ORDER BY record, evidence LIMIT 2";
    let written = |form: &str| -> String {
        let mut out = Vec::new();
        runtime().block_on(async {
            let mut answer = hunt(dir.path(), sql, &Options::default()).await.unwrap();
            match form {
                "table" => answer.write_table(&mut out).await.unwrap(),
                "narrow" => {
                    answer.width = Some(20);
                    answer.write_table(&mut out).await.unwrap();
                }
                "array" => answer.write_json_array(&mut out).await.unwrap(),
                _ => answer.write_csv(&mut out).await.unwrap(),
            }
        });
        String::from_utf8(out).unwrap()
    };
    let table = written("table");
    let expected = [
        "record  command_line                    ",
        "──────  ────────────────────────────────",
        "     1  cmd /c echo 1 \\u{1b}[31m\\u{202e}",
        "     1  cmd /c echo 1 \\u{1b}[31m\\u{202e}",
        "(2 rows)",
    ];
    assert_eq!(
        table.lines().map(str::trim_end).collect::<Vec<_>>(),
        expected.map(str::trim_end)
    );
    assert!(
        written("narrow").lines().all(|line| line.chars().count() <= 20),
        "{}",
        written("narrow")
    );
    let array: serde_json::Value = serde_json::from_str(&written("array")).unwrap();
    assert_eq!(array[1]["command_line"], "cmd /c echo 1 \u{1b}[31m\u{202e}");
    assert!(!written("array").contains('\u{202e}'));
    assert!(written("csv").starts_with("record,command_line\n1,"));

    let mut out = Vec::new();
    describe_tables(&mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().contains("\n    command_line "));
}

#[test]
fn columns_need_no_quotes() {
    let dir = case();
    for column in [
        "user", "time", "offset", "process", "session", "service", "action", "status", "domain", "file",
        "hash",
    ] {
        let counted = ask(
            dir.path(),
            &format!("SELECT count({column}) AS n FROM events WHERE {column} IS NULL"),
        );
        assert!(
            counted.as_ref().is_ok_and(|line| line == "{\"n\":0}\n"),
            "{column}: {counted:?}"
        );
        let listed = ask(
            dir.path(),
            &format!("SELECT {column}, count(*) FROM events GROUP BY {column} ORDER BY {column} LIMIT 1"),
        );
        assert!(listed.is_ok(), "{column}: {listed:?}");
    }
}
