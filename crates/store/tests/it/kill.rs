//! A run that is killed for real.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use blackrod_store::{Case, VerifyOptions};

use crate::invented::{commit, everything, evidence};

const ITEMS: u64 = 12;
const CASE: &str = "BLACKROD_TEST_CASE";

/// Reads all evidence that the case does not know yet.
fn run(dir: &Path) {
    let mut case = Case::create_or_open(dir).unwrap();
    for number in 0..ITEMS {
        if !case.knows(evidence(number).id).unwrap() {
            commit(&mut case, &[number]).unwrap();
        }
    }
}

/// Not a test of its own: the process that [`a_killed_run_is_taken_up_again`] kills.
#[test]
fn victim() {
    if let Some(dir) = std::env::var_os(CASE) {
        run(Path::new(&dir));
    }
}

#[test]
fn a_killed_run_is_taken_up_again() {
    let undisturbed = tempfile::tempdir().unwrap();
    run(undisturbed.path());
    let expected = everything(undisturbed.path());
    assert_eq!(
        expected
            .lines()
            .filter(|line| line.contains("command_line"))
            .count() as u64,
        ITEMS * 60
    );

    let dir = tempfile::tempdir().unwrap();
    let case = dir.path().join("case");
    let mut kills = 0;
    for pause in [3u64, 30, 45, 60, 75, 90, 120, 150] {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::victim"])
            .env(CASE, &case)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let had_ended = victim.try_wait().unwrap().is_some();
        victim.kill().unwrap();
        victim.wait().unwrap();
        kills += usize::from(!had_ended);
    }
    assert!(kills > 0, "every run ended before it could be killed");
    run(&case);
    assert!(
        everything(&case) == expected,
        "the case differs from the undisturbed one"
    );
    let report = Case::open_read_only(&case)
        .unwrap()
        .verify(&VerifyOptions::default())
        .unwrap();
    assert_eq!(report.problems, []);
}
