//! Floods: traffic that is meant to keep others out.

pub mod requests;
