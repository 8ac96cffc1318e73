//! What every Windows event has in common, whatever carried it here: an EVTX file, winlogbeat, a
//! JSON export.
//!
//! A reader brings the channel, the provider, the event id and the record's fields under
//! Microsoft's own names, flat (`Image`, `SubjectUserName`, `Computer`); [`class_of`] then says
//! which OCSF class the record is of and [`fill_columns`] which fields answer the standard
//! questions.

mod class;
mod roles;

pub use class::class_of;
pub use roles::{Role, fill_columns, fill_columns_by};

use blackrod_model::Event;

/// Sets the class of `event` from its source, and its columns from its fields.
pub fn classify(event: &mut Event<'_>) {
    event.class = class_of(
        &event.source.channel,
        &event.source.provider,
        event.source.event_id,
    );
    fill_columns(event);
}
