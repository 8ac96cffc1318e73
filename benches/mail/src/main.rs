//! Measures what is seen of hidden campaigns in simulated mail.
//!
//!     blackrod-mail-bench --seeds 100..120 [--scale 0.1] [--facts parsed|twin] [--all-rows] [--list]
//!     blackrod-mail-bench --seeds 1..20 --house small
//!     blackrod-mail-bench --seeds 20..30 --memory

mod baselines;
mod detector;
mod estates;
mod memory;
mod misses;
mod report;
mod run;
mod score;

use std::ops::Range;
use std::sync::Mutex;

use anyhow::Context as _;
use blackrod_simulate::Assumptions;
use clap::Parser;
use rayon::prelude::*;

use run::{Plan, Source};
use score::Score;

/// The allocator of the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures what is seen of hidden campaigns in simulated mail")]
struct Arguments {
    /// Seeds of the runs, the last one left out
    #[arg(long, default_value = "100..120", value_parser = seeds)]
    seeds: Range<u64>,
    /// Whose mail it is: a parliament of 1,500 people, or a house of 70
    #[arg(long, value_enum, default_value = "large")]
    house: House,
    /// Size of ordinary mail beside the full 1.1 million messages; people and campaigns stay
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Where facts come from
    #[arg(long, value_enum, default_value = "parsed")]
    facts: Source,
    /// Also with 30 % of the group list wrong, and without groups
    #[arg(long)]
    all_rows: bool,
    /// Without the thin history before the first day
    #[arg(long)]
    cold: bool,
    /// The score that calls a campaign, instead of the usual one
    #[arg(long)]
    threshold: Option<f64>,
    /// Only tells the memory of one stream over all seeds, one after the other; facts are the twin's
    #[arg(long)]
    memory: bool,
    /// List missed campaigns, with what became of their messages, and false alerts
    #[arg(long)]
    list: bool,
}

/// Whose mail it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum House {
    Large,
    Small,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let assumptions = Assumptions {
        history: !arguments.cold,
        ..match arguments.house {
            House::Large => Assumptions::default(),
            House::Small => Assumptions::small(),
        }
    };
    let seeds: Vec<u64> = arguments.seeds.clone().collect();
    if arguments.memory {
        memory::print(&seeds, &assumptions.scaled(arguments.scale));
        return Ok(());
    }
    let plan = Plan {
        assumptions: assumptions.scaled(arguments.scale),
        source: arguments.facts,
        all_rows: arguments.all_rows,
        threshold: arguments.threshold,
        keep_below: arguments.list,
    };
    let scores: Mutex<Vec<(&'static str, Score)>> = Mutex::new(Vec::new());
    let totals: Mutex<(usize, f64, usize)> = Mutex::new((0, 0.0, 0));
    seeds.par_iter().for_each(|seed| {
        let outcome = run::run(*seed, &plan);
        eprintln!(
            "seed {seed}: {} messages, {:.0} CPU s",
            outcome.messages, outcome.seconds
        );
        let mut scores = scores.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (name, alerts) in &outcome.alerts {
            if arguments.list && *name == "blackrod" {
                let described = alerts.iter().filter_map(|alert| score::describe(alert, &outcome));
                described.for_each(|text| println!("seed {seed} {text}"));
                misses::of(&outcome, alerts)
                    .iter()
                    .for_each(|text| println!("seed {seed} {text}"));
            }
            let known = scores.iter().position(|(known, _)| known == name);
            let index = known.unwrap_or_else(|| {
                scores.push((name, Score::default()));
                scores.len() - 1
            });
            scores[index].1.add(&outcome, alerts);
        }
        let mut totals = totals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *totals = (
            totals.0 + outcome.messages,
            totals.1 + outcome.seconds,
            totals.2 + outcome.refused,
        );
    });
    let (messages, seconds, refused) = totals
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    println!(
        "seeds {:?}, {} runs, {:?} house, {messages} messages, {refused} not read, facts {:?}, scale {}, history {}; all detectors and making the mail: {:.0} messages per CPU second",
        arguments.seeds,
        seeds.len(),
        arguments.house,
        arguments.facts,
        arguments.scale,
        !arguments.cold,
        messages as f64 / seconds.max(1e-9),
    );
    println!(
        "an alert is right about a campaign if at least half of its messages are of it; false if less than half are of campaigns"
    );
    for (name, score) in scores
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
    {
        report::print(name, &score);
        if arguments.list && name == "blackrod" {
            report::print_missed(&score);
        }
    }
    Ok(())
}

fn seeds(text: &str) -> anyhow::Result<Range<u64>> {
    let (from, to) = text.split_once("..").context("write seeds like 100..120")?;
    Ok(from.parse()?..to.parse()?)
}
