//! Integration tests of the detectors.

mod shared;
mod sigma;
mod sigma_content;
mod sigma_truth;
mod yara_content;
