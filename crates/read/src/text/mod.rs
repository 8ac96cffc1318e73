//! Logs of one record a line.

pub(crate) mod combined;
pub(crate) mod directives;
pub(crate) mod lines;
#[cfg(test)]
mod tests;
