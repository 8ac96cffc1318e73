//! Integration tests of the detectors.

mod shared;
mod sigma;
mod sigma_truth;
mod yara_content;
mod sigma_content;
