//! What a record says about an account.

use std::borrow::Cow;
use std::net::IpAddr;

use blackrod_model::{AccountAct, ActKind, Class, Column, Event, EvidenceId, Means, Value};

use super::rules::Rule;
use super::{consent, sign_in};
use crate::clip;

/// The act that `event` tells of; `None` where it is not about an account, or says nothing that is judged.
pub fn act(evidence: EvidenceId, event: &Event<'_>) -> Option<AccountAct> {
    let is_sign_in = event.class == Class::AUTHENTICATION;
    if !is_sign_in && !DONE_TO_ACCOUNTS.contains(&event.class) {
        return None;
    }
    let (kind, detail, items, points) = match is_sign_in {
        true => (sign_in::outcome(event)?, String::new(), 0, sign_in::risk(event)),
        false => {
            let operation = event.column_text(Column::Action)?;
            directory_or_mailbox(event, operation.trim_end_matches('.'))?
        }
    };
    let user = account(event)?;
    let target = event.column_text(Column::TargetUser).map(lower);
    Some(AccountAct {
        evidence,
        at: event.at,
        time: event.time,
        class: event.class.0,
        target: target.filter(|target| *target != user).map(Cow::into_owned),
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
        system: if is_sign_in { sign_in::system(event) } else { 0 },
        country: is_sign_in.then(|| sign_in::country(event)).flatten(),
        means: if is_sign_in {
            sign_in::means(event)
        } else {
            Means::Usual
        },
    })
}

/// Classes of records that can tell what was done to an account or a mailbox; most logs hold none of them.
const DONE_TO_ACCOUNTS: [Class; 6] = [
    Class::API_ACTIVITY,
    Class::USER_ACCESS,
    Class::ACCOUNT_CHANGE,
    Class::ENTITY_MANAGEMENT,
    Class::GROUP_MANAGEMENT,
    Class::DETECTION_FINDING,
];
/// The longest name of an operation that is judged.
const MAX_OPERATION: usize = 80;

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
    let lower = lower(text);
    let bare = lower.rsplit_once('\\').map_or(&*lower, |(_, name)| name);
    // Computers' own accounts and services sign in all day.
    let is_person = !bare.is_empty()
        && !bare.ends_with('$')
        && !matches!(bare, "anonymous logon" | "system" | "not available");
    is_person.then(|| cut(bare, 200))
}

/// In lower case, as readers of cloud logs have it already.
fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_lower = text.bytes().fold(true, |so_far, byte| {
        so_far & byte.is_ascii() & !byte.is_ascii_uppercase()
    });
    match is_lower {
        true => text,
        false => Cow::Owned(text.to_lowercase()),
    }
}

/// Whether an address can be a source of its own: not of this machine.
fn is_elsewhere(address: &IpAddr) -> bool {
    !address.is_loopback() && !address.is_unspecified()
}

/// What was done to a directory or a mailbox: kind, words, count, points.
fn directory_or_mailbox(event: &Event<'_>, operation: &str) -> Option<(ActKind, String, u32, u8)> {
    let mut folded = [0; MAX_OPERATION];
    let folded = folded.get_mut(..operation.len())?;
    folded.copy_from_slice(operation.as_bytes());
    folded.make_ascii_lowercase();
    let name = std::str::from_utf8(folded).ok()?;
    let object = || {
        text(event, "ObjectId")
            .or_else(|| text(event, "targetResources.displayName"))
            .unwrap_or_default()
    };
    let plain = |kind, points| Some((kind, cut(&format!("{operation} {}", object()), 300), 0, points));
    match name {
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
            return Some(allowed_in(event, operation, &object()));
        }
        "add app role assignment to service principal" => {
            return Some(allowed_in(event, operation, &object()));
        }
        "add member to role" | "add eligible member to role" => return plain(ActKind::RoleGiven, 1),
        "disable strong authentication" => return plain(ActKind::FactorChanged, 1),
        "update user" if has_new_factor(event) => return plain(ActKind::FactorChanged, 1),
        "add registered owner to device" | "register device" => return plain(ActKind::DeviceJoined, 1),
        "user.mfa.factor.activate" | "2sv_enroll" => return plain(ActKind::FactorChanged, 1),
        "add user" | "user.lifecycle.create" | "create_user" => return plain(ActKind::AccountMade, 0),
        "change user password"
        | "reset password (self-service)"
        | "change password (self-service)"
        | "user.account.update_password"
        | "password_edit" => return plain(ActKind::PasswordChanged, 0),
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

/// An application that was allowed in: `operation|application|rights`.
fn allowed_in(event: &Event<'_>, operation: &str, application: &str) -> (ActKind, String, u32, u8) {
    let scopes = text_with(event, "scope").unwrap_or_default();
    let points = u8::from(consent::reaches_far(event));
    let detail = format!("{operation}|{application}|{scopes}");
    (ActKind::Consent, cut(&detail, 300), 0, points)
}

/// Whether the change of an account is one of its second factor.
fn has_new_factor(event: &Event<'_>) -> bool {
    event
        .fields
        .iter()
        .any(|field| field.name.starts_with("ModifiedProperties.StrongAuthentication"))
}

/// `MailItemsAccessed`: which kind of access, and how many messages it names.
fn mail_read(event: &Event<'_>) -> (ActKind, String, u32, u8) {
    let access = text_with(event, "MailAccessType").unwrap_or_default();
    let throttled = text_with(event, "IsThrottled").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let count = event.get("OperationCount").and_then(Value::as_int);
    let count = count.and_then(|count| u32::try_from(count).ok());
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

/// Whether `to` is an address of another domain than that of whoever acts.
fn is_outside(event: &Event<'_>, to: &str) -> bool {
    let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
    let own = event.column_text(Column::User).and_then(|user| domain(&user));
    domain(to.trim()).is_some_and(|domain| own.is_some_and(|own| own != domain))
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
            u8::from(is_outside(event, &to)),
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
        let field = field.as_bytes();
        let Some(start) = field.len().checked_sub(name.len()) else {
            return false;
        };
        // What stands before is what most names differ in.
        let is_last_name = start == 0 || field.get(start - 1) == Some(&b'.');
        is_last_name
            && field
                .get(start..)
                .is_some_and(|last| last.eq_ignore_ascii_case(name.as_bytes()))
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
