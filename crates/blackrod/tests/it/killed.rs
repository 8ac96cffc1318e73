//! A run that is killed and started again ends with the case of an undisturbed one.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{blackrod, everything, root, stdout_of};

#[cfg(unix)]
#[test]
fn a_killed_run_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = root().join("examples/evidence");
    let estate = root().join("examples/estate.toml");
    let start = |case: &std::path::Path| {
        let mut command = blackrod();
        command
            .arg("investigate")
            .arg(&evidence)
            .arg("--estate")
            .arg(&estate)
            .arg("--case")
            .arg(case)
            .arg("--quiet");
        command
    };
    let undisturbed = folder.path().join("undisturbed");
    let begun = std::time::Instant::now();
    stdout_of(&start(&undisturbed).output().unwrap(), 0);
    let whole = begun.elapsed();

    let disturbed = folder.path().join("disturbed");
    for part in 1..=8 {
        let mut child = start(&disturbed)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole.mul_f64(f64::from(part) / 8.0).max(Duration::from_millis(5)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    stdout_of(&start(&disturbed).output().unwrap(), 0);

    for (expected, found) in everything(&undisturbed).iter().zip(everything(&disturbed)) {
        assert!(expected.lines().count() > 1, "the comparison compares something");
        assert_eq!(*expected, found);
    }
    stdout_of(
        &blackrod()
            .args(["case", "verify"])
            .arg(&disturbed)
            .output()
            .unwrap(),
        0,
    );
}
