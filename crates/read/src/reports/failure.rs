//! Failure reports: about one message that was not authenticated (RFC 6591, RFC 9991).

use blackrod_model::{Class, Column, Event, Field, Position, Value};

use crate::cloud::fill_columns;
use crate::times::read_time;

/// The event of a `message/feedback-report` part; its fields have the report's names (`Source-IP`,
/// `Reported-Domain`, `Auth-Failure`). `None` where it is not about authentication.
pub(super) fn event(content: &str, at: Position) -> Option<Event<'_>> {
    /// No report has more fields.
    const MOST: usize = 64;
    let lines = content.lines().filter_map(|line| line.split_once(':')).take(MOST);
    let mut event = Event::new(Class::EMAIL_ACTIVITY, blackrod_model::Timestamp::UNKNOWN, at);
    event.source.product = "dmarc";
    event.source.channel = "failure".into();
    event.fields = lines
        .map(|(name, value)| Field::new(name.trim(), Value::text(value.trim())))
        .collect();
    let kind = event.get("Feedback-Type").and_then(Value::as_str)?;
    if !kind.eq_ignore_ascii_case("auth-failure") {
        return None;
    }
    let date = event
        .get("Arrival-Date")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let date = mail_parser::DateTime::parse_rfc822(date).map(|date| date.to_timestamp());
    event.time = date
        .and_then(|seconds| read_time(&Value::Int(seconds)))
        .unwrap_or_default();
    fill_columns(&mut event, |name| {
        Some(match name {
            "Source-IP" => (Column::SrcIp, 0),
            "Reported-Domain" => (Column::Domain, 0),
            "Original-Mail-From" => (Column::MailFrom, 0),
            "Delivery-Result" => (Column::Action, 0),
            _ => return None,
        })
    });
    Some(event)
}
