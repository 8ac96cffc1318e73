//! `blackrod hunt`: questions to a case in SQL.

use std::io::{BufWriter, Write as _};

use super::Outcome;
use crate::cli::{self, Output};

pub(crate) fn run(arguments: &cli::Hunt) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    runtime.block_on(async {
        if arguments.tables {
            return blackrod_store::hunt::describe_tables(&mut out);
        }
        let options = blackrod_store::hunt::Options {
            memory_bytes: u64::from(arguments.memory) * 1024 * 1024,
        };
        let sql = arguments.sql.as_deref().unwrap_or_default();
        let answer = blackrod_store::hunt::hunt(&arguments.case, sql, &options).await?;
        match arguments.format {
            Output::Table => answer.write_table(&mut out).await,
            Output::Json => answer.write_json(&mut out).await,
            Output::Csv => answer.write_csv(&mut out).await,
        }
    })?;
    out.flush()?;
    Ok(Outcome::Done)
}
