//! What a partner passed on: a STIX bundle and a plain list.

use sha2::Digest as _;

use crate::Files;
use crate::exchange::WEB_SHELL;
use crate::story::{GUESSING_IP, INTRUDER_IP};

/// What the partner says beside its indicators; the group and the partner are invented.
fn context() -> Vec<String> {
    let id = |kind: &str, number: &str| format!("{kind}--5a0c2f4e-7d11-4b6e-9c3a-00000000001{number}");
    let author = id("identity", "0");
    let object = |kind: &str, number: &str, more: &str| {
        format!(
            "    {{\n      \"type\": \"{kind}\",\n      \"spec_version\": \"2.1\",\n      \"id\": \"{}\",\n      \"created_by_ref\": \
             \"{author}\",\n      \"created\": \"2021-01-25T09:00:00.000Z\",\n      \"modified\": \
             \"2021-01-25T09:00:00.000Z\",\n      \"object_marking_refs\": \
             [\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"],\n{more}\n    }}",
            id(kind, number)
        )
    };
    let indicator = |number: &str| format!("\"indicator--5a0c2f4e-7d11-4b6e-9c3a-00000000000{number}\"");
    vec![
        object(
            "identity",
            "0",
            "      \"name\": \"Cyber Security Centre of the Outer Skerries\",\n      \"identity_class\": \"organization\"",
        ),
        object(
            "campaign",
            "1",
            "      \"name\": \"Long Gallery\",\n      \"description\": \"Assistants of members are guessed at first, mail servers follow.\",\n      \
             \"confidence\": 70",
        ),
        object(
            "intrusion-set",
            "2",
            "      \"name\": \"GREY HERON\",\n      \"description\": \"Our name for whoever is behind Long Gallery.\",\n      \"confidence\": 40",
        ),
        object(
            "relationship",
            "3",
            &format!(
                "      \"relationship_type\": \"indicates\",\n      \"source_ref\": {},\n      \"target_ref\": \"{}\"",
                indicator("2"),
                id("campaign", "1")
            ),
        ),
        object(
            "relationship",
            "4",
            &format!(
                "      \"relationship_type\": \"attributed-to\",\n      \"source_ref\": \"{}\",\n      \"target_ref\": \"{}\",\n      \
                 \"confidence\": 40",
                id("campaign", "1"),
                id("intrusion-set", "2")
            ),
        ),
        object(
            "report",
            "5",
            &format!(
                "      \"name\": \"Password guessing against two parliaments\",\n      \"description\": \"What we saw in December and January.\",\n      \
                 \"report_types\": [\"campaign\"],\n      \"published\": \"2021-01-25T09:00:00Z\",\n      \"object_refs\": [{}, {}]",
                indicator("1"),
                indicator("2")
            ),
        ),
        object(
            "sighting",
            "6",
            &format!(
                "      \"sighting_of_ref\": {},\n      \"count\": 31,\n      \"first_seen\": \"2020-12-08T00:00:00Z\",\n      \"last_seen\": \
                 \"2021-01-14T00:00:00Z\"",
                indicator("1")
            ),
        ),
    ]
}

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
    let mut objects: Vec<String> = indicators
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
    objects.extend(context());
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
