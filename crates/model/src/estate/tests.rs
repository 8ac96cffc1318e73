//! Estate files, good and bad, as their writers see them.

#![allow(clippy::unwrap_used)]

use super::*;

fn no_csv(_: &str) -> Result<String, String> {
    Err("no such file".to_owned())
}

fn errors(toml: &str) -> Vec<EstateError> {
    Estate::parse(toml, &mut no_csv).unwrap_err().0
}

#[test]
fn the_example_is_read_and_gives_no_warning() {
    let estate = Estate::parse(Estate::EXAMPLE, &mut no_csv).unwrap();
    assert_eq!(estate.warnings(), Vec::<String>::new());
    assert_eq!(estate.people.len(), 2);
    let anna = &estate.people[0];
    assert_eq!((anna.id.as_str(), anna.high_risk), ("a.berg", true));
    assert_eq!(estate.people[1].office.as_deref(), Some("a.berg"));
    assert_eq!(estate.registers[0].records, 600);

    let index = Index::new(&estate);
    let by_address = index.person_by_address("Anna.Berg@assembly.example").unwrap();
    assert_eq!(by_address.id, "a.berg");
    for account in [
        "ABERG",
        "ASSEMBLY\\aberg",
        "aberg@assembly.example",
        "aberg@ad.assembly.example",
    ] {
        assert_eq!(
            index.person_by_account(account).map(|p| p.id.as_str()),
            Some("a.berg"),
            "{account}"
        );
    }
    assert!(index.person_by_account("aberg@elsewhere.example").is_none());
    assert!(index.is_own_domain("www.Assembly.example."));
    assert!(!index.is_own_domain("notassembly.example"));
    assert!(index.contains_ip("192.0.2.200".parse().unwrap()));
    assert!(index.contains_ip("2001:db8:1::7".parse().unwrap()));
    assert!(!index.contains_ip("198.51.100.1".parse().unwrap()));
    assert_eq!(
        index
            .system_by_host("MX1.assembly.example")
            .map(|s| s.name.as_str()),
        Some("mail")
    );
    assert_eq!(index.members_of("foreign-affairs").len(), 2);
    assert!(index.members_of("none").is_empty());
}

#[test]
fn all_errors_are_told_at_once_with_line_field_and_mend() {
    let toml = r#"
[[organisation]]
id = "assembly"
domain = ["assembly.example"]

[[group]]
id = "budget"

[[person]]
id = "anna"
name = "Anna"
adresses = ["anna@assembly.example"]
groups = ["bugdet"]
organisation = "parliament"
high_risk = "yes"

[[person]]
name = "Carl"
addresses = ["carl at assembly"]

[[person]]
id = "anna"
name = "Another Anna"

[[network]]
name = "offices"
prefixes = ["192.0.2.1/24"]

[[register]]
name = "roll"
records = -1
"#;
    let found = errors(toml);
    let expected = [
        (4, "unknown key `domain`", "did you mean `domains`?"),
        (12, "unknown key `adresses`", "did you mean `addresses`?"),
        (13, "there is no group `bugdet`", "did you mean `budget`?"),
        (14, "there is no organisation `parliament`", "[[organisation]]"),
        (15, "`high_risk` may not be a string here", "true or false"),
        (17, "needs an id or an address", "add an id"),
        (19, "is not a mail address", "like anna@assembly.example"),
        (22, "person `anna` is given twice", "line 10"),
        (27, "is no prefix", "did you mean 192.0.2.0/24?"),
        (31, "`records` may not be", "whole number"),
    ];
    let text = EstateErrors(found.clone()).to_string();
    assert_eq!(found.len(), expected.len(), "{text}");
    for (error, (line, problem, mend)) in found.iter().zip(expected) {
        assert_eq!(error.place.line, line, "{error}");
        assert!(error.problem.contains(problem), "{error}");
        assert!(error.mend.contains(mend), "{error}");
    }
    assert!(text.ends_with("10 to mend"));
    assert!(
        text.contains(
            "error: unknown key `adresses`\n  in person \"anna\", line 12\n   |\n\
         12 | adresses = [\"anna@assembly.example\"]\n   | ^^^^^^^^ did you mean `addresses`?\n"
        ),
        "{text}"
    );
}

#[test]
fn faults_of_the_form_are_told_with_their_line() {
    let found = errors("[[person]]\nname = \"Anna\nid = 3\n");
    assert!(found.iter().any(|error| error.place.line == 2), "{found:?}");
    assert!(found[0].problem.starts_with("not TOML"), "{found:?}");
    assert!(errors("person = 3")[0].mend.contains("[[person]]"));
    assert!(errors("[person]\nname = \"x\"")[0].mend.contains("[[person]]"));
    // Places at the very end and beyond multi-byte text.
    assert!(!errors("x = \"é").is_empty());
}

#[test]
fn people_come_from_csv_too() {
    let toml = "[[group]]\nid = \"budget\"\n[[group]]\nid = \"energy\"\n[people]\ncsv = \"people.csv\"\n";
    let csv = "\u{feff}name,addresses,groups,high_risk,accounts\r\n\
               \"Berg, Anna\",anna@assembly.example; Anna.Berg@mail.example,budget;energy,yes,aberg\r\n\
               Carl Dahl,carl@assembly.example,budget,,\r\n";
    let mut read = |name: &str| {
        assert_eq!(name, "people.csv");
        Ok(csv.to_owned())
    };
    let estate = Estate::parse(toml, &mut read).unwrap();
    assert_eq!(estate.people.len(), 2);
    let anna = &estate.people[0];
    assert_eq!(anna.name, "Berg, Anna");
    assert_eq!(anna.id, "anna@assembly.example");
    assert_eq!(anna.addresses[1], "anna.berg@mail.example");
    assert_eq!(anna.groups, ["budget", "energy"]);
    assert!(anna.high_risk && !estate.people[1].high_risk);
    let warnings = estate.warnings();
    assert!(
        warnings
            .iter()
            .any(|warning| warning.contains("energy: has one member")),
        "{warnings:?}"
    );
}

#[test]
fn what_is_wrong_with_a_csv_file_is_told_by_its_lines() {
    let toml = "[[group]]\nid = \"budget\"\n[people]\ncsv = \"p.csv\"\n";
    let parse = |csv: &str| {
        let mut read = |_: &str| Ok(csv.to_owned());
        Estate::parse(toml, &mut read).unwrap_err().0
    };
    let csv = "name,addresses,group,high_risk\n\
               Anna,anna@assembly.example,,no\n\
               Carl,anna@assembly.example,,no\n\
               Dora,dora@assembly.example,,perhaps\n\
               Emil,emil@assembly.example,no\n\
               ,f@assembly.example,,\n";
    let found = parse(csv);
    let lines: Vec<usize> = found.iter().map(|error| error.place.line).collect();
    assert_eq!(lines, [1, 3, 4, 5, 6], "{}", EstateErrors(found));
    assert!(
        found
            .iter()
            .all(|error| error.place.file.as_deref() == Some("p.csv"))
    );
    assert!(found[0].mend.contains("did you mean `groups`?"));
    assert!(found[1].mend.contains("p.csv line 2"), "{}", found[1]);

    assert!(
        parse("name;addresses\nAnna;a@b.example\n")[0]
            .mend
            .contains("comma")
    );
    assert!(
        parse("addresses\na@b.example\n")[0]
            .problem
            .contains("no column `name`")
    );
    let missing = errors(toml);
    assert!(missing[0].problem.contains("no such file"));
    assert_eq!(missing[0].place.line, 4);
}

#[test]
fn nothing_at_all_is_an_estate_too() {
    assert_eq!(Estate::parse("", &mut no_csv), Ok(Estate::default()));
    assert_eq!(Estate::parse("# nothing\n", &mut no_csv), Ok(Estate::default()));
}
