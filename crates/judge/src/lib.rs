//! Findings → campaigns → assessments: which findings are one operation, how strong it is, whom it hit, who may be behind it.
//!
//! Pure functions of their arguments: no clock, no I/O, and the same result whatever the order of
//! the findings.
//!
//! Two findings are tied by what they share. How much a shared entity says is the product of
//!
//! - how telling its kind is ([`prior`]): a file's digest says much, a host little, `SYSTEM` and
//!   `gmail.com` nothing (`content/lists/common.txt`);
//! - how rare it is among the places of the case that have findings ([`rarity`]), an inverse
//!   document frequency (Spärck Jones, 1972) over hosts and records instead of over findings, so
//!   that one noisy host does not make its own name common;
//! - how close in time the two findings are, with a decay that is hours for hosts and accounts and
//!   months for digests.
//!
//! The shares are added; two findings whose sum passes a threshold belong together, and so does
//! everything that hangs together by such pairs. Findings of low severity are joined to what they
//! are tied to strongest and never tie two others together.

pub mod actors;
pub mod assess;
pub mod calibration;
mod campaign;
mod common;
mod entities;
pub mod harm;
mod link;
mod people;
mod prior;
mod rarity;
mod revision;
mod score;
mod title;

pub use assess::{Assessor, Context, assess};
pub use campaign::{campaigns, revised_campaigns};
pub use revision::Revisions;
