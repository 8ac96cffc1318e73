//! What judging promises, over findings made up for the purpose.

#![allow(clippy::unwrap_used)]

mod assess;
mod make;
mod order;
mod revisions;
mod ties;
mod words;
