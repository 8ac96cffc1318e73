//! The checked-in example is what the generator makes, and is what it says it is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// `blackrod_example::files()` are made by `cargo run -p blackrod-example`.
#[test]
fn the_checked_in_files_are_those_of_the_generator() {
    let folder = blackrod_example::checked_in_folder();
    let made = blackrod_example::files();
    for (name, content) in &made {
        let checked_in = fs::read(folder.join(name)).unwrap_or_default();
        assert!(
            checked_in == *content,
            "{name} differs: run `cargo run -p blackrod-example`"
        );
    }
    let expected: BTreeSet<&str> = made.keys().map(String::as_str).collect();
    for generated in ["evidence", "indicators"] {
        for name in files_below(&folder, generated) {
            assert!(expected.contains(name.as_str()), "nobody makes {name}");
        }
    }
}

#[test]
fn the_example_stays_small() {
    let total: usize = blackrod_example::files().values().map(Vec::len).sum();
    assert!(total < 3_000_000, "{total} bytes");
}

/// Whatever looks like an address is from a range that nobody has.
#[test]
fn nobody_real_is_in_it() {
    for (name, content) in blackrod_example::files() {
        let text = String::from_utf8_lossy(&content);
        for address in ipv4_addresses(&text) {
            let is_documentation = ["192.0.2.", "198.51.100.", "203.0.113.", "127.0.0.1", "4.0.30319"]
                .iter()
                .any(|range| address.starts_with(range));
            assert!(is_documentation, "{name}: {address}");
        }
        for after_at in text.split('@').skip(1) {
            let host: String = after_at
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
                .collect();
            let is_mail_domain = host.contains('.') && !name.ends_with(".evtx") && !name.ends_with(".bin");
            let is_packed = [".gz", ".zst", ".zip"]
                .iter()
                .any(|suffix| name.ends_with(suffix));
            if is_mail_domain && !is_packed {
                let domain = host.trim_end_matches('.');
                assert!(domain.ends_with(".example"), "{name}: {domain}");
            }
        }
    }
}

fn files_below(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files_below(root, &name)),
            false => found.push(name),
        }
    }
    found
}

/// Runs of digits and dots that are four numbers below 256.
fn ipv4_addresses(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .filter(|run| run.parse::<std::net::Ipv4Addr>().is_ok())
        .map(str::to_owned)
        .collect()
}
