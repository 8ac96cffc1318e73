//! Channel, provider and event id → OCSF class.

use blackrod_model::Class;

/// The OCSF class of a Windows event. [`Class::BASE_EVENT`] where nothing better is known.
///
/// The provider decides, because it alone gives the event id its meaning; the channel stands in
/// for one that is missing or not known here. Names are compared without regard to case, as Windows does.
pub fn class_of(channel: &str, provider: &str, event_id: u32) -> Class {
    by_name(provider, event_id)
        .or_else(|| by_name(channel_owner(channel), event_id))
        .unwrap_or(Class::BASE_EVENT)
}

/// The name of a channel without its last part: `Microsoft-Windows-Sysmon/Operational` belongs to
/// `Microsoft-Windows-Sysmon`.
fn channel_owner(channel: &str) -> &str {
    channel.split_once('/').map_or(channel, |(owner, _)| owner)
}

type ById = fn(u32) -> Class;

/// Providers, and channels whose name without its last part is not their provider's. The names
/// are in lower case.
const LOGS: &[(&str, ById)] = &[
    ("microsoft-windows-sysmon", sysmon),
    ("microsoft-windows-security-auditing", security),
    ("security", security),
    ("microsoft-windows-eventlog", |_| Class::EVENT_LOG_ACTIVITY),
    ("eventlog", |_| Class::EVENT_LOG_ACTIVITY),
    ("service control manager", |_| Class::WINDOWS_SERVICE),
    ("system", system),
    ("microsoft-windows-powershell", |_| Class::SCRIPT_ACTIVITY),
    ("powershell", |_| Class::SCRIPT_ACTIVITY),
    ("powershellcore", |_| Class::SCRIPT_ACTIVITY),
    ("windows powershell", |_| Class::SCRIPT_ACTIVITY),
    ("microsoft-windows-taskscheduler", |_| Class::SCHEDULED_JOB),
    ("microsoft-windows-windows defender", defender),
    ("microsoft-windows-applocker", app_locker),
    ("microsoft-windows-codeintegrity", |_| Class::MODULE_ACTIVITY),
    ("microsoft-windows-dns-client", |_| Class::DNS_ACTIVITY),
    ("microsoft-windows-dns-server-service", |_| Class::DNS_ACTIVITY),
    ("microsoft-windows-dnsserver", |_| Class::DNS_ACTIVITY),
    ("dns server", |_| Class::DNS_ACTIVITY),
    ("microsoft-windows-ntlm", |_| Class::AUTHENTICATION),
    ("microsoft-windows-smbclient", |_| Class::SMB_ACTIVITY),
    ("microsoft-windows-smbserver", |_| Class::SMB_ACTIVITY),
    ("microsoft-windows-terminalservices-localsessionmanager", |_| {
        Class::RDP_ACTIVITY
    }),
    (
        "microsoft-windows-terminalservices-remoteconnectionmanager",
        |_| Class::RDP_ACTIVITY,
    ),
    ("microsoft-windows-terminalservices-clientactivexcore", |_| {
        Class::RDP_ACTIVITY
    }),
    ("microsoft-windows-terminalservices-rdpclient", |_| {
        Class::RDP_ACTIVITY
    }),
    ("microsoft-windows-terminalservices-gateway", |_| {
        Class::RDP_ACTIVITY
    }),
    ("microsoft-windows-remotedesktopservices-rdpcorets", |_| {
        Class::RDP_ACTIVITY
    }),
    ("openssh", |_| Class::SSH_ACTIVITY),
    ("microsoft-windows-bits-client", |_| Class::HTTP_ACTIVITY),
    ("microsoft-windows-wmi-activity", |_| Class::ENTITY_MANAGEMENT),
    (
        "microsoft-windows-windows firewall with advanced security",
        |_| Class::ENTITY_MANAGEMENT,
    ),
    ("microsoft-windows-grouppolicy", |_| Class::ENTITY_MANAGEMENT),
    ("msexchange cmdletlogs", |_| Class::API_ACTIVITY),
    ("msexchange management", |_| Class::API_ACTIVITY),
];

fn by_name(name: &str, event_id: u32) -> Option<Class> {
    let (_, by_id) = LOGS.iter().find(|(log, _)| log.eq_ignore_ascii_case(name))?;
    Some(by_id(event_id))
}

/// The event ids of Sysmon 15.
fn sysmon(event_id: u32) -> Class {
    match event_id {
        // 8: a thread in another process; 10: a process opened; 24: clipboard; 25: image replaced.
        1 | 5 | 8 | 10 | 24 | 25 => Class::PROCESS_ACTIVITY,
        2 | 9 | 11 | 15 | 17 | 18 | 23 | 26..=29 => Class::FILE_ACTIVITY,
        3 => Class::NETWORK_ACTIVITY,
        // The state of Sysmon's own service.
        4 => Class::WINDOWS_SERVICE,
        6 => Class::KERNEL_EXTENSION,
        7 => Class::MODULE_ACTIVITY,
        12 | 14 => Class::REGISTRY_KEY,
        13 => Class::REGISTRY_VALUE,
        // WMI filters, consumers and their bindings.
        19..=21 => Class::ENTITY_MANAGEMENT,
        22 => Class::DNS_ACTIVITY,
        _ => Class::BASE_EVENT,
    }
}

/// The event ids of the Security log (Windows "Advanced security audit policy" reference).
fn security(event_id: u32) -> Class {
    match event_id {
        // 4719: the audit policy was changed, which silences the log as clearing it does.
        1100..=1108 | 4719 => Class::EVENT_LOG_ACTIVITY,
        4610 | 4611 | 4614 | 4622 => Class::MODULE_ACTIVITY,
        4624..=4626 | 4634 | 4646..=4649 | 4675 | 4768..=4777 | 4800..=4803 | 4820..=4825 | 6272..=6280 => {
            Class::AUTHENTICATION
        }
        4656 | 4658 | 4660 | 4663..=4664 | 4670 | 4985 | 5051 => Class::FILE_ACTIVITY,
        4657 => Class::REGISTRY_VALUE,
        4672..=4674 | 4964 => Class::AUTHORIZE_SESSION,
        4688 | 4689 | 4690 | 4696 => Class::PROCESS_ACTIVITY,
        4697 => Class::WINDOWS_SERVICE,
        4698..=4702 => Class::SCHEDULED_JOB,
        4704 | 4705 | 4717 | 4718 => Class::USER_ACCESS,
        4720..=4726 | 4738 | 4740..=4743 | 4765..=4767 | 4780..=4782 | 4794 => Class::ACCOUNT_CHANGE,
        4727..=4737 | 4744..=4764 | 4783..=4792 | 4798 | 4799 => Class::GROUP_MANAGEMENT,
        4778 | 4779 => Class::RDP_ACTIVITY,
        // Objects of the directory and of the account database: read, changed, created, deleted.
        4661 | 4662 | 5136..=5139 | 5141 => Class::ENTITY_MANAGEMENT,
        5140 | 5142..=5145 | 5168 => Class::SMB_ACTIVITY,
        5031 | 5150..=5159 => Class::NETWORK_ACTIVITY,
        _ => Class::BASE_EVENT,
    }
}

/// The System log, for records that do not name their provider.
fn system(event_id: u32) -> Class {
    match event_id {
        104 => Class::EVENT_LOG_ACTIVITY,
        7000..=7045 => Class::WINDOWS_SERVICE,
        _ => Class::BASE_EVENT,
    }
}

fn defender(event_id: u32) -> Class {
    match event_id {
        // Scans, updates and health reports; 5000 and above: protection switched or reconfigured.
        1000..=1005 | 1011..=1014 | 1150..=1151 | 2000..=4999 => Class::BASE_EVENT,
        5000..=5999 => Class::ENTITY_MANAGEMENT,
        _ => Class::DETECTION_FINDING,
    }
}

fn app_locker(event_id: u32) -> Class {
    match event_id {
        // "was allowed to run"
        8002 | 8005 | 8020 | 8023 => Class::PROCESS_ACTIVITY,
        8003 | 8004 | 8006 | 8007 | 8021 | 8022 | 8024 | 8025 => Class::DETECTION_FINDING,
        _ => Class::BASE_EVENT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_gives_the_event_id_its_meaning() {
        const SECURITY: (&str, &str) = ("Security", "Microsoft-Windows-Security-Auditing");
        const SYSMON: (&str, &str) = ("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon");
        for ((channel, provider), event_id, expected) in [
            (SECURITY, 4624, Class::AUTHENTICATION),
            (SECURITY, 4688, Class::PROCESS_ACTIVITY),
            (SECURITY, 4732, Class::GROUP_MANAGEMENT),
            (SECURITY, 4720, Class::ACCOUNT_CHANGE),
            (SECURITY, 5145, Class::SMB_ACTIVITY),
            (SECURITY, 5156, Class::NETWORK_ACTIVITY),
            (SECURITY, 4702, Class::SCHEDULED_JOB),
            (SYSMON, 1, Class::PROCESS_ACTIVITY),
            (SYSMON, 13, Class::REGISTRY_VALUE),
            (SYSMON, 22, Class::DNS_ACTIVITY),
            (
                ("Security", "Microsoft-Windows-Eventlog"),
                1102,
                Class::EVENT_LOG_ACTIVITY,
            ),
            (
                ("System", "Microsoft-Windows-Eventlog"),
                104,
                Class::EVENT_LOG_ACTIVITY,
            ),
            (
                ("System", "Service Control Manager"),
                7045,
                Class::WINDOWS_SERVICE,
            ),
            (("System", ""), 7045, Class::WINDOWS_SERVICE),
            (
                ("Microsoft-Windows-Sysmon/Operational", ""),
                3,
                Class::NETWORK_ACTIVITY,
            ),
            (
                ("ForwardedEvents", "microsoft-windows-sysmon"),
                3,
                Class::NETWORK_ACTIVITY,
            ),
            (
                ("Application", "Microsoft-Windows-Security-Auditing-Lookalike"),
                4624,
                Class::BASE_EVENT,
            ),
            (("", ""), 0, Class::BASE_EVENT),
        ] {
            assert_eq!(
                class_of(channel, provider, event_id),
                expected,
                "{channel} {provider} {event_id}"
            );
        }
    }

    #[test]
    fn names_in_the_table_stand_once() {
        let mut names: Vec<String> = LOGS.iter().map(|(name, _)| name.to_lowercase()).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
