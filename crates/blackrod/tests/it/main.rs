//! The real binary, run in temporary folders on the example's evidence.

#![allow(clippy::unwrap_used)]

mod commands;
mod example;
#[cfg(unix)]
mod guard;
mod killed;
mod mail;
mod support;
mod usual;
