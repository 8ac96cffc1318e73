#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Timestamp};

use crate::Formats;
use crate::harness::{Reading, damage, read, read_in_pieces};

fn read_as(name: &str, text: &str) -> Reading {
    let formats = Formats::standard();
    let format = formats.recognise(text.as_bytes()).unwrap();
    assert_eq!(format.name(), name, "{text}");
    damage(format, text.as_bytes());
    let reading = read(format, text.as_bytes()).unwrap();
    assert_eq!(read_in_pieces(format, text.as_bytes(), 7).unwrap(), reading);
    reading
}

const CSV_LOG: &str = concat!(
    "2026-11-23 20:05:51.884 CET,\"web\",\"register\",30913,\"192.0.2.7:38984\",6b049c9f.78c1,10,\"EXECUTE\",2026-11-23 20:05:51 CET,4/8,0,LOG,00000,\"AUDIT: SESSION,7,1,READ,SELECT,TABLE,public.electors,\"\"select *\nfrom electors where no=$1 or surname=$2\"\",\"\"7,\"\"\"\"a\"\"\"\"\"\"\"\"b,c\"\"\"\"\"\",41\",,,,,,,,,\"portal\",\"client backend\",,0\n",
    "2026-11-23 20:05:52.309 CET,\"backup\",\"\",30926,\"[local]\",6b049ca0.78ce,6,\"idle\",2026-11-23 20:05:52 CET,3/0,0,LOG,00000,\"received replication command: BASE_BACKUP ( LABEL 'x')\",,,,,,\"BASE_BACKUP ( LABEL 'x')\",,,\"pg_basebackup\",\"walsender\",,0\n",
    "2026-11-23 20:05:53.309 CET,\"web\",\"register\",30927,\"192.0.2.8:1\",6b049ca0.78cf,6,\"authentication\",2026-11-23 20:05:52 CET,3/0,0,FATAL,28P01,\"password authentication failed for user \"\"web\"\"\",,,,,,,,,\"\",\"client backend\",,0\n",
    "not a row\n",
);

#[test]
fn postgres_csvlog_with_pgaudit() {
    let reading = read_as("postgres-csvlog", CSV_LOG);
    let [select, backup, failure] = &reading.events[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(reading.refusals.len(), 1);
    assert_eq!(select.class, Class::DATASTORE_ACTIVITY);
    assert_eq!(select.time, Timestamp::parse("2026-11-23T19:05:51.884Z").unwrap());
    for (field, value) in [
        (
            "query_info.query_string",
            "select *\nfrom electors where no=$1 or surname=$2",
        ),
        ("unmapped.parameters", "7,\"a\"\"b,c\""),
        ("unmapped.object", "public.electors"),
        ("unmapped.rows", "41"),
        ("database.name", "register"),
    ] {
        assert_eq!(select.get(field), Some(value), "{field}");
    }
    for (column, value) in [
        (Column::User, "web"),
        (Column::SrcIp, "192.0.2.7"),
        (Column::UserAgent, "portal"),
        (Column::Action, "SELECT"),
    ] {
        assert_eq!(select.column(column), Some(value));
    }
    assert_eq!(select.at.offset, 0);
    assert!(CSV_LOG[usize::try_from(backup.at.offset).unwrap()..].starts_with("2026-11-23 20:05:52"));
    assert_eq!(backup.get("query_info.name"), Some("BASE_BACKUP"));
    assert_eq!(backup.column(Column::SrcIp), None);
    assert_eq!(failure.class, Class::AUTHENTICATION);
    assert_eq!(failure.column(Column::Status), Some("failure: wrong password"));
}

#[test]
fn postgres_jsonlog() {
    let text = "{\"timestamp\":\"2026-11-23 20:05:52.309 UTC\",\"user\":\"anna\",\"dbname\":\"register\",\"pid\":30926,\"remote_host\":\"192.0.2.9\",\"remote_port\":39024,\"session_id\":\"6b0.78ce\",\"line_num\":6,\"ps\":\"SELECT\",\"error_severity\":\"LOG\",\"message\":\"AUDIT: SESSION,4,1,READ,SELECT,TABLE,public.electors,select 1 from electors,<none>,5\",\"application_name\":\"psql\",\"backend_type\":\"client backend\",\"query_id\":0}\n{\"timestamp\":\"2026-11-23 20:05:53 UTC\",\"pid\":30902,\"session_id\":\"6b0.78b6\",\"error_severity\":\"LOG\",\"message\":\"checkpoint starting: force wait\",\"backend_type\":\"checkpointer\"}\n";
    let reading = read_as("postgres-jsonlog", text);
    let [select, checkpoint] = &reading.events[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(select.get("unmapped.rows"), Some("5"));
    assert_eq!(select.get("database.name"), Some("register"));
    assert_eq!(select.column(Column::User), Some("anna"));
    assert_eq!(checkpoint.class, Class::BASE_EVENT);
}

#[test]
fn postgres_plain_text_over_lines() {
    let text = "2026-11-23 20:05:51.871 UTC [30913] anna@register LOG:  AUDIT: SESSION,2,1,READ,SELECT,TABLE,public.electors,\"select *\n\tfrom electors\",<none>,9\n2026-11-23 20:05:51 UTC [30914]: user=web,db=register,app=portal,client=192.0.2.7 LOG:  duration: 1.5 ms  statement: SELECT 1\n2026-11-23 20:05:52 UTC [30914] ERROR:  division by zero\n";
    let reading = read_as("postgres-log", text);
    let [audit, logged, error] = &reading.events[..] else {
        panic!("{reading:?}")
    };
    assert_eq!(
        audit.get("query_info.query_string"),
        Some("select *\nfrom electors")
    );
    assert_eq!(audit.column(Column::User), Some("anna"));
    assert_eq!(audit.get("unmapped.rows"), Some("9"));
    assert_eq!(logged.get("query_info.query_string"), Some("SELECT 1"));
    assert_eq!(logged.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(logged.get("database.name"), Some("register"));
    assert_eq!(error.class, Class::BASE_EVENT);
}

#[test]
fn sql_server_as_csv_and_json() {
    let csv = "event_time,sequence_number,action_id,succeeded,session_id,server_principal_name,server_instance_name,database_name,schema_name,object_name,statement,client_ip,application_name,affected_rows,response_rows\r\n2026-11-23 20:05:51.1234567,1,SL  ,1,55,HOUSE\\Anna,DB1,register,dbo,electors,\"SELECT * FROM dbo.electors WHERE no BETWEEN 1 AND 5\",192.0.2.7,bcp,0,5\r\n2026-11-23 20:05:52.1234567,1,LGIF,0,0,sa,DB1,master,,,Login failed,192.0.2.8,,,\r\n";
    let json = "[{\"event_time\":\"2026-11-23T20:05:51.1234567\",\"action_id\":\"SL\",\"succeeded\":true,\"session_id\":55,\"server_principal_name\":\"HOUSE\\\\Anna\",\"database_name\":\"register\",\"object_name\":\"electors\",\"statement\":\"SELECT * FROM dbo.electors WHERE no BETWEEN 1 AND 5\",\"client_ip\":\"192.0.2.7\",\"application_name\":\"bcp\",\"response_rows\":5}]";
    for text in [csv, json] {
        let reading = read_as("sqlserver-audit", text);
        let select = &reading.events[0];
        assert_eq!(select.class, Class::DATASTORE_ACTIVITY, "{reading:?}");
        assert_eq!(select.get("unmapped.rows"), Some("5"));
        assert_eq!(select.column(Column::Action), Some("SELECT"));
        assert_eq!(select.column(Column::User), Some("house\\anna"));
        assert_eq!(select.column(Column::UserAgent), Some("bcp"));
    }
    assert_eq!(
        read_as("sqlserver-audit", csv).events[1].class,
        Class::AUTHENTICATION
    );
}

#[test]
fn mariadb_and_mysql() {
    let lines = "20261123 20:05:51,db1,anna,192.0.2.7,9,71,QUERY,register,'SELECT * FROM electors WHERE surname=\\'O\\'\\'Neill\\', no>5',0\n20261123 20:05:50,db1,anna,192.0.2.7,9,0,CONNECT,register,,0\n20261123 20:05:51,db1,anna,192.0.2.7,9,71,READ,register,electors,\n";
    let reading = read_as("mariadb-audit", lines);
    let query = &reading.events[0];
    assert_eq!(
        query.get("query_info.query_string"),
        Some("SELECT * FROM electors WHERE surname='O''Neill', no>5")
    );
    assert_eq!(query.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(reading.events[1].class, Class::AUTHENTICATION);
    assert_eq!(reading.events[2].get("query_info.query_string"), None);

    let percona = "{\"audit_record\":{\"name\":\"Query\",\"record\":\"1_2026\",\"timestamp\":\"2026-11-23T20:05:51Z\",\"command_class\":\"select\",\"connection_id\":\"37\",\"status\":0,\"sqltext\":\"SELECT * FROM electors\",\"user\":\"anna[anna] @ localhost []\",\"host\":\"localhost\",\"os_user\":\"\",\"ip\":\"192.0.2.7\",\"db\":\"register\"}}\n";
    let event = &read_as("mysql-audit-json", percona).events[0];
    assert_eq!(event.column(Column::User), Some("anna"));
    assert_eq!(
        event.get("query_info.query_string"),
        Some("SELECT * FROM electors")
    );

    let enterprise = "[{\"timestamp\":\"2026-11-23 20:05:51\",\"id\":0,\"class\":\"general\",\"event\":\"status\",\"connection_id\":9,\"account\":{\"user\":\"anna\",\"host\":\"localhost\"},\"login\":{\"user\":\"anna\",\"os\":\"\",\"ip\":\"192.0.2.7\",\"proxy\":\"\"},\"general_data\":{\"command\":\"Query\",\"sql_command\":\"select\",\"query\":\"SELECT * FROM electors\",\"status\":0}}]";
    let event = &read_as("mysql-audit-json", enterprise).events[0];
    assert_eq!(event.class, Class::DATASTORE_ACTIVITY);
    assert_eq!(event.column(Column::SrcIp), Some("192.0.2.7"));
}
