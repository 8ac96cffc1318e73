//! Okta System Log, as its API hands it out: an array, or one event a line.
//!
//! Names are Okta's (`eventType`, `actor.alternateId`, `debugContext.debugData.behaviors`); collectors
//! that write them in lower case are put right. Members of the list `target` become lists.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Field, Value};

use super::fill_columns;
use super::service::{Service, first_of, has};
use crate::times::read_time;

/// Okta System Log.
pub(crate) static OKTA: Service = Service {
    name: "okta",
    description: "Okta System Log",
    unwrapped: &[],
    named: &[],
    rename,
    is_record,
    is_table: |_| false,
    describe,
};

fn rename(name: &str) -> Option<&'static str> {
    Some(match name {
        "eventtype" => "eventType",
        "displaymessage" => "displayMessage",
        "legacyeventtype" => "legacyEventType",
        "debugcontext" => "debugContext",
        "securitycontext" => "securityContext",
        "authenticationcontext" => "authenticationContext",
        _ => return None,
    })
}

fn is_record(fields: &[Field<'_>]) -> bool {
    let begins = |start: &str| fields.iter().any(|field| field.name.starts_with(start));
    let is_dated = has(fields, "published");
    // Some collectors keep the time in a wrapper of their own.
    let is_numbered = has(fields, "uuid") && has(fields, "legacyEventType");
    has(fields, "eventType") && (is_dated || is_numbered) && (begins("actor.") || begins("outcome."))
}

fn describe(event: &mut Event<'_>) {
    let kind = first_of(event, &["eventType"])
        .and_then(Value::as_str)
        .unwrap_or_default();
    event.class = class_of(kind);
    event.source.product = "okta";
    event.source.channel = Cow::Borrowed("okta");
    event.time = first_of(event, &["published"])
        .and_then(read_time)
        .unwrap_or_default();
    fill_columns(event, role);
}

fn class_of(kind: &str) -> Class {
    let begins = |start: &str| kind.starts_with(start);
    if begins("user.session") || begins("user.authentication") || begins("user.mfa.okta_verify") {
        return Class::AUTHENTICATION;
    }
    if begins("user.account.privilege") || begins("group.privilege") || begins("iam.") || begins("app.oauth2")
    {
        return Class::USER_ACCESS;
    }
    if begins("user.") {
        return Class::ACCOUNT_CHANGE;
    }
    if begins("group.") {
        return Class::GROUP_MANAGEMENT;
    }
    if begins("security.") {
        return Class::DETECTION_FINDING;
    }
    let is_of_settings = ["application.", "policy.", "zone.", "network_zone.", "system."];
    match is_of_settings.into_iter().any(begins) {
        true => Class::ENTITY_MANAGEMENT,
        false => Class::API_ACTIVITY,
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "actor.alternateId" => (Column::User, 0),
        "target.alternateId" => (Column::TargetUser, 0),
        "client.ipAddress" => (Column::SrcIp, 0),
        "client.userAgent.rawUserAgent" => (Column::UserAgent, 0),
        "authenticationContext.externalSessionId" => (Column::Session, 0),
        "eventType" => (Column::Action, 0),
        "outcome.result" => (Column::Status, 0),
        "debugContext.debugData.requestUri" => (Column::Url, 0),
        "device.name" => (Column::Host, 0),
        _ => return None,
    })
}
