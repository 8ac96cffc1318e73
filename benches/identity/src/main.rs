//! Accounts, measured. See `benches/README.md`.

mod attacks;
mod corpora;
mod estate;
mod log;
mod month;
mod random;
mod scan;
mod speed;

use std::path::Path;

use anyhow::Context as _;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: blackrod-bench-identity corpora FOLDER
       blackrod-bench-identity month FIRST-SEED COUNT [PEOPLE] [DAYS]
       blackrod-bench-identity write SEED FOLDER [PEOPLE] [DAYS]
       blackrod-bench-identity speed FILE

FOLDER of corpora holds det-eng-samples and panther-tests; write makes the month's logs as files; speed reads a unified audit log or a web server's.";

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let number = |text: &&str| text.parse::<u64>().with_context(|| (*text).to_owned());
    let size = |rest: &[&str]| -> anyhow::Result<(usize, i64)> {
        let people = rest.first().map(number).transpose()?.unwrap_or(1_500);
        let days = rest.get(1).map(number).transpose()?.unwrap_or(30);
        Ok((usize::try_from(people)?, i64::try_from(days)?))
    };
    match words.as_slice() {
        ["corpora", folder] => corpora::run(Path::new(folder)),
        ["month", first, count, rest @ ..] => {
            let (people, days) = size(rest)?;
            month::run(number(first)?, number(count)?, people, days)
        }
        ["write", seed, folder, rest @ ..] => {
            let (people, days) = size(rest)?;
            month::write(number(seed)?, Path::new(folder), people, days)
        }
        ["speed", file] => speed::speed(Path::new(file)),
        _ => anyhow::bail!(USAGE),
    }
}
