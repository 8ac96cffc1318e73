//! SQL Server audit, as `sys.fn_get_audit_file` gives it, exported as CSV or JSON.
//!
//! Names are those of that function (`event_time`, `action_id`, `server_principal_name`, `statement`,
//! `response_rows` …); collectors that write them in other letter case are put right.
//!
//! `Source::product` is `mssql`, the channel `audit`.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event};

use super::{Query, add_database, command_of, text_of};
use crate::cloud::fill_columns;
use crate::cloud::service::{Service, first_of, has};
use crate::times::read_time;

/// SQL Server audit.
pub(crate) static SQL_SERVER: Service = Service {
    name: "sqlserver-audit",
    description: "SQL Server audit as sys.fn_get_audit_file gives it, as CSV or JSON",
    unwrapped: &[],
    named: &[],
    rename,
    is_record: |fields| REQUIRED.iter().all(|name| has(fields, name)),
    is_table: |names| {
        REQUIRED
            .iter()
            .all(|name| names.iter().any(|own| rename(own).unwrap_or(own) == *name))
    },
    describe,
};

const REQUIRED: [&str; 4] = ["event_time", "action_id", "server_principal_name", "statement"];

/// The columns that are read here, as the function writes them.
const KNOWN: [&str; 20] = [
    "event_time",
    "action_id",
    "succeeded",
    "session_id",
    "session_server_principal_name",
    "server_principal_name",
    "database_principal_name",
    "server_instance_name",
    "database_name",
    "schema_name",
    "object_name",
    "statement",
    "client_ip",
    "application_name",
    "host_name",
    "affected_rows",
    "response_rows",
    "sequence_number",
    "additional_information",
    "duration_milliseconds",
];

fn rename(name: &str) -> Option<&'static str> {
    KNOWN
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .copied()
}

fn describe(event: &mut Event<'_>) {
    event.class = Class::BASE_EVENT;
    event.source.product = "mssql";
    event.source.channel = Cow::Borrowed("audit");
    event.time = first_of(event, &["event_time"])
        .and_then(read_time)
        .unwrap_or_default();
    let action = text_of(event, &["action_id"]).unwrap_or_default();
    let statement = text_of(event, &["statement"]).unwrap_or_default();
    let count = |name: &str| text_of(event, &[name]).and_then(|text| text.parse::<u64>().ok());
    let rows = count("response_rows").or_else(|| count("affected_rows"));
    let object = text_of(event, &["object_name"]).unwrap_or_default();
    match action.as_str() {
        "LGIS" | "LGIF" | "DBAS" | "DBAF" => event.class = Class::AUTHENTICATION,
        // The batch that a statement was part of would count it twice; statements without text say nothing.
        "BCST" | "RCST" => {}
        _ if statement.is_empty() && object.is_empty() => {}
        action => Query {
            command: Cow::Owned(match action {
                "SL" => "SELECT".to_owned(),
                "BA" => "BACKUP".to_owned(),
                "RS" => "RESTORE".to_owned(),
                _ => command_of(&statement),
            }),
            object: Cow::Owned(object),
            statement: Cow::Owned(statement),
            parameters: Cow::Borrowed(""),
            rows: rows.filter(|_| matches!(action, "SL" | "BCM" | "RCM")),
        }
        .add_to(event),
    }
    let database = text_of(event, &["database_name"]).unwrap_or_default();
    add_database(event, &database);
    fill_columns(event, role);
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "server_principal_name" => (Column::User, 0),
        "session_server_principal_name" => (Column::User, 1),
        "database_principal_name" => (Column::User, 2),
        "client_ip" => (Column::SrcIp, 0),
        "application_name" => (Column::UserAgent, 0),
        "session_id" => (Column::Session, 0),
        "server_instance_name" => (Column::Host, 0),
        "succeeded" => (Column::Status, 0),
        "action_id" => (Column::Action, 1),
        "query_info.name" => (Column::Action, 0),
        _ => return None,
    })
}
