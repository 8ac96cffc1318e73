//! Packing with packers whose output is the same on every machine.

use std::io::{Cursor, Write as _};

/// A gzip stream; zopfli, because the quicker ones choose their hash by the processor.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let options = zopfli::Options {
        iteration_count: std::num::NonZeroU64::MIN,
        ..zopfli::Options::default()
    };
    let mut packed = Vec::new();
    written(zopfli::compress(
        options,
        zopfli::Format::Gzip,
        bytes,
        &mut packed,
    ));
    packed
}

/// A Zstandard stream.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    written(zstd::stream::encode_all(bytes, 19))
}

/// A tar archive of files with these names.
pub(crate) fn tar(members: &[(&str, &[u8])], unix_seconds: u64) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o640);
        header.set_mtime(unix_seconds);
        written(archive.append_data(&mut header, name, *bytes));
    }
    written(archive.into_inner())
}

/// A zip archive of files with these names.
pub(crate) fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Levels above 9 are zopfli's.
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(10))
        .last_modified_time(zip::DateTime::default());
    for (name, bytes) in members {
        written(archive.start_file(name.as_str(), options));
        written(archive.write_all(bytes));
    }
    written(archive.finish()).into_inner()
}

/// Packing into memory fails only where a size or name of ours is wrong.
fn written<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("cannot pack the example: {error}"))
}
