//! What a stream remembers: one stream over the mail of several runs, one after the other, as if a year went by.

use blackrod_mail::stream::{Options, Stream};
use blackrod_model::{EvidenceId, Timestamp};
use blackrod_simulate::{Assumptions, Simulation};

/// Prints the resident memory of the process after each run. The generator's own is in it, that of one run at a time: before the first message
/// it is told alone. People of later runs are strangers to the first run's estate, but of its domain.
pub(crate) fn print(seeds: &[u64], assumptions: &Assumptions) {
    let Some(first) = seeds.first() else { return };
    let estate = Simulation::new(*first, assumptions.clone()).estate().clone();
    println!("without any message            {:6} MB", resident_megabytes());
    let mut stream = Stream::new(&estate, Options::default());
    let mut messages = 0_u64;
    for (round, seed) in seeds.iter().enumerate() {
        let later = round as i64 * assumptions.days as i64 * 86_400;
        let simulation = Simulation::new(*seed, assumptions.clone());
        for mail in simulation.messages() {
            if mail.is_history() && round > 0 {
                continue;
            }
            let mut facts = mail.facts(EvidenceId::default());
            let seconds = facts.time.seconds().unwrap_or_default();
            facts.time = Timestamp::from_seconds(seconds + later);
            stream.push(&facts);
            messages += 1;
        }
        println!(
            "{messages:10} messages, {:8} records {:6} MB",
            stream.history().len(),
            resident_megabytes()
        );
    }
}

/// Of this process; 0 where the system does not tell.
fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1_024
}
