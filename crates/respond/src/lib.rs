//! Limits harm: mail is defused and sealed, block lists and plans are drawn up. Plain functions: nothing here opens a
//! socket or changes a mailbox; the binary does, once somebody approved it.

mod block;
mod mail;
mod plan;
mod seal;
mod tag;

pub use block::{Infrastructure, nftables, postfix_access, rpz_zone};
pub use mail::{
    DefuseError, DefusePolicy, Defused, HeaderChange, PersonalPart, Removed, Untouched, defuse,
    header_changes,
};
pub use plan::{Draft, NOTICE, Purge, notices, purge};
pub use seal::{Chain, SealError, Sealer};
pub use tag::tag;
