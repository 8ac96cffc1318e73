//! Living off the land, measured. See `benches/README.md`.

mod corpus;
mod estate;
mod playbooks;
mod recordings;
mod speed;

use std::path::Path;

use anyhow::Context as _;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: blackrod-bench-lotl corpus FOLDER [SIGMA-RULES...]
       blackrod-bench-lotl estate FIRST-SEED COUNT [FOLDER [SIGMA-RULES...]]
       blackrod-bench-lotl recordings FOLDER
       blackrod-bench-lotl speed HOSTS DAYS

FOLDER of corpus and estate holds lotl_positives.tsv and lotl_hard_negatives.tsv; that of recordings OTRF's files.";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().with_context(|| text.to_owned());
    match words.as_slice() {
        ["corpus", folder, rules @ ..] => corpus::run(Path::new(folder), rules),
        ["estate", first, count, folder @ ..] => {
            let (hard_negatives, rules) = match folder {
                [folder, rules @ ..] => (corpus::hard_negatives(Path::new(folder))?, rules),
                [] => (Vec::new(), &[][..]),
            };
            estate::run(number(first)?, number(count)?, &hard_negatives, rules)
        }
        ["speed", hosts, days] => speed::run(number(hosts)?, number(days)?),
        ["recordings", folder] => recordings::run(Path::new(folder)),
        _ => anyhow::bail!(USAGE),
    }
}
