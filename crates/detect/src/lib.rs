//! Events → findings.

pub mod content;
pub mod entities;
pub mod indicators;
pub mod sigma;

use std::path::PathBuf;

use blackrod_model::{Finding, Premise};

/// What detectors found in some evidence.
#[derive(Debug, Default)]
pub struct Found {
    /// Claims about single records.
    pub findings: Vec<Finding>,
    /// Matches that mean something only together; collected over all evidence and handed to
    /// [`Detectors::correlate`] in the order of their times.
    pub premises: Vec<Premise>,
}

/// Why rules or indicators could not be loaded at all. A single bad rule is no such reason; it is
/// told in the [`RuleSet`](blackrod_model::RuleSet).
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A folder that the user named cannot be read.
    #[error("cannot read the rules in {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of indicators that the user named cannot be read.
    #[error("cannot read the indicators in {}: {source}", path.display())]
    Indicators {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
