//! What a record says about an account.

use std::net::IpAddr;

use blackrod_model::{AccountAct, ActKind, Class, Column, Event, EvidenceId, Value};

use super::rules::Rule;
use crate::clip;

/// The act that `event` tells of; `None` where it is not about an account, or says nothing that is judged.
pub fn act(evidence: EvidenceId, event: &Event<'_>) -> Option<AccountAct> {
    let operation = event.column_text(Column::Action).unwrap_or_default();
    let (kind, detail, items, points) = match event.class {
        Class::AUTHENTICATION => (sign_in(event)?, String::new(), 0, 0),
        _ => directory_or_mailbox(event, operation.trim_end_matches('.'))?,
    };
    let user = account(event)?;
    let target = event
        .column_text(Column::TargetUser)
        .map(|target| target.to_lowercase());
    Some(AccountAct {
        evidence,
        at: event.at,
        time: event.time,
        class: event.class.0,
        target: target.filter(|target| *target != user),
        user,
        address: event
            .column_text(Column::SrcIp)
            .and_then(|text| text.parse().ok())
            .filter(is_elsewhere),
        agent: event.column_text(Column::UserAgent).map(|agent| cut(&agent, 200)),
        session: event
            .column_text(Column::Session)
            .map(|session| cut(&session, 200)),
        kind,
        detail,
        items,
        points,
    })
}

/// Who acted: the account, without a Windows domain. Windows names the account of a sign-in as its target.
fn account(event: &Event<'_>) -> Option<String> {
    let is_windows_sign_in = event.source.product == "windows" && event.class == Class::AUTHENTICATION;
    let column = if is_windows_sign_in {
        Column::TargetUser
    } else {
        Column::User
    };
    let text = event
        .column_text(column)
        .or_else(|| event.column_text(Column::User))?;
    let lower = text.to_lowercase();
    let bare = lower.rsplit_once('\\').map_or(lower.as_str(), |(_, name)| name);
    // Computers' own accounts and services sign in all day.
    let is_person = !bare.is_empty()
        && !bare.ends_with('$')
        && !matches!(bare, "anonymous logon" | "system" | "not available");
    is_person.then(|| cut(bare, 200))
}

/// Whether an address can be a source of its own: not of this machine.
fn is_elsewhere(address: &IpAddr) -> bool {
    !address.is_loopback() && !address.is_unspecified()
}

/// How a sign-in ended. The codes are those of Entra (AADSTS), Windows (NTSTATUS) and the words that others use.
fn sign_in(event: &Event<'_>) -> Option<ActKind> {
    if event.source.product == "windows" {
        return match event.source.event_id {
            4624 => Some(ActKind::SignIn),
            4625 => Some(match text(event, "SubStatus").as_deref() {
                Some("0xc0000064") => ActKind::NoSuchUser,
                _ => ActKind::WrongPassword,
            }),
            _ => None,
        };
    }
    let status = event.column_text(Column::Status).unwrap_or_default();
    let said = format!(
        "{} {} {}",
        text(event, "LogonError").unwrap_or_default(),
        text(event, "status.failureReason")
            .or_else(|| text(event, "outcome.reason"))
            .unwrap_or_default(),
        text(event, "message").unwrap_or_default(),
    )
    .to_ascii_lowercase();
    let code = status.trim().to_ascii_lowercase();
    Some(match code.as_str() {
        "0" | "success" | "succeeded" | "accepted" | "allow" | "login_success" => ActKind::SignIn,
        "50126" | "50053" | "50055" | "50056" => ActKind::WrongPassword,
        "50034" | "51004" => ActKind::NoSuchUser,
        "500121" => ActKind::FactorRefused,
        _ if said.contains("usernamenotfound")
            || said.contains("does not exist")
            || said.contains("invalid user") =>
        {
            ActKind::NoSuchUser
        }
        _ if said.contains("mfa denied")
            || said.contains("user declined")
            || said.contains("did not respond") =>
        {
            ActKind::FactorRefused
        }
        _ if said.contains("password") || said.contains("credential") || code.contains("fail") => {
            ActKind::WrongPassword
        }
        _ if event
            .column_text(Column::Action)
            .is_some_and(|action| action.eq_ignore_ascii_case("login_failure")) =>
        {
            ActKind::WrongPassword
        }
        _ => ActKind::NotSignedIn,
    })
}

/// What was done to a directory or a mailbox: kind, words, count, points.
fn directory_or_mailbox(event: &Event<'_>, operation: &str) -> Option<(ActKind, String, u32, u8)> {
    if operation.is_empty() {
        return None;
    }
    let name = operation.to_ascii_lowercase();
    let object = text(event, "ObjectId").unwrap_or_default();
    let plain = |kind, points| Some((kind, cut(&format!("{operation} {object}"), 300), 0, points));
    match name.as_str() {
        "mailitemsaccessed" => return Some(mail_read(event)),
        "new-inboxrule" | "set-inboxrule" | "updateinboxrules" | "new-transportrule"
        | "set-transportrule" => {
            return Some(mailbox_rule(event, operation));
        }
        "set-mailbox" => return set_mailbox(event, operation),
        "add-mailboxpermission" | "add-recipientpermission" | "add-mailboxfolderpermission" => {
            return plain(ActKind::Delegation, 1);
        }
        "set-adminauditlogconfig" | "set-mailboxauditbypassassociation" | "remove-dlpcompliancepolicy" => {
            return plain(ActKind::WatchingOff, 1);
        }
        "consent to application" | "add delegated permission grant" | "add oauth2permissiongrant" => {
            let scopes = text_with(event, "scope").unwrap_or_default();
            return Some((
                ActKind::Consent,
                cut(&format!("{operation} {object} {scopes}"), 300),
                0,
                1,
            ));
        }
        "add app role assignment to service principal" => return plain(ActKind::Consent, 1),
        "add member to role" | "add eligible member to role" => return plain(ActKind::RoleGiven, 1),
        "disable strong authentication" => return plain(ActKind::FactorChanged, 1),
        _ => {}
    }
    if name.contains("certificates and secrets") || name.contains("service principal credentials") {
        return plain(ActKind::ApplicationSecret, 1);
    }
    if name.contains("security info") || name.contains("strong authentication") {
        return plain(ActKind::FactorChanged, 1);
    }
    None
}

/// `MailItemsAccessed`: which kind of access, and how many messages it names.
fn mail_read(event: &Event<'_>) -> (ActKind, String, u32, u8) {
    let access = text_with(event, "MailAccessType").unwrap_or_default();
    let throttled = text_with(event, "IsThrottled").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let count = text(event, "OperationCount").and_then(|count| count.parse().ok());
    let named = event
        .fields
        .iter()
        .filter(|field| field.name.ends_with("InternetMessageId"))
        .map(|field| match &field.value {
            Value::List(values) => values.len(),
            _ => 1,
        });
    let items = count.unwrap_or_else(|| u32::try_from(named.sum::<usize>()).unwrap_or(u32::MAX));
    if throttled {
        return (
            ActKind::MailReadUncounted,
            "MailItemsAccessed, throttled".to_owned(),
            items,
            1,
        );
    }
    match access.eq_ignore_ascii_case("sync") {
        true => (
            ActKind::MailSynchronised,
            "MailItemsAccessed, Sync".to_owned(),
            1,
            0,
        ),
        false => (
            ActKind::MailRead,
            "MailItemsAccessed, Bind".to_owned(),
            items.max(1),
            0,
        ),
    }
}

fn mailbox_rule(event: &Event<'_>, operation: &str) -> (ActKind, String, u32, u8) {
    let is_true = |name: &str| text_with(event, name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let forwards = [
        "ForwardTo",
        "ForwardAsAttachmentTo",
        "RedirectTo",
        "RedirectMessageTo",
        "BlindCopyTo",
        "CopyTo",
    ]
    .iter()
    .find_map(|name| text_with(event, name));
    let condition: String = [
        "SubjectContainsWords",
        "BodyContainsWords",
        "SubjectOrBodyContainsWords",
        "FromAddressContainsWords",
        "From",
    ]
    .iter()
    .filter_map(|name| text_with(event, name))
    .collect::<Vec<_>>()
    .join(" ");
    let name = text_with(event, "Name").unwrap_or_default();
    let folder = text_with(event, "MoveToFolder");
    let rule = Rule {
        name: &name,
        forwards_to: forwards.as_deref(),
        deletes: is_true("DeleteMessage") || is_true("SoftDeleteMessage"),
        marks_read: is_true("MarkAsRead"),
        folder: folder.as_deref(),
        condition: &condition,
    };
    let (points, seen) = rule.points();
    // One trait is what ordinary rules have.
    let points = if points >= 2 { points } else { 0 };
    let detail = format!("{operation} \"{name}\": {}", seen.join(", "));
    (ActKind::MailboxRule, cut(&detail, 300), 0, points)
}

fn set_mailbox(event: &Event<'_>, operation: &str) -> Option<(ActKind, String, u32, u8)> {
    let to = ["ForwardingSmtpAddress", "ForwardingAddress"]
        .iter()
        .find_map(|name| text_with(event, name));
    if let Some(to) = to.filter(|to| !to.trim().is_empty()) {
        return Some((
            ActKind::Forwarding,
            cut(&format!("{operation} to {to}"), 300),
            0,
            1,
        ));
    }
    let audit = text_with(event, "AuditEnabled").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let age = text_with(event, "AuditLogAgeLimit")
        .is_some_and(|value| value.trim_start_matches(['0', ':', '.']).is_empty());
    (audit || age).then(|| {
        (
            ActKind::WatchingOff,
            format!("{operation}: auditing of a mailbox switched off"),
            0,
            1,
        )
    })
}

/// The text of the field of this name.
fn text(event: &Event<'_>, name: &str) -> Option<String> {
    event
        .get(name)?
        .to_text()
        .map(|text| text.to_ascii_lowercase())
        .filter(|text| !text.is_empty())
}

/// The text of the first field whose last name is this: `Parameters.ForwardTo` for `ForwardTo`.
fn text_with(event: &Event<'_>, name: &str) -> Option<String> {
    let is_it = |field: &str| {
        field.len() >= name.len()
            && field.is_char_boundary(field.len() - name.len())
            && field[field.len() - name.len()..].eq_ignore_ascii_case(name)
            && (field.len() == name.len() || field[..field.len() - name.len()].ends_with('.'))
    };
    let found = event
        .fields
        .iter()
        .find(|field| is_it(&field.name) && !field.value.is_blank())?;
    found.value.to_text().map(|text| text.into_owned())
}

fn cut(text: &str, most: usize) -> String {
    clip(text, most).to_owned()
}
