//! An invented estate of 300 hosts over 30 days with 20 intrusions through valid accounts, and what is found of them.
//!
//! Everything comes from one seed. Benign work comes from templates (desktop software, updates, deployment,
//! backup, monitoring, scripts, help desk, administration) and, where they are given, the hard negatives; an
//! intrusion is a published sequence of commands spread over hours to weeks, run as an account that exists, mixed with
//! that account's own work.

use std::collections::{HashMap, HashSet};

use blackrod_detect::rarity::{Extractor, Options, Outcome, Stream, Table};
use blackrod_detect::sigma;
use blackrod_model::process::{Act, ProcessFacts};
use blackrod_model::{Estate, EvidenceId, Position, Severity, Timestamp};
use cpu_time::ProcessTime;

use crate::corpus;
use crate::playbooks::{BENIGN, Daily, PLAYBOOKS};

const HOSTS: u64 = 300;
const SERVERS: u64 = 20;
const USERS: u64 = 260;
const DAYS: u64 = 30;
const INTRUSIONS: u64 = 20;
const ADMINS: u64 = 12;
const START: i64 = 1_767_571_200; // Monday, 2026-01-05
const DAY: i64 = 86_400;

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1_000) < of_thousand
    }
}

/// One step before its facts are drawn.
pub(crate) struct Raw {
    pub(crate) time: i64,
    pub(crate) host: String,
    pub(crate) user: String,
    pub(crate) session: u64,
    pub(crate) parent: &'static str,
    pub(crate) command: String,
    intrusion: Option<u64>,
    logon_from: Option<String>,
}

/// What a run came to.
struct Result {
    found: usize,
    before_first: Vec<usize>,
    alerts: usize,
    false_alerts: usize,
}

/// What all seeds came to with one budget.
#[derive(Default)]
struct Total {
    found: usize,
    all: usize,
    alerts: usize,
    false_alerts: usize,
    before_first: Vec<usize>,
}

const BUDGETS: [u32; 2] = [1, 5];
const SIGMA_LEVELS: [Severity; 2] = [Severity::Medium, Severity::High];

/// Runs seeds `first..first + count`.
/// With `rules`, what Sigma alone says of the same commands stands beside it: it has no budget, each hit is an alert.
pub(crate) fn run(first: u64, count: u64, hard_negatives: &[String], rules: &[&str]) -> anyhow::Result<()> {
    let sigma = match rules {
        [] => None,
        folders => Some(corpus::sigma_rules(folders)?),
    };
    let mut sigma_totals = SIGMA_LEVELS.map(|level| (level, Total::default()));
    println!("{HOSTS} hosts, {DAYS} days, {INTRUSIONS} intrusions a run, alerts for the whole estate");
    println!(
        "{:>6} {:>9} {:>10} {:>10} {:>8} {:>8} {:>14} {:>10}",
        "seed", "records", "alerts/day", "found", "alerts", "false", "median before", "facts/CPUs"
    );
    let mut totals: HashMap<u32, Total> = HashMap::new();
    for seed in first..first + count {
        let raws = generate(seed, hard_negatives);
        let clock = ProcessTime::now();
        let facts = draw(&raws);
        let drawing = clock.elapsed();
        if let Some(rules) = &sigma {
            sigma_hits(&raws, rules, &mut sigma_totals);
        }
        for budget in BUDGETS {
            let clock = ProcessTime::now();
            let outcome = judge(&facts, budget);
            let rate = facts.len() as f64 / (clock.elapsed() + drawing).as_secs_f64();
            let mut result = compare(&raws, &outcome);
            println!(
                "{seed:>6} {:>9} {budget:>10} {:>7}/{INTRUSIONS} {:>8} {:>8} {:>14} {rate:>10.0}",
                facts.len(),
                result.found,
                result.alerts,
                result.false_alerts,
                median(&mut result.before_first),
            );
            let total = totals.entry(budget).or_default();
            total.found += result.found;
            total.all += INTRUSIONS as usize;
            total.alerts += result.alerts;
            total.false_alerts += result.false_alerts;
            total.before_first.append(&mut result.before_first);
            if std::env::var_os("LOTL_VERBOSE").is_some() {
                explain(&raws, &outcome);
            }
        }
    }
    for (level, total) in sigma_totals.iter().filter(|_| sigma.is_some()) {
        println!(
            "Sigma, {level} and above: {} of {} intrusions hit ({:.1} %), {} commands hit of which {} of ordinary work ({:.0} a day)",
            total.found,
            total.all,
            100.0 * total.found as f64 / total.all as f64,
            total.alerts,
            total.false_alerts,
            total.false_alerts as f64 / (count * DAYS) as f64,
        );
    }
    for budget in BUDGETS {
        let Some(total) = totals.get_mut(&budget) else {
            continue;
        };
        println!(
            "{budget} a day: {} of {} intrusions found ({:.1} %), {} alerts of which {} false; median commands before the first alert: {}",
            total.found,
            total.all,
            100.0 * total.found as f64 / total.all as f64,
            total.alerts,
            total.false_alerts,
            median(&mut total.before_first),
        );
    }
    println!("A false-positive rate below 1e-3 cannot be shown from generated data.");
    Ok(())
}

/// Adds what `rules` say of the commands, by level.
fn sigma_hits(raws: &[Raw], rules: &sigma::Rules, totals: &mut [(Severity, Total)]) {
    let mut scanner = rules.scanner();
    let commands = raws.iter().filter(|raw| raw.logon_from.is_none());
    let hits: Vec<(Severity, Option<u64>)> = commands
        .filter_map(|raw| {
            Some((
                corpus::worst(&mut scanner, &raw.command, raw.parent)?,
                raw.intrusion,
            ))
        })
        .collect();
    for (level, total) in totals {
        let hits = hits.iter().filter(|(severity, _)| severity >= level);
        let intrusions: HashSet<u64> = hits.clone().filter_map(|(_, intrusion)| *intrusion).collect();
        total.found += intrusions.len();
        total.all += INTRUSIONS as usize;
        total.alerts += hits.clone().count();
        total.false_alerts += hits.filter(|(_, intrusion)| intrusion.is_none()).count();
    }
}

fn median(counts: &mut [usize]) -> String {
    counts.sort_unstable();
    counts
        .get(counts.len() / 2)
        .map_or("-".to_owned(), ToString::to_string)
}

fn judge(facts: &[ProcessFacts], budget: u32) -> Outcome {
    let estate = Estate::default();
    let options = Options {
        alerts_per_day: budget,
        ..Options::default()
    };
    let mut stream = Stream::new(&estate, options);
    for step in facts {
        stream.push(step);
    }
    stream.finish()
}

/// An intrusion is found when a finding's record, the strongest of its day, is one of its own.
fn compare(raws: &[Raw], outcome: &Outcome) -> Result {
    let mut first: HashMap<u64, usize> = HashMap::new();
    let mut false_alerts = 0;
    for finding in &outcome.findings {
        let record = usize::try_from(finding.at.record).unwrap_or(usize::MAX);
        match raws.get(record).and_then(|raw| raw.intrusion) {
            Some(intrusion) => {
                let known = first.entry(intrusion).or_insert(record);
                *known = (*known).min(record);
            }
            None => false_alerts += 1,
        }
    }
    // Alerts are drawn at the end of a day: all that was done until then had been done.
    let day_of = |raw: &Raw| (raw.time - START) / DAY;
    let before = |intrusion: u64, record: usize| {
        let told = raws.get(record).map_or(0, day_of);
        raws.iter()
            .filter(|raw| raw.intrusion == Some(intrusion) && raw.logon_from.is_none() && day_of(raw) <= told)
            .count()
    };
    Result {
        found: first.len(),
        before_first: first
            .iter()
            .map(|(intrusion, record)| before(*intrusion, *record))
            .collect(),
        alerts: outcome.findings.len(),
        false_alerts,
    }
}

fn explain(raws: &[Raw], outcome: &Outcome) {
    for finding in &outcome.findings {
        let record = usize::try_from(finding.at.record).unwrap_or(usize::MAX);
        let intrusion = raws.get(record).and_then(|raw| raw.intrusion);
        let score = finding.reasons.first().map_or("", |reason| reason.value.as_str());
        println!("    {intrusion:?} {} {score} {}", finding.time, finding.title);
        if intrusion.is_none() {
            for reason in finding.reasons.iter().skip(2).take(3) {
                println!("        {} {}", reason.field, reason.value);
            }
        }
    }
}

fn draw(raws: &[Raw]) -> Vec<ProcessFacts> {
    let mut extractor = Extractor::new(Table::builtin());
    raws.iter()
        .enumerate()
        .map(|(index, raw)| {
            let mut facts = extractor.command(raw.image(), raw.parent, &raw.command);
            if let Some(from) = &raw.logon_from {
                facts = ProcessFacts {
                    act: Act::Logon,
                    logon_type: 3,
                    peer: from.clone(),
                    ..ProcessFacts::default()
                };
            }
            facts.evidence = EvidenceId::default();
            facts.at = Position {
                offset: 0,
                record: index as u64,
            };
            facts.time = Timestamp::from_seconds(raw.time);
            facts.host.clone_from(&raw.host);
            facts.user.clone_from(&raw.user);
            facts.session = format!("{:#x}", raw.session);
            facts
        })
        .collect()
}

/// Fills what varies in a template.
fn fill(template: &str, random: &mut Random, user: &str, host: &str) -> String {
    let mut text = template.to_owned();
    for (mark, value) in [
        ("{user}", user.to_owned()),
        ("{host}", host.to_owned()),
        ("{server}", format!("srv{:02}", random.below(20))),
        ("{ws}", format!("ws{:03}", random.below(HOSTS - 20))),
        ("{who}", format!("u{:03}", random.below(USERS))),
        ("{n}", random.below(9_000).to_string()),
        ("{n2}", random.below(60_000).to_string()),
        ("{hex}", format!("{:08x}", random.next() as u32)),
        (
            "{guid}",
            format!(
                "{{{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}}}",
                random.next() as u32,
                random.below(65_536),
                random.below(4_096),
                random.below(4_096),
                random.below(1 << 48)
            ),
        ),
        (
            "{date}",
            format!("2026-{:02}-{:02}", 1 + random.below(12), 1 + random.below(28)),
        ),
        (
            "{ip}",
            format!(
                "10.{}.{}.{}",
                random.below(4),
                random.below(250),
                1 + random.below(250)
            ),
        ),
        (
            "{out}",
            format!(
                "{}.{}.{}.{}",
                45 + random.below(150),
                random.below(250),
                random.below(250),
                1 + random.below(250)
            ),
        ),
        (
            "{word}",
            ["alpha", "report", "data", "tmp", "backup", "x", "out", "res"][random.below(8) as usize]
                .to_owned(),
        ),
    ] {
        if text.contains(mark) {
            text = text.replace(mark, &value);
        }
    }
    text
}

fn generate(seed: u64, hard_negatives: &[String]) -> Vec<Raw> {
    let mut random = Random(seed.wrapping_mul(0x1234_5677) ^ 0xb1ac_c0d0);
    let mut raws = Vec::new();
    let work = Work::chosen(USERS, &mut random, hard_negatives);
    for host in 0..HOSTS {
        for day in 0..DAYS {
            work.day_of_host(host, day, &mut random, &mut raws);
        }
    }
    for intrusion in 0..INTRUSIONS {
        intrude(intrusion, &mut random, &mut raws);
    }
    raws.sort_by(|left, right| {
        (left.time, &left.host, &left.command).cmp(&(right.time, &right.host, &right.command))
    });
    raws
}

/// What is done in an estate.
pub(crate) struct Work<'n> {
    users: u64,
    chosen: Vec<&'static Daily>,
    hard_negatives: &'n [String],
}

impl<'n> Work<'n> {
    /// Of an institution with `users` people. Not every one has every product.
    pub(crate) fn chosen(users: u64, random: &mut Random, hard_negatives: &'n [String]) -> Self {
        let chosen = BENIGN.iter().filter(|work| work.always || random.chance(700));
        Self {
            users,
            chosen: chosen.collect(),
            hard_negatives,
        }
    }

    /// What is done on one host in one day; the first twenty hosts are servers.
    pub(crate) fn day_of_host(&self, number: u64, day: u64, random: &mut Random, raws: &mut Vec<Raw>) {
        let is_server = number < SERVERS;
        let host = match is_server {
            true => format!("srv{number:02}"),
            false => format!("ws{:03}", number - SERVERS),
        };
        let own_user = format!("u{:03}", number.saturating_sub(SERVERS) % self.users);
        let weekend = day % 7 >= 5;
        for (place, work) in self.chosen.iter().enumerate() {
            if work.servers != is_server && !work.everywhere || (weekend && work.office_hours) {
                continue;
            }
            let user = match work.who {
                "system" => "system".to_owned(),
                "admin" => format!("adm{}", random.below(ADMINS)),
                "helpdesk" => format!("hd{}", random.below(4)),
                "service" => format!("svc_{}", place % 8),
                _ => own_user.clone(),
            };
            // Some work is done by few.
            let mut times = u64::from(work.a_day_by_hundred) / 100;
            times += u64::from(random.below(100) < u64::from(work.a_day_by_hundred) % 100);
            for _ in 0..times {
                let second = if work.office_hours {
                    8 * 3_600 + random.below(9 * 3_600)
                } else {
                    random.below(86_400)
                };
                let time = START + day as i64 * DAY + second as i64;
                for (offset, template) in work.commands.iter().enumerate() {
                    let time = time + offset as i64 * (1 + random.below(20) as i64);
                    let command = fill(template, random, &user, &host);
                    raws.push(Raw::benign(time, &host, &user, day, work.parent, command));
                }
            }
        }
        // Now and then an administrator runs a script that nobody ran here before.
        if !weekend && random.chance(6) && !self.hard_negatives.is_empty() {
            let user = format!("adm{}", random.below(ADMINS));
            let from = random.below(self.hard_negatives.len() as u64) as usize;
            let time = START + day as i64 * DAY + 8 * 3_600 + random.below(9 * 3_600) as i64;
            let script = self.hard_negatives.iter().skip(from);
            for (offset, command) in script.take(3 + random.below(12) as usize).enumerate() {
                let time = time + offset as i64;
                raws.push(Raw::benign(time, &host, &user, day, "cmd.exe", command.clone()));
            }
        }
    }
}

impl Raw {
    fn benign(time: i64, host: &str, user: &str, day: u64, parent: &'static str, command: String) -> Self {
        Self {
            time,
            host: host.to_owned(),
            user: user.to_owned(),
            session: session_of(host, user, day),
            parent,
            command,
            intrusion: None,
            logon_from: None,
        }
    }

    /// The program that stands first in the command.
    pub(crate) fn image(&self) -> &str {
        let line = self.command.trim_start_matches('"');
        line.split(['"', ' ']).next().unwrap_or_default()
    }
}

/// Spreads a published sequence of commands over hours to weeks, through accounts that exist.
fn intrude(intrusion: u64, random: &mut Random, raws: &mut Vec<Raw>) {
    let playbook = &PLAYBOOKS[random.below(PLAYBOOKS.len() as u64) as usize];
    // From the eleventh day on there is some history; a few come before.
    let first_day = 3 + random.below(DAYS - 8);
    let span_hours = [2, 8, 48, 24 * 7, 24 * 14][random.below(5) as usize];
    // Each has an account of its own: nine administrators', three of services, eight of members of staff.
    let user = match intrusion {
        0..9 => format!("adm{intrusion}"),
        9..12 => format!("svc_{}", intrusion - 9),
        _ => format!("u{:03}", intrusion * 12 % USERS),
    };
    let begin = START + first_day as i64 * DAY + random.below(86_400) as i64;
    let end = (begin + span_hours * 3_600).min(START + DAYS as i64 * DAY - 60);
    let mut host = format!("ws{:03}", random.below(HOSTS - 20));
    let steps = playbook.len() as i64;
    for (number, step) in playbook.iter().enumerate() {
        let time = begin + (end - begin) * number as i64 / steps + random.below(240) as i64;
        let day = ((time - START) / DAY).unsigned_abs();
        if *step == "MOVE" {
            let next = format!("srv{:02}", random.below(20));
            raws.push(Raw {
                time,
                host: next.clone(),
                user: user.clone(),
                session: session_of(&next, &user, day) ^ intrusion,
                parent: "",
                command: String::new(),
                intrusion: Some(intrusion),
                logon_from: Some(host.clone()),
            });
            host = next;
            continue;
        }
        // Most use a logon of their own, some the session of the account's owner.
        let own = if intrusion.is_multiple_of(3) {
            0
        } else {
            0x77_0000 + intrusion
        };
        raws.push(Raw {
            time,
            host: host.clone(),
            user: user.clone(),
            session: session_of(&host, &user, day) ^ own,
            parent: ["cmd.exe", "powershell.exe", "wmiprvse.exe", "explorer.exe"][random.below(4) as usize],
            command: fill(step, random, &user, &host),
            intrusion: Some(intrusion),
            logon_from: None,
        });
    }
}

fn session_of(host: &str, user: &str, day: u64) -> u64 {
    let text = format!("{host}/{user}/{day}");
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    }) & 0xff_ffff
}
