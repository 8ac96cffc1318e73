//! SQL over a case.

mod casebook;
mod memory;
mod output;
mod problem;
mod tables;

use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use futures::StreamExt as _;

use self::casebook::CasebookTable;
use self::memory::SharedMemory;
use self::problem::store_error;
use self::tables::TABLES;
use crate::error::io_error;
use crate::events::{CLASS, events_schema};
use crate::{Case, StoreError, layout, lock};

/// What a hunt may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of memory for sorting, grouping and joining; what does not fit is spilled to the case's `tmp/` folder. What
    /// is being read comes on top: some megabytes per thread.
    pub memory_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory_bytes: 512 * 1024 * 1024,
        }
    }
}

impl Options {
    fn memory_limit(&self) -> usize {
        usize::try_from(self.memory_bytes).unwrap_or(usize::MAX)
    }
}

/// The answer to a query, as it comes.
pub struct Answer {
    /// Columns of the terminal that [`Answer::write_table`] may use: cells are cut so that lines fit. `None`, as it is at
    /// first, cuts nothing.
    pub width: Option<usize>,
    stream: SendableRecordBatchStream,
    memory_limit: usize,
    tables: SessionContext,
    /// Keeps the folder for what is spilled.
    _scratch: Option<File>,
}

/// Begins a query over the case in `dir`: one `SELECT` (or `EXPLAIN`, `DESCRIBE`, `SHOW COLUMNS`) over the tables
///
/// - `events`: [`events_schema`] and `class`, the OCSF class in snake case;
/// - `findings`, `campaigns`, `evidence`, `refusals`, `entities`, `rules`, `rule_problems`, `runs`, `log`: the casebook.
///
/// Nothing can be changed by it, and no file outside of the case can be read.
///
/// # Errors
///
/// [`StoreError::Query`] for anything wrong with the query itself; its text says what is there instead.
pub async fn hunt(dir: &Path, sql: &str, options: &Options) -> Result<Answer, StoreError> {
    let dir = dir.canonicalize().map_err(io_error("find", dir))?;
    let case = Case::open_read_only(&dir)?;
    let scratch = lock::use_scratch(&dir);
    let limit = options.memory_limit();
    let context = session(&dir, limit, scratch.is_some()).map_err(|error| store_error(error, limit))?;
    register_events(&context, &dir).await?;
    for table in TABLES {
        let count = format!("SELECT count(*) FROM {}", table.from);
        let rows = case.read(|book| book.query_row(&count, [], |row| row.get::<_, i64>(0)))?;
        let provider = CasebookTable::new(dir.clone(), table, usize::try_from(rows).unwrap_or_default());
        context
            .register_table(table.name, Arc::new(provider))
            .map_err(|error| store_error(error, limit))?;
    }

    let only_queries = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let planned = match context.sql_with_options(sql, only_queries).await {
        Ok(frame) => frame.execute_stream().await,
        Err(error) => Err(error),
    };
    match planned {
        Ok(stream) => Ok(Answer {
            width: None,
            stream,
            memory_limit: limit,
            tables: context,
            _scratch: scratch,
        }),
        Err(error) => Err(problem::explain(error, limit, &context).await),
    }
}

/// Writes which tables and columns there are, with their types.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn describe_tables(out: &mut dyn Write) -> Result<(), StoreError> {
    let mut describe = |name: &str, schema: &Schema| -> std::io::Result<()> {
        writeln!(out, "{name}")?;
        for field in schema.fields() {
            let kind = match field.data_type() {
                DataType::Timestamp(..) => "timestamp, UTC",
                data_type if data_type.is_integer() => "whole number",
                data_type if data_type.is_numeric() => "number",
                _ => "text",
            };
            writeln!(out, "    {:<20} {kind}", field.name())?;
        }
        writeln!(out)
    };
    let mut describe_all = || -> std::io::Result<()> {
        let class = Schema::new(vec![Field::new(CLASS, DataType::Utf8, false)]);
        describe(
            "events",
            &Schema::try_merge([class, events_schema().as_ref().clone()]).unwrap_or_else(|_| Schema::empty()),
        )?;
        TABLES
            .iter()
            .try_for_each(|table| describe(table.name, &table.schema()))
    };
    describe_all().map_err(|source| StoreError::Io {
        action: "write",
        path: "the result".into(),
        source,
    })
}

impl Answer {
    /// The columns of the result.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`StoreError::Memory`] and whatever else may go wrong while events are read.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, StoreError>> {
        match self.stream.next().await? {
            Ok(batch) => Some(Ok(batch)),
            Err(error) => Some(Err(problem::explain(error, self.memory_limit, &self.tables).await)),
        }
    }
}

fn session(dir: &Path, memory_limit: usize, has_scratch: bool) -> Result<SessionContext, DataFusionError> {
    let spill = match has_scratch {
        true => DiskManagerMode::Directories(vec![dir.join(lock::SCRATCH)]),
        false => DiskManagerMode::OsTmpDirectory,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(SharedMemory::new(memory_limit)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(spill))
        .build_arc()?;
    // Threads share the memory, and each works on several batches of rows at once: with little memory, fewer threads and
    // smaller batches.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = (memory_limit / (64 * 1024 * 1024)).clamp(1, cores);
    let batch_size = (memory_limit / (64 * 1024)).clamp(128, 8192);
    let mut config = SessionConfig::new()
        .with_batch_size(batch_size)
        .with_target_partitions(threads)
        .with_information_schema(true)
        .with_collect_statistics(true);
    let settings = &mut config.options_mut().execution;
    // Native records are large: only those of rows that pass the filter are worth decoding.
    settings.parquet.pushdown_filters = true;
    settings.parquet.reorder_filters = true;
    settings.listing_table_ignore_subdirectory = false;
    // Sorting reserves this much per thread for its merge; the default is more than a small limit has.
    settings.sort_spill_reservation_bytes = (memory_limit / 16).min(settings.sort_spill_reservation_bytes);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// Registers `events`: plain Parquet files in folders by class.
///
/// The folders below, by day, are for people and for tidiness: their names are coarser where evidence covers many days.
/// `day` is a column of the files, whose statistics let hunts skip what they do not need.
async fn register_events(context: &SessionContext, dir: &Path) -> Result<(), StoreError> {
    let events = layout::events(dir);
    let no_url = || StoreError::Query(format!("{} is no absolute path", events.display()));
    let url = url::Url::from_directory_path(&events).map_err(|()| no_url())?;
    let class = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
    // A guess at how long the end of a file is makes most files be read whole, and what is remembered of each file then
    // keeps all of that in memory.
    let format = ParquetFormat::default().with_metadata_size_hint(None);
    let options = ListingOptions::new(Arc::new(format))
        .with_file_extension(".parquet")
        .with_table_partition_cols(vec![(CLASS.to_owned(), class)]);
    let register = async || -> Result<(), DataFusionError> {
        let config = ListingTableConfig::new(ListingTableUrl::try_new(url, None)?)
            .with_listing_options(options)
            .with_schema(events_schema());
        let files = context.read_table(Arc::new(ListingTable::try_new(config)?))?;
        let mut names: Vec<String> = events_schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        names.insert(2, CLASS.to_owned());
        let view = files
            .select(names.into_iter().map(|name| col(format!("\"{name}\""))))?
            .into_view();
        context.register_table("events", view)?;
        Ok(())
    };
    register().await.map_err(|error| store_error(error, 0))
}
