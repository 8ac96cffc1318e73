//! What runs of the simulation must hold.

#![allow(clippy::unwrap_used)]

mod runs;
mod stock;
