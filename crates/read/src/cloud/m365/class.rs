//! Which OCSF class a record of the audit log is of.

use blackrod_model::Class;

use crate::cloud::directory_class;

/// The class of a record.
///
/// OCSF 1.8 has no class for reading a mailbox; the project's convention is API Activity with the
/// activity Read. Sending is Email Activity.
pub(super) fn class_of(workload: &str, operation: &str) -> Class {
    let is = |names: &[&str]| names.iter().any(|name| operation.eq_ignore_ascii_case(name));
    if is(&[
        "UserLoggedIn",
        "UserLoginFailed",
        "UserLoggedOff",
        "MailboxLogin",
        "TeamsSessionStarted",
    ]) {
        return Class::AUTHENTICATION;
    }
    if is(&["Send", "SendAs", "SendOnBehalf", "SendOnBehalfOf"]) {
        return Class::EMAIL_ACTIVITY;
    }
    match workload {
        "AzureActiveDirectory" => directory_class(operation),
        "Exchange" => class_of_exchange(operation),
        "SharePoint" | "OneDrive" if is_about_files(operation) => Class::FILE_HOSTING,
        "SecurityComplianceCenter" if is_alert(operation) => Class::DETECTION_FINDING,
        "ThreatIntelligence" | "MicrosoftDefenderForEndpoint" => Class::DETECTION_FINDING,
        _ => Class::API_ACTIVITY,
    }
}

/// The log that rules mean: all of the audit log, or the part that they call `exchange` or
/// `threat_management`.
pub(super) fn channel_of(workload: &str, operation: &str) -> &'static str {
    match workload {
        "Exchange" => "UnifiedAuditLog/Exchange",
        "SecurityComplianceCenter" | "ThreatIntelligence" => "UnifiedAuditLog/Alerts",
        _ if is_alert(operation) => "UnifiedAuditLog/Alerts",
        _ => "UnifiedAuditLog",
    }
}

fn is_alert(operation: &str) -> bool {
    operation.starts_with("Alert")
}

fn class_of_exchange(operation: &str) -> Class {
    let Some((verb, noun)) = operation.split_once('-') else {
        return Class::API_ACTIVITY;
    };
    let changes = matches!(
        verb,
        "Add" | "Remove" | "Set" | "New" | "Enable" | "Disable" | "Update"
    );
    let is_of_rights = noun.contains("Permission") || noun.contains("Role") || noun.contains("Member");
    match changes {
        true if is_of_rights => Class::USER_ACCESS,
        true => Class::ENTITY_MANAGEMENT,
        false => Class::API_ACTIVITY,
    }
}

fn is_about_files(operation: &str) -> bool {
    const PARTS: [&str; 6] = ["File", "Folder", "Sharing", "Link", "Page", "AnonymousLink"];
    PARTS.iter().any(|part| operation.contains(part))
}
