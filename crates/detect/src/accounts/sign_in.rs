//! What a record says about a sign-in: how it ended, how credentials were given, and from where.

use blackrod_model::{ActKind, Column, Event, Means};

/// How a sign-in ended. The codes are those of Entra (AADSTS), Windows (NTSTATUS) and the words that others use.
pub(super) fn outcome(event: &Event<'_>) -> Option<ActKind> {
    if event.source.product == "windows" {
        return match event.source.event_id {
            4624 => Some(ActKind::SignIn),
            4625 => Some(match lower(event, "SubStatus").as_deref() {
                Some("0xc0000064") => ActKind::NoSuchUser,
                _ => ActKind::WrongPassword,
            }),
            _ => None,
        };
    }
    let status = event.column_text(Column::Status).unwrap_or_default();
    let code = status.trim();
    let is = |words: &[&str]| words.iter().any(|word| code.eq_ignore_ascii_case(word));
    if is(&["0", "success", "succeeded", "accepted", "allow", "login_success"]) {
        return Some(ActKind::SignIn);
    }
    match code {
        "50126" | "50053" | "50055" | "50056" => return Some(ActKind::WrongPassword),
        "50034" | "51004" => return Some(ActKind::NoSuchUser),
        "500121" => return Some(ActKind::FactorRefused),
        _ => {}
    }
    Some(from_words(event, code))
}

fn from_words(event: &Event<'_>, code: &str) -> ActKind {
    let said = format!(
        "{} {} {}",
        lower(event, "LogonError").unwrap_or_default(),
        lower(event, "status.failureReason")
            .or_else(|| lower(event, "outcome.reason"))
            .unwrap_or_default(),
        lower(event, "message").unwrap_or_default(),
    );
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if says(&["usernamenotfound", "does not exist", "invalid user"]) {
        return ActKind::NoSuchUser;
    }
    if says(&["mfa denied", "user declined", "did not respond"]) {
        return ActKind::FactorRefused;
    }
    let is_failure = event
        .column_text(Column::Action)
        .is_some_and(|action| action.eq_ignore_ascii_case("login_failure"));
    if says(&["password", "credential"]) || code.to_ascii_lowercase().contains("fail") || is_failure {
        return ActKind::WrongPassword;
    }
    ActKind::NotSignedIn
}

/// How credentials were given.
pub(super) fn means(event: &Event<'_>) -> Means {
    match lower(event, "authenticationProtocol").as_deref() {
        Some("devicecode") => return Means::DeviceCode,
        Some("ropc") => return Means::PasswordOnly,
        _ => {}
    }
    if let Some(program) = lower(event, "clientAppUsed") {
        const OLD: [&str; 10] = [
            "imap",
            "pop",
            "smtp",
            "autodiscover",
            "exchange web services",
            "mapi over http",
            "outlook anywhere",
            "offline address book",
            "exchange online powershell",
            "reporting web services",
        ];
        if OLD.iter().any(|old| program.contains(old)) {
            return Means::OldProtocol;
        }
    }
    // What Exchange calls itself when it passes on name and password of an old program.
    let agent = event.column_text(Column::UserAgent).unwrap_or_default();
    match agent.as_ref() {
        "BAV2ROPC" | "CBAInPROD" | "CBAInTAR" => Means::OldProtocol,
        _ => Means::Usual,
    }
}

/// The autonomous system that the log names; 0 where it names none.
pub(super) fn system(event: &Event<'_>) -> u32 {
    ["autonomousSystemNumber", "securityContext.asNumber"]
        .iter()
        .find_map(|name| event.get(name)?.as_int())
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0)
}

/// The country that the log names, where it does so with two letters.
pub(super) fn country(event: &Event<'_>) -> Option<String> {
    let text = ["location.countryOrRegion", "location"]
        .iter()
        .find_map(|name| event.get(name)?.to_text())?;
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase())
}

/// The risk that the service itself saw in a sign-in, in points.
pub(super) fn risk(event: &Event<'_>) -> u8 {
    match lower(event, "riskLevelDuringSignIn").as_deref() {
        Some("high") => 2,
        Some("medium") => 1,
        _ => 0,
    }
}

fn lower(event: &Event<'_>, name: &str) -> Option<String> {
    let text = event.get(name)?.to_text()?.to_ascii_lowercase();
    (!text.is_empty()).then_some(text)
}
