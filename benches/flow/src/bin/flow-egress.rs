//! Thirty days of 500 machines with backups and video calls, and six hidden leaks, one slow: which are found, and
//! what is called a leak that is none, a day.
//!
//! `flow-egress [FIRST_SEED] [SEEDS]`. Benign: browsing; mail and files at large services; nightly backups, the whole
//! every seventh night; a service that all begin to use in the middle; a new place for the backups of a tenth; calls
//! (both ways, from machine to machine, to places that nobody else has); small things sent to rare places; a few
//! large files sent to large services.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use blackrod_model::{Entity, Estate, EvidenceId, Flow, Outflow, Position, Timestamp};
use blackrod_traffic::{Watch, egress};

const DAYS: i64 = 30;
const HOSTS: u32 = 500;
const MB: f64 = 1e6;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let first: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let seeds: u64 = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let (mut found, mut leaks, mut wrong) = (0, 0, 0);
    for seed in first..first + seeds {
        let (hit, all, false_ones) = run(seed);
        println!(
            "seed {seed}: {hit} of {all} leaks found, {:.2} false a day",
            false_ones as f64 / DAYS as f64
        );
        found += hit;
        leaks += all;
        wrong += false_ones;
    }
    let days = DAYS as f64 * seeds as f64;
    println!(
        "all: {found} of {leaks} found, {:.3} false a day ({wrong} in {days} days)",
        wrong as f64 / days
    );
    Ok(())
}

/// A leak: who, from which day on, how many days, where to, bytes a day to each place.
struct Leak {
    host: u32,
    start: i64,
    days: i64,
    places: Vec<u32>,
    daily: f64,
}

fn run(seed: u64) -> (usize, usize, usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let leaks = leaks(&mut random);
    let mut watch = Watch::new(&Estate::default());
    let mut stream = egress::Stream::default();
    let habits: Vec<f64> = (0..HOSTS).map(|_| lognormal(&mut random, 1.0, 0.7)).collect();
    for day in 0..DAYS {
        let mut made = Day {
            day,
            flows: Vec::new(),
        };
        for (host, habit) in (0..HOSTS).zip(&habits) {
            made.usual(host, *habit, &mut random);
        }
        for leak in &leaks {
            if (leak.start..leak.start + leak.days).contains(&day) {
                for place in &leak.places {
                    let sent = leak.daily * lognormal(&mut random, 1.0, 0.2);
                    made.exchange(leak.host, *place, sent, sent * 0.02, &mut random);
                }
            }
        }
        random.shuffle(&mut made.flows);
        watch.push(EvidenceId::default(), Position::START, &made.flows);
        for fact in watch.take() {
            if let Some(outflow) = fact.kept::<Outflow>() {
                stream.push(&outflow);
            }
        }
    }
    let findings = stream.finish();
    let mut hit = HashSet::new();
    let mut wrong = 0;
    for finding in &findings {
        let names = |address: IpAddr| {
            finding
                .entities
                .iter()
                .any(|entity: &Entity| entity.value == address.to_string())
        };
        let leak = leaks.iter().position(|leak| {
            names(inner(leak.host)) && leak.places.iter().any(|place| names(outer(place & 0xffff_ff00)))
        });
        match leak {
            Some(leak) => drop(hit.insert(leak)),
            None => {
                wrong += 1;
                println!("  false: {} {}", finding.time, finding.title);
            }
        }
    }
    for (index, leak) in leaks.iter().enumerate().filter(|(index, _)| !hit.contains(index)) {
        println!(
            "  missed: leak {index} of {} on day {} for {} days",
            inner(leak.host),
            leak.start,
            leak.days
        );
    }
    (hit.len(), leaks.len(), wrong)
}

fn leaks(random: &mut fastrand::Rng) -> Vec<Leak> {
    let mut hosts: Vec<u32> = (0..HOSTS).collect();
    random.shuffle(&mut hosts);
    let mut place = || 0x2e00_0000 + random_place(random);
    let places: Vec<u32> = (0..9).map(|_| place()).collect();
    let mut start = || random.i64(10..26);
    let starts: Vec<i64> = (0..5).map(|_| start()).collect();
    let kinds = [
        // At once; over three nights; to five places; a little; to where files go anyway; a little every day.
        (1, places[..1].to_vec(), 1_500.0),
        (3, places[1..2].to_vec(), 400.0),
        (1, places[2..7].to_vec(), 120.0),
        (2, places[7..8].to_vec(), 80.0),
        (1, vec![CLOUD + 9], 6_000.0),
        (20, places[8..].to_vec(), 7.0),
    ];
    kinds
        .into_iter()
        .enumerate()
        .map(|(index, (days, places, daily))| Leak {
            host: hosts[index],
            start: starts.get(index).copied().unwrap_or(9),
            days,
            places,
            daily: daily * MB * (0.7 + 0.6 * random.f64()),
        })
        .collect()
}

fn random_place(random: &mut fastrand::Rng) -> u32 {
    random.u32(0..0x00ff_ffff)
}

/// Large services, a network each.
const WEB: u32 = 0x1700_0000;
const CLOUD: u32 = 0x3400_0000;
const BACKUP: u32 = 0x5b00_0000;
const NEW_BACKUP: u32 = 0x5b01_0000;
const NEW_SERVICE: u32 = 0x3401_0000;

struct Day {
    day: i64,
    flows: Vec<Flow>,
}

impl Day {
    fn usual(&mut self, host: u32, habit: f64, random: &mut fastrand::Rng) {
        for _ in 0..30 {
            let place = WEB + random.u32(0..3_000) * 256;
            let taken = 3.0 * MB * habit * lognormal(random, 1.0, 1.0);
            self.exchange(host, place, taken * 0.06, taken, random);
        }
        let mail = 8.0 * MB * habit * lognormal(random, 1.0, 0.8);
        self.exchange(host, CLOUD + 256, mail, mail * 3.0, random);
        let files = 15.0 * MB * habit * lognormal(random, 1.0, 1.0);
        self.exchange(host, CLOUD, files, files * 1.5, random);
        // Three of four are backed up; a tenth of these elsewhere from day 18 on.
        if !host.is_multiple_of(4) {
            let is_whole = (self.day + i64::from(host)) % 7 == 0;
            let size = if is_whole { 2_500.0 } else { 180.0 } * MB * habit * lognormal(random, 1.0, 0.4);
            let place = if host % 10 == 1 && self.day >= 18 {
                NEW_BACKUP
            } else {
                BACKUP
            };
            self.exchange(host, place, size, size * 0.01, random);
        }
        // Calls, over a service or from machine to machine.
        if random.f64() < 0.5 {
            for _ in 0..1 + random.u32(0..4) {
                let is_direct = random.f64() < 0.2;
                let place = match is_direct {
                    true => 0x5000_0000 + random_place(random),
                    false => WEB + 0x00f0_0000 + random.u32(0..200) * 256,
                };
                let taken = 350.0 * MB * lognormal(random, 1.0, 0.6);
                self.exchange(host, place, taken * (0.5 + random.f64()), taken, random);
            }
        }
        // Something small to where nobody else sends.
        if random.f64() < 0.15 {
            let size = 1.5 * MB * lognormal(random, 1.0, 0.8);
            self.exchange(host, 0x6000_0000 + random_place(random), size, size * 0.1, random);
        }
        // A large file to a large service.
        if random.f64() < 0.02 {
            let size = 90.0 * MB * lognormal(random, 1.0, 0.6);
            self.exchange(host, CLOUD + random.u32(2..20) * 256, size, size * 0.02, random);
        }
        if self.day >= 14 {
            let size = 25.0 * MB * lognormal(random, 1.0, 0.7);
            self.exchange(host, NEW_SERVICE, size, size * 0.2, random);
        }
    }

    fn exchange(&mut self, host: u32, place: u32, sent: f64, taken: f64, random: &mut fastrand::Rng) {
        let second = self.day * 86_400 + random.i64(0..86_000);
        let start = Timestamp::from_seconds(1_609_459_200 + second);
        let flow = Flow {
            start,
            end: start,
            src: inner(host),
            dst: outer(place + random.u32(1..200) % (256 - (place & 0xff)).max(1)),
            src_port: random.u16(32_768..),
            dst_port: 443,
            protocol: Flow::TCP,
            tcp_flags: 0x1b,
            packets: sent as u64 / 1_000 + 1,
            bytes: sent as u64,
        };
        self.flows.push(flow);
        self.flows.push(Flow {
            src: flow.dst,
            dst: flow.src,
            src_port: flow.dst_port,
            dst_port: flow.src_port,
            packets: taken as u64 / 1_000 + 1,
            bytes: taken as u64,
            ..flow
        });
    }
}

fn inner(host: u32) -> IpAddr {
    Ipv4Addr::from_bits(0x0a01_0000 + host).into()
}

fn outer(place: u32) -> IpAddr {
    Ipv4Addr::from_bits(place).into()
}

/// A number around `median`, `spread` being the deviation of its logarithm.
fn lognormal(random: &mut fastrand::Rng, median: f64, spread: f64) -> f64 {
    let sum: f64 = (0..12).map(|_| random.f64()).sum();
    median * ((sum - 6.0) * spread).exp()
}
