//! Google Workspace: activities of the Reports API, of all its applications.
//!
//! An activity as Google hands it out (`id.applicationName`, `actor.email`, `events[].name`,
//! `events[].parameters[]`), in the answer's `items` or one a line, or flattened by a collector to one
//! event each (`name`, `type`, `parameters` as an object). Events count as the record's own members;
//! parameters become `parameters.NAME`. An activity with several events has lists of names and types.
//!
//! `Source::channel` is `google_workspace.` and the application, as Sigma calls the service.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Field, Value};

use super::fill_columns;
use super::service::{Service, first_of, has};
use crate::times::read_time;

/// Google Workspace activities.
pub(crate) static GOOGLE: Service = Service {
    name: "google-workspace",
    description: "Google Workspace activities of the Reports API: admin, login, drive, gmail, token …",
    unwrapped: &["events"],
    named: &[("parameters", "name")],
    rename: |_| None,
    is_record,
    is_table: |_| false,
    describe,
};

fn is_record(fields: &[Field<'_>]) -> bool {
    let is_activity = fields.iter().any(|field| {
        field.name == "kind"
            && field
                .value
                .as_str()
                .is_some_and(|kind| kind.contains("#reports#activit"))
    });
    let has_name = has(fields, "name")
        || has(fields, "type")
        || fields.iter().any(|field| field.name.starts_with("actor."));
    is_activity || has(fields, "id.applicationName") && has_name
}

fn describe(event: &mut Event<'_>) {
    let application = match event.get("id.applicationName") {
        Some(Value::Str(name)) => name.to_ascii_lowercase(),
        _ => "unknown".to_owned(),
    };
    event.class = class_of(&application, event);
    event.source.product = "gcp";
    event.source.channel = Cow::Owned(["google_workspace.", &application].concat());
    event.source.provider = Cow::Borrowed("Google Workspace");
    event.time = first_of(event, &["id.time", "time"])
        .and_then(read_time)
        .unwrap_or_default();
    fill_columns(event, role);
}

fn class_of(application: &str, event: &Event<'_>) -> Class {
    let name = first_of(event, &["name"])
        .and_then(super::first_text)
        .unwrap_or_default();
    match application {
        "login" | "saml" => Class::AUTHENTICATION,
        "drive" => Class::FILE_HOSTING,
        "gmail" => Class::EMAIL_ACTIVITY,
        "token" => Class::USER_ACCESS,
        "user_accounts" => Class::ACCOUNT_CHANGE,
        "groups" | "groups_enterprise" => Class::GROUP_MANAGEMENT,
        "rules" | "access_transparency" => Class::DETECTION_FINDING,
        "admin" if name.contains("USER") || name.contains("PASSWORD") => Class::ACCOUNT_CHANGE,
        "admin" => Class::ENTITY_MANAGEMENT,
        _ => Class::API_ACTIVITY,
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "actor.email" => (Column::User, 0),
        "parameters.USER_EMAIL" => (Column::TargetUser, 0),
        "parameters.affected_email_address" => (Column::TargetUser, 1),
        "parameters.target_user" => (Column::TargetUser, 2),
        "ipAddress" => (Column::SrcIp, 0),
        "parameters.user_agent" => (Column::UserAgent, 0),
        "name" => (Column::Action, 0),
        "parameters.login_failure_type" => (Column::Status, 0),
        "parameters.doc_title" => (Column::File, 0),
        "parameters.message_info.subject" => (Column::Subject, 0),
        "parameters.message_info.rfc2822_message_id" => (Column::MessageId, 0),
        "parameters.message_info.source.address" => (Column::MailFrom, 0),
        "parameters.message_info.attachment.sha256" => (Column::Hash, 0),
        _ => return None,
    })
}
