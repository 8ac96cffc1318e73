//! Integration tests of the detectors.

mod cloud_content;
mod mail_content;
mod shared;
mod sigma;
mod sigma_content;
mod sigma_truth;
mod yara_content;
