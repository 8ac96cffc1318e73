//! The assistant's computer, as winlogbeat ships it.

use crate::Files;
use crate::events::{connection, logoff, logon, process, winlogbeat};
use crate::evtx::LogEvent;
use crate::people::Assembly;
use crate::random::Random;
use crate::story::{INTRUDER_VPN_IP, SECOND, TAKEN_ACCOUNT, WORKSTATION, january};

const EXPLORER: &str = r"C:\Windows\explorer.exe";

/// What she does all day.
const PROGRAMS: [(&str, &str); 6] = [
    (
        r"C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE",
        r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE""#,
    ),
    (
        r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
        r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "H:\minutes.docx""#,
    ),
    (
        r"C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE",
        r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "H:\claims.xlsx""#,
    ),
    (
        r"C:\Program Files\Google\Chrome\Application\chrome.exe",
        r#""C:\Program Files\Google\Chrome\Application\chrome.exe""#,
    ),
    (r"C:\Windows\System32\notepad.exe", r"notepad.exe H:\notes.txt"),
    (r"C:\Windows\System32\SnippingTool.exe", r"SnippingTool.exe"),
];

/// What the intruder asks, within some minutes.
const QUESTIONS: [(&str, &str); 7] = [
    ("whoami.exe", "whoami /all"),
    ("hostname.exe", "hostname"),
    ("ipconfig.exe", "ipconfig /all"),
    ("nltest.exe", "nltest /dclist:norrland"),
    ("net.exe", r#"net group "Domain Admins" /domain"#),
    (
        "net.exe",
        r#"net group "Exchange Organization Administrators" /domain"#,
    ),
    ("systeminfo.exe", "systeminfo"),
];

/// Adds the log.
pub(crate) fn add(_: &Assembly, files: &mut Files) {
    let mut events = ordinary();
    events.extend(intrusion());
    events.sort_by_key(|event| event.unix_micros);
    let lines: String = (48_211..)
        .zip(&events)
        .map(|(record, event)| winlogbeat(event, record) + "\n")
        .collect();
    files.insert(
        "evidence/ws-0147/winlogbeat-2021-01.ndjson.gz".to_owned(),
        crate::pack::gzip(lines.as_bytes()),
    );
}

fn ordinary() -> Vec<LogEvent> {
    let mut random = Random::named("workstation");
    let user = format!(r"NORRLAND\{TAKEN_ACCOUNT}");
    let mut events = Vec::new();
    for day in [11, 12, 13, 14, 15, 18, 19, 20, 21, 22] {
        let morning = january(day, 7, 40, 0) + random.below(1_200) as i64 * SECOND;
        events.push(logon(WORKSTATION, morning, TAKEN_ACCOUNT, 2, "127.0.0.1"));
        for _ in 0..24 {
            let at = morning + random.below(30_000) as i64 * SECOND;
            let (image, line) = random.pick(&PROGRAMS);
            events.push(process(WORKSTATION, at, &user, EXPLORER, image, line));
            if random.below(2) == 0 {
                let server = format!("198.51.100.{}", 60 + random.below(8));
                events.push(connection(
                    WORKSTATION,
                    at + 2 * SECOND,
                    image,
                    "192.0.2.147",
                    &server,
                    443,
                ));
            }
        }
        events.push(logoff(WORKSTATION, morning + 31_000 * SECOND, TAKEN_ACCOUNT));
    }
    events
}

/// The night of the 19th: over remote desktop with her password.
fn intrusion() -> Vec<LogEvent> {
    let start = january(19, 2, 21, 12);
    let user = format!(r"NORRLAND\{TAKEN_ACCOUNT}");
    let shell = r"C:\Windows\System32\cmd.exe";
    let mut events = vec![
        logon(WORKSTATION, start, TAKEN_ACCOUNT, 10, INTRUDER_VPN_IP),
        process(
            WORKSTATION,
            start + 40 * SECOND,
            &user,
            EXPLORER,
            shell,
            "cmd.exe",
        ),
    ];
    for (at, (program, line)) in (1..).map(|step| start + (40 + step * 33) * SECOND).zip(QUESTIONS) {
        let image = format!(r"C:\Windows\System32\{program}");
        events.push(process(WORKSTATION, at, &user, shell, &image, line));
    }
    events
}
