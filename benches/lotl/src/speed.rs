//! How many process events a CPU second judges, and how much memory the state of a large estate takes.

use blackrod_detect::rarity::{Baseline, Extractor, Options, Stream, Table};
use blackrod_model::process::ProcessFacts;
use blackrod_model::{Class, Column, Estate, Event, EvidenceId, Fact, Field, Position, Timestamp};
use cpu_time::ProcessTime;

use crate::estate::{Random, Raw, Work};

/// Generates `days` of `hosts` machines day by day, so that nothing but the state stays in memory. Benign work only; what
/// is measured are the four steps from a reader's event to the judged fact, without the database between them.
pub(crate) fn run(hosts: u64, days: u64) -> anyhow::Result<()> {
    let mut random = Random(4_711);
    let work = Work::chosen(hosts * 26 / 30, &mut random, &[]);
    let mut extractor = Extractor::new(Table::builtin());
    let estate = Estate::default();
    let mut stream = Stream::new(&estate, Options::default());
    let names = ["taken apart", "stored", "read back", "judged"];
    let mut spent = [0.0_f64; 4];
    let (mut events, mut bytes) = (0_u64, 0_usize);
    let before = resident();
    for day in 0..days {
        let mut raws = Vec::new();
        for host in 0..hosts {
            work.day_of_host(host, day, &mut random, &mut raws);
        }
        raws.sort_by(|left, right| (left.time, &left.host).cmp(&(right.time, &right.host)));
        // In lots that fit into the cache, as blocks do, and so that what is generated does not count as state.
        for lot in raws.chunks(1_024) {
            let made: Vec<Event<'_>> = lot
                .iter()
                .zip(events..)
                .map(|(raw, number)| event(raw, number))
                .collect();
            events += lot.len() as u64;
            let mut clock = ProcessTime::now();
            let mut lap = |step: usize| {
                if let Some(spent) = spent.get_mut(step) {
                    *spent += clock.elapsed().as_secs_f64();
                }
                clock = ProcessTime::now();
            };
            let mut facts: Vec<ProcessFacts> = Vec::with_capacity(made.len());
            facts.extend(
                made.iter()
                    .filter_map(|event| extractor.facts(EvidenceId::default(), event)),
            );
            lap(0);
            let mut stored: Vec<Fact> = Vec::with_capacity(made.len());
            stored.extend(facts.iter().filter_map(Fact::of));
            lap(1);
            let mut back: Vec<ProcessFacts> = Vec::with_capacity(made.len());
            back.extend(stored.iter().filter_map(Fact::kept::<ProcessFacts>));
            lap(2);
            back.iter().for_each(|facts| stream.push(facts));
            lap(3);
            bytes += stored.iter().map(|fact| fact.body.len()).sum::<usize>();
        }
        drop(raws);
        println!(
            "day {:>3}: {events:>11} events, {:>6} MB resident",
            day + 1,
            resident() / 1_000_000
        );
    }
    for (name, spent) in names.iter().zip(spent) {
        println!(
            "{name:>12}: {:>10.0} events per CPU second",
            events as f64 / spent
        );
    }
    let total: f64 = spent.iter().sum();
    println!(
        "{:>12}: {:>10.0} events per CPU second",
        "all four",
        events as f64 / total
    );
    println!(
        "{:.0} bytes of a fact; {} MB resident before",
        bytes as f64 / events as f64,
        before / 1_000_000
    );
    let state = resident();
    let outcome = stream.finish();
    println!(
        "{} kinds of counts are exact; {} findings, {} new shapes",
        outcome.baseline.keys(),
        outcome.findings.len(),
        outcome.new_shapes.len()
    );
    println!(
        "{} MB resident with the state and nothing else",
        state / 1_000_000
    );
    drop(outcome);
    let before = resident();
    let mut full = Baseline::default();
    for key in 0..Baseline::CAPACITY as u64 * 3 / 2 {
        full.add(
            key.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            Timestamp::from_seconds(1_767_571_200),
        );
    }
    println!(
        "{} MB more with a baseline beyond its capacity",
        resident().saturating_sub(before) / 1_000_000
    );
    Ok(())
}

/// A process start as the reader of Sysmon's log hands it over.
fn event(raw: &Raw, number: u64) -> Event<'_> {
    let at = Position {
        offset: 0,
        record: number,
    };
    let mut event = Event::new(Class::PROCESS_ACTIVITY, Timestamp::from_seconds(raw.time), at);
    event.source.product = "windows";
    event.source.channel = "Microsoft-Windows-Sysmon/Operational".into();
    event.source.event_id = 1;
    let session = format!("{:#x}", raw.session);
    for (column, name, value) in [
        (Column::Host, "Computer", raw.host.clone()),
        (Column::User, "User", format!("CORP\\{}", raw.user)),
        (Column::Session, "LogonId", session),
        (Column::Process, "Image", raw.image().to_owned()),
        (Column::Parent, "ParentImage", raw.parent.to_owned()),
        (Column::CommandLine, "CommandLine", raw.command.clone()),
    ] {
        event.columns.set(column, event.fields.len());
        event.fields.push(Field::new(name, value));
    }
    event
}

/// Memory that this process holds, in bytes; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
