//! Logs of one record a line.

pub(crate) mod access_json;
pub(crate) mod auditd;
pub(crate) mod combined;
pub(crate) mod directives;
pub(crate) mod lines;
pub(crate) mod syslog;
#[cfg(test)]
mod tests;
