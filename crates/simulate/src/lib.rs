//! Invented mail of an invented parliament, with hidden campaigns in it: whole messages (RFC 5322, MIME), not rows
//! of features.
//!
//! ```
//! use blackrod_simulate::{Assumptions, Simulation};
//!
//! let assumptions = Assumptions { messages: 300, days: 3, ..Assumptions::default() }.scaled(0.1);
//! let simulation = Simulation::new(7, assumptions);
//! let mut bytes = Vec::new();
//! for mail in simulation.messages().take(5) {
//!     mail.write(&mut bytes);
//! }
//! assert!(!bytes.is_empty());
//! ```
//!
//! A run follows from its seed and [`Assumptions`] alone. Messages come in the order of time; memory holds one day
//! of plans, not of messages. All names are invented, all domains lie below `.example` and `.test` (RFC 2606), all
//! addresses are of documentation and benchmark networks (RFC 5737, RFC 2544); nothing is attached that does
//! anything.
//!
//! How it is made: a [`World`](world::World) is drawn (people, outside contacts, services, lists, campaigns). Each
//! day it plans its mailings: a sender, a text, recipients. A mailing becomes a body with gaps once, and a message for
//! each recipient, written out ([`Mail::write`]) or described ([`Mail::facts`]).

mod assumptions;
mod body;
mod compose;
mod date;
mod design;
mod encode;
mod facts;
mod files;
mod mail;
mod mailing;
mod names;
mod parliament;
mod patterns;
mod random;
mod sender;
mod simulation;
mod sketch;
mod software;
mod text;
mod truth;
mod url;
mod words;
mod world;

pub use assumptions::Assumptions;
pub use mail::Mail;
pub use simulation::{Messages, Simulation};
pub use truth::{HiddenCampaign, Hosts, Truth};

/// The first day of every run: Monday, 2021-01-04.
pub(crate) const START_MICROS: i64 = 1_609_718_400_000_000;
