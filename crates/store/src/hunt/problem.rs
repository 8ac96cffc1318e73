//! What is wrong with a query, in words that help.

use datafusion::common::{DataFusionError, SchemaError};
use datafusion::prelude::SessionContext;

use super::tables::TABLES;
use crate::StoreError;

/// The error for an operator, with the columns or tables that there are where one was named that is not.
pub(crate) async fn explain(
    error: DataFusionError,
    memory_limit: usize,
    context: &SessionContext,
) -> StoreError {
    match error.find_root() {
        DataFusionError::SchemaError(schema_error, _) => {
            if let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref() {
                let mut names: Vec<String> = valid_fields.iter().map(|column| column.name.clone()).collect();
                names.dedup();
                let mut text = format!("there is no column {:?}", field.name);
                match &field.relation {
                    Some(table) if valid_fields.is_empty() => {
                        text += &columns_of(table.table(), context).await
                    }
                    _ if names.is_empty() => {}
                    _ => text += &format!("; there are: {}", names.join(", ")),
                }
                return StoreError::Query(text);
            }
        }
        DataFusionError::Plan(text) if text.starts_with("table '") && text.ends_with("not found") => {
            let name = text.split('\'').nth(1).unwrap_or_default();
            let name = name.rsplit('.').next().unwrap_or_default();
            let tables: Vec<&str> = std::iter::once("events")
                .chain(TABLES.iter().map(|table| table.name))
                .collect();
            return StoreError::Query(format!(
                "there is no table {name:?}; there are: {}",
                tables.join(", ")
            ));
        }
        DataFusionError::Plan(text) if is_refused_statement(text) => {
            return StoreError::Query("a hunt only reads: begin with SELECT or WITH".to_owned());
        }
        _ => {}
    }
    store_error(error, memory_limit)
}

/// The error for an operator.
pub(crate) fn store_error(error: DataFusionError, memory_limit: usize) -> StoreError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(text) => {
            let detail = text.lines().next().unwrap_or_default().to_owned();
            StoreError::Memory {
                limit_mib: memory_limit / (1024 * 1024),
                detail,
            }
        }
        root => StoreError::Query(root.strip_backtrace()),
    }
}

fn is_refused_statement(text: &str) -> bool {
    [
        "DDL not supported",
        "DML not supported",
        "Statement not supported",
    ]
    .iter()
    .any(|start| text.starts_with(start))
}

async fn columns_of(table: &str, context: &SessionContext) -> String {
    match context.table(table).await {
        Ok(frame) => {
            let names: Vec<&str> = frame
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().as_str())
                .collect();
            format!("; {table} has: {}", names.join(", "))
        }
        Err(_) => String::new(),
    }
}
