//! What PostgreSQL's messages say of statements: pgaudit's lines, `log_statement`'s, replication commands.

use std::borrow::Cow;

use blackrod_model::{Class, Event, Field, Value};

use super::{Query, command_of};

/// Adds what `message`, with `detail` beside it, says of a statement or a connection to `event`.
pub(crate) fn read(message: &str, detail: &str, event: &mut Event<'_>) {
    if let Some(audit) = message.strip_prefix("AUDIT: ") {
        if let Some(query) = line(audit) {
            query.add_to(event);
        }
        return;
    }
    if let Some(command) = message.strip_prefix("received replication command: ") {
        let query = Query {
            command: Cow::Owned(command.split([' ', '(']).next().unwrap_or_default().to_owned()),
            statement: Cow::Owned(command.to_owned()),
            ..Query::default()
        };
        return query.add_to(event);
    }
    if let Some(statement) = logged_statement(message) {
        let query = Query {
            command: Cow::Owned(command_of(statement)),
            statement: Cow::Owned(statement.to_owned()),
            parameters: Cow::Owned(logged_parameters(detail)),
            ..Query::default()
        };
        return query.add_to(event);
    }
    let status = if message.starts_with("connection authorized: ")
        || message.starts_with("replication connection authorized: ")
    {
        "success"
    } else if message.contains(" authentication failed for user ") {
        "failure: wrong password"
    } else {
        return;
    };
    event.class = Class::AUTHENTICATION;
    event.fields.push(Field::new("status", Value::from(status)));
    let index = event.fields.len() - 1;
    event.columns.set(blackrod_model::Column::Status, index);
}

/// `SESSION,7,1,READ,SELECT,TABLE,public.electors,"select …","7,x",1`: type, statement, substatement, class,
/// command, object type, object, statement, parameters and, with `pgaudit.log_rows`, rows.
fn line(text: &str) -> Option<Query<'static>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut cells = csv::ByteRecord::new();
    reader.read_byte_record(&mut cells).ok()?;
    let cell = |index: usize| {
        let text = String::from_utf8_lossy(cells.get(index).unwrap_or_default());
        match text.as_ref() {
            "<none>" | "<not logged>" | "<previously logged>" => String::new(),
            text => text.to_owned(),
        }
    };
    if cells.len() < 8 {
        return None;
    }
    let command = cell(4);
    // Statements that hand nothing out themselves are told with 0 rows.
    let counts = matches!(
        command.as_str(),
        "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "MERGE"
    );
    Some(Query {
        object: Cow::Owned(cell(6)),
        statement: Cow::Owned(cell(7)),
        parameters: Cow::Owned(cell(8)),
        rows: cell(9).trim().parse().ok().filter(|_| counts),
        command: Cow::Owned(command),
    })
}

/// `statement: …`, `execute <unnamed>: …`, both also behind `duration: 1.234 ms  `.
fn logged_statement(message: &str) -> Option<&str> {
    let rest = match message.strip_prefix("duration: ") {
        Some(timed) => timed.split_once(" ms  ")?.1,
        None => message,
    };
    if let Some(statement) = rest.strip_prefix("statement: ") {
        return Some(statement);
    }
    let (name, statement) = rest.strip_prefix("execute ")?.split_once(": ")?;
    (!name.contains(' ')).then_some(statement)
}

/// `parameters: $1 = '7', $2 = 'x'` as CSV.
fn logged_parameters(detail: &str) -> String {
    let Some((_, mut rest)) = detail.split_once("arameters: ") else {
        return String::new();
    };
    let mut values = Vec::new();
    while let Some((_, after)) = rest.split_once(" = ") {
        let (value, following) = match after.strip_prefix('\'') {
            Some(quoted) => {
                let end = quoted_end(quoted);
                (
                    quoted.get(..end).unwrap_or(quoted),
                    quoted.get(end + 1..).unwrap_or_default(),
                )
            }
            None => after.split_once(", ").unwrap_or((after, "")),
        };
        let plain = value.replace("''", "'").replace('"', "\"\"");
        values.push(format!("\"{plain}\""));
        rest = following;
    }
    values.join(",")
}

/// Where the quote stands that ends a text in which quotes are doubled.
fn quoted_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\'', rest)) {
        at += found;
        if bytes.get(at + 1) != Some(&b'\'') {
            return at;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_postgres_logs_by_itself() {
        assert_eq!(
            logged_statement("duration: 1.2 ms  statement: SELECT 1"),
            Some("SELECT 1")
        );
        assert_eq!(
            logged_statement("execute <unnamed>: SELECT $1"),
            Some("SELECT $1")
        );
        assert_eq!(logged_statement("checkpoint complete"), None);
        let detail = "parameters: $1 = '7', $2 = 'O''Neill, \"x\"', $3 = NULL";
        assert_eq!(logged_parameters(detail), "\"7\",\"O'Neill, \"\"x\"\"\",\"NULL\"");
        assert_eq!(logged_parameters("parameters: $1 = '7"), "\"7\"");
    }
}
