//! SQL over a case.

mod casebook;
mod output;
mod problem;
mod tables;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, col};
use futures::StreamExt as _;

use self::casebook::CasebookTable;
pub use self::output::{TableOptions, write_csv, write_json_array, write_json_lines, write_table};
use self::problem::store_error;
use self::tables::TABLES;
use crate::error::io_error;
use crate::events::{CLASS, events_schema};
use crate::{Case, StoreError, layout, lock};

/// What a hunt may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HuntOptions {
    /// Bytes of memory for sorting, grouping and joining; what does not fit is spilled to the case's `tmp/` folder. What
    /// is being read comes on top: a few megabytes per thread.
    pub memory_limit: usize,
    /// How many threads; 0 for as many as the machine has cores.
    pub threads: usize,
}

impl Default for HuntOptions {
    fn default() -> Self {
        Self {
            memory_limit: 512 * 1024 * 1024,
            threads: 0,
        }
    }
}

/// The result of a query, as it comes.
pub struct Hunt {
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
pub async fn hunt(dir: &Path, sql: &str, options: &HuntOptions) -> Result<Hunt, StoreError> {
    let dir = dir.canonicalize().map_err(io_error("find", dir))?;
    let case = Case::open_read_only(&dir)?;
    let scratch = lock::use_scratch(&dir);
    let limit = options.memory_limit;
    let context = session(&dir, options, scratch.is_some()).map_err(|error| store_error(error, limit))?;
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
        Ok(stream) => Ok(Hunt {
            stream,
            memory_limit: limit,
            tables: context,
            _scratch: scratch,
        }),
        Err(error) => Err(problem::explain(error, limit, &context).await),
    }
}

impl Hunt {
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

fn session(dir: &Path, options: &HuntOptions, has_scratch: bool) -> Result<SessionContext, DataFusionError> {
    let spill = match has_scratch {
        true => DiskManagerMode::Directories(vec![dir.join(lock::SCRATCH)]),
        false => DiskManagerMode::OsTmpDirectory,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(options.memory_limit)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(spill))
        .build_arc()?;
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_collect_statistics(true);
    if options.threads > 0 {
        config = config.with_target_partitions(options.threads);
    }
    let settings = &mut config.options_mut().execution;
    // Native records are large: only those of rows that pass the filter are worth decoding.
    settings.parquet.pushdown_filters = true;
    settings.parquet.reorder_filters = true;
    settings.listing_table_ignore_subdirectory = false;
    // Sorting reserves this much per thread for its merge; the default is more than a small limit has.
    settings.sort_spill_reservation_bytes =
        (options.memory_limit / 16).min(settings.sort_spill_reservation_bytes);
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
    let options = ListingOptions::new(Arc::new(ParquetFormat::default()))
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
