//! The columns of the `events` table.

use std::sync::{Arc, LazyLock};

use blackrod_model::Column;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The columns of an events file, in their order. The `class` column is not among them: it is in
/// the name of the folder.
///
/// | column | type | what |
/// |---|---|---|
/// | `time` | timestamp, µs, UTC | when it happened; null where the record does not say |
/// | `day` | text | the UTC day of `time`, `2021-01-22`, or `unknown` |
/// | `class_uid` | unsigned 32 bit | OCSF 1.8 class number |
/// | `evidence` | text | id of the evidence, 32 hexadecimal digits |
/// | `record`, `offset` | unsigned 64 bit | where in that evidence |
/// | `product`, `channel`, `provider` | text | the log it was written to |
/// | `event_id` | unsigned 32 bit | the provider's number for this kind of record |
/// | all of [`Column::ALL`] | text; `src_port`, `dst_port`, `pid`: signed 64 bit | see [`Column`] |
/// | `raw` | text | the native record, JSON or as it was written |
///
/// A number that is written as something else than a number (decimal, or hexadecimal after `0x`)
/// is null in its column and stands in `raw`.
pub fn events_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let text = DataType::Utf8View;
        let mut fields = vec![
            Field::new(
                TIME,
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                true,
            ),
            Field::new(DAY, text.clone(), false),
            Field::new("class_uid", DataType::UInt32, false),
            Field::new(EVIDENCE, text.clone(), false),
            Field::new("record", DataType::UInt64, false),
            Field::new("offset", DataType::UInt64, false),
            Field::new("product", text.clone(), true),
            Field::new("channel", text.clone(), true),
            Field::new("provider", text.clone(), true),
            Field::new("event_id", DataType::UInt32, true),
        ];
        fields.extend(Column::ALL.iter().map(|&column| {
            let data_type = if is_number(column) {
                DataType::Int64
            } else {
                text.clone()
            };
            Field::new(column.name(), data_type, true)
        }));
        fields.push(Field::new(RAW, text, true));
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

pub(crate) const TIME: &str = "time";
pub(crate) const DAY: &str = "day";
pub(crate) const EVIDENCE: &str = "evidence";
pub(crate) const RAW: &str = "raw";
/// The partition column, in the names of the folders below `events/`.
pub(crate) const CLASS: &str = "class";

/// Whether the column holds numbers.
pub(crate) fn is_number(column: Column) -> bool {
    matches!(column, Column::SrcPort | Column::DstPort | Column::Pid)
}
