//! Which fields of an audit record answer the standard questions.

use blackrod_model::{Class, Column, Event, Value};

use crate::cloud::fill_columns;

/// Fills the columns of `event`.
///
/// The status of a sign-in is its error number (0 where it succeeded), as in Entra's own sign-in log;
/// of everything else what the record says, `Succeeded`, `True`, `Failed`.
pub(super) fn fill(event: &mut Event<'_>) {
    fill_columns(event, role);
    if event.class == Class::AUTHENTICATION {
        let position = event.fields.iter().position(|field| field.name == "ErrorNumber");
        if let Some(index) = position.filter(|index| !is_blank_at(event, *index)) {
            event.columns.set(Column::Status, index);
        }
    } else if event.column(Column::TargetUser).is_none() {
        fill_target(event);
    }
}

fn is_blank_at(event: &Event<'_>, index: usize) -> bool {
    event.fields.get(index).is_none_or(|field| field.value.is_blank())
}

/// The object of a change to the directory or a mailbox, where it is called like an account.
fn fill_target(event: &mut Event<'_>) {
    let is_account = |value: &Value<'_>| {
        value
            .as_str()
            .is_some_and(|text| text.contains('@') && !text.contains(['/', ' ', '\\']))
    };
    let position = ["ObjectId", "Parameters.Identity", "Parameters.Mailbox"]
        .iter()
        .find_map(|name| {
            event
                .fields
                .iter()
                .position(|field| field.name == *name && is_account(&field.value))
        });
    if let Some(index) = position {
        crate::cloud::fill_account(event, Column::TargetUser, index);
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "UserId" => (Column::User, 0),
        "MailboxOwnerUPN" => (Column::TargetUser, 0),
        "TargetUserOrGroupName" => (Column::TargetUser, 1),
        "ClientIP" => (Column::SrcIp, 0),
        "ClientIPAddress" => (Column::SrcIp, 1),
        "ActorIpAddress" => (Column::SrcIp, 2),
        "SenderIp" => (Column::SrcIp, 3),
        "UserAgent" => (Column::UserAgent, 0),
        "ExtendedProperties.UserAgent" => (Column::UserAgent, 1),
        "ClientInfoString" => (Column::UserAgent, 2),
        "AppAccessContext.AADSessionId" => (Column::Session, 0),
        "DeviceProperties.SessionId" => (Column::Session, 1),
        "SessionId" => (Column::Session, 2),
        "Operation" => (Column::Action, 0),
        "ResultStatus" => (Column::Status, 0),
        "SourceFileName" => (Column::File, 0),
        "SourceRelativeUrl" => (Column::File, 1),
        "SiteUrl" => (Column::Url, 0),
        "Item.Subject" => (Column::Subject, 0),
        "AffectedItems.Subject" => (Column::Subject, 1),
        "Subject" => (Column::Subject, 2),
        "Item.InternetMessageId" => (Column::MessageId, 0),
        "AffectedItems.InternetMessageId" => (Column::MessageId, 1),
        "InternetMessageId" => (Column::MessageId, 2),
        "P2Sender" => (Column::MailFrom, 0),
        "SendAsUserSmtp" => (Column::MailFrom, 1),
        "SendOnBehalfOfUserSmtp" => (Column::MailFrom, 2),
        "Recipients" => (Column::MailTo, 0),
        "OriginatingServer" => (Column::Host, 0),
        _ => return None,
    })
}
