//! Logs of cloud services about accounts, mail and files: what their readers share.
//!
//! A reader keeps a record's own fields and picks those that answer the standard questions. Two
//! answers are put into one spelling first, because rules and joins that compare texts would take one
//! subject for several: addresses (`[2001:db8::1]:443`, `192.0.2.7:5000`, `::ffff:192.0.2.7`) and the
//! letter case of accounts. Where the spelling changes, a field with OCSF's name is added and fills the
//! column; the record's own field stays as it was written.

mod address;
mod directory;
pub(crate) mod entra;
mod fold;
pub(crate) mod google;
pub(crate) mod m365;
pub(crate) mod okta;
pub(crate) mod service;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use blackrod_model::{Column, Event, Field, Value};

pub(crate) use address::normalise;
pub(crate) use directory::directory_class;
pub(crate) use fold::{fold_named_values, fold_repeated};

/// Says which column a field can fill, and how good it is for that: 0 is best.
pub(crate) type Role = fn(&str) -> Option<(Column, u8)>;

/// Lets the best field that is not blank fill each column, after `role`.
pub(crate) fn fill_columns(event: &mut Event<'_>, role: Role) {
    let mut best = [(u8::MAX, 0_usize); Column::ALL.len()];
    for (index, field) in event.fields.iter().enumerate() {
        let Some((column, rank)) = role(&field.name) else {
            continue;
        };
        let Some(slot) = best.get_mut(column as usize) else {
            continue;
        };
        if rank < slot.0 && !is_nothing(&field.value) && fits(column, &field.value) {
            *slot = (rank, index);
        }
    }
    for (column, (rank, index)) in Column::ALL.iter().zip(best) {
        if rank == u8::MAX {
            continue;
        }
        match column {
            Column::User | Column::TargetUser => fill_account(event, *column, index),
            Column::SrcIp => fill_address(event, Column::SrcIp, Some(Column::SrcPort), index),
            Column::DstIp => fill_address(event, Column::DstIp, Some(Column::DstPort), index),
            _ => event.columns.set_first(*column, index),
        }
    }
}

/// Lets the account in field `index` fill `column`, in lower case.
pub(crate) fn fill_account(event: &mut Event<'_>, column: Column, index: usize) {
    let Some(field) = event.fields.get(index) else {
        return;
    };
    let lower = match &field.value {
        Value::Str(text) if has_upper_case(text) => Value::from(text.to_lowercase()),
        Value::List(values) => match values
            .iter()
            .find(|value| !is_nothing(value))
            .and_then(Value::as_str)
        {
            Some(text) => Value::from(text.to_lowercase()),
            None => return,
        },
        _ => return event.columns.set_first(column, index),
    };
    add_column(event, column, lower);
}

fn has_upper_case(text: &str) -> bool {
    match text.is_ascii() {
        // Without leaving early it is done for many bytes at once.
        true => text
            .bytes()
            .fold(false, |found, byte| found | byte.is_ascii_uppercase()),
        false => text.chars().any(char::is_uppercase),
    }
}

/// Lets the address in field `index` fill `column` and its port `port_column`, in one spelling.
pub(crate) fn fill_address(event: &mut Event<'_>, column: Column, port_column: Option<Column>, index: usize) {
    let Some(text) = event.fields.get(index).and_then(|field| first_text(&field.value)) else {
        return;
    };
    let Some(address) = normalise(text) else {
        return;
    };
    let port = address.port;
    match address.text {
        None => event.columns.set_first(column, index),
        Some(text) => add_column(event, column, Value::from(text)),
    }
    if let (Some(port), Some(port_column)) = (port, port_column)
        && event.columns.get(port_column).is_none()
    {
        add_column(event, port_column, Value::Int(i64::from(port)));
    }
}

/// Adds a field under OCSF's name for `column`, which it fills.
pub(crate) fn add_column<'a>(event: &mut Event<'a>, column: Column, value: Value<'a>) {
    let index = event.fields.len();
    event.fields.push(Field {
        name: Cow::Borrowed(column.ocsf()),
        value,
    });
    event.columns.set_first(column, index);
}

/// The first text of a value.
pub(crate) fn first_text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Str(text) => Some(text),
        Value::List(values) => values.iter().find_map(|value| value.as_str()),
        _ => None,
    }
}

/// Whether a value says nothing: blank, or one of the words that these services have for that.
fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Str(text) => {
            // The longest of the words has 13 letters; what is longer and has no blanks around it is no such.
            if let [first, .., last] = text.as_bytes()
                && text.len() > 13
                && first.is_ascii_graphic()
                && last.is_ascii_graphic()
            {
                return false;
            }
            let text = text.trim();
            text.is_empty()
                || matches!(
                    text,
                    "-" | "null" | "<null>" | "None" | "Not Available" | "Unknown" | "N/A"
                )
        }
        Value::List(values) => values.iter().all(is_nothing),
        Value::Null => true,
        _ => false,
    }
}

/// Whether a value can be the answer to what `column` asks.
fn fits(column: Column, value: &Value<'_>) -> bool {
    match column {
        Column::SrcIp | Column::DstIp => first_text(value).is_some_and(|text| normalise(text).is_some()),
        _ => true,
    }
}
