//! Field names → standard columns.

use std::sync::LazyLock;

use blackrod_model::{Class, Column, Event, Value};
use rustc_hash::FxHashMap;

/// What a field of this name is for: which columns it may fill, and how well. Depends on the name
/// alone, so that a reader which meets the same names again and again can look it up once.
#[derive(Clone, Copy, Debug)]
pub struct Role(&'static [Claim]);

impl Role {
    /// The role of the field `name`, which is compared as it is written.
    pub fn of(name: &str) -> Self {
        static ROLES: LazyLock<FxHashMap<&'static str, Role>> =
            LazyLock::new(|| NAMES.iter().map(|(name, claims)| (*name, Role(claims))).collect());
        ROLES.get(name).copied().unwrap_or(Self(&[]))
    }
}

/// Fills the columns of a Windows event from its fields, in one pass over them. The event's class
/// and source must be set: who "the user" of a record is depends on what happened.
///
/// Where several fields claim a column, the best claim wins, then the first field; a field that
/// is blank (`-`, and `0x0` for a logon id) claims nothing.
pub fn fill_columns(event: &mut Event<'_>) {
    let roles: Vec<Role> = event.fields.iter().map(|field| Role::of(&field.name)).collect();
    fill_columns_by(event, &roles);
}

/// As [`fill_columns`], with the fields' roles already known: `roles[i]` is that of field `i`.
pub fn fill_columns_by(event: &mut Event<'_>, roles: &[Role]) {
    let mut best = [u8::MAX; Column::ALL.len()];
    let kind = Kind::of(event);
    for (index, (field, role)) in event.fields.iter().zip(roles).enumerate() {
        for claim in role.0 {
            let rank = &mut best[claim.column as usize];
            if claim.rank < *rank && (claim.when)(kind, &field.value) && !field.value.is_blank() {
                *rank = claim.rank;
                event.columns.set(claim.column, index);
            }
        }
    }
}

/// A field's claim to a column.
#[derive(Debug)]
struct Claim {
    column: Column,
    /// Lower is better.
    rank: u8,
    when: fn(Kind, &Value<'_>) -> bool,
}

/// What a claim may depend on.
#[derive(Clone, Copy, Debug)]
struct Kind {
    class: Class,
    event_id: u32,
}

impl Kind {
    fn of(event: &Event<'_>) -> Self {
        Self {
            class: event.class,
            event_id: event.source.event_id,
        }
    }
}

const fn claim(column: Column, rank: u8) -> Claim {
    Claim {
        column,
        rank,
        when: always,
    }
}

const fn claim_if(column: Column, rank: u8, when: fn(Kind, &Value<'_>) -> bool) -> Claim {
    Claim { column, rank, when }
}

fn always(_: Kind, _: &Value<'_>) -> bool {
    true
}

/// Somebody logs on or proves who they are: the account named as target is the one who acts.
/// Not so for 4648 (`runas` and its like), where the subject uses the target's password.
fn logs_on(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::AUTHENTICATION && kind.event_id != 4648
}

/// Something is done to the account or with the account that is named as target.
fn is_done_to(kind: Kind, value: &Value<'_>) -> bool {
    !logs_on(kind, value)
}

fn of_services(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::WINDOWS_SERVICE
}

fn of_rdp(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::RDP_ACTIVITY
}

fn of_scripts(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::SCRIPT_ACTIVITY
}

fn of_bits(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::HTTP_ACTIVITY
}

/// `TerminalServices-RemoteConnectionManager` 1149: Param1 to Param3 are user, domain, address.
fn of_rdp_logons(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::RDP_ACTIVITY && kind.event_id == 1149
}

/// `TerminalServices-RDPClient` 1024 and 1102: the server that was connected to.
fn of_rdp_clients(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::RDP_ACTIVITY && matches!(kind.event_id, 1024 | 1102)
}

/// 4688 gives its creator's number as ProcessId; the new process has NewProcessId.
fn not_created(kind: Kind, _: &Value<'_>) -> bool {
    kind.event_id != 4688
}

fn is_registry_path(_: Kind, value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|path| {
        path.as_bytes()
            .get(..REGISTRY.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(REGISTRY))
    })
}

fn is_other_path(kind: Kind, value: &Value<'_>) -> bool {
    !is_registry_path(kind, value)
}

const REGISTRY: &[u8] = br"\REGISTRY\";

/// Logon id 0 says that there is no session.
fn is_session(_: Kind, value: &Value<'_>) -> bool {
    value.as_int() != Some(0)
}

fn is_session_of_logon(kind: Kind, value: &Value<'_>) -> bool {
    logs_on(kind, value) && is_session(kind, value)
}

use Column as C;

/// Every name that fills a column, in the spellings of Sysmon, the Security log, PowerShell,
/// Defender, AppLocker, Terminal Services, BITS and the Service Control Manager.
const NAMES: &[(&str, &[Claim])] = &[
    ("Computer", &[claim(C::Host, 0)]),
    ("Hostname", &[claim(C::Host, 1)]),
    ("host.name", &[claim(C::Host, 2)]),
    // Who.
    (
        "TargetUserName",
        &[
            claim_if(C::User, 0, logs_on),
            claim_if(C::TargetUser, 0, is_done_to),
        ],
    ),
    ("TargetDomainName", &[claim_if(C::UserDomain, 0, logs_on)]),
    ("SubjectUserName", &[claim(C::User, 1)]),
    ("SubjectDomainName", &[claim(C::UserDomain, 1)]),
    ("User", &[claim(C::User, 2)]),
    ("UserName", &[claim(C::User, 3)]),
    ("AccountName", &[claim(C::User, 3)]),
    ("AccountDomain", &[claim(C::UserDomain, 3)]),
    ("SourceUser", &[claim(C::User, 4)]),
    ("UserContext", &[claim(C::User, 4)]),
    ("Detection User", &[claim(C::User, 4)]),
    ("TargetUser", &[claim(C::TargetUser, 1)]),
    ("MemberName", &[claim(C::TargetUser, 2)]),
    ("MemberSid", &[claim(C::TargetUser, 3)]),
    ("Param1", &[claim_if(C::User, 5, of_rdp_logons)]),
    ("Param2", &[claim_if(C::UserDomain, 5, of_rdp_logons)]),
    ("Param3", &[claim_if(C::SrcIp, 5, of_rdp_logons)]),
    // In which session.
    ("TargetLogonId", &[claim_if(C::Session, 0, is_session_of_logon)]),
    ("SubjectLogonId", &[claim_if(C::Session, 1, is_session)]),
    ("LogonId", &[claim_if(C::Session, 2, is_session)]),
    ("LogonID", &[claim_if(C::Session, 2, is_session)]),
    ("SessionID", &[claim_if(C::Session, 3, of_rdp)]),
    // Between where and where.
    ("IpAddress", &[claim(C::SrcIp, 0)]),
    ("SourceIp", &[claim(C::SrcIp, 0)]),
    ("SourceAddress", &[claim(C::SrcIp, 0)]),
    ("ClientAddress", &[claim(C::SrcIp, 1)]),
    ("ClientIP", &[claim(C::SrcIp, 1)]),
    ("Address", &[claim_if(C::SrcIp, 2, of_rdp)]),
    ("IpPort", &[claim(C::SrcPort, 0)]),
    ("SourcePort", &[claim(C::SrcPort, 0)]),
    ("DestinationIp", &[claim(C::DstIp, 0)]),
    ("DestAddress", &[claim(C::DstIp, 0)]),
    ("DestinationPort", &[claim(C::DstPort, 0)]),
    ("DestPort", &[claim(C::DstPort, 0)]),
    ("DestinationHostname", &[claim(C::DstHost, 0)]),
    ("TargetServerName", &[claim(C::DstHost, 1)]),
    ("Value", &[claim_if(C::DstHost, 2, of_rdp_clients)]),
    ("QueryName", &[claim(C::Domain, 0)]),
    ("QNAME", &[claim(C::Domain, 0)]),
    ("url", &[claim_if(C::Url, 0, of_bits)]),
    ("RemoteName", &[claim_if(C::Url, 1, of_bits)]),
    // Which program.
    ("Image", &[claim(C::Process, 0)]),
    ("NewProcessName", &[claim(C::Process, 0)]),
    ("SourceImage", &[claim(C::Process, 1)]),
    ("ProcessName", &[claim(C::Process, 2)]),
    ("Application", &[claim(C::Process, 2)]),
    ("Process Name", &[claim(C::Process, 2)]),
    ("ActionName", &[claim(C::Process, 3)]),
    ("CallerProcessName", &[claim(C::Process, 3)]),
    ("ClientProcessName", &[claim(C::Process, 3)]),
    ("NewProcessId", &[claim(C::Pid, 0)]),
    ("ProcessId", &[claim_if(C::Pid, 1, not_created)]),
    ("SourceProcessId", &[claim(C::Pid, 2)]),
    ("ProcessID", &[claim(C::Pid, 3)]),
    ("CommandLine", &[claim(C::CommandLine, 0)]),
    ("ImagePath", &[claim_if(C::CommandLine, 1, of_services)]),
    ("ServiceFileName", &[claim_if(C::CommandLine, 1, of_services)]),
    ("Process Command Line", &[claim(C::CommandLine, 2)]),
    ("ParentImage", &[claim(C::Parent, 0)]),
    ("ParentProcessName", &[claim(C::Parent, 0)]),
    ("ParentCommandLine", &[claim(C::ParentCommandLine, 0)]),
    // On what.
    ("TargetFilename", &[claim(C::File, 0)]),
    ("ImageLoaded", &[claim(C::File, 0)]),
    ("FullFilePath", &[claim(C::File, 0)]),
    (
        "ObjectName",
        &[
            claim_if(C::RegistryKey, 1, is_registry_path),
            claim_if(C::File, 1, is_other_path),
        ],
    ),
    ("FilePath", &[claim(C::File, 1)]),
    ("RelativeTargetName", &[claim(C::File, 1)]),
    ("FileName", &[claim(C::File, 2)]),
    ("File Name", &[claim(C::File, 2)]),
    ("PipeName", &[claim(C::File, 2)]),
    ("Device", &[claim(C::File, 3)]),
    ("ShareName", &[claim(C::File, 4)]),
    ("LocalName", &[claim_if(C::File, 4, of_bits)]),
    // Defender's is a list of `kind:_path`, PowerShell's the script.
    (
        "Path",
        &[
            claim_if(C::File, 4, of_findings),
            claim_if(C::File, 4, of_scripts),
        ],
    ),
    ("Hashes", &[claim(C::Hash, 0)]),
    ("Hash", &[claim(C::Hash, 1)]),
    ("FileHash", &[claim(C::Hash, 1)]),
    ("TargetObject", &[claim(C::RegistryKey, 0)]),
    ("ServiceName", &[claim(C::Service, 0)]),
    ("param1", &[claim_if(C::Service, 1, of_services)]),
    // What came of it.
    ("EventType", &[claim(C::Action, 0)]),
    ("Action Name", &[claim(C::Action, 1)]),
    ("OperationType", &[claim(C::Action, 2)]),
    ("Status", &[claim(C::Status, 0)]),
    ("QueryStatus", &[claim(C::Status, 1)]),
    ("SubStatus", &[claim(C::Status, 2)]),
    ("ResultCode", &[claim(C::Status, 2)]),
];

fn of_findings(kind: Kind, _: &Value<'_>) -> bool {
    kind.class == Class::DETECTION_FINDING
}

#[cfg(test)]
mod tests {
    use blackrod_model::{Field, Position, Timestamp};

    use super::*;
    use crate::windows::classify;

    fn event(
        channel: &'static str,
        event_id: u32,
        fields: &[(&'static str, &'static str)],
    ) -> Event<'static> {
        let mut event = Event::new(Class::BASE_EVENT, Timestamp::UNKNOWN, Position::START);
        event.source.channel = channel.into();
        event.source.event_id = event_id;
        event.fields = fields
            .iter()
            .map(|(name, value)| Field::new(*name, *value))
            .collect();
        classify(&mut event);
        event
    }

    fn text(event: &Event<'_>, column: Column) -> String {
        event.column_text(column).unwrap_or_default().into_owned()
    }

    #[test]
    fn the_user_of_a_logon_is_its_target() {
        const FIELDS: &[(&str, &str)] = &[
            ("SubjectUserName", "DC1$"),
            ("SubjectLogonId", "0x3e7"),
            ("TargetUserName", "anna"),
            ("TargetLogonId", "0x51f2a"),
            ("IpAddress", "192.0.2.7"),
        ];
        let logon = event("Security", 4624, FIELDS);
        assert_eq!(text(&logon, Column::User), "anna");
        assert_eq!(text(&logon, Column::TargetUser), "");
        assert_eq!(text(&logon, Column::Session), "0x51f2a");
        assert_eq!(text(&logon, Column::SrcIp), "192.0.2.7");
        for other in [4648, 4720] {
            let done_to = event("Security", other, FIELDS);
            assert_eq!(text(&done_to, Column::User), "DC1$", "{other}");
            assert_eq!(text(&done_to, Column::TargetUser), "anna", "{other}");
            assert_eq!(text(&done_to, Column::Session), "0x3e7", "{other}");
        }
    }

    #[test]
    fn a_blank_target_leaves_the_place_to_the_subject() {
        let logon = event(
            "Security",
            4624,
            &[("TargetUserName", "-"), ("SubjectUserName", "anna")],
        );
        assert_eq!(text(&logon, Column::User), "anna");
    }

    #[test]
    fn both_spellings_of_a_process_start_fill_the_same_columns() {
        let security = event(
            "Security",
            4688,
            &[
                ("ProcessId", "0x1"),
                ("NewProcessId", "0x2"),
                ("NewProcessName", "a.exe"),
                ("ParentProcessName", "b.exe"),
                ("CommandLine", "a -x"),
            ],
        );
        let sysmon = event(
            "Microsoft-Windows-Sysmon/Operational",
            1,
            &[
                ("ProcessId", "0x2"),
                ("Image", "a.exe"),
                ("ParentImage", "b.exe"),
                ("CommandLine", "a -x"),
            ],
        );
        for (column, expected) in [
            (Column::Pid, "0x2"),
            (Column::Process, "a.exe"),
            (Column::Parent, "b.exe"),
            (Column::CommandLine, "a -x"),
        ] {
            assert_eq!(text(&security, column), expected);
            assert_eq!(text(&sysmon, column), expected);
        }
    }

    #[test]
    fn an_object_is_a_file_or_a_registry_key_by_its_path() {
        let key = event("Security", 4663, &[("ObjectName", r"\Registry\Machine\SAM")]);
        assert_eq!(text(&key, Column::RegistryKey), r"\Registry\Machine\SAM");
        assert_eq!(text(&key, Column::File), "");
        let file = event("Security", 4663, &[("ObjectName", r"C:\minutes.docx")]);
        assert_eq!(text(&file, Column::File), r"C:\minutes.docx");
    }

    #[test]
    fn a_name_has_one_role() {
        let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}
