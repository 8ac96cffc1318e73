//! The field names of the unified audit log, whatever shape it comes in.

use std::borrow::Cow;

use blackrod_model::Field;

use crate::cloud::fold::NAME;
use crate::cloud::{fold_named_values, fold_repeated};
use crate::json::{Naming, join};

/// Gives the members of a record the names that the audit log itself has for them.
pub(super) struct UalNames;

/// Whether `list` is one of named values.
fn is_folded(list: &str) -> bool {
    matches!(
        list,
        "Parameters"
            | "ExtendedProperties"
            | "DeviceProperties"
            | "OperationProperties"
            | "ModifiedProperties"
            | "PropertyBag"
    )
}

/// Those lists of named values that rules also search as a whole.
pub(super) const SEARCHED: [&str; 2] = ["Parameters", "OperationProperties"];

impl Naming for UalNames {
    fn enter(&self, prefix: &str, key: &str, into: &mut String) {
        match (prefix, key) {
            ("", "AuditData" | "auditData") => {}
            ("", _) => {
                into.push_str(&pascal(Cow::Borrowed(key)));
                into.push('.');
            }
            _ => {
                into.push_str(prefix);
                into.push_str(key);
                into.push('.');
            }
        }
    }

    #[inline(always)]
    fn name<'a>(&mut self, prefix: &str, key: Cow<'a, str>, _: usize) -> Cow<'a, str> {
        if prefix.is_empty() {
            return pascal(key);
        }
        nested(prefix, key)
    }

    fn object_ended(&mut self, key: &str, fields: &mut Vec<Field<'_>>, first: usize, start: usize) {
        let key = pascal(Cow::Borrowed(key));
        if key == "AuditData" {
            // The record itself, which is no element of a list.
            return;
        }
        if !is_folded(&key) {
            return fold_repeated(fields, first, start);
        }
        fold_named_values(&key, fields, start, known);
    }
}

/// The name of the member `key` of what is itself a member.
fn nested<'a>(prefix: &str, key: Cow<'a, str>) -> Cow<'a, str> {
    let parent = prefix.strip_suffix('.').unwrap_or(prefix);
    if is_folded(parent) {
        return match key.as_ref() {
            "Name" | "name" => Cow::Borrowed(NAME),
            "Value" | "value" => Cow::Borrowed(""),
            "NewValue" | "newValue" => Cow::Borrowed(".NewValue"),
            "OldValue" | "oldValue" => Cow::Borrowed(".OldValue"),
            other => Cow::Owned([".", other].concat()),
        };
    }
    match known(parent, &key) {
        Some(name) => Cow::Borrowed(name),
        None => join(prefix, key),
    }
}

/// A name as the audit log has it: Graph writes `clientIp` for `ClientIP`.
#[inline(always)]
fn pascal(key: Cow<'_, str>) -> Cow<'_, str> {
    match key.as_bytes().first().is_some_and(u8::is_ascii_lowercase) {
        true => from_camel(key),
        false => key,
    }
}

fn from_camel(key: Cow<'_, str>) -> Cow<'_, str> {
    let known = match key.as_ref() {
        "createdDateTime" => "CreationTime",
        "clientIp" | "clientIP" => "ClientIP",
        "userPrincipalName" => "UserId",
        "userId" => "UserObjectId",
        "service" => "Workload",
        "operation" => "Operation",
        "id" => "Id",
        _ => {
            let mut name = key.into_owned();
            if let Some(first) = name.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            return Cow::Owned(name);
        }
    };
    Cow::Borrowed(known)
}

/// Names of nested members and of named values that many records have; they need not be put together.
fn known(parent: &str, key: &str) -> Option<&'static str> {
    Some(match (parent, key) {
        ("Actor", "ID") => "Actor.ID",
        ("Actor", "Type") => "Actor.Type",
        ("Target", "ID") => "Target.ID",
        ("Target", "Type") => "Target.Type",
        ("AppAccessContext", "AADSessionId") => "AppAccessContext.AADSessionId",
        ("AppAccessContext", "APIId") => "AppAccessContext.APIId",
        ("AppAccessContext", "ClientAppId") => "AppAccessContext.ClientAppId",
        ("AppAccessContext", "CorrelationId") => "AppAccessContext.CorrelationId",
        ("AppAccessContext", "IssuedAtTime") => "AppAccessContext.IssuedAtTime",
        ("AppAccessContext", "UniqueTokenId") => "AppAccessContext.UniqueTokenId",
        ("Folders", "Id") => "Folders.Id",
        ("Folders", "Path") => "Folders.Path",
        ("Folders.FolderItems", "ClientRequestId") => "Folders.FolderItems.ClientRequestId",
        ("Folders.FolderItems", "Id") => "Folders.FolderItems.Id",
        ("Folders.FolderItems", "ImmutableId") => "Folders.FolderItems.ImmutableId",
        ("Folders.FolderItems", "InternetMessageId") => "Folders.FolderItems.InternetMessageId",
        ("Folders.FolderItems", "SizeInBytes") => "Folders.FolderItems.SizeInBytes",
        ("Item", "Id") => "Item.Id",
        ("Item", "InternetMessageId") => "Item.InternetMessageId",
        ("Item", "Subject") => "Item.Subject",
        ("Item", "Attachments") => "Item.Attachments",
        ("Item.ParentFolder", "Path") => "Item.ParentFolder.Path",
        ("Item.ParentFolder", "Id") => "Item.ParentFolder.Id",
        ("OperationProperties", "MailAccessType") => "OperationProperties.MailAccessType",
        ("OperationProperties", "IsThrottled") => "OperationProperties.IsThrottled",
        ("ExtendedProperties", "RequestType") => "ExtendedProperties.RequestType",
        ("ExtendedProperties", "ResultStatusDetail") => "ExtendedProperties.ResultStatusDetail",
        ("ExtendedProperties", "UserAgent") => "ExtendedProperties.UserAgent",
        ("ExtendedProperties", "UserAuthenticationMethod") => "ExtendedProperties.UserAuthenticationMethod",
        ("ExtendedProperties", "additionalDetails") => "ExtendedProperties.additionalDetails",
        ("ExtendedProperties", "extendedAuditEventCategory") => {
            "ExtendedProperties.extendedAuditEventCategory"
        }
        ("DeviceProperties", "Id") => "DeviceProperties.Id",
        ("DeviceProperties", "DisplayName") => "DeviceProperties.DisplayName",
        ("DeviceProperties", "OS") => "DeviceProperties.OS",
        ("DeviceProperties", "BrowserType") => "DeviceProperties.BrowserType",
        ("DeviceProperties", "IsCompliant") => "DeviceProperties.IsCompliant",
        ("DeviceProperties", "IsCompliantAndManaged") => "DeviceProperties.IsCompliantAndManaged",
        ("DeviceProperties", "TrustType") => "DeviceProperties.TrustType",
        ("DeviceProperties", "SessionId") => "DeviceProperties.SessionId",
        _ => return None,
    })
}
