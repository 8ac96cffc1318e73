//! What the report promises, over cases made up for the purpose.

#![allow(clippy::unwrap_used)]

mod assessment;
mod browser;
mod hostile;
mod make;
mod page;
mod summary;
