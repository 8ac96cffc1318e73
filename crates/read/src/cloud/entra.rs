//! Microsoft Entra ID (Azure AD): sign-ins, directory audit, risk detections; and Azure's activity log,
//! which comes the same ways.
//!
//! | shape | how it looks |
//! |---|---|
//! | Graph | `signIn`, `directoryAudit`, `riskDetection` objects, camelCase, often in an answer's `value` |
//! | Event Hub, diagnostic settings | `time`, `category`, `operationName`, `resultType`, the record in `properties` |
//! | Log Analytics | flat, PascalCase: `TimeGenerated`, `ResultType`, `UserPrincipalName` |
//! | portal | CSV with the headers of the portal: `Date (UTC)`, `Username`, `Sign-in error code` |
//!
//! All become Graph's names (`userPrincipalName`, `ipAddress`, `status.errorCode`, `appId`,
//! `authenticationProtocol`); members of `properties` count as the record's own. The names that Sigma
//! rules use (`ResultType`, `properties.message`, `OperationName`) are aliases in
//! `content/sigma/logsources.toml`.
//!
//! `Source::channel` is the category of Azure's diagnostic settings: `SignInLogs`, `AuditLogs`,
//! `UserRiskEvents`; `AzureActivity` for the activity log.

use std::borrow::Cow;

use blackrod_model::{Class, Column, Event, Field, Value};

use super::fill_columns;
use super::service::{Service, first_of, has};
use crate::times::read_time;

/// Entra ID and Azure's activity log.
pub(crate) static ENTRA: Service = Service {
    name: "entra",
    description: "Microsoft Entra ID sign-ins, audit and risk, Azure activity: Graph, Event Hub, Log Analytics, portal CSV",
    unwrapped: &["properties"],
    named: &[("additionalDetails", "key")],
    rename,
    is_record,
    is_table,
    describe,
};

fn is_table(names: &[String]) -> bool {
    let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    let by_portal =
        has("Date (UTC)") && (has("Request ID") || has("Activity") || has("ActorUserPrincipalName"));
    let by_workspace = has("UserPrincipalName") && has("ResultType") && has("AppDisplayName")
        || has("OperationName") && has("InitiatedBy") && has("TargetResources");
    by_portal || by_workspace
}

fn is_record(fields: &[Field<'_>]) -> bool {
    let has = |name: &str| has(fields, name);
    let begins = |start: &str| fields.iter().any(|field| field.name.starts_with(start));
    let is_hub =
        has("category") && has("operationName") && (has("resourceId") || has("tenantId") || has("time"));
    let is_sign_in = (has("userPrincipalName") || has("servicePrincipalId"))
        && (has("appId") || has("appDisplayName"))
        && (has("ipAddress") || has("status.errorCode") || has("resultType"));
    let is_audit = (has("activityDisplayName") || has("operationName"))
        && (begins("initiatedBy") || begins("targetResources"));
    let is_risk = has("riskEventType") && (has("userPrincipalName") || has("userId"));
    is_hub && is_category(fields) || is_sign_in || is_audit || is_risk
}

/// Categories of the logs that are read here; others of the same shape (resource logs) are not.
fn is_category(fields: &[Field<'_>]) -> bool {
    let text = |name: &str| {
        let field = fields.iter().find(|field| field.name == name)?;
        field.value.as_str().map(str::to_ascii_lowercase)
    };
    let is_known = text("category").is_some_and(|category| {
        category.ends_with("signinlogs")
            || category.contains("riskevents")
            || [
                "auditlogs",
                "administrative",
                "security",
                "policy",
                "action",
                "write",
                "delete",
            ]
            .contains(&category.as_str())
    });
    let is_directory = text("resourceId").is_some_and(|id| id.contains("microsoft.aadiam"));
    let is_of_resource = text("resourceId").is_some_and(|id| id.contains("/subscriptions/"));
    is_known || is_directory || is_of_resource
}

/// Graph's name for what Log Analytics and the portal call otherwise.
fn rename(name: &str) -> Option<&'static str> {
    Some(match name {
        "Date (UTC)" | "TimeGenerated" => "time",
        "CreatedDateTime" => "createdDateTime",
        "ActivityDateTime" => "activityDateTime",
        "OperationName" => "operationName",
        "Activity" | "ActivityDisplayName" => "activityDisplayName",
        "Category" => "category",
        "LoggedByService" | "Service" => "loggedByService",
        "Result" => "result",
        "ResultReason" => "resultReason",
        "ResultType" => "resultType",
        "ResultDescription" => "resultDescription",
        "Identity" => "identity",
        "CallerIpAddress" => "callerIpAddress",
        "CorrelationId" | "Correlation ID" => "correlationId",
        "Id" | "Request ID" => "id",
        "User" => "userDisplayName",
        "Username" | "UserPrincipalName" => "userPrincipalName",
        "User ID" | "UserId" => "userId",
        "User type" | "UserType" => "userType",
        "User agent" | "UserAgent" => "userAgent",
        "IPAddress" | "IP address" | "IpAddress" => "ipAddress",
        "Application" | "AppDisplayName" => "appDisplayName",
        "Application ID" | "AppId" => "appId",
        "Resource" | "ResourceDisplayName" => "resourceDisplayName",
        "Client app" | "ClientAppUsed" => "clientAppUsed",
        "Authentication Protocol" | "AuthenticationProtocol" => "authenticationProtocol",
        "Authentication requirement" | "AuthenticationRequirement" => "authenticationRequirement",
        "Conditional Access" | "ConditionalAccessStatus" => "conditionalAccessStatus",
        "Sign-in error code" => "status.errorCode",
        "Failure reason" => "status.failureReason",
        "Device ID" => "deviceDetail.deviceId",
        "Browser" => "deviceDetail.browser",
        "Operating System" => "deviceDetail.operatingSystem",
        "Compliant" => "deviceDetail.isCompliant",
        "Managed" => "deviceDetail.isManaged",
        "Join Type" => "deviceDetail.trustType",
        "Location" => "location",
        "Session ID" | "SessionId" => "sessionId",
        "Unique token identifier" | "UniqueTokenIdentifier" => "uniqueTokenIdentifier",
        "Incoming token type" | "IncomingTokenType" => "incomingTokenType",
        "RiskState" => "riskState",
        "RiskDetail" => "riskDetail",
        "RiskEventType" => "riskEventType",
        "RiskLevelDuringSignIn" => "riskLevelDuringSignIn",
        "RiskLevelAggregated" => "riskLevelAggregated",
        "IsInteractive" => "isInteractive",
        "InitiatedBy" => "initiatedBy",
        "TargetResources" => "targetResources",
        "ActorUserPrincipalName" => "initiatedBy.user.userPrincipalName",
        "ActorDisplayName" => "initiatedBy.user.displayName",
        "Target1UserPrincipalName" => "targetResources.userPrincipalName",
        "Target1DisplayName" => "targetResources.displayName",
        "Target1Type" => "targetResources.type",
        _ => return None,
    })
}

fn describe(event: &mut Event<'_>) {
    let channel = channel(event);
    event.class = class_of(event, &channel);
    event.source.product = "azure";
    event.source.provider = owned_text(first_of(event, &["loggedByService", "category"]));
    event.source.channel = channel;
    let time = [
        "createdDateTime",
        "activityDateTime",
        "detectedDateTime",
        "time",
        "eventTimestamp",
    ]
    .iter()
    .find_map(|name| read_time(event.get(name)?));
    event.time = time.unwrap_or_default();
    fill_columns(event, role);
    if event.class == Class::AUTHENTICATION {
        normalise_success(event);
    }
}

/// Azure Monitor writes the error number 0 of a sign-in that succeeded as `Success` at times.
fn normalise_success(event: &mut Event<'_>) {
    let says_success = event
        .column_text(Column::Status)
        .is_some_and(|status| status.eq_ignore_ascii_case("success"));
    if says_success {
        let index = event.fields.len();
        event.fields.push(Field::new(Column::Status.ocsf(), "0"));
        event.columns.set(Column::Status, index);
    }
}

fn owned_text<'a>(value: Option<&Value<'a>>) -> Cow<'a, str> {
    match value {
        Some(Value::Str(text)) => text.clone(),
        _ => Cow::Borrowed(""),
    }
}

fn channel<'a>(event: &Event<'a>) -> Cow<'a, str> {
    let category = match event.get("category") {
        Some(Value::Str(category)) => category.as_ref(),
        _ => "",
    };
    let is = |name: &str| category.eq_ignore_ascii_case(name);
    let has = |name: &str| has(&event.fields, name);
    const SIGN_INS: [&str; 5] = [
        "SignInLogs",
        "NonInteractiveUserSignInLogs",
        "ServicePrincipalSignInLogs",
        "ManagedIdentitySignInLogs",
        "ADFSSignInLogs",
    ];
    if let Some(name) = SIGN_INS.into_iter().find(|name| is(name)) {
        return Cow::Borrowed(name);
    }
    if has("riskEventType") {
        return Cow::Borrowed("UserRiskEvents");
    }
    if is("AuditLogs") || has("activityDisplayName") || has("initiatedBy") {
        return Cow::Borrowed("AuditLogs");
    }
    let is_of_resource = matches!(
        event.get("resourceId").and_then(Value::as_str),
        Some(id) if id.to_ascii_lowercase().starts_with("/subscriptions/")
    );
    match is_of_resource || has("operationVersion") && !category.is_empty() {
        true => Cow::Borrowed("AzureActivity"),
        false => Cow::Borrowed("SignInLogs"),
    }
}

fn class_of(event: &Event<'_>, channel: &str) -> Class {
    match channel {
        "AuditLogs" => {}
        "AzureActivity" => return Class::API_ACTIVITY,
        "UserRiskEvents" => return Class::DETECTION_FINDING,
        _ => return Class::AUTHENTICATION,
    }
    let operation = first_of(event, &["activityDisplayName", "operationName"]).and_then(Value::as_str);
    super::directory_class(operation.unwrap_or_default())
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "userPrincipalName" => (Column::User, 0),
        "initiatedBy.user.userPrincipalName" => (Column::User, 1),
        "identity" => (Column::User, 2),
        "servicePrincipalName" => (Column::User, 3),
        "initiatedBy.app.displayName" => (Column::User, 4),
        "caller" => (Column::User, 5),
        "targetResources.userPrincipalName" => (Column::TargetUser, 0),
        "ipAddress" => (Column::SrcIp, 0),
        "callerIpAddress" => (Column::SrcIp, 1),
        "initiatedBy.user.ipAddress" => (Column::SrcIp, 2),
        "userAgent" => (Column::UserAgent, 0),
        "sessionId" => (Column::Session, 0),
        "activityDisplayName" => (Column::Action, 0),
        "operationName" => (Column::Action, 1),
        "riskEventType" => (Column::Action, 2),
        "status.errorCode" => (Column::Status, 0),
        "resultType" => (Column::Status, 1),
        "result" => (Column::Status, 2),
        "deviceDetail.displayName" => (Column::Host, 0),
        _ => return None,
    })
}
