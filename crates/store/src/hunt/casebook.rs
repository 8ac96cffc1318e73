//! Lets DataFusion read the casebook's tables as streams.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Builder, RecordBatch, RecordBatchOptions, StringViewBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use rusqlite::types::ValueRef;

use super::tables::{Kind, Table};
use crate::casebook;

/// Rows of a batch, at most.
const BATCH_ROWS: usize = 4096;

/// A table of the casebook in `dir`.
///
/// DataFusion's own streaming table would do but for one thing: it does not say how many rows it has, and a join with
/// `events` would then hold all events in memory instead of all findings.
#[derive(Debug)]
pub(crate) struct CasebookTable {
    dir: PathBuf,
    table: &'static Table,
    schema: SchemaRef,
    rows: usize,
}

impl CasebookTable {
    /// `table` of the casebook in `dir`, which has about `rows` rows.
    pub(crate) fn new(dir: PathBuf, table: &'static Table, rows: usize) -> Self {
        Self {
            dir,
            table,
            schema: Arc::new(table.schema()),
            rows,
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[async_trait::async_trait]
impl TableProvider for CasebookTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = projection
            .cloned()
            .unwrap_or_else(|| (0..self.table.columns.len()).collect());
        let schema: SchemaRef = Arc::new(self.schema.project(&columns)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(CasebookScan {
            dir: self.dir.clone(),
            table: self.table,
            columns,
            schema,
            limit,
            rows: self.rows,
            properties: Arc::new(properties),
        }))
    }
}

/// Reads some columns of a table of the casebook.
#[derive(Debug)]
struct CasebookScan {
    dir: PathBuf,
    table: &'static Table,
    columns: Vec<usize>,
    schema: SchemaRef,
    limit: Option<usize>,
    rows: usize,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for CasebookScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CasebookScan: table={}, rows≈{}", self.table.name, self.rows)
    }
}

impl ExecutionPlan for CasebookScan {
    fn name(&self) -> &'static str {
        "CasebookScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        // Rows may have been added since they were counted.
        statistics.num_rows = Precision::Inexact(self.limit.unwrap_or(usize::MAX).min(self.rows));
        Ok(Arc::new(statistics))
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let expressions: Vec<&str> = self
            .columns
            .iter()
            .map(|&column| self.table.columns[column].sql)
            .collect();
        let kinds: Vec<Kind> = self
            .columns
            .iter()
            .map(|&column| self.table.columns[column].kind)
            .collect();
        let list = if expressions.is_empty() {
            "1".to_owned()
        } else {
            expressions.join(", ")
        };
        let limit = self
            .limit
            .map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let sql = format!("SELECT {list} FROM {} LIMIT {limit}", self.table.from);

        let dir = self.dir.clone();
        let schema = Arc::clone(&self.schema);
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&schema), 2);
        let sender = stream.tx();
        stream.spawn_blocking(move || {
            let book = casebook::open_read_only(&dir).map_err(external)?;
            let mut statement = book.prepare(&sql).map_err(external)?;
            let mut rows = statement.query([]).map_err(external)?;
            loop {
                let batch = next_batch(&mut rows, &kinds, &schema)?;
                let is_last = batch.num_rows() < BATCH_ROWS;
                let has_rows = batch.num_rows() > 0;
                // Nobody listens any more when the query has what it wants.
                if has_rows && sender.blocking_send(Ok(batch)).is_err() || is_last {
                    return Ok(());
                }
            }
        });
        Ok(stream.build())
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

enum Values {
    Text(StringViewBuilder),
    Count(UInt64Builder),
    Number(Float64Builder),
    Time(TimestampMicrosecondBuilder),
}

/// Up to [`BATCH_ROWS`] rows; fewer only at the end.
fn next_batch(rows: &mut rusqlite::Rows<'_>, kinds: &[Kind], schema: &SchemaRef) -> Result<RecordBatch> {
    let mut columns: Vec<Values> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Text => Values::Text(StringViewBuilder::new()),
            Kind::Count => Values::Count(UInt64Builder::new()),
            Kind::Number => Values::Number(Float64Builder::new()),
            Kind::Time => Values::Time(TimestampMicrosecondBuilder::new()),
        })
        .collect();
    let mut count = 0;
    while count < BATCH_ROWS {
        let Some(row) = rows.next().map_err(external)? else {
            break;
        };
        count += 1;
        for (index, values) in columns.iter_mut().enumerate() {
            let value = row.get_ref(index).map_err(external)?;
            let number = if let ValueRef::Integer(number) = value {
                Some(number)
            } else {
                None
            };
            match values {
                Values::Text(texts) => match value {
                    ValueRef::Text(text) => texts.append_value(String::from_utf8_lossy(text)),
                    _ => texts.append_null(),
                },
                Values::Count(counts) => counts.append_option(number.map(|number| number as u64)),
                Values::Number(numbers) => match value {
                    ValueRef::Real(number) => numbers.append_value(number),
                    _ => numbers.append_null(),
                },
                Values::Time(times) => times.append_option(number.filter(|&micros| micros != i64::MIN)),
            }
        }
    }
    let arrays = columns
        .into_iter()
        .map(|values| -> ArrayRef {
            match values {
                Values::Text(mut texts) => Arc::new(texts.finish()),
                Values::Count(mut counts) => Arc::new(counts.finish()),
                Values::Number(mut numbers) => Arc::new(numbers.finish()),
                Values::Time(mut times) => Arc::new(times.finish().with_timezone("UTC")),
            }
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        arrays,
        &options,
    )?)
}
