//! Outflows in the order of time → leaks.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use blackrod_model::{
    Class, Entity, EntityKind, EvidenceId, Finding, FindingId, Outflow, Position, Reason, Severity, Timestamp,
};
use rustc_hash::FxHashMap;

use super::outflows::{REST, weight};
use super::users::Users;
use super::{BURST, SLOW};
use crate::DAY;

/// Days of the past that a day is compared with.
const PAST: i64 = 14;
/// Days of the past that must be known.
const KNOWN: i64 = 7;
/// Days within which slow leaks are added up.
const SLOW_DAYS: i64 = 30;
/// A slow leak sends on so many days.
const SLOW_ACTIVE: usize = 7;
/// Machines that are remembered.
const MAX_HOSTS: usize = 32_768;
/// Outer networks that are remembered of a machine: those sent most to.
const MAX_PEERS: usize = 512;
/// Outer networks that are remembered of all machines together.
const MAX_KNOWN: usize = 65_536;
/// Exchanges of a day that are told apart, of all machines together.
const MAX_TODAY: usize = 65_536;
/// A day's exchange of less weight is not remembered: a burst is far more, and so is a day of a slow leak.
const LEAST_REMEMBERED: u64 = 100_000;

const MB: u64 = 1_000_000;
const BURST_LEAST: u64 = 20 * MB;
/// To a network that is in use anyway, this much more is needed.
const BURST_LEAST_KNOWN: u64 = 200 * MB;
const SLOW_LEAST: u64 = 30 * MB;
/// Takes outflows in the order of their times.
#[derive(Default)]
pub struct Stream {
    day: Option<i64>,
    hosts: BTreeMap<IpAddr, Host>,
    users: Users,
    /// How many exchanges of today are told apart.
    pairs: usize,
    /// Those of less weight are not any more.
    floor: u64,
    findings: Vec<Finding>,
}

#[derive(Default)]
struct Host {
    first_day: i64,
    today: Option<Today>,
    /// Days before, with what was sent and got.
    days: VecDeque<(i64, u64, u64)>,
    peers: FxHashMap<IpAddr, Peer>,
}

struct Today {
    evidence: EvidenceId,
    at: Position,
    time: Timestamp,
    peers: FxHashMap<IpAddr, (u64, u64)>,
}

#[derive(Default)]
struct Peer {
    first_day: i64,
    /// Day, out, in.
    days: VecDeque<(i64, u64, u64)>,
    /// What has been reported as burst is no slow leak.
    is_told: bool,
}

impl Stream {
    /// Takes an outflow.
    pub fn push(&mut self, outflow: &Outflow) {
        let Some(time) = outflow.time.micros() else {
            return;
        };
        let day = time.div_euclid(DAY);
        if self.day.is_some_and(|before| before != day) {
            self.judge();
        }
        self.day = Some(day);
        for machine in outflow.rows.chunk_by(|(host, ..), (next, ..)| host == next) {
            let Some((host, ..)) = machine.first() else {
                continue;
            };
            if self.hosts.len() >= MAX_HOSTS && !self.hosts.contains_key(host) {
                continue;
            }
            let known = self.hosts.entry(*host).or_insert_with(|| Host {
                first_day: day,
                ..Host::default()
            });
            let today = known.today.get_or_insert_with(|| Today {
                evidence: outflow.evidence,
                at: outflow.at,
                time: outflow.time,
                peers: FxHashMap::default(),
            });
            let before = today.peers.len();
            for (_, peer, out, back) in machine {
                today.add(*peer, *out, *back);
            }
            self.pairs += today.peers.len() - before;
        }
        while self.pairs > MAX_TODAY && self.floor < u64::MAX / 2 {
            self.narrow();
        }
    }

    /// Sums up more of today's small exchanges.
    fn narrow(&mut self) {
        self.floor = self.floor.max(LEAST_REMEMBERED / 4) * 2;
        self.pairs = 0;
        for today in self.hosts.values_mut().filter_map(|host| host.today.as_mut()) {
            let floor = self.floor;
            let (mut out, mut back) = (0_u64, 0_u64);
            today.peers.retain(|peer, sums| {
                let is_kept = *peer == REST || weight(sums.0, sums.1) >= floor;
                if !is_kept {
                    (out, back) = (out.saturating_add(sums.0), back.saturating_add(sums.1));
                }
                is_kept
            });
            today.add(REST, out, back);
            today.peers.shrink_to_fit();
            self.pairs += today.peers.len();
        }
        // What cannot become less is one sum for each machine.
        if self.pairs <= self.hosts.len() {
            self.floor = u64::MAX;
        }
    }

    /// All leaks.
    pub fn finish(mut self) -> Vec<Finding> {
        self.judge();
        self.findings
    }

    /// Judges the day that is over.
    fn judge(&mut self) {
        let Some(day) = self.day else {
            return;
        };
        (self.pairs, self.floor) = (0, 0);
        for (address, host) in &self.hosts {
            for peer in host.today.iter().flat_map(|today| today.peers.keys()) {
                self.users.note(*peer, *address, day);
            }
        }
        let mut slow = Vec::new();
        let mut usual = Vec::new();
        for (address, host) in &mut self.hosts {
            let Some(today) = host.today.take() else {
                continue;
            };
            let is_known = day - host.first_day >= KNOWN;
            if is_known {
                let found = burst(day, *address, host, &today, &self.users);
                self.findings.extend(found);
            }
            host.remember(day, &today);
            if !is_known {
                continue;
            }
            for (peer, known) in &host.peers {
                let Some(sums) = known
                    .one_way(day, host.first_day)
                    .filter(|_| *peer != REST && self.users.are_few(*peer))
                else {
                    continue;
                };
                usual.push(sums.out as f64);
                if sums.days >= SLOW_ACTIVE
                    && sums.out >= SLOW_LEAST
                    && today.peers.contains_key(peer)
                    && !known.is_told
                {
                    slow.push((*address, *peer, sums, today.place()));
                }
            }
        }
        let limit =
            median_and_deviation(&mut usual).map_or(0.0, |(median, deviation)| median + 8.0 * deviation);
        for (address, peer, sums, place) in slow {
            if (sums.out as f64) < limit {
                continue;
            }
            if let Some(known) = self
                .hosts
                .get_mut(&address)
                .and_then(|host| host.peers.get_mut(&peer))
            {
                known.is_told = true;
            }
            self.findings
                .push(slow_finding(address, peer, &sums, place, limit));
        }
        self.forget();
    }

    /// Keeps what is remembered of networks within its bound.
    fn forget(&mut self) {
        let known: usize = self.hosts.values().map(|host| host.peers.len()).sum();
        if known > MAX_KNOWN {
            let each = (MAX_KNOWN / 2 / self.hosts.len().max(1)).max(1);
            self.hosts.values_mut().for_each(|host| host.keep(each));
        }
    }
}

/// Where in the evidence a day of a machine begins.
type Place = (EvidenceId, Position, Timestamp);

impl Today {
    fn add(&mut self, peer: IpAddr, out: u64, back: u64) {
        let sum = self.peers.entry(peer).or_default();
        *sum = (sum.0.saturating_add(out), sum.1.saturating_add(back));
    }

    fn place(&self) -> Place {
        (self.evidence, self.at, self.time)
    }

    fn total(&self) -> (u64, u64) {
        self.peers.values().fold((0, 0), |sum, (out, back)| {
            (sum.0.saturating_add(*out), sum.1.saturating_add(*back))
        })
    }
}

impl Host {
    fn remember(&mut self, day: i64, today: &Today) {
        let (out, back) = today.total();
        self.days.push_back((day, out, back));
        while self.days.front().is_some_and(|(before, ..)| day - before > PAST) {
            self.days.pop_front();
        }
        for (peer, (out, back)) in &today.peers {
            let is_little = *peer == REST || weight(*out, *back) < LEAST_REMEMBERED;
            if is_little && !self.peers.contains_key(peer) {
                continue;
            }
            let known = self.peers.entry(*peer).or_insert_with(|| Peer {
                first_day: day,
                ..Peer::default()
            });
            known.days.push_back((day, *out, *back));
            while known
                .days
                .front()
                .is_some_and(|(before, ..)| day - before >= SLOW_DAYS)
            {
                known.days.pop_front();
            }
        }
        if self.peers.len() > MAX_PEERS {
            self.keep(MAX_PEERS / 2);
        }
    }

    /// Keeps only so many networks, those sent most to.
    fn keep(&mut self, most: usize) {
        if self.peers.len() <= most {
            return;
        }
        let mut sums: Vec<(u64, IpAddr)> = self
            .peers
            .iter()
            .map(|(peer, known)| (known.sent(), *peer))
            .collect();
        sums.sort_unstable_by(|a, b| b.cmp(a));
        for (_, peer) in sums.split_off(most) {
            self.peers.remove(&peer);
        }
        self.peers.shrink_to_fit();
    }
}

/// What went one way to a network within the last weeks.
struct OneWay {
    out: u64,
    back: u64,
    days: usize,
    since: i64,
}

impl Peer {
    fn sent(&self) -> u64 {
        self.days
            .iter()
            .map(|(_, out, _)| *out)
            .fold(0, u64::saturating_add)
    }

    /// The sums, where most went out and the machine's first week had none of it.
    fn one_way(&self, day: i64, host_since: i64) -> Option<OneWay> {
        let back = self
            .days
            .iter()
            .map(|(.., back)| *back)
            .fold(0, u64::saturating_add);
        let out = self.sent();
        let is_new = self.first_day - host_since >= KNOWN && day - self.first_day < SLOW_DAYS;
        (is_new && ratio(out, back) >= 0.6).then_some(OneWay {
            out,
            back,
            days: self.days.len(),
            since: self.first_day,
        })
    }

    /// What was sent on each of the last days, those without included.
    fn past(&self, day: i64, host_since: i64) -> Vec<f64> {
        let known = (day - host_since).clamp(0, PAST);
        let mut past: Vec<f64> = self
            .days
            .iter()
            .filter(|(before, ..)| day - before <= PAST)
            .map(|(_, out, _)| *out as f64)
            .collect();
        past.resize(past.len().max(usize::try_from(known).unwrap_or_default()), 0.0);
        past
    }
}

/// From -1 (all in) to 1 (all out): Bromiley's producer/consumer ratio.
fn ratio(out: u64, back: u64) -> f64 {
    let (out, back) = (out as f64, back as f64);
    match out + back {
        0.0 => 0.0,
        sum => (out - back) / sum,
    }
}

/// Median and median absolute deviation, the latter as a standard deviation of a normal distribution.
fn median_and_deviation(values: &mut [f64]) -> Option<(f64, f64)> {
    let median = median(values)?;
    let mut distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    Some((median, 1.4826 * self::median(&mut distances)?))
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        _ if values.is_empty() => None,
        1 => values.get(middle).copied(),
        _ => Some((values.get(middle - 1)? + values.get(middle)?) / 2.0),
    }
}

fn burst(day: i64, address: IpAddr, host: &mut Host, today: &Today, users: &Users) -> Option<Finding> {
    let mut peers: Vec<(IpAddr, u64, u64, bool)> = Vec::new();
    for (peer, (out, back)) in &today.peers {
        if *peer == REST || *out < BURST_LEAST || ratio(*out, *back) < 0.6 {
            continue;
        }
        let known = host.peers.get(peer);
        let mut past = known.map_or_else(Vec::new, |known| known.past(day, host.first_day));
        let most = past.iter().copied().fold(0.0, f64::max);
        let limit =
            median_and_deviation(&mut past).map_or(0.0, |(median, deviation)| median + 8.0 * deviation);
        let sent = *out as f64;
        let is_new = most * 10.0 < sent;
        // A network that is new to the machine, or hardly used by it, and not a service of others.
        let is_first = is_new && users.are_few(*peer);
        let is_beyond = known.is_some() && is_new && most > 0.0 && *out >= BURST_LEAST_KNOWN;
        if sent > limit && (is_first || is_beyond) {
            peers.push((*peer, *out, *back, is_first));
        }
    }
    if peers.is_empty() {
        return None;
    }
    peers.sort_unstable_by_key(|(peer, out, ..)| (std::cmp::Reverse(*out), *peer));
    for (peer, ..) in &peers {
        let known = host.peers.entry(*peer).or_insert_with(|| Peer {
            first_day: day,
            ..Peer::default()
        });
        known.is_told = true;
    }
    let sent: u64 = peers.iter().map(|(_, out, ..)| *out).fold(0, u64::saturating_add);
    let (out, back) = today.total();
    let mut totals: Vec<f64> = host.days.iter().map(|(_, out, _)| *out as f64).collect();
    let usual = median_and_deviation(&mut totals);
    let before = host.days.iter().fold((0_u64, 0_u64), |sum, (_, out, back)| {
        (sum.0.saturating_add(*out), sum.1.saturating_add(*back))
    });
    let mut reasons = Vec::new();
    for (peer, out, back, is_first) in peers.iter().take(10) {
        let newness = if *is_first {
            "hardly or never used before"
        } else {
            "ten times its largest day"
        };
        reasons.push(Reason::new(
            format!("to {}", shown(*peer)),
            &format!("{} out, {} back; {newness}", size(*out), size(*back)),
        ));
    }
    reasons.push(Reason::new("all that the machine sent that day", &size(out)));
    if let Some((median, deviation)) = usual {
        reasons.push(Reason::new(
            "its days before",
            &format!(
                "median {}, deviation {}",
                size(median as u64),
                size(deviation as u64)
            ),
        ));
    }
    let (ratio_before, ratio_now) = (ratio(before.0, before.1), ratio(out, back));
    let turned = ratio_before < 0.0 && ratio_now > 0.0;
    reasons.push(Reason::new(
        "producer/consumer ratio",
        &format!(
            "{ratio_now:.2} after {ratio_before:.2}{}",
            if turned {
                ": it took before and gives now"
            } else {
                ""
            }
        ),
    ));
    let place = today.place();
    let to = match peers.as_slice() {
        [(peer, ..)] => shown(*peer),
        many => format!("{} networks", many.len()),
    };
    Some(finding(
        BURST,
        format!(
            "{address} sent {} to {to} that it hardly or never sent to before",
            size(sent)
        ),
        (address, peers.iter().map(|(peer, ..)| *peer).collect()),
        place,
        reasons,
        if sent >= 1_000 * MB || turned {
            Severity::High
        } else {
            Severity::Medium
        },
    ))
}

fn slow_finding(address: IpAddr, peer: IpAddr, sums: &OneWay, place: Place, limit: f64) -> Finding {
    let since = Timestamp::from_micros(sums.since * DAY).day();
    let reasons = vec![
        Reason::new("sent", &format!("{} on {} days", size(sums.out), sums.days)),
        Reason::new("got back", &size(sums.back)),
        Reason::new("since", &since),
        Reason::new(
            "producer/consumer ratio",
            &format!("{:.2}", ratio(sums.out, sums.back)),
        ),
        Reason::new(
            "what machines of the estate send to networks that are new and that few use",
            &format!("usually less than {}", size(limit as u64)),
        ),
    ];
    finding(
        SLOW,
        format!(
            "{address} has sent {} to {} in small amounts since {since}",
            size(sums.out),
            shown(peer)
        ),
        (address, vec![peer]),
        place,
        reasons,
        Severity::High,
    )
}

fn finding(
    code: &str,
    title: String,
    (host, peers): (IpAddr, Vec<IpAddr>),
    (evidence, at, time): Place,
    reasons: Vec<Reason>,
    severity: Severity,
) -> Finding {
    let addresses = std::iter::once(&host).chain(peers.iter().take(10));
    let techniques: &[&str] = if code == SLOW {
        &["T1030", "T1048"]
    } else {
        &["T1048", "T1567"]
    };
    Finding {
        id: FindingId::new(code, code, evidence, at, &format!("{host} {peers:?} {time}")),
        code: code.to_owned(),
        rule_id: code.to_owned(),
        title,
        severity,
        time,
        evidence,
        at,
        class: Class::NETWORK_ACTIVITY.0,
        attack: techniques.iter().map(|id| (*id).to_owned()).collect(),
        reasons,
        entities: addresses
            .filter_map(|address| Entity::new(EntityKind::Ip, &address.to_string()))
            .collect(),
    }
}

fn shown(peer: IpAddr) -> String {
    format!("{peer}/{}", if peer.is_ipv4() { 24 } else { 48 })
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
