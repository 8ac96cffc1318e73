//! Limits harm: mail is defused and sealed, block lists and plans are drawn up. Plain functions: nothing here opens a
//! socket or changes a mailbox; the binary does, once somebody approved it.

mod actions;
mod block;
mod calls;
mod mail;
mod measures;
mod plan;
mod seal;
mod tag;

pub use actions::{Situation, blocked, plan};
pub use block::{Infrastructure, nftables, postfix_access, rpz_zone};
pub use mail::{
    DefuseError, DefusePolicy, Defused, HeaderChange, PersonalPart, Removed, Untouched, defuse,
    header_changes,
};
pub use measures::is_shared;
pub use plan::{Draft, NOTICE, Purge, notices, purge, unsent};
pub use seal::{Chain, SealError, Sealer};
pub use tag::tag;
