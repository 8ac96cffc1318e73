//! Audit logs of databases: what their readers share.
//!
//! A reader keeps a record's own fields and adds, under OCSF's names (Datastore Activity, 6005), what every
//! one of these logs says in its own way: `query_info.query_string`, `database.name`, `unmapped.object`,
//! `unmapped.parameters` (as CSV) and `unmapped.rows`, the number of rows that came back.

pub(crate) mod mysql;
pub(crate) mod pgaudit;
pub(crate) mod postgres;
pub(crate) mod postgres_text;
pub(crate) mod sqlserver;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Field, Value};

/// A statement that a database was given.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Query<'q> {
    /// What it does: `SELECT`, `COPY`.
    pub(crate) command: Cow<'q, str>,
    /// Its text; empty where the log leaves it out.
    pub(crate) statement: Cow<'q, str>,
    /// The table that the log names.
    pub(crate) object: Cow<'q, str>,
    /// The values of its placeholders, as CSV.
    pub(crate) parameters: Cow<'q, str>,
    /// How many rows came back.
    pub(crate) rows: Option<u64>,
}

impl<'q> Query<'q> {
    /// Adds what it says to `event`, which becomes one about a datastore.
    pub(crate) fn add_to(self, event: &mut Event<'q>) {
        event.class = Class::DATASTORE_ACTIVITY;
        let mut push = |name: &'static str, value: Cow<'q, str>| {
            if value.is_empty() {
                return None;
            }
            event.fields.push(Field {
                name: Cow::Borrowed(name),
                value: Value::Str(value),
            });
            Some(event.fields.len() - 1)
        };
        let command = push("query_info.name", self.command);
        push("query_info.query_string", self.statement);
        push("unmapped.object", self.object);
        push("unmapped.parameters", self.parameters);
        if let Some(index) = command {
            event.columns.set(Column::Action, index);
        }
        if let Some(rows) = self.rows {
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            event.fields.push(Field::new("unmapped.rows", Value::Int(rows)));
        }
    }
}

/// The first word of a statement, in upper case: what it does, where the log does not say.
pub(crate) fn command_of(statement: &str) -> String {
    let word = statement
        .split(|c: char| !c.is_ascii_alphabetic())
        .find(|word| !word.is_empty());
    word.filter(|word| word.len() <= 20)
        .unwrap_or_default()
        .to_ascii_uppercase()
}

/// The text of the first of these fields that says something.
pub(crate) fn text_of(event: &Event<'_>, names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| event.get(name)?.to_text())
        .map(|text| text.trim().to_owned())
        .find(|text| !text.is_empty() && text != "-")
}

/// Adds the database's name.
pub(crate) fn add_database(event: &mut Event<'_>, name: &str) {
    if !name.is_empty() {
        event.fields.push(Field::new("database.name", name.to_owned()));
    }
}
