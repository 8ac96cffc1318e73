//! Floods hidden in a generated access log: what is found of them, when, and what the proposed filters would do to others.
//!
//! `generate SEED full|small FILE` writes a log; `measure full|small FROM TO` generates, reads and judges seeds in memory;
//! `quiet FILE` says what is found in a log that should hold none.

mod generate;

use std::collections::HashMap;

use anyhow::{Context as _, bail};
use blackrod_detect::flood::requests::{self, Outcome, Requests};
use blackrod_detect::{Detectors, Found, Sources};
use blackrod_model::flood::{Filter, Flood};
use blackrod_model::{Estate, Event, EvidenceId, Fact, Keep as _, Refusal, Sha256};
use blackrod_read::{Formats, Sink};
use cpu_time::ProcessTime;
use generate::{Label, Log, Size, Truth};
use regex::Regex;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate", seed, size, path] => {
            let log = generate::log(seed.parse()?, size_of(size)?);
            let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
            log.write(&mut out)?;
            println!(
                "{} lines, crowd {:?}, floods {:#?}",
                log.lines.len(),
                log.crowd,
                log.floods
            );
        }
        ["measure", size, from, to] => {
            for seed in from.parse::<u64>()?..to.parse()? {
                measure(seed, size_of(size)?)?;
            }
        }
        ["quiet", path] => {
            let outcome = judge(&collect(&std::fs::read(path)?)?);
            println!("floods {}, crowds {}", outcome.floods.len(), outcome.crowds);
        }
        _ => bail!("generate SEED full|small FILE, measure full|small FROM TO, or quiet FILE"),
    }
    Ok(())
}

fn size_of(name: &str) -> anyhow::Result<Size> {
    match name {
        "full" => Ok(Size::FULL),
        "small" => Ok(Size::SMALL),
        other => bail!("no size is called {other}"),
    }
}

fn measure(seed: u64, size: Size) -> anyhow::Result<()> {
    let log = generate::log(seed, size);
    let mut text = Vec::new();
    log.write(&mut text)?;
    let begun = ProcessTime::now();
    let facts = collect(&text)?;
    let collected = begun.elapsed().as_secs_f64();
    let outcome = judge(&facts);
    let judged = begun.elapsed().as_secs_f64() - collected;
    let kept: usize = facts
        .iter()
        .filter_map(Fact::of)
        .map(|fact| fact.body.len())
        .sum();
    println!(
        "seed {seed}: {} lines, {} MB; kept {} MB; read and kept in {collected:.1} CPU s, judged in {judged:.1}: {:.0} lines a CPU second",
        log.lines.len(),
        text.len() / 1_000_000,
        kept / 1_000_000,
        log.lines.len() as f64 / (collected + judged)
    );
    for (number, truth) in log.floods.iter().enumerate() {
        let found = outcome.floods.iter().find(|flood| meets(flood, truth));
        let early = seen_early(&log, truth)?;
        println!("  flood {number}: {}", said(&log, number, truth, found, early)?);
    }
    for flood in outcome
        .floods
        .iter()
        .filter(|flood| !log.floods.iter().any(|truth| meets(flood, truth)))
    {
        let (start, end) = (
            flood.start.seconds().unwrap_or(0),
            flood.end.seconds().unwrap_or(0),
        );
        let in_crowd = start < log.crowd.1 && log.crowd.0 < end;
        println!(
            "  FALSE{}: {}",
            if in_crowd { " (the crowd)" } else { "" },
            flood.title
        );
    }
    println!("  {} crowds told from floods", outcome.crowds);
    Ok(())
}

fn said(
    log: &Log,
    number: usize,
    truth: &Truth,
    found: Option<&Flood>,
    early: bool,
) -> anyhow::Result<String> {
    let Some(flood) = found else {
        return Ok(format!(
            "MISSED; seen 60 s after its begin: {early}; {:?}",
            truth.expected
        ));
    };
    let has = |(dimension, value): &(&str, String)| {
        let mut traits = flood.fingerprint.iter();
        traits.any(|part| part.dimension == *dimension && part.value == *value)
    };
    let right = truth.expected.iter().all(has);
    let filter = flood.filters.first().context("no filter")?;
    let (mut ordinary, mut blocked, mut own, mut stopped) = (0_u64, 0_u64, 0_u64, 0_u64);
    let stops = Stops::of(filter)?;
    for (_, label, line) in &log.lines {
        let is_stopped = stops.line(line);
        match label {
            Label::Flood(of) if *of == number => {
                own += 1;
                stopped += u64::from(is_stopped);
            }
            Label::Flood(_) => {}
            Label::Ordinary | Label::Crowd => {
                ordinary += 1;
                blocked += u64::from(is_stopped);
            }
        }
    }
    Ok(format!(
        "found, {:+} s at its begin, {:+} s at its end, seen {} s after its begin (with the log cut 60 s after it: {early}), fingerprint {}, filter by {}: \
         stops {:.2} %, blocks {:.4} % of legitimate requests (the report says {:.4} %)",
        flood.start.seconds().unwrap_or(0) - truth.start,
        flood.end.seconds().unwrap_or(0) - truth.end,
        flood.seen.seconds().unwrap_or(0) - truth.start,
        if right {
            "right".to_owned()
        } else {
            format!("WRONG {:?}", flood.fingerprint)
        },
        filter.by,
        100.0 * stopped as f64 / own.max(1) as f64,
        100.0 * blocked as f64 / ordinary.max(1) as f64,
        100.0 * filter.harm(),
    ))
}

/// Whether a flood is found in the log as it was 60 seconds after the flood began.
fn seen_early(log: &Log, truth: &Truth) -> anyhow::Result<bool> {
    let mut text = Vec::new();
    let early = log.lines.iter().take_while(|(time, ..)| *time < truth.start + 60);
    for (_, _, line) in early {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    Ok(judge(&collect(&text)?)
        .floods
        .iter()
        .any(|flood| meets(flood, truth)))
}

fn meets(flood: &Flood, truth: &Truth) -> bool {
    let (start, end) = (
        flood.start.seconds().unwrap_or(0),
        flood.end.seconds().unwrap_or(0),
    );
    start < truth.end && truth.start < end
}

fn judge(facts: &[Requests]) -> Outcome {
    let each = |visit: &mut dyn FnMut(&Requests)| -> Result<(), std::convert::Infallible> {
        facts.iter().for_each(visit);
        Ok(())
    };
    requests::find(each, &|_| "www".to_owned()).unwrap_or_default()
}

/// Reads a log as the product does, with all detectors, and keeps what they keep of requests.
fn collect(text: &[u8]) -> anyhow::Result<Vec<Requests>> {
    let formats = Formats::standard();
    let format = formats
        .recognise(&text[..text.len().min(60_000)])
        .context("no known format")?;
    let builtin = Sources {
        builtin: std::env::var_os("FLOOD_ALONE").is_none(),
        ..Sources::default()
    };
    let (detectors, _) = Detectors::load(&builtin, &Estate::default())?;
    let mut scanner = detectors.scanner();
    let evidence = EvidenceId::new(&Sha256::of(text), "access.log");
    let mut found = Found::default();
    let mut facts = Vec::new();
    format.split(&mut &*text, &mut |block| {
        let mut sink = ToScanner(&mut scanner, &mut found, evidence);
        format.parse(&block, &mut sink);
        scanner.end_of_block(&mut found);
        facts.extend(
            found
                .facts
                .drain(..)
                .filter_map(|fact| (fact.kind == Requests::KIND).then(|| fact.kept()).flatten()),
        );
        found.findings.clear();
        found.premises.clear();
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(facts)
}

struct ToScanner<'s, 'd>(&'s mut blackrod_detect::Scanner<'d>, &'s mut Found, EvidenceId);

impl Sink for ToScanner<'_, '_> {
    fn event(&mut self, event: Event<'_>) {
        self.0.event(self.2, &event, self.1);
    }

    fn refuse(&mut self, _: Refusal) {}
}

/// A proposed filter as its own text says it: nginx's conditions, or nftables' addresses.
struct Stops {
    conditions: Vec<(String, Regex)>,
    addresses: HashMap<String, ()>,
    line: Regex,
}

impl Stops {
    fn of(filter: &Filter) -> anyhow::Result<Self> {
        let mut stops = Self {
            conditions: Vec::new(),
            addresses: HashMap::new(),
            line: Regex::new(
                r#"^(\S+) \S+ \S+ \[[^\]]*\] "(\S+) ([^ ?"]*)\??([^ "]*) (\S+)" \d+ \d+ "([^"]*)" "([^"]*)""#,
            )?,
        };
        let map = Regex::new(r#"^map (\$\w+) \$\w+_\d+ \{ default 0; "(.*)" 1; \}$"#)?;
        for rule in &filter.rules {
            match rule.product.as_str() {
                "nginx" => {
                    for part in rule.text.lines().filter_map(|line| map.captures(line)) {
                        let pattern = match part[2].strip_prefix('~') {
                            Some(pattern) => pattern.to_owned(),
                            None => "^-?$".to_owned(),
                        };
                        stops.conditions.push((part[1].to_owned(), Regex::new(&pattern)?));
                    }
                }
                "nftables" => {
                    let list = rule.text.split("elements = {").nth(1).unwrap_or_default();
                    let list = list.split('}').next().unwrap_or_default();
                    stops
                        .addresses
                        .extend(list.split(',').map(|address| (address.trim().to_owned(), ())));
                }
                _ => {}
            }
        }
        Ok(stops)
    }

    fn line(&self, line: &str) -> bool {
        let Some(parts) = self.line.captures(line) else {
            return false;
        };
        if self.addresses.contains_key(&parts[1]) {
            return true;
        }
        !self.conditions.is_empty()
            && self.conditions.iter().all(|(variable, pattern)| {
                let value = match variable.as_str() {
                    "$uri" => &parts[3],
                    "$args" => &parts[4],
                    "$http_user_agent" => &parts[7],
                    "$http_referer" => &parts[6],
                    "$request_method" => &parts[2],
                    "$server_protocol" => &parts[5],
                    _ => &parts[1],
                };
                pattern.is_match(value)
            })
    }
}
