#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Timestamp};

use super::entra::ENTRA;
use super::google::GOOGLE;
use super::okta::OKTA;
use super::service::Service;
use crate::Formats;
use crate::harness::{Kept, damage, read};

fn one(format: &Service, text: &str) -> Kept {
    let formats = Formats::standard();
    let recognised = formats.recognise(text.as_bytes()).unwrap();
    assert_eq!(recognised.name(), format.name, "{text}");
    let mut reading = read(recognised, text.as_bytes()).unwrap();
    assert_eq!(reading.refusals, [], "{text}");
    assert_eq!(reading.events.len(), 1, "{text}");
    damage(format, text.as_bytes());
    reading.events.remove(0)
}

#[test]
fn a_sign_in_is_the_same_in_every_shape() {
    let graph = r#""id":"66ea54eb","createdDateTime":"2024-01-13T16:15:41Z","userPrincipalName":"Anna@House.example","userId":"1","appId":"app","appDisplayName":"Office","ipAddress":"[2001:DB8::7]:443","clientAppUsed":"Browser","userAgent":"axios/1.7","status":{"errorCode":50126,"failureReason":"x"},"location":{"city":"Oslo"}"#;
    let shapes = [
        format!(r#"{{"@odata.context":"x","value":[{{{graph}}}]}}"#),
        format!("{{{graph}}}"),
        format!(
            r#"{{"records":[{{"time":"2024-01-13T16:15:45Z","resourceId":"/tenants/t/providers/Microsoft.aadiam","operationName":"Sign-in activity","category":"SignInLogs","resultType":"50126","callerIpAddress":"2001:db8::7","properties":{{{graph}}}}}]}}"#
        ),
        r#"{"TimeGenerated":"2024-01-13T16:15:41Z","OperationName":"Sign-in activity","Category":"SignInLogs","ResultType":"50126","UserPrincipalName":"Anna@House.example","AppId":"app","AppDisplayName":"Office","IPAddress":"2001:db8::7","ClientAppUsed":"Browser","UserAgent":"axios/1.7"}"#.to_owned(),
        "Date (UTC),Request ID,User agent,Username,Application,Application ID,IP address,Status,Sign-in error code,Client app\n2024-01-13T16:15:41Z,66ea54eb,axios/1.7,Anna@House.example,Office,app,2001:db8::7,Failure,50126,Browser\n".to_owned(),
    ];
    for text in shapes {
        let event = one(&ENTRA, &text);
        assert_eq!(event.class, Class::AUTHENTICATION, "{text}");
        assert_eq!(
            (event.product, event.channel.as_str()),
            ("azure", "SignInLogs"),
            "{text}"
        );
        assert_eq!(
            event.time,
            Timestamp::parse("2024-01-13T16:15:41Z").unwrap(),
            "{text}"
        );
        assert_eq!(event.column(Column::User), Some("anna@house.example"), "{text}");
        assert_eq!(event.column(Column::SrcIp), Some("2001:db8::7"), "{text}");
        assert_eq!(event.column(Column::Status), Some("50126"), "{text}");
        assert_eq!(event.column(Column::UserAgent), Some("axios/1.7"), "{text}");
        assert_eq!(event.get("appDisplayName"), Some("Office"), "{text}");
        assert_eq!(
            event.get("userPrincipalName"),
            Some("Anna@House.example"),
            "{text}"
        );
    }
}

#[test]
fn a_change_to_the_directory() {
    let event = one(
        &ENTRA,
        r#"{"id":"x","category":"RoleManagement","activityDisplayName":"Add member to role","activityDateTime":"2024-01-13T16:15:41Z","loggedByService":"Core Directory","result":"success","initiatedBy":{"user":{"userPrincipalName":"Root@house.example","ipAddress":"192.0.2.7"}},"targetResources":[{"type":"User","userPrincipalName":"Ben@house.example","modifiedProperties":[{"displayName":"Role","newValue":"Global Administrator"}]},{"type":"Role","displayName":"x"}],"additionalDetails":[{"key":"User-Agent","value":"curl"}]}"#,
    );
    assert_eq!(event.class, Class::USER_ACCESS);
    assert_eq!(
        (event.channel.as_str(), event.provider.as_str()),
        ("AuditLogs", "Core Directory")
    );
    assert_eq!(event.column(Column::User), Some("root@house.example"));
    assert_eq!(event.column(Column::TargetUser), Some("ben@house.example"));
    assert_eq!(event.column(Column::Action), Some("Add member to role"));
    assert_eq!(event.get("targetResources.type"), Some("User, Role"));
    assert_eq!(event.get("additionalDetails.User-Agent"), Some("curl"));
}

#[test]
fn google_activities() {
    let activity = r#"{"kind":"admin#reports#activity","id":{"time":"2024-01-13T16:15:41.000Z","uniqueQualifier":"1","applicationName":"login","customerId":"C"},"actor":{"callerType":"USER","email":"Anna@house.example"},"ipAddress":"192.0.2.7","events":[{"type":"login","name":"login_failure","parameters":[{"name":"login_failure_type","value":"login_failure_invalid_password"},{"name":"is_suspicious","boolValue":true},{"name":"login_challenge_method","multiValue":["password","totp"]}]}]}"#;
    let answer = format!(r#"{{"kind":"admin#reports#activities","etag":"x","items":[{activity}]}}"#);
    for text in [activity, &answer] {
        let event = one(&GOOGLE, text);
        assert_eq!(event.class, Class::AUTHENTICATION);
        assert_eq!(
            (event.product, event.channel.as_str()),
            ("gcp", "google_workspace.login")
        );
        assert_eq!(event.column(Column::User), Some("anna@house.example"));
        assert_eq!(event.column(Column::Action), Some("login_failure"));
        assert_eq!(event.get("parameters.is_suspicious"), Some("true"));
        assert_eq!(
            event.get("parameters.login_challenge_method"),
            Some("password, totp")
        );
        assert_eq!(
            event.column(Column::Status),
            Some("login_failure_invalid_password")
        );
    }
    let flat = r#"{"id":{"applicationName":"drive"},"actor":{"email":"a@house.example"},"type":"acl_change","name":"change_document_visibility","parameters":{"visibility":"people_with_link"}}"#;
    let event = one(&GOOGLE, flat);
    assert_eq!(event.class, Class::FILE_HOSTING);
    assert_eq!(event.get("parameters.visibility"), Some("people_with_link"));
}

#[test]
fn okta_events() {
    let event = one(
        &OKTA,
        r#"[{"uuid":"1","published":"2024-01-13T16:15:41.000Z","eventtype":"user.account.privilege.grant","severity":"INFO","actor":{"id":"1","alternateId":"Root@house.example"},"client":{"userAgent":{"rawUserAgent":"curl/8"},"ipAddress":"192.0.2.7"},"outcome":{"result":"SUCCESS"},"target":[{"type":"User","alternateId":"Ben@house.example"},{"type":"ROLE","alternateId":"x"}],"debugcontext":{"debugData":{"requestUri":"/api/v1"}},"authenticationContext":{"externalSessionId":"trs1"}}]"#,
    );
    assert_eq!(event.class, Class::USER_ACCESS);
    assert_eq!((event.product, event.channel.as_str()), ("okta", "okta"));
    assert_eq!(event.column(Column::User), Some("root@house.example"));
    assert_eq!(event.column(Column::TargetUser), Some("ben@house.example"));
    assert_eq!(event.column(Column::Session), Some("trs1"));
    assert_eq!(event.get("eventType"), Some("user.account.privilege.grant"));
    assert_eq!(event.get("debugContext.debugData.requestUri"), Some("/api/v1"));
}

#[test]
fn logs_of_others_are_not_taken() {
    for text in [
        r#"{"userPrincipalName":"a","mail":"b"}"#,
        r#"{"category":"fruit","name":"x"}"#,
        r#"{"published":"2024-01-13","title":"x"}"#,
        "Date,User,Application\n1,2,3\n",
    ] {
        let formats = Formats::standard();
        let name = formats.recognise(text.as_bytes()).map(|format| format.name());
        assert!(
            !matches!(name, Some("entra" | "okta" | "google-workspace")),
            "{text}: {name:?}"
        );
    }
}
