//! The Exchange server and the domain controller.

use crate::Files;
use crate::events::{
    cmdlet, connection, failed_logon, file_created, logoff, logon, nxlog, process, process_4688,
    security_log_cleared,
};
use crate::evtx::{LogEvent, write_evtx};
use crate::pack;
use crate::people::Assembly;
use crate::random::Random;
use crate::story::{
    DOMAIN_CONTROLLER, EXCHANGE, EXCHANGE_IP, INTRUDER_IP, INTRUDER_VPN_IP, SECOND, TARGET_GROUP,
    WEB_SHELL_PATH, january,
};

const W3WP: &str = r"C:\Windows\System32\inetsrv\w3wp.exe";
const CMD: &str = r"C:\Windows\System32\cmd.exe";
const SYSTEM: &str = r"NT AUTHORITY\SYSTEM";
/// The account of an administrator that the intruder uses on the servers.
const BORROWED_ACCOUNT: &str = "svc-backup";

/// A page in the form of a web shell that does nothing: it is one comment from end to end, names no
/// language, and what it would evaluate is a text. Rules for web shells know it all the same.
pub(crate) const WEB_SHELL: &str = "<%-- INERT. Part of an invented example, made for testing detection rules.\r\n\
This file is one server-side comment. It cannot run, it serves nothing, it takes no input.\r\n\
<script language=\"none\" runat=\"server-never\">\r\n\
  eval( Request.Item[ \"marker-for-rules\" ] , this-is-not-code )\r\n\
</script>\r\n\
--%>\r\n";

/// Adds the servers' logs and what was found on their disks.
pub(crate) fn add(assembly: &Assembly, files: &mut Files) {
    let sysmon = sysmon_lines(assembly);
    let security = write_evtx(&sorted(exchange_security(assembly)));
    let management = write_evtx(&sorted(management(assembly)));
    let archive = pack::tar(
        &[
            ("exchange01/sysmon-nxlog.ndjson", sysmon.as_bytes()),
            ("exchange01/Logs/Security.evtx", &security),
            ("exchange01/Logs/MSExchange Management.evtx", &management),
        ],
        1_611_360_000,
    );
    files.insert("evidence/exchange01.tar.zst".to_owned(), pack::zstd(&archive));
    files.insert(
        "evidence/exchange01-webroot/aspnet_client/system_web/error_ews.aspx".to_owned(),
        WEB_SHELL.as_bytes().to_vec(),
    );
    let controller = write_evtx(&sorted(domain_controller(assembly)));
    files.insert("evidence/dc01/Security.evtx".to_owned(), controller);
    files.insert(
        "evidence/exchange02/Security-recovered.evtx".to_owned(),
        damaged_log(assembly),
    );
    files.insert("evidence/unknown/handset-backup.bin".to_owned(), unknown_file());
}

fn sysmon_lines(assembly: &Assembly) -> String {
    let mut events = server_noise();
    events.extend(intrusion(assembly));
    let lines = (900_300..)
        .zip(sorted(events))
        .map(|(record, event)| nxlog(&event, record) + "\n");
    lines.collect()
}

/// What an Exchange server does all day, the odd-looking parts of it too.
fn server_noise() -> Vec<LogEvent> {
    let mut random = Random::named("exchange noise");
    let services = r"C:\Windows\System32\services.exe";
    let mut events = Vec::new();
    for day in 11..=22 {
        for _ in 0..22 {
            let at = january(day, 0, 10, 0) + random.below(85_000) as i64 * SECOND;
            events.push(match random.below(5) {
                0 => process(EXCHANGE, at, SYSTEM, services, r"C:\Windows\System32\svchost.exe", "svchost.exe -k netsvcs -p"),
                1 => process(
                    EXCHANGE,
                    at,
                    SYSTEM,
                    services,
                    W3WP,
                    r#"c:\windows\system32\inetsrv\w3wp.exe -ap "MSExchangeOWAAppPool" -v "v4.0""#,
                ),
                2 => process(
                    EXCHANGE,
                    at,
                    SYSTEM,
                    r"C:\Windows\System32\taskeng.exe",
                    r"C:\Program Files\Microsoft\Exchange Server\V15\Bin\MSExchangeHMWorker.exe",
                    "MSExchangeHMWorker.exe -pipe:1688",
                ),
                3 => file_created(
                    EXCHANGE,
                    at,
                    W3WP,
                    &format!(
                        r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\Temporary ASP.NET Files\owa\{}\App_Web_{}.dll",
                        random.hex(8),
                        random.hex(8)
                    ),
                ),
                _ => {
                    let outlook = format!("192.0.2.{}", 100 + random.below(60));
                    connection(EXCHANGE, at, W3WP, EXCHANGE_IP, &outlook, 443)
                }
            });
        }
    }
    events
}

/// The 20th to the 22nd, on the Exchange server.
fn intrusion(assembly: &Assembly) -> Vec<LogEvent> {
    let shell = |at, line: &str| process(EXCHANGE, at, SYSTEM, W3WP, CMD, &format!("cmd.exe /c {line}"));
    let child = |at, image: &str, line: &str| {
        process(
            EXCHANGE,
            at,
            SYSTEM,
            CMD,
            &format!(r"C:\Windows\System32\{image}"),
            line,
        )
    };
    let night = january(20, 3, 0, 0);
    let at = |minutes: i64| night + minutes * 60 * SECOND;
    let targets = assembly.group(TARGET_GROUP);
    let export = format!(r"C:\inetpub\wwwroot\aspnet_client\{}.pst", targets[0].account);
    vec![
        connection(EXCHANGE, at(7), W3WP, EXCHANGE_IP, INTRUDER_IP, 443),
        file_created(EXCHANGE, at(8), W3WP, WEB_SHELL_PATH),
        shell(at(11), "whoami"),
        child(at(11) + SECOND, "whoami.exe", "whoami"),
        shell(at(14), "ipconfig /all"),
        child(at(14) + SECOND, "ipconfig.exe", "ipconfig /all"),
        shell(at(19), r#"net group "Domain Admins" /domain"#),
        child(at(19) + SECOND, "net.exe", r#"net group "Domain Admins" /domain"#),
        // The next night: the mailboxes are packed where the web server can hand them out.
        file_created(
            EXCHANGE,
            at(24 * 60 + 41),
            r"C:\Program Files\Microsoft\Exchange Server\V15\Bin\MSExchangeMailboxReplication.exe",
            &export,
        ),
        process(
            EXCHANGE,
            at(24 * 60 + 58),
            SYSTEM,
            CMD,
            r"C:\ProgramData\7z.exe",
            r"7z.exe a -pNordlys21 C:\inetpub\wwwroot\aspnet_client\logo.png C:\inetpub\wwwroot\aspnet_client\*.pst",
        ),
        shell(at(48 * 60 + 72), "wevtutil cl Security"),
        child(at(48 * 60 + 72) + SECOND, "wevtutil.exe", "wevtutil cl Security"),
    ]
}

/// The Security log of the Exchange server: sign-ins, and the wrong passwords of one night.
fn exchange_security(assembly: &Assembly) -> Vec<LogEvent> {
    let mut random = Random::named("exchange security");
    let mut events = Vec::new();
    for day in 17..=22 {
        for _ in 0..28 {
            let number = random.below(assembly.people.len());
            let account = &assembly.people[number].account;
            let at = january(day, 5, 0, 0) + random.below(57_000) as i64 * SECOND;
            let from = format!("192.0.2.{}", 100 + number);
            if random.below(15) == 0 {
                events.push(failed_logon(EXCHANGE, at - 20 * SECOND, account, &from));
            }
            events.push(logon(EXCHANGE, at, account, 3, &from));
            events.push(logoff(EXCHANGE, at + 600 * SECOND, account));
        }
    }
    // Once in the network, other accounts are tried with the passwords that assistants like.
    for (number, person) in assembly
        .group("it-operations")
        .iter()
        .chain(&assembly.group("assistants"))
        .enumerate()
    {
        let at = january(19, 2, 40, 0) + number as i64 * 31 * SECOND;
        events.push(failed_logon(EXCHANGE, at, &person.account, INTRUDER_VPN_IP));
    }
    events.push(failed_logon(
        EXCHANGE,
        january(19, 2, 49, 5),
        BORROWED_ACCOUNT,
        INTRUDER_VPN_IP,
    ));
    events.push(logon(
        EXCHANGE,
        january(19, 2, 50, 2),
        BORROWED_ACCOUNT,
        3,
        INTRUDER_VPN_IP,
    ));
    events.push(security_log_cleared(
        EXCHANGE,
        january(22, 4, 12, 3),
        BORROWED_ACCOUNT,
    ));
    events
}

/// What administrators do in Exchange, and what was done in their name.
fn management(assembly: &Assembly) -> Vec<LogEvent> {
    let mut random = Random::named("management");
    let admins = assembly.group("it-operations");
    let mut events = Vec::new();
    for day in [11, 12, 13, 14, 15, 18, 19, 20, 21, 22] {
        for _ in 0..7 {
            let at = january(day, 8, 0, 0) + random.below(30_000) as i64 * SECOND;
            let person = random.pick(&assembly.people);
            let admin = &random.pick(&admins).account;
            let (name, parameters) = match random.below(4) {
                0 => (
                    "Set-Mailbox",
                    format!("-Identity \"{}\" -IssueWarningQuota \"9 GB\"", person.id),
                ),
                1 => (
                    "Set-CASMailbox",
                    format!("-Identity \"{}\" -ActiveSyncEnabled \"True\"", person.id),
                ),
                2 => (
                    "Add-DistributionGroupMember",
                    format!("-Identity \"all-staff\" -Member \"{}\"", person.id),
                ),
                _ => (
                    "Update-OfflineAddressBook",
                    "-Identity \"Default Offline Address Book\"".to_owned(),
                ),
            };
            events.push(cmdlet(EXCHANGE, at, name, &parameters, admin));
        }
    }
    let night = january(21, 3, 20, 0);
    let role = format!("-Role \"Mailbox Import Export\" -User \"{BORROWED_ACCOUNT}\"");
    events.push(cmdlet(
        EXCHANGE,
        night,
        "New-ManagementRoleAssignment",
        &role,
        BORROWED_ACCOUNT,
    ));
    for (number, member) in (1..).zip(assembly.group(TARGET_GROUP).iter().take(3)) {
        let at = night + number * 240 * SECOND;
        let file = format!(
            r"\\127.0.0.1\c$\inetpub\wwwroot\aspnet_client\{}.pst",
            member.account
        );
        let request = format!(
            "-Mailbox \"{}\" -FilePath \"{file}\" -ContentFilter \"(Received -ge '01/01/2020')\"",
            member.id
        );
        events.push(cmdlet(
            EXCHANGE,
            at,
            "New-MailboxExportRequest",
            &request,
            BORROWED_ACCOUNT,
        ));
        let removal = format!("-Identity \"{}\\MailboxExport\" -Confirm \"False\"", member.id);
        let later = night + (3_000 + number * 15) * SECOND;
        events.push(cmdlet(
            EXCHANGE,
            later,
            "Remove-MailboxExportRequest",
            &removal,
            BORROWED_ACCOUNT,
        ));
    }
    events
}

/// The domain controller: sign-ins, and the night in which the directory was copied.
fn domain_controller(assembly: &Assembly) -> Vec<LogEvent> {
    let mut random = Random::named("domain controller");
    let mut events = Vec::new();
    for day in 18..=22 {
        for _ in 0..30 {
            let number = random.below(assembly.people.len());
            let account = &assembly.people[number].account;
            let at = january(day, 5, 0, 0) + random.below(57_000) as i64 * SECOND;
            events.push(logon(
                DOMAIN_CONTROLLER,
                at,
                account,
                3,
                &format!("192.0.2.{}", 100 + number),
            ));
            events.push(logoff(DOMAIN_CONTROLLER, at + 60 * SECOND, account));
        }
        let backup = january(day, 23, 30, 0);
        events.push(process_4688(
            DOMAIN_CONTROLLER,
            backup,
            "DC01$",
            r"C:\Windows\System32\services.exe",
            r"C:\Windows\System32\wbengine.exe",
            r"C:\Windows\system32\wbengine.exe",
        ));
    }
    let night = january(22, 3, 31, 40);
    events.push(logon(DOMAIN_CONTROLLER, night, BORROWED_ACCOUNT, 3, EXCHANGE_IP));
    let wmi = r"C:\Windows\System32\wbem\WmiPrvSE.exe";
    events.push(process_4688(
        DOMAIN_CONTROLLER,
        night + 95 * SECOND,
        BORROWED_ACCOUNT,
        wmi,
        CMD,
        r#"cmd.exe /c ntdsutil "ac i ntds" ifm "create full C:\Windows\Temp\pro" q q"#,
    ));
    events.push(process_4688(
        DOMAIN_CONTROLLER,
        night + 96 * SECOND,
        BORROWED_ACCOUNT,
        CMD,
        r"C:\Windows\System32\ntdsutil.exe",
        r#"ntdsutil "ac i ntds" ifm "create full C:\Windows\Temp\pro" q q"#,
    ));
    events.push(security_log_cleared(
        DOMAIN_CONTROLLER,
        january(22, 4, 15, 20),
        BORROWED_ACCOUNT,
    ));
    events
}

/// A log recovered from a broken disk: part of it was overwritten, its end is missing.
fn damaged_log(assembly: &Assembly) -> Vec<u8> {
    let mut random = Random::named("damaged");
    let events: Vec<LogEvent> = (0..420)
        .map(|number| {
            let account = &random.pick(&assembly.people).account;
            let at = january(14, 6, 0, 0) + number * 97 * SECOND;
            logon(
                "EXCHANGE02.norrland.assembly.example",
                at,
                account,
                3,
                "192.0.2.120",
            )
        })
        .collect();
    let mut bytes = write_evtx(&events);
    // In the first chunk, behind its tables: some records are gone, those after them are not.
    for byte in &mut bytes[4_096 + 20_000..4_096 + 23_000] {
        *byte = 0xa5;
    }
    bytes.truncate(bytes.len() - 30_000);
    bytes
}

/// A backup of a handset in a format of its maker.
fn unknown_file() -> Vec<u8> {
    let mut random = Random::named("unknown");
    let mut bytes = b"HSBK\x02\x00\x00\x01".to_vec();
    while bytes.len() < 24_000 {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes
}

fn sorted(mut events: Vec<LogEvent>) -> Vec<LogEvent> {
    events.sort_by_key(|event| event.unix_micros);
    events
}
