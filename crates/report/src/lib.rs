//! A case, told to people: one HTML file, a few lines for the terminal, one JSON document.
//!
//! Everything that comes from evidence is hostile: it is escaped, characters that cannot be seen are
//! written out (`⟦U+202E⟧`), and what is overlong is cut with its length told ([`shown`]).

mod json;
mod markdown;
mod message;
mod navigator;
mod ocsf;
mod page;
mod partners;
pub mod shown;
mod stix;
mod tally;
mod text;
mod view;
mod words;

pub use json::summary_json;
pub use markdown::markdown;
pub use message::{Body, MessageView, message_page, message_text};
pub use navigator::navigator;
pub use ocsf::ocsf;
pub use page::html;
pub use stix::{Tlp, bundle_of, stix, stix_blocks};
pub use text::summary_text;
pub use view::{CaseView, Explanation};
