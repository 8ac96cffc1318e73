//! Measures the generator: `cargo run --release -p blackrod-benches --bin simulate_rate -- [SEED] [SCALE]`
//!
//! Writes all messages of a run to memory that is used again, then makes the facts of all of them; prints how many there
//! were of each kind, their size, and how many were made in a second.

use std::collections::BTreeMap;
use std::time::Instant;

use blackrod_model::EvidenceId;
use blackrod_simulate::{Assumptions, Simulation};

fn main() {
    let numbers: Vec<f64> = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let seed = numbers.first().map_or(1, |seed| *seed as u64);
    let scale = numbers.get(1).copied().unwrap_or(0.1);
    let clock = Instant::now();
    let simulation = Simulation::new(seed, Assumptions::default().scaled(scale));
    println!("world in {:.2} s", clock.elapsed().as_secs_f64());

    let clock = Instant::now();
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut buffer = Vec::new();
    let (mut count, mut bytes) = (0, 0);
    for mail in simulation.messages() {
        buffer.clear();
        mail.write(&mut buffer);
        count += 1;
        bytes += buffer.len();
        let kind = if mail.is_history() {
            "(history)"
        } else {
            mail.kind()
        };
        let entry = kinds.entry(kind).or_default();
        *entry = (entry.0 + 1, entry.1 + buffer.len());
    }
    let seconds = clock.elapsed().as_secs_f64();
    for (kind, (messages, size)) in &kinds {
        println!(
            "{kind:20} {messages:8} messages, {:6} bytes each",
            size / messages
        );
    }
    println!(
        "{count} messages, {bytes} bytes in {seconds:.2} s: {:.0} messages/s",
        count as f64 / seconds
    );

    let clock = Instant::now();
    let links: usize = simulation
        .messages()
        .map(|mail| mail.facts(EvidenceId::default()).links.len())
        .sum();
    let seconds = clock.elapsed().as_secs_f64();
    println!(
        "facts with {links} links in {seconds:.2} s: {:.0} messages/s",
        count as f64 / seconds
    );
    for campaign in simulation.truth().campaigns {
        println!(
            "campaign {}: {}, {} recipients ({} of {}), {} identities, {} messages, {:.1} h, {}",
            campaign.number,
            campaign.hosts.name(),
            campaign.recipients.len(),
            campaign.in_group,
            campaign.group,
            campaign.identities,
            campaign.messages.len(),
            (campaign.ends - campaign.begins) as f64 / 3_600.0,
            campaign.texts
        );
    }
}
