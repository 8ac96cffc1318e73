//! Rows on their way into a file: column by column, in the order in which they came.

use std::fmt::Write as _;
use std::sync::Arc;

use blackrod_model::{Column, Event, EvidenceId, Raw, Timestamp, Value};
use datafusion::arrow::array::{
    ArrayRef, Int64Builder, RecordBatch, StringViewBuilder, TimestampMicrosecondArray, UInt32Array,
    UInt64Array,
};
use datafusion::arrow::compute::take;
use datafusion::arrow::error::ArrowError;

use super::schema::{events_schema, is_number};

/// The longest native record kept, in bytes. A longer one is cut: its place leads to the whole.
pub(crate) const MAX_RAW: usize = 64 * 1024 * 1024;

/// The longest text kept in a standard column, in bytes; `raw` keeps the whole.
pub(crate) const MAX_TEXT: usize = 64 * 1024;

/// What a row takes besides its text, roughly, in bytes: views and null bits of all columns.
const ROW_OVERHEAD: usize = 700;

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400_000_000;

/// The number of the day in a row of the unknown time.
const UNKNOWN_DAY: i64 = i64::MIN;

/// What decides into which file a row goes and where in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct RowKey {
    pub(crate) class: u32,
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    pub(crate) time: Timestamp,
}

impl RowKey {
    /// The UTC day as text, `unknown` where there is none.
    pub(crate) fn day_text(day: i64) -> String {
        let midnight = match day {
            UNKNOWN_DAY => Timestamp::UNKNOWN,
            day => day
                .checked_mul(DAY_MICROS)
                .map_or(Timestamp::UNKNOWN, Timestamp::from_micros),
        };
        midnight.day()
    }
}

/// Rows in memory.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) keys: Vec<RowKey>,
    /// Index into `evidence` for each row.
    evidence_of: Vec<u32>,
    evidence: Vec<EvidenceId>,
    record: Vec<u64>,
    offset: Vec<u64>,
    product: StringViewBuilder,
    channel: StringViewBuilder,
    provider: StringViewBuilder,
    event_id: Vec<Option<u32>>,
    columns: Vec<ColumnRows>,
    raw: StringViewBuilder,
    bytes: usize,
    scratch: String,
}

enum ColumnRows {
    Text(StringViewBuilder),
    Number(Int64Builder),
}

impl Rows {
    pub(crate) fn new() -> Self {
        let columns = Column::ALL
            .iter()
            .map(|&column| match is_number(column) {
                true => ColumnRows::Number(Int64Builder::new()),
                false => ColumnRows::Text(text_builder()),
            })
            .collect();
        Self {
            columns,
            raw: StringViewBuilder::new().with_fixed_block_size(1024 * 1024),
            product: text_builder(),
            channel: text_builder(),
            provider: text_builder(),
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How much memory the rows take, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, evidence: EvidenceId, event: &Event<'_>) {
        let day = event
            .time
            .micros()
            .map_or(UNKNOWN_DAY, |micros| micros.div_euclid(DAY_MICROS));
        self.keys.push(RowKey {
            class: event.class.0,
            day,
            time: event.time,
        });
        if self.evidence.last() != Some(&evidence) {
            self.evidence.push(evidence);
        }
        self.evidence_of.push(self.evidence.len() as u32 - 1);
        self.record.push(event.at.record);
        self.offset.push(event.at.offset);
        append_text(&mut self.product, event.source.product);
        append_text(&mut self.channel, &event.source.channel);
        append_text(&mut self.provider, &event.source.provider);
        self.event_id
            .push((event.source.event_id != 0).then_some(event.source.event_id));

        let mut bytes = ROW_OVERHEAD;
        for (&column, rows) in Column::ALL.iter().zip(&mut self.columns) {
            let value = event.column(column);
            match (rows, value) {
                (ColumnRows::Number(rows), value) => rows.append_option(value.and_then(Value::as_int)),
                (ColumnRows::Text(rows), None) => rows.append_null(),
                (ColumnRows::Text(rows), Some(Value::Str(text))) => {
                    let kept = cut(text, MAX_TEXT);
                    bytes += kept.len();
                    rows.append_value(kept);
                }
                (ColumnRows::Text(rows), Some(value)) => {
                    self.scratch.clear();
                    // Writing to a String does not fail.
                    let _ = write!(self.scratch, "{value}");
                    let kept = cut(&self.scratch, MAX_TEXT);
                    bytes += kept.len();
                    rows.append_value(kept);
                }
            }
        }

        let raw = match event.raw {
            Raw::Text(text) => text,
            Raw::Fields => {
                self.scratch.clear();
                event.write_raw(&mut self.scratch);
                &self.scratch
            }
        };
        let kept = cut(raw, MAX_RAW);
        self.raw.append_value(kept);
        self.bytes += bytes + kept.len();
    }

    /// All rows as arrays, in the order in which they came, except `day`, which depends on nothing
    /// but the file: see [`Table::slice`]. Leaves no rows behind.
    pub(crate) fn take(&mut self) -> Table {
        let rows = std::mem::replace(self, Self::new());
        rows.into_table()
    }

    fn into_table(mut self) -> Table {
        let mut evidence = text_builder();
        let texts: Vec<String> = self.evidence.iter().map(EvidenceId::to_string).collect();
        for &index in &self.evidence_of {
            evidence.append_value(&texts[index as usize]);
        }
        let time: TimestampMicrosecondArray = self.keys.iter().map(|key| key.time.micros()).collect();
        let class_uid = UInt32Array::from_iter_values(self.keys.iter().map(|key| key.class));

        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(time.with_timezone("UTC")),
            Arc::new(class_uid),
            Arc::new(evidence.finish()),
            Arc::new(UInt64Array::from(self.record)),
            Arc::new(UInt64Array::from(self.offset)),
            Arc::new(self.product.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.provider.finish()),
            Arc::new(UInt32Array::from(self.event_id)),
        ];
        arrays.extend(self.columns.into_iter().map(|rows| -> ArrayRef {
            match rows {
                ColumnRows::Text(mut rows) => Arc::new(rows.finish()),
                ColumnRows::Number(mut rows) => Arc::new(rows.finish()),
            }
        }));
        arrays.push(Arc::new(self.raw.finish()));
        Table {
            keys: self.keys,
            evidence_of: self.evidence_of,
            evidence: self.evidence,
            arrays,
        }
    }
}

/// Rows as arrays.
pub(crate) struct Table {
    pub(crate) keys: Vec<RowKey>,
    evidence_of: Vec<u32>,
    evidence: Vec<EvidenceId>,
    /// The columns of [`events_schema`] without `day`.
    arrays: Vec<ArrayRef>,
}

impl Table {
    /// The rows at `indices`, in that order, with the columns of [`events_schema`]. The text itself is shared, not copied.
    pub(crate) fn slice(&self, indices: &[u32]) -> Result<RecordBatch, ArrowError> {
        let wanted = UInt32Array::from_iter_values(indices.iter().copied());
        let mut arrays = Vec::with_capacity(self.arrays.len() + 1);
        for array in &self.arrays {
            arrays.push(take(array, &wanted, None)?);
        }
        arrays.insert(1, self.days(indices));
        RecordBatch::try_new(events_schema(), arrays)
    }

    fn days(&self, indices: &[u32]) -> ArrayRef {
        let mut days = text_builder();
        let mut last = (UNKNOWN_DAY, RowKey::day_text(UNKNOWN_DAY));
        for &index in indices {
            let day = self.keys[index as usize].day;
            if day != last.0 {
                last = (day, RowKey::day_text(day));
            }
            days.append_value(&last.1);
        }
        Arc::new(days.finish())
    }

    /// The evidence that the rows at `indices` came from, each once, sorted.
    pub(crate) fn evidence_in(&self, indices: &[u32]) -> Vec<EvidenceId> {
        let mut found: Vec<u32> = indices
            .iter()
            .map(|&index| self.evidence_of[index as usize])
            .collect();
        found.sort_unstable();
        found.dedup();
        let mut ids: Vec<EvidenceId> = found
            .into_iter()
            .map(|index| self.evidence[index as usize])
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

fn text_builder() -> StringViewBuilder {
    StringViewBuilder::new()
}

fn append_text(rows: &mut StringViewBuilder, text: &str) {
    match text {
        "" => rows.append_null(),
        text => rows.append_value(cut(text, MAX_TEXT)),
    }
}

fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_model() {
        for micros in [0, -1, 1_611_307_800_000_000, i64::MAX, i64::MIN + 1] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(
                RowKey::day_text(micros.div_euclid(DAY_MICROS)),
                time.day(),
                "{micros}"
            );
        }
        assert_eq!(RowKey::day_text(UNKNOWN_DAY), "unknown");
    }
}
