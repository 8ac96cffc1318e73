//! How many requests there are in each minute, what is usual, and where there are more.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::chunk::{Chunk, Dim, Request};

/// Seconds of a bin.
pub(super) const BIN: i64 = 10;
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// A value with fewer requests in a minute of a stretch is not counted.
const LEAST_COUNTED: u32 = 20;
/// How far a value must be above what is usual in a minute, at least: 5 requests a second.
const FLOOR: f64 = 300.0;
/// The same for all requests together: one request a second.
const FLOOR_OF_ALL: f64 = 60.0;
/// A value that is below this share of the usual rate of the whole service does not matter.
const SHARE: f64 = 0.05;
/// How many services are looked at, those with most requests.
const MOST_SERVICES: usize = 64;
/// How many values of a service are followed.
const MOST_VALUES: usize = 20_000;
/// How many minutes of a service are kept: two years.
const MOST_MINUTES: usize = 1_051_200;
/// Windows of a service, at most; those with the highest excess.
const MOST_WINDOWS: usize = 16;
/// Windows with less between them are one.
const JOIN: i64 = 3 * MINUTE;
/// How much of a day or week must be known before it says what is usual there: 20 minutes in each.
const ENOUGH: usize = 20;

/// Requests by service and minute.
#[derive(Default)]
pub(super) struct Rates {
    services: FxHashMap<u32, Service>,
    /// Room for the requests of a stretch, with their service and minute.
    requests: Vec<(u32, i64, Request)>,
    tallies: Tallies,
}

/// Requests to one service.
#[derive(Default)]
pub(super) struct Service {
    pub(super) total: u64,
    /// By minute; bins of ten seconds.
    pub(super) minutes: BTreeMap<i64, [u32; 6]>,
    /// By value, then by minute.
    series: FxHashMap<(Dim, u32), BTreeMap<i64, u32>>,
    /// What is usual in an hour, by the hour's number.
    usual: BTreeMap<i64, Usual>,
}

/// What is usual in an hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usual {
    /// The 95th percentile of requests a minute.
    pub(super) high: f64,
    /// Their median.
    pub(super) middle: f64,
    pub(super) learned_from: &'static str,
}

/// A time in which there is more than usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) service: u32,
    /// Seconds since the epoch; from the begin of a minute to the end of another.
    pub(super) start: i64,
    pub(super) end: i64,
    excess: f64,
}

impl Window {
    pub(super) fn contains(&self, time: i64) -> bool {
        self.start <= time && time < self.end
    }
}

impl Rates {
    pub(super) fn add(&mut self, chunk: &Chunk) {
        let requests = &mut self.requests;
        requests.clear();
        chunk.each_request(&mut |request| {
            if let Some(service) = chunk.service(request.kind) {
                requests.push((service, request.time.div_euclid(MINUTE), request));
            }
        });
        requests.sort_by_key(|(service, minute, _)| (*service, *minute));
        for group in requests.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
            let Some((service, minute, _)) = group.first().copied() else {
                continue;
            };
            if self.services.len() >= 16 * MOST_SERVICES && !self.services.contains_key(&service) {
                continue;
            }
            let service = self.services.entry(service).or_default();
            service.total += group.len() as u64;
            service.count_up(minute, group.iter().map(|(.., request)| request.time));
            self.tallies.count(group.iter().map(|(.., request)| request));
            self.tallies.drain(chunk, &mut |dim, value, count| {
                service.count_value((dim, value), minute, count);
            });
        }
    }

    /// Learns what is usual and says where there is more than that.
    pub(super) fn windows(&mut self) -> Vec<Window> {
        let mut keys: Vec<(u64, u32)> = self
            .services
            .iter()
            .map(|(key, service)| (service.total, *key))
            .collect();
        keys.sort_unstable_by(|left, right| right.cmp(left));
        keys.truncate(MOST_SERVICES);
        let mut windows = Vec::new();
        for (_, key) in keys {
            if let Some(service) = self.services.get_mut(&key) {
                service.learn();
                windows.extend(service.windows(key));
            }
        }
        windows
    }

    pub(super) fn service(&self, key: u32) -> Option<&Service> {
        self.services.get(&key)
    }
}

/// Counts of what is compared for itself, besides all requests: a flood may be far below the rate of the whole.
#[derive(Default)]
struct Tallies {
    clients: Tally,
    paths: Tally,
    agents: Tally,
    kinds: Tally,
    /// By value; of kinds few values come.
    ended: Vec<(u32, u32)>,
}

/// Counts by place in a dictionary.
#[derive(Default)]
struct Tally {
    counts: Vec<u32>,
    counted: Vec<usize>,
}

impl Tallies {
    fn count<'r>(&mut self, requests: impl Iterator<Item = &'r Request>) {
        for request in requests {
            self.clients.add(request.client);
            self.paths.add(request.path);
            self.agents.add(request.agent);
            self.kinds.add(request.kind);
        }
    }

    /// Hands over what was counted often enough, by value, and forgets all.
    fn drain(&mut self, chunk: &Chunk, visit: &mut dyn FnMut(Dim, u32, u32)) {
        let ended = &mut self.ended;
        ended.clear();
        self.kinds.drain(&mut |kind, count| {
            let Some(value) = chunk.ended(kind).filter(|value| *value != 0) else {
                return;
            };
            match ended.iter_mut().find(|(known, _)| *known == value) {
                Some((_, sum)) => *sum += count,
                None => ended.push((value, count)),
            }
        });
        let mut tell = |dim, value: Option<u32>, count| {
            if let Some(value) = value.filter(|value| *value != 0 && count >= LEAST_COUNTED) {
                visit(dim, value, count);
            }
        };
        ended
            .iter()
            .for_each(|(value, count)| tell(Dim::ENDED, Some(*value), *count));
        self.clients
            .drain(&mut |client, count| tell(Dim::CLIENT, chunk.client(client), count));
        self.paths
            .drain(&mut |path, count| tell(Dim::PATH, chunk.path(path), count));
        self.agents
            .drain(&mut |agent, count| tell(Dim::AGENT, chunk.agent(agent), count));
    }
}

impl Tally {
    #[inline]
    fn add(&mut self, index: usize) {
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(index) {
            if *count == 0 {
                self.counted.push(index);
            }
            *count += 1;
        }
    }

    fn drain(&mut self, visit: &mut dyn FnMut(usize, u32)) {
        for index in self.counted.drain(..) {
            if let Some(count) = self.counts.get_mut(index) {
                visit(index, std::mem::take(count));
            }
        }
    }
}

impl Service {
    fn count_up(&mut self, minute: i64, times: impl Iterator<Item = i64>) {
        if self.minutes.len() >= MOST_MINUTES && !self.minutes.contains_key(&minute) {
            return;
        }
        let bins = self.minutes.entry(minute).or_default();
        for time in times {
            if let Some(bin) = bins.get_mut((time.rem_euclid(MINUTE) / BIN) as usize) {
                *bin += 1;
            }
        }
    }

    fn count_value(&mut self, key: (Dim, u32), minute: i64, count: u32) {
        if self.series.len() < MOST_VALUES || self.series.contains_key(&key) {
            *self.series.entry(key).or_default().entry(minute).or_default() += count;
        }
    }

    pub(super) fn usual(&self, time: i64) -> Option<Usual> {
        self.usual.get(&time.div_euclid(HOUR)).copied()
    }

    /// Requests in the bin that `time` is in.
    pub(super) fn bin(&self, time: i64) -> u32 {
        let bins = self.minutes.get(&time.div_euclid(MINUTE));
        bins.and_then(|bins| bins.get((time.rem_euclid(MINUTE) / BIN) as usize))
            .copied()
            .unwrap_or_default()
    }

    fn count(&self, minute: i64) -> f64 {
        self.minutes.get(&minute).map_or(0.0, sum)
    }

    /// The 95th percentile of each hour: of the same hour of the week where weeks are known, of the same hours of the
    /// seven days before where days are, else of all there is.
    fn learn(&mut self) {
        let mut hours: Vec<i64> = self.minutes.keys().map(|minute| minute.div_euclid(60)).collect();
        hours.dedup();
        let (Some(first), Some(last)) = (self.minutes.keys().next(), self.minutes.keys().next_back()) else {
            return;
        };
        let (first, last) = (*first, *last);
        let whole = self.usual_of(
            &[(first, last + 1)],
            FLOOR_OF_ALL,
            "the whole log: it has no day before this one",
        );
        let mut usual = BTreeMap::new();
        for hour in hours {
            let start = hour * 60;
            // An hour that is busy each week must not be set aside because those around it are quiet.
            let weeks: Vec<_> = (1..=4)
                .map(|week| start - week * WEEK / MINUTE)
                .filter(|begin| *begin >= first)
                .map(|begin| (begin, begin + 60))
                .collect();
            let days: Vec<_> = (1..=7)
                .map(|day| start - day * DAY / MINUTE)
                .filter(|begin| *begin - 60 >= first)
                .map(|begin| (begin - 60, begin + 120))
                .collect();
            let found = if weeks.len() >= 2 {
                self.usual_of(
                    &weeks,
                    FLOOR_OF_ALL,
                    "the same hour of the week, over the weeks before",
                )
            } else if days.len() >= 3 {
                self.usual_of(&days, FLOOR_OF_ALL, "the same hours of the seven days before")
            } else {
                None
            };
            if let Some(found) = found.or(whole) {
                usual.insert(hour, found);
            }
        }
        self.usual = usual;
    }

    /// Of the minutes in these ranges. What is more than three times their median is set aside: it may be a flood.
    fn usual_of(&self, ranges: &[(i64, i64)], floor: f64, learned_from: &'static str) -> Option<Usual> {
        let last = self.minutes.keys().next_back().copied()?;
        let mut counts: Vec<f64> = Vec::new();
        for (from, to) in ranges {
            // Minutes without a request count as well, but no more of them than there are of others.
            let to = (*to).min(last + 1);
            let seen = self
                .minutes
                .range(*from..to.max(*from))
                .map(|(_, bins)| sum(bins));
            let before = counts.len();
            counts.extend(seen);
            let silent =
                (to - from).max(0) as usize - (counts.len() - before).min((to - from).max(0) as usize);
            counts.extend(std::iter::repeat_n(0.0, silent.min(50_000)));
        }
        (counts.len() >= ENOUGH).then(|| percentiles(counts, floor, learned_from))
    }

    fn windows(&self, key: u32) -> Vec<Window> {
        let mut flagged: BTreeMap<i64, f64> = BTreeMap::new();
        for minute in self.minutes.keys() {
            let Some(usual) = self.usual(minute * MINUTE) else {
                continue;
            };
            let count = self.count(*minute);
            if count > limit(usual.high, FLOOR_OF_ALL) {
                flagged.insert(*minute, count - usual.high);
            }
        }
        let span = self.minutes.len();
        for minutes in self.series.values() {
            let most = minutes.values().copied().max().unwrap_or_default();
            if f64::from(most) < FLOOR {
                continue;
            }
            let mut counts: Vec<f64> = minutes.values().map(|count| f64::from(*count)).collect();
            counts.resize(counts.len().max(span), 0.0);
            let usual = percentiles(counts, FLOOR, "");
            for (minute, count) in minutes {
                let of_all = self.usual(minute * MINUTE).map_or(0.0, |usual| usual.high);
                let floor = FLOOR.max(SHARE * of_all);
                let excess = f64::from(*count) - usual.high;
                if f64::from(*count) > limit(usual.high, floor) {
                    let known = flagged.entry(*minute).or_default();
                    *known = known.max(excess);
                }
            }
        }
        let mut windows: Vec<Window> = Vec::new();
        for (minute, excess) in flagged {
            // One minute more on both sides: a flood does not begin with a minute.
            let (start, end) = ((minute - 1) * MINUTE, (minute + 2) * MINUTE);
            match windows.last_mut() {
                Some(open) if start <= open.end + JOIN - 2 * MINUTE => {
                    open.end = end;
                    open.excess += excess;
                }
                _ => windows.push(Window {
                    service: key,
                    start,
                    end,
                    excess,
                }),
            }
        }
        windows.sort_by(|left, right| {
            right
                .excess
                .total_cmp(&left.excess)
                .then(left.start.cmp(&right.start))
        });
        windows.truncate(MOST_WINDOWS);
        windows
    }
}

fn sum(bins: &[u32; 6]) -> f64 {
    bins.iter().map(|bin| f64::from(*bin)).sum()
}

/// From how many requests in a minute on there are more than usual.
fn limit(usual: f64, floor: f64) -> f64 {
    1.5 * usual + 10.0 * usual.sqrt() + floor
}

fn percentiles(mut counts: Vec<f64>, floor: f64, learned_from: &'static str) -> Usual {
    counts.sort_unstable_by(f64::total_cmp);
    let at = |counts: &[f64], share: f64| {
        let index = (counts.len().saturating_sub(1) as f64 * share).round() as usize;
        counts.get(index).copied().unwrap_or_default()
    };
    let middle = at(&counts, 0.5);
    let ordinary = counts.partition_point(|count| *count <= 3.0 * middle + floor);
    counts.truncate(ordinary);
    Usual {
        high: at(&counts, 0.95),
        middle: at(&counts, 0.5),
        learned_from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(rate: impl Fn(i64) -> u32, minutes: i64) -> Service {
        let mut service = Service::default();
        for minute in 0..minutes {
            service.minutes.insert(minute, [rate(minute); 6]);
        }
        service.learn();
        service
    }

    #[test]
    fn a_tally_is_empty_again_when_it_was_told() {
        let mut tally = Tally::default();
        let told = |tally: &mut Tally| {
            let mut all = Vec::new();
            tally.drain(&mut |index, count| all.push((index, count)));
            all
        };
        [3, 1, 3].into_iter().for_each(|index| tally.add(index));
        assert_eq!(told(&mut tally), [(3, 2), (1, 1)]);
        assert_eq!(told(&mut tally), []);
        tally.add(3);
        assert_eq!(told(&mut tally), [(3, 1)]);
    }

    #[test]
    fn a_busy_hour_that_comes_each_week_is_usual_and_one_that_does_not_is_a_window() {
        let weekly = |minute: i64| if minute % (7 * 1_440) / 60 == 20 { 100 } else { 10 };
        let quiet = service(weekly, 5 * 7 * 1_440);
        let windows = quiet.windows(1);
        assert!(
            windows.iter().all(|window| window.start < WEEK + 21 * HOUR),
            "{windows:?}"
        );
        let usual = quiet.usual(4 * WEEK + 20 * HOUR).map(|usual| usual.high);
        assert_eq!(usual, Some(600.0));

        let odd = service(|minute| if (300..310).contains(&minute) { 100 } else { 10 }, 600);
        let windows = odd.windows(1);
        assert_eq!(
            windows
                .iter()
                .map(|window| (window.start, window.end))
                .collect::<Vec<_>>(),
            [(299 * 60, 311 * 60)]
        );
    }
}
