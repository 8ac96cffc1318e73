//! Real mail, where this machine has it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blackrod_model::{Event, Refusal};

use super::tests::blocks_of;
use crate::{Sink, formats};

/// Files among the parsers' test data that are no mail: prose, a list of URLs, an empty file.
const NO_MAIL: [&str; 6] = [
    "encoders/wikipedia.txt",
    "text/planet-fitness.txt",
    "triples/message.txt",
    "corpora/README",
    "phishing/openphish-feed.txt",
    "data/spamc_blank.cf",
];

#[derive(Default)]
struct Count {
    events: usize,
    refused: u64,
}

impl Sink for Count {
    fn event(&mut self, _: Event<'_>) {
        self.events += 1;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused += refusal.records;
    }
}

#[test]
fn all_of_the_shared_mail_is_read() {
    let beside_checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("BLACKROD_SHARED").map_or(beside_checkout, PathBuf::from);
    let archive = shared.join("data/mail.tar.zst");
    let Ok(file) = std::fs::File::open(&archive) else {
        println!("SKIPPED: no real mail at {}", archive.display());
        return;
    };
    let mut unpacked = tar::Archive::new(zstd::Decoder::new(file).unwrap());
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for entry in unpacked.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        if !entry.header().entry_type().is_file() || !path.contains("mail/") {
            continue;
        }
        let folder = ["phish", "ham", "torture"]
            .into_iter()
            .find(|name| path.contains(&format!("mail/{name}/")));
        let Some(folder) = folder else { continue };
        let head = bytes.get(..bytes.len().min(crate::HEAD_LEN)).unwrap();
        let Some(format) = formats().iter().find(|format| format.recognise(head)) else {
            assert!(
                NO_MAIL.iter().any(|name| path.ends_with(name)),
                "not recognised: {path}"
            );
            continue;
        };
        assert!(
            matches!(format.name(), "eml" | "mbox"),
            "{path} as {}",
            format.name()
        );
        let mut count = Count::default();
        for block in blocks_of(*format, &bytes).0 {
            format.parse(&block, &mut count);
        }
        assert_eq!(count.refused, 0, "{path}");
        assert!(
            count.events == 1 || folder == "torture" && count.events > 1,
            "{path}: {}",
            count.events
        );
        *files.entry(folder.to_owned()).or_default() += 1;
    }
    assert_eq!(files.get("phish"), Some(&2_000));
    assert_eq!(files.get("ham"), Some(&2_080));
    assert_eq!(files.get("torture"), Some(&(851 - NO_MAIL.len())));
}
