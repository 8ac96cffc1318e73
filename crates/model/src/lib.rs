//! The words of blackrod: what is protected, what was read, what was found.
//!
//! Every stage of the flow takes and returns only the types of this crate, so each stage can be
//! tested alone and replayed from what the stage before it stored:
//!
//! ```text
//! evidence ──read──▶ events ──detect──▶ findings ──judge──▶ campaigns ──report──▶ people
//! ```
//!
//! There is no I/O here and nothing heavy.

mod account;
mod action;
mod address;
pub mod assessment;
mod attack;
mod attack_table;
mod campaign;
mod cells;
mod class;
pub mod coverage;
mod data;
mod entity;
pub mod estate;
mod event;
mod evidence;
mod fact;
mod finding;
pub mod flood;
mod flow;
mod id;
pub mod mail;
mod partner;
mod premise;
pub mod process;
mod rules;
mod run;
mod server;
mod severity;
mod shape;
mod time;
mod value;

pub use account::{AccountAct, ActKind, Means};
pub use action::{Action, ActionId, ActionKind, ActionState, ActionStep, Former, Plan};
pub use address::plain_v4;
pub use attack::{Tactic, Technique};
pub use campaign::{Campaign, CampaignId, Target, Tie};
pub use cells::Cells;
pub use class::Class;
pub use coverage::Coverage;
pub use data::{DataRead, FileAct, How, Wanted};
pub use entity::{Entity, EntityKind};
pub use estate::Estate;
pub use event::{Column, Columns, Event, Field, Raw, Source};
pub use evidence::{Evidence, EvidenceState, Position, Refusal, RefusalGroup};
pub use fact::{Fact, Keep};
pub use finding::{Finding, FindingTotal, Reason};
pub use flow::{Flow, Inrush, Outflow, protocol_name};
pub use id::{EvidenceId, FindingId, Sha256};
pub use partner::PartnerSaid;
pub use premise::Premise;
pub use rules::{RuleProblem, RuleSet};
pub use run::Run;
pub use server::{ServerAct, ServerActKind};
pub use severity::Severity;
pub use shape::{CommandShape, NewShape, UsualShape};
pub use time::Timestamp;
pub use value::{Value, clip};
