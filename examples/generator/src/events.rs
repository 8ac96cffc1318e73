//! Windows events and the shapes in which they are shipped.

use crate::evtx::{Body, LogEvent};
use crate::json::Object;
use crate::mail::strftime;
use crate::story::AD_DOMAIN;

const SECURITY: &str = "Microsoft-Windows-Security-Auditing";
const SYSMON: &str = "Microsoft-Windows-Sysmon";

/// A successful sign-in (Security 4624).
pub(crate) fn logon(computer: &str, at: i64, account: &str, kind: u8, from: &str) -> LogEvent {
    LogEvent::new("Security", SECURITY, 4624, computer, at)
        .with("SubjectUserSid", "S-1-5-18")
        .with("SubjectUserName", short(computer) + "$")
        .with("SubjectDomainName", AD_DOMAIN)
        .with("TargetUserName", account)
        .with("TargetDomainName", AD_DOMAIN)
        .with("LogonType", kind.to_string())
        .with("LogonProcessName", "NtLmSsp")
        .with("AuthenticationPackageName", "NTLM")
        .with("WorkstationName", "-")
        .with("IpAddress", from)
        .with("IpPort", (49_152 + at.unsigned_abs() / 7 % 16_000).to_string())
}

/// A sign-in with a wrong password (Security 4625).
pub(crate) fn failed_logon(computer: &str, at: i64, account: &str, from: &str) -> LogEvent {
    let mut event = LogEvent::new("Security", SECURITY, 4625, computer, at)
        .with("SubjectUserName", "-")
        .with("TargetUserName", account)
        .with("TargetDomainName", AD_DOMAIN)
        .with("Status", "0xc000006d")
        .with("FailureReason", "%%2313")
        .with("SubStatus", "0xc000006a")
        .with("LogonType", "3")
        .with("AuthenticationPackageName", "NTLM")
        .with("WorkstationName", "-")
        .with("IpAddress", from)
        .with("IpPort", "0");
    event.keywords = 0x8010_0000_0000_0000;
    event
}

/// The end of a session (Security 4634).
pub(crate) fn logoff(computer: &str, at: i64, account: &str) -> LogEvent {
    LogEvent::new("Security", SECURITY, 4634, computer, at)
        .with("TargetUserName", account)
        .with("TargetDomainName", AD_DOMAIN)
        .with("LogonType", "3")
}

/// The Security log was emptied (1102).
pub(crate) fn security_log_cleared(computer: &str, at: i64, account: &str) -> LogEvent {
    let mut event = LogEvent::new("Security", "Microsoft-Windows-Eventlog", 1102, computer, at)
        .with("SubjectUserSid", "S-1-5-21-1004336348-1177238915-682003330-1118")
        .with("SubjectUserName", account)
        .with("SubjectDomainName", AD_DOMAIN)
        .with("SubjectLogonId", "0x3e7a11")
        .in_user_data("LogFileCleared");
    event.level = 4;
    event
}

/// A program was started, as Windows itself tells it (Security 4688).
pub(crate) fn process_4688(
    computer: &str,
    at: i64,
    account: &str,
    parent: &str,
    image: &str,
    line: &str,
) -> LogEvent {
    LogEvent::new("Security", SECURITY, 4688, computer, at)
        .with("SubjectUserName", account)
        .with("SubjectDomainName", AD_DOMAIN)
        .with("NewProcessId", "0x1a4c")
        .with("NewProcessName", image)
        .with("TokenElevationType", "%%1936")
        .with("ProcessId", "0x0e10")
        .with("CommandLine", line)
        .with("ParentProcessName", parent)
        .with("MandatoryLabel", "S-1-16-12288")
}

/// A program was started, as Sysmon tells it (1).
pub(crate) fn process(
    computer: &str,
    at: i64,
    user: &str,
    parent: &str,
    image: &str,
    line: &str,
) -> LogEvent {
    let name = image.rsplit('\\').next().unwrap_or(image);
    sysmon(computer, at, 1)
        .with("ProcessId", (1_000 + at.unsigned_abs() / 3 % 9_000).to_string())
        .with("Image", image)
        .with("OriginalFileName", name)
        .with("CommandLine", line)
        .with("CurrentDirectory", r"C:\Windows\System32\")
        .with("User", user)
        .with(
            "IntegrityLevel",
            if user.contains("SYSTEM") {
                "System"
            } else {
                "Medium"
            },
        )
        .with("ParentImage", parent)
        .with("ParentCommandLine", parent)
}

/// A connection was made, as Sysmon tells it (3).
pub(crate) fn connection(computer: &str, at: i64, image: &str, from: &str, to: &str, port: u16) -> LogEvent {
    sysmon(computer, at, 3)
        .with("Image", image)
        .with("User", r"NT AUTHORITY\NETWORK SERVICE")
        .with("Protocol", "tcp")
        .with("SourceIp", from)
        .with("DestinationIp", to)
        .with("DestinationPort", port.to_string())
}

/// A file was made, as Sysmon tells it (11).
pub(crate) fn file_created(computer: &str, at: i64, image: &str, file: &str) -> LogEvent {
    sysmon(computer, at, 11)
        .with("Image", image)
        .with("TargetFilename", file)
        .with("User", r"NT AUTHORITY\SYSTEM")
}

/// A command of the Exchange Management Shell (MSExchange Management 1): its values have no names.
pub(crate) fn cmdlet(computer: &str, at: i64, cmdlet: &str, parameters: &str, account: &str) -> LogEvent {
    LogEvent::new("MSExchange Management", "MSExchange CmdletLogs", 1, computer, at)
        .with("", cmdlet)
        .with("", parameters)
        .with("", format!("norrland.assembly.example/Users/{account}"))
        .with("", "S-1-5-21-1004336348-1177238915-682003330-1118")
        .with("", "ServerRemoteHost-PowerShell")
}

/// As winlogbeat 7 ships it.
pub(crate) fn winlogbeat(event: &LogEvent, record: u64) -> String {
    let time = strftime(event.unix_micros, "%Y-%m-%dT%H:%M:%S%.3fZ");
    let Body::EventData(fields) = &event.body else {
        return String::new();
    };
    let data = fields
        .iter()
        .fold(Object::default(), |data, (name, value)| data.text(name, value));
    let code = event.event_id.to_string();
    Object::default()
        .text("@timestamp", &time)
        .object(
            "event",
            Object::default()
                .text("code", &code)
                .text("kind", "event")
                .text("provider", &event.provider),
        )
        .object("host", Object::default().text("name", &event.computer))
        .object(
            "winlog",
            Object::default()
                .text("api", "wineventlog")
                .text("channel", &event.channel)
                .text("provider_name", &event.provider)
                .text("computer_name", &event.computer)
                .text("event_id", &code)
                .number("record_id", record)
                .object("event_data", data),
        )
        .finish()
}

/// As NXLog ships it: flat.
pub(crate) fn nxlog(event: &LogEvent, record: u64) -> String {
    let time = strftime(event.unix_micros, "%Y-%m-%d %H:%M:%S");
    let Body::EventData(fields) = &event.body else {
        return String::new();
    };
    let head = Object::default()
        .text("EventTime", &time)
        .text("Hostname", &event.computer)
        .number("EventID", event.event_id.into())
        .text("SourceName", &event.provider)
        .text("Channel", &event.channel)
        .number("RecordNumber", record);
    let all = fields
        .iter()
        .fold(head, |object, (name, value)| object.text(name, value));
    all.text("SourceModuleName", "eventlog").finish()
}

fn sysmon(computer: &str, at: i64, id: u16) -> LogEvent {
    let time = strftime(at, "%Y-%m-%d %H:%M:%S%.3f");
    LogEvent::new("Microsoft-Windows-Sysmon/Operational", SYSMON, id, computer, at)
        .with("RuleName", "-")
        .with("UtcTime", time)
}

fn short(computer: &str) -> String {
    computer.split('.').next().unwrap_or(computer).to_owned()
}
