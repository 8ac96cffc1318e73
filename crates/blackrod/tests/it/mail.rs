//! The commands about mail.

use crate::support::{blackrod, hunt, stdout_of};

#[test]
fn simulated_mail_is_read_in_full_and_its_estate_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let simulate = |more: &[&str]| {
        blackrod()
            .args([
                "mail",
                "simulate",
                "--seed",
                "3",
                "--messages",
                "600",
                "--days",
                "3",
                "--people",
                "300",
            ])
            .args(more)
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap()
    };
    let said = stdout_of(&simulate(&["--campaigns", "4"]), 0);
    let count = said.split(' ').next().unwrap();
    assert_eq!(
        simulate(&[]).status.code(),
        Some(1),
        "what is there is not written over"
    );

    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("truth.json")).unwrap()).unwrap();
    assert_eq!(truth["campaigns"].as_array().unwrap().len(), 4);
    let checked = blackrod()
        .args(["estate", "check"])
        .arg(out.join("estate.toml"))
        .output()
        .unwrap();
    assert!(stdout_of(&checked, 0).contains("300 people"));

    let case = folder.path().join("case");
    let read = blackrod()
        .arg("investigate")
        .arg(out.join("mail.mbox"))
        .arg("--case")
        .arg(&case)
        .output()
        .unwrap();
    stdout_of(&read, 0);
    let answer = hunt(&case, "SELECT records_read, records_refused FROM evidence");
    assert!(answer.contains(&format!("{count},0")), "{count}: {answer}");
    let first = truth["campaigns"][0]["messages"][0].as_str().unwrap();
    let found = hunt(
        &case,
        &format!("SELECT count(*) FROM events WHERE message_id = '{first}'"),
    );
    assert!(found.ends_with("1\n"), "{found}");
}
