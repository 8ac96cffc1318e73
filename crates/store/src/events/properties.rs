//! How events files are encoded.

use std::sync::LazyLock;

use datafusion::parquet::basic::{Compression, Encoding, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;

use super::schema::RAW;

/// Zstandard at level 1, dictionaries where values repeat, statistics of a whole file (that is what
/// lets a hunt leave files unread), none for the native record.
pub(crate) fn writer_properties() -> WriterProperties {
    static PROPERTIES: LazyLock<WriterProperties> = LazyLock::new(|| {
        let mut builder = WriterProperties::builder()
            .set_created_by(concat!("blackrod ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(256 * 1024));
        // Rising numbers: differences are smaller than any dictionary.
        for column in ["time", "record", "offset"] {
            builder = builder
                .set_column_dictionary_enabled(ColumnPath::from(column), false)
                .set_column_encoding(ColumnPath::from(column), Encoding::DELTA_BINARY_PACKED);
        }
        let raw = ColumnPath::from(RAW);
        builder
            .set_column_dictionary_enabled(raw.clone(), false)
            .set_column_statistics_enabled(raw, EnabledStatistics::None)
            .build()
    });
    PROPERTIES.clone()
}
