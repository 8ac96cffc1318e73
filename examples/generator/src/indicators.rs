//! What a partner passed on: a STIX bundle and a plain list.

use sha2::Digest as _;

use crate::Files;
use crate::exchange::WEB_SHELL;
use crate::story::{GUESSING_IP, INTRUDER_IP};

/// Adds the lists.
pub(crate) fn add(files: &mut Files) {
    let digest = sha2::Sha256::digest(WEB_SHELL.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let indicators = [
        (
            "1",
            "Password guessing against parliaments",
            format!("[ipv4-addr:value = '{GUESSING_IP}']"),
            80,
        ),
        (
            "2",
            "Entry by stolen passwords",
            format!("[ipv4-addr:value = '{INTRUDER_IP}']"),
            80,
        ),
        (
            "3",
            "Page found on Exchange servers",
            format!("[file:hashes.'SHA-256' = '{digest}']"),
            90,
        ),
        (
            "4",
            "Imitated remote access portal",
            "[domain-name:value = 'vpn-assembly.example']".to_owned(),
            85,
        ),
    ];
    let objects: Vec<String> = indicators
        .iter()
        .map(|(number, name, pattern, confidence)| {
            let pattern = pattern.replace('"', "\\\"");
            format!(
                "    {{\n      \"type\": \"indicator\",\n      \"spec_version\": \"2.1\",\n      \"id\": \
                 \"indicator--5a0c2f4e-7d11-4b6e-9c3a-00000000000{number}\",\n      \"created\": \
                 \"2021-01-25T09:00:00.000Z\",\n      \"modified\": \"2021-01-25T09:00:00.000Z\",\n      \"name\": \
                 \"{name}\",\n      \"pattern\": \"{pattern}\",\n      \"pattern_type\": \"stix\",\n      \
                 \"valid_from\": \"2021-01-01T00:00:00Z\",\n      \"confidence\": {confidence}\n    }}"
            )
        })
        .collect();
    let bundle = format!(
        "{{\n  \"type\": \"bundle\",\n  \"id\": \"bundle--5a0c2f4e-7d11-4b6e-9c3a-000000000000\",\n  \"objects\": \
         [\n{}\n  ]\n}}\n",
        objects.join(",\n")
    );
    files.insert("indicators/partner.stix.json".to_owned(), bundle.into_bytes());
    let list = "# Senders and domains of letters with pictures that report who looks at them.\n\
                isles-herald.example\n\
                northern-dispatch.example\n\
                strait-monitor.example\n\
                2001:db8:bad::/48\n";
    files.insert(
        "indicators/newsletter-senders.txt".to_owned(),
        list.as_bytes().to_vec(),
    );
}
