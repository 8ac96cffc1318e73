//! A stock mail client reads every kind of message without a complaint: Python's `email`, which notes every departure from
//! the standards.

use std::process::Command;

use blackrod_simulate::{Assumptions, Simulation};

const CHECK: &str = r#"
import email, email.policy, pathlib, sys
count = 0
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    email.message_from_bytes(raw, policy=email.policy.strict)
    for part in message.walk():
        defects = list(part.defects)
        for name, value in part.items():
            defects += [(name, defect) for defect in value.defects]
        if not part.is_multipart():
            part.get_content()
            defects += part.defects
        assert not defects, (path, defects)
    assert message["From"].addresses and message["To"].addresses and message["Date"].datetime, path
    assert message.get_body(("html", "plain")).get_content().strip(), path
    count += 1
print(count)
"#;

#[test]
fn a_stock_mail_client_reads_a_sample_without_defects() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("SKIPPED: there is no python3");
        return;
    }
    const OF_ONE_KIND: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let mut kinds: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    let mut written = 0;
    let mut bytes = Vec::new();
    for mail in Simulation::new(8, Assumptions::default().scaled(0.02)).messages() {
        let seen = kinds.entry(mail.kind()).or_default();
        *seen += 1;
        if *seen > OF_ONE_KIND && mail.number() % 97 != 0 {
            continue;
        }
        bytes.clear();
        mail.write(&mut bytes);
        std::fs::write(folder.path().join(format!("{:07}.eml", mail.number())), &bytes).unwrap();
        written += 1;
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
    let output = Command::new("python3")
        .arg("-c")
        .arg(CHECK)
        .arg(folder.path())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        written.to_string()
    );
}
