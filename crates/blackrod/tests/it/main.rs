//! The real binary, run in temporary folders on the example's evidence.

#![allow(clippy::unwrap_used)]

mod commands;
mod example;
mod killed;
mod mail;
mod support;
